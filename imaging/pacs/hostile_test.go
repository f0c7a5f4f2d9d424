package pacs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// dialRaw connects to the node without speaking.
func (r *rig) dialRaw(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c
}

// associate gets an association with context 1 = verification and 3 = CT.
func (r *rig) associate(t testing.TB) net.Conn {
	t.Helper()
	c := r.dialRaw(t)
	if _, err := c.Write(sampleRQ().append(nil)); err != nil {
		t.Fatal(err)
	}
	if kind, _ := readPDU(t, c); kind != pduAssociateAC {
		t.Fatalf("answer to the request is PDU type %02X", kind)
	}
	return c
}

// readPDU reads one PDU; kind 0 stands for a closed connection.
func readPDU(t testing.TB, c net.Conn) (byte, []byte) {
	t.Helper()
	var h [6]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			t.Fatal("the node neither answers nor closes")
		}
		return 0, nil
	}
	b := make([]byte, binary.BigEndian.Uint32(h[2:]))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return h[0], b
}

// fragmentPDU is a P-DATA-TF with one fragment.
func fragmentPDU(context, flags byte, v []byte) []byte {
	return append(appendFragmentHeader(nil, context, flags, len(v)), v...)
}

// storeRQ is a C-STORE-RQ command in one PDU.
func storeRQ(class, instance string) []byte {
	c := command{field: fieldStoreRQ, messageID: 1, class: class, instance: instance, dataSet: true}
	return fragmentPDU(3, 3, c.append(nil))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func pduOf(kind byte, n uint32, rest ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind, 0}, n), rest...)
}

// alive checks that the node still answers, shows no file and kept no
// temporary one.
func (r *rig) alive(t testing.TB) {
	t.Helper()
	if err := Echo(context.Background(), r.addr, storeAE); err != nil {
		t.Errorf("node is gone: %v", err)
	}
	for range 100 {
		if len(received(t, r.path)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("files left behind: %v", received(t, r.path))
}

// TestMalformed sends what no DICOM peer sends: the node aborts with the
// reason of PS3.8 table 9-26 and lives on.
func TestMalformed(t *testing.T) {
	r := start(t, Config{})
	data := ctData(testStudy, "1.2.3.4.8", "1.2.3.4.8.1", 0, 64)
	echo := (&command{field: fieldEchoRQ, messageID: 1, class: VerificationSOPClass}).append(nil)
	rq := sampleRQ().append(nil)
	evenID := sampleRQ()
	evenID.contexts[0].id = 2
	twice := sampleRQ()
	twice.contexts[1].id = 1
	tiny := sampleRQ()
	tiny.user.maxPDU = 10
	for _, c := range []struct {
		name   string
		fresh  bool // before an association
		send   []byte
		reason byte
	}{
		{"HTTP", true, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), reasonUnrecognised},
		{"data before association", true, fragmentPDU(1, 3, echo), reasonUnexpected},
		{"request of 4 GB", true, pduOf(1, 0xffffffff), reasonInvalidValue},
		{"empty request", true, pduOf(1, 0), reasonInvalidValue},
		{"item over the end", true, append(pduOf(1, 72), append(join(rq[6:74]), 0x20, 0, 0xff, 0xff)...), reasonInvalidValue},
		{"even context id", true, evenID.append(nil), reasonInvalidValue},
		{"context id twice", true, twice.append(nil), reasonInvalidValue},
		{"maximum PDU of 10 bytes", true, tiny.append(nil), reasonInvalidValue},

		{"second request", false, rq, reasonUnexpected},
		{"garbage", false, bytes.Repeat([]byte{0xA5}, 1000), reasonUnrecognised},
		{"empty P-DATA-TF", false, pduOf(4, 0), reasonInvalidValue},
		{"P-DATA-TF of 4 GB", false, pduOf(4, 0xffffffff), reasonInvalidValue},
		{"P-DATA-TF above the announced limit", false, pduOf(4, defaultPDU+1), reasonInvalidValue},
		{"fragment of length 0", false, pduOf(4, 6, 0, 0, 0, 0, 1, 3), reasonInvalidValue},
		{"fragment over the end", false, pduOf(4, 6, 0, 0, 0, 3, 1, 3), reasonInvalidValue},
		{"fragment of 4 GB", false, pduOf(4, 100, 0xff, 0xff, 0xff, 0xff, 1, 3), reasonInvalidValue},
		{"three bytes after a fragment", false, join(pduOf(4, uint32(len(echo)+9)), fragmentPDU(1, 1, echo)[6:], []byte{0, 0, 0}), reasonInvalidValue},
		{"unaccepted context", false, fragmentPDU(5, 3, echo), reasonInvalidValue},
		{"data set without a command", false, fragmentPDU(3, 2, data), reasonUnexpected},
		{"command that is no command", false, fragmentPDU(1, 3, []byte("garbage!garbage!")), reasonInvalidValue},
		{"command in another group", false, fragmentPDU(1, 3, []byte{8, 0, 0, 0, 0, 0, 0, 0}), reasonInvalidValue},
		{"empty command", false, fragmentPDU(1, 3, nil), reasonInvalidValue},
		{"endless command", false, bytes.Repeat(fragmentPDU(1, 1, make([]byte, 4096)), 6), reasonInvalidValue},
		{"empty fragments for ever", false, bytes.Repeat(fragmentPDU(1, 1, nil), 10), reasonInvalidValue},
		{"a response nobody asked for", false, fragmentPDU(1, 3, (&command{field: 0x8030}).append(nil)), reasonUnexpected},
		{"command inside a data set", false, join(storeRQ(ctClass, "1.2.3.4.8.1"), fragmentPDU(3, 0, data[:4000]), fragmentPDU(1, 3, echo)), reasonUnexpected},
		{"data set changes context", false, join(storeRQ(ctClass, "1.2.3.4.8.1"), fragmentPDU(3, 0, data[:4000]), fragmentPDU(1, 2, data[4000:])), reasonInvalidValue},
		{"release inside a data set", false, join(storeRQ(ctClass, "1.2.3.4.8.1"), fragmentPDU(3, 0, data[:4000]), appendRelease(nil, pduReleaseRQ)), reasonUnexpected},
		{"garbage inside a data set", false, join(storeRQ(ctClass, "1.2.3.4.8.1"), fragmentPDU(3, 0, data[:4000]), bytes.Repeat([]byte{9}, 100)), reasonUnrecognised},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := r.dialRaw(t)
			if !c.fresh {
				conn.Close()
				conn = r.associate(t)
			}
			if _, err := conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			kind, b := readPDU(t, conn)
			if kind != pduAbort || b[2] != 2 || b[3] != c.reason {
				t.Errorf("answer is PDU type %02X % x, want an abort with source 2, reason %d", kind, b, c.reason)
			}
			conn.Close()
			r.alive(t)
		})
	}
}

