package liver

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// Regions of the mechanical mesh. Tumours on either side of the cut have their
// own label, so that the cut is the border between two sets of labels.
const (
	regionRemnant        = imaging.LabelLiver
	regionResected       = imaging.LabelResected
	regionTumourRemnant  = imaging.LabelTumour
	regionTumourResected = imaging.LabelTumour + 1
)

// mechanicalRegions lists them in the order of the model's regions.
var mechanicalRegions = [4]imaging.Label{regionRemnant, regionResected, regionTumourRemnant, regionTumourResected}

// resectedRegion says that the label lies on the resected side of the cut.
func resectedRegion(l imaging.Label) bool { return l == regionResected || l == regionTumourResected }

// tumourRegion says that the label is tumour.
func tumourRegion(l imaging.Label) bool {
	return l == regionTumourRemnant || l == regionTumourResected
}

const (
	// cellsPerEdge voxels of the label map that is meshed make an edge.
	cellsPerEdge = 4
	// (leastPartEdges edges)³ is the least volume of a part of a label that gets
	// elements of its own; smaller ones join what is around them.
	leastPartEdges = 1
	// cellsAcross is about the least number of cells across the resected part.
	cellsAcross = 3
	maxHalvings = 2
)

// organMesh is the organ with the planned cut as an inner interface. Tet10 with
// straight sides, LPS mm.
type organMesh struct {
	*mesh.TetMesh
	corners int // corner nodes come first
	// skin are the faces on the organ's own surface, corner nodes outward; face i
	// belongs to element skinTet[i].
	skin    [][3]int32
	skinTet []int32
	// openPairs are the nodes of the opened part of the cut, remnant side and
	// resected side, at the same place; openNormal points from the remnant.
	openPairs  [][2]int32
	openNormal []r3.Vec
	rim        []int32 // nodes where the opened part of the cut ends inside the organ
	openMM2    float64
	cutMM2     float64
	// lost are the labels that were too small for elements of their own.
	lost []imaging.Label
}

// halved says how often cells are halved at the resected part and at tumours, so
// that cellsAcross of them lie across it.
type halved struct{ resected, tumours int }

func (a *Anatomy) halvings(r *Resection, edgeMM float64) halved {
	times := func(mm3 float64) int {
		across := math.Cbrt(mm3) / cellsAcross
		return max(0, min(maxHalvings, int(math.Round(math.Log2(edgeMM/across)))))
	}
	h := halved{resected: times(a.OrganML*1000 - r.RemnantMM3)}
	for _, t := range a.Tumours {
		h.tumours = max(h.tumours, min(1, times(t.ML*1000)))
	}
	h.tumours = max(h.tumours, h.resected)
	return h
}

// meshOrgan meshes organ, tumours and cut of r with cells of edgeMM, halved as h
// says; open doubles the nodes of the part of the cut that is opened first.
func (a *Anatomy) meshOrgan(ctx context.Context, r *Resection, edgeMM float64, h halved, open bool) (*organMesh, error) {
	labels := a.mechanicalLabels(r, edgeMM/cellsPerEdge/float64(int(1)<<h.tumours))
	opt := tetra.Options{EdgeMM: edgeMM, JunctionLevels: -1, MinComponentMM3: math.Pow(leastPartEdges*edgeMM, 3)}
	opt.LabelEdgeMM = map[imaging.Label]float64{}
	local := func(times int, labels ...imaging.Label) {
		if times > 0 {
			small := edgeMM / float64(int(1)<<times)
			for _, l := range labels {
				opt.LabelEdgeMM[l] = small
			}
			opt.MinComponentMM3 = min(opt.MinComponentMM3, math.Pow(leastPartEdges*small, 3))
		}
	}
	local(h.resected, regionResected)
	local(h.tumours, regionTumourRemnant, regionTumourResected)
	tet4, rep, err := tetra.Mesh(ctx, labels, opt)
	if err != nil {
		return nil, fmt.Errorf("liver: mesh for plan %q: %w", r.Plan.Name, err)
	}
	tet4 = largestByFaces(tet4)
	trimFlaps(tet4)
	o := &organMesh{corners: len(tet4.Nodes)}
	for _, c := range rep.Dropped {
		if c.Label.IsTumour() {
			o.lost = append(o.lost, c.Label)
		}
	}
	next := tet4.Neighbours()
	type place struct{ tet, face int32 }
	var skin []place
	var cut []cutFace
	for t := range tet4.Tets {
		for f, n := range next[t] {
			switch {
			case n < 0:
				skin = append(skin, place{int32(t), int32(f)})
			case !resectedRegion(tet4.Region[t]) && resectedRegion(tet4.Region[n]):
				cut = append(cut, cutFace{tet: int32(t), face: int32(f), other: n})
			}
		}
	}
	if len(cut) == 0 {
		return nil, fmt.Errorf("liver: plan %q leaves no cut in a mesh of %g mm: mesh it finer", r.Plan.Name, edgeMM)
	}
	for i := range cut {
		cut[i].measure(tet4)
		o.cutMM2 += cut[i].area
	}
	var twin []int32 // corner node → the one it was copied from
	if open {
		chosen := openFirst(tet4, cut)
		tet4, twin = double(tet4, next, cut, chosen)
		o.corners = len(tet4.Nodes)
	}
	o.TetMesh = tet4.Quadratic()
	for _, s := range skin {
		v, c := tet4.Tets[s.tet], mesh.TetFaces[s.face]
		o.skin = append(o.skin, [3]int32{v[c[0]], v[c[1]], v[c[2]]})
		o.skinTet = append(o.skinTet, s.tet)
	}
	if open {
		o.pair(cut, twin)
	}
	return o, nil
}

