package meshio

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"halsted/mesh"
)

// codec is one entry of the registry; what a format cannot do is nil.
type codec struct {
	name, ext    string
	readSurface  func(in *input) (*SurfaceFile, error)
	writeSurface func(o *output, s *mesh.Surface, opt *WriteOptions) error
	readTets     func(in *input) (*TetFile, error)
	writeTets    func(o *output, m *mesh.TetMesh, opt *WriteOptions) error
}

var codecs = []codec{
	{name: "STL", ext: ".stl", readSurface: readSTL, writeSurface: writeSTL},
	{name: "PLY", ext: ".ply", readSurface: readPLY, writeSurface: writePLY},
	{name: "GLB", ext: ".glb", readSurface: readGLB, writeSurface: writeGLBSurface},
	{name: "VTU", ext: ".vtu", readTets: readVTU, writeTets: writeVTU},
	{name: "gmsh", ext: ".msh", readTets: readGmsh, writeTets: writeGmsh},
	{name: "Abaqus", ext: ".inp", readTets: readAbaqus, writeTets: writeAbaqus},
	{name: "FEBio", ext: ".feb", readTets: readFEBio, writeTets: writeFEBio},
}

// find picks the format of a file name by its extension, in any case.
func find(name, want string, can func(*codec) bool) (*codec, error) {
	ext := strings.ToLower(filepath.Ext(name))
	var known []string
	for n := range codecs {
		if !can(&codecs[n]) {
			continue
		}
		if codecs[n].ext == ext {
			return &codecs[n], nil
		}
		known = append(known, codecs[n].ext)
	}
	return nil, &UnknownFormatError{Name: filepath.Base(name), Want: want, Known: known}
}

// ReadSurface reads a triangle mesh from r; the extension of name picks the
// format: .stl, .ply or .glb. The file's unit is turned into mm. The surface
// may be open or worse: see mesh.Surface.Defects and Check.
//
// Errors: *UnknownFormatError; *FormatError naming the place and the remedy;
// what r or ctx return.
func ReadSurface(ctx context.Context, r io.Reader, name string, opt ReadOptions) (*SurfaceFile, error) {
	f, err := find(name, "read a surface", func(f *codec) bool { return f.readSurface != nil })
	if err != nil {
		return nil, err
	}
	opt, err = opt.check()
	if err != nil {
		return nil, err
	}
	return f.readSurface(&input{ctx: ctx, r: r, size: sizeOf(r), format: f.name, opt: opt})
}

// ReadSurfaceFile is ReadSurface on the file at path.
func ReadSurfaceFile(ctx context.Context, path string, opt ReadOptions) (*SurfaceFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadSurface(ctx, f, path, opt)
}

// WriteSurface writes s to w in the format of the extension of name. All of s
// is checked before the first byte; the same s gives the same bytes.
//
// Errors: *UnknownFormatError; *FormatError naming what cannot be written; what
// w or ctx return. For whole files or none, write through internal/atomicfile.
func WriteSurface(ctx context.Context, w io.Writer, name string, s *mesh.Surface, opt WriteOptions) error {
	f, err := find(name, "write a surface", func(f *codec) bool { return f.writeSurface != nil })
	if err != nil {
		return err
	}
	if err := checkUnit(opt.Unit); err != nil {
		return err
	}
	if err := checkSurface(f.name, s); err != nil {
		return err
	}
	if len(s.Region) != len(s.Tris) {
		return fail(f.name, "give every face its regions", "%d regions for %d faces", len(s.Region), len(s.Tris))
	}
	if opt.PointFields != nil || opt.CellFields != nil {
		return fail(f.name, "write the fields of the tetrahedral mesh as VTU", "the format holds no fields")
	}
	o := newOutput(ctx, w)
	if err := f.writeSurface(o, s, &opt); err != nil {
		return err
	}
	return o.flush()
}

// ReadTetMesh reads a mesh of tetrahedra, Tet4 or Tet10, from r; the extension
// of name picks the format: .vtu, .msh, .inp or .feb. The file's unit is turned
// into mm, nodes of no element are left out, corner nodes come before mid-edge
// nodes. The mesh is as good as the file: see TetFile.Inverted and
// mesh.TetMesh.Check.
//
// Errors: as for ReadSurface.
func ReadTetMesh(ctx context.Context, r io.Reader, name string, opt ReadOptions) (*TetFile, error) {
	f, err := find(name, "read tetrahedra", func(f *codec) bool { return f.readTets != nil })
	if err != nil {
		return nil, err
	}
	opt, err = opt.check()
	if err != nil {
		return nil, err
	}
	return f.readTets(&input{ctx: ctx, r: r, size: sizeOf(r), format: f.name, opt: opt})
}

// ReadTetMeshFile is ReadTetMesh on the file at path.
func ReadTetMeshFile(ctx context.Context, path string, opt ReadOptions) (*TetFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadTetMesh(ctx, f, path, opt)
}

// WriteTetMesh writes m to w in the format of the extension of name; see
// WriteSurface.
func WriteTetMesh(ctx context.Context, w io.Writer, name string, m *mesh.TetMesh, opt WriteOptions) error {
	f, err := find(name, "write tetrahedra", func(f *codec) bool { return f.writeTets != nil })
	if err != nil {
		return err
	}
	if err := checkUnit(opt.Unit); err != nil {
		return err
	}
	if err := checkTets(f.name, m, &opt); err != nil {
		return err
	}
	if err := checkNames(f.name, m, &opt); err != nil {
		return err
	}
	o := newOutput(ctx, w)
	if err := f.writeTets(o, m, &opt); err != nil {
		return err
	}
	return o.flush()
}

// WriteSTL writes all faces of s as binary STL in mm.
func WriteSTL(w io.Writer, s *mesh.Surface) error {
	return WriteSurface(context.Background(), w, ".stl", s, WriteOptions{})
}

// WriteVTU writes m and the fields at its nodes as VTU in mm, with the arrays
// inline in base64, so that the file is XML throughout.
func WriteVTU(w io.Writer, m *mesh.TetMesh, fields []PointField) error {
	return WriteTetMesh(context.Background(), w, ".vtu", m, WriteOptions{PointFields: fields, Inline: true})
}