// TestRefusedRequests checks rejections that echoscu cannot provoke.
func TestRefusedRequests(t *testing.T) {
	r := start(t, Config{})
	for name, c := range map[string]struct {
		change func(*associateRQ)
		want   RejectError
	}{
		"version":      {func(q *associateRQ) { q.version = 2 }, rejectVersion},
		"context":      {func(q *associateRQ) { q.application = "1.2.3" }, rejectContext},
		"called":       {func(q *associateRQ) { q.called = "halsted" }, rejectCalledAE},
		"empty caller": {func(q *associateRQ) { q.calling = "" }, rejectCallingAE},
		"odd caller":   {func(q *associateRQ) { q.calling = "A\x01B" }, rejectCallingAE},
	} {
		conn := r.dialRaw(t)
		q := sampleRQ()
		c.change(q)
		conn.Write(q.append(nil))
		kind, b := readPDU(t, conn)
		if kind != pduAssociateRJ || (RejectError{b[1], b[2], b[3]}) != c.want {
			t.Errorf("%s: PDU type %02X % x, want a rejection %v", name, kind, b, c.want)
		}
		conn.Close()
	}
	r.alive(t)
}

// TestRefusedDataSets checks that what cannot be kept is refused with a status
// while the association stands, and that nothing appears outside the store.
func TestRefusedDataSets(t *testing.T) {
	r := start(t, Config{})
	conn := r.associate(t)
	good := ctData(testStudy, "1.2.3.4.8", "1.2.3.4.8.1", 0, 64)
	badStudy := ctData("../../../escape", "1.2.3.4.8", "1.2.3.4.8.1", 0, 64)
	for _, c := range []struct {
		name, class, instance string
		data                  []byte
		want                  uint16
	}{
		{"path as UID", ctClass, "../../../../tmp/x", good, StatusInvalidInstance},
		{"empty UID", ctClass, "", good, StatusInvalidInstance},
		{"another class than negotiated", "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4.8.1", good, StatusClassNotSupported},
		{"instance differs from command", ctClass, "1.2.3.4.8.2", good, StatusDataSetMismatch},
		{"path as study UID", ctClass, "1.2.3.4.8.1", badStudy, StatusCannotUnderstand},
		{"empty data set", ctClass, "1.2.3.4.8.1", nil, StatusDataSetMismatch},
		{"garbage", ctClass, "1.2.3.4.8.1", bytes.Repeat([]byte{0xA5}, 5000), StatusCannotUnderstand},
		{"good after all that", ctClass, "1.2.3.4.8.1", good, StatusSuccess},
		{"another object with the same UID", ctClass, "1.2.3.4.8.1", ctData(testStudy, "1.2.3.4.8", "1.2.3.4.8.1", 1, 64), StatusDuplicateInstance},
	} {
		conn.Write(join(storeRQ(c.class, c.instance), fragmentPDU(3, 2, c.data)))
		kind, b := readPDU(t, conn)
		if kind != pduData {
			t.Fatalf("%s: answer is PDU type %02X", c.name, kind)
		}
		reply, err := parseCommand(b[6:])
		if err != nil || reply.status != c.want || reply.field != 0x8001 {
			t.Errorf("%s: %+v, %v, want status %04X", c.name, reply, err, c.want)
		}
	}
	conn.Write(fragmentPDU(1, 3, (&command{field: 0x0020, messageID: 1, class: VerificationSOPClass}).append(nil)))
	if kind, b := readPDU(t, conn); kind != pduData {
		t.Errorf("C-FIND answered with PDU type %02X", kind)
	} else if reply, err := parseCommand(b[6:]); err != nil || reply.status != StatusUnknownOperation || reply.field != 0x8020 {
		t.Errorf("C-FIND answered with %+v, %v", reply, err)
	}
	conn.Write(appendRelease(nil, pduReleaseRQ))
	if kind, _ := readPDU(t, conn); kind != pduReleaseRP {
		t.Errorf("release answered with PDU type %02X", kind)
	}
	if a := r.wait(t); !a.Released || a.Count() != 1 {
		t.Errorf("arrival %+v", a)
	}
	if got := received(t, r.path); len(got) != 1 || !strings.HasSuffix(got[0], "1.2.3.4.8.1.dcm") {
		t.Errorf("store holds %v", got)
	}
	have, _ := body(t, received(t, r.path)[0])
	if !bytes.Equal(have, good) {
		t.Error("the acknowledged object was changed by a later one")
	}
	if got := r.dir.Counts(); got.Stored != 1 || got.Conflicts != 1 {
		t.Errorf("counts %+v", got)
	}
}

