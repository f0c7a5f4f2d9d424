package pacs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// AE says who we are and who we call.
type AE struct {
	Called  string // the peer's AE title; "" = ANY-SCP
	Calling string // ours; "" = DefaultAETitle

	TLS     *tls.Config   // nil = plain TCP; at least version 1.2 is used
	MaxPDU  uint32        // largest P-DATA-TF we take; 0 = 131072
	Timeout time.Duration // for each answer of the peer; 0 = 60 s
}

func (ae AE) withDefaults() (AE, error) {
	if ae.Called == "" {
		ae.Called = "ANY-SCP"
	}
	if ae.Calling == "" {
		ae.Calling = DefaultAETitle
	}
	if !ValidAETitle(ae.Called) || !ValidAETitle(ae.Calling) {
		return ae, fmt.Errorf("AE titles %q and %q: an AE title has 1 to 16 printable characters", ae.Calling, ae.Called)
	}
	if ae.MaxPDU == 0 {
		ae.MaxPDU = defaultPDU
	}
	if ae.MaxPDU < 4096 || ae.MaxPDU > topPDU {
		return ae, fmt.Errorf("AE.MaxPDU %d is not in 4096..%d", ae.MaxPDU, topPDU)
	}
	if ae.Timeout <= 0 {
		ae.Timeout = time.Minute
	}
	return ae, nil
}

// requestor is our side of an association that we asked for.
type requestor struct {
	link    *link
	timeout time.Duration
	syntax  map[byte]answerFor // accepted contexts
	stop    func() bool
	message uint16
}

