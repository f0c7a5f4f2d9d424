package vessel

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// rindVoxels is how many steps outside the lumen voxels count for the fit.
const rindVoxels = 2

// rind numbers the voxels of the lumen, as l.vox does, and after them those
// outside within rindVoxels steps; voxels beyond the border of the whole grid,
// where nothing is known, are left out.
func (l *lumen) rind() (at, vox []int32) {
	at, vox = slices.Clone(l.at), slices.Clone(l.vox)
	from, lo, hi := 0, l.known.Lo, l.known.Hi
	for range rindVoxels {
		to := len(vox)
		for _, n := range vox[from:to] {
			i, j, k := l.g.IJK(int(n))
			for _, d := range [6][3]int{{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}} {
				a, b, c := i+d[0], j+d[1], k+d[2]
				if a < lo[0] || b < lo[1] || c < lo[2] || a >= hi[0] || b >= hi[1] || c >= hi[2] {
					continue
				}
				if m := l.g.Index(a, b, c); at[m] < 0 {
					at[m] = int32(len(vox))
					vox = append(vox, int32(m))
				}
			}
		}
		from = to
	}
	return at, vox
}

// sharpTau is the widths τ of the transition, in voxels, one for each round.
var sharpTau = [...]float64{0.4, 0.3, 0.2, 0.15, 0.1, 0.1, 0.1}

// What bending and taper cost against the voxels, all lengths in voxels. Bending:
// sharpBend × radius × ∫κ² ds, the prior of curves of about five radii that
// change over two. Taper: sharpTaper/radius × ∫(dr/ds)² ds, that of a few percent
// over a length of some radii; sharpHidden times as much inside other vessels,
// where nothing tells the radius. A factor of four either way changes the errors
// on the phantom trees by a tenth.
const (
	sharpBend   = 12.0
	sharpTaper  = 1000.0
	sharpHidden = 1000.0
	sharpRest   = 1e-6
)

// sharpen fits the tubes to all voxels near their surface, inside and outside: a
// voxel centre is inside with the chance 1/(1 + exp(gap/τ)), gap its distance
// from the surface of the union of tubes. The smooth centrelines and radii of
// the least loss (logistic regression, by Newton's method) part the voxels inside
// from those outside; where a tube does so the error falls with the number of
// voxels, not with its root.
//
// The voxels and their numbers are those of rind.
func (g *graph) sharpen(ctx context.Context, at, vox []int32) error {
	for _, tau := range sharpTau {
		if err := g.logistic(ctx, at, vox, tau*g.l.mean, sharpRest); err != nil {
			return err
		}
	}
	if err := g.equalCount(ctx, at, vox); err != nil {
		return err
	}
	if err := g.average(ctx, at, vox); err != nil {
		return err
	}
	g.unseen()
	return nil
}

// logistic is one round: a step of Newton for all moves and radii at once, no
// point farther than half a voxel. Its equations are solved down to a share rest of
// the squared residual.
func (g *graph) logistic(ctx context.Context, at, vox []int32, tau, rest float64) error {
	l := g.l
	o, err := g.own(ctx, at, len(vox))
	if err != nil {
		return err
	}
	s := &newton{g: g, first: make([]int, len(g.edges)), nodes: len(g.joints), bend: make([]float64, len(g.edges))}
	ends := g.ends()
	for n := range g.edges {
		e := &g.edges[n]
		s.first[n] = len(s.node)
		if e.dead {
			continue
		}
		for m := range e.p {
			switch m {
			case 0:
				s.node = append(s.node, e.a)
			case len(e.p) - 1:
				s.node = append(s.node, e.b)
			default:
				s.node = append(s.node, s.nodes)
				s.nodes++
			}
		}
		h := length(e.p) / float64(len(e.p)-1) / l.mean
		r := e.typical() / l.mean
		unit := 1 / (l.mean * l.mean)
		s.bend[n] = sharpBend * r / (h * h * h) * unit
		from, to := g.visibleRange(n, ends)
		for m := range e.p {
			w := sharpTaper / (r * h) * unit
			if m < from || m >= to {
				w *= sharpHidden
			}
			s.taper = append(s.taper, w)
		}
	}
	count := len(s.node)
	s.own, s.next, s.widen = make([]block, count), make([]block, count), make([]float64, count)
	s.pull, s.fix, s.hold = make([]r3.Vec, s.nodes), make([]r3.Vec, s.nodes), make([]float64, s.nodes)
	for v, n := range o.edge {
		if v&0x3fff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if n < 0 || math.Abs(float64(o.gap[v])) > 1.5*l.mean {
			continue
		}
		e := &g.edges[n]
		i, j, k := l.g.IJK(int(vox[v]))
		p := l.g.Point(float64(i), float64(j), float64(k))
		place, foot, beyond := e.near(p, float64(o.at[v]))
		d := r3.Sub(p, foot)
		norm := r3.Norm(d)
		// Beyond a joint the ball that ends the tube counts, beyond a free end nothing.
		if norm == 0 || beyond && (place == 0 && len(ends[e.a]) == 1 || place > 0 && len(ends[e.b]) == 1) {
			continue
		}
		u := r3.Scale(1/norm, d)
		y := 1.0
		if v >= len(l.vox) {
			y = -1
		}
		m := min(int(place), len(e.p)-2)
		t := place - float64(m)
		gap := norm - (e.r[m] + t*(e.r[m+1]-e.r[m]))
		q := 1 / (1 + math.Exp(-y*gap/tau))
		f, w := y*q/tau, max(q*(1-q), 0.01)/(tau*tau)
		x := s.first[n] + m
		s.own[x].add(u, w*(1-t)*(1-t))
		s.own[x+1].add(u, w*t*t)
		s.next[x].add(u, w*t*(1-t))
		s.pull[s.node[x]] = r3.Add(s.pull[s.node[x]], r3.Scale(f*(1-t), u))
		s.pull[s.node[x+1]] = r3.Add(s.pull[s.node[x+1]], r3.Scale(f*t, u))
		s.widen[x] += f * (1 - t)
		s.widen[x+1] += f * t
	}
	s.smooth()
	dx, dr := s.solve(rest)
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		for m := range e.p {
			x := s.first[n] + m
			d := dx[s.node[x]]
			if most := 0.5 * l.mean; r3.Norm(d) > most {
				d = r3.Scale(most/r3.Norm(d), d)
			}
			e.p[m] = r3.Add(e.p[m], d)
			e.r[m] = max(e.r[m]+min(max(dr[x], -0.3*l.mean), 0.3*l.mean), 0.4*l.mean)
		}
		g.joints[e.a].at, g.joints[e.b].at = e.p[0], e.p[len(e.p)-1]
	}
	return nil
}