// mechanicalLabels is the organ on a coarser grid: the side of the cut from the
// signed distances, tumours from the voxels.
func (a *Anatomy) mechanicalLabels(r *Resection, stepMM float64) *imaging.Labels {
	g := a.Grid
	var skip [3]int
	for c, h := range g.SpacingMM() {
		skip[c] = max(1, int(math.Round(stepMM/h)))
		g.Size[c] = (a.Grid.Size[c] + skip[c] - 1) / skip[c]
		g.Axes[c] = r3.Scale(float64(skip[c]), a.Grid.Axes[c])
	}
	centre := func(i, c int) float64 { return float64(i*skip[c]) + float64(skip[c]-1)/2 }
	g.Origin = a.Grid.Point(centre(0, 0), centre(0, 1), centre(0, 2))
	out := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	par.Chunks(g.Size[2], 1, func(k0, k1 int) {
		for k := k0; k < k1; k++ {
			for j := range g.Size[1] {
				for i := range g.Size[0] {
					x, y, z := centre(i, 0), centre(j, 1), centre(k, 2)
					if a.sample(a.Phi, x, y, z) >= 0 {
						continue
					}
					resected := a.sample(r.Phi, x, y, z) >= 0
					near := a.Labels.ID[a.nearestVoxel(x, y, z)]
					l := regionRemnant
					switch {
					case near.IsTumour() && resected:
						l = regionTumourResected
					case near.IsTumour():
						l = regionTumourRemnant
					case resected:
						l = regionResected
					}
					out.ID[g.Index(i, j, k)] = l
				}
			}
		}
	})
	return out
}

// nearestVoxel is the voxel at the voxel coordinates (x, y, z), held in the grid.
func (a *Anatomy) nearestVoxel(x, y, z float64) int {
	var at [3]int
	for c, v := range [3]float64{x, y, z} {
		at[c] = max(0, min(a.Grid.Size[c]-1, int(math.Floor(v+0.5))))
	}
	return a.Grid.Index(at[0], at[1], at[2])
}

// sample interpolates a field of the grid at the voxel coordinates (x, y, z),
// which are held in the grid.
func (a *Anatomy) sample(v []float32, x, y, z float64) float64 {
	var lo [3]int
	var w [3][2]float64 // weights of the voxels below and above, by axis
	for c, p := range [3]float64{x, y, z} {
		p = max(0, min(float64(a.Grid.Size[c]-1), p))
		lo[c] = max(0, min(a.Grid.Size[c]-2, int(p)))
		w[c][1] = p - float64(lo[c])
		w[c][0] = 1 - w[c][1]
	}
	at := a.Grid.Index(lo[0], lo[1], lo[2])
	nx, ny := a.Grid.Size[0], a.Grid.Size[1]
	sum := 0.0
	for k, wz := range w[2] {
		for j, wy := range w[1] {
			for i, wx := range w[0] {
				if p := wx * wy * wz; p > 0 { // what has no weight may lie outside
					sum += p * float64(v[at+i+nx*(j+ny*k)])
				}
			}
		}
	}
	return sum
}

// largestByFaces keeps the largest part of m whose elements hang together by
// faces; a solver cannot hold the others.
func largestByFaces(m *mesh.TetMesh) *mesh.TetMesh {
	part, count := m.Parts()
	if count <= 1 {
		return m
	}
	size := make([]float64, count)
	for t, p := range part {
		v := m.Tets[t]
		size[p] += mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
	}
	best := 0
	for p, v := range size {
		if v > size[best] {
			best = p
		}
	}
	return m.Keep(func(t int) bool { return int(part[t]) == best })
}

// trimFlaps gives every element that hangs on its own side of the cut by no more
// than one face, and touches the other side with more, to that side. Once the cut
// is open such an element would be a chip held by one face, that next to nothing
// keeps from folding.
func trimFlaps(m *mesh.TetMesh) {
	next := m.Neighbours()
	for again := true; again; { // every change takes faces off the cut
		again = false
		for t, l := range m.Region {
			own, other := 0, 0
			for _, n := range next[t] {
				switch {
				case n < 0:
				case resectedRegion(m.Region[n]) == resectedRegion(l):
					own++
				default:
					other++
				}
			}
			if own <= 1 && other > own {
				m.Region[t] = acrossCut[l]
				again = true
			}
		}
	}
}

// acrossCut is the region of the same tissue on the other side of the cut.
var acrossCut = map[imaging.Label]imaging.Label{
	regionRemnant: regionResected, regionResected: regionRemnant,
	regionTumourRemnant: regionTumourResected, regionTumourResected: regionTumourRemnant,
}
