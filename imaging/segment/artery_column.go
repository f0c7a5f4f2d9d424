package segment

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// round is how much a place looks like the cross-section of a vessel.
type roundness struct {
	score  float64 // 0 to 1
	radius float64 // mm
	inside float64 // mean HU
}

// rays is the number of directions in which an edge is looked for.
const rays = 16

// roundAt tests circles around voxel (i,j) of slice k: the part of the rays on
// which the value leaves that of the middle by at least edgeHU between 0.8 and
// 1.3 radii and has not left it before.
func (c *circles) roundAt(hu []float32, i, j, k int) roundness {
	g, least, most, edgeHU := c.g, c.least, c.most, c.edgeHU
	nx := g.Size[0]
	sample := func(p [2]float64) (float64, bool) {
		x, y := float64(i)+p[0], float64(j)+p[1]
		if x < 0 || y < 0 {
			return 0, false
		}
		a, b := int(x), int(y)
		if a >= g.Size[0]-1 || b >= g.Size[1]-1 {
			return 0, false
		}
		fx, fy := float32(x-float64(a)), float32(y-float64(b))
		n := g.Index(a, b, k)
		u := hu[n]*(1-fx) + hu[n+1]*fx
		v := hu[n+nx]*(1-fx) + hu[n+nx+1]*fx
		return float64(u*(1-fy) + v*fy), true
	}
	// the value of the middle: mean of the centre and of eight points on the
	// smallest circle
	mid := float64(hu[g.Index(i, j, k)])
	for q := range 8 {
		v, ok := sample(c.at[2*q][0])
		if !ok {
			return roundness{}
		}
		mid += v
	}
	mid /= 9
	// first exit along each ray
	var exit [rays]float64
	for q := range rays {
		exit[q] = math.Inf(1)
		for n, p := range c.at[q] {
			v, ok := sample(p)
			if !ok {
				return roundness{}
			}
			if d := math.Abs(v - mid); d > edgeHU {
				exit[q] = c.r[n]
				break
			}
		}
	}
	best := roundness{inside: mid}
	for r := least; r <= most; r++ {
		n := 0
		for q := range rays {
			if exit[q] > 0.8*r && exit[q] < 1.3*r+1 {
				n++
			}
		}
		// opposite rays together centre the circle
		if s := float64(n) / rays; s > best.score {
			best.score, best.radius = s, r
		}
	}
	if best.score == 0 {
		return best
	}
	var off [2]float64
	for q := range rays {
		e := min(exit[q], 1.4*best.radius)
		off[0] += e * rayTable[q][0] / rays
		off[1] += e * rayTable[q][1] / rays
	}
	best.score *= math.Exp(-0.5 * (off[0]*off[0] + off[1]*off[1]) / (best.radius * best.radius / 16))
	return best
}

// circles are where roundAt looks.
type circles struct {
	g                   imaging.Grid
	least, most, edgeHU float64
	r                   []float64          // of the points of a ray, mm
	at                  [rays][][2]float64 // the points, in voxels from the middle
}

func newCircles(g imaging.Grid, least, most, edgeHU float64) *circles {
	h := g.SpacingMM()
	c := &circles{g: g, least: least, most: most, edgeHU: edgeHU}
	for r := 0.5 * least; r <= 1.4*most; r++ {
		c.r = append(c.r, r)
		for q, t := range rayTable {
			c.at[q] = append(c.at[q], [2]float64{r * t[0] / h[0], r * t[1] / h[1]})
		}
	}
	return c
}

var rayTable = func() (t [rays][2]float64) {
	for q := range t {
		s, c := math.Sincos(2 * math.Pi * float64(q) / rays)
		t[q] = [2]float64{c, s}
	}
	return t
}()

// column is a vessel that runs along the spine: centre and radii per slice.
type column struct {
	First, Last int
	I, J, R     []float64 // voxels, voxels, mm
	V           []float64 // HU of the middle
	HU          float64   // median of the middle
	Score       float64   // mean roundness, 0 to 1
}

// lengthMM of the column.
func (c *column) lengthMM(g imaging.Grid) float64 {
	return float64(c.Last-c.First+1) * g.SpacingMM()[2]
}

