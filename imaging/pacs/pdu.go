package pacs

import (
	"encoding/binary"
	"slices"
	"strings"
)

// PDU types (PS3.8 section 9.3.1).
const (
	pduAssociateRQ = 0x01
	pduAssociateAC = 0x02
	pduAssociateRJ = 0x03
	pduData        = 0x04
	pduReleaseRQ   = 0x05
	pduReleaseRP   = 0x06
	pduAbort       = 0x07
)

// Item types inside A-ASSOCIATE-RQ and -AC (PS3.8 sections 9.3.2 and 9.3.3,
// PS3.7 Annex D).
const (
	itemApplication = 0x10
	itemContextRQ   = 0x20
	itemContextAC   = 0x21
	itemAbstract    = 0x30
	itemTransfer    = 0x40
	itemUser        = 0x50
	itemMaxLength   = 0x51
	itemClassUID    = 0x52
	itemVersion     = 0x55
)

const (
	pduHeaderLen = 6
	// maxAssociatePDU bounds an A-ASSOCIATE PDU: 128 contexts with 60 transfer
	// syntaxes of 30 bytes each stay below it.
	maxAssociatePDU = 256 << 10
	// associateFixed is the part before the items: version, reserved, two AE
	// titles, 32 reserved bytes.
	associateFixed = 68
	maxContexts    = 128
)

// Results of a presentation context (PS3.8 table 9-18).
const (
	contextAccepted   = 0
	contextNoAbstract = 3
	contextNoTransfer = 4
)

// associateRQ is an A-ASSOCIATE-RQ; items of no use here are not kept.
type associateRQ struct {
	version         uint16
	called, calling string
	application     string
	contexts        []proposal
	user            userInfo
}

type proposal struct {
	id       byte
	abstract string
	transfer []string
}

// associateAC is an A-ASSOCIATE-AC.
type associateAC struct {
	called, calling string // copied from the request (PS3.8 table 9-17)
	contexts        []answer
	user            userInfo
}

type answer struct {
	id, result byte
	transfer   string // significant only if result is contextAccepted
}

type userInfo struct {
	maxPDU         uint32 // largest P-DATA-TF the sender of this item takes; 0 = no limit
	class, version string
}

func appendItem(dst []byte, kind byte, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = body(append(dst, kind, 0, 0, 0))
	binary.BigEndian.PutUint16(dst[at+2:], uint16(len(dst)-at-4))
	return dst
}

func appendText(dst []byte, kind byte, s string) []byte {
	return appendItem(dst, kind, func(b []byte) []byte { return append(b, s...) })
}

func appendAE(dst []byte, s string) []byte {
	n := min(len(s), 16)
	dst = append(dst, s[:n]...)
	return append(dst, "                "[:16-n]...)
}

