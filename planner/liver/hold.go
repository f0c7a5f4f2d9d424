package liver

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// ligamentRadiusMM is how far from the outflow the coronary and triangular
	// ligaments and the bare area hold the diaphragmatic surface.
	ligamentRadiusMM = 80
	// ligamentFacing is the least cosine between a face's normal and the
	// direction to the back and the head for it to be in the bare area.
	ligamentFacing = 0.5
	// bedTangentShare is the tangential over the normal stiffness of a bed.
	bedTangentShare = 0.5
)

// holds are the places where the organ is held on its own surface. The groove
// and the grasp are patches of the area of a disc, whatever the mesh: the faces
// nearest to their middle until their area is that.
type holds struct {
	groove, ligaments [][3]int32 // faces
	grasp             []int32    // nodes, corners and mid-edge nodes
	grooveAt, graspAt r3.Vec     // LPS mm
	// grooveShare is the area of the disc over that of the faces.
	grooveShare float64
	// under are the corner nodes of what the liver lies on, each with its share
	// of the liver's weight.
	under []underNode
}

// underNode carries a share of the weight; the shares add up to 1.
type underNode struct {
	node  int32
	share float64
}

// liesOn shares the weight out over the corner nodes of the surface that looks
// to the back, where a patient on the back has what carries the liver, in
// proportion to the area seen from there.
func (o *organMesh) liesOn(faces []skinFace) []underNode {
	share, sum := make([]float64, o.corners), 0.0
	for i, f := range faces {
		if seen := f.area * f.normal.Y; seen > 0 {
			sum += seen
			for _, n := range o.skin[i] {
				share[n] += seen / 3
			}
		}
	}
	var out []underNode
	for n, v := range share {
		if v > 0 {
			out = append(out, underNode{int32(n), v / sum})
		}
	}
	return out
}

// skinFace is a face of the organ's surface.
type skinFace struct {
	at     r3.Vec
	normal r3.Vec // unit, outward
	area   float64
}

func (o *organMesh) skinFaces() []skinFace {
	out := make([]skinFace, len(o.skin))
	for i, f := range o.skin {
		p, q, s := o.Nodes[f[0]], o.Nodes[f[1]], o.Nodes[f[2]]
		n := r3.Cross(r3.Sub(q, p), r3.Sub(s, p))
		l := r3.Norm(n)
		out[i] = skinFace{r3.Scale(1.0/3, r3.Add(p, r3.Add(q, s))), r3.Scale(1/l, n), l / 2}
	}
	return out
}

// disc lists the faces nearest to p for which allowed is true, until their area
// is that of a disc of the radius to half a face, at least minPatchFaces.
func disc(faces []skinFace, p r3.Vec, radius float64, allowed func(i int) bool) (list []int, area float64) {
	var order []int
	for i := range faces {
		if allowed(i) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(r3.Norm2(r3.Sub(faces[x].at, p)), r3.Norm2(r3.Sub(faces[y].at, p)))
	})
	want := math.Pi * radius * radius
	for _, i := range order {
		if len(list) >= minPatchFaces && area+faces[i].area/2 > want {
			break
		}
		list = append(list, i)
		area += faces[i].area
	}
	return list, area
}

// minPatchFaces hold a body by their normals, or are held by three of their
// nodes.
const minPatchFaces = 4

