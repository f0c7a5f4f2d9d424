package pacs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"syscall"
	"time"
)

// association is the acceptor's side of one association (PS3.8 section 9.2;
// state names in comments are those of table 9-10).
type association struct {
	node    *Node
	link    *link
	log     *slog.Logger
	remote  netip.AddrPort
	calling string
	syntax  map[byte]answerFor // accepted presentation contexts
	head    bytes.Buffer       // first part of the current data set
	arrival Arrival
	pending int  // instances in arrival that Done has not seen
	entered bool // occupies one of the node's places

	stored, duplicates, failed int
	bytes                      int64
}

// answerFor is what an accepted presentation context carries.
type answerFor struct{ abstract, transfer string }

// run serves one connection from its first byte to its end.
func (a *association) run(ctx context.Context, conn net.Conn) {
	start := time.Now()
	err := a.establish(ctx, conn)
	standing := err == nil
	if standing {
		err = a.messages(ctx)
	}
	a.leave()
	a.finish(ctx, err)
	if !standing {
		a.log.Info("no association", "calling_ae", a.calling, "reason", err.Error())
		return
	}
	how := "released"
	level := slog.LevelInfo
	if !errors.Is(err, errReleased) {
		how, level = err.Error(), slog.LevelWarn
	}
	a.log.Log(ctx, level, "association ended", "calling_ae", a.calling, "how", how, "stored", a.stored,
		"duplicates", a.duplicates, "failed", a.failed, "bytes", a.bytes, "seconds", time.Since(start).Seconds())
	if a.pending > 0 {
		a.arrival.Released = errors.Is(err, errReleased)
		a.node.sink.Done(ctx, a.arrival)
	}
}

// finish answers the end of an association: it confirms a release, or aborts
// when the peer broke the rules or has to be cut off.
func (a *association) finish(ctx context.Context, err error) {
	l := a.link
	var broken *protocolError
	var abort *AbortError
	var reject *RejectError
	switch {
	case errors.Is(err, errReleased): // Sta8
		_ = l.send(appendRelease(nil, pduReleaseRP))
		l.linger()
	case errors.As(err, &broken): // AA-8
		l.abort(2, broken.reason)
		l.linger()
	case errors.As(err, &abort), errors.Is(err, errVanished): // AA-3, AA-4
	case errors.As(err, &reject): // AR-8: already told
		l.linger()
	case ctx.Err() != nil:
		l.abort(0, 0)
	default:
		l.abort(2, reasonUnspecified)
	}
}

// leave gives the place back.
func (a *association) leave() {
	if a.entered {
		a.entered = false
		a.node.leave()
	}
}

// establish does everything up to the A-ASSOCIATE-AC (Sta2 to Sta6).
func (a *association) establish(ctx context.Context, conn net.Conn) error {
	l, cfg := a.link, a.node.cfg
	artim := time.Now().Add(cfg.RequestTimeout)
	l.deadline(artim, true)
	if t, ok := conn.(*tls.Conn); ok {
		hctx, cancel := context.WithDeadline(ctx, artim)
		err := t.HandshakeContext(hctx)
		cancel()
		if err != nil {
			return fmt.Errorf("TLS handshake: %w", err)
		}
		l.deadline(artim, true) // a cancelled handshake clears it
	}
	kind, n, err := l.header()
	if err != nil {
		return err
	}
	if kind != pduAssociateRQ {
		return l.control(kind, n)
	}
	body, err := l.body(n, maxAssociatePDU)
	if err != nil {
		return err
	}
	q, err := parseAssociateRQ(body)
	if err != nil {
		return err
	}
	a.calling = q.calling
	if !ValidAETitle(a.calling) {
		a.calling = "(invalid)"
	}
	a.arrival = Arrival{CallingAE: a.calling, Remote: a.remote}
	if r := a.refuse(q); r != nil {
		_ = l.send(appendReject(nil, *r))
		return r
	}
	l.maxOut = outLimit(q.user.maxPDU)
	if l.maxOut < minPDU {
		return invalid("maximum PDU length %d", q.user.maxPDU)
	}
	ac := a.negotiate(q)
	l.buffered()
	if err := l.send(ac.append(nil)); err != nil {
		return err
	}
	a.log.Debug("association accepted", "calling_ae", a.calling, "contexts", len(q.contexts), "accepted", len(a.syntax))
	return nil
}

// refuse checks who asks and whether there is a place; if it returns nil a
// place is taken.
func (a *association) refuse(q *associateRQ) *RejectError {
	switch {
	case q.version&1 == 0:
		return &rejectVersion
	case q.application != applicationContext:
		return &rejectContext
	case q.called != a.node.cfg.AETitle:
		return &rejectCalledAE
	case !ValidAETitle(q.calling) || !a.node.cfg.knows(q.calling, a.remote.Addr()):
		return &rejectCallingAE
	case a.node.draining.Load():
		return &rejectCongestion
	}
	if a.entered = a.node.enter(); !a.entered {
		return &rejectLimit
	}
	return nil
}