// TestVanishedSender ends an association in the middle of a data set in three
// ways: nothing of it may be visible, and what was stored before is announced.
func TestVanishedSender(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"abort": func(c net.Conn) { c.Write(appendAbort(nil, 0, 0)); io.Copy(io.Discard, c) },
		"close": func(c net.Conn) { c.Close() },
		"reset": func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Config{})
			first := ctData(testStudy, "1.2.3.4.8", "1.2.3.4.8.1", 0, 64)
			second := ctData(testStudy, "1.2.3.4.8", "1.2.3.4.8.2", 0, 200)
			conn := r.associate(t)
			conn.Write(join(storeRQ(ctClass, "1.2.3.4.8.1"), fragmentPDU(3, 2, first)))
			if kind, _ := readPDU(t, conn); kind != pduData {
				t.Fatalf("answer is PDU type %02X", kind)
			}
			conn.Write(join(storeRQ(ctClass, "1.2.3.4.8.2"), fragmentPDU(3, 0, second[:60000])))
			for len(received(t, r.path)) < 2 { // the temporary file is there
				time.Sleep(time.Millisecond)
			}
			end(conn)
			a := r.wait(t)
			if a.Released || a.Count() != 1 || a.Series[0].Instances[0].SOPInstanceUID != "1.2.3.4.8.1" {
				t.Errorf("arrival %+v", a)
			}
			if got := received(t, r.path); len(got) != 1 || !strings.HasSuffix(got[0], "1.2.3.4.8.1.dcm") {
				t.Errorf("store holds %v", got)
			}
			if err := Echo(context.Background(), r.addr, storeAE); err != nil {
				t.Error(err)
			}
			if got := r.dir.Counts(); got.Failed != 1 {
				t.Errorf("counts %+v", got)
			}
		})
	}
}

// TestPatience checks the three timeouts.
func TestPatience(t *testing.T) {
	short := Config{RequestTimeout: 400 * time.Millisecond, IdleTimeout: 400 * time.Millisecond, SlowTimeout: 400 * time.Millisecond}
	r := start(t, short)
	t.Run("silent connection", func(t *testing.T) {
		c := r.dialRaw(t)
		io.Copy(io.Discard, c) // ends when the node gives up
	})
	t.Run("half a request", func(t *testing.T) {
		c := r.dialRaw(t)
		c.Write(sampleRQ().append(nil)[:50])
		io.Copy(io.Discard, c)
	})
	t.Run("idle association", func(t *testing.T) {
		if kind, _ := readPDU(t, r.associate(t)); kind != pduAbort {
			t.Errorf("PDU type %02X, want an abort", kind)
		}
	})
	t.Run("trickle", func(t *testing.T) {
		c := r.associate(t)
		c.Write(storeRQ(ctClass, "1.2.3.4.8.1"))
		c.Write(appendFragmentHeader(nil, 3, 2, 100000))
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					if _, err := c.Write([]byte{byte(i)}); err != nil {
						return
					}
				}
			}
		})
		if kind, _ := readPDU(t, c); kind != pduAbort && kind != 0 {
			t.Errorf("PDU type %02X, want an abort", kind)
		}
		close(stop)
		wg.Wait()
	})
	r.alive(t)
	for _, why := range []error{ErrSlow, ErrIdle} {
		for range 100 { // the line is written a moment after the connection ends
			if strings.Contains(r.log.String(), why.Error()) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if !strings.Contains(r.log.String(), why.Error()) {
			t.Errorf("log does not say %q:\n%s", why, r.log)
		}
	}
}

