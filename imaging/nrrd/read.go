package nrrd

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"halsted/imaging"
)

// Image is one image as stored: Layers values at each voxel of Grid.
type Image struct {
	Grid   imaging.Grid // LPS mm, voxels in stored order
	Type   Type
	Layers int
	Keys   map[string]string // key/value pairs; values may hold anything

	order        binary.ByteOrder
	raw          []byte
	voxel, layer int // steps in samples
}

// Read reads one image whose samples follow its header, to the end of the
// samples. It returns *FormatError for bytes that are not a readable image or
// whose samples are in another file, io.ErrUnexpectedEOF when they stop too
// soon, or the error of r.
func Read(r io.Reader) (*Image, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	h, err := readHeader(br)
	if err != nil {
		return nil, err
	}
	if h.dataFile != "" {
		return nil, refuse("the samples are in a separate file; read it by its header's path, or save it as one .nrrd file")
	}
	return h.image(br)
}

// ReadFile reads one image file, or a detached header (.nhdr) whose data file
// lies in the same folder. Errors name the base name of path.
func ReadFile(path string) (*Image, error) {
	m, err := readFile(path)
	if err != nil {
		return nil, named(path, err)
	}
	return m, nil
}

func readFile(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	br := bufio.NewReaderSize(f, 1<<16)
	h, err := readHeader(br)
	if err != nil {
		return nil, err
	}
	if h.dataFile == "" {
		return h.image(br)
	}
	if name := h.dataFile; name == "." || name == ".." || strings.ContainsAny(name, "/\\%\x00") || name == "LIST" || strings.HasPrefix(name, "LIST ") {
		return nil, refuse("the samples are not in one file of the header's own folder; save it as one .nrrd file")
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, err := root.Open(h.dataFile)
	if err != nil {
		return nil, fmt.Errorf("its data file: %w", cause(err))
	}
	defer data.Close()
	if info, err := data.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, refuse("its data file is no regular file")
	}
	return h.image(bufio.NewReaderSize(data, 1<<16))
}

// cause is a path error without its path.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// named puts the base name before an error; folders may hold names of people.
func named(path string, err error) error {
	return fmt.Errorf("%s: %w", filepath.Base(path), cause(err))
}

// short turns an early end into one clear sentence.
func short(err error, where string) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("nrrd: the file stops inside %s: %w", where, io.ErrUnexpectedEOF)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &FormatError{"the compressed data is damaged"}
	}
	if _, ok := errors.AsType[flate.CorruptInputError](err); ok {
		return &FormatError{"the compressed data is damaged"}
	}
	return fmt.Errorf("nrrd: %s: %w", where, err)
}

// image reads the samples.
func (h *header) image(r *bufio.Reader) (*Image, error) {
	left := maxSkip
	for range h.lineSkip {
		if _, err := readLine(r, &left); err != nil {
			return nil, short(err, "the skipped lines")
		}
	}
	want := int64(h.grid.Len()) * int64(h.layers) * int64(h.typ.size())
	raw, err := h.samples(r, want)
	if err != nil {
		return nil, err
	}
	m := &Image{Grid: h.grid, Type: h.typ, Layers: h.layers, Keys: h.keys, order: h.order, raw: raw, voxel: 1, layer: h.grid.Len()}
	if h.layerFirst {
		m.voxel, m.layer = h.layers, 1
	}
	return m, nil
}

func (h *header) samples(r io.Reader, want int64) ([]byte, error) {
	if !h.gzip {
		if h.byteSkip < 0 { // the last bytes
			b, err := io.ReadAll(io.LimitReader(r, want+maxSkip+1))
			switch {
			case err != nil:
				return nil, short(err, "the samples")
			case int64(len(b)) > want+maxSkip:
				return nil, refuse("much more data than the header declares")
			case int64(len(b)) < want:
				return nil, short(io.EOF, "the samples")
			}
			return b[int64(len(b))-want:], nil
		}
		if _, err := io.CopyN(io.Discard, r, int64(h.byteSkip)); err != nil {
			return nil, short(err, "the skipped bytes")
		}
		b, err := grow(r, want)
		if err != nil {
			return nil, short(err, "the samples")
		}
		return b, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, short(err, "the gzip header")
	}
	if _, err := io.CopyN(io.Discard, z, int64(h.byteSkip)); err != nil {
		return nil, short(err, "the skipped bytes")
	}
	b, err := grow(z, want)
	if err != nil {
		return nil, short(err, "the samples")
	}
	// Reading on to the end checks the stored checksum.
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxTail+1))
	switch {
	case err != nil:
		return nil, short(err, "the end of the compressed data")
	case n > maxTail:
		return nil, refuse("much more compressed data than the header declares")
	}
	return b, nil
}

