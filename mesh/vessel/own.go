package vessel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// owners says for each lumen voxel which edge it belongs to: that whose tube
// surface it lies deepest in.
type owners struct {
	edge []int32   // −1 where no tube comes near
	at   []float32 // place along the edge: point index and fraction
	gap  []float32 // mm to the surface of the tube, negative inside
}

// A tube reaches for voxels up to ownScale radii plus ownVoxels voxels from its
// centreline.
const (
	ownScale  = 1.35
	ownVoxels = 1.5
)

func (g *graph) own(ctx context.Context, at []int32, count int) (*owners, error) {
	l := g.l
	o := &owners{edge: make([]int32, count), at: make([]float32, count), gap: make([]float32, count)}
	for v := range o.edge {
		o.edge[v], o.gap[v] = -1, math.MaxFloat32
	}
	work := 0
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		lean := e.lean()
		for m := 1; m < len(e.p); m++ {
			if work++; work&63 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			o.segment(l, at, int32(n), m, e, lean)
		}
	}
	return o, nil
}

// segment offers the voxels around the m-th segment of an edge to it.
func (o *owners) segment(l *lumen, at []int32, n int32, m int, e *edge, lean float64) {
	ra, rb := e.r[m-1], e.r[m]
	reach := ownScale*max(ra, rb) + ownVoxels*l.mean
	g := l.stretch(e, m, reach, lean)
	dx, dy, dz, ax := g.d[0], g.d[1], g.d[2], g.a[0]
	g.rows(l, reach, func(row, from, to int, y, z float64) {
		yz := y*dy + z*dz
		for i, v := range at[row+from : row+to+1] {
			if v < 0 {
				continue
			}
			x := float64(from+i)*g.h - ax
			t := min(max((x*dx+yz)*g.inv, 0), 1)
			ex, ey, ez := x-t*dx, y-t*dy, z-t*dz
			d2 := ex*ex + ey*ey + ez*ez
			if d2 > reach*reach {
				continue
			}
			if gap := float32(math.Sqrt(d2) - ra - t*(rb-ra)); gap < o.gap[v] {
				o.gap[v], o.edge[v], o.at[v] = gap, n, float32(m-1)+float32(t)
			}
		}
	})
}

// stretch is a straight piece of a centreline in steps of the lattice, scaled to
// mm: distances there are those of patient space.
type stretch struct {
	a, d      [3]float64 // where it starts, and from there to its end
	inv, long float64    // one over its squared length, and its length
	h         float64    // between voxels of a row
	lo, hi    float64    // of the product with d, for points nearest to this piece
}

// gentle is the most that the radius of a tube may change per length for lean to
// hold where its centreline bends.
const gentle = 0.05

// lean is how far before or after its place along e, in distances from the
// centreline, a point may lie deepest in a tube whose radius changes.
func (e *edge) lean() float64 {
	steep := 0.0
	for m := 1; m < len(e.p); m++ {
		if d := r3.Norm(r3.Sub(e.p[m], e.p[m-1])); d > 0 {
			steep = max(steep, math.Abs(e.r[m]-e.r[m-1])/d)
		}
	}
	if steep > gentle {
		return math.Inf(1)
	}
	return 2 * steep / (1 - steep*steep)
}

// stretch is the m-th segment of e. What within reach lies before its start is
// nearer to the segment before, and what lies beyond its end and nearest to it is
// in the wedge that the bend there leaves open; a tube that leans holds more.
func (l *lumen) stretch(e *edge, m int, reach, lean float64) stretch {
	a, b := e.p[m-1], e.p[m]
	h := l.g.SpacingMM()
	ai, aj, ak := l.g.Voxel(a)
	bi, bj, bk := l.g.Voxel(b)
	g := stretch{a: [3]float64{ai * h[0], aj * h[1], ak * h[2]}, h: h[0], lo: math.Inf(-1), hi: math.Inf(1)}
	g.d = [3]float64{bi*h[0] - g.a[0], bj*h[1] - g.a[1], bk*h[2] - g.a[2]}
	n := g.d[0]*g.d[0] + g.d[1]*g.d[1] + g.d[2]*g.d[2]
	if n > 0 {
		g.inv, g.long = 1/n, math.Sqrt(n)
	}
	slack := (1e-6*(g.long+reach) + lean*reach) * g.long
	if m > 1 {
		g.lo = -slack
	}
	if m+1 < len(e.p) {
		c, d := r3.Sub(e.p[m+1], b), r3.Sub(b, a)
		if wedge := r3.Norm(r3.Cross(c, d)); r3.Dot(c, d) > 0 {
			g.hi = n + reach*wedge/r3.Norm(c) + slack
		}
	}
	return g
}

