package pacs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// slowMinimum defines a slow sender: one that delivers fewer bytes while we
	// waited link.patient for it.
	slowMinimum = 16 << 10
	// pdvHeader is the length, context and control byte before a fragment.
	pdvHeader  = 6
	linkBuffer = 32 << 10
	// lingerTime and lingerBytes bound how long a refused peer may go on
	// talking before the connection is closed. Closing at once would reset the
	// connection and could destroy the refusal on its way.
	lingerTime  = 500 * time.Millisecond
	abortTime   = 100 * time.Millisecond
	lingerBytes = 4 << 20
)

// past is a deadline that wakes every blocked read and write.
var past = time.Unix(1, 0)

// link carries PDUs over one TCP or TLS connection. It is used by one
// goroutine, except for force and rush.
type link struct {
	conn net.Conn
	in   io.Reader // paced, buffered once an association stands
	out  []byte    // scratch for PDUs to write

	maxIn   uint32 // largest P-DATA-TF we announced
	maxOut  uint32 // largest P-DATA-TF the peer takes, as we use it
	left    uint32 // bytes of the open P-DATA-TF after the current fragment
	torn    bool   // a write ended within a PDU: what follows would be taken for its rest
	patient time.Duration
	write   time.Duration

	// Of the slow-sender watch, on in transfer mode only.
	transfer bool
	waited   time.Duration
	got      int64
	ack      func()

	mu     sync.Mutex // guards the two below and the deadlines of conn
	forced bool
	idling bool
}

// outLimit is the PDU length to use towards a peer that announced max.
func outLimit(max uint32) uint32 {
	if max == 0 {
		return ownPDU
	}
	return min(max, ownPDU)
}

// fragment is the header of a presentation data value (PS3.8 section 9.3.5.1).
type fragment struct {
	context       byte
	command, last bool
	n             int // bytes of the fragment that follow
}

// newLink wraps conn. patient is how long a peer may take for slowMinimum
// bytes in the middle of a message.
func newLink(conn net.Conn, maxIn uint32, patient, write time.Duration) *link {
	l := &link{conn: conn, maxIn: maxIn, patient: patient, write: write, ack: quickAck(conn)}
	l.in = pacedReader{l}
	return l
}

// buffered adds the read buffer; before an association stands a connection
// costs no memory worth mentioning.
func (l *link) buffered() { l.in = bufio.NewReaderSize(pacedReader{l}, linkBuffer) }

// deadline sets when the next reads give up; idle marks the time between two
// messages.
func (l *link) deadline(t time.Time, idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idling = idle
	if l.forced {
		t = past
	}
	_ = l.conn.SetReadDeadline(t)
}

// force makes every present and future read and write fail.
func (l *link) force() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forced = true
	_ = l.conn.SetDeadline(past)
}

// rush shortens the wait of a peer that is between two messages.
func (l *link) rush(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idling && !l.forced {
		_ = l.conn.SetReadDeadline(t)
	}
}

// pacedReader reads from the connection. In transfer mode it counts only the
// time spent waiting for the peer, so that our own slow disk is not held
// against it.
type pacedReader struct{ l *link }

func (p pacedReader) Read(b []byte) (int, error) {
	l := p.l
	for {
		var start time.Time
		if l.transfer {
			start = time.Now()
			l.deadline(start.Add(l.patient-l.waited), false)
		}
		n, err := l.conn.Read(b)
		if n > 0 {
			l.ack()
		}
		if !l.transfer {
			return n, err
		}
		l.waited += time.Since(start)
		l.got += int64(n)
		if l.waited >= l.patient {
			l.mu.Lock()
			forced := l.forced
			l.mu.Unlock()
			if l.got < slowMinimum && !forced {
				return n, ErrSlow
			}
			l.waited, l.got = 0, 0
			if n == 0 && !forced && errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
		}
		return n, err
	}
}

// begin switches the slow-sender watch on, end off.
func (l *link) begin() { l.transfer, l.waited, l.got = true, 0, 0 }
func (l *link) end()   { l.transfer = false }

// header reads a PDU header.
func (l *link) header() (kind byte, n uint32, err error) {
	var h [pduHeaderLen]byte
	if _, err := io.ReadFull(l.in, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = errVanished
		}
		return 0, 0, err
	}
	return h[0], binary.BigEndian.Uint32(h[2:]), nil
}

// body reads a PDU body of at most limit bytes. Memory grows with what
// arrives, not with what is announced.
func (l *link) body(n uint32, limit uint32) ([]byte, error) {
	if n > limit {
		return nil, invalid("PDU of %d bytes, limit %d", n, limit)
	}
	b, err := io.ReadAll(io.LimitReader(l.in, int64(n)))
	if err == nil && len(b) < int(n) {
		err = errVanished
	}
	return b, err
}

// control deals with a PDU that is not the awaited one: it returns the error
// that ends the association.
func (l *link) control(kind byte, n uint32) error {
	switch kind {
	case pduAbort, pduReleaseRQ:
		b, err := l.body(n, 4)
		if err != nil {
			return err
		}
		if len(b) != 4 {
			return invalid("PDU type %02X of %d bytes", kind, n)
		}
		if kind == pduReleaseRQ {
			return errReleased
		}
		return &AbortError{Source: b[2], Reason: b[3]}
	case pduAssociateRQ, pduAssociateAC, pduAssociateRJ, pduData, pduReleaseRP:
		return unexpected("PDU type %02X at this point", kind)
	}
	return &protocolError{reasonUnrecognised, fmt.Sprintf("unknown PDU type %02X", kind)}
}

