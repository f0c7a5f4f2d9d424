package vessel

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// shoot is a stretch of vessel while hidden branches grow on the visible tree.
type shoot struct {
	a, b    r3.Vec
	parent  int32
	branch  int32   // the visible branch it hangs on
	flow    float64 // in terminals: from the radius if visible, else those below
	used    float64 // terminals below
	visible bool
}

// construct adds n terminals at random places one by one, each where it costs
// the least lumen in all (Σ length·flow^⅔, radii after Murray), and returns
// their places and the visible branches they hang on. Visible branches keep
// their course; one that has more than its share of the terminals so far
// becomes dearer (constrained constructive optimisation from a visible tree:
// Schwen & Preusser, Phil Trans R Soc A 370:5543, 2012 and Int J Numer Meth
// Biomed Eng 28:1061, 2012, with flows from radii as the constraint).
func construct(ctx context.Context, chords []chord, w *working, n int, radius []float64, murray float64, rng *rand.Rand) ([]r3.Vec, []int32, error) {
	const (
		overMM = 15  // price in mm for each e-fold above the share
		spare  = 2   // terminals above the share without a price
		tries  = 100 // places tried for one terminal
		nearby = 25  // stretches tried for one place
	)
	// The flow of the roots that reach the organ is that of the n terminals.
	reaches := make([]bool, len(chords))
	for m := len(chords) - 1; m >= 0; m-- {
		reaches[m] = reaches[m] || w.beside(chords[m].b, besideMM)
		if p := chords[m].parent; p >= 0 && reaches[m] {
			reaches[p] = true
		}
	}
	var s []shoot
	var total float64
	for m, c := range chords {
		r := c.radius * radius[c.branch]
		s = append(s, shoot{a: c.a, b: c.b, parent: c.parent, branch: c.branch, flow: math.Pow(r, murray), visible: true})
		if c.parent < 0 && reaches[m] {
			total += s[m].flow
		}
	}
	for m := range s {
		s[m].flow *= float64(n) / total
	}
	cell := 10 * math.Cbrt(w.total)
	var points []r3.Vec
	var label []int32
	type candidate struct {
		n int32
		d float64
	}
	near := make([]candidate, 0, nearby+1)
	for k := range n {
		gap := 0.5 * cell / math.Cbrt(float64(k+1))
		for try := range tries {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if try%8 == 7 {
				gap *= 0.9
			}
			p := w.draw(rng)
			near = near[:0]
			crowded := false
			for m := range s {
				d := toSegment2(p, s[m].a, s[m].b)
				if !s[m].visible && d < gap*gap {
					crowded = true
					break
				}
				if len(near) == nearby && d >= near[nearby-1].d {
					continue
				}
				at := len(near)
				for at > 0 && near[at-1].d > d {
					at--
				}
				near = append(near, candidate{})
				copy(near[at+1:], near[at:])
				near[at] = candidate{int32(m), d}
				near = near[:min(len(near), nearby)]
			}
			if crowded {
				continue
			}
			best, bestAt, bestX := math.Inf(1), int32(-1), r3.Vec{}
			share := float64(k+1) / float64(n)
			for _, c := range near {
				t := &s[c.n]
				var x r3.Vec
				var cost float64
				up := c.n
				if t.visible {
					d := r3.Sub(t.b, t.a)
					f := 0.0
					if l := r3.Norm2(d); l > 0 {
						f = min(max(r3.Dot(r3.Sub(p, t.a), d)/l, 0), 1)
					}
					x = r3.Add(t.a, r3.Scale(f, d))
					cost = norm3(r3.Sub(p, x))
				} else {
					x, cost = fork(t.a, t.b, p, t.flow)
					up = t.parent
				}
				over := 0.0
				for ; up >= 0; up = s[up].parent {
					u := &s[up]
					l := norm3(r3.Sub(u.b, u.a))
					if !u.visible {
						cost += l * (twoThirds(u.flow+1) - twoThirds(u.flow))
						continue
					}
					cost += l * 2 / 3 / math.Cbrt(u.flow+1)
					over = max(over, math.Log((u.used+1)/(u.flow*share+spare)))
				}
				cost += overMM * over
				if cost < best && w.clear(x, p) {
					best, bestAt, bestX = cost, c.n, x
				}
			}
			if bestAt < 0 {
				continue
			}
			at := bestAt
			if !s[at].visible { // its upper half becomes its parent
				s = append(s, shoot{a: s[at].a, b: bestX, parent: s[at].parent, branch: s[at].branch, flow: s[at].flow, used: s[at].used})
				s[at].a, s[at].parent = bestX, int32(len(s)-1)
				at = s[at].parent
			}
			s = append(s, shoot{a: bestX, b: p, parent: at, branch: s[at].branch})
			for u := int32(len(s) - 1); u >= 0; u = s[u].parent {
				s[u].used++
				if !s[u].visible {
					s[u].flow++
				}
			}
			points, label = append(points, p), append(label, s[at].branch)
			break
		}
	}
	return points, label, nil
}

// norm3 is r3.Norm without its care for overflow, which costs most of its time:
// coordinates are at most maxMM.
func norm3(v r3.Vec) float64 { return math.Sqrt(r3.Norm2(v)) }

func twoThirds(q float64) float64 { c := math.Cbrt(q); return c * c }

// fork is the branching x of least lumen between a, b (flow q) and a new
// terminal p (flow 1), by Weiszfeld's iteration, and what it costs beyond a–b.
func fork(a, b, p r3.Vec, q float64) (r3.Vec, float64) {
	const least = 1e-3 // mm, of a distance that is divided by
	wa, wb := twoThirds(q+1), twoThirds(q)
	x := r3.Scale(1.0/3, r3.Add(a, r3.Add(b, p)))
	for range 6 {
		da, db, dp := wa/max(norm3(r3.Sub(a, x)), least), wb/max(norm3(r3.Sub(b, x)), least), 1/max(norm3(r3.Sub(p, x)), least)
		x = r3.Scale(1/(da+db+dp), r3.Add(r3.Scale(da, a), r3.Add(r3.Scale(db, b), r3.Scale(dp, p))))
	}
	return x, wa*norm3(r3.Sub(a, x)) + wb*(norm3(r3.Sub(b, x))-norm3(r3.Sub(a, b))) + norm3(r3.Sub(p, x))
}
