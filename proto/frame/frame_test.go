package frame

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/klauspost/compress/s2"
	"gonum.org/v1/gonum/spatial/r3"
)

var formats = []Format{
	{PositionFloat32, FieldFloat32, CompressionNone},
	{PositionFloat32, FieldUint16, CompressionS2},
	{PositionUint16Box, FieldFloat32, CompressionS2},
	{PositionUint16Box, FieldUint16, CompressionNone},
	{PositionUint16Box, FieldUint16, CompressionS2},
}

// random makes n vertices in a box of the given size with two fields.
func random(seed uint64, n int, sizeMM float64) ([]r3.Vec, [][]float32) {
	rng := rand.New(rand.NewPCG(seed, 1))
	pos := make([]r3.Vec, n)
	fields := [][]float32{make([]float32, n), make([]float32, n)}
	for i := range pos {
		pos[i] = r3.Vec{X: -100 + sizeMM*rng.Float64(), Y: 40 + sizeMM*0.7*rng.Float64(), Z: -900 + sizeMM*0.1*rng.Float64()}
		fields[0][i] = float32(30 * rng.ExpFloat64())
		fields[1][i] = float32(rng.NormFloat64() * 1e-6)
	}
	return pos, fields
}

func room(n, fields int) ([]r3.Vec, [][]float32) {
	f := make([][]float32, fields)
	for i := range f {
		f[i] = make([]float32, n)
	}
	return make([]r3.Vec, n), f
}

// Quantised numbers are off by at most half a step and one rounding; binary32
// ones by half an ulp, and fields not at all.
func TestErrorBound(t *testing.T) {
	for _, size := range []float64{1e-6, 1, 250, 5e5} {
		pos, fields := random(uint64(size), 4000, size)
		for _, f := range formats {
			p, err := Encode(f, pos, fields)
			if err != nil {
				t.Fatal(err)
			}
			got, gotFields := room(len(pos), len(fields))
			if err := Decode(f, p, got, gotFields); err != nil {
				t.Fatal(err)
			}
			for n := range pos {
				for a, d := range [3]float64{got[n].X - pos[n].X, got[n].Y - pos[n].Y, got[n].Z - pos[n].Z} {
					c := [3]float64{pos[n].X, pos[n].Y, pos[n].Z}[a]
					bound := math.Abs(c) * 0x1p-24 // half an ulp of binary32
					if f.Position == PositionUint16Box {
						// origin + step·q, floor(x+½) and the division round
						// at the size of the coordinate.
						bound = p.StepMM/2*(1+1e-10) + 4*math.Abs(c)*0x1p-52
					}
					if math.Abs(d) > bound {
						t.Fatalf("%v, %g mm: vertex %d off by %g mm, bound %g", f, size, n, d, bound)
					}
				}
				for k := range fields {
					d, bound := math.Abs(float64(gotFields[k][n])-float64(fields[k][n])), 0.0
					if f.Field == FieldUint16 {
						r := p.Ranges[k]
						bound = r.Step/2*(1+1e-10) + max(math.Abs(r.Min), math.Abs(r.Max))*0x1p-24
					}
					if d > bound {
						t.Fatalf("%v: field %d vertex %d off by %g, bound %g", f, k, n, d, bound)
					}
				}
			}
		}
	}
}

// Packing what was unpacked changes nothing: levels are fixed points.
func TestIdempotent(t *testing.T) {
	pos, fields := random(7, 500, 200)
	f := Format{PositionUint16Box, FieldUint16, CompressionNone}
	p, err := Encode(f, pos, fields)
	if err != nil {
		t.Fatal(err)
	}
	got, gotFields := room(len(pos), len(fields))
	if err := Decode(f, p, got, gotFields); err != nil {
		t.Fatal(err)
	}
	q, err := Encode(f, got, gotFields)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Bytes[:6*len(pos)], q.Bytes[:6*len(pos)]) {
		t.Error("positions moved by a second packing")
	}
}

