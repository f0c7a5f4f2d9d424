package meshio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"github.com/hschendel/stl"
	"gonum.org/v1/gonum/spatial/r3"
)

// sheet is a bent sheet of 2·n·m faces, or with close a torus.
func sheet(n, m int, close bool) *mesh.Surface {
	s := &mesh.Surface{}
	for i := range n {
		for j := range m {
			u, v := 2*math.Pi*float64(i)/float64(n), 2*math.Pi*float64(j)/float64(m)
			r := 60 + 20*math.Cos(v)
			s.Verts = append(s.Verts, r3.Vec{X: r * math.Cos(u), Y: r * math.Sin(u), Z: 20*math.Sin(v) + 300})
			if !close && (i+1 == n || j+1 == m) {
				continue
			}
			a, b, c, d := int32(i*m+j), int32((i+1)%n*m+j), int32((i+1)%n*m+(j+1)%m), int32(i*m+(j+1)%m)
			s.Tris = append(s.Tris, [3]int32{a, b, c}, [3]int32{a, c, d})
			s.Region = append(s.Region, mesh.Sides{Inside: imaging.LabelLiver}, mesh.Sides{Inside: imaging.LabelLiver})
		}
	}
	return s
}

func TestSTLBinary(t *testing.T) {
	s := octahedron(r3.Vec{X: -12.25, Y: 3.5, Z: 700})
	var b bytes.Buffer
	if err := WriteSTL(&b, s); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	if len(data) != 84+50*8 || !bytes.Contains(data[:80], []byte("SPACE=LPS UNIT=mm")) {
		t.Fatalf("%d bytes, header %q", len(data), data[:80])
	}
	f := readSurfaceBytes(t, "a.stl", data, ReadOptions{Label: imaging.LabelTumour})
	if f.Surface.Region[0] != (mesh.Sides{Inside: imaging.LabelTumour}) {
		t.Fatalf("%+v", f)
	}
	// the stored normal is the unit outward one
	var n [3]float64
	for a := range n {
		n[a] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[84+4*a:])))
	}
	if math.Abs(n[0]-1/math.Sqrt(3)) > 1e-6 || math.Abs(n[1]-n[0]) > 1e-6 || math.Abs(n[2]-n[0]) > 1e-6 {
		t.Fatalf("normal %v", n)
	}
}

// The library and our codec read each other's files to the last bit.
func TestSTLAgainstLibrary(t *testing.T) {
	s := sheet(40, 30, true)
	for _, text := range []bool{false, true} {
		data := surfaceBytes(t, "a.stl", s, WriteOptions{Text: text})
		solid, err := stl.ReadAll(bytes.NewReader(data))
		if err != nil || len(solid.Triangles) != len(s.Tris) || solid.IsAscii != text {
			t.Fatal(err)
		}
		for n, v := range s.Tris {
			for i, p := range v {
				q := s.Verts[p]
				if solid.Triangles[n].Vertices[i] != (stl.Vec3{float32(q.X), float32(q.Y), float32(q.Z)}) {
					t.Fatalf("text %v, face %d: %v", text, n, solid.Triangles[n])
				}
			}
		}
		var b bytes.Buffer
		if err := solid.WriteAll(&b); err != nil {
			t.Fatal(err)
		}
		got := readSurfaceBytes(t, "a.stl", b.Bytes(), ReadOptions{}).Surface
		if len(got.Verts) != len(s.Verts) || !slices.Equal(got.Tris, readSurfaceBytes(t, "a.stl", data, ReadOptions{}).Surface.Tris) || !got.Defects().Sound() {
			t.Fatalf("text %v: %v", text, got.Defects())
		}
	}
}

// Corners are joined exactly as a map would join them, wherever they stand in
// the file and whatever the tables hold.
func TestSTLJoinsExactly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, s := range map[string]*mesh.Surface{
		"in order": sheet(200, 150, true), "open": sheet(50, 40, false), "shuffled": sheet(200, 150, true), "few places": sheet(3, 3, true), "far apart": sheet(20000, 2, false),
	} {
		if name == "shuffled" {
			rng.Shuffle(len(s.Tris), func(i, j int) { s.Tris[i], s.Tris[j] = s.Tris[j], s.Tris[i] })
		}
		if name == "few places" {
			for len(s.Tris) < 30000 {
				s.Tris, s.Region = append(s.Tris, s.Tris...), append(s.Region, s.Region...)
			}
			s.Verts[1].X, s.Verts[2].X = 0, math.Copysign(0, -1)
		}
		got := readSurfaceBytes(t, "a.stl", surfaceBytes(t, "a.stl", s, WriteOptions{}), ReadOptions{}).Surface
		number := map[[3]float32]int32{}
		for n, v := range s.Tris {
			for i, p := range v {
				q := s.Verts[p]
				key := [3]float32{float32(q.X) + 0, float32(q.Y) + 0, float32(q.Z) + 0}
				k, ok := number[key]
				if !ok {
					k = int32(len(number))
					number[key] = k
				}
				if got.Tris[n][i] != k || got.Verts[k] != (r3.Vec{X: float64(key[0]), Y: float64(key[1]), Z: float64(key[2])}) {
					t.Fatalf("%s: corner %d of face %d is vertex %d, not %d", name, i, n, got.Tris[n][i], k)
				}
			}
		}
		if len(got.Verts) != len(number) {
			t.Fatalf("%s: %d vertices, not %d", name, len(got.Verts), len(number))
		}
	}
}

