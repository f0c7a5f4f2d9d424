package nrrd

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
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// turned is a grid with three spacings, turned and mirrored.
func turned() imaging.Grid {
	c, s := math.Cos(0.4), math.Sin(0.4)
	return imaging.Grid{Size: [3]int{5, 4, 3}, Origin: r3.Vec{X: -12.25, Y: 30.5, Z: 1e-7},
		Axes: [3]r3.Vec{{X: 0.7 * c, Y: 0.7 * s}, {X: 0.9 * s, Y: -0.9 * c}, {Z: 2.5}}}
}

func randomVolume(g imaging.Grid, seed uint64) *imaging.Volume {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := imaging.NewVolume(g, imaging.KindHU)
	for n := range v.Data {
		v.Data[n] = int16(rng.IntN(1 << 16))
	}
	return v
}

func read(t testing.TB, b []byte) *Image {
	t.Helper()
	m, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestVolumesComeBack(t *testing.T) {
	for _, opt := range []Options{{}, {Raw: true}, {RAS: true}, {Raw: true, RAS: true}} {
		for _, scale := range [][2]float64{{1, 0}, {0.5, -1024}, {1. / 3, 0.1}} {
			v := randomVolume(turned(), 5)
			v.Slope, v.Intercept = scale[0], scale[1]
			var b, again bytes.Buffer
			if err := errors.Join(Encode(&b, v, opt), Encode(&again, v, opt)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), again.Bytes()) {
				t.Fatal("the same volume gives other bytes")
			}
			m := read(t, b.Bytes())
			if !m.Grid.Matches(v.Grid, 1e-12) || m.Layers != 1 {
				t.Fatalf("%+v: %v", opt, m.Grid)
			}
			got, err := m.Volume()
			if err != nil {
				t.Fatal(err)
			}
			lo, hi := math.Inf(1), math.Inf(-1)
			for n := range v.Data {
				lo, hi = min(lo, v.Value(n)), max(hi, v.Value(n))
			}
			for n := range v.Data {
				want := v.Value(n)
				if m.Sample(0, n) != want {
					t.Fatalf("%+v, slope %v: sample %d is %v, want %v", opt, v.Slope, n, m.Sample(0, n), want)
				}
				tol := 0.0
				if v.Slope != 1 {
					tol = (hi - lo) / math.MaxUint16 * 0.501
				}
				if math.Abs(got.Value(n)-want) > tol {
					t.Fatalf("%+v, slope %v: value %d is %v, want %v", opt, v.Slope, n, got.Value(n), want)
				}
			}
		}
	}
}

// file is a header with the given lines and samples.
func file(data []byte, lines ...string) []byte {
	return append([]byte("NRRD0005\n"+strings.Join(lines, "\n")+"\n\n"), data...)
}

// plain is a small file; edits replace or drop ("name") fields, or add them.
func plain(data []byte, edits ...string) []byte {
	lines := []string{"type: short", "dimension: 3", "space: left-posterior-superior", "sizes: 2 2 2",
		"space directions: (1,0,0) (0,2,0) (0,0,3)", "space origin: (10,20,30)", "endian: little", "encoding: raw"}
	for _, e := range edits {
		name, _, _ := strings.Cut(e, ":")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+":") })
		if strings.Contains(e, ":") {
			lines = append(lines, e)
		}
	}
	return file(data, lines...)
}

