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
// and the grasp are patches of the area of a disc, whatever the mesh: the
// surface nearest to their middle until its area is that, for the groove with
// parts of faces, for the grasp with whole ones.
type holds struct {
	groove            []partFace
	ligaments         [][3]int32 // faces
	grasp             []int32    // nodes, corners and mid-edge nodes
	grooveAt, graspAt r3.Vec     // LPS mm
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

// partFace is a face of which a share, more than 0 and up to 1, lies in a patch.
type partFace struct {
	face  [3]int32
	share float64
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

// patchCuts is how many parts the edges of a face are cut into, to tell which of
// its small triangles lie in a patch.
const patchCuts = 12

// patch is the part of the organ's surface nearest to p of the area of a disc of
// the radius, mm. A patch of whole faces would change its size and place with the
// mesh, and the pull with them.
func (o *organMesh) patch(faces []skinFace, p r3.Vec, radius float64) []partFace {
	type small struct {
		face  int
		dist2 float64
	}
	var all []small
	for i := range faces {
		a, b, c := o.Nodes[o.skin[i][0]], o.Nodes[o.skin[i][1]], o.Nodes[o.skin[i][2]]
		ab, ac := r3.Scale(1.0/patchCuts, r3.Sub(b, a)), r3.Scale(1.0/patchCuts, r3.Sub(c, a))
		at := func(u, v float64) {
			all = append(all, small{i, r3.Norm2(r3.Sub(r3.Add(a, r3.Add(r3.Scale(u, ab), r3.Scale(v, ac))), p))})
		}
		for u := range patchCuts {
			for v := range patchCuts - u {
				at(float64(u)+1.0/3, float64(v)+1.0/3)
				if u+v < patchCuts-1 {
					at(float64(u)+2.0/3, float64(v)+2.0/3)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y small) int { return cmp.Compare(x.dist2, y.dist2) })
	share := make([]float64, len(faces))
	left := math.Pi * radius * radius
	for _, s := range all {
		part := faces[s.face].area / (patchCuts * patchCuts)
		share[s.face] += min(1, left/part) / (patchCuts * patchCuts)
		if left -= part; left <= 0 {
			break
		}
	}
	var out []partFace
	for i, v := range share {
		if v > 0 {
			out = append(out, partFace{o.skin[i], min(v, 1)})
		}
	}
	return out
}

// patchNodes are the nodes nearest to p whose share of the surface adds up to
// the area of a disc of the radius, mm, to half a node, at least leastGrasped,
// in rising order; allowed says which nodes of face i may be among them. A
// corner has a twelfth of a face and a mid-edge node a quarter: a third of each
// of the four triangles between the six around it.
func (o *organMesh) patchNodes(faces []skinFace, p r3.Vec, radius float64, allowed func(i int, n int32) bool) []int32 {
	area := make([]float64, len(o.Nodes))
	for i, f := range faces {
		for k, n := range o.faceNodes(i) {
			if allowed(i, n) {
				area[n] += f.area / [...]float64{12, 12, 12, 4, 4, 4}[k]
			}
		}
	}
	var order []int32
	for n, a := range area {
		if a > 0 {
			order = append(order, int32(n))
		}
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		return cmp.Compare(r3.Norm2(r3.Sub(o.Nodes[x], p)), r3.Norm2(r3.Sub(o.Nodes[y], p)))
	})
	left := math.Pi * radius * radius
	for k, n := range order {
		if k >= leastGrasped && left < area[n]/2 {
			order = order[:k]
			break
		}
		left -= area[n]
	}
	slices.Sort(order)
	return order
}

const leastGrasped = 3 // nodes hold a body against turning

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
	h.groove = o.patch(faces, h.grooveAt, fixedRadiusMM)
	share := map[[3]int32]float64{}
	for _, g := range h.groove {
		share[g.face] = g.share
	}
	held := make([]bool, len(o.Nodes))
	for i := range faces {
		if share[o.skin[i]] > 0 {
			for _, n := range o.faceNodes(i) {
				held[n] = true
			}
		}
	}
	h.under = o.liesOn(faces)
	back := r3.Unit(r3.Vec{Y: 1, Z: 1})
	for i, f := range faces {
		if share[o.skin[i]] < 0.5 && r3.Norm(r3.Sub(f.at, h.grooveAt)) <= ligamentRadiusMM && r3.Dot(f.normal, back) >= ligamentFacing {
			h.ligaments = append(h.ligaments, o.skin[i])
		}
	}
	h.grasp = o.patchNodes(faces, h.graspAt, graspRadiusMM, func(i int, n int32) bool { return !held[n] && !resectedRegion(o.Region[o.skinTet[i]]) })
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
