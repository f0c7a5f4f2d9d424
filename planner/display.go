package planner

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Structure is one displayed body: a range of the topology's vertices and its
// triangles, counter-clockwise seen from outside.
type Structure struct {
	Name  string        // unique within the topology: "remnant", "portal_vein", "tumour_1"
	Label imaging.Label // what it is
	First int32         // first vertex
	Count int32         // number of vertices
	Tris  [][3]int32    // indices into Topology.Rest, all within [First, First+Count)
}

// Topology is what stays the same over the frames of a run: the bodies, their
// triangles and their vertices at rest (LPS mm).
type Topology struct {
	Structures []Structure
	Rest       []r3.Vec
}

// Field is one value per displayed vertex.
type Field struct {
	ID     string // "von_mises", "displacement", "strain_max"
	Unit   string // UCUM: "kPa", "mm", "%"
	Values []float32
	// Quality is nil when nobody recorded it.
	Quality *FieldQuality
}

// FieldQuality says how well the values of a field are known.
type FieldQuality struct {
	// Residual is the relative residual of the solve, as Solution.Residual.
	Residual float64
	// Error is the estimated error of the discretisation in the field's unit, root
	// mean square over the vertices; nil: there is no estimate.
	Error    *float64
	Evidence Evidence // the worst of the inputs
}

// Same reports whether two say the same; both may be nil.
func (q *FieldQuality) Same(o *FieldQuality) bool {
	if q == nil || o == nil {
		return q == o
	}
	same := q.Residual == o.Residual && q.Evidence == o.Evidence && (q.Error == nil) == (o.Error == nil)
	return same && (q.Error == nil || *q.Error == *o.Error)
}

// Validate reports a residual or an error that is negative or not finite, and
// evidence of no known kind.
func (q *FieldQuality) Validate() error {
	good := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	switch {
	case q == nil:
		return nil
	case !good(q.Residual):
		return fmt.Errorf("its residual is %g", q.Residual)
	case q.Error != nil && !good(*q.Error):
		return fmt.Errorf("its estimated error is %g", *q.Error)
	case q.Evidence > EvidenceUnverified:
		return fmt.Errorf("its evidence is of no known kind: %d", q.Evidence)
	}
	return nil
}

// DisplayFrame is one converged state as it is shown and streamed.
type DisplayFrame struct {
	Epoch, Seq uint64 // Seq counts from 1 within an epoch
	SimTimeS   float64
	Pos        []r3.Vec // LPS mm, one per vertex of the topology
	Fields     []Field
}

// Validate reports a topology whose ranges or indices do not fit, naming the
// structure.
func (t *Topology) Validate() error {
	for _, s := range t.Structures {
		if s.First < 0 || s.Count < 0 || int(s.First)+int(s.Count) > len(t.Rest) {
			return fmt.Errorf("planner: structure %q: vertices %d+%d of %d", s.Name, s.First, s.Count, len(t.Rest))
		}
		for n, tri := range s.Tris {
			for _, v := range tri {
				if v < s.First || v >= s.First+s.Count {
					return fmt.Errorf("planner: structure %q: triangle %d names vertex %d outside its range", s.Name, n, v)
				}
			}
		}
	}
	return nil
}

// Validate reports a frame that does not fit the topology or holds a
// non-finite number, naming the first bad vertex.
func (f *DisplayFrame) Validate(t *Topology) error {
	if len(f.Pos) != len(t.Rest) {
		return fmt.Errorf("planner: frame %d has %d vertices, topology %d", f.Seq, len(f.Pos), len(t.Rest))
	}
	for n, p := range f.Pos {
		if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("planner: frame %d: vertex %d is not finite", f.Seq, n)
		}
	}
	for _, fd := range f.Fields {
		if len(fd.Values) != len(f.Pos) {
			return fmt.Errorf("planner: frame %d: field %s has %d values for %d vertices", f.Seq, fd.ID, len(fd.Values), len(f.Pos))
		}
		if err := fd.Quality.Validate(); err != nil {
			return fmt.Errorf("planner: frame %d: field %s: %w", f.Seq, fd.ID, err)
		}
		for n, v := range fd.Values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("planner: frame %d: field %s is not finite at vertex %d", f.Seq, fd.ID, n)
			}
		}
	}
	return nil
}
