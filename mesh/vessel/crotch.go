package vessel

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// crotch is a joint of three edges with the voxels around that no other edge
// owns: a vessel, the stem, and the two branches that it divides into.
type crotch struct {
	g      *graph
	joint  int
	ends   [3]int       // of the stem and the branches
	lines  [3][]r3.Vec  // their centrelines from the joint on, as far as they are looked at
	radii  [3][]float64 // of the cross-sections along them
	shut   [3]bool      // the line goes to the end of its edge
	wide   float64      // radius of the stem, mm
	reach  float64      // farthest place on the stem where the joint is looked for, mm
	beside [2]float64   // how far the branches run beside each other, at most crotchBeside radii, mm
	l      *lumen       // a crop of that of g with these voxels alone
	vox    []int32      // they, and those outside within rindVoxels
}

// Lines go crotchSpare radii of their own beyond what is looked at; branches at
// least crotchLine radii of the stem. Where branches run beside each other for
// longer than crotchBeside radii of the stem they are drawn anew only so far.
// A stem whose radius changes by a factor of crotchEven or more, as in an aneurysm,
// is no vessel that keeps it. Branches at a wider angle than that of cosine crotchCos
// do not run side by side.
const (
	crotchSpare  = 2.0
	crotchLine   = 3.0
	crotchBeside = 3.0
	crotchEven   = 1.5
	crotchCos    = -0.3
)

// forked is the ends that meet at a joint, that of a vessel before those of its
// branches: the two edges at the least angle; and the same with the next pair when
// that is an acute one, too.
func (g *graph) forked(j int, ends []int) (out [][3]int) {
	if len(ends) != 3 || g.joints[j].root || ends[0]/2 == ends[1]/2 || ends[1]/2 == ends[2]/2 || ends[0]/2 == ends[2]/2 {
		return nil
	}
	cos := func(x [3]int) float64 { return r3.Dot(g.away(x[1]), g.away(x[2])) }
	for n := range ends {
		out = append(out, [3]int{ends[n], ends[(n+1)%3], ends[(n+2)%3]})
	}
	slices.SortStableFunc(out, func(x, y [3]int) int { return cmp.Compare(cos(y), cos(x)) })
	switch {
	case cos(out[0]) < crotchCos:
		return nil
	case cos(out[1]) < 0:
		return out[:1]
	}
	return out[:2]
}

// crotchAt is what lies around joint j, at which the given ends meet, with the
// stem as far as the joint may lie back radii of it before; nil where an edge is
// too short or the stem does not keep its radius. The voxels have the numbers at
// and owners o.
func (g *graph) crotchAt(j int, ends [3]int, back float64, o *owners, at []int32) *crotch {
	c := &crotch{g: g, joint: j, ends: ends}
	c.wide = g.edges[c.ends[0]/2].typical()
	c.reach = back * c.wide
	for n, x := range c.ends {
		r := g.edges[x/2].typical()
		mm := c.reach + crotchSpare*c.wide
		if n > 0 {
			c.beside[n-1] = min(g.besides(x, c.ends[3-n]), crotchBeside*c.wide)
			mm = max(crotchLine*c.wide, c.beside[n-1]+crotchSpare*r)
		}
		p := g.from(x)
		_, m := pointAlong(p, mm)
		c.lines[n], c.radii[n], c.shut[n] = p[:m+1], g.radiiFrom(x)[:m+1], m == len(p)-1
		if length(c.lines[n]) < r || n == 0 && uneven(c.radii[n]) > crotchEven {
			return nil
		}
	}
	c.crop(o, at)
	return c
}

// uneven is the ratio of the radius that one in five exceeds to that which four in
// five do: at a few points the cross-section holds both branches.
func uneven(r []float64) float64 {
	s := slices.Sorted(slices.Values(r))
	return s[len(s)*4/5] / s[len(s)/5]
}

// radiiFrom is the radii of the edge of end x, that at its joint first.
func (g *graph) radiiFrom(x int) []float64 {
	r := g.edges[x/2].r
	if x&1 == 1 {
		r = slices.Clone(r)
		slices.Reverse(r)
	}
	return r
}

