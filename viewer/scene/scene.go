package scene

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Notice is the line that every picture carries unless a caller puts a longer
// one in its place.
const Notice = "Research and planning support, not a diagnosis."

// MaxClips is the largest number of clip planes of a scene.
const MaxClips = 3

// Structure is one body on the screen.
type Structure struct {
	Name    string        // unique in the scene: "remnant", "portal_vein"
	Label   imaging.Label // what it is
	Colour  color.NRGBA   // of the outside where no quantity is shown; alpha is ignored
	Opacity float64       // 0 (not drawn) to 1
	Visible bool
	// Quantity is the id of the field whose colours it wears; empty: Colour.
	Quantity string
	// Unclipped structures stay whole where a clip plane cuts the others.
	Unclipped bool

	Rest []r3.Vec   // vertices at rest, LPS mm
	Tris [][3]int32 // indices into Rest

	first int // its first vertex among those of the scene
}

// Drawn reports whether the structure is to be drawn at all.
func (s *Structure) Drawn() bool { return s.Visible && s.Opacity > 0 && len(s.Tris) > 0 }

// Opaque reports whether nothing shows through the structure.
func (s *Structure) Opaque() bool { return s.Opacity >= 1 }

// Plane is a clip plane: what lies on the side of Normal is not drawn.
type Plane struct {
	Point  r3.Vec // LPS mm
	Normal r3.Vec // unit
}

// SignedMM is the distance of p from the plane, positive where it is cut away.
func (c Plane) SignedMM(p r3.Vec) float64 { return r3.Dot(r3.Sub(p, c.Point), c.Normal) }

// Scene is everything on the screen. The zero value is not usable; see New.
type Scene struct {
	Structures []*Structure
	Camera     Camera
	Clips      []Plane // at most MaxClips

	Title      string   // first line, e.g. the name of the plan
	Caption    []string // lines below the title
	Status     string   // state of the run or of the link; one line, may be empty
	Notice     string   // last line of every picture
	Background color.NRGBA

	Timeline Timeline

	verts int
	locks map[string][2]float64
}

// New returns an empty scene with a light background and an anterior view.
func New() *Scene {
	sc := &Scene{
		Notice:     Notice,
		Background: color.NRGBA{R: 246, G: 247, B: 249, A: 255},
		locks:      map[string][2]float64{},
	}
	sc.Timeline.Follow = true
	sc.Camera = Camera{Target: r3.Vec{}, FovYDeg: DefaultFovYDeg}
	sc.Camera.Look(Anterior)
	return sc
}

// AddStructure appends a body with the colour and opacity usual for its label.
// verts are in LPS mm, tris index verts and are counter-clockwise seen from
// outside. Structures can only be added before the first frame. The error
// names the structure and the first triangle or vertex that does not fit.
func (sc *Scene) AddStructure(name string, label imaging.Label, verts []r3.Vec, tris [][3]int32) (*Structure, error) {
	if sc.Timeline.Len() > 0 {
		return nil, fmt.Errorf("scene: structure %q comes after the first frame", name)
	}
	if name == "" || sc.Find(name) != nil {
		return nil, fmt.Errorf("scene: structure name %q is empty or taken", name)
	}
	for n, p := range verts {
		if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, fmt.Errorf("scene: structure %q: vertex %d is not finite", name, n)
		}
	}
	for n, t := range tris {
		for _, v := range t {
			if v < 0 || int(v) >= len(verts) {
				return nil, fmt.Errorf("scene: structure %q: triangle %d names vertex %d of %d", name, n, v, len(verts))
			}
		}
	}
	c, o := Style(label)
	s := &Structure{Name: name, Label: label, Colour: c, Opacity: o, Visible: true, Rest: verts, Tris: tris, first: sc.verts}
	sc.Structures = append(sc.Structures, s)
	sc.verts += len(verts)
	return s, nil
}

// AddRegion appends the closed surface of the regions for which inside is
// true, with only the vertices it needs; triangles that face the other way in
// the surface are turned round.
func (sc *Scene) AddRegion(name string, label imaging.Label, m *mesh.Surface, inside func(imaging.Label) bool) (*Structure, error) {
	to := make([]int32, len(m.Verts))
	var verts []r3.Vec
	var tris [][3]int32
	for n, t := range m.Tris {
		in, out := inside(m.Region[n].Inside), inside(m.Region[n].Outside)
		if in == out {
			continue
		}
		if out {
			t[1], t[2] = t[2], t[1]
		}
		for k, v := range t {
			if to[v] == 0 {
				verts = append(verts, m.Verts[v])
				to[v] = int32(len(verts))
			}
			t[k] = to[v] - 1
		}
		tris = append(tris, t)
	}
	if len(tris) == 0 {
		return nil, fmt.Errorf("scene: structure %q: the surface has no triangle of that region", name)
	}
	return sc.AddStructure(name, label, verts, tris)
}

