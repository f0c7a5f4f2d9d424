package pacs

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Command fields (PS3.7 section E.1); a response has bit 15 set.
const (
	fieldStoreRQ  = 0x0001
	fieldEchoRQ   = 0x0030
	fieldCancelRQ = 0x0FFF
	fieldResponse = 0x8000
)

// noDataSet is the Command Data Set Type of a message without a data set; any
// other value says that one follows.
const noDataSet = 0x0101

// maxCommand bounds a command set: the largest one of PS3.7 has about 500
// bytes.
const maxCommand = 16 << 10

// Elements of group 0000 that are read or written here.
const (
	elGroupLength  = 0x0000
	elClassUID     = 0x0002
	elField        = 0x0100
	elMessageID    = 0x0110
	elRespondedTo  = 0x0120
	elPriority     = 0x0700
	elDataSetType  = 0x0800
	elStatus       = 0x0900
	elErrorComment = 0x0902
	elInstanceUID  = 0x1000
)

// command is a command set as far as C-ECHO and C-STORE need it.
type command struct {
	field, messageID, respondedTo uint16
	class, instance               string
	priority                      uint16
	dataSet                       bool
	status                        uint16
	comment                       string
}

func (c *command) isResponse() bool { return c.field&fieldResponse != 0 }

// parseCommand reads a command set: implicit VR little endian, group 0000
// only (PS3.7 section 6.3.1).
func parseCommand(b []byte) (*command, error) {
	c := &command{}
	seen := map[uint16]bool{}
	for len(b) > 0 {
		if len(b) < 8 {
			return nil, invalid("command element cut short")
		}
		group, el := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		n := binary.LittleEndian.Uint32(b[4:])
		if group != 0 {
			return nil, invalid("group %04X in a command set", group)
		}
		if uint64(n) > uint64(len(b)-8) {
			return nil, invalid("command element %04X of %d bytes in %d", el, n, len(b)-8)
		}
		if seen[el] {
			return nil, invalid("command element %04X twice", el)
		}
		seen[el] = true
		v := b[8 : 8+n]
		b = b[8+n:]
		var number *uint16
		var dataSetType uint16
		switch el {
		case elClassUID:
			c.class = trimUID(v)
		case elInstanceUID:
			c.instance = trimUID(v)
		case elErrorComment:
			c.comment = trimUID(v)
		case elField:
			number = &c.field
		case elMessageID:
			number = &c.messageID
		case elRespondedTo:
			number = &c.respondedTo
		case elPriority:
			number = &c.priority
		case elStatus:
			number = &c.status
		case elDataSetType:
			number = &dataSetType
		}
		if number == nil {
			continue
		}
		if len(v) != 2 {
			return nil, invalid("command element %04X of %d bytes, not 2", el, len(v))
		}
		*number = binary.LittleEndian.Uint16(v)
		c.dataSet = c.dataSet || el == elDataSetType && dataSetType != noDataSet
	}
	if !seen[elField] || !seen[elDataSetType] {
		return nil, invalid("command set without command field or data set type")
	}
	return c, nil
}

// append writes the command set. Which elements are present follows from the
// command field (PS3.7 sections 9.3.1 and 9.3.5).
func (c *command) append(dst []byte) []byte {
	type element struct {
		el uint16
		v  []byte
	}
	var els []element
	text := func(el uint16, s string, pad byte) {
		if s == "" {
			return
		}
		v := []byte(s)
		if len(v)%2 == 1 {
			v = append(v, pad)
		}
		els = append(els, element{el, v})
	}
	number := func(el, n uint16) {
		els = append(els, element{el, binary.LittleEndian.AppendUint16(nil, n)})
	}
	text(elClassUID, c.class, 0)
	text(elInstanceUID, c.instance, 0)
	number(elField, c.field)
	if c.dataSet {
		number(elDataSetType, 0)
	} else {
		number(elDataSetType, noDataSet)
	}
	if c.isResponse() {
		number(elRespondedTo, c.respondedTo)
		number(elStatus, c.status)
		text(elErrorComment, c.comment[:min(len(c.comment), 64)], ' ')
	} else {
		number(elMessageID, c.messageID)
		if c.field == fieldStoreRQ {
			number(elPriority, c.priority)
		}
	}
	slices.SortFunc(els, func(a, b element) int { return cmp.Compare(a.el, b.el) })
	size := 0
	for _, e := range els {
		size += 8 + len(e.v)
	}
	put := func(el uint16, v []byte) {
		dst = binary.LittleEndian.AppendUint16(dst, 0)
		dst = binary.LittleEndian.AppendUint16(dst, el)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v)))
		dst = append(dst, v...)
	}
	put(elGroupLength, binary.LittleEndian.AppendUint32(nil, uint32(size)))
	for _, e := range els {
		put(e.el, e.v)
	}
	return dst
}
