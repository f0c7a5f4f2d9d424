package vessel

import (
	"context"
	"math"
)

// The standard error of the volume of a voxelised tube is about countNoise
// times the root of the number of its surface voxels (in voxels).
const countNoise = 0.3

// areas sets the radius along every edge to that of the circle of the mean
// cross-section around each point: the volume of the voxels between two planes
// across the centreline over the distance of the planes (Pappus). Voxels are
// counted, so the radius has no bias however thin the vessel. Near joints a
// cross-section holds more than one vessel: there the fitted radius is scaled as
// the nearest clean one was. It returns the volume that no edge owns, mm³.
func (g *graph) areas(ctx context.Context) (strayMM3 float64, err error) {
	l := g.l
	o, err := g.own(ctx)
	if err != nil {
		return 0, err
	}
	voxel := math.Abs(l.g.VoxelMM3())
	count := make([][]float64, len(g.edges))
	cap := make([][2]float64, len(g.edges))
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
		if beyond {
			cap[n][min(m, 1)] += voxel
		} else {
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
	scale := make([]float64, n) // counted over fitted radius
	some := false
	for m := range e.p {
		if !e.clean[m] {
			continue
		}
		vol, fitted := 0.0, 0.0
		for o := m; o >= max(0, m-span) && e.clean[o]; o-- {
			vol, fitted = vol+count[o], fitted+width(o)*e.r[o]*e.r[o]
		}
		for o := m + 1; o <= min(n-1, m+span) && e.clean[o]; o++ {
			vol, fitted = vol+count[o], fitted+width(o)*e.r[o]*e.r[o]
		}
		if vol > 0 {
			scale[m] = math.Sqrt(vol / (math.Pi * fitted))
			some = true
		}
	}
	if some {
		last := 0.0
		for m := range scale {
			if scale[m] > 0 {
				last = scale[m]
			} else if last > 0 {
				scale[m] = -last
			}
		}
		last = 0
		for m := n - 1; m >= 0; m-- {
			switch {
			case scale[m] > 0:
				last = scale[m]
			case scale[m] == 0:
				scale[m] = -last
			case last > 0:
				scale[m] = (scale[m] - last) / 2
			}
		}
		for m := range e.r {
			e.r[m] *= math.Abs(scale[m])
		}
	}
	total := math.Pi * length(e.p) * e.typical() * e.typical()
	e.sd = e.typical() / 2 * countNoise * math.Sqrt(max(rim, 1)) * voxel / max(total, voxel)
}
