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
		for m := 1; m < len(e.p); m++ {
			if work++; work&63 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			o.segment(l, at, int32(n), m, e)
		}
	}
	return o, nil
}

// segment offers the voxels around the m-th segment of an edge to it.
func (o *owners) segment(l *lumen, at []int32, n int32, m int, e *edge) {
	a, b := e.p[m-1], e.p[m]
	ra, rb := e.r[m-1], e.r[m]
	reach := ownScale*max(ra, rb) + ownVoxels*l.mean
	h := l.g.SpacingMM()
	var lo, hi [3]int
	ai, aj, ak := l.g.Voxel(a)
	bi, bj, bk := l.g.Voxel(b)
	va, vb := [3]float64{ai, aj, ak}, [3]float64{bi, bj, bk}
	for x := range lo {
		lo[x] = max(0, int(math.Ceil(min(va[x], vb[x])-reach/h[x])))
		hi[x] = min(l.g.Size[x]-1, int(math.Floor(max(va[x], vb[x])+reach/h[x])))
	}
	// In steps of the lattice, scaled to mm, the distance is that of patient space.
	ax, ay, az := va[0]*h[0], va[1]*h[1], va[2]*h[2]
	dx, dy, dz := vb[0]*h[0]-ax, vb[1]*h[1]-ay, vb[2]*h[2]-az
	norm2 := dx*dx + dy*dy + dz*dz
	inv := 0.0
	if norm2 > 0 {
		inv = 1 / norm2
	}
	for k := lo[2]; k <= hi[2]; k++ {
		z := float64(k)*h[2] - az
		for j := lo[1]; j <= hi[1]; j++ {
			y := float64(j)*h[1] - ay
			row := l.g.Index(0, j, k)
			for i := lo[0]; i <= hi[0]; i++ {
				v := at[row+i]
				if v < 0 {
					continue
				}
				x := float64(i)*h[0] - ax
				t := min(max((x*dx+y*dy+z*dz)*inv, 0), 1)
				ex, ey, ez := x-t*dx, y-t*dy, z-t*dz
				d := math.Sqrt(ex*ex + ey*ey + ez*ez)
				if d > reach {
					continue
				}
				if gap := float32(d - ra - t*(rb-ra)); gap < o.gap[v] {
					o.gap[v], o.edge[v], o.at[v] = gap, n, float32(m-1)+float32(t)
				}
			}
		}
	}
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
