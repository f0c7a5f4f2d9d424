package liver

import (
	"context"
	"math"
	"sync"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// blocks are the organ in blocks of whole voxels, the same as those of
// vessel.Supply with its step.
type blocks struct {
	fine   imaging.Grid
	factor [3]int // voxels along i, j, k in one block
	first  [3]int // voxel where the first block starts
	grid   imaging.Grid
	vox    []int32 // storage index in grid of each block with organ, ascending
	at     []int32 // per block of grid: its place in vox, or −1
	centre []r3.Vec
	ml     []float64 // organ in each of vox
	skin   []float64 // area of the organ's border in each of vox, ml per mm
	tumour []float64 // ml of tumour in each of vox
	next   [][3]int32
	total  float64
	border float64 // sum of skin
	voxML  float64
	wide   float64 // half the diagonal of a block, mm

	groups []blockGroup
	far    float64 // the largest reach of a group from its middle, mm

	smoothOnce sync.Once
	weight     []float32 // one over the smoothed organ, per block of grid
}

func (a *Anatomy) newBlocks(stepMM float64) *blocks {
	g := a.Grid
	b := &blocks{fine: g, voxML: g.VoxelMM3() / 1000}
	box := g.Bounds(func(n int) bool { return a.Labels.ID[n].InOrgan() })
	b.first = box.Lo
	lo := g.Point(float64(box.Lo[0]), float64(box.Lo[1]), float64(box.Lo[2]))
	h := g.SpacingMM()
	for d, size := range box.Size() {
		b.factor[d] = max(1, int(min(math.Round(stepMM/h[d]), float64(size))))
		b.grid.Size[d] = (size + b.factor[d] - 1) / b.factor[d]
		b.grid.Axes[d] = r3.Scale(float64(b.factor[d]), g.Axes[d])
		lo = r3.Add(lo, r3.Scale(float64(b.factor[d]-1)/2, g.Axes[d]))
		b.wide += r3.Norm2(b.grid.Axes[d]) / 4
	}
	b.grid.Origin = lo
	b.wide = math.Sqrt(b.wide)
	organ, skin, tumour := make([]float64, b.grid.Len()), make([]float64, b.grid.Len()), make([]float64, b.grid.Len())
	faces := a.faces()
	for n, id := range a.Labels.ID {
		if !id.InOrgan() {
			continue
		}
		i, j, k := g.IJK(n)
		c := b.grid.Index((i-b.first[0])/b.factor[0], (j-b.first[1])/b.factor[1], (k-b.first[2])/b.factor[2])
		organ[c]++
		skin[c] += faces(n, imaging.Label.InOrgan)
		if id.IsTumour() {
			tumour[c]++
		}
	}
	b.at = make([]int32, len(organ))
	for n, c := range organ {
		b.at[n] = -1
		if c == 0 {
			continue
		}
		b.at[n] = int32(len(b.vox))
		b.vox = append(b.vox, int32(n))
		b.ml = append(b.ml, c*b.voxML)
		b.skin = append(b.skin, skin[n]/1000)
		b.tumour = append(b.tumour, tumour[n]*b.voxML)
		i, j, k := b.grid.IJK(n)
		b.centre = append(b.centre, b.grid.Point(float64(i), float64(j), float64(k)))
		b.total += c * b.voxML
		b.border += skin[n] / 1000
	}
	b.group()
	b.next = make([][3]int32, len(b.vox)) // the neighbour ahead along each axis
	for v, n := range b.vox {
		i, j, k := b.grid.IJK(int(n))
		for d, s := range [3][3]int{{i + 1, j, k}, {i, j + 1, k}, {i, j, k + 1}} {
			b.next[v][d] = -1
			if b.grid.Contains(s[0], s[1], s[2]) {
				b.next[v][d] = b.at[b.grid.Index(s[0], s[1], s[2])]
			}
		}
	}
	return b
}

// blockGroup is up to groupSide³ neighbouring blocks.
type blockGroup struct {
	centre r3.Vec
	wide   float64 // how far its blocks reach from the centre, mm
	of     []int32
}

const groupSide = 4

// group fills groups.
func (b *blocks) group() {
	s := b.grid.Size
	nb := [3]int{(s[0] + groupSide - 1) / groupSide, (s[1] + groupSide - 1) / groupSide, (s[2] + groupSide - 1) / groupSide}
	all := make([][]int32, nb[0]*nb[1]*nb[2])
	for v, n := range b.vox {
		i, j, k := b.grid.IJK(int(n))
		g := i/groupSide + nb[0]*(j/groupSide+nb[1]*(k/groupSide))
		all[g] = append(all[g], int32(v))
	}
	for _, of := range all {
		if len(of) == 0 {
			continue
		}
		g := blockGroup{of: of}
		for _, v := range of {
			g.centre = r3.Add(g.centre, r3.Scale(1/float64(len(of)), b.centre[v]))
		}
		for _, v := range of {
			g.wide = max(g.wide, r3.Norm(r3.Sub(b.centre[v], g.centre))+b.wide)
		}
		b.far = max(b.far, g.wide)
		b.groups = append(b.groups, g)
	}
}

// find is the block that holds p, or −1.
func (b *blocks) find(p r3.Vec) int32 {
	x, y, z := b.grid.Voxel(p)
	i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
	if !b.grid.Contains(i, j, k) {
		return -1
	}
	return b.at[b.grid.Index(i, j, k)]
}

// faces is a function that gives the area of the border of a set of labels at
// a voxel of it, mm²: that of the voxel's faces to the outside over 1.5, the
// mean of |nx| + |ny| + |nz| over all directions of a normal.
func (a *Anatomy) faces() func(n int, inside func(imaging.Label) bool) float64 {
	g := a.Grid
	h := g.SpacingMM()
	of := [3]float64{h[1] * h[2], h[0] * h[2], h[0] * h[1]}
	return func(n int, inside func(imaging.Label) bool) (mm2 float64) {
		i, j, k := g.IJK(n)
		for f, d := range faceNeighbours {
			u, v, w := i+d[0], j+d[1], k+d[2]
			if !g.Contains(u, v, w) || !inside(a.Labels.ID[g.Index(u, v, w)]) {
				mm2 += of[f/2] / 1.5
			}
		}
		return mm2
	}
}

// nearMM is how far from the tumours margins are measured.
const nearMM = 25.0

// contactMM is how near to a major vessel a cut is detached along it, and
// majorMM the radius from which a vessel is one (Viganò et al.
// 2016 count first- and second-order branches; the radii are recalled).
const (
	contactMM = 1.5
	majorMM   = 2.0
)

// nearTumour is the neighbourhood of the tumours.
type nearTumour struct {
	of     []imaging.Grid // one per tumour
	mm     [][]float32    // distance from its border, negative inside
	skin   []float64      // area of its border, ml per mm
	centre []r3.Vec
	wide   []float64    // how far it reaches from its centre, mm
	grid   imaging.Grid // that holds all of them
	vessel []bool       // on grid: beside a major vessel
}

func (a *Anatomy) newNearTumour(ctx context.Context, t *Trees) (*nearTumour, error) {
	n := &nearTumour{}
	faces := a.faces()
	all := a.Grid.Bounds(func(m int) bool { return a.Labels.ID[m].IsTumour() }).Grow(a.Grid, nearMM)
	n.grid = a.Grid.Crop(all)
	for _, u := range a.Tumours {
		is := func(m int) bool { return a.Labels.ID[m] == u.Label }
		g, mm, err := distance.SignedCrop(ctx, a.Grid, a.Grid.Bounds(is).Grow(a.Grid, nearMM), is)
		if err != nil {
			return nil, err
		}
		n.of, n.mm = append(n.of, g), append(n.mm, mm)
		skin := 0.0
		for m, id := range a.Labels.ID {
			if id == u.Label {
				skin += faces(m, func(o imaging.Label) bool { return o == u.Label })
			}
		}
		n.skin = append(n.skin, skin/1000)
		wide := 0.0
		for _, p := range u.shell {
			wide = max(wide, r3.Norm(r3.Sub(p, u.Centre)))
		}
		n.centre, n.wide = append(n.centre, u.Centre), append(n.wide, wide+2*a.cellMM) // a voxel's half diagonal, and more
	}
	n.vessel = make([]bool, n.grid.Len())
	for _, s := range t.Systems() {
		thick := s.Tree.Thick(majorMM)
		if len(thick.Branches) == 0 {
			continue
		}
		lumen := thick.Lumen(n.grid)
		if lumen.Count() == 0 {
			continue
		}
		wide, err := filter.Dilate(ctx, n.grid, lumen, contactMM)
		if err != nil {
			return nil, err
		}
		for m := range wide {
			n.vessel[m] = n.vessel[m] || wide[m] && !lumen[m]
		}
	}
	return n, nil
}

// to is the distance of p from tumour k, linear between voxel centres; ok is
// false where it is more than about nearMM.
func (n *nearTumour) to(k int, p r3.Vec) (mm float64, ok bool) {
	g := &n.of[k]
	x, y, z := g.Voxel(p)
	if !(x >= 0 && y >= 0 && z >= 0) {
		return 0, false
	}
	i, j, l := int(x), int(y), int(z)
	s := g.Size
	if i+1 >= s[0] || j+1 >= s[1] || l+1 >= s[2] {
		return 0, false
	}
	fx, fy, fz := x-float64(i), y-float64(j), z-float64(l)
	at, f := g.Index(i, j, l), n.mm[k]
	line := func(m int) float64 { return float64(f[m])*(1-fx) + float64(f[m+1])*fx }
	face := func(m int) float64 { return line(m)*(1-fy) + line(m+s[0])*fy }
	return face(at)*(1-fz) + face(at+s[0]*s[1])*fz, true
}

// nearest is the distance of p from the nearest of the named tumours (nil: of
// all); ok is false where it is more than about nearMM.
func (n *nearTumour) nearest(p r3.Vec, tumours []int) (mm float64, ok bool) {
	mm = math.Inf(1)
	if tumours == nil {
		for k := range n.of {
			if d, in := n.to(k, p); in {
				mm = min(mm, d)
			}
		}
	}
	for _, k := range tumours {
		if d, in := n.to(k, p); in {
			mm = min(mm, d)
		}
	}
	return mm, mm <= nearMM
}

// beyond reports whether p is surely further than mm from every tumour.
func (n *nearTumour) beyond(p r3.Vec, mm float64) bool {
	for k, c := range n.centre {
		if r := max(0, mm+n.wide[k]); r3.Norm2(r3.Sub(p, c)) < r*r {
			return false
		}
	}
	return true
}

// beside reports whether p is beside a major vessel, within the neighbourhood.
func (n *nearTumour) beside(p r3.Vec) bool {
	x, y, z := n.grid.Voxel(p)
	i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
	return n.grid.Contains(i, j, k) && n.vessel[n.grid.Index(i, j, k)]
}