func int16s(n int, order binary.AppendByteOrder) []byte {
	var b []byte
	for i := range n {
		b = order.AppendUint16(b, uint16(int16(300*i-900)))
	}
	return b
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// TestFormsOfOneImage writes one image in many ways.
func TestFormsOfOneImage(t *testing.T) {
	le, be := int16s(8, binary.LittleEndian), int16s(8, binary.BigEndian)
	for name, b := range map[string][]byte{
		"plain":           plain(le),
		"big endian":      plain(be, "endian: big"),
		"gzip":            plain(zipped(le), "encoding: gzip"),
		"gz, skipped":     plain(zipped(append([]byte("abc"), le...)), "encoding: gz", "byte skip: 3"),
		"skipped":         plain(append([]byte("one\ntwo\n12345"), le...), "line skip: 2", "byteskip: 5"),
		"last bytes":      plain(append([]byte("whatever"), le...), "byte skip: -1"),
		"right anterior":  plain(le, "space: RAS", "space directions: (-1,0,0) (0,-2,0) (0,0,3)", "space origin: (-10,-20,30)"),
		"left anterior":   plain(le, "space: left-anterior-superior", "space directions: (1,0,0) (0,-2,0) (0,0,3)", "space origin: (10,-20,30)"),
		"metres":          plain(le, `space units: "m" "cm" "um"`, "space directions: (0.001,0,0) (0,0.2,0) (0,0,3000)", "space origin: (0.01,2,30000)"),
		"gaps in vectors": plain(le, "space directions:  ( 1, 0,0)(0 ,2,0)   (0,0,3) "),
		"other words":     plain(le, "type: signed short int", "Kinds: domain domain domain", "centers: cell cell cell", "spacings: nan nan nan", "# comment", "key: with:=colon"),
		"windows":         bytes.Replace(plain(le), []byte("\n"), []byte("\r\n"), -1),
		"layers":          plain(le, "dimension: 4", "sizes: 1 2 2 2", "space directions: none (1,0,0) (0,2,0) (0,0,3)", "kinds: list domain domain domain"),
		"layers last":     plain(le, "dimension: 4", "sizes: 2 2 2 1", "space directions: (1,0,0) (0,2,0) (0,0,3) (nan,nan,nan)"),
	} {
		if name == "other words" { // "key: with:=colon" is no field of the format
			if _, err := Read(bytes.NewReader(b)); err == nil {
				t.Error("an unknown field passes")
			}
			b = bytes.Replace(b, []byte("key: with:=colon\n"), []byte("key:=with: colon\n"), 1)
		}
		if name == "windows" {
			b = append(b[:len(b)-len(le)], le...)
		}
		m, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := imaging.NewGrid([3]int{2, 2, 2}, r3.Vec{X: 10, Y: 20, Z: 30}, [3]float64{1, 2, 3})
		if !m.Grid.Matches(want, 1e-9) {
			t.Errorf("%s: grid %v", name, m.Grid)
		}
		v, err := m.Volume()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for n := range 8 {
			if v.Data[n] != int16(300*n-900) {
				t.Errorf("%s: sample %d is %d", name, n, v.Data[n])
			}
		}
	}
}

func TestEveryTypeOfSample(t *testing.T) {
	for name, typ := range typeOf {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := make([]byte, 8*typ.size())
			want := make([]float64, 8)
			for n := range want {
				want[n] = float64(13 * n)
				switch at := data[n*typ.size():]; typ {
				case Int8, Uint8:
					at[0] = byte(13 * n)
				case Int16, Uint16:
					order.PutUint16(at, uint16(13*n))
				case Int32, Uint32:
					order.PutUint32(at, uint32(13*n))
				case Int64, Uint64:
					order.PutUint64(at, uint64(13*n))
				case Float32:
					order.PutUint32(at, math.Float32bits(float32(13*n)))
				case Float64:
					order.PutUint64(at, math.Float64bits(float64(13*n)))
				}
			}
			endian := "little"
			if order == binary.BigEndian {
				endian = "big"
			}
			m := read(t, plain(data, "type: "+name, "endian: "+endian))
			for n := range want {
				if m.Sample(0, n) != want[n] {
					t.Fatalf("%s, %s: sample %d is %v, want %v", name, endian, n, m.Sample(0, n), want[n])
				}
			}
		}
	}
}

