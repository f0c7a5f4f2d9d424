package liver

import (
	"context"
	"fmt"
	"math"
	"slices"

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

// cutFace is a face between the remnant (tet) and the resected side (other).
type cutFace struct {
	tet, face, other int32
	nodes            [3]int32 // before doubling, outward of the remnant
	at, normal       r3.Vec
	area             float64
	open             bool
}

func (c *cutFace) measure(m *mesh.TetMesh) {
	v, f := m.Tets[c.tet], mesh.TetFaces[c.face]
	c.nodes = [3]int32{v[f[0]], v[f[1]], v[f[2]]}
	p, q, s := m.Nodes[c.nodes[0]], m.Nodes[c.nodes[1]], m.Nodes[c.nodes[2]]
	n := r3.Cross(r3.Sub(q, p), r3.Sub(s, p))
	c.at = r3.Scale(1.0/3, r3.Add(p, r3.Add(q, s)))
	if l := r3.Norm(n); l > 0 {
		c.area, c.normal = l/2, r3.Scale(1/l, n)
	}
}

// openedShare is the part of the area of the cut that is open when its width is
// measured: half way through the transection.
const openedShare = 0.5

// openFirst marks, in every connected piece of the cut, the faces that lie
// furthest to the front and the feet, where a transection starts, until
// openedShare of its area is reached. Faces whose opening would leave elements
// hanging on the rest by less than a face stay closed.
func openFirst(m *mesh.TetMesh, cut []cutFace) []bool {
	piece := cutPieces(cut)
	order := make([]int, len(cut))
	for i := range order {
		order[i] = i
	}
	first := r3.Vec{Y: -1, Z: -1}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := r3.Dot(cut[i].at, first), r3.Dot(cut[j].at, first); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	whole := map[int]float64{}
	for i, c := range cut {
		whole[piece[i]] += c.area
	}
	done := map[int]float64{}
	for _, i := range order {
		if p := piece[i]; done[p]+cut[i].area <= openedShare*whole[p] {
			done[p] += cut[i].area
			cut[i].open = true
		}
	}
	open := make([]bool, len(cut))
	for round := 0; ; round++ {
		loose := looseTets(m, cut)
		again := false
		for i := range cut {
			if cut[i].open && (loose[cut[i].tet] || loose[cut[i].other]) {
				cut[i].open, again = false, true
			}
		}
		if !again {
			break
		}
	}
	for i := range cut {
		open[i] = cut[i].open
	}
	return open
}

// cutPieces numbers the connected pieces of the cut: faces that share an edge.
func cutPieces(cut []cutFace) []int {
	root := make([]int, len(cut))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	at := map[[2]int32]int{} // only looked up
	for i, c := range cut {
		for k := range 3 {
			x, y := c.nodes[k], c.nodes[(k+1)%3]
			e := [2]int32{min(x, y), max(x, y)}
			if j, ok := at[e]; ok {
				p, q := find(i), find(j)
				root[max(p, q)] = min(p, q)
			} else {
				at[e] = i
			}
		}
	}
	out := make([]int, len(cut))
	for i := range out {
		out[i] = find(i)
	}
	return out
}

// looseTets are the elements outside the largest part when the opened faces are
// taken apart.
func looseTets(m *mesh.TetMesh, cut []cutFace) []bool {
	next := m.Neighbours()
	for _, c := range cut {
		if !c.open {
			continue
		}
		next[c.tet][c.face] = -1
		for f, n := range next[c.other] {
			if n == c.tet {
				next[c.other][f] = -1
			}
		}
	}
	part := make([]int32, len(m.Tets))
	var size []int
	var stack []int32
	for t := range m.Tets {
		if part[t] != 0 {
			continue
		}
		id := int32(len(size) + 1)
		part[t] = id
		stack = append(stack[:0], int32(t))
		count := 0
		for len(stack) > 0 {
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			count++
			for _, n := range next[e] {
				if n >= 0 && part[n] == 0 {
					part[n] = id
					stack = append(stack, n)
				}
			}
		}
		size = append(size, count)
	}
	best := 0
	for i, n := range size {
		if n > size[best] {
			best = i
		}
	}
	out := make([]bool, len(m.Tets))
	for t, p := range part {
		out[t] = int(p) != best+1
	}
	return out
}

// double gives the elements around a node of the opened faces that do not hang
// together by closed faces nodes of their own (Molino, Bao & Fedkiw, ACM Trans.
// Graph. 23 (2004) 385, §3). The part with the lowest element on the remnant's
// side keeps the node; twin is the node that each copy doubles, itself for the
// others.
func double(m *mesh.TetMesh, next [][4]int32, cut []cutFace, open []bool) (*mesh.TetMesh, []int32) {
	next = slices.Clone(next)
	touched := make([]bool, len(m.Nodes))
	for i, c := range cut {
		if !open[i] {
			continue
		}
		next[c.tet][c.face] = -1
		for f, n := range next[c.other] {
			if n == c.tet {
				next[c.other][f] = -1
			}
		}
		for _, n := range c.nodes {
			touched[n] = true
		}
	}
	around := make([][]int32, len(m.Nodes))
	for t, v := range m.Tets {
		for _, n := range v {
			if touched[n] {
				around[n] = append(around[n], int32(t))
			}
		}
	}
	out := &mesh.TetMesh{Nodes: slices.Clone(m.Nodes), Tets: slices.Clone(m.Tets), Region: m.Region}
	twin := make([]int32, len(m.Nodes))
	for n := range twin {
		twin[n] = int32(n)
	}
	for n := range int32(len(m.Nodes)) {
		list := around[n]
		if len(list) == 0 {
			continue
		}
		group := make([]int, len(list)) // 0: not seen
		var lead []int                  // first element of each group
		for _, side := range []bool{false, true} {
			for i, t := range list {
				if group[i] != 0 || resectedRegion(m.Region[t]) != side {
					continue
				}
				lead = append(lead, i)
				id := len(lead)
				group[i] = id
				stack := []int32{t}
				for len(stack) > 0 {
					e := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					for f, o := range next[e] {
						if o < 0 || m.Tets[e][f] == n {
							continue
						}
						if j, ok := slices.BinarySearch(list, o); ok && group[j] == 0 {
							group[j] = id
							stack = append(stack, o)
						}
					}
				}
			}
		}
		for id := 2; id <= len(lead); id++ {
			c := int32(len(out.Nodes))
			out.Nodes = append(out.Nodes, m.Nodes[n])
			twin = append(twin, n)
			for i, t := range list {
				if group[i] != id {
					continue
				}
				for k, x := range out.Tets[t] {
					if x == n {
						out.Tets[t][k] = c
					}
				}
			}
		}
	}
	return out, twin
}

// pair lists the doubled nodes of the opened faces, corners and mid-edge nodes,
// and the nodes of those faces that stayed single.
func (o *organMesh) pair(cut []cutFace, twin []int32) {
	normal := map[[2]int32]r3.Vec{} // only looked up
	rim := map[int32]bool{}
	var order [][2]int32
	for _, c := range cut {
		if !c.open {
			continue
		}
		o.openMM2 += c.area
		meet := func(a, b int32) {
			if a == b {
				if !rim[a] {
					rim[a] = true
					o.rim = append(o.rim, a)
				}
				return
			}
			k := [2]int32{a, b}
			if _, ok := normal[k]; !ok {
				order = append(order, k)
			}
			normal[k] = r3.Add(normal[k], r3.Scale(c.area, c.normal))
		}
		corner := func(t, n int32) int { // corner of t that is n or a copy of it
			for k, x := range o.Tets[t] {
				if twin[x] == n {
					return k
				}
			}
			return -1
		}
		for k, n := range c.nodes {
			i, j := corner(c.tet, n), corner(c.other, n)
			meet(o.Tets[c.tet][i], o.Tets[c.other][j])
			n2 := c.nodes[(k+1)%3]
			i2, j2 := corner(c.tet, n2), corner(c.other, n2)
			meet(o.Mid[c.tet][edgeBetween[i][i2]], o.Mid[c.other][edgeBetween[j][j2]])
		}
	}
	for _, k := range order {
		n := normal[k]
		if l := r3.Norm(n); l > 0 {
			n = r3.Scale(1/l, n)
		}
		o.openPairs = append(o.openPairs, k)
		o.openNormal = append(o.openNormal, n)
	}
}

// edgeBetween[i][j] is the position in mesh.TetEdges of the edge between corners.
var edgeBetween = func() (of [4][4]int) {
	for e, c := range mesh.TetEdges {
		of[c[0]][c[1]], of[c[1]][c[0]] = e, e
	}
	return of
}()
