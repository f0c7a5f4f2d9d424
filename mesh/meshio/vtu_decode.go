package meshio

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
)

// vtuCoding is how the binary arrays of a file are coded.
type vtuCoding struct {
	order  binary.ByteOrder
	head   int // bytes of the counts before each array
	zlib   bool
	budget int64 // bytes that may still be unpacked
}

func (k *vtuCoding) set(t *xmlTag) error {
	k.order, k.head = binary.LittleEndian, 4
	if string(t.attr("byte_order")) == "BigEndian" {
		k.order = binary.BigEndian
	}
	switch string(t.attr("header_type")) {
	case "", "UInt32":
	case "UInt64":
		k.head = 8
	default:
		return fmt.Errorf("unknown header_type %s", quote(t.attr("header_type")))
	}
	switch c := string(t.attr("compressor")); c {
	case "":
	case "vtkZLibDataCompressor":
		k.zlib = true
	default:
		return fmt.Errorf("the arrays are packed with %s", quote(c))
	}
	return nil
}

// count reads one number of a header.
func (k *vtuCoding) count(b []byte) int64 {
	if k.head == 4 {
		return int64(k.order.Uint32(b))
	}
	return int64(min(k.order.Uint64(b), math.MaxInt64))
}

// vtuBytes is the size of VTK's number types.
var vtuBytes = map[string]int{"Int8": 1, "UInt8": 1, "Int16": 2, "UInt16": 2, "Int32": 4, "UInt32": 4, "Int64": 8, "UInt64": 8, "Float32": 4, "Float64": 8}

// bad is an error about one array.
func (v *vtuReader) badArray(a *vtuData, remedy, what string, arg ...any) error {
	return &FormatError{Format: "VTU", Line: a.line, What: "array " + quote(a.name) + ": " + fmt.Sprintf(what, arg...), Remedy: remedy}
}

// decode returns the numbers of an array, which must be want; −1 takes any.
func decode[T int64 | float64](v *vtuReader, a *vtuData, want int64) ([]T, error) {
	if a.format == "ascii" {
		return decodeText[T](v, a, want)
	}
	size := vtuBytes[a.kind]
	if size == 0 {
		return nil, v.badArray(a, "", "unknown type %s", quote(a.kind))
	}
	var raw []byte
	var err error
	switch a.format {
	case "binary":
		raw, err = v.unpack64(a.text, want*int64(size))
	case "appended":
		if a.offset > int64(len(v.appended)) {
			return nil, v.badArray(a, remedyWhole, "it begins beyond the end of the file")
		}
		if from := v.appended[a.offset:]; v.base64 {
			raw, err = v.unpack64(from, want*int64(size))
		} else {
			raw, err = v.unpack(from, want*int64(size))
		}
	default:
		return nil, v.badArray(a, "", "unknown format %s", quote(a.format))
	}
	if err != nil {
		return nil, v.badArray(a, remedyWhole, "%v", err)
	}
	if want >= 0 && int64(len(raw)) != want*int64(size) || len(raw)%size != 0 {
		return nil, v.badArray(a, remedyWhole, "%d bytes where %d numbers of %d bytes should be", len(raw), want, size)
	}
	if v.coding.budget -= int64(len(raw)); v.coding.budget < 0 {
		return nil, v.in.tooLong()
	}
	out := make([]T, len(raw)/size)
	o := v.coding.order
	for i := range out {
		if i&0xffff == 0 {
			if err := v.in.ctx.Err(); err != nil {
				return nil, err
			}
		}
		b := raw[i*size:]
		switch a.kind {
		case "Float64":
			out[i] = T(math.Float64frombits(o.Uint64(b)))
		case "Float32":
			out[i] = T(math.Float32frombits(o.Uint32(b)))
		case "Int64":
			out[i] = T(int64(o.Uint64(b)))
		case "UInt64":
			out[i] = T(min(o.Uint64(b), math.MaxInt64))
		case "Int32":
			out[i] = T(int32(o.Uint32(b)))
		case "UInt32":
			out[i] = T(o.Uint32(b))
		case "Int16":
			out[i] = T(int16(o.Uint16(b)))
		case "UInt16":
			out[i] = T(o.Uint16(b))
		case "Int8":
			out[i] = T(int8(b[0]))
		default:
			out[i] = T(b[0])
		}
	}
	return out, nil
}

func decodeText[T int64 | float64](v *vtuReader, a *vtuData, want int64) ([]T, error) {
	most := int64(len(a.text)/2 + 1) // a number and a blank
	if want > most {
		return nil, v.badArray(a, remedyWhole, "%d bytes cannot hold %d numbers", len(a.text), want)
	}
	if want < 0 {
		most = int64(len(a.text) / 4)
	} else {
		most = want
	}
	out := make([]T, 0, most)
	for w, rest := word(a.text); len(w) > 0; w, rest = word(rest) {
		if err := v.alive(); err != nil {
			return nil, err
		}
		if n, ok := parseInt(w); ok {
			out = append(out, T(n))
			continue
		}
		x, err := strconv.ParseFloat(text(w), 64)
		if err != nil {
			return nil, v.badArray(a, remedyNumbers, "%s is no number", quote(w))
		}
		out = append(out, T(x))
	}
	if want >= 0 && int64(len(out)) != want {
		return nil, v.badArray(a, remedyWhole, "%d numbers where %d should be", len(out), want)
	}
	return out, nil
}

