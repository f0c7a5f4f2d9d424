package shell

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	combPasses = 12
	combSteps  = 4
	// combReach is the longest step of a direction, per mm of thickness.
	combReach = 0.3
	// leanEvery passes the directions in folds are first smoothed.
	leanEvery, leanUntil = 3, 7
)

// comb turns the directions of copies so that the prisms between them stay
// within the bounds at the wanted heights. The mean advance of a direction
// over its faces stays 1, and so does the thickness.
type comb struct {
	*growth
	normal []r3.Vec  // of the faces
	angle  []float64 // of the faces at each copy, in the order of fan
	tops   []r3.Vec  // of the copies
}

// combFolds turns the directions around prisms that are out of bounds: first
// to the mean of those around, so that they fan out of a fold, then downhill
// in what the prisms lack. Near a fold only; elsewhere nothing changes.
func (g *growth) combFolds() error {
	k := &comb{growth: g, normal: make([]r3.Vec, len(g.faces)), angle: make([]float64, len(g.fan.item)), tops: make([]r3.Vec, len(g.base))}
	for f := range k.normal {
		k.normal[f] = g.faceNormal(int32(f))
	}
	for c := range g.base {
		at := g.orig[g.node(int32(c))]
		for e := g.fan.start[c]; e < g.fan.start[c+1]; e++ {
			k.angle[e] = g.angleAt(g.fan.item[e], int32(c), at)
		}
		k.tops[c] = g.top(int32(c), g.height[c])
	}
	done := make([]uint8, len(g.base)) // pass in which the copy was last done
	for pass := range combPasses {
		var bad []scored
		for f := range g.faces {
			if f&0xfff == 0 && g.ctx.Err() != nil {
				return g.ctx.Err()
			}
			if x := k.prism(int32(f)); x < 1 {
				bad = append(bad, scored{x, int32(f)})
			}
		}
		if len(bad) == 0 {
			return nil
		}
		worstFirst(bad)
		if pass%leanEvery == 0 && pass < leanUntil {
			old := append([]r3.Vec(nil), g.dir...)
			for _, x := range bad {
				for _, c := range g.faces[x.item] {
					k.lean(c, old)
				}
			}
		}
		for i, x := range bad {
			if i&7 == 0 && g.ctx.Err() != nil {
				return g.ctx.Err()
			}
			for _, c := range g.faces[x.item] {
				if done[c] != uint8(pass+1) && g.height[c] > 0 {
					done[c] = uint8(pass + 1)
					k.turn(c)
				}
			}
		}
	}
	return nil
}

// prism is the score of the prism over face f.
func (k *comb) prism(f int32) float64 {
	v, odd := sorted3(k.faces[f])
	var h [3]float64
	var tops [3]r3.Vec
	for i, c := range v {
		h[i], tops[i] = k.height[c], k.tops[c]
	}
	return k.prismScore(v, odd, h, tops)
}

// lack is the sum of the squares of what the prisms around copy c lack.
func (k *comb) lack(c int32) (sum float64) {
	for _, f := range k.fan.of(c) {
		if x := good - k.prism(f); x > 0 {
			sum += x * x
		}
	}
	return sum
}

// scale brings direction d of copy c to a mean advance of 1; false when it
// then leaves a face too far behind.
func (k *comb) scale(c int32, d r3.Vec) (r3.Vec, bool) {
	d = k.hold[k.node(c)].allow(d)
	var mean, total float64
	least := math.Inf(1)
	for e := k.fan.start[c]; e < k.fan.start[c+1]; e++ {
		x := r3.Dot(d, k.normal[k.fan.item[e]])
		least = min(least, x)
		mean += k.angle[e] * x
		total += k.angle[e]
	}
	if !(mean > 0) {
		return d, false
	}
	d = r3.Scale(total/mean, d)
	return d, least*total/mean >= minLean && r3.Norm2(d) <= maxMitre*maxMitre
}

func (k *comb) set(c int32, d r3.Vec) {
	k.dir[c] = d
	k.tops[c] = k.top(c, k.height[c])
}

// lean gives copy c the mean direction of those around it.
func (k *comb) lean(c int32, old []r3.Vec) {
	if k.height[c] == 0 {
		return
	}
	var d r3.Vec
	for _, f := range k.fan.of(c) {
		for _, o := range k.faces[f] {
			if l := r3.Norm(old[o]); l > 0 {
				d = r3.Add(d, r3.Scale(1/l, old[o]))
			}
		}
	}
	if d, ok := k.scale(c, d); ok {
		k.set(c, d)
	}
}

// turn moves the direction of copy c downhill in lack.
func (k *comb) turn(c int32) {
	const e = 1e-4 // step of the differences
	low := k.lack(c)
	step := combReach
	for n := 0; n < combSteps && low > 0; n++ {
		at := k.dir[c]
		diff := func(x r3.Vec) float64 {
			k.set(c, r3.Add(at, x))
			a := k.lack(c)
			k.set(c, r3.Sub(at, x))
			return k.lack(c) - a
		}
		d := r3.Vec{X: diff(r3.Vec{X: e}), Y: diff(r3.Vec{Y: e}), Z: diff(r3.Vec{Z: e})}
		l := r3.Norm(d)
		done := false
		for ; l > 0 && step > combReach/64 && !done; step *= 0.5 {
			x, ok := k.scale(c, r3.Add(at, r3.Scale(step/l, d)))
			if !ok {
				continue
			}
			k.set(c, x)
			if y := k.lack(c); y < low {
				low, done = y, true
			}
		}
		if !done {
			k.set(c, at)
			return
		}
		step *= 4
	}
}
