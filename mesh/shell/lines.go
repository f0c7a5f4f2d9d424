package shell

import (
	"container/heap"
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Lines are centre lines: points with radii, joined by segments.
type Lines struct {
	Points   []r3.Vec   // LPS mm
	RadiusMM []float64  // at each point, such that the tubes hold the volume of the voxels
	Segments [][2]int32 // the two points of each
	// Ends lists the points at which a line meets the conforming part.
	Ends []int32
}

// VolumeMM3 is the volume of the truncated cones along the segments.
func (l *Lines) VolumeMM3() float64 {
	var sum float64
	for _, s := range l.Segments {
		a, b := l.RadiusMM[s[0]], l.RadiusMM[s[1]]
		sum += math.Pi / 3 * (a*a + a*b + b*b) * r3.Norm(r3.Sub(l.Points[s[1]], l.Points[s[0]]))
	}
	return sum
}

const (
	// coverRadii and coverVoxels: a line covers the voxels within this many
	// radii and voxel diagonals of it.
	coverRadii, coverVoxels = 1.2, 1.0
	// linePasses of smoothing take the steps of the voxels out of a line.
	linePasses = 4
)

// lines traces the centre lines of the thin voxels, part by part: the way to
// the farthest voxel not yet covered, along the cheapest path for a cost of
// 1/depth² per mm, then the next (M. Sato et al., TEASAR, Pacific Graphics
// 2000, doi:10.1109/PCCGA.2000.883951). A part is rooted where it meets the
// conforming vessel with the greatest depth, else at one of its ends. Points
// stand about half an edge apart.
func (v *vesselMap) lines(ctx context.Context, thin []bool, edgeMM float64) (Lines, int, error) {
	out := Lines{}
	part, count, err := v.parts(ctx, thin)
	if err != nil {
		return out, 0, err
	}
	voxels := make([][]int32, count)
	for n, p := range part {
		if p >= 0 {
			voxels[p] = append(voxels[p], int32(n))
		}
	}
	h := v.grid.SpacingMM()
	t := &tracer{vesselMap: v, ctx: ctx, thin: thin, out: &out,
		gap:      max(edgeMM/2, h[0], h[1], h[2]),
		diagonal: math.Sqrt(h[0]*h[0] + h[1]*h[1] + h[2]*h[2]),
		far:      make([]float64, len(thin)), cost: make([]float64, len(thin)),
		from: make([]int32, len(thin)), point: make([]int32, len(thin)), covered: make([]bool, len(thin))}
	for n := range t.point {
		t.point[n] = -1
	}
	for _, list := range voxels {
		if err := t.trace(list); err != nil {
			return out, 0, err
		}
	}
	return out, count, nil
}

// tracer traces the lines of one part after the other.
type tracer struct {
	*vesselMap
	ctx           context.Context
	thin          []bool
	out           *Lines
	gap, diagonal float64   // mm
	far           []float64 // way from the root, mm
	cost          []float64 // of the cheapest path from the root
	from          []int32   // the voxel before on that path
	point         []int32   // of the lines at each voxel, −1: none
	covered       []bool
	parent, voxel []int32 // of each point of the tree at hand; the root has no parent: −1
}

// conforms reports whether voxel n is of the vessel but not thin.
func (t *tracer) conforms(n int) bool { return t.depth[n] > 0 && !t.thin[n] }

// meets is the neighbour of n of greatest depth in the conforming part, or −1.
func (t *tracer) meets(n int32) int32 {
	best := int32(-1)
	t.around(int(n), func(o int, _ float64) {
		if t.conforms(o) && (best < 0 || t.depth[o] > t.depth[best]) {
			best = int32(o)
		}
	})
	return best
}

func (t *tracer) trace(list []int32) error {
	// the root
	root, rooted := list[0], false
	for _, n := range list {
		if m := t.meets(n) >= 0; m && (!rooted || t.depth[n] > t.depth[root]) {
			root, rooted = n, true
		}
	}
	unit := func(int32) float64 { return 1 }
	if !rooted { // an end: the farthest from anywhere
		if err := t.walk(list, []int32{root}, t.far, nil, unit); err != nil {
			return err
		}
		for _, n := range list {
			if t.far[n] > t.far[root] {
				root = n
			}
		}
	}
	if err := t.walk(list, []int32{root}, t.far, nil, unit); err != nil {
		return err
	}
	if err := t.walk(list, []int32{root}, t.cost, t.from, func(n int32) float64 {
		d := float64(t.depth[n])
		return 1 / (d * d)
	}); err != nil {
		return err
	}
	first := len(t.out.Points)
	t.parent, t.voxel = t.parent[:0], t.voxel[:0]
	t.add(root, -1)
	t.cover(root)
	for {
		if t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		tip := int32(-1)
		for _, n := range list {
			if !t.covered[n] && (tip < 0 || t.far[n] > t.far[tip]) {
				tip = n
			}
		}
		if tip < 0 {
			break
		}
		var path []int32
		for n := tip; t.point[n] < 0; n = t.from[n] {
			path = append(path, n)
		}
		joint := tip
		if len(path) > 0 {
			joint = t.from[path[len(path)-1]]
		}
		p := t.point[joint]
		for i := len(path) - 1; i >= 0; i-- {
			p = t.add(path[i], p)
			t.cover(path[i])
		}
		t.covered[tip] = true
	}
	return t.tidy(list, first)
}

// add makes a point of voxel n behind point p.
func (t *tracer) add(n, p int32) int32 {
	id := int32(len(t.out.Points))
	i, j, k := t.grid.IJK(int(n))
	t.out.Points = append(t.out.Points, t.grid.Point(float64(i), float64(j), float64(k)))
	t.out.RadiusMM = append(t.out.RadiusMM, float64(t.depth[n]))
	t.point[n] = id
	t.parent, t.voxel = append(t.parent, p), append(t.voxel, n)
	return id
}

// cover marks the voxels around n.
func (t *tracer) cover(n int32) {
	r := coverRadii*float64(t.depth[n]) + coverVoxels*t.diagonal
	h := t.grid.SpacingMM()
	i, j, k := t.grid.IJK(int(n))
	var m [3]int
	for a := range m {
		m[a] = int(r / h[a])
	}
	for dk := -m[2]; dk <= m[2]; dk++ {
		for dj := -m[1]; dj <= m[1]; dj++ {
			for di := -m[0]; di <= m[0]; di++ {
				x, y, z := float64(di)*h[0], float64(dj)*h[1], float64(dk)*h[2]
				if x*x+y*y+z*z <= r*r && t.grid.Contains(i+di, j+dj, k+dk) {
					t.covered[t.grid.Index(i+di, j+dj, k+dk)] = true
				}
			}
		}
	}
}

// walk is Dijkstra's algorithm over the voxels of one part: dist is the sum of
// length times price from the nearest seed, which comes from itself; equals go
// to the lower voxel.
func (t *tracer) walk(list, seeds []int32, dist []float64, from []int32, price func(n int32) float64) error {
	for _, n := range list {
		dist[n] = math.Inf(1)
	}
	var open fronts
	for _, n := range seeds {
		dist[n] = 0
		if from != nil {
			from[n] = n
		}
		open = append(open, front{0, n, 0})
	}
	heap.Init(&open)
	for steps := 0; len(open) > 0; steps++ {
		if steps&0xfff == 0 && t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		x := heap.Pop(&open).(front)
		if x.key > dist[x.node] {
			continue
		}
		p := price(x.node)
		t.around(int(x.node), func(o int, mm float64) {
			if !t.thin[o] {
				return
			}
			if d := x.key + mm*(p+price(int32(o)))/2; d < dist[o] {
				dist[o] = d
				if from != nil {
					from[o] = x.node
				}
				heap.Push(&open, front{d, int32(o), 0})
			}
		})
	}
	return nil
}

// tidy smooths the points from first on, keeps joints, ends and one point per
// gap, and ties the tree to the conforming part.
func (t *tracer) tidy(list []int32, first int) error {
	l, parent := t.out, t.parent
	n := len(parent)
	at, radius := l.Points[first:], l.RadiusMM[first:]
	children := make([]int32, n)
	child := make([]int32, n)
	for i, p := range parent {
		if p >= 0 {
			children[p-int32(first)]++
			child[p-int32(first)] = int32(i)
		}
	}
	// points between two others move to the middle; the tree's shape stays
	for range linePasses {
		old := append([]r3.Vec(nil), at...)
		for i, p := range parent {
			if p >= 0 && children[i] == 1 {
				at[i] = r3.Add(r3.Scale(0.5, old[i]), r3.Scale(0.25, r3.Add(old[p-int32(first)], old[child[i]])))
			}
		}
	}
	// thin out: parents have lower numbers than their children
	kept := make([]int32, n)
	way := make([]float64, n) // from the last kept point
	last := make([]int32, n)  // the last kept point at or before each
	var points []r3.Vec
	var radii []float64
	for i, p := range parent {
		kept[i] = -1
		keep := p < 0 || children[i] != 1
		if p >= 0 {
			p -= int32(first)
			way[i] = way[p] + r3.Norm(r3.Sub(at[i], at[p]))
			last[i] = last[p]
			keep = keep || way[i] >= t.gap
		}
		if !keep {
			continue
		}
		kept[i] = int32(first + len(points))
		points, radii = append(points, at[i]), append(radii, radius[i])
		if p >= 0 {
			l.Segments = append(l.Segments, [2]int32{last[i], kept[i]})
		}
		last[i], way[i] = kept[i], 0
	}
	l.Points = append(l.Points[:first], points...)
	l.RadiusMM = append(l.RadiusMM[:first], radii...)
	if err := t.measure(list, first, kept); err != nil {
		return err
	}
	// from the root and the leaves into the conforming part, where it is next
	for i, p := range parent {
		if p >= 0 && children[i] > 0 {
			continue
		}
		m := t.meets(t.voxel[i])
		if m < 0 {
			continue
		}
		x, y, z := t.grid.IJK(int(m))
		id := int32(len(l.Points))
		l.Points = append(l.Points, t.grid.Point(float64(x), float64(y), float64(z)))
		l.RadiusMM = append(l.RadiusMM, l.RadiusMM[kept[i]])
		l.Segments = append(l.Segments, [2]int32{kept[i], id})
		l.Ends = append(l.Ends, id)
	}
	return nil
}

// measure gives the points from first on the radius of a tube that holds the
// voxels nearest to them along the part: πr² is their volume over half the
// length of the segments at the point, smoothed once along the lines. A part of
// a single point gets the radius of a ball.
func (t *tracer) measure(list []int32, first int, kept []int32) error {
	l := t.out
	// the nearest point of each voxel, by the way inside the part
	var seeds []int32
	for i, k := range kept {
		if k >= 0 {
			seeds = append(seeds, t.voxel[i])
			t.point[t.voxel[i]] = k
		}
	}
	if err := t.walk(list, seeds, t.far, t.from, func(int32) float64 { return 1 }); err != nil {
		return err
	}
	n := len(l.Points) - first
	volume, length := make([]float64, n), make([]float64, n)
	voxel := t.grid.VoxelMM3()
	for _, v := range list {
		for t.from[v] != v {
			v = t.from[v]
		}
		volume[t.point[v]-int32(first)] += voxel
	}
	if n == 1 {
		l.RadiusMM[first] = math.Cbrt(volume[0] * 3 / (4 * math.Pi))
		return nil
	}
	own := l.Segments[len(l.Segments)-(n-1):]
	for _, s := range own {
		d := r3.Norm(r3.Sub(l.Points[s[1]], l.Points[s[0]])) / 2
		length[s[0]-int32(first)] += d
		length[s[1]-int32(first)] += d
	}
	v2, l2 := append([]float64(nil), volume...), append([]float64(nil), length...)
	for _, s := range own {
		a, b := s[0]-int32(first), s[1]-int32(first)
		v2[a], l2[a] = v2[a]+volume[b], l2[a]+length[b]
		v2[b], l2[b] = v2[b]+volume[a], l2[b]+length[a]
	}
	for i := range n {
		l.RadiusMM[first+i] = math.Sqrt(v2[i] / (math.Pi * l2[i]))
	}
	return nil
}
