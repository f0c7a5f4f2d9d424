package nifti_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"

	"gonum.org/v1/gonum/spatial/r3"
)

func turned(angle float64, flip bool) imaging.Grid {
	rot := r3.NewRotation(angle, r3.Vec{X: 0.3, Y: -1, Z: 0.6})
	g := imaging.Grid{Size: [3]int{6, 5, 4}, Origin: r3.Vec{X: -120, Y: 33, Z: 90}}
	for a, e := range []r3.Vec{{X: 0.743}, {Y: 0.8}, {Z: 1.6}} {
		g.Axes[a] = rot.Rotate(e)
	}
	if flip {
		g.Axes[1] = r3.Scale(-1, g.Axes[1])
	}
	return g
}

func volume(g imaging.Grid) *imaging.Volume {
	v := imaging.NewVolume(g, imaging.KindUnknown)
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range v.Data {
		v.Data[n] = int16(rng.Uint32())
	}
	return v
}

func TestVolumeRoundTrip(t *testing.T) {
	for _, angle := range []float64{0, 0.4, math.Pi / 2, 2.9, math.Pi} {
		for _, flip := range []bool{false, true} {
			v := volume(turned(angle, flip))
			v.Slope, v.Intercept = 0.5, -1024
			var buf bytes.Buffer
			if err := nifti.Encode(&buf, v); err != nil {
				t.Fatal(err)
			}
			whole := buf.Bytes()
			check := func(b []byte, how string) {
				m, err := nifti.Read(bytes.NewReader(b))
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				got, err := m.Volume()
				if err != nil {
					t.Fatal(err)
				}
				if !got.Grid.Matches(v.Grid, 1e-4) {
					t.Errorf("angle %g, %s: grid %+v, want %+v", angle, how, got.Grid, v.Grid)
				}
				for n := range v.Data {
					if got.Value(n) != v.Value(n) {
						t.Fatalf("%s: voxel %d is %g, want %g", how, n, got.Value(n), v.Value(n))
					}
				}
			}
			check(whole, "sform")
			b := slices.Clone(whole)
			b[254] = 0
			check(b, "qform")
			b = slices.Clone(whole)
			b[254] = 4 // a template, and its sform is another place
			copy(b[280:328], make([]byte, 48))
			check(b, "qform before a template's sform")
			check(swap(whole), "big endian")
			check(pack(t, whole), "gzip")
			check(second(whole), "NIfTI-2")
		}
	}
}

// swap turns a little-endian int16 image into a big-endian one.
func swap(b []byte) []byte {
	b = slices.Clone(b)
	four := []int{0, 76, 80, 84, 88, 92, 96, 100, 104, 108, 112, 116}
	for at := 256; at < 328; at += 4 {
		four = append(four, at)
	}
	for _, at := range four {
		slices.Reverse(b[at : at+4])
	}
	two := []int{70, 72, 252, 254}
	for at := 40; at < 56; at += 2 {
		two = append(two, at)
	}
	for at := 352; at+2 <= len(b); at += 2 {
		two = append(two, at)
	}
	for _, at := range two {
		slices.Reverse(b[at : at+2])
	}
	return b
}

func pack(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// second rewrites a NIfTI-1 image with a NIfTI-2 header.
func second(one []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 544, 544+len(one))
	le.PutUint32(b, 540)
	copy(b[4:], "n+2\x00\r\n\x1a\n")
	copy(b[12:16], one[70:74])
	f := func(to, from int) {
		le.PutUint64(b[to:], math.Float64bits(float64(math.Float32frombits(le.Uint32(one[from:])))))
	}
	for n := range 8 {
		le.PutUint64(b[16+8*n:], uint64(le.Uint16(one[40+2*n:])))
		f(104+8*n, 76+4*n)
	}
	le.PutUint64(b[168:], 544)
	f(176, 112)
	f(184, 116)
	le.PutUint32(b[344:], uint32(one[252]))
	le.PutUint32(b[348:], uint32(one[254]))
	for n := range 6 {
		f(352+8*n, 256+4*n)
	}
	for n := range 12 {
		f(400+8*n, 280+4*n)
	}
	le.PutUint32(b[500:], uint32(one[123]))
	return append(b, one[352:]...)
}

// withSamples is an image of the given type and raw little-endian samples.
func withSamples(t *testing.T, typ nifti.DataType, samples any) []byte {
	t.Helper()
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	g := imaging.NewGrid([3]int{4, 1, 1}, r3.Vec{}, [3]float64{1, 1, 1})
	var buf bytes.Buffer
	if err := nifti.Encode(&buf, imaging.NewVolume(g, imaging.KindUnknown)); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()[:352]
	binary.LittleEndian.PutUint16(b[70:], uint16(typ))
	return append(b, raw.Bytes()...)
}

