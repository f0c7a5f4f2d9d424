package meshio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unsafe"

	"halsted/imaging"
	"halsted/mesh"
)

// input is a file being read.
type input struct {
	ctx    context.Context
	r      io.Reader
	size   int64 // bytes left to read, −1 when not known; trusted for allocation
	format string
	opt    ReadOptions
}

// sizeOf is how many bytes r still holds, if it can tell.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case *os.File:
		info, err := r.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		at, err := r.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		return max(0, info.Size()-at)
	case *bytes.Reader:
		return int64(r.Len())
	case *bytes.Buffer:
		return int64(r.Len())
	}
	return -1
}

// chunk is how much is read between two looks at the context.
const chunk = 1 << 20

// all reads the whole file.
func (in *input) all() ([]byte, error) {
	if in.size > in.opt.MaxBytes {
		return nil, in.tooLong()
	}
	data := make([]byte, 0, max(in.size, 0)+512)
	for {
		if err := in.ctx.Err(); err != nil {
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := in.r.Read(data[len(data):min(cap(data), len(data)+chunk)])
		data = data[:len(data)+n]
		if int64(len(data)) > in.opt.MaxBytes {
			return nil, in.tooLong()
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, fmt.Errorf("meshio: %s: %w", in.format, err)
		}
	}
}

func (in *input) tooLong() error {
	return fail(in.format, "raise ReadOptions.MaxBytes", "the file is longer than %d bytes", in.opt.MaxBytes)
}

// cursor walks over the bytes of a file, by lines and words or by numbers.
type cursor struct {
	in   *input
	data []byte
	pos  int
	line int  // of the last line or word taken
	ends int  // line ends passed
	bin  bool // the file is binary: errors give the byte, not the line
	tick int
}

// bad makes an error at the current line or byte.
func (c *cursor) bad(remedy, what string, a ...any) error {
	e := &FormatError{Format: c.in.format, Line: c.line, What: fmt.Sprintf(what, a...), Remedy: remedy}
	if c.bin {
		e.Line, e.Offset = 0, int64(c.pos)
	}
	return e
}

const remedyWhole = "get a whole copy of the file"

// short is the error for a file that ends too early.
func (c *cursor) short(what string, a ...any) error {
	return c.bad(remedyWhole, "the file ends "+what, a...)
}

// alive looks at the context now and then.
func (c *cursor) alive() error {
	if c.tick++; c.tick&1023 == 0 {
		return c.in.ctx.Err()
	}
	return nil
}

// nextLine takes one line without its end, and trims blanks around it.
func (c *cursor) nextLine() ([]byte, bool) {
	if c.pos >= len(c.data) {
		return nil, false
	}
	c.line = c.ends + 1
	rest := c.data[c.pos:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
		c.pos++
		c.ends++
	}
	c.pos += len(rest)
	return bytes.TrimSpace(rest), true
}

// word cuts the first word off b: what stands between blanks or commas.
func word(b []byte) (w, rest []byte) {
	i := 0
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	j := i
	for j < len(b) && !isBlank(b[j]) {
		j++
	}
	return b[i:j], b[j:]
}

func isBlank(c byte) bool { return c == ' ' || c == ',' || c >= '\t' && c <= '\r' }

// nextWord takes one word, crossing line ends; empty at the end of the file.
func (c *cursor) nextWord() []byte {
	for c.pos < len(c.data) && isBlank(c.data[c.pos]) {
		if c.data[c.pos] == '\n' {
			c.ends++
		}
		c.pos++
	}
	c.line = c.ends + 1
	from := c.pos
	for c.pos < len(c.data) && !isBlank(c.data[c.pos]) {
		c.pos++
	}
	return c.data[from:c.pos]
}

// text views b as a string; b must not change while it is used.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parseFloat reads a finite number; Fortran's D exponent is understood.
func parseFloat(b []byte) (float64, bool) {
	x, err := strconv.ParseFloat(text(b), 64)
	if err != nil && bytes.ContainsAny(b, "dD") {
		x, err = strconv.ParseFloat(string(bytes.Map(func(r rune) rune {
			if r == 'd' || r == 'D' {
				return 'e'
			}
			return r
		}, b)), 64)
	}
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// parseInt reads a decimal whole number.
func parseInt(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// take returns the next n bytes of a binary file.
func (c *cursor) take(n int) ([]byte, bool) {
	if n < 0 || n > len(c.data)-c.pos {
		return nil, false
	}
	c.pos += n
	return c.data[c.pos-n : c.pos], true
}

// within bounds a count from a header by what the rest of the file can hold,
// at least each bytes an item: an honest count passes unchanged.
func (c *cursor) within(count int64, each int) int {
	return int(min(max(count, 0), int64((len(c.data)-c.pos)/max(each, 1))))
}

// newSurface wraps a surface with the unit that was applied.
func (in *input) newSurface(s *mesh.Surface, u Unit) *SurfaceFile {
	return &SurfaceFile{Surface: s, Names: map[imaging.Label]string{}, Unit: u}
}