// dial asks addr for an association with the given contexts. The association
// ends at once when ctx does.
func dial(ctx context.Context, addr string, ae AE, contexts []proposal) (*requestor, error) {
	ae, err := ae.withDefaults()
	if err != nil {
		return nil, err
	}
	dctx, cancel := context.WithTimeout(ctx, ae.Timeout)
	defer cancel()
	var conn net.Conn
	if ae.TLS != nil {
		cfg := ae.TLS.Clone()
		cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
		conn, err = (&tls.Dialer{Config: cfg}).DialContext(dctx, "tcp", addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(dctx, "tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	l := newLink(conn, ae.MaxPDU, ae.Timeout, ae.Timeout)
	r := &requestor{link: l, timeout: ae.Timeout, stop: context.AfterFunc(ctx, l.force)}
	if err := r.negotiate(ae, contexts); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		r.close(err)
		return nil, err
	}
	return r, nil
}

// negotiate is Sta5: it sends the request and reads the answer.
func (r *requestor) negotiate(ae AE, contexts []proposal) error {
	l := r.link
	q := &associateRQ{version: 1, called: ae.Called, calling: ae.Calling, application: applicationContext,
		contexts: contexts, user: userInfo{ae.MaxPDU, implementationClass, implementationVersion}}
	l.buffered()
	if err := l.send(q.append(nil)); err != nil {
		return err
	}
	l.deadline(time.Now().Add(r.timeout), false)
	kind, n, err := l.header()
	if err != nil {
		return late(err)
	}
	switch kind {
	case pduAssociateAC:
	case pduAssociateRJ:
		b, err := l.body(n, 4)
		if err != nil {
			return err
		}
		if len(b) != 4 {
			return invalid("A-ASSOCIATE-RJ of %d bytes", n)
		}
		return &RejectError{b[1], b[2], b[3]}
	default:
		return l.control(kind, n)
	}
	b, err := l.body(n, maxAssociatePDU)
	if err != nil {
		return late(err)
	}
	ac, err := parseAssociateAC(b)
	if err != nil {
		return err
	}
	l.maxOut = outLimit(ac.user.maxPDU)
	if l.maxOut < minPDU {
		return invalid("maximum PDU length %d", ac.user.maxPDU)
	}
	proposed := make(map[byte]proposal, len(contexts))
	for _, c := range contexts {
		proposed[c.id] = c
	}
	r.syntax = make(map[byte]answerFor, len(contexts))
	for _, c := range ac.contexts {
		p, ok := proposed[c.id]
		if !ok {
			return invalid("answer for presentation context %d, which was not proposed", c.id)
		}
		if c.result == contextAccepted {
			r.syntax[c.id] = answerFor{p.abstract, c.transfer}
		}
	}
	return nil
}

// late names a missed deadline.
func late(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the peer did not answer in time")
	}
	return vanished(err)
}

// response reads the answer to request c.
func (r *requestor) response(c *command) (*command, error) {
	reply, _, err := r.link.command(time.Now().Add(r.timeout))
	r.link.end()
	switch {
	case errors.Is(err, ErrIdle):
		return nil, errors.New("the peer did not answer in time")
	case errors.Is(err, errReleased):
		return nil, unexpected("release in place of a response")
	case err != nil:
		return nil, err
	case reply.field != c.field|fieldResponse || reply.respondedTo != c.messageID:
		return nil, unexpected("response %04X to message %d in place of %04X to %d",
			reply.field, reply.respondedTo, c.field|fieldResponse, c.messageID)
	case reply.dataSet:
		return nil, unexpected("data set in a response")
	}
	return reply, nil
}

// nextMessage returns a fresh message id.
func (r *requestor) nextMessage() uint16 { r.message++; return r.message }

// close ends the association: by release if cause is nil, by abort where the
// peer still expects something, and closes the connection in any case.
func (r *requestor) close(cause error) {
	l := r.link
	_, aborted := errors.AsType[*AbortError](cause)
	_, rejected := errors.AsType[*RejectError](cause)
	broken, isBroken := errors.AsType[*protocolError](cause)
	switch {
	case cause == nil:
		// All answers are in; if the release goes wrong, nothing is lost.
		if l.send(appendRelease(nil, pduReleaseRQ)) == nil {
			l.deadline(time.Now().Add(min(r.timeout, 5*time.Second)), false)
			if kind, _, err := l.header(); err == nil && kind == pduReleaseRQ {
				_ = l.send(appendRelease(nil, pduReleaseRP)) // both sides asked (Sta9)
			}
		}
	case aborted, rejected, errors.Is(cause, errVanished):
	case isBroken:
		l.abort(2, broken.reason)
	default:
		l.abort(0, 0)
	}
	r.stop()
	if t, ok := l.conn.(*tls.Conn); ok && cause != nil {
		_ = t.NetConn().Close() // without the closing alert, which could block
		return
	}
	_ = l.conn.Close()
}

// Echo verifies with C-ECHO that a DICOM node called ae.Called answers at addr
// (host:port). Errors: *RejectError, *AbortError, *StatusError, or what the
// network said.
func Echo(ctx context.Context, addr string, ae AE) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("C-ECHO to %s: %w", addr, err)
		}
	}()
	r, err := dial(ctx, addr, ae, []proposal{{id: 1, abstract: VerificationSOPClass, transfer: []string{ImplicitVRLittleEndian}}})
	if err != nil {
		return err
	}
	defer func() { r.close(err) }()
	if _, ok := r.syntax[1]; !ok {
		return errors.New("the peer does not offer verification")
	}
	c := &command{field: fieldEchoRQ, messageID: r.nextMessage(), class: VerificationSOPClass}
	if err := r.link.send(r.link.appendCommand(nil, 1, c)); err != nil {
		return r.cause(ctx, err)
	}
	reply, err := r.response(c)
	if err != nil {
		return r.cause(ctx, err)
	}
	if reply.status != StatusSuccess {
		return &StatusError{reply.status, reply.comment}
	}
	return nil
}

// cause replaces an error by what led to it: the caller's cancellation, or an
// abort that the peer sent while we were writing.
func (r *requestor) cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "write" {
		r.link.end()
		r.link.deadline(time.Now().Add(lingerTime), false)
		if kind, n, e := r.link.header(); e == nil {
			if e := r.link.control(kind, n); e != nil && !errors.Is(e, io.EOF) {
				return e
			}
		}
	}
	return err
}
