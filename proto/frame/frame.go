package frame

import (
	"errors"
	"fmt"
	"math"
)

// Position says how coordinates are stored.
type Position uint8

// The position formats.
const (
	PositionFloat32   Position = iota + 1 // mm as binary32
	PositionUint16Box                     // OriginMM + StepMM·q
)

// Field says how values per vertex are stored.
type Field uint8

// The field formats.
const (
	FieldFloat32 Field = iota + 1
	FieldUint16        // Min + Step·q
)

// Compression of the whole payload.
type Compression uint8

// The compressions.
const (
	CompressionNone Compression = iota + 1
	CompressionS2               // one S2 block
)

// Format is everything a decoder must know besides the counts.
type Format struct {
	Position    Position
	Field       Field
	Compression Compression
}

// Range is the spread of a field in one frame, in the field's unit. Step is
// zero for FieldFloat32 and for a constant field.
type Range struct{ Min, Max, Step float64 }

// Payload is one packed frame.
type Payload struct {
	OriginMM [3]float64 // PositionUint16Box only
	StepMM   float64    // PositionUint16Box only
	Ranges   []Range    // one per field
	CRC32C   uint32     // of the planes before compression
	Bytes    []byte
}

// Bounds on what is packed and unpacked: 16 Mi vertices are some 500 times a
// detailed liver surface.
const (
	MaxVertices = 16 << 20
	MaxFields   = 64
)

// maxMM keeps the box arithmetic far from overflow; no patient is 1 km long.
const maxMM = 1e6

// levels is the largest quantised value.
const levels = math.MaxUint16

// ErrCorrupt is wrapped by every error that says a payload is damaged.
var ErrCorrupt = errors.New("frame: damaged payload")

// Validate reports an unknown format.
func (f Format) Validate() error {
	switch {
	case f.Position != PositionFloat32 && f.Position != PositionUint16Box:
		return fmt.Errorf("frame: unknown position format %d", f.Position)
	case f.Field != FieldFloat32 && f.Field != FieldUint16:
		return fmt.Errorf("frame: unknown field format %d", f.Field)
	case f.Compression != CompressionNone && f.Compression != CompressionS2:
		return fmt.Errorf("frame: unknown compression %d", f.Compression)
	}
	return nil
}

// PlaneBytes is the size of a payload before compression.
func (f Format) PlaneBytes(vertices, fields int) int {
	pos, val := 4, 4
	if f.Position == PositionUint16Box {
		pos = 2
	}
	if f.Field == FieldUint16 {
		val = 2
	}
	return vertices * (3*pos + fields*val)
}

func checkCounts(vertices, fields int) error {
	if vertices > MaxVertices {
		return fmt.Errorf("frame: %d vertices, at most %d", vertices, MaxVertices)
	}
	if fields > MaxFields {
		return fmt.Errorf("frame: %d fields, at most %d", fields, MaxFields)
	}
	return nil
}