// TestLimits fills the node's places.
func TestLimits(t *testing.T) {
	r := start(t, Config{MaxAssociations: 2, MaxConnections: 70})
	for range 60 { // idle connections take no association's place
		r.dialRaw(t)
	}
	mustTool(t, "echoscu", "-aec", "HALSTED", "127.0.0.1", r.port)
	a, b := r.associate(t), r.associate(t)
	err := Echo(context.Background(), r.addr, storeAE)
	if rej, ok := errors.AsType[*RejectError](err); !ok || *rej != rejectLimit {
		t.Errorf("third association: %v, want %v", err, &rejectLimit)
	}
	out, err := tool(t, "echoscu", "-aec", "HALSTED", "127.0.0.1", r.port)
	if err == nil || !strings.Contains(out, "Rejected Transient") {
		t.Errorf("echoscu: %v\n%s", err, out)
	}
	a.Close()
	b.Close()
	for range 100 {
		if err = Echo(context.Background(), r.addr, storeAE); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("after two associations ended: %v", err)
	}
	// Connections above the cap are refused as well.
	for range 10 {
		r.dialRaw(t)
	}
	for range 100 {
		if err = Echo(context.Background(), r.addr, storeAE); err != nil {
			break
		}
	}
	if rej, ok := errors.AsType[*RejectError](err); !ok || *rej != rejectLimit {
		t.Errorf("connection above the cap: %v, want %v", err, &rejectLimit)
	}
}

// TestMemory lets 100 peers announce large requests and expects no memory
// before bytes arrive.
func TestMemory(t *testing.T) {
	r := start(t, Config{MaxConnections: 200})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		r.dialRaw(t).Write(append(pduOf(1, maxAssociatePDU), make([]byte, 100)...))
	}
	for range 500 {
		r.node.mu.Lock()
		n := len(r.node.links)
		r.node.mu.Unlock()
		if n == 100 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100*16<<10 {
		t.Errorf("100 unfinished requests take %d bytes", grown)
	}
	r.alive(t)
}

// scripted is a connection whose peer has said everything already.
type scripted struct {
	in  bytes.Reader
	out int
}

func (s *scripted) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *scripted) Write(p []byte) (int, error)      { s.out += len(p); return len(p), nil }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// memorySink checks what every Sink relies on.
type memorySink struct{ t testing.TB }

func (m memorySink) Store(_ context.Context, in Instance, data io.Reader) (Stored, error) {
	for _, uid := range []string{in.SOPClassUID, in.SOPInstanceUID, in.StudyUID, in.SeriesUID} {
		if !ValidUID(uid) {
			m.t.Errorf("sink got UID %q", uid)
		}
	}
	n, err := io.Copy(io.Discard, data)
	return Stored{SOPInstanceUID: in.SOPInstanceUID, Bytes: n}, err
}

func (m memorySink) Done(_ context.Context, a Arrival) {
	if a.Count() == 0 {
		m.t.Error("Done without an instance")
	}
}

// FuzzAcceptor plays a whole connection to the acceptor.
func FuzzAcceptor(f *testing.F) {
	rq := sampleRQ().append(nil)
	data := ctData("1.2", "1.2.3", "1.2.3.4", 1, 4)
	f.Add(join(rq, storeRQ(ctClass, "1.2.3.4"), fragmentPDU(3, 0, data[:100]), fragmentPDU(3, 2, data[100:]), appendRelease(nil, pduReleaseRQ)))
	f.Add(join(rq, fragmentPDU(1, 3, (&command{field: fieldEchoRQ, class: VerificationSOPClass}).append(nil)), appendAbort(nil, 0, 0)))
	f.Add(rq[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := New(Config{MaxObject: 1 << 20}, memorySink{t})
		if err != nil {
			t.Fatal(err)
		}
		conn := &scripted{}
		conn.in.Reset(b)
		a := &association{node: n, link: newLink(conn, n.cfg.MaxPDU, time.Minute, time.Minute), log: n.cfg.Log}
		a.run(context.Background(), conn)
		if n.standing != 0 {
			t.Fatal("a place stays taken")
		}
	})
}
