package vessel

import "math"

// A radius that changes by calibreLeast of itself or more along a branch does so in
// one step where that makes the voxels e^calibreSure = 20 times as likely as a
// steady change. Both parts of a step must be seen for a radius. The transition of
// the voxels is calibreTau voxels wide; those within calibreReach voxels of the
// wall count.
const (
	calibreLeast = 0.08
	calibreSure  = 3.0
	calibreTau   = 0.12
	calibreReach = 0.6
)

// wallVoxel is a voxel near the wall of one edge.
type wallVoxel struct {
	at  float64 // place along the edge: point index and fraction
	gap float64 // mm to the wall
	in  bool    // the lumen
}

// calibres chooses how the radius of each edge in doubt may change: steadily, or in
// a step. A vessel keeps its radius between branches and loses some of it where it
// gives off one, and so it does where that branch is too thin to be seen; a
// steady change would make its radius wrong inside the vessel it comes from, where
// no voxel tells it.
func (b *bundle) calibres(o *owners) {
	g := b.g
	walls := make([][]wallVoxel, len(g.edges))
	for v, n := range o.edge {
		if n < 0 || !b.live[n] || math.Abs(float64(o.gap[v])) > calibreReach*g.l.mean {
			continue
		}
		if at := o.at[v]; at > 0 && at < float32(len(g.edges[n].p)-1) {
			walls[n] = append(walls[n], wallVoxel{float64(at), float64(o.gap[v]), v < len(g.l.vox)})
		}
	}
	for n := range g.edges {
		if !b.live[n] {
			continue
		}
		e := &g.edges[n]
		from, to := g.visibleRange(n, b.ends)
		b.shape[n] = slope(len(e.p), 0, len(e.p)-1)
		c := calibre{wall: walls[n], r: e.typical(), tau: calibreTau * g.l.mean, tight: b.s.tight[n]}
		step := length(e.p) / float64(len(e.p)-1)
		most, change := c.fit(b.shape[n])
		if math.Abs(change) < calibreLeast || step == 0 {
			continue
		}
		most += calibreSure
		part := int(math.Ceil(c.r / step))
		for m := from + part; m <= to-part; m++ {
			s := slope(len(e.p), m, m+1)
			if l, _ := c.fit(s); l > most {
				most, b.shape[n] = l, s
			}
		}
	}
}

// slope is a steady change by 1 between two of count points and none elsewhere, 0
// on average.
func slope(count, from, to int) []float64 {
	out := make([]float64, count)
	mean := 0.0
	for m := range out {
		out[m] = float64(min(max(m, from), to)-from) / float64(to-from)
		w := 1.0
		if m == 0 || m == count-1 {
			w = 0.5
		}
		mean += w * out[m] / float64(count-1)
	}
	for m := range out {
		out[m] -= mean
	}
	return out
}

// calibre is the voxels that tell the radius r of an edge, all in mm.
type calibre struct {
	wall   []wallVoxel
	r, tau float64
	tight  float64 // one over the square of the usual change
}

// fit is the greatest logarithm of the likelihood of the voxels when the logarithm of
// the radius is off by a constant and a multiple of the shape, and that multiple.
func (c *calibre) fit(shape []float64) (most, change float64) {
	const rounds = 8
	most = math.Inf(-1)
	a, b := 0.0, 0.0
	for range rounds {
		sum := -1.5 * math.Log1p(c.tight*b*b/2) // as the prior of the sampler
		pull := 1.5 * c.tight / (1 + c.tight*b*b/2)
		ga, gb, haa, hab, hbb := 0.0, -pull*b, 0.0, 0.0, pull
		for i := range c.wall {
			w := &c.wall[i]
			m := min(int(w.at), len(shape)-2)
			f := shape[m] + (w.at-float64(m))*(shape[m+1]-shape[m])
			x := (w.gap - c.r*(a+b*f)) / c.tau
			y := 1.0
			if !w.in {
				y = -1
			}
			t := math.Exp(-y * x)
			q := 1 / (1 + t) // chance of being wrong
			if y*x < 30 {
				sum += math.Log(t * q)
			} else {
				sum -= y * x
			}
			g, h := y*q*c.r/c.tau, max(q*(1-q), 0.01)*c.r*c.r/(c.tau*c.tau)
			ga, gb = ga+g, gb+g*f
			haa, hab, hbb = haa+h, hab+h*f, hbb+h*f*f
		}
		det := haa*hbb - hab*hab
		if sum < most+0.02 || !(det > 0) {
			return max(most, sum), change
		}
		most, change = sum, b
		a, b = a+(ga*hbb-gb*hab)/det, b+(gb*haa-ga*hab)/det
	}
	return most, change
}
