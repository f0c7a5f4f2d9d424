package nrrd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Bounds of what is read.
const (
	MaxBytes  = 2 << 30 // decoded samples: eight times a 512×512×512 CT
	MaxHeader = 4 << 20 // header, far above that of a hundred segments

	maxTail = 64 << 10 // after the samples in compressed data
	maxSide = 1 << 15  // a CT has at most some thousand slices
	maxSkip = 16 << 20 // bytes or lines before the samples
)

// FormatError says why the bytes are not an image this package reads.
type FormatError struct{ Why string }

func (e *FormatError) Error() string { return "nrrd: " + e.Why }

func refuse(format string, args ...any) error { return &FormatError{fmt.Sprintf(format, args...)} }

// Type is a sample type.
type Type uint8

// The sample types.
const (
	Int8 Type = iota
	Uint8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Uint64
	Float32
	Float64
)

// typeNames are the spellings that every reader knows.
var typeNames = [...]string{"signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int",
	"long long int", "unsigned long long int", "float", "double"}

func (t Type) String() string { return typeNames[t] }

func (t Type) size() int { return [...]int{1, 1, 2, 2, 4, 4, 8, 8, 4, 8}[t] }

// typeOf are the names of sample types in files.
var typeOf = map[string]Type{
	"signed char": Int8, "int8": Int8, "int8_t": Int8,
	"uchar": Uint8, "unsigned char": Uint8, "uint8": Uint8, "uint8_t": Uint8,
	"short": Int16, "short int": Int16, "signed short": Int16, "signed short int": Int16, "int16": Int16, "int16_t": Int16,
	"ushort": Uint16, "unsigned short": Uint16, "unsigned short int": Uint16, "uint16": Uint16, "uint16_t": Uint16,
	"int": Int32, "signed int": Int32, "int32": Int32, "int32_t": Int32,
	"uint": Uint32, "unsigned int": Uint32, "uint32": Uint32, "uint32_t": Uint32,
	"longlong": Int64, "long long": Int64, "long long int": Int64, "signed long long": Int64,
	"signed long long int": Int64, "int64": Int64, "int64_t": Int64,
	"ulonglong": Uint64, "unsigned long long": Uint64, "unsigned long long int": Uint64, "uint64": Uint64, "uint64_t": Uint64,
	"float": Float32, "double": Float64,
}

// spaces are the signs of x, y, z that turn a space into LPS.
var spaces = map[string][3]float64{
	"left-posterior-superior": {1, 1, 1}, "lps": {1, 1, 1},
	"right-anterior-superior": {-1, -1, 1}, "ras": {-1, -1, 1},
	"left-anterior-superior": {1, -1, 1}, "las": {1, -1, 1},
}

// unitMM are units of length in mm.
var unitMM = map[string]float64{"mm": 1, "": 1, "m": 1000, "cm": 10, "um": 1e-3, "μm": 1e-3, "µm": 1e-3}

// fields are the identifiers of the format; further spellings are mapped to
// one.
var fields = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{"dimension", "type", "block size", "encoding", "endian", "content", "min", "max", "old min", "old max",
		"data file", "line skip", "byte skip", "number", "sample units", "sizes", "spacings", "thicknesses", "axis mins", "axis maxs",
		"centerings", "centers", "labels", "units", "kinds", "space", "space dimension", "space units", "space origin", "space directions", "measurement frame"} {
		m[name] = name
	}
	for _, name := range []string{"block size", "old min", "old max", "data file", "line skip", "byte skip", "sample units", "axis mins", "axis maxs"} {
		m[strings.ReplaceAll(name, " ", "")] = name
	}
	return m
}()

// header is what a file says before its samples.
type header struct {
	field map[string]string
	keys  map[string]string

	typ        Type
	order      binary.ByteOrder
	grid       imaging.Grid
	layers     int
	layerFirst bool
	gzip       bool
	lineSkip   int
	byteSkip   int    // −1: the samples are the last bytes
	dataFile   string // "" when attached
}