// −0 is 0, both near in the file and far apart.
func TestSTLNegativeZero(t *testing.T) {
	o := math.Copysign(0, -1)
	s := &mesh.Surface{Verts: []r3.Vec{{}, {X: 1}, {Y: 1}, {X: o, Z: o}, {X: 1, Y: o}, {X: o, Y: 1, Z: o}}, Tris: [][3]int32{{0, 1, 2}, {3, 4, 5}}}
	far := sheet(200, 100, true)
	for i, v := range far.Tris {
		for k := range v {
			far.Tris[i][k] += 6
		}
	}
	s.Verts = append(s.Verts, far.Verts...)
	s.Tris = append(append(s.Tris, far.Tris...), [3]int32{5, 3, 4}, [3]int32{0, 1, 2})
	s.Region = make([]mesh.Sides, len(s.Tris))
	got := readSurfaceBytes(t, "a.stl", surfaceBytes(t, "a.stl", s, WriteOptions{}), ReadOptions{}).Surface
	n := len(got.Tris)
	if len(got.Verts) != 3+len(far.Verts) || got.Tris[0] != got.Tris[1] || got.Tris[n-1] != got.Tris[0] || got.Tris[n-2] != [3]int32{2, 0, 1} {
		t.Fatalf("%d vertices, %v %v %v %v", len(got.Verts), got.Tris[0], got.Tris[1], got.Tris[n-2], got.Tris[n-1])
	}
}

// A stream without a known length is read block by block, and ends where the
// count says.
func TestSTLStream(t *testing.T) {
	s := sheet(60, 50, true)
	data := surfaceBytes(t, "a.stl", s, WriteOptions{})
	read := func(data []byte) error {
		_, err := ReadSurface(bg, io.MultiReader(bytes.NewReader(data)), "a.stl", ReadOptions{})
		return err
	}
	if err := read(data); err != nil {
		t.Fatal(err)
	}
	refuses(t, "cut", read(data[:len(data)-1]))
	refuses(t, "cut in the second block", read(data[:84+50*1400]))
	refuses(t, "trailing", read(append(bytes.Clone(data), 0)))
	broken := bytes.Clone(data)
	binary.LittleEndian.PutUint32(broken[84+50*2000+12+8:], 0x7f800000)
	if bad := refuses(t, "Inf", read(broken)); bad.Offset != 84+50*2000+12 || !strings.Contains(bad.What, "face 2000") {
		t.Errorf("%+v", bad)
	}
}

func TestSTLText(t *testing.T) {
	text := "solid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 -0\nvertex 0 1 0\nendloop\nendfacet\nendsolid one\n" +
		"SOLID\r\n  FACET NORMAL nan nan nan\r\n OUTER LOOP\r\n  VERTEX 1 0 0\r\n  VERTEX 1 1.0E+00 0\r\n VERTEX 0 1 0\r\n ENDLOOP\r\n ENDFACET\r\nENDSOLID"
	f := readSurfaceBytes(t, "a.stl", []byte(text), ReadOptions{})
	if s := f.Surface; len(s.Tris) != 2 || len(s.Verts) != 4 || s.AreaMM2(nil) != 1 {
		t.Fatalf("%+v", f)
	}
	for name, c := range map[string]struct {
		from, to string
		line     int
	}{
		"NaN":        {"vertex 1 0 -0", "vertex nan 0 0", 5},
		"Inf":        {"vertex 1 0 -0", "vertex 0 1e39 0", 5},
		"word":       {"endloop", "endlop", 7},
		"two":        {"vertex 1 0 -0", "vertex 1 0", 6},
		"four":       {"vertex 1 0 -0", "vertex 1 0 0 0", 5},
		"quadrangle": {"endloop\n", "vertex 3 3 3\nendloop\n", 7},
		"no solid":   {"SOLID\r\n", "\r\n", 11},
	} {
		_, err := ReadSurface(bg, strings.NewReader(strings.Replace(text, c.from, c.to, 1)), "a.stl", ReadOptions{})
		if bad := refuses(t, name, err); bad.Line != c.line {
			t.Errorf("%s: line %d, not %d", name, bad.Line, c.line)
		}
	}
}