func TestBadImagesAreRefused(t *testing.T) {
	le := int16s(8, binary.LittleEndian)
	for name, b := range map[string][]byte{
		"no magic":             []byte("nifti"),
		"a newer format":       bytes.Replace(plain(le), []byte("NRRD0005"), []byte("NRRD0006"), 1),
		"no type":              plain(le, "type"),
		"blocks":               plain(le, "type: block"),
		"no endian":            plain(le, "endian"),
		"ascii":                plain(le, "encoding: ascii"),
		"no space":             plain(le, "space"),
		"a space without left": plain(le, "space: scanner-xyz"),
		"a number of axes":     plain(le, "space", "space dimension: 3"),
		"no directions":        plain(le, "space directions"),
		"no origin":            plain(le, "space origin"),
		"two directions":       plain(le, "space directions: (1,0,0) (0,2,0)"),
		"a direction of two":   plain(le, "space directions: (1,0,0) (0,2) (0,0,3)"),
		"words":                plain(le, "space directions: (1,0,0) (0,x,0) (0,0,3)"),
		"infinity":             plain(le, "space directions: (1,0,0) (0,Inf,0) (0,0,3)"),
		"sheared":              plain(le, "space directions: (1,0,0) (1,2,0) (0,0,3)"),
		"flat":                 plain(le, "space directions: (1,0,0) (0,0,0) (0,0,3)"),
		"a list in the middle": plain(le, "dimension: 4", "sizes: 2 1 2 2", "space directions: (1,0,0) none (0,2,0) (0,0,3)"),
		"two dimensions":       plain(le, "dimension: 2", "sizes: 2 4", "space directions: (1,0,0) (0,2,0)"),
		"no voxels":            plain(le, "sizes: 2 0 2"),
		"minus one voxel":      plain(le, "sizes: 2 -1 2"),
		"a huge side":          plain(le, "sizes: 2 99999999 2"),
		"huge in all":          plain(le, "sizes: 30000 30000 30000"),
		"overflow":             plain(le, "sizes: 4294967297 2 2"),
		"unknown units":        plain(le, `space units: "mm" "mm" "ly"`),
		"a field twice":        bytes.Replace(plain(le), []byte("type: short\n"), []byte("type: short\ntype: short\n"), 1),
		"an unknown field":     plain(le, "patient: Jane Doe"),
		"no field at all":      bytes.Replace(plain(le), []byte("type: short\n"), []byte("type: short\nJane Doe\n"), 1),
		"a key twice":          bytes.Replace(plain(le), []byte("type: short\n"), []byte("type: short\nk:=Doe\nk:=v\n"), 1),
		"a detached file":      plain(le, "data file: other.raw"),
		"skip to before":       plain(le, "byte skip: -2"),
		"skip of zip's end":    plain(zipped(le), "encoding: gzip", "byte skip: -1"),
		"skip of everything":   plain(le, "line skip: 99999999999"),
		"no zip":               plain(le, "encoding: gzip"),
		"a broken zip":         plain(append(zipped(le)[:len(zipped(le))-8], 1, 2, 3, 4, 5, 6, 7, 8), "encoding: gzip"),
		"a bomb":               plain(zipped(make([]byte, 1<<20)), "encoding: gzip"),
		"far too much":         plain(make([]byte, 16+maxSkip+1), "byte skip: -1"),
	} {
		_, err := Read(bytes.NewReader(b))
		if _, ok := errors.AsType[*FormatError](err); !ok || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"samples":  plain(le)[:len(plain(le))-1],
		"header":   plain(le)[:40],
		"zip":      plain(zipped(le)[:15], "encoding: gzip"),
		"last":     plain(le[:3], "byte skip: -1"),
		"huge":     plain(le, "sizes: 1000 1000 1000"),
		"lines":    plain(nil, "line skip: 3"),
		"skipping": plain(nil, "byte skip: 3"),
	} {
		if _, err := Read(bytes.NewReader(b)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut in the %s: %v", name, err)
		}
	}
	long := append(bytes.TrimSuffix(plain(nil), []byte("\n")), []byte("k:="+strings.Repeat("x", MaxHeader)+"\n\n")...)
	if _, err := Read(bytes.NewReader(long)); err == nil || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("an endless header: %.80v", err)
	}
	bad := plain(binary.LittleEndian.AppendUint64(make([]byte, 56), math.Float64bits(math.NaN())), "type: double")
	if _, err := read(t, bad).Volume(); err == nil || !strings.Contains(err.Error(), "1,1,1") {
		t.Errorf("NaN: %v", err)
	}
	two := read(t, plain(make([]byte, 32), "dimension: 4", "sizes: 2 2 2 2", "space directions: none (1,0,0) (0,2,0) (0,0,3)"))
	if _, err := two.Volume(); err == nil {
		t.Error("two layers become a volume")
	}
}

