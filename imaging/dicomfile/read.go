package dicomfile

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Read parses one DICOM object from r. size is the number of bytes of the
// object, or -1 to read to the end. Nothing is allocated beyond what lim
// allows, whatever the bytes claim.
//
// Errors: ErrNotDICOM, *LimitError, *TruncatedError, *FormatError, or what r
// returned. When only the pixel data is too short, the dataset comes back
// together with the *TruncatedError, so that a caller can say which series is
// hurt; its pixel data must not be used.
func Read(r io.Reader, size int64, lim Limits) (*Dataset, error) {
	lim = lim.withDefaults()
	b, err := readAll(r, size, lim)
	if err != nil {
		return nil, err
	}
	return parse(b, lim)
}

// ReadFile is Read for a file. Errors name its base name.
func ReadFile(name string, lim Limits) (*Dataset, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return readFile(f, filepath.Base(name), lim)
}

// ReadFS is Read for a file of a file system. Errors name its base name.
func ReadFS(fsys fs.FS, name string, lim Limits) (*Dataset, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	return readFile(f, path.Base(name), lim)
}

func readFile(f fs.File, base string, lim Limits) (*Dataset, error) {
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	d, err := Read(f, info.Size(), lim)
	if err != nil {
		err = fmt.Errorf("%s: %w", base, err)
	}
	return d, err
}

// headBytes is enough to tell a DICOM object from anything else.
const headBytes = 4096

func readAll(r io.Reader, size int64, lim Limits) ([]byte, error) {
	most := lim.FileBytes + 1
	if size >= 0 {
		most = min(most, size)
	}
	r = io.LimitReader(r, most)
	// The claimed size is trusted for at most 8 MiB before bytes arrive.
	buf := bytes.NewBuffer(make([]byte, 0, max(headBytes, min(most, 8<<20))+bytes.MinRead))
	if _, err := io.CopyN(buf, r, headBytes); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !looksLikeDICOM(buf.Bytes()) {
		return nil, ErrNotDICOM
	}
	if size > lim.FileBytes {
		return nil, &LimitError{"FileBytes", size, lim.FileBytes, 0}
	}
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > lim.FileBytes {
		return nil, &LimitError{"FileBytes", int64(buf.Len()), lim.FileBytes, 0}
	}
	return buf.Bytes(), nil
}

const preambleBytes = 128

func hasPreamble(b []byte) bool {
	return len(b) >= preambleBytes+4 && string(b[preambleBytes:preambleBytes+4]) == "DICM"
}

// looksLikeDICOM accepts a Part 10 file and, without preamble, an object that
// starts with file meta information or with group 0008 in little endian.
func looksLikeDICOM(head []byte) bool {
	if hasPreamble(head) {
		return true
	}
	if len(head) < 12 || head[1] != 0 || head[0] != 2 && head[0] != 8 || head[3] != 0 {
		return false
	}
	if kindOf(string(head[4:6])) != kindUnknown {
		return true
	}
	// Implicit VR: a first element of group 0008 is short.
	return head[0] == 8 && binary.LittleEndian.Uint32(head[4:]) <= 1024 && head[2] <= 0x18
}

