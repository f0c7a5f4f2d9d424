package nifti

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"halsted/imaging"
)

// MaxBytes bounds the decoded samples of one image: 2 GiB, eight times a
// 512×512×512 CT.
const MaxBytes = 2 << 30

// maxTail is how much may follow the samples in a compressed file; more is not
// an image but a decompression bomb.
const maxTail = 64 << 10

// FormatError says why the bytes are not an image this package reads.
type FormatError struct{ Why string }

func (e *FormatError) Error() string { return "nifti: " + e.Why }

// GridMismatchError says that a mask does not lie on the lattice it is to be
// used with.
type GridMismatchError struct {
	Want, Got [3]int  // voxels along i, j, k
	OffMM     float64 // distance of the worst corner; +Inf when the sizes differ
}

func (e *GridMismatchError) Error() string {
	const do = "; export the mask from the same series, or resample it onto the CT"
	if math.IsInf(e.OffMM, 1) {
		return fmt.Sprintf("nifti: the mask has %v voxels, the CT %v%s", e.Got, e.Want, do)
	}
	return fmt.Sprintf("nifti: the mask lies up to %.2f mm off the CT%s", e.OffMM, do)
}

// Image is one 3-D image as stored: value = Slope·sample + Inter.
type Image struct {
	Grid         imaging.Grid // LPS mm, voxels in stored order
	Type         DataType
	Slope, Inter float64

	order binary.ByteOrder
	raw   []byte
}

// Read reads one image, compressed or not, to the end of its samples. It
// returns *FormatError for bytes that are not a readable image,
// io.ErrUnexpectedEOF when they stop too soon, or the error of r.
func Read(r io.Reader) (*Image, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	head, err := br.Peek(2)
	if err != nil {
		return nil, short(err, "the header")
	}
	if head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, short(err, "the gzip header")
		}
		m, err := readPlain(z)
		if err != nil {
			return nil, err
		}
		// Reading on to the end checks the stored checksum.
		n, err := io.Copy(io.Discard, io.LimitReader(z, maxTail+1))
		switch {
		case err != nil:
			return nil, short(err, "the end of the compressed data")
		case n > maxTail:
			return nil, &FormatError{"much more compressed data than the header declares"}
		}
		return m, nil
	}
	return readPlain(br)
}

// short turns an early end into one clear sentence.
func short(err error, where string) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("nifti: the file stops inside %s: %w", where, io.ErrUnexpectedEOF)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &FormatError{"the compressed data is damaged"}
	}
	if _, ok := errors.AsType[flate.CorruptInputError](err); ok {
		return &FormatError{"the compressed data is damaged"}
	}
	return fmt.Errorf("nifti: %s: %w", where, err)
}

func readPlain(r io.Reader) (*Image, error) {
	head := make([]byte, header2)
	if _, err := io.ReadFull(r, head[:4]); err != nil {
		return nil, short(err, "the header")
	}
	v, order := version(head)
	n := map[int]int{1: header1, 2: header2}[v]
	if n == 0 {
		return nil, &FormatError{"the first bytes are not those of a NIfTI file"}
	}
	if _, err := io.ReadFull(r, head[4:n]); err != nil {
		return nil, short(err, "the header")
	}
	h, err := parse(head, v, order)
	if err != nil {
		return nil, err
	}
	g, err := h.check()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, h.offset-int64(n)); err != nil {
		return nil, short(err, "the header extensions")
	}
	want := int64(g.Len()) * int64(h.typ.size())
	raw, err := grow(r, want)
	if err != nil {
		return nil, short(err, "the samples")
	}
	return &Image{Grid: g, Type: h.typ, Slope: h.slope, Inter: h.inter, order: order, raw: raw}, nil
}

// grow reads exactly n bytes; memory follows what has arrived.
func grow(r io.Reader, n int64) ([]byte, error) {
	const step = 4 << 20
	if n <= step {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		return b, err
	}
	var buf bytes.Buffer
	buf.Grow(step)
	if _, err := io.CopyN(&buf, r, n); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Sample is the stored number at storage index n, before scaling.
func (m *Image) Sample(n int) float64 {
	switch m.Type {
	case Uint8:
		return float64(m.raw[n])
	case Int8:
		return float64(int8(m.raw[n]))
	case Int16:
		return float64(int16(m.order.Uint16(m.raw[2*n:])))
	case Uint16:
		return float64(m.order.Uint16(m.raw[2*n:]))
	case Int32:
		return float64(int32(m.order.Uint32(m.raw[4*n:])))
	case Uint32:
		return float64(m.order.Uint32(m.raw[4*n:]))
	case Float32:
		return float64(math.Float32frombits(m.order.Uint32(m.raw[4*n:])))
	case Float64:
		return math.Float64frombits(m.order.Uint64(m.raw[8*n:]))
	}
	panic("nifti: unknown sample type")
}

// Value is the scaled value at storage index n.
func (m *Image) Value(n int) float64 { return float64(m.Slope*m.Sample(n)) + m.Inter }

// ReadFile reads one image file.
func ReadFile(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, named(path, err)
	}
	defer f.Close()
	m, err := Read(f)
	if err != nil {
		return nil, named(path, err)
	}
	return m, nil
}

// named puts the base name before an error; folders may hold names of people.
func named(path string, err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		err = pe.Err
	} else if le, ok := errors.AsType[*os.LinkError](err); ok {
		err = le.Err
	}
	return fmt.Errorf("%s: %w", filepath.Base(path), err)
}
