package tetra

import (
	"context"
	"math"

	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// place puts the node of edge e where its part of the move takes it.
func (c *curver) place(e int32) {
	c.m.Nodes[c.node[e]] = r3.Add(c.middle[e], r3.Scale(c.part[e], c.move[e]))
}

// ratio is jacobianRatio of element t.
func (c *curver) ratio(t int32) float64 {
	var x [10]r3.Vec
	for i, n := range c.m.Tets[t] {
		x[i] = c.m.Nodes[n]
	}
	for i, n := range c.m.Mid[t] {
		x[4+i] = c.m.Nodes[n]
	}
	return jacobianRatio(&x)
}

// curveChunk is the number of elements a worker takes at a time.
const curveChunk = 1024

// guard moves all nodes, halves the moves around elements that do not stand
// that until all do, and then lets the halved ones go as far as they can.
func (c *curver) guard(ctx context.Context) error {
	var check []int32
	for t, mid := range c.m.Mid {
		for _, n := range mid {
			if e := c.edge[n]; e >= 0 {
				check = append(check, int32(t))
				break
			}
		}
	}
	for e := range c.node {
		c.place(int32(e))
	}
	c.bent = append([]int32(nil), check...)
	halved := make([]uint8, len(c.node))
	done := make([]int32, len(c.node)) // round in which the edge was halved last
	due := make([]bool, len(c.m.Tets))
	var bad []bool
	round := int32(0)
	for len(check) > 0 {
		bad = append(bad[:0], make([]bool, len(check))...)
		err := par.ChunksCtx(ctx, len(check), curveChunk, func(lo, hi int) error {
			for i := lo; i < hi; i++ {
				bad[i] = !(c.ratio(check[i]) > MinJacobianRatio)
			}
			return nil
		})
		if err != nil {
			return err
		}
		var touched []int32
		for i, t := range check {
			due[t] = false
			if !bad[i] {
				continue
			}
			straight := true
			for _, n := range c.m.Mid[t] {
				if e := c.edge[n]; e >= 0 && c.part[e] > 0 {
					straight = false
					touched = append(touched, e)
				}
			}
			if straight && !(c.ratio(t) > 0) {
				return c.invalid(t)
			}
		}
		round++
		check = check[:0]
		for _, e := range touched {
			if done[e] == round {
				continue
			}
			done[e] = round
			if halved[e]++; halved[e] > backOffs {
				c.part[e] = 0
			} else {
				c.part[e] /= 2
			}
			c.place(e)
			for _, t := range c.tets[c.first[e]:c.first[e+1]] {
				if !due[t] {
					due[t] = true
					check = append(check, t)
				}
			}
		}
	}
	for e := range c.node {
		if e&255 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if halved[e] > 0 {
			c.refine(int32(e), halved[e])
		}
	}
	return nil
}

// refine looks by bisection how far the node of edge e can go beyond what was
// left of its move.
func (c *curver) refine(e int32, halved uint8) {
	lo := c.part[e]
	hi := min(1, 2*lo)
	if lo == 0 {
		hi = math.Ldexp(1, -int(halved)+1)
	}
	for range refines {
		c.part[e] = (lo + hi) / 2
		c.place(e)
		ok := true
		for _, t := range c.tets[c.first[e]:c.first[e+1]] {
			if !(c.ratio(t) > MinJacobianRatio) {
				ok = false
				break
			}
		}
		if ok {
			lo = c.part[e]
		} else {
			hi = c.part[e]
		}
	}
	c.part[e] = lo
	c.place(e)
}

// invalid is the error for an element that is bad without any curved side of
// ours.
func (c *curver) invalid(t int32) error {
	v := c.m.Tets[t]
	a, b, d, e := c.m.Nodes[v[0]], c.m.Nodes[v[1]], c.m.Nodes[v[2]], c.m.Nodes[v[3]]
	return &mesh.InvertedError{
		Element: int(t), DetJ: c.ratio(t) * signed6(a, b, d, e),
		AtMM: r3.Scale(0.25, r3.Add(r3.Add(a, b), r3.Add(d, e))),
	}
}

// tally completes the report.
func (c *curver) tally(rep *CurveReport) {
	for e, p := range c.part {
		if c.move[e] == (r3.Vec{}) {
			continue
		}
		if p < 1 {
			rep.BackedOff++
		}
		if p > 0 {
			rep.Moved++
			rep.LargestMM = max(rep.LargestMM, p*math.Sqrt(r3.Dot(c.move[e], c.move[e])))
		}
	}
	least := make([]float64, (len(c.bent)+curveChunk-1)/curveChunk)
	par.Chunks(len(c.bent), curveChunk, func(lo, hi int) {
		w := 1.0
		for _, t := range c.bent[lo:hi] {
			w = min(w, c.ratio(t))
		}
		least[lo/curveChunk] = w
	})
	for _, w := range least {
		rep.MinJacobian = min(rep.MinJacobian, w)
	}
}
