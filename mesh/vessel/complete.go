package vessel

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// chord is a straight stretch of a visible branch.
type chord struct {
	a, b   r3.Vec
	dir    r3.Vec // from a to b, of length 1; 0 if they are one place
	branch int32
	parent int32   // the chord before it, −1 at a root
	radius float64 // mm
	resist float64 // ∫ dx/r⁴ along it, 1/mm³: Branch.Resistance at 8μ/π = 1
	tip    bool    // nothing visible goes on from b
	last   bool    // of its branch
}

// chordMM is how far a chord may stray from the centreline it stands for: a
// fourth of the working step, so that it moves no border by a voxel.
const chordMM = 0.5

// chordsOf draws each branch as few straight chords, parents first. A branch
// does not widen downstream: radii are replaced by the nearest ones that do
// not grow (pool adjacent violators), so noise along a branch is no hidden
// side branch.
func chordsOf(t *Tree) []chord {
	var out []chord
	last := make([]int32, len(t.Branches))
	for n := range t.Branches {
		b := &t.Branches[n]
		r := falling(b.RadiusMM)
		p := int32(-1)
		if b.Parent >= 0 {
			p = last[b.Parent]
		}
		keep := make([]bool, len(b.Points))
		keep[0], keep[len(keep)-1] = true, true
		straighten(b.Points, keep)
		a := 0
		for m := 1; m < len(keep); m++ {
			if keep[m] {
				part := Branch{Points: b.Points[a : m+1], RadiusMM: r[a : m+1]}
				dir := r3.Sub(b.Points[m], b.Points[a])
				if l := r3.Norm(dir); l > 0 {
					dir = r3.Scale(1/l, dir)
				}
				out = append(out, chord{a: b.Points[a], b: b.Points[m], dir: dir, branch: int32(n), parent: p, radius: r[m], resist: part.Resistance(math.Pi / 8)})
				p, a = int32(len(out)-1), m
			}
		}
		out[p].last, out[p].tip = true, len(b.Children) == 0
		last[n] = p
	}
	return out
}

// straighten marks the points of a polyline that are needed (Douglas &
// Peucker, Cartographica 10:112, 1973), with a stack.
func straighten(p []r3.Vec, keep []bool) {
	stack := [][2]int{{0, len(p) - 1}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		worst, at := chordMM*chordMM, -1
		for m := s[0] + 1; m < s[1]; m++ {
			if d := toSegment2(p[m], p[s[0]], p[s[1]]); d > worst {
				worst, at = d, m
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, [2]int{s[0], at}, [2]int{at, s[1]})
		}
	}
}

// Radii are taken as at least a red cell's and at most a body's, so that no
// power of one overflows.
const leastMM, mostMM = 1e-3, 1e3