// Find returns the structure of that name, or nil.
func (sc *Scene) Find(name string) *Structure {
	for _, s := range sc.Structures {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// VertexCount is the number of vertices of all structures.
func (sc *Scene) VertexCount() int { return sc.verts }

// Style is the colour and opacity usual for a label: organ and skin let the
// inside show, vessels and tumours are solid. None of the colours occurs in
// viridis.
func Style(l imaging.Label) (color.NRGBA, float64) {
	switch {
	case l == imaging.LabelBody:
		return color.NRGBA{R: 222, G: 184, B: 160, A: 255}, 0.15
	case l == imaging.LabelBone:
		return color.NRGBA{R: 236, G: 226, B: 204, A: 255}, 1
	case l == imaging.LabelLiver:
		return color.NRGBA{R: 176, G: 82, B: 68, A: 255}, 0.4
	case l == imaging.LabelPortalVein:
		return color.NRGBA{R: 128, G: 92, B: 200, A: 255}, 1
	case l == imaging.LabelHepaticVein:
		return color.NRGBA{R: 70, G: 120, B: 226, A: 255}, 1
	case l == imaging.LabelResected:
		return color.NRGBA{R: 176, G: 82, B: 68, A: 255}, 0.12
	case l == imaging.LabelArtery:
		return color.NRGBA{R: 214, G: 44, B: 44, A: 255}, 1
	case l == imaging.LabelVessel:
		return color.NRGBA{R: 150, G: 100, B: 140, A: 255}, 1
	case l.IsTumour():
		return color.NRGBA{R: 242, G: 142, B: 43, A: 255}, 1
	case slices.Contains(imaging.Structures(), l):
		c := l.Colour()
		return color.NRGBA{R: c[0], G: c[1], B: c[2], A: 255}, 1
	}
	return color.NRGBA{R: 170, G: 172, B: 176, A: 255}, 1
}

// ColourBy shows a field on every structure that belongs to the organ, and
// makes the organ opaque so that its colours can be read against the legend.
// An empty id goes back to plain colours.
func (sc *Scene) ColourBy(id string) {
	for _, s := range sc.Structures {
		c, o := Style(s.Label)
		if s.Label != imaging.LabelLiver {
			continue
		}
		s.Quantity, s.Colour, s.Opacity = id, c, o
		if id != "" {
			s.Opacity = 1
		}
	}
}

// Positions returns the vertices of s in the current frame, or at rest.
func (sc *Scene) Positions(s *Structure) []r3.Vec {
	if f := sc.Timeline.Current(); f != nil {
		return f.Pos[s.first : s.first+len(s.Rest)]
	}
	return s.Rest
}

// Values returns the field that s shows in the current frame, one value per
// vertex, or nil when there is none.
func (sc *Scene) Values(s *Structure) []float32 {
	if s.Quantity == "" {
		return nil
	}
	if f := sc.Timeline.Current(); f != nil {
		if n := f.field(s.Quantity); n >= 0 {
			return f.Fields[n].Values[s.first : s.first+len(s.Rest)]
		}
	}
	return nil
}

// Bounds is the box of all visible structures at rest and in the current
// frame; ok is false when nothing is visible.
func (sc *Scene) Bounds() (b r3.Box, ok bool) {
	b = r3.Box{Min: r3.Vec{X: math.Inf(1), Y: math.Inf(1), Z: math.Inf(1)}, Max: r3.Vec{X: math.Inf(-1), Y: math.Inf(-1), Z: math.Inf(-1)}}
	for _, s := range sc.Structures {
		if !s.Drawn() {
			continue
		}
		for _, verts := range [][]r3.Vec{s.Rest, sc.Positions(s)} {
			for _, p := range verts {
				b.Min = r3.Vec{X: min(b.Min.X, p.X), Y: min(b.Min.Y, p.Y), Z: min(b.Min.Z, p.Z)}
				b.Max = r3.Vec{X: max(b.Max.X, p.X), Y: max(b.Max.Y, p.Y), Z: max(b.Max.Z, p.Z)}
				ok = true
			}
		}
	}
	if !ok {
		return r3.Box{}, false
	}
	return b, true
}

// legendShare is the share of a picture's width that legends take.
const legendShare = 0.17

// Show turns the camera to a standard view and fits everything visible into a
// picture of the given width over height, clear of the legends.
func (sc *Scene) Show(v View, aspect float64) {
	sc.Camera.OffsetX = 0
	if len(sc.Scales()) > 0 {
		sc.Camera.OffsetX = -legendShare / 2
	}
	sc.Camera.Look(v)
	if b, ok := sc.Bounds(); ok {
		sc.Camera.Fit(b, aspect)
	}
}

// Normals writes the area-weighted unit normal of each vertex into dst, which
// has the length of pos; vertices without a triangle get zero.
func Normals(dst, pos []r3.Vec, tris [][3]int32) {
	if len(dst) != len(pos) {
		panic("scene: normals and positions differ in length")
	}
	clear(dst)
	for _, t := range tris {
		a, b, c := pos[t[0]], pos[t[1]], pos[t[2]]
		n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a))
		for _, v := range t {
			dst[v] = r3.Add(dst[v], n)
		}
	}
	for i, n := range dst {
		if l := r3.Norm(n); l > 0 {
			dst[i] = r3.Scale(1/l, n)
		}
	}
}