// parse reads a complete object held in b, which becomes the dataset's.
func parse(b []byte, lim Limits) (*Dataset, error) {
	at, bare := 0, true
	if hasPreamble(b) {
		at, bare = preambleBytes+4, false
	}
	s := &scanner{b: b, enc: encoding{order: binary.LittleEndian}, lim: lim}
	var meta []span
	if !bare || b[0] == 2 {
		var err error
		if meta, err = s.scan(at, 2); err != nil {
			return nil, err
		}
		if len(meta) == 0 {
			return nil, &TruncatedError{metaGroupLengthTag, int64(at), 12, int64(len(b) - at)}
		}
		at = meta[len(meta)-1].hi
	}
	syntax, known := metaSyntax(b, meta)
	if !known {
		syntax = guessSyntax(b[at:])
	}
	head := b[:at]
	switch syntax {
	case ImplicitVRLittleEndian:
		s.enc.implicit = true
	case ExplicitVRBigEndian:
		s.enc.order = binary.BigEndian
	case DeflatedExplicitVR:
		var err error
		if s.b, err = inflate(b[at:], lim); err != nil {
			return nil, err
		}
		at = 0
	case privateBigEndian:
		return nil, &FormatError{TransferSyntaxUID, 0, "the private GE big-endian syntax is not read"}
	}
	spans, err := s.scan(at, 0)
	cut, _ := errors.AsType[*TruncatedError](err)
	if cut != nil && (cut.Tag != PixelData || len(spans) == 0 || cut.Offset != int64(spans[len(spans)-1].hi)) {
		cut = nil // not the pixel data of the object itself
	}
	if err != nil && cut == nil {
		if bare && len(meta) == 0 {
			return nil, fmt.Errorf("%w: no preamble, and as a bare dataset: %w", ErrNotDICOM, err)
		}
		return nil, err
	}
	d, err := s.dataset(head, meta, spans)
	if err != nil {
		return nil, err
	}
	d.syntax = syntax
	if len(meta) > 0 {
		d.put(element{TransferSyntaxUID, "UI", []string{syntax}})
	}
	if bare && len(meta) == 0 && !d.Has(SOPClassUID) {
		return nil, fmt.Errorf("%w: no preamble and no SOPClassUID", ErrNotDICOM)
	}
	if cut != nil {
		return d, cut
	}
	return d, d.checkPixelLength(spans)
}

// privateBigEndian mixes byte orders (GE, 1.2.840.113619.5.2).
const privateBigEndian = "1.2.840.113619.5.2"

func metaSyntax(b []byte, meta []span) (string, bool) {
	for _, e := range meta {
		if e.tag == TransferSyntaxUID && e.hi > e.value {
			return string(bytes.Trim(b[e.value:e.hi], " \x00")), true
		}
	}
	return "", false
}

// guessSyntax is for objects that do not state their transfer syntax.
func guessSyntax(b []byte) string {
	if len(b) >= 8 && kindOf(string(b[4:6])) != kindUnknown {
		return ExplicitVRLittleEndian
	}
	return ImplicitVRLittleEndian
}

// inflate undoes the deflated transfer syntax (PS3.5 annex A.5) within bounds.
func inflate(b []byte, lim Limits) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(b))
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, lim.InflatedBytes+1))
	if int64(len(out)) > lim.InflatedBytes {
		return nil, &LimitError{"InflatedBytes", int64(len(out)), lim.InflatedBytes, 0}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &TruncatedError{TransferSyntaxUID, 0, int64(len(b)) + 1, int64(len(b))}
	}
	if err != nil {
		return nil, &FormatError{TransferSyntaxUID, 0, "the deflated data does not inflate"}
	}
	return out, nil
}

// checkPixelLength compares native pixel data with the image it should hold
// (PS3.3 section C.7.6.3; PS3.5 section 8).
func (d *Dataset) checkPixelLength(spans []span) error {
	have, ok := d.PixelBytes()
	if !ok {
		return nil
	}
	offset := int64(0)
	for _, e := range spans {
		if e.tag == PixelData {
			offset = int64(e.lo)
		}
	}
	rows, ok1 := d.Int(Rows)
	columns, ok2 := d.Int(Columns)
	bits, ok3 := d.Int(BitsAllocated)
	if !ok1 || !ok2 || !ok3 {
		return nil // no image module; whoever wants an image will ask for these
	}
	samples, frames := 1, 1
	if n, ok := d.Int(SamplesPerPixel); ok {
		samples = n
	}
	if d.Has(NumberOfFrames) {
		n, ok := d.Int(NumberOfFrames)
		if !ok && len(d.Strings(NumberOfFrames)) > 0 || ok && n < 1 {
			return &FormatError{NumberOfFrames, offset, "NumberOfFrames is not a positive number"}
		}
		frames = max(1, n)
	}
	// In float64 the product of the largest values cannot overflow, and below
	// 2^53 it is exact.
	want := float64(rows) * float64(columns) * float64(samples) * float64(bits) * float64(frames)
	switch p, _ := d.String(PhotometricInterpretation); p {
	case "YBR_FULL_422", "YBR_PARTIAL_422":
		want *= 2. / 3
	case "YBR_PARTIAL_420":
		want *= 1. / 2
	}
	if want > 8*float64(len(have)) {
		return &TruncatedError{PixelData, offset, int64(want+7) / 8, int64(len(have))}
	}
	return nil
}