// falling is the non-increasing sequence nearest to r (least squares).
func falling(r []float64) []float64 {
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for _, x := range r {
		pools = append(pools, pool{x, 1})
		for k := len(pools) - 1; k > 0 && pools[k].sum*float64(pools[k-1].n) > pools[k-1].sum*float64(pools[k].n); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	out := make([]float64, 0, len(r))
	for _, p := range pools {
		for range p.n {
			out = append(out, min(max(p.sum/float64(p.n), leastMM), mostMM))
		}
	}
	return out
}

func toSegment2(p, a, b r3.Vec) float64 {
	d := r3.Sub(b, a)
	if l := r3.Norm2(d); l > 0 {
		a = r3.Add(a, r3.Scale(min(max(r3.Dot(r3.Sub(p, a), d)/l, 0), 1), d))
	}
	return r3.Norm2(r3.Sub(p, a))
}

// terminals draws n points spread evenly over the organ.
func (w *working) terminals(n int, rng *rand.Rand) []r3.Vec {
	p := make([]r3.Vec, n)
	for m := range p {
		p[m] = w.draw(rng)
	}
	return p
}

func (w *working) draw(rng *rand.Rand) r3.Vec {
	for {
		v := rng.IntN(len(w.vox))
		if rng.Float64()*w.most > w.ml[v] {
			continue
		}
		i, j, k := w.grid.IJK(int(w.vox[v]))
		x, y, z := rng.Float64()-0.5, rng.Float64()-0.5, rng.Float64()-0.5
		return w.grid.Point(float64(i)+x, float64(j)+y, float64(k)+z)
	}
}

// besideMM is how far outside the organ's mask a vessel may still feed it: the
// mask of an organ leaves out its larger vessels more often than not.
const besideMM = 6

// source is a place where flow leaves the visible tree.
type source struct {
	a, b   r3.Vec
	branch int32
	flow   float64
}

// sources finds where flow leaves what is visible: all of it at a tip, and
// along a branch what Murray's law r^murray ∝ flow says is lost where it gets
// thinner. The tip reaches back by the part back of its chord. radius scales
// the radii of each branch.
func sources(chords []chord, w *working, radius []float64, murray, back float64) []source {
	var out []source
	for n := range chords {
		c := &chords[n]
		r := c.radius * radius[c.branch]
		var s source
		switch {
		case c.tip:
			s = source{r3.Add(c.b, r3.Scale(back, r3.Sub(c.a, c.b))), c.b, c.branch, math.Pow(r, murray)}
		case c.last:
			continue
		default:
			// The next chord of the branch is the next in order.
			s = source{c.b, c.b, c.branch, math.Pow(r, murray) - math.Pow(chords[n+1].radius*radius[c.branch], murray)}
		}
		if s.flow > 0 && w.beside(c.b, besideMM) {
			out = append(out, s)
		}
	}
	return out
}

// sideShare is the part of the flow (r³) of sources that leaves along branches
// and not at tips: small in trees that fork evenly, large in those with a main
// stem and side branches.
func sideShare(chords []chord, w *working) float64 {
	var side, all float64
	for n := range chords {
		c := &chords[n]
		r := math.Pow(c.radius, 3)
		switch {
		case !w.beside(c.b, besideMM):
		case c.tip:
			all += r
		case !c.last:
			side += r - math.Pow(chords[n+1].radius, 3)
		}
	}
	if all += side; all == 0 {
		return 0
	}
	return side / all
}

// transport gives each terminal the source that feeds it: the one of least
// d² − weight, where the weights are raised and lowered until each source has
// about as many terminals as its share of the flow (a power diagram of given
// capacities: Aurenhammer, Hoffmann & Aronov, Algorithmica 20:61, 1998). Few
// rounds stop it early on purpose: flows from radii are uncertain, distances
// are not.
func transport(ctx context.Context, points []r3.Vec, src []source, rounds int) ([]int32, error) {
	const (
		damp  = 0.05
		spare = 2 // terminals added to both counts: no weight runs away on a few
	)
	n, m := len(points), len(src)
	d := make([]float32, n*m)
	var sum, mean float64
	for v, p := range points {
		if v%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		least := math.Inf(1)
		for i := range src {
			x := toSegment2(p, src[i].a, src[i].b)
			least = min(least, x)
			d[v*m+i] = float32(x)
		}
		mean += least / float64(n)
	}
	for i := range src {
		sum += src[i].flow
	}
	weight, count, own := make([]float32, m), make([]float64, m), make([]int32, n)
	for round := range rounds {
		clear(count)
		for v := range n {
			if v%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			row := d[v*m : v*m+m]
			best, at := float32(math.Inf(1)), 0
			for i, x := range row {
				if x -= weight[i]; x < best {
					best, at = x, i
				}
			}
			own[v] = int32(at)
			count[at]++
		}
		step := mean / (1 + damp*float64(round))
		for i := range weight {
			weight[i] += float32(step * math.Log((src[i].flow/sum*float64(n)+spare)/(count[i]+spare)))
		}
	}
	for v := range own {
		own[v] = src[own[v]].branch
	}
	return own, nil
}
