package store

import (
	"bufio"
	"bytes"
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
//	"HSF2" | u32 vertices | u32 frames | u16 fields
//	fields × ( u8 length, id | u8 length, unit )
//	frames × ( u64 epoch | u64 seq | f64 sim time s
//	           fields × ( u8 evidence | f64 residual | f64 error )
//	           vertices × 3 × f64 position mm
//	           fields × vertices × f32 value )
//
// evidence is 0 when the field's quality was not recorded, else 1 + the
// evidence, plus 128 when there is an error estimate; what is not there is 0.
//
// "HSF1", which is read but no longer written, lacks the line of the quality:
// its fields come back with none, since nobody recorded it.
const (
	segmentMagic  = "HSF2"
	segmentMagic1 = "HSF1"
)

const (
	maxSegmentVertices = 16 << 20
	maxSegmentFields   = 64
	frameHeader        = 3 * 8
	qualityBytes       = 1 + 2*8
	hasError           = 0x80
)

// frameBytes is the length of a frame of which each field has a header of
// perField bytes.
func frameBytes(vertices, fields, perField int) int64 {
	return frameHeader + int64(fields)*int64(perField) + int64(vertices)*int64(24+4*fields)
}

func appendQuality(b []byte, q *planner.FieldQuality) []byte {
	var out [qualityBytes]byte
	if q != nil {
		out[0] = 1 + byte(q.Evidence)
		binary.LittleEndian.PutUint64(out[1:], math.Float64bits(q.Residual))
		if q.Error != nil {
			out[0] |= hasError
			binary.LittleEndian.PutUint64(out[9:], math.Float64bits(*q.Error))
		}
	}
	return append(b, out[:]...)
}

// readQuality refuses what appendQuality does not write.
func readQuality(b []byte) (*planner.FieldQuality, error) {
	var q *planner.FieldQuality
	if b[0] != 0 {
		q = &planner.FieldQuality{Evidence: planner.Evidence(b[0]&^hasError - 1), Residual: math.Float64frombits(binary.LittleEndian.Uint64(b[1:]))}
		if b[0]&hasError != 0 {
			e := math.Float64frombits(binary.LittleEndian.Uint64(b[9:]))
			q.Error = &e
		}
	}
	if err := q.Validate(); err != nil {
		return nil, fmt.Errorf("the header of a field is damaged: %w", err)
	}
	if !bytes.Equal(appendQuality(nil, q), b[:qualityBytes]) {
		return nil, errors.New("the header of a field is damaged")
	}
	return q, nil
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
	b := make([]byte, 0, 4096+int64(len(frames))*frameBytes(len(f.Pos), len(f.Fields), qualityBytes))
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
		for _, fd := range f.Fields {
			b = appendQuality(b, fd.Quality)
		}
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
	perField int             // bytes of a field's header in each frame
	start    int64           // offset of the first frame
	buf      []byte
}

// openSegment reads the header and checks that size fits it, so that nothing
// larger than the blob is ever allocated.
func openSegment(in io.ReadSeeker, size int64) (*segment, error) {
	s := &segment{r: bufio.NewReaderSize(in, 64<<10), in: in}
	var head [14]byte
	_, err := io.ReadFull(s.r, head[:])
	switch magic := string(head[:4]); {
	case err == nil && magic == segmentMagic:
		s.perField = qualityBytes
	case err == nil && magic == segmentMagic1:
	default:
		return nil, errors.New("it is not a frame segment of version 1 or 2")
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
	per := frameBytes(s.vertices, fields, s.perField) // below 2⁴⁰; frames below 2³²: no overflow by the division
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
	_, err := s.in.Seek(s.start+int64(n)*frameBytes(s.vertices, len(s.fields), s.perField), io.SeekStart)
	s.r.Reset(s.in)
	return err
}

// next reads one frame into fresh memory.
func (s *segment) next() (*planner.DisplayFrame, error) {
	if s.buf == nil {
		s.buf = make([]byte, frameBytes(s.vertices, len(s.fields), s.perField))
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
	for k, fd := range s.fields {
		if s.perField > 0 {
			q, err := readQuality(b)
			if err != nil {
				return nil, err
			}
			fd.Quality = q
			b = b[s.perField:]
		}
		f.Fields[k] = fd
	}
	for n := range f.Pos {
		f.Pos[n] = r3.Vec{
			X: math.Float64frombits(le.Uint64(b)), Y: math.Float64frombits(le.Uint64(b[8:])), Z: math.Float64frombits(le.Uint64(b[16:])),
		}
		b = b[24:]
	}
	for k := range s.fields {
		v := make([]float32, s.vertices)
		for n := range v {
			v[n] = math.Float32frombits(le.Uint32(b[4*n:]))
		}
		b = b[4*len(v):]
		f.Fields[k].Values = v
	}
	return f, nil
}