// TestDetachedDataStaysInItsFolder reads header and data apart, and nothing
// outside the folder of the header.
func TestDetachedDataStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	le := int16s(8, binary.LittleEndian)
	put("home/image.raw", le)
	put("home/image.raw.gz", zipped(le))
	put("secret.raw", le)
	if err := os.Symlink("../secret.raw", filepath.Join(home, "link.raw")); err != nil {
		t.Fatal(err)
	}
	head := func(name string, edits ...string) string {
		b := bytes.TrimSuffix(plain(nil, append(edits, "data file: "+name)...), []byte("\n"))
		put("home/image.nhdr", b)
		return filepath.Join(home, "image.nhdr")
	}
	for _, h := range []func() string{
		func() string { return head("image.raw") },
		func() string { return head("image.raw.gz", "encoding: gzip") },
	} {
		m, err := ReadFile(h())
		if err != nil {
			t.Fatal(err)
		}
		if m.Sample(0, 7) != 1200 {
			t.Errorf("last sample %v", m.Sample(0, 7))
		}
	}
	for _, name := range []string{"../secret.raw", filepath.Join(dir, "secret.raw"), "link.raw", "..", ".", "LIST", "i%03d.raw 1 2 1", "missing.raw", `..\secret.raw`, "image.nhdr/x"} {
		if _, err := ReadFile(head(name)); err == nil || strings.Contains(err.Error(), dir) {
			t.Errorf("data file %q: %v", name, err)
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "none.nrrd")); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), dir) {
		t.Errorf("a missing file: %v", err)
	}
}

// overlapping is a segmentation of five structures of which some overlap.
func overlapping(g imaging.Grid) *imaging.Segments {
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelSpleen, imaging.LabelTumour, imaging.LabelKidneyLeft, imaging.LabelResected)
	rng := rand.New(rand.NewPCG(2, 9))
	for n := range s.Bits {
		switch rng.IntN(6) {
		case 0:
			s.Bits[n] = 1 | 4 // a tumour in the liver
		case 1:
			s.Bits[n] = 1
		case 2:
			s.Bits[n] = 2
		case 3:
			s.Bits[n] = 8
		case 4:
			s.Bits[n] = 1 | 4 | 16 // resected with both
		}
	}
	return s
}

func TestSegmentsComeBack(t *testing.T) {
	for _, opt := range []Options{{}, {Raw: true, RAS: true}} {
		for name, s := range map[string]*imaging.Segments{"overlapping": overlapping(turned()), "apart": apart(turned())} {
			var b bytes.Buffer
			if err := EncodeSegments(&b, s, opt); err != nil {
				t.Fatal(err)
			}
			m := read(t, b.Bytes())
			if want := map[string]int{"overlapping": 3, "apart": 1}[name]; m.Layers != want || !m.HasSegments() {
				t.Errorf("%s: %d layers, want %d", name, m.Layers, want)
			}
			back, err := m.Segmentation()
			if err != nil {
				t.Fatal(err)
			}
			if len(back.Segments) != len(s.Of) || !back.Grid.Matches(s.Grid, 1e-12) || len(back.Notes) != 0 {
				t.Fatalf("%s: %d segments on %v", name, len(back.Segments), back.Grid)
			}
			for n, l := range s.Of {
				seg := back.Segments[n]
				got, ok := seg.Structure()
				if !ok || got != l || seg.Name != l.String() || seg.Colour != l.Colour() || !seg.HasColour {
					t.Errorf("%s: %v came back as %v: %+v", name, l, got, seg)
				}
				category, typ, modifiers := l.Property()
				if seg.Category != category || seg.Type != typ || !reflect.DeepEqual(seg.TypeModifiers, modifiers) {
					t.Errorf("%v: %+v", l, seg)
				}
				for v, in := range back.Mask(n) {
					if in != (s.Bits[v]>>n&1 != 0) {
						t.Fatalf("%s: %v differs at voxel %d", name, l, v)
					}
				}
			}
		}
	}
}

