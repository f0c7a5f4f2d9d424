package aneurysm

import (
	"fmt"
	"math"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Regions of the mesh of a Wall.
const (
	WallRegion     = imaging.LabelVesselWall
	ThrombusRegion = imaging.LabelAorta // what fills the aorta beside the blood
)

// MeshOptions says how fine a wall is meshed; zero means the defaults.
type MeshOptions struct {
	Angles         int // elements around; 0 means 24
	Rows           int // elements along; 0: as many as make the elements square at the mean radius
	WallLayers     int // quadratic elements through the wall; 0 means 1
	ThrombusLayers int // through the thrombus; 0 means 2
}

func (o MeshOptions) withDefaults(s *Shape) (MeshOptions, error) {
	if o.Angles == 0 {
		o.Angles = 24
	}
	if o.Rows == 0 {
		sum, n := 0.0, 0
		for _, row := range s.border() {
			for _, r := range row {
				sum += r
				n++
			}
		}
		o.Rows = max(6, int(math.Round(s.LengthMM()/(2*math.Pi*sum/float64(n))*float64(o.Angles))))
	}
	if o.WallLayers == 0 {
		o.WallLayers = 1
	}
	if o.ThrombusLayers == 0 {
		o.ThrombusLayers = 2
	}
	if o.Angles < 8 || o.Angles > 512 || o.Rows < 4 || o.Rows > 2000 || o.WallLayers < 1 || o.WallLayers > 8 || o.ThrombusLayers < 1 || o.ThrombusLayers > 8 {
		return o, &InputError{"MeshOptions", fmt.Sprintf("%+v: 8 to 512 angles, 4 to 2000 rows, 1 to 8 layers", o)}
	}
	return o, nil
}

// border is the border that was seen: the outer one if there is one.
func (s *Shape) border() [][]float64 {
	if s.Outer != nil {
		return s.Outer
	}
	return s.Lumen
}

// minThrombusMM is the thickness below which thrombus is taken for blood: less
// than two voxels of a usual CT, and too flat for an element.
const minThrombusMM = 1.5

// Wall is the solid part of the aorta, meshed: the wall, and the thrombus
// between it and the blood. All slices go by node or by element of Mesh.
type Wall struct {
	Mesh        *mesh.TetMesh // Tet10, sides on the shape; regions WallRegion and ThrombusRegion
	ThicknessMM float64
	ArcMM       []float64       // arc length of each node along the centreline
	Angle       []float64       // of each node, radians
	ThrombusMM  []float64       // thickness of the thrombus inside each node
	RadiusMM    []float64       // from the centreline to the outer border at each node
	Luminal     [][3]int32      // faces that the blood presses on: corner nodes
	Ends        [2][]int32      // nodes of the upper and the lower end
	EndNormal   [2]r3.Vec       // direction of flow there
	Axes        []material.Mat3 // per quadrature point: around, along, outward
	isWall      []bool          // node of the wall
	judged      []bool          // node whose stress counts
	volume      []float64       // of the wall at each node, mm³
	outside     []bool          // node of the outer surface
	lengthMM    float64
}

// NewWall meshes the wall of a shape with a constant thickness, mm, measured
// along the normal: inward from the outer border if there is one, else outward
// from the lumen. What lies between wall and lumen and is at least 1.5 mm thick
// is thrombus. Quadratic tetrahedra, three to a prism, their edges on the shape.
func NewWall(s *Shape, thicknessMM float64, o MeshOptions) (*Wall, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if !(thicknessMM >= 0.2 && thicknessMM <= 8) {
		return nil, &InputError{"wall thickness", fmt.Sprintf("is %g mm: the wall of an aorta has 0.2 to 8 mm", thicknessMM)}
	}
	o, err := o.withDefaults(s)
	if err != nil {
		return nil, err
	}
	g := &wallGrid{s: s, o: o, t: thicknessMM, rows: 2*o.Rows + 1, cols: 2 * o.Angles}
	g.borders()
	w := g.mesh()
	for e := range w.Mesh.Tets {
		if d := minJacobian(w.Mesh, e); !(d > 0) {
			v := w.Mesh.Tets[e]
			return nil, &InputError{"Shape", fmt.Sprintf("the wall folds over at %.0f mm along the centreline: sections meet or bend too sharply for a wall of %.2g mm; smooth the border or the centreline", w.ArcMM[v[0]], thicknessMM)}
		}
	}
	return w, nil
}

// wallGrid is the surfaces of the wall on a lattice with a row and a column
// for every corner and every mid-edge node.
type wallGrid struct {
	s                   *Shape
	o                   MeshOptions
	t                   float64
	rows, cols          int
	outer, inner, lumen []r3.Vec  // [row·cols + col]
	ilt                 []float64 // thickness of the thrombus, mm
	across              []float64 // from the centre to the outer border, mm
}

func (g *wallGrid) arc(row int) float64   { return g.s.LengthMM() * float64(row) / float64(g.rows-1) }
func (g *wallGrid) angle(col int) float64 { return 2 * math.Pi * float64(col) / float64(g.cols) }

// borders fills the surfaces.
func (g *wallGrid) borders() {
	n := g.rows * g.cols
	g.outer, g.inner, g.lumen = make([]r3.Vec, n), make([]r3.Vec, n), make([]r3.Vec, n)
	g.ilt, g.across = make([]float64, n), make([]float64, n)
	for i := range g.rows {
		c, u, v := g.s.frame(g.arc(i))
		axis := r3.Cross(u, v)
		for j := range g.cols {
			at := i*g.cols + j
			seen := g.s.border()
			p := g.s.point(seen, g.arc(i), g.angle(j))
			off := g.normal(seen, i, j)
			if i == 0 || i == g.rows-1 { // the ends stay plane
				off = r3.Sub(off, r3.Scale(r3.Dot(off, axis), axis))
				off = r3.Scale(1/r3.Norm2(off), off)
			}
			if g.s.Outer == nil {
				g.inner[at], g.outer[at] = p, r3.Add(p, r3.Scale(g.t, off))
				g.lumen[at] = p
			} else {
				g.outer[at], g.inner[at] = p, r3.Sub(p, r3.Scale(g.t, off))
				sin, cos := math.Sincos(g.angle(j))
				q := r3.Add(c, r3.Scale(g.s.radius(g.s.Lumen, g.arc(i), g.angle(j)), r3.Add(r3.Scale(cos, u), r3.Scale(sin, v))))
				if d := r3.Norm(r3.Sub(g.inner[at], c)) - r3.Norm(r3.Sub(q, c)); d >= minThrombusMM {
					g.lumen[at], g.ilt[at] = q, d
				} else {
					g.lumen[at] = g.inner[at]
				}
			}
			g.across[at] = r3.Norm(r3.Sub(g.outer[at], c))
		}
	}
}

// normal is the outward unit normal of a border, by central differences a
// hundredth of the lattice apart.
func (g *wallGrid) normal(r [][]float64, i, j int) r3.Vec {
	ds, da := g.s.LengthMM()/float64(g.rows-1)/100, 2*math.Pi/float64(g.cols)/100
	s, a := g.arc(i), g.angle(j)
	along := r3.Sub(g.s.point(r, s+ds, a), g.s.point(r, s-ds, a))
	around := r3.Sub(g.s.point(r, s, a+da), g.s.point(r, s, a-da))
	return r3.Unit(r3.Cross(around, along)) // u × v is along the flow
}
