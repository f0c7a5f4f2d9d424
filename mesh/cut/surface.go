package cut

import (
	"context"
	"fmt"
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Surface is what a mesh is cut with: Plane, *Sheet or *Bezier.
type Surface interface {
	// prepare checks the surface and readies it for a mesh.
	prepare(ctx context.Context) (field, error)
}

// field answers where points lie relative to a surface.
type field interface {
	// sides writes the signed distance (mm) of every node that an edge of the
	// mesh might tie to the other side; NaN marks the others.
	sides(ctx context.Context, m *mesh.TetMesh, dist []float64) error
	// at is safe for concurrent use.
	at(p r3.Vec) foot
}

// foot is the nearest point of a surface.
type foot struct {
	dist float64 // mm, negative behind the surface
	at   r3.Vec
	// beyond tells that the nearest point is on the rim and the surface would
	// have to be prolonged to pass by; dist is then that of the prolongation's side.
	beyond bool
}

// Plane is an endless plane through Point. Normal (any length) points to the
// positive side.
type Plane struct{ Point, Normal r3.Vec } // LPS mm

// SurfaceError says why a surface cannot cut.
type SurfaceError struct {
	What string // "plane", "sheet", "Bézier surface"
	Why  string
	AtMM r3.Vec // LPS; zero when it is not about a place
}

func (e *SurfaceError) Error() string { return fmt.Sprintf("cut: %s: %s", e.What, e.Why) }

type planeField struct {
	n   r3.Vec // unit
	off float64
}

func (p Plane) prepare(context.Context) (field, error) {
	if !finite(p.Point) {
		return nil, &SurfaceError{What: "plane", Why: fmt.Sprintf("its point is %v; give finite LPS mm", p.Point)}
	}
	if !finite(p.Normal) {
		return nil, &SurfaceError{What: "plane", Why: fmt.Sprintf("its normal is %v; give a finite vector", p.Normal)}
	}
	// scaled first: the square of a tiny or huge component is lost
	s := max(math.Abs(p.Normal.X), math.Abs(p.Normal.Y), math.Abs(p.Normal.Z))
	if s == 0 {
		return nil, &SurfaceError{What: "plane", Why: "its normal is zero; give the direction of the positive side"}
	}
	n := r3.Vec{X: p.Normal.X / s, Y: p.Normal.Y / s, Z: p.Normal.Z / s}
	n = r3.Scale(1/r3.Norm(n), n)
	return planeField{n, dot(n, p.Point)}, nil
}

func (f planeField) sides(_ context.Context, m *mesh.TetMesh, dist []float64) error {
	for i := range dist {
		dist[i] = dot(f.n, m.Nodes[i]) - f.off
	}
	return nil
}

func (f planeField) at(p r3.Vec) foot {
	d := dot(f.n, p) - f.off
	return foot{dist: d, at: r3.Vec{X: p.X - d*f.n.X, Y: p.Y - d*f.n.Y, Z: p.Z - d*f.n.Z}}
}
