package deck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"halsted/fem"
	"halsted/imaging"
)

// DefaultMaxBytes bounds all files of a model together.
const DefaultMaxBytes = 1 << 30

// Options says how a model file is read.
type Options struct {
	// Units are those of the file; zero: what the file says (FEBio's units
	// element), else mm, N, MPa. The model files of this module name their
	// units in every key; there only the length is used, for the mesh file.
	Units Units
	// Approximate lets pass what this module solves almost like the file says,
	// with a warning in the Report, instead of refusing it.
	Approximate bool
	// MaxBytes bounds the files together; 0: DefaultMaxBytes.
	MaxBytes int64
	// Open opens a file that the model names (an include, a mesh), and the model
	// itself; nil: the file system, relative to the file that names it.
	Open func(name string) (io.ReadCloser, error)
}

// Note is something the reader left out or took in its own way.
type Note struct {
	File    string
	Line    int
	Text    string
	Warning bool // the answer may differ a little from that of the file's own program
}

func (n Note) String() string {
	s := n.File
	if n.Line > 0 {
		s = fmt.Sprintf("%s, line %d", n.File, n.Line)
	}
	return s + ": " + n.Text
}

// Report tells what a file holds beside the model.
type Report struct {
	Format string // "Abaqus", "FEBio", "Halsted"
	Title  string
	Units  Units
	Notes  []Note
	// NodeNumbers and ElementNumbers are the file's numbers of the model's
	// nodes and tetrahedra; nil when they are the places.
	NodeNumbers, ElementNumbers []int64
	Names                       map[imaging.Label]string // of regions, as the file calls them
	Materials                   map[imaging.Label]string // the law of each region, in words
}

func (r *Report) note(p place, warning bool, text string, a ...any) {
	r.Notes = append(r.Notes, Note{p.file, p.line, fmt.Sprintf(text, a...), warning})
}

// Read reads a model; the extension of path picks the format: .inp (Abaqus,
// CalculiX), .feb (FEBio) or .json (this module's own). What the answer depends
// on is read or refused; what it does not depend on is left out with a note.
// The model is in house units (mm, N, MPa, t, s); its nodes are those of some
// element, corner nodes before mid-edge nodes, each in the order of the file's
// numbers. Settings hold the steps and the formulation that the file asks for.
//
// Errors: *Error with file, line and keyword; an error of package material at
// such a place; *meshio.FormatError for mesh files; what ctx or Open return.
func Read(ctx context.Context, path string, opt Options) (*fem.Model, fem.Settings, Report, error) {
	if opt.MaxBytes == 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	r := &reader{ctx: ctx, opt: opt, left: opt.MaxBytes, rep: Report{Units: opt.Units, Names: map[imaging.Label]string{}, Materials: map[imaging.Label]string{}}}
	var m *fem.Model
	var s fem.Settings
	data, err := r.file(place{file: filepath.Base(path)}, path)
	if err != nil {
		return nil, s, r.rep, err
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".inp":
		r.rep.Format = "Abaqus"
		m, s, err = r.readInp(path, data)
	case ".feb":
		r.rep.Format = "FEBio"
		m, s, err = r.readFeb(path, data)
	case ".json":
		r.rep.Format = "Halsted"
		m, s, err = r.readJSON(path, data)
	default:
		err = &Error{File: filepath.Base(path), What: fmt.Sprintf("the extension %q stands for no model format", ext), Remedy: "want .inp, .feb or .json"}
	}
	if err != nil {
		return nil, fem.Settings{}, r.rep, err
	}
	return m, s, r.rep, nil
}

// reader is what the formats share.
type reader struct {
	ctx  context.Context
	opt  Options
	left int64 // bytes that may still be read
	rep  Report
	tick int
}

// alive looks at the context now and then.
func (r *reader) alive() error {
	if r.tick++; r.tick&4095 == 0 {
		return r.ctx.Err()
	}
	return nil
}

// file reads a whole file named at p.
func (r *reader) file(p place, path string) ([]byte, error) {
	open := r.opt.Open
	if open == nil {
		open = openRegular
	}
	f, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, p.bad("check the path; it counts from the folder of the file that names it", "no such file: %s", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(-1)
	if o, ok := f.(*os.File); ok {
		if info, err := o.Stat(); err == nil {
			size = info.Size()
		}
	}
	if size > r.left {
		return nil, p.bad("raise Options.MaxBytes", "the files are longer than %d bytes", r.opt.MaxBytes)
	}
	data := make([]byte, 0, max(size, 0)+512)
	for {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		data = slices.Grow(data, 512)
		n, err := f.Read(data[len(data):min(cap(data), len(data)+1<<20)])
		data = data[:len(data)+n]
		if r.left -= int64(n); r.left < 0 {
			return nil, p.bad("raise Options.MaxBytes", "the files are longer than %d bytes", r.opt.MaxBytes)
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// openRegular opens a plain file: a named pipe would wait for ever.
func openRegular(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("deck: %s is not a plain file", filepath.Base(name))
	}
	return os.Open(name)
}

// beside resolves a name that the file at path mentions.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}
