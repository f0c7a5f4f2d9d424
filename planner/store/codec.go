package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// A sealed segment holds frames of one epoch with the same vertices and
// fields, without loss, little-endian:
//
//	"HSF1" | u32 vertices | u32 frames | u16 fields
//	fields × ( u8 length, id | u8 length, unit )
//	frames × ( u64 epoch | u64 seq | f64 sim time s
//	           vertices × 3 × f64 position mm
//	           fields × vertices × f32 value )
const segmentMagic = "HSF1"

const (
	maxSegmentVertices = 16 << 20
	maxSegmentFields   = 64
	frameHeader        = 3 * 8
)

func frameBytes(vertices, fields int) int64 {
	return frameHeader + int64(vertices)*int64(24+4*fields)
}

// sameShape reports whether two frames fit in one segment.
func sameShape(a, b *planner.DisplayFrame) bool {
	if len(a.Pos) != len(b.Pos) || len(a.Fields) != len(b.Fields) {
		return false
	}
	for n := range a.Fields {
		if a.Fields[n].ID != b.Fields[n].ID || a.Fields[n].Unit != b.Fields[n].Unit {
			return false
		}
	}
	return true
}

// encodeSegment writes frames that all have the same shape.
func encodeSegment(frames []planner.DisplayFrame) ([]byte, error) {
	f := &frames[0]
	if len(f.Pos) > maxSegmentVertices || len(f.Fields) > maxSegmentFields {
		return nil, fmt.Errorf("store: frame %d: %w: %d vertices and %d fields, at most %d and %d", f.Seq, ErrInvalid, len(f.Pos), len(f.Fields), maxSegmentVertices, maxSegmentFields)
	}
	le := binary.LittleEndian
	b := make([]byte, 0, 4096+int64(len(frames))*frameBytes(len(f.Pos), len(f.Fields)))
	b = append(b, segmentMagic...)
	b = le.AppendUint32(b, uint32(len(f.Pos)))
	b = le.AppendUint32(b, uint32(len(frames)))
	b = le.AppendUint16(b, uint16(len(f.Fields)))
	for _, fd := range f.Fields {
		for _, s := range []string{fd.ID, fd.Unit} {
			if len(s) > math.MaxUint8 {
				return nil, fmt.Errorf("store: frame %d: %w: field name or unit %.40q… is longer than %d bytes", f.Seq, ErrInvalid, s, math.MaxUint8)
			}
			b = append(append(b, byte(len(s))), s...)
		}
	}
	for n := range frames {
		f := &frames[n]
		b = le.AppendUint64(b, f.Epoch)
		b = le.AppendUint64(b, f.Seq)
		b = le.AppendUint64(b, math.Float64bits(f.SimTimeS))
		for _, p := range f.Pos {
			b = le.AppendUint64(b, math.Float64bits(p.X))
			b = le.AppendUint64(b, math.Float64bits(p.Y))
			b = le.AppendUint64(b, math.Float64bits(p.Z))
		}
		for _, fd := range f.Fields {
			for _, v := range fd.Values {
				b = le.AppendUint32(b, math.Float32bits(v))
			}
		}
	}
	return b, nil
}

// segment reads a sealed segment one frame at a time.
type segment struct {
	r        *bufio.Reader
	in       io.ReadSeeker
	vertices int
	frames   int
	fields   []planner.Field // without values
	start    int64           // offset of the first frame
	buf      []byte
}

// openSegment reads the header and checks that size fits it, so that nothing
// larger than the blob is ever allocated.
func openSegment(in io.ReadSeeker, size int64) (*segment, error) {
	s := &segment{r: bufio.NewReaderSize(in, 64<<10), in: in}
	var head [14]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil || string(head[:4]) != segmentMagic {
		return nil, errors.New("it is not a frame segment of version 1")
	}
	vertices, frames := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	fields := int(binary.LittleEndian.Uint16(head[12:]))
	if vertices > maxSegmentVertices || fields > maxSegmentFields {
		return nil, fmt.Errorf("its header claims %d vertices and %d fields", vertices, fields)
	}
	s.start = int64(len(head))
	for range fields {
		id, err1 := s.shortString()
		unit, err2 := s.shortString()
		if err := errors.Join(err1, err2); err != nil {
			return nil, errors.New("its header is cut off")
		}
		s.fields = append(s.fields, planner.Field{ID: id, Unit: unit})
	}
	s.vertices, s.frames = int(vertices), int(frames)
	per := frameBytes(s.vertices, fields) // below 2⁴⁰; frames below 2³²: no overflow by the division
	if size < s.start || (size-s.start)%per != 0 || (size-s.start)/per != int64(frames) {
		return nil, fmt.Errorf("its %d bytes do not fit %d frames of %d bytes", size, frames, per)
	}
	return s, nil
}

func (s *segment) shortString() (string, error) {
	n, err := s.r.ReadByte()
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(s.r, b)
	s.start += 1 + int64(n)
	return string(b), err
}

// skip moves to the n-th frame of the segment, from 0.
func (s *segment) skip(n int) error {
	_, err := s.in.Seek(s.start+int64(n)*frameBytes(s.vertices, len(s.fields)), io.SeekStart)
	s.r.Reset(s.in)
	return err
}

// next reads one frame into fresh memory.
func (s *segment) next() (*planner.DisplayFrame, error) {
	if s.buf == nil {
		s.buf = make([]byte, frameBytes(s.vertices, len(s.fields)))
	}
	if _, err := io.ReadFull(s.r, s.buf); err != nil {
		return nil, fmt.Errorf("a frame is cut off: %w", err)
	}
	le, b := binary.LittleEndian, s.buf
	f := &planner.DisplayFrame{
		Epoch: le.Uint64(b), Seq: le.Uint64(b[8:]), SimTimeS: math.Float64frombits(le.Uint64(b[16:])),
		Pos: make([]r3.Vec, s.vertices), Fields: make([]planner.Field, len(s.fields)),
	}
	b = b[frameHeader:]
	for n := range f.Pos {
		f.Pos[n] = r3.Vec{
			X: math.Float64frombits(le.Uint64(b)), Y: math.Float64frombits(le.Uint64(b[8:])), Z: math.Float64frombits(le.Uint64(b[16:])),
		}
		b = b[24:]
	}
	for k, fd := range s.fields {
		v := make([]float32, s.vertices)
		for n := range v {
			v[n] = math.Float32frombits(le.Uint32(b[4*n:]))
		}
		b = b[4*len(v):]
		fd.Values = v
		f.Fields[k] = fd
	}
	return f, nil
}