// fragment reads the next fragment header, opening the next P-DATA-TF where
// needed. The caller must then consume exactly n bytes from l.in.
func (l *link) fragment() (f fragment, err error) {
	if l.left == 0 {
		kind, n, err := l.header()
		if err != nil {
			return f, err
		}
		if kind != pduData {
			return f, l.control(kind, n)
		}
		if n > l.maxIn {
			return f, invalid("P-DATA-TF of %d bytes, announced limit %d", n, l.maxIn)
		}
		l.left = n
	}
	if l.left < pdvHeader {
		return f, invalid("%d bytes left for a fragment", l.left)
	}
	var h [pdvHeader]byte
	if _, err := io.ReadFull(l.in, h[:]); err != nil {
		return f, vanished(err)
	}
	n := binary.BigEndian.Uint32(h[:])
	if n < 2 || n > l.left-4 {
		return f, invalid("fragment of %d bytes in %d", n, l.left-4)
	}
	l.left -= 4 + n
	f = fragment{context: h[4], command: h[5]&1 != 0, last: h[5]&2 != 0, n: int(n - 2)}
	if f.n == 0 && !f.last {
		return f, invalid("empty fragment that is not the last")
	}
	return f, nil
}

// vanished names an end of stream in the middle of a PDU for what it is.
func vanished(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errVanished
	}
	return err
}

// command reads the next command set and its presentation context. The
// slow-sender watch is on when it returns without error; end switches it off.
// errReleased says that the peer asks for release instead.
func (l *link) command(idle time.Time) (*command, byte, error) {
	l.deadline(idle, true)
	if l.left == 0 {
		if br, ok := l.in.(*bufio.Reader); ok {
			if _, err := br.Peek(1); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					err = ErrIdle
				}
				return nil, 0, vanished(err)
			}
		}
	}
	l.begin()
	var set []byte
	var context byte
	for first := true; ; first = false {
		f, err := l.fragment()
		if err != nil {
			if !first && errors.Is(err, errReleased) {
				err = unexpected("release in the middle of a command")
			}
			return nil, 0, err
		}
		if !f.command {
			return nil, 0, unexpected("data set without a command")
		}
		if !first && f.context != context {
			return nil, 0, invalid("command changes from context %d to %d", context, f.context)
		}
		if len(set)+f.n > maxCommand {
			return nil, 0, invalid("command set longer than %d bytes", maxCommand)
		}
		context = f.context
		at := len(set)
		set = append(set, make([]byte, f.n)...)
		if _, err := io.ReadFull(l.in, set[at:]); err != nil {
			return nil, 0, vanished(err)
		}
		if f.last {
			c, err := parseCommand(set)
			return c, context, err
		}
	}
}

// dataSet is the data set of one message as a stream.
type dataSet struct {
	l       *link
	context byte
	n, max  int64 // bytes read so far, and at most
	open    int   // bytes left of the current fragment
	last    bool
	err     error // ends the association
}

// Read returns io.EOF after the last fragment, and an error that is also kept
// in d.err if the stream broke.
func (d *dataSet) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	for d.open == 0 {
		if d.last {
			return 0, io.EOF
		}
		f, err := d.l.fragment()
		switch {
		case errors.Is(err, errReleased):
			err = unexpected("release in the middle of a data set")
		case err != nil:
		case f.command:
			err = unexpected("command in the middle of a data set")
		case f.context != d.context:
			err = invalid("data set changes from context %d to %d", d.context, f.context)
		}
		if err != nil {
			d.err = err
			return 0, err
		}
		d.open, d.last = f.n, f.last
		d.n += int64(f.n)
		if d.n > d.max {
			d.err = invalid("data set longer than %d bytes", d.max)
			return 0, d.err
		}
	}
	n, err := d.l.in.Read(p[:min(len(p), d.open)])
	d.open -= n
	if err != nil {
		d.err = vanished(err)
		return n, d.err
	}
	return n, nil
}

// complete reports whether the whole data set was read.
func (d *dataSet) complete() bool { return d.err == nil && d.open == 0 && d.last }

// send writes PDUs.
func (l *link) send(b []byte) error {
	l.mu.Lock()
	t := time.Now().Add(l.write)
	if l.forced {
		t = past
	}
	_ = l.conn.SetWriteDeadline(t)
	l.mu.Unlock()
	_, err := l.conn.Write(b)
	l.torn = l.torn || err != nil
	return err
}

// appendCommand frames a command set in as many P-DATA-TF as the peer's limit
// asks for.
func (l *link) appendCommand(dst []byte, context byte, c *command) []byte {
	set := c.append(nil)
	for first := true; first || len(set) > 0; first = false {
		n := min(len(set), int(l.maxOut)-pdvHeader)
		flags := byte(1)
		if n == len(set) {
			flags |= 2
		}
		dst = appendFragmentHeader(dst, context, flags, n)
		dst = append(dst, set[:n]...)
		set = set[n:]
	}
	return dst
}

// appendFragmentHeader starts a P-DATA-TF with a single fragment of n bytes.
func appendFragmentHeader(dst []byte, context, flags byte, n int) []byte {
	dst = append(dst, pduData, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(n+pdvHeader))
	dst = binary.BigEndian.AppendUint32(dst, uint32(n+2))
	return append(dst, context, flags)
}

// abort tells the peer that the association is over; one that does not read
// is not waited for.
func (l *link) abort(source, reason byte) {
	if l.torn {
		return
	}
	l.mu.Lock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(abortTime))
	l.mu.Unlock()
	_, _ = l.conn.Write(appendAbort(nil, source, reason))
}

// linger half-closes the connection and waits a moment for the peer to close
// its side.
func (l *link) linger() {
	if w, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	l.end()
	l.deadline(time.Now().Add(lingerTime), false)
	_, _ = io.CopyN(io.Discard, l.conn, lingerBytes)
}