func TestDegenerate(t *testing.T) {
	for _, f := range formats {
		for _, pos := range [][]r3.Vec{{}, {{X: 1, Y: -2, Z: 3}}, {{X: 1, Y: -2, Z: 3}, {X: 1, Y: -2, Z: 3}}} {
			fields := [][]float32{make([]float32, len(pos))}
			for n := range pos {
				fields[0][n] = 4.5
			}
			p, err := Encode(f, pos, fields)
			if err != nil {
				t.Fatal(err)
			}
			got, gotFields := room(len(pos), 1)
			if err := Decode(f, p, got, gotFields); err != nil {
				t.Fatal(err)
			}
			for n := range pos {
				if got[n] != pos[n] || gotFields[0][n] != 4.5 {
					t.Errorf("%v: %v %v, want exactly %v 4.5", f, got[n], gotFields[0][n], pos[n])
				}
			}
		}
	}
	extreme := [][]float32{{-math.MaxFloat32, math.MaxFloat32}}
	f := Format{PositionUint16Box, FieldUint16, CompressionNone}
	p, err := Encode(f, make([]r3.Vec, 2), extreme)
	if err != nil {
		t.Fatal(err)
	}
	got, gotFields := room(2, 1)
	if err := Decode(f, p, got, gotFields); err != nil || gotFields[0][0] != -math.MaxFloat32 || gotFields[0][1] != math.MaxFloat32 {
		t.Errorf("extreme field came back as %v, %v", gotFields[0], err)
	}
}

func TestRefusesInput(t *testing.T) {
	nan := float32(math.NaN())
	ok := Format{PositionUint16Box, FieldUint16, CompressionNone}
	for name, c := range map[string]struct {
		f      Format
		pos    []r3.Vec
		fields [][]float32
	}{
		"format":   {Format{}, nil, nil},
		"position": {ok, []r3.Vec{{}, {Y: math.NaN()}}, nil},
		"far":      {ok, []r3.Vec{{X: 2e6}}, nil},
		"field":    {ok, []r3.Vec{{}}, [][]float32{{nan}}},
		"length":   {ok, []r3.Vec{{}}, [][]float32{{1, 2}}},
		"fields":   {ok, nil, make([][]float32, MaxFields+1)},
	} {
		if _, err := Encode(c.f, c.pos, c.fields); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Every flipped bit and every cut is found.
func TestDamageIsFound(t *testing.T) {
	pos, fields := random(3, 16, 100)
	for _, f := range formats {
		p, err := Encode(f, pos, fields)
		if err != nil {
			t.Fatal(err)
		}
		got, gotFields := room(len(pos), len(fields))
		for n := range p.Bytes {
			q := *p
			q.Bytes = bytes.Clone(p.Bytes)
			q.Bytes[n] ^= 1 << (n % 8)
			// A flip in an S2 block may give another spelling of the same bytes.
			if err := Decode(f, &q, got, gotFields); !errors.Is(err, ErrCorrupt) && f.Compression == CompressionNone {
				t.Fatalf("%v: flip in byte %d: %v", f, n, err)
			}
			q.Bytes = p.Bytes[:n]
			if err := Decode(f, &q, got, gotFields); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v: cut at byte %d: %v", f, n, err)
			}
		}
		q := *p
		q.Ranges = nil
		if err := Decode(f, &q, got, gotFields); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%v: missing ranges: %v", f, err)
		}
	}
	q := Payload{Bytes: s2.Encode(nil, make([]byte, 1<<20))} // small block, large claim
	if err := Decode(Format{PositionFloat32, FieldFloat32, CompressionS2}, &q, nil, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("bomb: %v", err)
	}
	big := Payload{OriginMM: [3]float64{0, math.Inf(1), 0}}
	if err := Decode(Format{PositionUint16Box, FieldFloat32, CompressionNone}, &big, nil, nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("infinite box: %v", err)
	}
}