// unpack takes an array from b: its length, or its blocks, and its bytes. want
// bounds what is unpacked; −1 leaves the budget as the only bound.
func (v *vtuReader) unpack(b []byte, want int64) ([]byte, error) {
	k := &v.coding
	if len(b) < k.head {
		return nil, errShort
	}
	if !k.zlib {
		n := k.count(b)
		if n > int64(len(b)-k.head) {
			return nil, errShort
		}
		return b[k.head : k.head+int(n)], nil
	}
	head, blocks, err := k.blocks(b)
	if err != nil {
		return nil, err
	}
	return v.inflate(b[:head], b[head:], blocks, want)
}

var errShort = fmt.Errorf("the file ends inside it")

// blocks reads the number of packed blocks and the length of their header.
func (k *vtuCoding) blocks(b []byte) (head int, blocks int64, err error) {
	if blocks = k.count(b); blocks > int64(len(b)/k.head-3) && blocks > 0 {
		return 0, 0, errShort
	}
	if blocks == 0 {
		return min(len(b), 3*k.head), 0, nil
	}
	return (3 + int(blocks)) * k.head, blocks, nil
}

// inflate unpacks blocks; head is blocks, size, size of the last (0: full) and
// the packed sizes.
func (v *vtuReader) inflate(head, data []byte, blocks, want int64) ([]byte, error) {
	if blocks == 0 {
		return nil, nil
	}
	k := &v.coding
	at := func(i int64) int64 { return k.count(head[i*int64(k.head):]) }
	most := v.coding.budget
	if want >= 0 {
		most = min(most, want)
	}
	var out bytes.Buffer
	var z io.ReadCloser
	for i := range blocks {
		if err := v.in.ctx.Err(); err != nil {
			return nil, err
		}
		packed := at(3 + i)
		if packed > int64(len(data)) {
			return nil, errShort
		}
		from := bytes.NewReader(data[:packed])
		var err error
		if z == nil {
			z, err = zlib.NewReader(from)
		} else {
			err = z.(zlib.Resetter).Reset(from, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("block %d is not packed with zlib", i)
		}
		if _, err := out.ReadFrom(io.LimitReader(z, most-int64(out.Len())+1)); err != nil {
			return nil, fmt.Errorf("block %d cannot be unpacked: %v", i, err)
		}
		if int64(out.Len()) > most {
			return nil, fmt.Errorf("it unpacks to more than %d bytes", most)
		}
		data = data[packed:]
	}
	return out.Bytes(), nil
}

// unpack64 is unpack for base64. The counts may be coded with the values or,
// padded, by themselves; packed blocks always stand apart from their header.
func (v *vtuReader) unpack64(b []byte, want int64) ([]byte, error) {
	k := &v.coding
	lead, _, err := un64(b, k.head)
	if err != nil {
		return nil, err
	}
	n := k.count(lead)
	if !k.zlib {
		chars := (k.head + 2) / 3 * 4
		if b[chars-1] == '=' { // the count stands apart
			if n > int64(len(b)) {
				return nil, errShort
			}
			raw, _, err := un64(b[chars:], int(n))
			return raw, err
		}
		if n > int64(len(b)) {
			return nil, errShort
		}
		raw, _, err := un64(b, k.head+int(n))
		if err != nil {
			return nil, err
		}
		return raw[k.head:], nil
	}
	if n > int64(len(b)) {
		return nil, errShort
	}
	head, used, err := un64(b, (3+int(n))*k.head)
	if err != nil {
		if n > 0 {
			return nil, err
		}
		return nil, nil
	}
	total := int64(0)
	for i := range n {
		if total += k.count(head[(3+int(i))*k.head:]); total > int64(len(b)) || total < 0 {
			return nil, errShort
		}
	}
	data, _, err := un64(b[used:], int(total))
	if err != nil {
		return nil, err
	}
	return v.inflate(head, data, n, want)
}

// un64 decodes n bytes from the beginning of b and tells how many characters
// they take.
func un64(b []byte, n int) (raw []byte, used int, err error) {
	used = (n + 2) / 3 * 4
	if used > len(b) {
		return nil, 0, errShort
	}
	raw = make([]byte, used/4*3)
	m, err := base64.StdEncoding.Decode(raw, b[:used])
	if err != nil {
		return nil, 0, fmt.Errorf("it is not base64: %v", err)
	}
	if m < n {
		return nil, 0, errShort
	}
	return raw[:n], used, nil
}