// negotiate accepts the contexts that this node can serve.
func (a *association) negotiate(q *associateRQ) *associateAC {
	ac := &associateAC{called: q.called, calling: q.calling,
		user: userInfo{a.node.cfg.MaxPDU, implementationClass, implementationVersion}}
	a.syntax = make(map[byte]answerFor, len(q.contexts))
	for _, c := range q.contexts {
		// PS3.8 table 9-18: a transfer syntax stands even where it says nothing.
		r := answer{id: c.id, result: contextNoAbstract, transfer: ImplicitVRLittleEndian}
		if c.abstract == VerificationSOPClass || isStorageClass(c.abstract) {
			r.result = contextNoTransfer
			if ts, ok := chooseSyntax(c.transfer); ok {
				r.result, r.transfer = contextAccepted, ts
				a.syntax[c.id] = answerFor{c.abstract, ts}
			}
		}
		ac.contexts = append(ac.contexts, r)
	}
	return ac
}

// messages is Sta6: it serves requests until the association ends.
func (a *association) messages(ctx context.Context) error {
	for {
		a.link.end()
		c, id, err := a.link.command(time.Now().Add(a.node.idle()))
		if err != nil {
			return err
		}
		if _, ok := a.syntax[id]; !ok {
			return invalid("message on presentation context %d, which was not accepted", id)
		}
		data := &dataSet{l: a.link, context: id, max: a.node.cfg.MaxObject}
		if !c.dataSet {
			data.last = true
		}
		reply := &command{field: c.field | fieldResponse, respondedTo: c.messageID, class: c.class, instance: c.instance}
		switch {
		case c.isResponse():
			return unexpected("response %04X that nobody asked for", c.field)
		case c.field == fieldCancelRQ:
			continue // nothing here runs long enough to be cancelled
		case c.field == fieldEchoRQ:
			reply.instance = ""
		case c.field == fieldStoreRQ:
			err = a.store(ctx, id, c, data)
		default:
			err = &StatusError{Status: StatusUnknownOperation}
		}
		if data.err != nil {
			return data.err
		}
		if !data.complete() {
			if _, err := io.Copy(io.Discard, data); err != nil {
				return err
			}
		}
		if err != nil {
			st := statusOf(err)
			reply.status, reply.comment = st.Status, st.Comment
			a.failed++
			a.log.Warn("request refused", "calling_ae", a.calling, "status", st.Status, "reason", err.Error())
		}
		a.link.out = a.link.appendCommand(a.link.out[:0], id, reply)
		if err := a.link.send(a.link.out); err != nil {
			return err
		}
	}
}

// store hands one data set to the sink.
func (a *association) store(ctx context.Context, id byte, c *command, data *dataSet) (err error) {
	accepted := a.syntax[id]
	switch {
	case !ValidUID(c.instance):
		return &StatusError{StatusInvalidInstance, "Affected SOP Instance UID is not a UID"}
	case c.class != accepted.abstract || !isStorageClass(c.class):
		return &StatusError{StatusClassNotSupported, "SOP class differs from the presentation context"}
	case !c.dataSet:
		return &StatusError{StatusMistypedArgument, "C-STORE without a data set"}
	}
	a.head.Reset()
	if a.head.Cap() > 64<<10 {
		a.head = bytes.Buffer{}
	}
	k, err := readKeys(io.TeeReader(data, &a.head), accepted.transfer)
	if data.err != nil {
		return data.err
	}
	switch {
	case err != nil:
		return &StatusError{StatusCannotUnderstand, "data set not readable in its transfer syntax"}
	case k.class != c.class || k.instance != c.instance:
		return &StatusError{StatusDataSetMismatch, "SOP class or instance differs from the command"}
	case !ValidUID(k.study) || !ValidUID(k.series):
		return &StatusError{StatusCannotUnderstand, "no Study or Series Instance UID"}
	}
	in := Instance{SOPClassUID: c.class, SOPInstanceUID: c.instance, StudyUID: k.study, SeriesUID: k.series,
		TransferSyntax: accepted.transfer, CallingAE: a.calling, Remote: a.remote}
	st, err := a.node.sink.Store(ctx, in, io.MultiReader(bytes.NewReader(a.head.Bytes()), data))
	if err != nil {
		return err
	}
	if !data.complete() {
		// One more read tells the end of a data set whose last byte was taken.
		if n, err := data.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			return errors.New("sink did not read the whole data set")
		}
	}
	a.stored++
	a.bytes += data.n
	if st.Duplicate {
		a.duplicates++
	}
	a.arrival.add(in, st)
	if a.pending++; a.pending == maxArrival {
		part := a.arrival
		part.More = true
		a.arrival.Series, a.pending = nil, 0
		a.node.sink.Done(ctx, part)
	}
	return nil
}

// statusOf turns an error of a sink into what the sender is told.
func statusOf(err error) *StatusError {
	if st, ok := errors.AsType[*StatusError](err); ok {
		return st
	}
	_, path := errors.AsType[*fs.PathError](err)
	_, number := errors.AsType[syscall.Errno](err)
	if path || number || errors.Is(err, errDisk) {
		return &StatusError{StatusOutOfResources, "the receiver could not write"}
	}
	return &StatusError{StatusProcessingFailure, "the receiver failed"}
}

// guard keeps a panic in one association, or in a sink, from taking the node
// down.
func (a *association) guard() {
	if r := recover(); r != nil {
		a.log.Error("association panicked", "calling_ae", a.calling, "stack", string(debug.Stack()))
		a.link.abort(2, reasonUnspecified)
	}
	a.leave()
}
