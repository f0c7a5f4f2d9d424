package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Transform maps a point x of the fixed image's patient space to the point
// Matrix·x + Translation of the moving image's patient space. Both spaces are
// LPS in mm. The zero Transform is singular and maps nothing; Identity is the
// neutral one.
type Transform struct {
	Matrix      [9]float64 // row by row, no unit
	Translation r3.Vec     // mm
}

// ErrSingular is wrapped by errors about a transform that is not finite or
// whose matrix has no inverse.
var ErrSingular = errors.New("register: transform is not finite or not invertible")

// minDeterminant is relative to the product of the row lengths: below it the
// image of a cube is so flat that the inverse has lost half its digits.
const minDeterminant = 1e-8

// Identity maps every point to itself.
func Identity() Transform {
	return Transform{Matrix: [9]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}}
}

// NewRigid turns by the rotation vector (its direction is the axis, its length
// the angle in radians, right-hand rule) about centre and then shifts, both in
// LPS mm: x ↦ R(x − centre) + centre + shift.
func NewRigid(rotation, centre, shift r3.Vec) Transform {
	return about(rotationMatrix(rotation), centre, shift)
}

// NewAffine is x ↦ matrix·(x − centre) + centre + shift, the matrix row by row.
func NewAffine(matrix [9]float64, centre, shift r3.Vec) Transform {
	return about(matrix, centre, shift)
}

func about(m [9]float64, centre, shift r3.Vec) Transform {
	return Transform{Matrix: m, Translation: r3.Add(r3.Sub(centre, mulVec(&m, centre)), shift)}
}

// Apply maps a point of fixed space to moving space, LPS mm.
func (t Transform) Apply(p r3.Vec) r3.Vec { return r3.Add(mulVec(&t.Matrix, p), t.Translation) }

// Compose is first, then t: x ↦ t(first(x)).
func (t Transform) Compose(first Transform) Transform {
	return Transform{Matrix: mul(&t.Matrix, &first.Matrix), Translation: t.Apply(first.Translation)}
}

// Determinant is the factor by which the map scales volumes; negative for a
// mirror image.
func (t Transform) Determinant() float64 { return det(&t.Matrix) }

// Validate reports a transform that is not finite or has no inverse (wrapping
// ErrSingular).
func (t Transform) Validate() error {
	m := &t.Matrix
	sum, rows := t.Translation.X+t.Translation.Y+t.Translation.Z, 1.0
	for r := range 3 {
		l := math.Hypot(math.Hypot(m[3*r], m[3*r+1]), m[3*r+2])
		sum += l
		rows *= l
	}
	d := det(m)
	if math.IsNaN(sum+d) || math.IsInf(sum, 0) || math.IsInf(d, 0) {
		return fmt.Errorf("%w: an entry is not finite or too large", ErrSingular)
	}
	if rows == 0 || math.Abs(d) < minDeterminant*rows || math.Abs(d) < math.SmallestNonzeroFloat64/minDeterminant {
		return fmt.Errorf("%w: determinant %.3g", ErrSingular, d)
	}
	return nil
}

// Invert is the map from moving to fixed space. The error wraps ErrSingular.
func (t Transform) Invert() (Transform, error) {
	if err := t.Validate(); err != nil {
		return Transform{}, err
	}
	inv := inverse(&t.Matrix)
	out := Transform{Matrix: inv, Translation: r3.Scale(-1, mulVec(&inv, t.Translation))}
	if err := out.Validate(); err != nil {
		return Transform{}, err
	}
	return out, nil
}

// rigidTol bounds |MᵀM − I| of a rigid transform: matrices written with six
// decimals pass, a scale of 1.00001 does not.
const rigidTol = 4e-6

// IsRigid reports whether t is a rotation and a shift.
func (t Transform) IsRigid() bool {
	m := &t.Matrix
	for a := range 3 {
		for b := range 3 {
			s := m[a]*m[b] + m[3+a]*m[3+b] + m[6+a]*m[6+b]
			if a == b {
				s--
			}
			if !(math.Abs(s) <= rigidTol) {
				return false
			}
		}
	}
	return det(m) > 0
}

// RigidAbout is the inverse of NewRigid: the rotation vector in radians (length
// at most π) and the shift in mm of centre. It reports false when t is not
// rigid.
func (t Transform) RigidAbout(centre r3.Vec) (rotation, shift r3.Vec, ok bool) {
	if !t.IsRigid() {
		return r3.Vec{}, r3.Vec{}, false
	}
	return rotationVector(&t.Matrix), r3.Sub(t.Apply(centre), centre), true
}

// wire is the JSON form of Transform.
type wire struct {
	Matrix      [][]float64 `json:"matrix"`
	Translation []float64   `json:"translation_mm"`
	Frame       string      `json:"frame"`
	Maps        string      `json:"maps"`
}

const (
	wireFrame = "LPS"
	wireMaps  = "fixed to moving"
)

// MarshalJSON writes {"matrix": three rows, "translation_mm": [x,y,z],
// "frame": "LPS", "maps": "fixed to moving"}. A singular transform is an error.
func (t Transform) MarshalJSON() ([]byte, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	m := t.Matrix
	return json.Marshal(wire{
		Matrix:      [][]float64{m[0:3], m[3:6], m[6:9]},
		Translation: []float64{t.Translation.X, t.Translation.Y, t.Translation.Z},
		Frame:       wireFrame, Maps: wireMaps,
	})
}

// UnmarshalJSON reads what MarshalJSON writes and refuses another frame or
// direction, a wrong number of entries and a singular matrix.
func (t *Transform) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("register: transform: %w", err)
	}
	if w.Frame != wireFrame || w.Maps != wireMaps {
		return fmt.Errorf("register: transform: frame %.20q, maps %.20q; want %q, %q", w.Frame, w.Maps, wireFrame, wireMaps)
	}
	if len(w.Matrix) != 3 || len(w.Translation) != 3 {
		return fmt.Errorf("register: transform: %d matrix rows and %d translation entries; want 3 and 3", len(w.Matrix), len(w.Translation))
	}
	var out Transform
	for r, row := range w.Matrix {
		if len(row) != 3 {
			return fmt.Errorf("register: transform: %d entries in matrix row %d; want 3", len(row), r)
		}
		copy(out.Matrix[3*r:], row)
	}
	out.Translation = r3.Vec{X: w.Translation[0], Y: w.Translation[1], Z: w.Translation[2]}
	if err := out.Validate(); err != nil {
		return err
	}
	*t = out
	return nil
}