func apart(g imaging.Grid) *imaging.Segments {
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelKidneyRight)
	for n := range s.Bits {
		s.Bits[n] = uint32(n % 3)
	}
	return s
}

// TestSegmentationsOfSlicer reads headers as the versions of 3D Slicer write
// them.
func TestSegmentationsOfSlicer(t *testing.T) {
	data := []byte{0, 1, 2, 1, 0, 2, 0, 1, 0, 0, 3, 3, 0, 0, 0, 0}
	four := []string{"type: unsigned char", "endian", "dimension: 4", "sizes: 2 2 2 2", "space directions: none (1,0,0) (0,2,0) (0,0,3)", "kinds: list domain domain domain"}
	tissue := "TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~Anatomic codes - DICOM master list~^^~^^|"
	kidney := "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^7771000^Left~Anatomic codes - DICOM master list~^^~^^|"
	now := read(t, plain(data, append(slices.Clone(four),
		"Segment0_Color:=0.5 0.25 1", "Segment0_ID:=Segment_1", "Segment0_LabelValue:=1", "Segment0_Layer:=0", "Segment0_Name:=Liver", "Segment0_Tags:="+tissue,
		"Segment1_ID:=Segment_2", "Segment1_LabelValue:=2", "Segment1_Layer:=0", "Segment1_Name:=links", "Segment1_Tags:="+kidney,
		"Segment2_ID:=spleen", "Segment2_LabelValue:=1", "Segment2_Layer:=1", "Segment2_Name:=my findings", `Segment2_Tags:=`+tissue,
		"Segment3_ID:=s", "Segment3_LabelValue:=3", "Segment3_Layer:=1", "Segment3_Name:=Pancreas: head", `Segment3_Tags:=TerminologyEntry:x~SCT^123037004^A~SCT^15776009^Pancreas~^^~c~SCT^64163001^Head~^^|`,
		"Segmentation_MasterRepresentation:=Binary labelmap", "Segmentation_ReferenceImageExtentOffset:=35 86 -1")...))
	s, err := now.Segmentation()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []struct {
		l      imaging.Label
		known  bool
		voxels []int
	}{
		{imaging.LabelLiver, true, nil}, {imaging.LabelKidneyLeft, true, []int{1}}, {0, false, []int{0, 1, 3}}, {0, false, []int{5}},
	} {
		l, ok := s.Segments[n].Structure()
		if l != want.l || ok != want.known {
			t.Errorf("segment %d is %v", n, l)
		}
		var at []int
		for v, in := range s.Mask(n) {
			if in {
				at = append(at, v)
			}
		}
		if !slices.Equal(at, want.voxels) {
			t.Errorf("segment %d covers %v, want %v", n, at, want.voxels)
		}
	}
	if c := s.Segments[0]; c.Colour != [3]uint8{128, 64, 255} || s.Segments[3].Region.Value != "64163001" || s.Segments[3].Name != "Pancreas: head" {
		t.Errorf("%+v %+v", c, s.Segments[3])
	}
	old, err := read(t, plain([]byte{1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, append(four, "Segment0_Name:=liver", "Segment1_Name:=heart", "Segment0_ID:=a", "Segment1_ID:=b")...)).Segmentation()
	if err != nil {
		t.Fatal(err)
	}
	if m0, m1 := old.Mask(0), old.Mask(1); !m0[0] || m0[1] || !m0[2] || m1[0] || !m1[1] || !m1[2] {
		t.Errorf("an old file: %v %v", m0, m1)
	}
	empty, err := read(t, plain([]byte{1}, "type: uint8", "sizes: 1 1 1", "Segment0_Name:=liver", "Segment0_LabelValue:=1")).Segmentation()
	if err != nil || empty.Mask(0)[0] || len(empty.Notes) != 1 {
		t.Errorf("an empty one: %v", err)
	}
	for name, keys := range map[string][]string{
		"no segment":      {"other:=x"},
		"fractions":       {"Segment0_Name:=x", "Segmentation_MasterRepresentation:=Fractional labelmap"},
		"no number":       {"Segment0_Name:=Doe", "Segment0_LabelValue:=Doe"},
		"background":      {"Segment0_Name:=Doe", "Segment0_LabelValue:=0"},
		"a missing layer": {"Segment0_Name:=Doe", "Segment0_Layer:=1"},
	} {
		_, err := read(t, plain(int16s(8, binary.LittleEndian), keys...)).Segmentation()
		if _, ok := errors.AsType[*FormatError](err); !ok || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWritersRefuse(t *testing.T) {
	g := turned()
	one := imaging.NewGrid([3]int{1, 1, 1}, r3.Vec{}, [3]float64{1, 1, 1})
	for name, err := range map[string]error{
		"no structure":   EncodeSegments(io.Discard, imaging.NewSegments(g), Options{}),
		"a single voxel": EncodeSegments(io.Discard, imaging.NewSegments(one, imaging.LabelLiver), Options{}),
		"no voxels":      EncodeSegments(io.Discard, &imaging.Segments{Grid: g, Of: []imaging.Label{1}}, Options{}),
		"no samples":     Encode(io.Discard, &imaging.Volume{Grid: g, Slope: 1}, Options{}),
		"a broken disk":  Encode(broken{}, randomVolume(g, 1), Options{}),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrPermission }

// TestSeparatorsInNamesDoNotBreakKeys: names may hold anything.
func TestSeparatorsInNamesDoNotBreakKeys(t *testing.T) {
	s := apart(turned())
	odd := Segment{Name: "a:=b: c\\n\nnext~^|", Type: imaging.Code{Value: "1^2", Scheme: "S~C", Meaning: "m|n\nSegment1_Layer:=7"}}
	var b bytes.Buffer
	if err := EncodeSegments(&b, s, Options{Describe: map[imaging.Label]Segment{imaging.LabelLiver: odd}}); err != nil {
		t.Fatal(err)
	}
	back, err := read(t, b.Bytes()).Segmentation()
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Segments[0]; got.Name != odd.Name || got.Type.Value != "1 2" || back.Segments[1].Layer != 0 {
		t.Errorf("%+v", got)
	}
}

func FuzzRead(f *testing.F) {
	le := int16s(8, binary.LittleEndian)
	f.Add(plain(le))
	f.Add(plain(zipped(le), "encoding: gzip", `space units: "cm" "cm" "cm"`))
	for _, opt := range []Options{{}, {Raw: true, RAS: true}} {
		var b bytes.Buffer
		if err := EncodeSegments(&b, overlapping(turned()), opt); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if err := m.Grid.Validate(); err != nil {
			t.Fatal(err)
		}
		if m.Grid.Len() > 1<<16 {
			return
		}
		if v, err := m.Volume(); err == nil {
			if err := v.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		s, err := m.Segmentation()
		if err != nil {
			return
		}
		for n := range s.Segments[:min(len(s.Segments), 8)] {
			if len(s.Mask(n)) != m.Grid.Len() {
				t.Fatal("a mask of another length")
			}
			s.Segments[n].Structure()
		}
	})
}

func Example() {
	g := imaging.NewGrid([3]int{4, 4, 2}, r3.Vec{}, [3]float64{1, 1, 2})
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour)
	for n := range 12 {
		s.Bits[n] = 1
	}
	s.Bits[5] = 3 // a tumour inside: it needs a layer of its own
	var b bytes.Buffer
	if err := EncodeSegments(&b, s, Options{}); err != nil {
		fmt.Println(err)
		return
	}
	m, err := Read(&b)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := m.Segmentation()
	if err != nil {
		fmt.Println(err)
		return
	}
	for n, seg := range back.Segments {
		count := 0
		for _, in := range back.Mask(n) {
			if in {
				count++
			}
		}
		fmt.Printf("%s (%s) in layer %d: %d voxels, %g mm³\n", seg.Name, seg.Type.Value, seg.Layer, count, float64(count)*back.Grid.VoxelMM3())
	}
	// Output:
	// liver (10200004) in layer 0: 12 voxels, 24 mm³
	// tumour_1 (108369006) in layer 1: 1 voxels, 2 mm³
}