// vector is one entry of testdata/vectors.json.
type vector struct {
	Name        string       `json:"name"`
	Position    string       `json:"position"`
	Field       string       `json:"field"`
	Compression string       `json:"compression"`
	OriginMM    [3]float64   `json:"bbox_origin_mm"`
	StepMM      float64      `json:"bbox_step_mm"`
	Ranges      []Range      `json:"fields"`
	CRC32C      uint32       `json:"crc32c"`
	PayloadHex  string       `json:"payload_hex"`
	WantPos     [][3]float64 `json:"want_pos_mm"`
	WantFields  [][]float32  `json:"want_fields"`
}

func (v vector) format() Format {
	return Format{
		map[string]Position{"FLOAT32": PositionFloat32, "UINT16_BBOX": PositionUint16Box}[v.Position],
		map[string]Field{"FLOAT32": FieldFloat32, "UINT16": FieldUint16}[v.Field],
		map[string]Compression{"NONE": CompressionNone, "S2": CompressionS2}[v.Compression],
	}
}

func vectors(t testing.TB) []vector {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v []vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The vectors come from another implementation (see testdata/SOURCES.md).
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		payload, err := hex.DecodeString(v.PayloadHex)
		if err != nil {
			t.Fatal(v.Name, err)
		}
		p := &Payload{v.OriginMM, v.StepMM, v.Ranges, v.CRC32C, payload}
		got, gotFields := room(len(v.WantPos), len(v.WantFields))
		if err := Decode(v.format(), p, got, gotFields); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		pos := make([]r3.Vec, len(v.WantPos))
		for n, w := range v.WantPos {
			pos[n] = r3.Vec{X: w[0], Y: w[1], Z: w[2]}
			if d := r3.Norm(r3.Sub(got[n], pos[n])); d > 1e-12 { // rounding of step·q
				t.Errorf("%s: vertex %d is %v, want %v", v.Name, n, got[n], w)
			}
			for k := range v.WantFields {
				if gotFields[k][n] != v.WantFields[k][n] {
					t.Errorf("%s: field %d vertex %d is %v, want %v", v.Name, k, n, gotFields[k][n], v.WantFields[k][n])
				}
			}
		}
		if v.Compression != "NONE" {
			continue // other compressors may write other blocks
		}
		again, err := Encode(v.format(), pos, v.WantFields)
		if err != nil || !bytes.Equal(again.Bytes, payload) || again.CRC32C != v.CRC32C {
			t.Errorf("%s: encodes to %x, %v", v.Name, again.Bytes, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		b, err := hex.DecodeString(v.PayloadHex)
		if err != nil {
			f.Fatal(err)
		}
		fm := v.format()
		f.Add(byte(fm.Position), byte(fm.Field), byte(fm.Compression), uint16(len(v.WantPos)), uint8(len(v.WantFields)), v.OriginMM[0], v.StepMM, v.CRC32C, b)
	}
	f.Fuzz(func(t *testing.T, position, field, comp byte, n uint16, k uint8, origin, step float64, crc uint32, b []byte) {
		fm := Format{Position(position), Field(field), Compression(comp)}
		pos, fields := room(int(n), int(k%8))
		p := &Payload{OriginMM: [3]float64{origin, origin, origin}, StepMM: step, CRC32C: crc, Bytes: b}
		for range fields {
			p.Ranges = append(p.Ranges, Range{origin, origin + step, step})
		}
		if Decode(fm, p, pos, fields) != nil {
			return
		}
		for i, v := range pos {
			if s := v.X + v.Y + v.Z; math.IsNaN(s) || math.IsInf(s, 0) {
				t.Fatalf("vertex %d came out as %v", i, v)
			}
		}
		for _, values := range fields {
			for i, v := range values {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("value %d came out as %v", i, v)
				}
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	pos, fields := random(1, 50_000, 250)
	for _, f := range formats {
		b.Run([]string{"", "f32", "u16"}[f.Position]+[]string{"", "f32", "u16"}[f.Field]+[]string{"", "none", "s2"}[f.Compression], func(b *testing.B) {
			var size int
			for b.Loop() {
				p, err := Encode(f, pos, fields)
				if err != nil {
					b.Fatal(err)
				}
				size = len(p.Bytes)
			}
			b.ReportMetric(float64(size)/float64(len(pos)), "B/vertex")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pos)), "ns/vertex")
		})
	}
}