// appendPDU frames a body; the length is filled in afterwards.
func appendPDU(dst []byte, kind byte, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = body(append(dst, kind, 0, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(dst[at+2:], uint32(len(dst)-at-pduHeaderLen))
	return dst
}

func (u userInfo) append(dst []byte) []byte {
	return appendItem(dst, itemUser, func(b []byte) []byte {
		b = appendItem(b, itemMaxLength, func(b []byte) []byte { return binary.BigEndian.AppendUint32(b, u.maxPDU) })
		b = appendText(b, itemClassUID, u.class)
		if u.version != "" {
			b = appendText(b, itemVersion, u.version)
		}
		return b
	})
}

func (q *associateRQ) append(dst []byte) []byte {
	return appendPDU(dst, pduAssociateRQ, func(b []byte) []byte {
		b = binary.BigEndian.AppendUint16(b, q.version)
		b = append(b, 0, 0)
		b = appendAE(appendAE(b, q.called), q.calling)
		b = append(b, make([]byte, 32)...)
		b = appendText(b, itemApplication, q.application)
		for _, c := range q.contexts {
			b = appendItem(b, itemContextRQ, func(b []byte) []byte {
				b = appendText(append(b, c.id, 0, 0, 0), itemAbstract, c.abstract)
				for _, ts := range c.transfer {
					b = appendText(b, itemTransfer, ts)
				}
				return b
			})
		}
		return q.user.append(b)
	})
}

func (a *associateAC) append(dst []byte) []byte {
	return appendPDU(dst, pduAssociateAC, func(b []byte) []byte {
		b = append(b, 0, 1, 0, 0)
		b = appendAE(appendAE(b, a.called), a.calling)
		b = append(b, make([]byte, 32)...)
		b = appendText(b, itemApplication, applicationContext)
		for _, c := range a.contexts {
			b = appendItem(b, itemContextAC, func(b []byte) []byte {
				return appendText(append(b, c.id, 0, c.result, 0), itemTransfer, c.transfer)
			})
		}
		return a.user.append(b)
	})
}

func appendReject(dst []byte, r RejectError) []byte {
	return append(dst, pduAssociateRJ, 0, 0, 0, 0, 4, 0, r.Result, r.Source, r.Reason)
}

func appendRelease(dst []byte, kind byte) []byte {
	return append(dst, kind, 0, 0, 0, 0, 4, 0, 0, 0, 0)
}

func appendAbort(dst []byte, source, reason byte) []byte {
	return append(dst, pduAbort, 0, 0, 0, 0, 4, 0, 0, source, reason)
}

// eachItem calls f for every item of b; an item that runs over the end is an
// error.
func eachItem(b []byte, f func(kind byte, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return invalid("item header cut short")
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			return invalid("item %02X of %d bytes in %d", b[0], n, len(b)-4)
		}
		if err := f(b[0], b[4:4+n]); err != nil {
			return err
		}
		b = b[4+n:]
	}
	return nil
}

func parseUser(b []byte) (u userInfo, err error) {
	err = eachItem(b, func(kind byte, v []byte) error {
		switch kind {
		case itemMaxLength:
			if len(v) != 4 {
				return invalid("maximum length item of %d bytes", len(v))
			}
			u.maxPDU = binary.BigEndian.Uint32(v)
		case itemClassUID:
			u.class = trimUID(v)
		case itemVersion:
			u.version = trimUID(v)
		}
		return nil
	})
	return u, err
}

// parseAssociateRQ reads the body of an A-ASSOCIATE-RQ (after its header).
func parseAssociateRQ(b []byte) (*associateRQ, error) {
	if len(b) < associateFixed {
		return nil, invalid("A-ASSOCIATE-RQ of %d bytes", len(b))
	}
	q := &associateRQ{
		version: binary.BigEndian.Uint16(b),
		called:  strings.Trim(string(b[4:20]), " \x00"),
		calling: strings.Trim(string(b[20:36]), " \x00"),
	}
	err := eachItem(b[associateFixed:], func(kind byte, v []byte) error {
		switch kind {
		case itemApplication:
			q.application = trimUID(v)
		case itemContextRQ:
			p, err := parseProposal(v)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(q.contexts, func(o proposal) bool { return o.id == p.id }) {
				return invalid("presentation context %d proposed twice", p.id)
			}
			q.contexts = append(q.contexts, p)
		case itemUser:
			u, err := parseUser(v)
			q.user = u
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

func parseProposal(v []byte) (p proposal, err error) {
	if len(v) < 4 {
		return p, invalid("presentation context item of %d bytes", len(v))
	}
	p.id = v[0]
	if p.id%2 == 0 {
		return p, invalid("presentation context id %d is not odd", p.id)
	}
	err = eachItem(v[4:], func(kind byte, v []byte) error {
		switch kind {
		case itemAbstract:
			p.abstract = trimUID(v)
		case itemTransfer:
			p.transfer = append(p.transfer, trimUID(v))
		}
		return nil
	})
	return p, err
}

// parseAssociateAC reads the body of an A-ASSOCIATE-AC (after its header).
func parseAssociateAC(b []byte) (*associateAC, error) {
	if len(b) < associateFixed {
		return nil, invalid("A-ASSOCIATE-AC of %d bytes", len(b))
	}
	a := &associateAC{
		called:  strings.Trim(string(b[4:20]), " \x00"),
		calling: strings.Trim(string(b[20:36]), " \x00"),
	}
	err := eachItem(b[associateFixed:], func(kind byte, v []byte) error {
		switch kind {
		case itemContextAC:
			if len(v) < 4 || len(a.contexts) == maxContexts {
				return invalid("presentation context item of %d bytes", len(v))
			}
			c := answer{id: v[0], result: v[2]}
			if err := eachItem(v[4:], func(kind byte, v []byte) error {
				if kind == itemTransfer {
					c.transfer = trimUID(v)
				}
				return nil
			}); err != nil {
				return err
			}
			a.contexts = append(a.contexts, c)
		case itemUser:
			u, err := parseUser(v)
			a.user = u
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}