func TestSampleTypes(t *testing.T) {
	for _, c := range []struct {
		typ     nifti.DataType
		samples any
		want    [4]float64
		tol     float64
	}{
		{nifti.Uint8, [4]uint8{0, 1, 128, 255}, [4]float64{0, 1, 128, 255}, 0},
		{nifti.Int8, [4]int8{-128, -1, 0, 127}, [4]float64{-128, -1, 0, 127}, 0},
		{nifti.Int16, [4]int16{-32768, -1000, 0, 32767}, [4]float64{-32768, -1000, 0, 32767}, 0},
		{nifti.Uint16, [4]uint16{0, 1, 40000, 65535}, [4]float64{0, 1, 40000, 65535}, 0},
		{nifti.Int32, [4]int32{100000, 100001, 165535, 120000}, [4]float64{100000, 100001, 165535, 120000}, 0},
		{nifti.Uint32, [4]uint32{0, 1 << 20, 1 << 30, 1 << 31}, [4]float64{0, 1 << 20, 1 << 30, 1 << 31}, 1 << 15},
		{nifti.Float32, [4]float32{-1000.5, 0, 31.25, 3071}, [4]float64{-1000.5, 0, 31.25, 3071}, 4071.5 / 65535 / 2},
		{nifti.Float64, [4]float64{2.5, 2.5, 2.5, 2.5}, [4]float64{2.5, 2.5, 2.5, 2.5}, 1e-12},
	} {
		m, err := nifti.Read(bytes.NewReader(withSamples(t, c.typ, c.samples)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Volume()
		if err != nil {
			t.Fatal(err)
		}
		for n, want := range c.want {
			if m.Value(n) != want || math.Abs(v.Value(n)-want) > c.tol*(1+1e-9) {
				t.Errorf("%v: sample %d is %g, volume %g, want %g ± %g", c.typ, n, m.Value(n), v.Value(n), want, c.tol)
			}
		}
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		m, err := nifti.Read(bytes.NewReader(withSamples(t, nifti.Float32, [4]float32{0, 1, bad, 2})))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Volume(); err == nil || !strings.Contains(err.Error(), "voxel 2,0,0") {
			t.Errorf("sample %v: %v", bad, err)
		}
	}
}

func TestSegmentsRoundTripInAnyStorageOrder(t *testing.T) {
	dir := t.TempDir()
	g := turned(0.4, false)
	rng := rand.New(rand.NewPCG(2, 2))
	for _, count := range []int{3, 8, 9, 17, 32} {
		of := make([]imaging.Label, count)
		for b := range of {
			of[b] = imaging.Label(100 + b)
		}
		s := imaging.NewSegments(g, of...)
		for n := range s.Bits {
			s.Bits[n] = rng.Uint32() & uint32(uint64(1)<<count-1)
		}
		for _, r := range []imaging.Reorder{{Axis: [3]int{0, 1, 2}}, {Axis: [3]int{2, 0, 1}, Flip: [3]bool{true, false, true}}, {Axis: [3]int{0, 1, 2}, Flip: [3]bool{false, false, true}}} {
			stored := imaging.NewSegments(r.Grid(g), of...)
			at := r.Index(g)
			for n := range stored.Bits {
				stored.Bits[n] = s.Bits[at(n)]
			}
			path := filepath.Join(dir, "masks.nii.gz")
			if err := nifti.WriteSegments(path, stored); err != nil {
				t.Fatal(err)
			}
			got, err := nifti.ReadSegments(path, g, of)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Bits, s.Bits) || !slices.Equal(got.Of, of) || got.Grid != g {
				t.Errorf("%d structures stored as %v came back changed", count, r)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files left, want 1 (%v)", len(entries), err)
	}
}

func TestSegmentsDropAndRefuseBits(t *testing.T) {
	g := turned(0, false)
	s := imaging.NewSegments(g, imaging.LabelBody, imaging.LabelBone, imaging.LabelLiver)
	for n := range s.Bits {
		s.Bits[n] = uint32(n % 8)
	}
	path := filepath.Join(t.TempDir(), "masks.nii")
	if err := nifti.WriteSegments(path, s); err != nil {
		t.Fatal(err)
	}
	got, err := nifti.ReadSegments(path, g, []imaging.Label{imaging.LabelBody, imaging.LabelBackground, imaging.LabelLiver})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []imaging.Label{imaging.LabelBody, imaging.LabelLiver} {
		if got.Count(l) != s.Count(l) {
			t.Errorf("%v has %d voxels, want %d", l, got.Count(l), s.Count(l))
		}
	}
	if len(got.Of) != 2 {
		t.Errorf("dropped bit is still there: %v", got.Of)
	}
	for _, bad := range [][]imaging.Label{
		nil,
		{imaging.LabelBody, imaging.LabelBone},
		{imaging.LabelBody, imaging.LabelBone, imaging.LabelBone},
		make([]imaging.Label, 33),
	} {
		_, err := nifti.ReadSegments(path, g, bad)
		if _, ok := errors.AsType[*nifti.FormatError](err); !ok {
			t.Errorf("%d structures: %v", len(bad), err)
		}
	}
}

func TestMismatchedGridIsRefused(t *testing.T) {
	g := turned(0.4, false)
	path := filepath.Join(t.TempDir(), "masks.nii.gz")
	if err := nifti.WriteSegments(path, imaging.NewSegments(g, imaging.LabelLiver)); err != nil {
		t.Fatal(err)
	}
	half := g
	half.Origin = g.Point(0, 0, 0.5)
	longer := g
	longer.Size[2]++
	for _, c := range []struct {
		ct  imaging.Grid
		off float64
	}{{half, 0.8}, {longer, math.Inf(1)}} {
		_, err := nifti.ReadSegments(path, c.ct, []imaging.Label{imaging.LabelLiver})
		e, ok := errors.AsType[*nifti.GridMismatchError](err)
		if !ok || e.OffMM != c.off && math.Abs(e.OffMM-c.off) > 1e-3 {
			t.Errorf("off by %g mm: %v", c.off, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "masks.nii.gz: ") {
			t.Errorf("error does not begin with the file's name: %v", err)
		}
	}
}

func TestLabelsRoundTrip(t *testing.T) {
	g := turned(0.2, true)
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	of := map[int]imaging.Label{}
	for n := range l.ID {
		l.ID[n] = imaging.Label(n % 7)
		of[n%7] = imaging.Label(n % 7)
	}
	path := filepath.Join(t.TempDir(), "labels.nii.gz")
	if err := nifti.WriteLabels(path, l); err != nil {
		t.Fatal(err)
	}
	got, err := nifti.ReadLabels(path, g, of)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.ID, l.ID) {
		t.Error("labels came back changed")
	}
	delete(of, 5)
	if _, err := nifti.ReadLabels(path, g, of); err == nil || !strings.Contains(err.Error(), "label 5 at voxel 5,0,0") {
		t.Errorf("unknown label: %v", err)
	}
}

func TestWritingIsRepeatableAndWhole(t *testing.T) {
	dir := t.TempDir()
	v := volume(turned(0.4, false))
	a, b := filepath.Join(dir, "a.nii.gz"), filepath.Join(dir, "b.nii.gz")
	for _, p := range []string{a, b} {
		if err := nifti.WriteVolume(p, v); err != nil {
			t.Fatal(err)
		}
	}
	first, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the same volume gave two different files")
	}
	v.Data = v.Data[1:]
	if nifti.WriteVolume(a, v) == nil {
		t.Error("a volume without its last sample was written")
	}
	if after, err := os.ReadFile(a); err != nil || !bytes.Equal(first, after) {
		t.Error("a failed write changed the file that was there")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d files left, want 2", len(entries))
	}
	if err := nifti.WriteVolume(filepath.Join(dir, "none", "c.nii"), v); err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("error names the folder, or is none: %v", err)
	}
}

func TestHostileFiles(t *testing.T) {
	var buf bytes.Buffer
	if err := nifti.Encode(&buf, volume(turned(0.4, false))); err != nil {
		t.Fatal(err)
	}
	good := buf.Bytes()
	le := binary.LittleEndian
	spoil := func(f func(b []byte)) []byte { b := slices.Clone(good); f(b); return b }
	put16 := func(at int, v uint16) []byte { return spoil(func(b []byte) { le.PutUint16(b[at:], v) }) }
	putF := func(at int, v float64) []byte {
		return spoil(func(b []byte) { le.PutUint32(b[at:], math.Float32bits(float32(v))) })
	}
	bomb := pack(t, append(slices.Clone(good), make([]byte, 1<<20)...))
	damaged := pack(t, good)
	damaged[len(damaged)-6] ^= 0x40 // in the checksum
	corrupt := pack(t, good)
	for n := 60; n < 120; n++ {
		corrupt[n] = 0xff
	}
	for name, b := range map[string][]byte{
		"no header":             []byte("DICM and other things, long enough to be a header, perhaps"),
		"detached":              spoil(func(b []byte) { copy(b[344:], "ni1\x00") }),
		"analyze":               spoil(func(b []byte) { copy(b[344:], "\x00\x00\x00\x00") }),
		"0 dimensions":          put16(40, 0),
		"8 dimensions":          put16(40, 8),
		"negative side":         put16(42, 0xffff),
		"zero side":             put16(44, 0),
		"time series":           spoil(func(b []byte) { le.PutUint16(b[40:], 4); le.PutUint16(b[48:], 2) }),
		"RGB":                   put16(70, 128),
		"type 0":                put16(70, 0),
		"huge":                  spoil(func(b []byte) { copy(b[42:], "\xff\x7f\xff\x7f\xff\x7f") }),
		"offset inside header":  putF(108, 100),
		"offset far":            putF(108, 1e12),
		"offset NaN":            putF(108, math.NaN()),
		"slope NaN":             putF(112, math.NaN()),
		"intercept Inf":         putF(116, math.Inf(1)),
		"affine NaN":            putF(284, math.NaN()),
		"affine zero":           spoil(func(b []byte) { copy(b[280:328], make([]byte, 48)) }),
		"sheared":               putF(284, 0.5),
		"no orientation":        spoil(func(b []byte) { b[252], b[254] = 0, 0 }),
		"unknown unit":          spoil(func(b []byte) { b[123] = 7 }),
		"compressed tail":       bomb,
		"damaged checksum":      damaged,
		"damaged stream":        corrupt,
		"damaged gzip header":   {0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		"NIfTI-2 without magic": spoil(func(b []byte) { le.PutUint32(b, 540) }),
	} {
		_, err := nifti.Read(bytes.NewReader(b))
		e, ok := errors.AsType[*nifti.FormatError](err)
		if !ok || e.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	packed := pack(t, good)
	for _, n := range []int{0, 1, 3, 200, 351, 352, 400, len(good) - 1} {
		if _, err := nifti.Read(bytes.NewReader(good[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("stopping after %d bytes: %v", n, err)
		}
		if n < len(packed) {
			if _, err := nifti.Read(bytes.NewReader(packed[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("compressed, stopping after %d bytes: %v", n, err)
			}
		}
	}
}

// A header may claim a gigabyte; memory must follow the bytes that arrive.
func TestClaimedSizeCostsNothing(t *testing.T) {
	var buf bytes.Buffer
	if err := nifti.Encode(&buf, volume(turned(0, false))); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()
	for a, n := range []uint16{1024, 1024, 800} {
		binary.LittleEndian.PutUint16(b[42+2*a:], n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := nifti.Read(bytes.NewReader(b)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes allocated for a file of %d", n, len(b))
	}
}

func FuzzRead(f *testing.F) {
	var buf bytes.Buffer
	if err := nifti.Encode(&buf, volume(turned(0.4, false))); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add(swap(buf.Bytes()))
	f.Add(second(buf.Bytes()))
	f.Add(buf.Bytes()[:352])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := nifti.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		v, err := m.Volume()
		if err != nil {
			return
		}
		if err := v.Validate(); err != nil {
			return // a scale so small that a step of the samples vanishes
		}
		var out bytes.Buffer
		if err := nifti.Encode(&out, v); err != nil {
			return
		}
		again, err := nifti.Read(&out)
		if err != nil {
			// float32 of the affine or the scale may round to zero or infinity
			if _, ok := errors.AsType[*nifti.FormatError](err); ok {
				return
			}
			t.Fatalf("what was written cannot be read: %v", err)
		}
		w, err := again.Volume()
		if err != nil || !slices.Equal(w.Data, v.Data) && spread(v) {
			t.Fatalf("samples changed in a round trip (%v)", err)
		}
	})
}

// spread reports whether v uses the range that Volume keeps as it is.
func spread(v *imaging.Volume) bool { return slices.Min(v.Data) < slices.Max(v.Data) }

func ExampleRead() {
	g := imaging.NewGrid([3]int{512, 512, 2}, r3.Vec{X: -190, Y: -190, Z: 40}, [3]float64{0.743, 0.743, 1.6})
	masks := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour)
	masks.Bits[g.Index(100, 200, 1)] = masks.Bit(imaging.LabelTumour)
	var file bytes.Buffer
	if err := nifti.EncodeSegments(&file, masks); err != nil {
		fmt.Println(err)
		return
	}
	m, err := nifti.Read(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := m.Segments(g, []imaging.Label{imaging.LabelLiver, imaging.LabelTumour})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Type, again.Count(imaging.LabelTumour), again.Count(imaging.LabelLiver))
	// Output: uint8 1 0
}