// visibleRange is the points of edge n, from and up to, that lie outside the
// tubes of the other edges at its joints; where no point does, the middle ones.
func (g *graph) visibleRange(n int, ends [][]int) (from, to int) {
	e := &g.edges[n]
	last := len(e.p) - 1
	hidden := func(p r3.Vec, j int) bool {
		for _, x := range ends[j] {
			o := &g.edges[x/2]
			if x/2 == n {
				continue
			}
			for m := 1; m < len(o.p); m++ {
				k := m
				if x&1 == 1 {
					k = len(o.p) - m
				}
				d := r3.Sub(o.p[k], o.p[k-1])
				t := min(max(r3.Dot(r3.Sub(p, o.p[k-1]), d)/max(r3.Norm2(d), 1e-12), 0), 1)
				r := o.r[k-1] + t*(o.r[k]-o.r[k-1])
				if r3.Norm(r3.Sub(p, r3.Add(o.p[k-1], r3.Scale(t, d)))) < r {
					return true
				}
				if r3.Norm(r3.Sub(o.p[k], g.joints[j].at)) > 4*(o.r[k]+e.r[0]+e.r[last]) {
					break
				}
			}
		}
		return false
	}
	from, to = 0, last
	for from < last && hidden(e.p[from], e.a) {
		from++
	}
	for to > from && hidden(e.p[to], e.b) {
		to--
	}
	if from >= to {
		from, to = last/2, last/2+1
	}
	return from, to
}

// equalCount scales the radii of each edge towards those of the tube that holds
// as many voxel centres as the lumen does there: of all voxels of the edge,
// inside and out, in the order of their distance over the radius, the tube must
// hold the first K, K of them being lumen. The noise of counting is the same for
// both and drops out; what is left is that of one voxel at the surface. The fit
// and the count err apart from each other: the radius is their geometric mean.
func (g *graph) equalCount(ctx context.Context, at, vox []int32) error {
	l := g.l
	o, err := g.own(ctx, at, len(vox))
	if err != nil {
		return err
	}
	type item struct {
		ratio float64
		in    bool
	}
	list := make([][]item, len(g.edges))
	seen := make([][2]int, len(g.edges))
	ends := g.ends()
	for n := range g.edges {
		if !g.edges[n].dead {
			seen[n][0], seen[n][1] = g.visibleRange(n, ends)
		}
	}
	for v, n := range o.edge {
		if n < 0 {
			continue
		}
		e := &g.edges[n]
		i, j, k := l.g.IJK(int(vox[v]))
		p := l.g.Point(float64(i), float64(j), float64(k))
		place, foot, beyond := e.near(p, float64(o.at[v]))
		if beyond || place < float64(seen[n][0]) || place > float64(seen[n][1]) {
			continue
		}
		m := min(int(place), len(e.p)-2)
		r := e.r[m] + (place-float64(m))*(e.r[m+1]-e.r[m])
		list[n] = append(list[n], item{r3.Norm(r3.Sub(p, foot)) / r, v < len(l.vox)})
	}
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead || len(list[n]) < 8 {
			continue
		}
		k := 0
		for _, x := range list[n] {
			if x.in {
				k++
			}
		}
		if k == 0 || k == len(list[n]) {
			continue
		}
		slices.SortFunc(list[n], func(a, b item) int { return cmp.Compare(a.ratio, b.ratio) })
		f := math.Sqrt((list[n][k-1].ratio + list[n][k].ratio) / 2)
		for m := range e.r {
			e.r[m] *= f
		}
	}
	return nil
}
