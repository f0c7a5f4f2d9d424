package frame

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/s2"
	"gonum.org/v1/gonum/spatial/r3"
)

// Decode unpacks p into pos and fields, whose lengths must be those of the
// encoded frame (from the stream's header). It allocates at most the planes of
// that many vertices, whatever p claims. Damage gives an error that wraps
// ErrCorrupt; pos and fields are then in part overwritten.
func Decode(f Format, p *Payload, pos []r3.Vec, fields [][]float32) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if err := checkCounts(len(pos), len(fields)); err != nil {
		return err
	}
	for n, values := range fields {
		if len(values) != len(pos) {
			return fmt.Errorf("frame: room for %d values of field %d and %d vertices", len(values), n, len(pos))
		}
	}
	if len(p.Ranges) != len(fields) {
		return fmt.Errorf("%w: %d field ranges, want %d", ErrCorrupt, len(p.Ranges), len(fields))
	}
	b, err := planes(f, p, f.PlaneBytes(len(pos), len(fields)))
	if err != nil {
		return err
	}
	if b, err = decodePositions(f.Position, p, b, pos); err != nil {
		return err
	}
	for n, values := range fields {
		if b, err = decodeField(f.Field, n, p.Ranges[n], b, values); err != nil {
			return err
		}
	}
	return nil
}

// planes decompresses and checks length and checksum.
func planes(f Format, p *Payload, want int) ([]byte, error) {
	b := p.Bytes
	if f.Compression == CompressionS2 {
		n, err := s2.DecodedLen(b)
		if err != nil || n != want {
			return nil, fmt.Errorf("%w: s2 block claims %d bytes, want %d", ErrCorrupt, n, want)
		}
		if b, err = s2.Decode(nil, b); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	if len(b) != want {
		return nil, fmt.Errorf("%w: %d bytes of planes, want %d", ErrCorrupt, len(b), want)
	}
	if c := crc32.Checksum(b, castagnoli); c != p.CRC32C {
		return nil, fmt.Errorf("%w: CRC-32C %08x, want %08x", ErrCorrupt, c, p.CRC32C)
	}
	return b, nil
}

func decodePositions(f Position, p *Payload, b []byte, pos []r3.Vec) ([]byte, error) {
	var c [3][]byte
	side := len(pos) * 4
	if f == PositionUint16Box {
		side = len(pos) * 2
		for _, o := range p.OriginMM {
			if !(math.Abs(o) <= maxMM) || !(p.StepMM >= 0 && p.StepMM*levels <= 2*maxMM) {
				return nil, fmt.Errorf("%w: box at %v mm with a step of %g mm", ErrCorrupt, p.OriginMM, p.StepMM)
			}
		}
	}
	for a := range c {
		c[a], b = b[:side], b[side:]
	}
	for n := range pos {
		var v [3]float64
		for a := range v {
			if f == PositionUint16Box {
				q := binary.LittleEndian.Uint16(c[a][2*n:])
				v[a] = p.OriginMM[a] + float64(p.StepMM*float64(q))
				continue
			}
			v[a] = float64(math.Float32frombits(binary.LittleEndian.Uint32(c[a][4*n:])))
			if !(math.Abs(v[a]) <= maxMM) {
				return nil, fmt.Errorf("%w: vertex %d lies at %g mm", ErrCorrupt, n, v[a])
			}
		}
		pos[n] = r3.Vec{X: v[0], Y: v[1], Z: v[2]}
	}
	return b, nil
}

func decodeField(f Field, field int, r Range, b []byte, values []float32) ([]byte, error) {
	if f == FieldFloat32 {
		for n := range values {
			v := math.Float32frombits(binary.LittleEndian.Uint32(b[4*n:]))
			if v64 := float64(v); math.IsNaN(v64) || math.IsInf(v64, 0) {
				return nil, fmt.Errorf("%w: field %d is not finite at vertex %d", ErrCorrupt, field, n)
			}
			values[n] = v
		}
		return b[4*len(values):], nil
	}
	if !(math.Abs(r.Min) <= math.MaxFloat32) || !(r.Step >= 0 && r.Step*levels <= 2*math.MaxFloat32) {
		return nil, fmt.Errorf("%w: field %d starts at %g with a step of %g", ErrCorrupt, field, r.Min, r.Step)
	}
	for n := range values {
		v := r.Min + float64(r.Step*float64(binary.LittleEndian.Uint16(b[2*n:])))
		// The last level may round past the largest float32.
		values[n] = float32(max(-math.MaxFloat32, min(v, math.MaxFloat32)))
	}
	return b[2*len(values):], nil
}
