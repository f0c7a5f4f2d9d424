package meshio

import (
	"fmt"
	"image/color"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// DefaultMaxBytes bounds a file to be read (21 million faces of binary STL).
const DefaultMaxBytes = 1 << 30

// ReadOptions says how a file is read; the zero value suits a file in mm.
type ReadOptions struct {
	// Unit is the unit of length of the file. 0: what the file says, if it is
	// one of ours or GLB, else mm.
	Unit Unit
	// Label is the structure of faces and elements for which the file names
	// none. 0: LabelLiver.
	Label imaging.Label
	// Labels gives the structure behind names or tags of the file ("PART-1",
	// "17"). Names that are not in it are understood as described at Names.
	Labels map[string]imaging.Label
	// SkipUnknown leaves out elements of types that cannot be held (hexahedra,
	// for one) and lists them, instead of refusing the file.
	SkipUnknown bool
	// MaxBytes bounds the file, packed and unpacked; 0: DefaultMaxBytes. What is
	// read takes at most a few times its size in memory, whatever its headers
	// claim.
	MaxBytes int64
}

// check fills in the defaults.
func (o ReadOptions) check() (ReadOptions, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Label == 0 {
		o.Label = imaging.LabelLiver
	}
	if o.MaxBytes < 0 || o.MaxBytes > math.MaxInt64/4 {
		return o, fmt.Errorf("meshio: ReadOptions.MaxBytes is %d", o.MaxBytes)
	}
	return o, checkUnit(o.Unit)
}

func checkUnit(u Unit) error {
	if u != 0 && !(u >= 1e-9 && u <= 1e9) {
		return fmt.Errorf("meshio: a unit of %g mm", float64(u))
	}
	return nil
}

// WriteOptions says how a file is written; the zero value gives binary files
// in mm where the format has a binary form.
type WriteOptions struct {
	// Unit is the unit of length of the file; 0: mm (GLB: metres). With another
	// unit than mm each coordinate is rounded once more. Fields are written as
	// they are.
	Unit Unit
	// Text asks for the text form of STL, PLY, VTU and gmsh.
	Text bool
	// BigEndian asks for the big-endian form of binary PLY.
	BigEndian bool
	// Inline puts the arrays of a binary VTU inside their tags in base64; else
	// they are appended raw, which is smaller but no XML.
	Inline bool
	// Version is "4.1" or "2.2" for gmsh, "4.0" or "3.0" for FEBio; empty: the
	// first.
	Version string
	// Float32 keeps the positions of a GLB file in float32; else they are
	// quantised to 16 bits over the longest side of the scene.
	Float32 bool
	// Names gives names to regions in place of Label.String.
	Names map[imaging.Label]string
	// Colours gives sRGB colours to the regions of a GLB file in place of the
	// built-in ones.
	Colours map[imaging.Label]color.NRGBA
	// PointFields and CellFields are values at the nodes and elements of a VTU
	// file; the other formats hold none and refuse them.
	PointFields, CellFields []Field
}

func (o *WriteOptions) name(l imaging.Label) string {
	if n := o.Names[l]; n != "" {
		return n
	}
	return l.String()
}

// Field is a value at every node or at every element: exactly one of Scalars
// and Vectors is set. Name carries the unit, as in "displacement_mm".
type Field struct {
	Name    string
	Scalars []float64
	Vectors []r3.Vec
}

// PointField is a Field at the nodes.
type PointField = Field

func (f *Field) len() int { return len(f.Scalars) + len(f.Vectors) }

// Skipped counts elements of one type that were left out.
type Skipped struct {
	Type  string // as the file names it
	Count int
	First int64 // number of the first one
}

// SurfaceFile is a surface and what else its file says.
type SurfaceFile struct {
	Surface *mesh.Surface
	// Names tells what the file calls a region, where that differs from
	// Label.String. How a name or tag becomes a label, in this order:
	// ReadOptions.Labels; a name that Label.String gives; a tag of 1 to 255; the
	// next free label from 64.
	Names map[imaging.Label]string
	// Repeated counts faces that have two equal corners, and so no area; they
	// are left out.
	Repeated int
	Skipped  []Skipped
	Unit     Unit // that was applied
}

// TetFile is a tetrahedral mesh and what else its file says.
type TetFile struct {
	Mesh  *mesh.TetMesh
	Names map[imaging.Label]string // see SurfaceFile
	// PointFields and CellFields are the fields of one or three components;
	// LeftOut names the others.
	PointFields, CellFields []Field
	LeftOut                 []string
	// Inverted counts elements that are inside out or flat, by their corners;
	// FirstInverted is the number of the first in the file. They are kept as
	// they are.
	Inverted      int
	FirstInverted int64
	// Skipped lists elements that were left out: points, lines and faces
	// always, others with SkipUnknown.
	Skipped []Skipped
	// Unused counts nodes of no element; they are left out.
	Unused int
	Unit   Unit // that was applied
}
