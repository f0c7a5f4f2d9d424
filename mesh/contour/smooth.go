package contour

import (
	"context"
	"math"
	"slices"

	"halsted/internal/par"
)

const (
	// chunk is the number of vertices or faces a worker takes at a time.
	chunk = 16384
	// roundPasses is the number of relaxation passes between two corrections
	// of the shrinkage.
	roundPasses = 5
	// sixth of the sum over the six slots of a vertex is its next place.
	sixth = float32(1.0 / 6)
)

// spreadSteps are the step sizes of one cycle of fast explicit diffusion with
// five steps, for a graph of at most six neighbours: together they go as far
// as ten steps of 1/6 (Grewenig, Weickert, Bruhn, "From box filtering to fast
// explicit diffusion", DAGM 2010, eq. 10).
var spreadSteps = func() (tau [5]float32) {
	for i := range tau {
		c := math.Cos(math.Pi * float64(2*i+1) / float64(4*len(tau)+2))
		tau[i] = float32(1 / (12 * c * c))
	}
	return tau
}()

// near is the six neighbours of a vertex across the −i −j −k +i +j +k walls of
// its cell, as four times their numbers; the vertex itself where there is none.
type near [6]int32

// relaxation is the work space of Smooth. Positions and normals take four
// floats per vertex.
type relaxation struct {
	n     *Net
	near  []near
	lines []junction // vertices on junctions and creases
	rim   []fringe   // vertices of one sheet next to them
	held  []int32    // vertices with axes held fast
	tau   float32
}

// junction is a vertex on a junction or crease, and all its neighbours.
type junction struct {
	v   int32
	all near
}

// fringe is a vertex of a sheet that ends at a junction, and its neighbours
// on the sheet alone.
type fringe struct {
	v     int32
	sheet near
}

// Smooth runs constrained relaxation passes and makes good the shrinkage after
// each five of them; see the package comment.
//
// Errors: a number of passes out of range, ctx.Err(); Pos is then as before.
func (n *Net) Smooth(ctx context.Context, passes int) error {
	if err := checkPasses(passes); err != nil {
		return err
	}
	if passes == 0 {
		return ctx.Err()
	}
	r := &relaxation{n: n}
	if err := r.link(ctx); err != nil {
		return err
	}
	verts := n.Len()
	before, now, next := make([]float32, 4*verts), make([]float32, 4*verts), make([]float32, 4*verts)
	for v := range verts {
		copy(before[4*v:4*v+3], n.Pos[3*v:3*v+3])
	}
	lost, other := make([]float32, verts), make([]float32, verts)
	for passes > 0 {
		from := before
		for range min(passes, roundPasses) {
			if err := r.relax(ctx, from, now); err != nil {
				return err
			}
			from, now, next = now, next, now
		}
		// from == next holds the relaxed positions
		now, next = next, now
		passes -= roundPasses
		normal := next
		if err := r.normals(ctx, now, normal); err != nil {
			return err
		}
		if err := r.shrinkage(ctx, before, now, normal, lost); err != nil {
			return err
		}
		r.swapRim()
		for _, tau := range spreadSteps {
			if err := r.spread(ctx, tau, lost, other); err != nil {
				return err
			}
			lost, other = other, lost
		}
		r.swapRim()
		if err := r.giveBack(ctx, now, normal, lost); err != nil {
			return err
		}
		if passes <= 0 {
			r.meetSheets(now, normal)
		}
		before, now = now, before
	}
	for v := range verts {
		copy(n.Pos[3*v:3*v+3], before[4*v:4*v+3])
	}
	return nil
}

// bands splits the quadrilaterals into runs of whole slices, at least chunk
// long if there are as many, such that those of every other run share no
// vertex.
func (n *Net) bands() []int32 {
	cut := []int32{0}
	for _, q := range n.slice {
		if q-cut[len(cut)-1] >= chunk {
			cut = append(cut, q)
		}
	}
	if last := int32(len(n.Quads)); cut[len(cut)-1] < last {
		cut = append(cut, last)
	}
	return cut
}