// rows calls f for the rows of the crop that may come within reach mm: the voxel
// of the crop before the row, the range of voxels in it, and where it lies from
// the start of the stretch.
func (g *stretch) rows(l *lumen, reach float64, f func(row, from, to int, y, z float64)) {
	h := l.g.SpacingMM()
	var lo, hi [3]int
	for x := range lo {
		lo[x] = max(0, int(math.Ceil((g.a[x]+min(g.d[x], 0)-reach)/h[x])))
		hi[x] = min(l.g.Size[x]-1, int(math.Floor((g.a[x]+max(g.d[x], 0)+reach)/h[x])))
	}
	// Nothing within reach lies farther than this from the middle.
	ball := reach + g.long/2 + 1e-6*l.mean
	for k := lo[2]; k <= hi[2]; k++ {
		z := float64(k)*h[2] - g.a[2]
		for j := lo[1]; j <= hi[1]; j++ {
			y := float64(j)*h[1] - g.a[1]
			half := ball*ball - (y-g.d[1]/2)*(y-g.d[1]/2) - (z-g.d[2]/2)*(z-g.d[2]/2)
			if half < 0 {
				continue
			}
			half = math.Sqrt(half)
			from, to := g.a[0]+g.d[0]/2-half, g.a[0]+g.d[0]/2+half
			yz := y*g.d[1] + z*g.d[2]
			switch dx := g.d[0]; {
			case dx > 0:
				from, to = max(from, g.a[0]+(g.lo-yz)/dx), min(to, g.a[0]+(g.hi-yz)/dx)
			case dx < 0:
				from, to = max(from, g.a[0]+(g.hi-yz)/dx), min(to, g.a[0]+(g.lo-yz)/dx)
			case yz < g.lo || yz > g.hi:
				continue
			}
			if i, end := max(lo[0], int(math.Ceil(from/h[0]))), min(hi[0], int(math.Floor(to/h[0]))); i <= end {
				f(l.g.Index(0, j, k), i, end, y, z)
			}
		}
	}
}

// distance is that of voxel i of a row, mm, and the place of the nearest point, 0
// to 1.
func (g *stretch) distance(i int, y, z float64) (mm, t float64) {
	x := float64(i)*g.h - g.a[0]
	t = min(max((x*g.d[0]+y*g.d[1]+z*g.d[2])*g.inv, 0), 1)
	x, y, z = x-t*g.d[0], y-t*g.d[1], z-t*g.d[2]
	return math.Sqrt(x*x + y*y + z*z), t
}

// near is the place of the point of e closest to p, looking only around place
// at, and whether it is beyond an end of the edge.
func (e *edge) near(p r3.Vec, at float64) (place float64, foot r3.Vec, beyond bool) {
	best := math.Inf(1)
	m0 := int(at)
	for m := max(1, m0-1); m <= min(len(e.p)-1, m0+3); m++ {
		d := r3.Sub(e.p[m], e.p[m-1])
		n2 := r3.Norm2(d)
		if n2 == 0 {
			continue
		}
		raw := r3.Dot(r3.Sub(p, e.p[m-1]), d) / n2
		t := min(max(raw, 0), 1)
		f := r3.Add(e.p[m-1], r3.Scale(t, d))
		if d2 := r3.Norm2(r3.Sub(p, f)); d2 < best {
			best, place, foot = d2, float64(m-1)+t, f
			beyond = m == 1 && raw < 0 || m == len(e.p)-1 && raw > 1
		}
	}
	return place, foot, beyond
}

// tangent is the unit direction of e at point m.
func (e *edge) tangent(m int) r3.Vec {
	d := r3.Sub(e.p[min(m+1, len(e.p)-1)], e.p[max(m-1, 0)])
	if n := r3.Norm(d); n > 0 {
		return r3.Scale(1/n, d)
	}
	return r3.Vec{}
}

// places is the nearest place of an edge to each cell.
type places struct {
	at, gap []float32 // place, −1 for none; mm to the surface
}

// find is the cells inside e or within reach of its surface.
func (q *places) find(l *lumen, at, cellOf []int32, e *edge, reach float64) []int32 {
	var hit []int32
	for c := range q.at {
		q.at[c] = -1
	}
	lean := e.lean()
	for m := 1; m < len(e.p); m++ {
		ra, rb := e.r[m-1], e.r[m]
		g := l.stretch(e, m, max(ra, rb)+reach, lean)
		g.rows(l, max(ra, rb)+reach, func(row, from, to int, y, z float64) {
			for i := from; i <= to; i++ {
				v := at[row+i]
				if v < 0 || cellOf[v] == 0 {
					continue
				}
				c := cellOf[v] - 1
				d, t := g.distance(i, y, z)
				gap := float32(d - ra - t*(rb-ra))
				switch {
				case float64(gap) > reach:
					continue
				case q.at[c] < 0:
					hit = append(hit, c)
				case gap >= q.gap[c]:
					continue
				}
				q.at[c], q.gap[c] = float32(float64(m-1)+t), gap
			}
		})
	}
	return hit
}