// readHeader reads up to the empty line, or to the end of a detached header.
func readHeader(r *bufio.Reader) (*header, error) {
	h := &header{field: map[string]string{}, keys: map[string]string{}}
	left := MaxHeader
	for n := 1; ; n++ {
		line, err := readLine(r, &left)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		ended := err != nil
		switch {
		case n == 1:
			if len(line) != 8 || line[:7] != "NRRD000" || line[7] < '1' || line[7] > '5' {
				return nil, refuse("the first line is not that of a NRRD file of format 1 to 5")
			}
		case line == "" && !ended:
			return h, h.check()
		case line != "" && line[0] != '#':
			if err := h.line(line); err != nil {
				return nil, fmt.Errorf("nrrd: line %d: %w", n, err)
			}
		}
		if ended {
			if h.field["data file"] == "" {
				return nil, fmt.Errorf("nrrd: the file stops inside the header: %w", io.ErrUnexpectedEOF)
			}
			return h, h.check()
		}
	}
}

// readLine reads one line without its end, and takes its length off left.
func readLine(r *bufio.Reader, left *int) (string, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return "", refuse("the header is longer than %d MiB", MaxHeader>>20)
		}
		b = append(b, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("nrrd: the header: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), err
	}
}

// line takes over a field ("name: value") or a key ("name:=value").
func (h *header) line(s string) error {
	f, k := strings.Index(s, ": "), strings.Index(s, ":=")
	switch {
	case k >= 0 && (f < 0 || k < f):
		name := unescape(s[:k])
		if _, twice := h.keys[name]; twice {
			return &FormatError{"a key stands there twice"}
		}
		h.keys[name] = unescape(s[k+2:])
		return nil
	case f < 0 && strings.HasSuffix(s, ":"):
		f = len(s) - 1
	case f < 0:
		return &FormatError{"neither a field nor a key"}
	}
	name, known := fields[strings.ToLower(strings.TrimSpace(s[:f]))]
	if !known {
		return &FormatError{"a field that the format does not have"}
	}
	if _, twice := h.field[name]; twice {
		return &FormatError{"the field " + name + " stands there twice"}
	}
	h.field[name] = strings.TrimSpace(s[f+1:])
	return nil
}

// unescape undoes the \n and \\ of keys and values.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(s)
}