// scatter calls f for all quadrilaterals lo..hi-1 in runs that may add to
// their vertices.
func (n *Net) scatter(ctx context.Context, f func(lo, hi int32)) error {
	cut := n.bands()
	for odd := range 2 {
		err := par.ChunksCtx(ctx, len(cut)/2, 1, func(i, _ int) error {
			if b := 2*i + odd; b+1 < len(cut) {
				f(cut[b], cut[b+1])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// link finds the neighbours.
func (r *relaxation) link(ctx context.Context) error {
	n := r.n
	r.near = make([]near, n.Len())
	err := par.ChunksCtx(ctx, n.Len(), chunk, func(lo, hi int) error {
		for v := lo; v < hi; v++ {
			s := int32(4 * v)
			r.near[v] = near{s, s, s, s, s, s}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = n.scatter(ctx, func(lo, hi int32) {
		for m := lo; m < hi; m++ {
			q := &n.Quads[m]
			a, b, c, d := q[0]*4, q[1]*4, q[2]*4, q[3]*4
			na, nb, nc, nd := &r.near[q[0]], &r.near[q[1]], &r.near[q[2]], &r.near[q[3]]
			// corner 0 to 1 and 3 to 2 is one step along the next axis
			switch n.Axis[m] {
			case 0:
				na[4], nb[1], nd[4], nc[1] = b, a, c, d
				na[5], nd[2], nb[5], nc[2] = d, a, c, b
			case 1:
				na[5], nb[2], nd[5], nc[2] = b, a, c, d
				na[3], nd[0], nb[3], nc[0] = d, a, c, b
			default:
				na[3], nb[0], nd[3], nc[0] = b, a, c, d
				na[4], nd[1], nb[4], nc[1] = d, a, c, b
			}
		}
	})
	if err != nil {
		return err
	}
	for v, h := range n.held {
		if h == 0 {
			continue
		}
		if h != crease {
			r.held = append(r.held, int32(v))
		}
		if h&crease != 0 {
			r.lines = append(r.lines, junction{int32(v), r.near[v]})
		}
	}
	for _, l := range r.lines {
		own, like := 4*l.v, 0
		for s, w := range l.all {
			if w == own {
				continue
			}
			if n.held[w/4]&crease != 0 {
				like++
				continue
			}
			f := &r.near[w/4]
			_ = s
			r.rim = append(r.rim, fringe{w / 4, *f})
		}
		if like < 2 {
			continue
		}
		for s, w := range l.all {
			if n.held[w/4]&crease == 0 {
				r.near[l.v][s] = own
			}
		}
	}
	slices.SortFunc(r.rim, func(a, b fringe) int { return int(a.v - b.v) })
	r.rim = slices.CompactFunc(r.rim, func(a, b fringe) bool { return a.v == b.v })
	for i := range r.rim {
		f := &r.rim[i]
		for s, w := range f.sheet {
			if n.held[w/4]&crease != 0 {
				f.sheet[s] = 4 * f.v
			}
		}
	}
	return nil
}

// swapRim makes the vertices next to junctions look at their sheet alone, and
// back.
func (r *relaxation) swapRim() {
	for i := range r.rim {
		f := &r.rim[i]
		r.near[f.v], f.sheet = f.sheet, r.near[f.v]
	}
}

// heldIn are the held vertices in lo..hi-1.
func (r *relaxation) heldIn(lo, hi int) []int32 {
	a, _ := slices.BinarySearch(r.held, int32(lo))
	b, _ := slices.BinarySearch(r.held, int32(hi))
	return r.held[a:b]
}

// hold puts the held axes of the vertices lo..hi-1 back.
func (r *relaxation) hold(lo, hi int, at []float32) {
	for _, v := range r.heldIn(lo, hi) {
		hold(r.n.held[v], (*[4]float32)(at[4*v:]))
	}
}

// hold puts the axes of held back to where they belong, half way between the
// outermost voxels and the pad.
func hold(held uint8, p *[4]float32) {
	for a := range 3 {
		if held>>a&1 == 1 {
			p[a] = middle(p[a])
		}
	}
}

// relax moves every vertex to the mean of its six slots, inside its cell.
func (r *relaxation) relax(ctx context.Context, from, to []float32) error {
	return par.ChunksCtx(ctx, len(r.near), chunk, func(lo, hi int) error {
		relaxWide(r.near, from, to, lo, hi)
		r.hold(lo, hi, to)
		return nil
	})
}

// spread takes one step of diffusion.
func (r *relaxation) spread(ctx context.Context, tau float32, from, to []float32) error {
	return par.ChunksCtx(ctx, len(r.near), chunk, func(lo, hi int) error {
		spreadWide(r.near, from, to, lo, hi, tau)
		return nil
	})
}

// normals sums the area normals of the faces around each vertex of one sheet,
// turned from the larger label to the smaller, in index coordinates; the
// fourth float is 1/length, or 0.
func (r *relaxation) normals(ctx context.Context, at, normal []float32) error {
	n := r.n
	clear(normal)
	err := n.scatter(ctx, func(lo, hi int32) { normalsWide(n.Quads[lo:hi], n.Sides[lo:hi], at, normal) })
	if err != nil {
		return err
	}
	for i := range r.lines {
		v := r.lines[i].v
		clear(normal[4*v : 4*v+4])
	}
	return nil
}

// shrinkage finds how far each vertex of one sheet went back along its normal.
func (r *relaxation) shrinkage(ctx context.Context, before, now, normal, lost []float32) error {
	return par.ChunksCtx(ctx, len(lost), chunk, func(lo, hi int) error {
		shrinkWide(before, now, normal, lost, lo, hi)
		return nil
	})
}

// giveBack moves each vertex of one sheet along its normal.
func (r *relaxation) giveBack(ctx context.Context, at, normal, lost []float32) error {
	return par.ChunksCtx(ctx, len(lost), chunk, func(lo, hi int) error {
		growWide(at, normal, lost, lo, hi)
		r.hold(lo, hi, at)
		return nil
	})
}

// pull is the weight of a junction's place on its line against one sheet's.
const pull = 0.2

// meetSheets moves each vertex of a junction towards the point where the
// sheets next to it meet: the least squares of the distances to the tangent
// planes of its neighbours on one sheet, and of the way to go.
func (r *relaxation) meetSheets(at, normal []float32) {
	for _, l := range r.lines {
		v := int(l.v)
		p := (*[4]float32)(at[4*v:])
		// A move = b, A symmetric: xx xy xz yy yz zz
		a := [6]float64{pull, 0, 0, pull, 0, pull}
		var b [3]float64
		for _, w := range l.all {
			n, o := (*[4]float32)(normal[w:]), (*[4]float32)(at[w:])
			f := float64(n[3])
			x, y, z := float64(n[0])*f, float64(n[1])*f, float64(n[2])*f
			d := float64(o[0]-p[0])*x + float64(o[1]-p[1])*y + float64(o[2]-p[2])*z
			a[0] += x * x
			a[1] += x * y
			a[2] += x * z
			a[3] += y * y
			a[4] += y * z
			a[5] += z * z
			b[0] += d * x
			b[1] += d * y
			b[2] += d * z
		}
		// the adjugate over the determinant; at least pull³ as A − pull·I ≥ 0
		c := [6]float64{a[3]*a[5] - a[4]*a[4], a[2]*a[4] - a[1]*a[5], a[1]*a[4] - a[2]*a[3],
			a[0]*a[5] - a[2]*a[2], a[1]*a[2] - a[0]*a[4], a[0]*a[3] - a[1]*a[1]}
		det := a[0]*c[0] + a[1]*c[1] + a[2]*c[2]
		move := [3]float64{(c[0]*b[0] + c[1]*b[1] + c[2]*b[2]) / det, (c[1]*b[0] + c[3]*b[1] + c[4]*b[2]) / det,
			(c[2]*b[0] + c[4]*b[1] + c[5]*b[2]) / det}
		for x := range 3 {
			if r.n.held[v]>>x&1 == 0 {
				p[x] = confine(p[x]+float32(move[x]), p[x])
			}
		}
	}
}
