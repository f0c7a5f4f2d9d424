package vessel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// The standard error of the volume of a voxelised tube is about countNoise
// times the root of the number of its surface voxels (in voxels): so chosen that
// counting alone errs as much on the phantom trees. After the fit to both sides
// the errors there are about two thirds of it; walls of real masks are rougher.
const countNoise = 0.6

// areas sets the radius along every edge to that of the circle of the mean
// cross-section around each point: the volume of the voxels between two planes
// across the centreline over the distance of the planes (Pappus). Voxels are
// counted, so the radius has no bias however thin the vessel. Near joints a
// cross-section holds more than one vessel: there the nearest clean radius
// stands, and where an edge has none that of the fitted tube. It returns the volume that no edge owns, mm³.
func (g *graph) areas(ctx context.Context) (strayMM3 float64, err error) {
	l := g.l
	o, err := g.own(ctx, l.at, len(l.vox))
	if err != nil {
		return 0, err
	}
	voxel := math.Abs(l.g.VoxelMM3())
	count := make([][]float64, len(g.edges))
	rim := make([]float64, len(g.edges))
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		count[n] = make([]float64, len(e.p))
		e.clean = make([]bool, len(e.p))
		for m := range e.clean {
			e.clean[m] = true
		}
	}
	strides := [3]int{1, l.g.Size[0], l.g.Size[0] * l.g.Size[1]}
	for v, n := range o.edge {
		if v&0x3fff == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if n < 0 {
			strayMM3 += voxel
			continue
		}
		e := &g.edges[n]
		place, _, beyond := e.near(l.centre(int32(v)), float64(o.at[v]))
		m := int(place + 0.5)
		if !beyond {
			count[n][m] += voxel
		}
		outside := false
		for _, s := range strides {
			for _, d := range [2]int{-s, s} {
				switch u := l.at[int(l.vox[v])+d]; {
				case u < 0:
					outside = true
				case o.edge[u] >= 0 && o.edge[u] != n:
					e.clean[m] = false
				}
			}
		}
		if outside && !beyond {
			rim[n]++
		}
	}
	ends := g.ends()
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		g.section(e, count[n], rim[n], voxel, len(ends[e.a]) > 1, len(ends[e.b]) > 1)
	}
	return strayMM3, nil
}

// section turns the volumes per point of one edge into radii.
func (g *graph) section(e *edge, count []float64, rim, voxel float64, joinA, joinB bool) {
	n := len(e.p)
	step := length(e.p) / float64(n-1)
	if step == 0 {
		return
	}
	// The first and the last point have half a step, and voxels beyond the planes
	// at the ends of others.
	if joinA {
		e.clean[0] = false
	}
	if joinB {
		e.clean[n-1] = false
	}
	width := func(m int) float64 {
		if m == 0 || m == n-1 {
			return step / 2
		}
		return step
	}
	span := max(1, int(math.Round(g.l.window(e.typical())/step)))
	r := make([]float64, n)
	some := false
	for m := range e.p {
		if !e.clean[m] {
			continue
		}
		vol, run := 0.0, 0.0
		for o := m; o >= max(0, m-span) && e.clean[o]; o-- {
			vol, run = vol+count[o], run+width(o)
		}
		for o := m + 1; o <= min(n-1, m+span) && e.clean[o]; o++ {
			vol, run = vol+count[o], run+width(o)
		}
		if vol > 0 {
			r[m], some = math.Sqrt(vol/(math.Pi*run)), true
		}
	}
	if some {
		fillGaps(r)
		copy(e.r, r)
	} else {
		t := e.typical()
		for m := range e.r {
			e.r[m] = t
		}
	}
	total := math.Pi * length(e.p) * e.typical() * e.typical()
	e.sd = e.typical() / 2 * countNoise * math.Sqrt(max(rim, 1)) * voxel / max(total, voxel)
}

// fillGaps gives each 0 in r the value next to it, between two values the line
// through them.
func fillGaps(r []float64) {
	last := -1
	for m, x := range r {
		if x == 0 {
			continue
		}
		for o := last + 1; o < m; o++ {
			if last < 0 {
				r[o] = x
			} else {
				r[o] = r[last] + (x-r[last])*float64(o-last)/float64(m-last)
			}
		}
		last = m
	}
	for o := last + 1; last >= 0 && o < len(r); o++ {
		r[o] = r[last]
	}
}

// capEnds moves the trimmed ends of edges to the middle of the ball that ends the
// vessel: the volume from a plane some way before the end is that of the
// cylinder up to there and half a ball.
func (g *graph) capEnds(ctx context.Context) error {
	l := g.l
	o, err := g.own(ctx, l.at, len(l.vox))
	if err != nil {
		return err
	}
	at := g.ends()
	voxel := l.g.VoxelMM3()
	vol := make([][2]float64, len(g.edges)) // beyond the plane at the a and the b side
	from := make([][2]int, len(g.edges))
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		r, last := e.typical(), len(e.p)-1
		for from[n][0] = 1; from[n][0] < last/2 && length(e.p[:from[n][0]+1]) < 1.5*r; from[n][0]++ {
		}
		for from[n][1] = last - 1; from[n][1] > last-last/2 && length(e.p[from[n][1]:]) < 1.5*r; from[n][1]-- {
		}
	}
	for v, n := range o.edge {
		if n < 0 {
			continue
		}
		e := &g.edges[n]
		if !e.trimmed[0] && !e.trimmed[1] {
			continue
		}
		place, _, _ := e.near(l.centre(int32(v)), float64(o.at[v]))
		if place < float64(from[n][0]) {
			vol[n][0] += voxel
		}
		if place > float64(from[n][1]) {
			vol[n][1] += voxel
		}
	}
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		for side, j := range [2]int{e.a, e.b} {
			if !e.trimmed[side] || len(at[j]) != 1 {
				continue
			}
			r := e.r[from[n][side]] // clear of the rounding, and of the taper farther off
			before := len(e.p)
			want := vol[n][side]/(math.Pi*r*r) - 2*r/3
			if side == 0 {
				e.turn()
			}
			last := len(e.p) - 1
			k := from[n][side]
			if side == 0 {
				k = last - k
			}
			have := length(e.p[k:])
			// The end goes back at most to the plane and on at most by a radius.
			d := min(max(want-have, -0.9*have), r)
			if d > 0 {
				e.p = append(e.p, r3.Add(e.p[last], r3.Scale(d, e.tangent(last))))
				e.r = append(e.r, e.r[last])
			} else {
				for len(e.p) > 3 {
					s := r3.Norm(r3.Sub(e.p[len(e.p)-1], e.p[len(e.p)-2]))
					if s > -d {
						break
					}
					d += s
					e.p, e.r = e.p[:len(e.p)-1], e.r[:len(e.r)-1]
				}
				last = len(e.p) - 1
				if s := r3.Norm(r3.Sub(e.p[last], e.p[last-1])); s > 0 {
					e.p[last] = r3.Add(e.p[last], r3.Scale(max(d/s, -0.9), r3.Sub(e.p[last], e.p[last-1])))
				}
			}
			e.clean = nil
			g.joints[j].at = e.p[len(e.p)-1]
			if side == 0 {
				e.turn()
				from[n][1] += len(e.p) - before // points came or went in front of it
			}
		}
	}
	return nil
}
