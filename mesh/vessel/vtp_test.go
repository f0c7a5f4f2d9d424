package vessel

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func newBytes(b []byte) io.Reader { return bytes.NewReader(b) }

// vtpArray decodes one inline compressed array of a VTK XML file: base64 of
// [blocks, block size, last size, sizes…] (uint32) and of the zlib blocks.
func vtpArray(t *testing.T, text, name string) []byte {
	at := strings.Index(text, `Name="`+name+`"`)
	if at < 0 {
		t.Fatalf("no array %s", name)
	}
	body := text[at:]
	body = body[strings.Index(body, ">")+1:]
	body = strings.TrimSpace(body[:strings.Index(body, "<")])
	decode := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	blocks := int(binary.LittleEndian.Uint32(decode(body[:8])))
	bytesIn := 4 * (3 + blocks)
	chars := (bytesIn + 2) / 3 * 4
	head := decode(body[:chars])
	data := decode(body[chars:])
	var out []byte
	for n := range blocks {
		size := int(binary.LittleEndian.Uint32(head[12+4*n:]))
		z, err := zlib.NewReader(bytes.NewReader(data[:size]))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		out, data = append(out, b...), data[size:]
	}
	return out
}

// vtpLine is the points (float32) and inscribed radii (float64) of a VMTK
// centreline.
func vtpLine(t *testing.T, path string) ([]r3.Vec, []float64) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	p, r := vtpArray(t, text, "Points"), vtpArray(t, text, "MaximumInscribedSphereRadius")
	var points []r3.Vec
	var radii []float64
	for n := 0; n+12 <= len(p); n += 12 {
		f := func(o int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(p[n+o:]))) }
		points = append(points, r3.Vec{X: f(0), Y: f(4), Z: f(8)})
	}
	for n := 0; n+8 <= len(r); n += 8 {
		radii = append(radii, math.Float64frombits(binary.LittleEndian.Uint64(r[n:])))
	}
	return points, radii
}
