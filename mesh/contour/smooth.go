package contour

import (
	"context"
	"math"

	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// cellLimit is how far a vertex may move from the middle of its cell, in
	// cells: short of one half, so that neighbours in adjoining cells stay
	// apart and no face collapses.
	cellLimit = 0.49
	// relax is the share of the way to the neighbours' mean a pass covers.
	relax = 0.5
	// volumeTol ends the volume correction when every label is this close.
	volumeTol = 1e-4
	// maxCorrections bounds the volume corrections, patience those in a row
	// that bring nothing because cell walls hold the vertices back.
	maxCorrections = 60
	patience       = 4
	// stepLimit bounds the offset of one correction, in smallest spacings: a
	// label shrunk to a speck has hardly any area to move by.
	stepLimit = 0.2
	// chunk is the number of vertices or faces a worker takes at a time.
	chunk = 16384
)

// confine keeps a point in the cell of vertex v.
func (n *net) confine(v int, p r3.Vec, sp *[3]float64) r3.Vec {
	c := &n.cell[v]
	in := func(x float64, i int32, s float64) float64 {
		mid := float64(i) - 0.5 // padded voxel i is voxel i−1
		return min(max(x, (mid-cellLimit)*s), (mid+cellLimit)*s)
	}
	return r3.Vec{X: in(p.X, c[0], sp[0]), Y: in(p.Y, c[1], sp[1]), Z: in(p.Z, c[2], sp[2])}
}

// smooth runs constrained relaxation passes; each reads the last pass only.
func (n *net) smooth(ctx context.Context, passes int) error {
	sp := n.grid.SpacingMM()
	from, to := n.at, make([]r3.Vec, len(n.at))
	for range passes {
		err := par.ChunksCtx(ctx, len(from), chunk, func(lo, hi int) error {
			for v := lo; v < hi; v++ {
				var all, like r3.Vec
				na, nl := 0, 0
				for _, w := range n.near[v] {
					if w < 0 {
						continue
					}
					all = r3.Add(all, from[w])
					na++
					if n.kinds[w] >= 3 {
						like = r3.Add(like, from[w])
						nl++
					}
				}
				if n.kinds[v] >= 3 && nl >= 2 {
					all, na = like, nl
				}
				mean := r3.Scale(1/float64(na), all)
				to[v] = n.confine(v, r3.Add(r3.Scale(1-relax, from[v]), r3.Scale(relax, mean)), &sp)
			}
			return nil
		})
		if err != nil {
			return err
		}
		from, to = to, from
	}
	n.at = from
	return nil
}

// restore moves the faces along their normals until every label has its
// voxel-count volume; see the package comment.
func (n *net) restore(ctx context.Context, s *mesh.Surface) error {
	var index [256]int // label → row, background −1
	var labels []int
	for l := range index {
		index[l] = -1
		if l > 0 && n.count[l] > 0 {
			index[l] = len(labels)
			labels = append(labels, l)
		}
	}
	m := len(labels)
	sp := n.grid.SpacingMM()
	voxel := sp[0] * sp[1] * sp[2]
	// faces were turned for the left-handed frame; here the frame is taken as
	// right-handed
	hand := 1.0
	if n.left {
		hand = -1
	}
	push := make([]r3.Vec, len(n.at)) // Σ offset · area normal
	weight := make([]float64, len(n.at))
	part := make([][]float64, (len(s.Tris)+chunk-1)/chunk)
	stride := m + (m+1)*(m+1)
	best, idle := math.Inf(1), 0
	for range maxCorrections {
		// volume of each label, then area between each pair (row m: background)
		err := par.ChunksCtx(ctx, len(s.Tris), chunk, func(lo, hi int) error {
			sum := make([]float64, stride)
			for t := lo; t < hi; t++ {
				v, r := s.Tris[t], s.Region[t]
				a, b, c := n.at[v[0]], n.at[v[1]], n.at[v[2]]
				vol := hand * r3.Dot(a, r3.Cross(b, c)) / 6
				area := r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
				i, o := index[r.Inside], index[r.Outside]
				sum[i] += vol
				if o >= 0 {
					sum[o] -= vol
				} else {
					o = m
				}
				sum[m+i*(m+1)+o] += area
			}
			part[lo/chunk] = sum
			return nil
		})
		if err != nil {
			return err
		}
		total := make([]float64, stride)
		for _, p := range part {
			for i, x := range p {
				total[i] += x
			}
		}
		missing := mat.NewVecDense(m, nil)
		worst := 0.0
		for i, l := range labels {
			want := float64(n.count[l]) * voxel
			missing.SetVec(i, want-total[i])
			worst = max(worst, math.Abs(want-total[i])/want)
		}
		if worst <= volumeTol {
			return nil
		}
		if idle++; worst < 0.98*best {
			best, idle = worst, 0
		}
		if idle >= patience {
			return nil
		}
		a := mat.NewSymDense(m, nil)
		for i := range m {
			for o := range m + 1 {
				x := total[m+i*(m+1)+o]
				if x == 0 || o == i {
					continue
				}
				a.SetSym(i, i, a.At(i, i)+x)
				if o < m {
					a.SetSym(o, o, a.At(o, o)+x)
					a.SetSym(i, o, a.At(i, o)-x)
				}
			}
		}
		var chol mat.Cholesky
		var p mat.VecDense
		if !chol.Factorize(a) || chol.SolveVecTo(&p, missing) != nil {
			return nil // no face left to move
		}
		biggest := 0.0
		for i := range m {
			biggest = max(biggest, math.Abs(p.AtVec(i)))
		}
		damp := hand * min(1, stepLimit*min(sp[0], sp[1], sp[2])/biggest)
		pressure := func(row int) float64 {
			if row < 0 {
				return 0
			}
			return damp * p.AtVec(row)
		}
		clear(push)
		clear(weight)
		for t, v := range s.Tris {
			if t%chunk == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			r := s.Region[t]
			nrm := r3.Cross(r3.Sub(n.at[v[1]], n.at[v[0]]), r3.Sub(n.at[v[2]], n.at[v[0]]))
			area := r3.Norm(nrm)
			nrm = r3.Scale(pressure(index[r.Inside])-pressure(index[r.Outside]), nrm)
			for _, x := range v {
				push[x] = r3.Add(push[x], nrm)
				weight[x] += area
			}
		}
		err = par.ChunksCtx(ctx, len(n.at), chunk, func(lo, hi int) error {
			for v := lo; v < hi; v++ {
				if weight[v] > 0 {
					n.at[v] = n.confine(v, r3.Add(n.at[v], r3.Scale(1/weight[v], push[v])), &sp)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
