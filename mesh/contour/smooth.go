package contour

import (
	"context"
	"math"

	"halsted/internal/par"
)

const (
	// chunk is the number of vertices or faces a worker takes at a time.
	chunk = 16384
	// roundPasses is the number of relaxation passes between two corrections
	// of the shrinkage.
	roundPasses = 4
	// sixth of the sum over the six slots of a vertex is its next place.
	sixth = float32(1.0 / 6)
)

// spreadSteps are the step sizes of one cycle of fast explicit diffusion with
// five steps, for a graph of at most six neighbours: together they go as far
// as ten steps of 1/6 (S. Grewenig, J. Weickert, A. Bruhn, "From box filtering
// to fast explicit diffusion", DAGM 2010, doi:10.1007/978-3-642-15986-2_54).
var spreadSteps = func() (tau [5]float32) {
	for i := range tau {
		c := math.Cos(math.Pi * float64(2*i+1) / float64(4*len(tau)+2))
		tau[i] = float32(1 / (12 * c * c))
	}
	return tau
}()

// Smooth runs constrained relaxation passes and makes good the shrinkage after
// every fourth and the last; see the package comment.
//
// Errors: a number of passes out of range, ctx.Err(); Pos is then as before.
func (n *Net) Smooth(ctx context.Context, passes int) error {
	if err := checkPasses(passes); err != nil {
		return err
	}
	if passes == 0 {
		return ctx.Err()
	}
	r := &relaxation{n: n}
	if err := r.link(ctx); err != nil {
		return err
	}
	verts := n.Len()
	before, now, next := make([]float32, 4*verts), make([]float32, 4*verts), make([]float32, 4*verts)
	lost, other := make([]float32, verts), make([]float32, verts)
	if err := n.load(ctx, before); err != nil {
		return err
	}
	for ; passes > 0; passes -= roundPasses {
		from := before
		for range min(passes, roundPasses) {
			if err := r.relax(ctx, from, now); err != nil {
				return err
			}
			from, now, next = now, next, now
		}
		now, next = from, now // next is free: it was read last but one
		normal := next
		if err := r.normals(ctx, now, normal); err != nil {
			return err
		}
		if err := r.shrinkage(ctx, before, now, normal, lost); err != nil {
			return err
		}
		r.swapRim()
		for _, tau := range spreadSteps {
			if err := r.spread(ctx, tau, lost, other); err != nil {
				return err
			}
			lost, other = other, lost
		}
		r.swapRim()
		if err := r.giveBack(ctx, now, normal, lost); err != nil {
			return err
		}
		if err := r.meetSheets(ctx, now, normal, passes <= roundPasses); err != nil {
			return err
		}
		before, now = now, before
	}
	n.store(before)
	return nil
}

// load copies the positions into four floats per vertex.
func (n *Net) load(ctx context.Context, at []float32) error {
	return par.ChunksCtx(ctx, n.Len(), chunk, func(lo, hi int) error {
		for v := lo; v < hi; v++ {
			p, o := (*[3]float32)(n.Pos[3*v:]), (*[4]float32)(at[4*v:])
			o[0], o[1], o[2] = p[0], p[1], p[2]
		}
		return nil
	})
}

// store is the inverse of load.
func (n *Net) store(at []float32) {
	par.Chunks(n.Len(), chunk, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			p, o := (*[3]float32)(n.Pos[3*v:]), (*[4]float32)(at[4*v:])
			p[0], p[1], p[2] = o[0], o[1], o[2]
		}
	})
}

// bands splits the quadrilaterals into runs of whole slices, at least chunk
// long if there are as many, such that those of every other run share no
// vertex.
func (n *Net) bands() []int32 {
	cut := []int32{0}
	for _, q := range n.slice {
		if q-cut[len(cut)-1] >= chunk {
			cut = append(cut, q)
		}
	}
	if last := int32(len(n.Quads)); cut[len(cut)-1] < last {
		cut = append(cut, last)
	}
	return cut
}

// scatter calls f for all quadrilaterals lo..hi-1 in runs that may add to
// their vertices.
func (n *Net) scatter(ctx context.Context, f func(lo, hi int32)) error {
	cut := n.bands()
	for odd := range 2 {
		err := par.ChunksCtx(ctx, len(cut)/2, 1, func(i, _ int) error {
			if b := 2*i + odd; b+1 < len(cut) {
				f(cut[b], cut[b+1])
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
