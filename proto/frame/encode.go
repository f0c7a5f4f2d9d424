package frame

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/s2"
	"gonum.org/v1/gonum/spatial/r3"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode packs positions (LPS mm) and fields, each with one value per
// position. It refuses numbers that are not finite, naming the vertex. The
// same input gives the same planes on every machine; the compressed bytes may
// differ between versions of the compressor.
func Encode(f Format, pos []r3.Vec, fields [][]float32) (*Payload, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if err := checkCounts(len(pos), len(fields)); err != nil {
		return nil, err
	}
	p := &Payload{Ranges: make([]Range, len(fields))}
	b := make([]byte, 0, f.PlaneBytes(len(pos), len(fields)))
	lo, hi, err := box(pos)
	if err != nil {
		return nil, err
	}
	if f.Position == PositionUint16Box {
		p.OriginMM = [3]float64{lo.X, lo.Y, lo.Z}
		p.StepMM = max(hi.X-lo.X, hi.Y-lo.Y, hi.Z-lo.Z) / levels
	}
	for a := range 3 {
		for _, v := range pos {
			c := [3]float64{v.X, v.Y, v.Z}[a]
			if f.Position == PositionFloat32 {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(c)))
			} else {
				b = binary.LittleEndian.AppendUint16(b, quantise(c, p.OriginMM[a], p.StepMM))
			}
		}
	}
	for n, values := range fields {
		if len(values) != len(pos) {
			return nil, fmt.Errorf("frame: field %d has %d values for %d vertices", n, len(values), len(pos))
		}
		r, err := spread(n, values)
		if err != nil {
			return nil, err
		}
		if f.Field == FieldFloat32 {
			for _, v := range values {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		} else {
			r.Step = (r.Max - r.Min) / levels
			for _, v := range values {
				b = binary.LittleEndian.AppendUint16(b, quantise(float64(v), r.Min, r.Step))
			}
		}
		p.Ranges[n] = r
	}
	p.CRC32C = crc32.Checksum(b, castagnoli)
	p.Bytes = b
	if f.Compression == CompressionS2 {
		p.Bytes = s2.Encode(nil, b)
	}
	return p, nil
}

// quantise returns the level nearest to c. c lies within [origin, origin +
// levels·step], but the division may round up past the last level.
func quantise(c, origin, step float64) uint16 {
	if step == 0 {
		return 0
	}
	return uint16(min(math.Floor((c-origin)/step+0.5), levels))
}

func box(pos []r3.Vec) (lo, hi r3.Vec, err error) {
	for n, v := range pos {
		for _, c := range [3]float64{v.X, v.Y, v.Z} {
			if !(math.Abs(c) <= maxMM) {
				return lo, hi, fmt.Errorf("frame: vertex %d lies at %v mm, want within ±%g mm", n, v, float64(maxMM))
			}
		}
		if n == 0 {
			lo, hi = v, v
			continue
		}
		lo = r3.Vec{X: min(lo.X, v.X), Y: min(lo.Y, v.Y), Z: min(lo.Z, v.Z)}
		hi = r3.Vec{X: max(hi.X, v.X), Y: max(hi.Y, v.Y), Z: max(hi.Z, v.Z)}
	}
	return lo, hi, nil
}

func spread(field int, values []float32) (Range, error) {
	var r Range
	for n, v32 := range values {
		v := float64(v32)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return r, fmt.Errorf("frame: field %d is not finite at vertex %d", field, n)
		}
		if n == 0 {
			r.Min, r.Max = v, v
		}
		r.Min, r.Max = min(r.Min, v), max(r.Max, v)
	}
	return r, nil
}