func TestSTLRefuses(t *testing.T) {
	good := surfaceBytes(t, "a.stl", octahedron(r3.Vec{}), WriteOptions{})
	with := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for name, data := range map[string][]byte{
		"empty":     {},
		"short":     good[:50],
		"cut":       good[:len(good)-1],
		"trailing":  append(bytes.Clone(good), 0),
		"count":     with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[80:], math.MaxUint32); return b }),
		"no face":   with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[80:], 0); return b[:84] }),
		"NaN":       with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[84+12:], 0x7fc00000); return b }),
		"Inf":       with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[84+50+16:], 0xff800000); return b }),
		"text":      []byte("solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0"),
		"solid":     append([]byte("solid"), good[5:len(good)-1]...),
		"not solid": []byte(strings.Repeat("hello ", 40)),
		"flat":      with(func(b []byte) []byte { clear(b[84:]); return b }),
		"no facet":  []byte("solid a\nendsolid a\n"),
		"unit":      with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[84+12:], 0x7f7fffff); return b }),
	} {
		opt := ReadOptions{}
		if name == "unit" {
			opt.Unit = Metre // beyond float32 in mm
		}
		f, err := ReadSurface(bg, bytes.NewReader(data), "a.stl", opt)
		if refuses(t, name, err); f != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	// a binary header may begin with solid; faces with equal corners are counted
	data := with(func(b []byte) []byte { copy(b, "solid by another"); copy(b[84+12:84+24], b[84+24:84+36]); return b })
	if f := readSurfaceBytes(t, "a.stl", data, ReadOptions{}); f.Repeated != 1 || len(f.Surface.Tris) != 7 {
		t.Errorf("%+v", f)
	}
}

// measure runs f again and again and reports the least CPU time one call took:
// on a busy machine wall clock says little.
func measure(b *testing.B, f func() error) {
	best := math.Inf(1)
	for b.Loop() {
		from := cpuSeconds()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		best = min(best, cpuSeconds()-from)
	}
	b.ReportMetric(1000*best, "cpu-ms")
}

// cpuSeconds is the CPU time of the process so far.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return math.NaN()
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// A million faces, as the issue asks: write, read (corners joined), validate.
func BenchmarkSTLMillion(b *testing.B) {
	s := sheet(1000, 500, true)
	data := surfaceBytes(b, "a.stl", s, WriteOptions{})
	file := filepath.Join(b.TempDir(), "a.stl")
	b.Run("write", func(b *testing.B) { measure(b, func() error { return WriteSTL(io.Discard, s) }) })
	b.Run("write file", func(b *testing.B) {
		measure(b, func() error {
			f, err := os.Create(file)
			if err != nil {
				return err
			}
			defer f.Close()
			return WriteSTL(f, s)
		})
	})
	b.Run("read", func(b *testing.B) {
		measure(b, func() error {
			_, err := ReadSurface(bg, bytes.NewReader(data), "a.stl", ReadOptions{})
			return err
		})
	})
	b.Run("read file", func(b *testing.B) {
		save(b, file, data)
		measure(b, func() error {
			_, err := ReadSurfaceFile(bg, file, ReadOptions{})
			return err
		})
	})
	b.Run("validate", func(b *testing.B) {
		measure(b, func() error {
			if d := s.Defects(); !d.Sound() {
				return errors.New(d.String())
			}
			return nil
		})
	})
	solid, err := stl.ReadAll(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("library/write", func(b *testing.B) { measure(b, func() error { return solid.WriteAll(io.Discard) }) })
	b.Run("library/read", func(b *testing.B) {
		measure(b, func() error {
			_, err := stl.ReadAll(bytes.NewReader(data))
			return err
		})
	})
}

// The other formats at the size of a surgical mesh.
func BenchmarkFormats(b *testing.B) {
	s, m := sheet(400, 500, true), block()
	for len(m.Tets) < 300_000 {
		m.Tets, m.Region = append(m.Tets, m.Tets...), append(m.Region, m.Region...)
	}
	for _, form := range surfaceForms {
		data := surfaceBytes(b, form.file, s, form.opt)
		b.Run(form.name+"/write", func(b *testing.B) {
			measure(b, func() error { return WriteSurface(bg, io.Discard, form.file, s, form.opt) })
			b.ReportMetric(float64(len(data))/1e6, "MB")
		})
		b.Run(form.name+"/read", func(b *testing.B) {
			measure(b, func() error {
				_, err := ReadSurface(bg, bytes.NewReader(data), form.file, ReadOptions{})
				return err
			})
		})
	}
	for _, form := range tetForms {
		data := tetBytes(b, form.file, m, form.opt)
		b.Run(form.name+"/write", func(b *testing.B) {
			measure(b, func() error { return WriteTetMesh(bg, io.Discard, form.file, m, form.opt) })
			b.ReportMetric(float64(len(data))/1e6, "MB")
		})
		b.Run(form.name+"/read", func(b *testing.B) {
			measure(b, func() error {
				_, err := ReadTetMesh(bg, bytes.NewReader(data), form.file, ReadOptions{})
				return err
			})
		})
	}
}