// grow reads exactly n bytes; memory follows what has arrived.
func grow(r io.Reader, n int64) ([]byte, error) {
	const step = 4 << 20
	if n <= step {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		return b, err
	}
	b := make([]byte, 0, step)
	for int64(len(b)) < n {
		if len(b) == cap(b) {
			more := make([]byte, len(b), min(2*int64(cap(b)), n))
			copy(more, b)
			b = more
		}
		got, err := io.ReadFull(r, b[len(b):cap(b)])
		if b = b[:len(b)+got]; err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Sample is the value of a layer at storage index n.
func (m *Image) Sample(layer, n int) float64 {
	n = n*m.voxel + layer*m.layer
	switch m.Type {
	case Int8:
		return float64(int8(m.raw[n]))
	case Uint8:
		return float64(m.raw[n])
	case Int16:
		return float64(int16(m.order.Uint16(m.raw[2*n:])))
	case Uint16:
		return float64(m.order.Uint16(m.raw[2*n:]))
	case Int32:
		return float64(int32(m.order.Uint32(m.raw[4*n:])))
	case Uint32:
		return float64(m.order.Uint32(m.raw[4*n:]))
	case Int64:
		return float64(int64(m.order.Uint64(m.raw[8*n:])))
	case Uint64:
		return float64(m.order.Uint64(m.raw[8*n:]))
	case Float32:
		return float64(math.Float32frombits(m.order.Uint32(m.raw[4*n:])))
	}
	return math.Float64frombits(m.order.Uint64(m.raw[8*n:]))
}

// Volume is m with 16-bit samples, voxels in stored order, kind unknown. Whole
// samples that span at most 65536 values stay exact; others are rounded to
// 65535 even steps over their range (at most half a step off). A sample that
// is not finite, or more than one layer, is refused.
func (m *Image) Volume() (*imaging.Volume, error) {
	if m.Layers != 1 {
		return nil, refuse("%d values per voxel; extract one 3-D image first", m.Layers)
	}
	lo, hi, whole := math.Inf(1), math.Inf(-1), true
	n := m.Grid.Len()
	for i := range n {
		v := m.Sample(0, i)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			x, y, z := m.Grid.IJK(i)
			return nil, refuse("sample %v at voxel %d,%d,%d is not finite", v, x, y, z)
		}
		lo, hi = min(lo, v), max(hi, v)
		whole = whole && v == math.Trunc(v)
	}
	out := imaging.NewVolume(m.Grid, imaging.KindUnknown)
	shift, step := 0.0, 1.0 // sample = step·stored + shift
	switch {
	case whole && lo >= math.MinInt16 && hi <= math.MaxInt16:
	case whole && hi-lo <= math.MaxUint16:
		shift = lo - math.MinInt16
	default:
		if step = (hi - lo) / math.MaxUint16; math.IsInf(step, 0) {
			return nil, refuse("the samples span more than a float64")
		}
		if step == 0 { // one value everywhere, or nearly
			step = 1
		}
		shift = lo - step*math.MinInt16
	}
	for i := range n {
		out.Data[i] = int16(min(max(math.Round((m.Sample(0, i)-shift)/step), math.MinInt16), math.MaxInt16))
	}
	out.Slope, out.Intercept = step, shift
	return out, nil
}

// ReadVolume reads a volume file (see Image.Volume). NRRD does not say what its
// values mean: set Kind when they are known to be HU.
func ReadVolume(path string) (*imaging.Volume, error) {
	m, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	v, err := m.Volume()
	if err != nil {
		return nil, named(path, err)
	}
	return v, nil
}