// besides is how far the edge of end x runs from its joint before its tube is
// clear of that of y, mm.
func (g *graph) besides(x, y int) float64 {
	p, q := g.from(x), g.from(y)
	apart := g.edges[x/2].typical() + g.edges[y/2].typical()
	s := 0.0
	for m := 1; m < len(p); m++ {
		s += r3.Norm(r3.Sub(p[m], p[m-1]))
		if lineDistance(p[m], q) > apart {
			break
		}
	}
	return s
}

// crop makes the lumen of the voxels that the edges own as far as the lines go.
func (c *crotch) crop(o *owners, at []int32) {
	l := c.g.l
	h := l.g.SpacingMM()
	box := imaging.Box{Lo: l.g.Size}
	for n, line := range c.lines {
		for m, p := range line {
			i, j, k := l.g.Voxel(p)
			for a, x := range [3]float64{i, j, k} {
				w := (ownScale*c.radii[n][m] + ownVoxels*l.mean) / h[a]
				box.Lo[a] = max(0, min(box.Lo[a], int(x-w)))
				box.Hi[a] = min(l.g.Size[a], max(box.Hi[a], int(x+w)+2))
			}
		}
	}
	c.l = &lumen{g: l.g.Crop(box), mean: l.mean}
	c.l.at = make([]int32, c.l.g.Len())
	for n := range c.l.at {
		c.l.at[n] = -1
	}
	for outside := range 2 {
		for k := box.Lo[2]; k < box.Hi[2]; k++ {
			for j := box.Lo[1]; j < box.Hi[1]; j++ {
				from, to := l.g.Index(box.Lo[0], j, k), c.l.g.Index(0, j-box.Lo[1], k-box.Lo[2])
				for i, v := range at[from : from+box.Hi[0]-box.Lo[0]] {
					if v >= 0 && (int(v) >= len(l.vox)) == (outside == 1) && c.holds(o, v) {
						c.l.at[to+i] = int32(len(c.vox))
						c.vox = append(c.vox, int32(to+i))
					}
				}
			}
		}
		if outside == 0 {
			c.l.vox = slices.Clone(c.vox)
		}
	}
}

// holds tells whether voxel v belongs to the part of an edge that a line covers.
func (c *crotch) holds(o *owners, v int32) bool {
	for n, x := range c.ends {
		if int(o.edge[v]) != x/2 {
			continue
		}
		place := float64(o.at[v])
		if x&1 == 1 {
			place = float64(len(c.g.edges[x/2].p)-1) - place
		}
		return c.shut[n] || place < float64(len(c.lines[n])-2)
	}
	return false
}

// cost is −log of the likelihood of the voxels under the tubes of t, and of their
// bends and tapers (see sharpen).
func (c *crotch) cost(ctx context.Context, t *graph) (float64, error) {
	o, err := t.own(ctx, c.l.at, len(c.vox))
	if err != nil {
		return 0, err
	}
	mean := c.l.mean
	sum := 0.0
	for v, gap := range o.gap {
		x := min(float64(gap), 1.5*mean) / (divideTau[len(divideTau)-1] * mean)
		if v >= len(c.l.vox) {
			x = -x
		}
		if x > -20 {
			sum += math.Log1p(math.Exp(x))
		}
	}
	for n := range t.edges {
		e := &t.edges[n]
		h := length(e.p) / float64(len(e.p)-1) / mean
		r := e.typical() / mean
		for m := 1; m < len(e.p); m++ {
			d := (e.r[m] - e.r[m-1]) / mean
			sum += sharpTaper / (r * h) * d * d / 2
			if m+1 < len(e.p) {
				sum += sharpBend * r / (h * h * h) * r3.Norm2(r3.Add(r3.Sub(e.p[m-1], e.p[m]), r3.Sub(e.p[m+1], e.p[m]))) / (mean * mean) / 2
			}
		}
	}
	return sum, nil
}