func escape(s string) string { return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", " ").Replace(s) }

// check makes sense of the fields.
func (h *header) check() error {
	typ, ok := typeOf[strings.ToLower(h.field["type"])]
	if !ok {
		return refuse("the type of the samples is missing or none that is read")
	}
	h.typ, h.order = typ, binary.LittleEndian
	switch strings.ToLower(h.field["endian"]) {
	case "little":
	case "big":
		h.order = binary.BigEndian
	default:
		if typ.size() > 1 {
			return refuse("endian is missing, and samples of %v need it", typ)
		}
	}
	switch strings.ToLower(h.field["encoding"]) {
	case "raw":
	case "gzip", "gz":
		h.gzip = true
	default:
		return refuse("the encoding is neither raw nor gzip; write it again, for example with `unu save -f nrrd -e gzip`")
	}
	for _, skip := range []struct {
		name  string
		least int
		dst   *int
	}{{"line skip", 0, &h.lineSkip}, {"byte skip", -1, &h.byteSkip}} {
		if v, given := h.field[skip.name]; given {
			n, err := strconv.Atoi(v)
			if err != nil || n < skip.least || n > maxSkip || n == -1 && h.gzip {
				return refuse("%s is no number of its range", skip.name)
			}
			*skip.dst = n
		}
	}
	h.dataFile = h.field["data file"]
	return h.place()
}

// numbers are the values of a field of whole numbers.
func (h *header) numbers(name string) ([]int, error) {
	var out []int
	for _, s := range strings.Fields(h.field[name]) {
		n, err := strconv.Atoi(s)
		if err != nil || len(out) == 16 {
			return nil, refuse("%s is no list of whole numbers", name)
		}
		out = append(out, n)
	}
	return out, nil
}

// place finds the lattice and the layers.
func (h *header) place() error {
	dim, err := h.numbers("dimension")
	if err != nil {
		return err
	}
	sizes, err := h.numbers("sizes")
	if err != nil {
		return err
	}
	if len(dim) != 1 || dim[0] != 3 && dim[0] != 4 || len(sizes) != dim[0] {
		return refuse("dimension and %d sizes are not those of 3 axes, or of 4 with layers", len(sizes))
	}
	bytes := int64(h.typ.size())
	for a, n := range sizes {
		if n < 1 || n > maxSide {
			return refuse("%d samples along axis %d", n, a+1)
		}
		if bytes > MaxBytes/int64(n) {
			return refuse("more than %d MiB of samples", MaxBytes>>20)
		}
		bytes *= int64(n)
	}
	sign, known := spaces[strings.ToLower(h.field["space"])]
	if !known {
		return refuse("space is not left-posterior-superior, right-anterior-superior or left-anterior-superior: left and right are unknown; convert the image again with its orientation")
	}
	axes, err := h.vectors("space directions")
	if err != nil {
		return err
	}
	origin, err := h.vectors("space origin")
	if err != nil {
		return err
	}
	if len(axes) != dim[0] || len(origin) != 1 || origin[0] == nil {
		return refuse("space directions of %d axes and %d origins do not place %d axes", len(axes), len(origin), dim[0])
	}
	mm, err := h.units()
	if err != nil {
		return err
	}
	lps := func(v *r3.Vec) r3.Vec {
		return r3.Vec{X: sign[0] * mm[0] * v.X, Y: sign[1] * mm[1] * v.Y, Z: sign[2] * mm[2] * v.Z}
	}
	h.layers = 1
	h.grid.Origin = lps(origin[0])
	at := 0
	for a, v := range axes {
		switch {
		case v != nil && at < 3:
			h.grid.Size[at], h.grid.Axes[at] = sizes[a], lps(v)
			at++
		case v == nil && dim[0] == 4 && (a == 0 || a == 3):
			h.layers, h.layerFirst = sizes[a], a == 0
		default:
			return refuse("axis %d: three axes with a direction are needed, and one without may stand first or last", a+1)
		}
	}
	if at != 3 {
		return refuse("%d axes with a direction; three are needed", at)
	}
	if err := h.grid.Validate(); err != nil {
		return &FormatError{err.Error()}
	}
	return nil
}

// vectors are those of a field: "(x,y,z)" or "none", nil here.
func (h *header) vectors(name string) ([]*r3.Vec, error) {
	bad := refuse("%s is no list of vectors (x,y,z) of finite numbers", name)
	var out []*r3.Vec
	for s := strings.TrimSpace(h.field[name]); s != ""; s = strings.TrimSpace(s) {
		if len(out) == 16 {
			return nil, bad
		}
		if rest, none := strings.CutPrefix(s, "none"); none {
			out, s = append(out, nil), rest
			continue
		}
		end := strings.IndexByte(s, ')')
		if s[0] != '(' || end < 0 {
			return nil, bad
		}
		parts := strings.Split(s[1:end], ",")
		s = s[end+1:]
		if len(parts) != 3 {
			return nil, bad
		}
		var v [3]float64
		for n, p := range parts {
			f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
			if err != nil {
				return nil, bad
			}
			v[n] = f
		}
		if slices.IndexFunc(v[:], math.IsNaN) == 0 { // another way to say none
			out = append(out, nil)
			continue
		}
		if sum := v[0] + v[1] + v[2]; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return nil, bad
		}
		out = append(out, &r3.Vec{X: v[0], Y: v[1], Z: v[2]})
	}
	return out, nil
}

// units are those of the three axes of the space, in mm.
func (h *header) units() ([3]float64, error) {
	mm := [3]float64{1, 1, 1}
	list := strings.Split(h.field["space units"], `"`)
	if len(list) == 1 {
		return mm, nil
	}
	if len(list) != 7 { // "a" "b" "c" has six quotes
		return mm, refuse("space units are not three quoted units")
	}
	for n := range mm {
		v, known := unitMM[list[2*n+1]]
		if !known {
			return mm, refuse("a space unit that is not m, cm, mm or um")
		}
		mm[n] = v
	}
	return mm, nil
}
