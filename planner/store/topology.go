package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// A topology's public name is the SHA-256 of its wire message
// halsted.v1.Topology, and a client checks it. So the blob is that message, in
// the one spelling the .proto file fixes: fields in the order of their
// numbers, packed, defaults left out. It is written and read here by hand,
// because generated code stays in planner/service; a test there compares.
//
//	Topology:       1 structures (message), 2 rest_xyz_mm (packed double)
//	Structure:      1 name, 2 label (message), 3 first_vertex, 4 vertex_count, 5 triangle_indices (packed uint32)
//	StructureLabel: 1 id, 2 code_value, 3 code_scheme, 4 code_meaning
//
// Wire types (protobuf.dev/programming-guides/encoding): 0 varint, 2 length-delimited.

// maxTopology is the largest topology read into memory.
const maxTopology = 1 << 30

// PutTopology keeps a topology that passes Validate and returns its hash.
func (s *Store) PutTopology(ctx context.Context, t *planner.Topology) (hash string, err error) {
	if err := t.Validate(); err != nil {
		return "", fmt.Errorf("store: %w: %w", ErrInvalid, err)
	}
	if err := (&planner.DisplayFrame{Pos: t.Rest}).Validate(t); err != nil {
		return "", fmt.Errorf("store: topology at rest: %w: %w", ErrInvalid, err)
	}
	return s.PutBytes(ctx, encodeTopology(t))
}

// Topology returns a topology by its hash.
func (s *Store) Topology(ctx context.Context, hash string) (*planner.Topology, error) {
	b, err := s.ReadBlob(ctx, hash, maxTopology)
	if err != nil {
		return nil, err
	}
	t, err := decodeTopology(b)
	if err != nil {
		return nil, &CorruptError{hash, err.Error()}
	}
	if err := t.Validate(); err != nil {
		return nil, &CorruptError{hash, err.Error()}
	}
	return t, nil
}

func appendBytes(b []byte, field int, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field)<<3|2)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendVarint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(field)<<3), v)
}

func encodeTopology(t *planner.Topology) []byte {
	var out []byte
	for _, st := range t.Structures {
		c := st.Label.Code()
		label := appendBytes(nil, 1, []byte(st.Label.String()))
		label = appendBytes(label, 2, []byte(c.Value))
		label = appendBytes(label, 3, []byte(c.Scheme))
		label = appendBytes(label, 4, []byte(c.Meaning))
		m := appendBytes(nil, 1, []byte(st.Name))
		m = appendBytes(m, 2, label)
		m = appendVarint(m, 3, uint64(st.First))
		m = appendVarint(m, 4, uint64(st.Count))
		tris := make([]byte, 0, 9*len(st.Tris))
		for _, tri := range st.Tris {
			for _, v := range tri {
				tris = binary.AppendUvarint(tris, uint64(v))
			}
		}
		m = appendBytes(m, 5, tris)
		// An empty structure is still a structure.
		out = binary.AppendUvarint(out, 1<<3|2)
		out = binary.AppendUvarint(out, uint64(len(m)))
		out = append(out, m...)
	}
	rest := make([]byte, 0, 24*len(t.Rest))
	for _, p := range t.Rest {
		for _, c := range [3]float64{p.X, p.Y, p.Z} {
			rest = binary.LittleEndian.AppendUint64(rest, math.Float64bits(c))
		}
	}
	return appendBytes(out, 2, rest)
}

var errTopology = errors.New("it is not a topology message")

// fields walks a message; f gets the value of a varint or the bytes of a
// length-delimited field, a slice of b.
func fields(b []byte, f func(field int, v uint64, data []byte) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return errTopology
		}
		v, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return errTopology
		}
		b = b[n+m:]
		var data []byte
		switch tag & 7 {
		case 0:
		case 2:
			if v > uint64(len(b)) {
				return errTopology
			}
			data, b = b[:v], b[v:]
		default:
			return errTopology
		}
		if err := f(int(tag>>3), v, data); err != nil {
			return err
		}
	}
	return nil
}

func decodeTopology(b []byte) (*planner.Topology, error) {
	t := &planner.Topology{}
	err := fields(b, func(field int, _ uint64, data []byte) error {
		switch field {
		case 1:
			st, err := decodeStructure(data)
			t.Structures = append(t.Structures, st)
			return err
		case 2:
			if len(data)%24 != 0 || t.Rest != nil {
				return errTopology
			}
			t.Rest = make([]r3.Vec, len(data)/24)
			for n := range t.Rest {
				c := data[24*n:]
				t.Rest[n] = r3.Vec{
					X: math.Float64frombits(binary.LittleEndian.Uint64(c)),
					Y: math.Float64frombits(binary.LittleEndian.Uint64(c[8:])),
					Z: math.Float64frombits(binary.LittleEndian.Uint64(c[16:])),
				}
			}
			return nil
		}
		return errTopology
	})
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(encodeTopology(t), b) {
		return nil, errTopology // another spelling has another hash
	}
	return t, nil
}

func decodeStructure(b []byte) (st planner.Structure, err error) {
	err = fields(b, func(field int, v uint64, data []byte) error {
		switch field {
		case 1:
			st.Name = string(data)
		case 2:
			return fields(data, func(field int, _ uint64, data []byte) (err error) {
				if field == 1 {
					st.Label, err = parseLabel(string(data))
				}
				return err
			})
		case 3, 4:
			if v > math.MaxInt32 {
				return errTopology
			}
			if field == 3 {
				st.First = int32(v)
			} else {
				st.Count = int32(v)
			}
		case 5:
			var err error
			st.Tris, err = decodeTriangles(data)
			return err
		default:
			return errTopology
		}
		return nil
	})
	return st, err
}

func decodeTriangles(b []byte) ([][3]int32, error) {
	tris := make([][3]int32, 0, len(b)/9)
	for k, tri := 0, [3]int32{}; len(b) > 0 || k > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > math.MaxInt32 {
			return nil, errTopology
		}
		tri[k], b = int32(v), b[n:]
		if k++; k == 3 {
			tris, k = append(tris, tri), 0
		}
	}
	return tris, nil
}

func parseLabel(id string) (imaging.Label, error) {
	for n := range 256 {
		if l := imaging.Label(n); l.String() == id {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown structure %.40q", id)
}