// anchors are the middles of groove and grasp for plan r, taken from the voxels
// and so the same for every mesh. The groove is where the organ's surface comes
// nearest to the widest hepatic vein near it, failing that to the widest vessel
// of unknown system, failing that furthest to the back and the head. The grasp is
// the point of the remnant's own surface furthest to the front and the feet, off
// the groove by graspFromFixMM where the remnant reaches so far.
func (a *Anatomy) anchors(r *Resection) (groove, grasp r3.Vec, err error) {
	g := a.Grid
	var skin []int // voxels at the organ's surface
	for n, phi := range a.Phi {
		if phi < 0 && phi >= -float32(a.cellMM) {
			skin = append(skin, n)
		}
	}
	if len(skin) == 0 {
		return groove, grasp, fmt.Errorf("liver: the organ has no surface in the grid")
	}
	most := func(list []int, score func(n int) float64) (r3.Vec, bool) {
		best, at := math.Inf(-1), -1
		for _, n := range list {
			if s := score(n); s > best {
				best, at = s, n
			}
		}
		if at < 0 {
			return r3.Vec{}, false
		}
		return a.at(at), true
	}
	vein, found := r3.Vec{}, false
	for _, system := range []imaging.Label{imaging.LabelHepaticVein, imaging.LabelVessel} {
		if vein, found = most(a.vessels, func(n int) float64 {
			if a.Labels.ID[n] != system || a.Phi[n] < -fixedRadiusMM {
				return math.Inf(-1)
			}
			return float64(a.radius[n])
		}); found {
			break
		}
	}
	groove, _ = most(skin, func(n int) float64 {
		if found {
			return -r3.Norm(r3.Sub(a.at(n), vein))
		}
		return r3.Dot(a.at(n), r3.Vec{Y: 1, Z: 1})
	})
	for _, from := range []float64{graspFromFixMM, fixedRadiusMM + graspRadiusMM} {
		var ok bool
		if grasp, ok = most(skin, func(n int) float64 {
			i, j, k := g.IJK(n)
			if p := g.Point(float64(i), float64(j), float64(k)); r.Phi[n] < 0 && r3.Norm(r3.Sub(p, groove)) >= from {
				return r3.Dot(p, r3.Vec{Y: -1, Z: -1})
			}
			return math.Inf(-1)
		}); ok {
			return groove, grasp, nil
		}
	}
	return groove, grasp, fmt.Errorf("liver: plan %q leaves no surface to grasp away from where the vena cava holds the liver", r.Plan.Name)
}

// holds finds the faces of the groove, of the bare area with its ligaments, and
// the nodes of the blade's patch on the remnant.
func (a *Anatomy) holds(r *Resection, o *organMesh) (*holds, error) {
	h := &holds{}
	var err error
	if h.grooveAt, h.graspAt, err = a.anchors(r); err != nil {
		return nil, err
	}
	faces := o.skinFaces()
	groove, area := disc(faces, h.grooveAt, fixedRadiusMM, func(int) bool { return true })
	h.grooveShare = math.Pi * fixedRadiusMM * fixedRadiusMM / area
	held := make([]bool, len(o.Nodes))
	for _, i := range groove {
		h.groove = append(h.groove, o.skin[i])
		for _, n := range o.faceNodes(i) {
			held[n] = true
		}
	}
	h.under = o.liesOn(faces)
	back := r3.Unit(r3.Vec{Y: 1, Z: 1})
	for i, f := range faces {
		if !slices.Contains(groove, i) && r3.Norm(r3.Sub(f.at, h.grooveAt)) <= ligamentRadiusMM && r3.Dot(f.normal, back) >= ligamentFacing {
			h.ligaments = append(h.ligaments, o.skin[i])
		}
	}
	grasp, _ := disc(faces, h.graspAt, graspRadiusMM, func(i int) bool { return !resectedRegion(o.Region[o.skinTet[i]]) })
	for _, i := range grasp {
		for _, n := range o.faceNodes(i) {
			if !held[n] {
				held[n] = true
				h.grasp = append(h.grasp, n)
			}
		}
	}
	slices.Sort(h.grasp)
	if len(h.grasp) < 3 {
		return nil, fmt.Errorf("liver: plan %q: only %d nodes to grasp near (%.0f, %.0f, %.0f) mm: mesh it finer", r.Plan.Name, len(h.grasp), h.graspAt.X, h.graspAt.Y, h.graspAt.Z)
	}
	return h, nil
}

// faceNodes are the six nodes of face i of the skin.
func (o *organMesh) faceNodes(i int) [6]int32 {
	f, t := o.skin[i], o.skinTet[i]
	var out [6]int32
	for k := range f {
		x, y := slices.Index(o.Tets[t][:], f[k]), slices.Index(o.Tets[t][:], f[(k+1)%3])
		out[k], out[3+k] = f[k], o.Mid[t][edgeBetween[x][y]]
	}
	return out
}
