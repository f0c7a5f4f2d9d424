package contour

import (
	"context"
	"slices"

	"halsted/internal/par"
)

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
	return r.part(ctx)
}

// part finds the held vertices, those on junctions and creases, which look at
// their like alone if they have two of them, and those next to them.
func (r *relaxation) part(ctx context.Context) error {
	n := r.n
	held, lines := 0, 0
	for _, h := range n.held {
		lines += int(h >> 3)
		if h&^crease != 0 {
			held++
		}
	}
	r.held, r.lines = make([]int32, 0, held), make([]junction, 0, lines)
	for v, h := range n.held {
		if h&^crease != 0 {
			r.held = append(r.held, int32(v))
		}
		if h&crease != 0 {
			r.lines = append(r.lines, junction{int32(v), r.near[v]})
		}
	}
	if len(r.lines) == 0 {
		return nil
	}
	isRim := make([]bool, n.Len())
	for i := range r.lines {
		if i%chunk == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		l := &r.lines[i]
		like := 0
		for _, w := range l.all {
			if w == 4*l.v {
				continue
			}
			if n.held[w/4]&crease != 0 {
				like++
				continue
			}
			if !isRim[w/4] {
				isRim[w/4] = true
				f := fringe{w / 4, r.near[w/4]}
				for s, u := range f.sheet {
					if n.held[u/4]&crease != 0 {
						f.sheet[s] = w
					}
				}
				r.rim = append(r.rim, f)
			}
		}
		if like < 2 {
			continue
		}
		for s, w := range l.all {
			if n.held[w/4]&crease == 0 {
				r.near[l.v][s] = 4 * l.v
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
// planes of its neighbours on one sheet, and of the way to go. Lines between
// labels wait for the last time, as tangent planes lie outside round sheets;
// rims of flat ends, which have one sheet only, would shrink.
func (r *relaxation) meetSheets(ctx context.Context, at, normal []float32, last bool) error {
	held := r.n.held
	return par.ChunksCtx(ctx, len(r.lines), chunk, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			l := &r.lines[i]
			if !last && held[l.v] == crease {
				continue
			}
			p := (*[4]float32)(at[4*l.v:])
			// A move = b, A symmetric: xx xy xz yy yz zz
			a := [6]float64{pull, 0, 0, pull, 0, pull}
			var b [3]float64
			for _, w := range l.all {
				if held[w/4]&crease != 0 {
					continue
				}
				n, o := (*[4]float32)(normal[w:]), (*[4]float32)(at[w:])
				f := float64(n[3])
				x, y, z := float64(n[0])*f, float64(n[1])*f, float64(n[2])*f
				d := float64(o[0]-p[0])*x + float64(o[1]-p[1])*y + float64(o[2]-p[2])*z
				plane(&a, &b, x, y, z, d)
			}
			move := solve(&a, &b)
			for x := range 3 {
				if held[l.v]>>x&1 == 0 {
					p[x] = confine(p[x]+float32(move[x]), p[x])
				}
			}
		}
		return nil
	})
}

// solve returns x with A x = b for the symmetric A = pull·I + a positive
// semidefinite matrix, given as xx xy xz yy yz zz.
func solve(a *[6]float64, b *[3]float64) [3]float64 {
	// the adjugate over the determinant, which is at least pull³
	c := [6]float64{a[3]*a[5] - a[4]*a[4], a[2]*a[4] - a[1]*a[5], a[1]*a[4] - a[2]*a[3],
		a[0]*a[5] - a[2]*a[2], a[1]*a[2] - a[0]*a[4], a[0]*a[3] - a[1]*a[1]}
	det := a[0]*c[0] + a[1]*c[1] + a[2]*c[2]
	return [3]float64{(c[0]*b[0] + c[1]*b[1] + c[2]*b[2]) / det, (c[1]*b[0] + c[3]*b[1] + c[4]*b[2]) / det,
		(c[2]*b[0] + c[4]*b[1] + c[5]*b[2]) / det}
}

// plane adds to A and b the plane with the unit normal (x,y,z) at distance d.
func plane(a *[6]float64, b *[3]float64, x, y, z, d float64) {
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
