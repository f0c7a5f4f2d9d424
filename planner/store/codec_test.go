package store

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"halsted/planner"
)

// ofVersion1 writes frames of one shape as the first version did.
func ofVersion1(frames []planner.DisplayFrame) []byte {
	f, le := &frames[0], binary.LittleEndian
	b := []byte("HSF1")
	b = le.AppendUint32(b, uint32(len(f.Pos)))
	b = le.AppendUint32(b, uint32(len(frames)))
	b = le.AppendUint16(b, uint16(len(f.Fields)))
	for _, fd := range f.Fields {
		b = append(append(b, byte(len(fd.ID))), fd.ID...)
		b = append(append(b, byte(len(fd.Unit))), fd.Unit...)
	}
	for _, f := range frames {
		b = le.AppendUint64(le.AppendUint64(b, f.Epoch), f.Seq)
		b = le.AppendUint64(b, math.Float64bits(f.SimTimeS))
		for _, p := range f.Pos {
			for _, c := range []float64{p.X, p.Y, p.Z} {
				b = le.AppendUint64(b, math.Float64bits(c))
			}
		}
		for _, fd := range f.Fields {
			for _, v := range fd.Values {
				b = le.AppendUint32(b, math.Float32bits(v))
			}
		}
	}
	return b
}

func readAll(t *testing.T, b []byte) (frames []planner.DisplayFrame) {
	t.Helper()
	g, err := openSegment(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	for range g.frames {
		f, err := g.next()
		must(t, err)
		frames = append(frames, *f)
	}
	return frames
}

// Frames of the first version are read still; nobody recorded how well their
// fields are known, and they do not claim it.
func TestFramesOfTheFirstVersionAreRead(t *testing.T) {
	s := opened(t, t.TempDir())
	run := newRun(t, s, "r1").ID
	want := testFrames(1, 5, 7)
	must(t, s.AppendFrames(t.Context(), run, 1, want))
	old, err := s.PutBytes(t.Context(), ofVersion1(want))
	must(t, err)
	must(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "UPDATE segments SET blob = ?", old)
		return err
	}))
	for n := range want {
		for k := range want[n].Fields {
			want[n].Fields[k].Quality = nil
		}
	}
	for after := range uint64(5) {
		if got := collect(t, s.Frames(t.Context(), run, 1, after)); !reflect.DeepEqual(got, want[after:]) {
			t.Errorf("after %d: %d frames, or others", after, len(got))
		}
	}
	next := testFrames(1, 6, 7)[5:] // a run goes on in the new version
	must(t, s.AppendFrames(t.Context(), run, 1, next))
	if got := collect(t, s.Frames(t.Context(), run, 1, 4)); !reflect.DeepEqual(got, append(want[4:], next...)) {
		t.Error("frames of both versions in one run changed")
	}
}

func TestADamagedQualityIsRefused(t *testing.T) {
	b, err := encodeSegment(testFrames(1, 1, 2))
	must(t, err)
	g, err := openSegment(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	at := int(g.start) + frameHeader
	if b[at] != 1+byte(planner.EvidenceUnverified)|hasError {
		t.Fatalf("the evidence is not where it is looked for: %x", b[at])
	}
	nan := math.Float64bits(math.NaN())
	for name, change := range map[string]func(q []byte){
		"evidence unknown":      func(q []byte) { q[0] = 9 },
		"error of nothing":      func(q []byte) { q[0] = hasError },
		"residual not finite":   func(q []byte) { binary.LittleEndian.PutUint64(q[1:], nan) },
		"error not finite":      func(q []byte) { binary.LittleEndian.PutUint64(q[9:], nan) },
		"error without its bit": func(q []byte) { q[0] &^= hasError; q[9] = 1 },
		"number of nothing":     func(q []byte) { q[0] = 0 },
	} {
		bad := bytes.Clone(b)
		change(bad[at:])
		g, err := openSegment(bytes.NewReader(bad), int64(len(bad)))
		must(t, err)
		if _, err := g.next(); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}