// findColumn follows the roundest bright place through the slices of box.
// allow weighs a place by where it lies and how bright it is, 0 to 1. muscle is
// the value of muscle, HU.
func findColumn(ctx context.Context, g imaging.Grid, hu []float32, box imaging.Box, set columnSettings, muscle float64, show func(imaging.Grid, []float32) error, allow func(i, j, k int, r roundness) float64) (*column, error) {
	box, cut := box.Clip(g), set.Round
	c := &column{First: 0, Last: -1, I: make([]float64, g.Size[2]), J: make([]float64, g.Size[2]), R: make([]float64, g.Size[2]), V: make([]float64, g.Size[2])}
	if box.Empty() {
		return c, ctx.Err()
	}
	sub := g.Crop(box)
	all := make([]roundness, sub.Len())
	area := sub.Size[0] * sub.Size[1]
	look := newCircles(g, set.LeastMM, set.MostMM, set.EdgeHU)
	err := par.ChunksCtx(ctx, sub.Size[2], 1, func(k0, k1 int) error {
		for k := k0; k < k1; k++ {
			for n := range area {
				i, j := n%sub.Size[0]+box.Lo[0], n/sub.Size[0]+box.Lo[1]
				z := k + box.Lo[2]
				if allow(i, j, z, roundness{inside: float64(hu[g.Index(i, j, z)])}) == 0 {
					continue
				}
				r := look.roundAt(hu, i, j, z)
				r.score *= allow(i, j, z, r)
				all[n+area*k] = r
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if show != nil {
		field := make([]float32, sub.Len())
		for n, r := range all {
			field[n] = float32(r.score)
		}
		if err := show(sub, field); err != nil {
			return nil, err
		}
	}
	of := func(i, j, k int) roundness { return all[sub.Index(i-box.Lo[0], j-box.Lo[1], k-box.Lo[2])] }
	p := bestPath(g, box, func(i, j, k int) float64 { return of(i, j, k).score }, 1, cut)
	if p.Score <= 0 {
		return c, nil
	}
	// once more, with places of another width or blood than most held back
	var width, value []float64
	for k := p.First; k <= p.Last; k++ {
		if r := of(p.At[k][0], p.At[k][1], k); r.score > cut {
			width, value = append(width, r.radius), append(value, r.inside)
		}
	}
	if len(width) == 0 {
		return c, nil
	}
	mid, blood := median(width), median(value)
	spread := max(set.Mixed*(blood-muscle), leastEdgeHU)
	weigh := func(i, j, k int) float64 {
		r := of(i, j, k)
		if r.score == 0 {
			return 0
		}
		d := math.Hypot(math.Log(r.radius/mid)/widthSpread, (r.inside-blood)/spread)
		return r.score * math.Exp(-d*d/2)
	}
	if p = bestPath(g, box, weigh, 1, cut); p.Score <= 0 {
		return c, nil
	}
	// over a stretch without any circle a path may change to another vessel: the
	// best part between such stretches is kept
	round := make([]float64, p.Last-p.First+1)
	for k := range round {
		at := p.At[k+p.First]
		round[k] = weigh(at[0], at[1], k+p.First)
	}
	mean := append([]float64(nil), round...)
	smoothLine(mean, int(math.Round(lostMM/2/g.SpacingMM()[2])))
	c.First, c.Last = longest(mean, cut)
	c.First, c.Last = c.First+p.First, c.Last+p.First
	if c.Last < c.First {
		return c, nil
	}
	var inside []float64
	for k := c.First; k <= c.Last; k++ {
		r := of(p.At[k][0], p.At[k][1], k)
		c.I[k], c.J[k], c.R[k] = float64(p.At[k][0]), float64(p.At[k][1]), r.radius
		c.V[k] = r.inside
		s := weigh(p.At[k][0], p.At[k][1], k)
		c.Score += s
		if s < cut { // no circle of its own
			c.R[k], c.V[k] = 0, 0
		} else {
			inside = append(inside, r.inside)
		}
	}
	c.Score /= float64(c.Last - c.First + 1)
	if len(inside) == 0 {
		c.Last = c.First - 1
		return c, nil
	}
	c.HU = median(inside)
	// slices without a circle take after their neighbours
	fillGaps(c.R[c.First : c.Last+1])
	fillGaps(c.V[c.First : c.Last+1])
	r := int(math.Round(4 / g.SpacingMM()[2]))
	smoothLine(c.I[c.First:c.Last+1], r)
	smoothLine(c.J[c.First:c.Last+1], r)
	smoothLine(c.R[c.First:c.Last+1], 2*r)
	smoothLine(c.V[c.First:c.Last+1], 3*r)
	return c, nil
}

// lostMM is the stretch over which a column must look like a vessel on average.
const lostMM = 16.0

// longest is the run of values not below cut with the largest sum, first and
// last; last < first when there is none.
func longest(x []float64, cut float64) (first, last int) {
	last = -1
	best, sum, from := 0.0, 0.0, 0
	for n, v := range x {
		if v < cut {
			sum, from = 0, n+1
			continue
		}
		if sum += v; sum > best {
			best, first, last = sum, from, n
		}
	}
	return first, last
}

// widthSpread is how far, as a logarithm, the width of a vessel spreads along
// its course: from half to twice its median lies within about 1.7 of it.
const widthSpread = 0.4

// fillGaps replaces zeros by the value before them, leading ones by the first.
func fillGaps(x []float64) {
	last := 0.0
	for n := range x {
		if x[n] == 0 {
			x[n] = last
		}
		last = x[n]
	}
	for n := len(x) - 1; n >= 0; n-- {
		if x[n] == 0 {
			x[n] = last
		}
		last = x[n]
	}
}

// outline marks what belongs to the column: in each slice a star-shaped region
// around the centre whose border is where the value leaves [low, high],
// as smooth as stiffMM per ray allows.
func (c *column) outline(g imaging.Grid, hu []float32, window func(k int) (low, high float64), skip filter.Mask, mostR float64) filter.Mask {
	out := make(filter.Mask, g.Len())
	const ang, stepMM = 32, 0.5
	h := g.SpacingMM()
	nz := c.Last - c.First + 1
	if nz < 1 {
		return out
	}
	radii := make([][ang]float64, nz)
	par.Chunks(nz, 1, func(lo, hi int) {
		steps := int(mostR/stepMM) + 1
		gain := make([]float64, ang*steps)
		for z := lo; z < hi; z++ {
			k := z + c.First
			low, high := window(k)
			top := min(steps, int(1.8*max(c.R[k], 3)/stepMM)+1)
			for q := range ang {
				s, co := math.Sincos(2 * math.Pi * float64(q) / ang)
				sum := 0.0
				for m := range steps {
					r := float64(m) * stepMM
					x, y := int(math.Round(c.I[k]+r*co/h[0])), int(math.Round(c.J[k]+r*s/h[1]))
					in := -1.0
					if m < top && g.Contains(x, y, k) {
						n := g.Index(x, y, k)
						v := lerp2(g, hu, c.I[k]+r*co/h[0], c.J[k]+r*s/h[1], k)
						if v >= low && v <= high && (skip == nil || !skip[n]) {
							in = 1
						} else if r < 0.5*c.R[k] {
							in = 0 // calcium or noise in the middle
						}
					}
					sum += in * (r + stepMM/2)
					gain[q*steps+m] = sum
				}
			}
			radii[z] = closedPath(gain, ang, steps, stepMM)
		}
	})
	// mean over neighbouring slices takes out single bad rays
	sm := make([][ang]float64, nz)
	rz := max(1, int(math.Round(2/h[2])))
	for z := range nz {
		for q := range ang {
			var near []float64
			for y := max(0, z-rz); y <= min(nz-1, z+rz); y++ {
				near = append(near, radii[y][q])
			}
			sm[z][q] = median(near)
		}
	}
	for z := range nz {
		k := z + c.First
		most := 0.0
		for _, r := range sm[z] {
			most = max(most, r)
		}
		for j := max(0, int(c.J[k]-most/h[1])); j <= min(g.Size[1]-1, int(c.J[k]+most/h[1])+1); j++ {
			for i := max(0, int(c.I[k]-most/h[0])); i <= min(g.Size[0]-1, int(c.I[k]+most/h[0])+1); i++ {
				x, y := (float64(i)-c.I[k])*h[0], (float64(j)-c.J[k])*h[1]
				a := math.Atan2(y, x) / (2 * math.Pi) * ang
				if a < 0 {
					a += ang
				}
				q := int(a) % ang
				f := a - math.Floor(a)
				if math.Hypot(x, y) <= sm[z][q]*(1-f)+sm[z][(q+1)%ang]*f {
					out[g.Index(i, j, k)] = true
				}
			}
		}
	}
	return out
}

// closedPath is the radius per ray with the largest total gain whose
// neighbours differ by at most one step; the ring is closed by fixing the
// radius of ray 0 to the best of an open run.
func closedPath(gain []float64, ang, steps int, stepMM float64) (out [32]float64) {
	run := func(fixed int) (idx []int) {
		from := make([]int8, ang*steps)
		cur, next := make([]float64, steps), make([]float64, steps)
		for m := range steps {
			cur[m] = gain[m]
			if fixed >= 0 && m != fixed {
				cur[m] = math.Inf(-1)
			}
		}
		for q := 1; q < ang; q++ {
			for m := range steps {
				best, d := cur[m], int8(0)
				if m > 0 && cur[m-1] > best {
					best, d = cur[m-1], -1
				}
				if m+1 < steps && cur[m+1] > best {
					best, d = cur[m+1], 1
				}
				next[m] = best + gain[q*steps+m]
				from[q*steps+m] = d
			}
			cur, next = next, cur
		}
		at := 0
		for m := range steps {
			if fixed >= 0 && (m < fixed-1 || m > fixed+1) {
				continue
			}
			if fixed >= 0 && (at < fixed-1 || at > fixed+1) || cur[m] > cur[at] {
				at = m
			}
		}
		idx = make([]int, ang)
		for q := ang - 1; q >= 0; q-- {
			idx[q] = at
			at += int(from[q*steps+at])
		}
		return idx
	}
	open := run(-1)
	closed := run((open[0] + open[ang-1]) / 2)
	for q, m := range closed {
		out[q] = float64(m) * stepMM
	}
	return out
}

// lerp2 interpolates within slice k; the border is repeated.
func lerp2(g imaging.Grid, hu []float32, x, y float64, k int) float64 {
	x = min(max(x, 0), float64(g.Size[0]-1))
	y = min(max(y, 0), float64(g.Size[1]-1))
	a, b := min(int(x), max(0, g.Size[0]-2)), min(int(y), max(0, g.Size[1]-2))
	da, db := min(1, g.Size[0]-1), min(1, g.Size[1]-1)
	fx, fy := float32(x-float64(a)), float32(y-float64(b))
	n := g.Index(a, b, k)
	u := hu[n]*(1-fx) + hu[n+da]*fx
	v := hu[n+db*g.Size[0]]*(1-fx) + hu[n+da+db*g.Size[0]]*fx
	return float64(u*(1-fy) + v*fy)
}
