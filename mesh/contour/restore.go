package contour

import (
	"context"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// volumeTol ends the volume correction when every label is this close.
	volumeTol = 1e-4
	// maxCorrections bounds the volume corrections, patience those in a row
	// that bring nothing because cell walls hold the vertices back.
	maxCorrections = 60
	patience       = 4
	// stepLimit bounds the offset of one correction, in smallest spacings: a
	// label shrunk to a speck has hardly any area to move by.
	stepLimit = 0.2
)

// VoxelCounts is the number of voxels of each label, background left at 0:
// Σ over the faces across i of the place of the face, by the divergence
// theorem on the lattice.
func (n *Net) VoxelCounts() (count [256]int) {
	for m, a := range n.Axis {
		if a == 0 {
			i, _, _ := n.Cell(n.Quads[m][2])
			count[n.Sides[m][0]] += i + 1
			count[n.Sides[m][1]] -= i + 1
		}
	}
	count[0] = 0
	return count
}

// local is vertex v in mm along the grid axes, origin at voxel (0,0,0).
func (n *Net) local(v int32, sp *[3]float64) r3.Vec {
	p := n.Pos[3*v : 3*v+3 : 3*v+3]
	return r3.Vec{X: float64(p[0]) * sp[0], Y: float64(p[1]) * sp[1], Z: float64(p[2]) * sp[2]}
}

// halves are the triangles of quadrilateral q with corners a, b, c, d: split
// along the shorter diagonal, as in Surface.
func halves(q *[4]int32, p *[4]r3.Vec) (t [2][3]int) {
	if r3.Norm2(r3.Sub(p[0], p[2])) <= r3.Norm2(r3.Sub(p[1], p[3])) {
		return [2][3]int{{0, 1, 2}, {0, 2, 3}}
	}
	return [2][3]int{{0, 1, 3}, {1, 2, 3}}
}

// Restore moves the faces along their normals until every label has its
// voxel-count volume; see the package comment.
func (n *Net) Restore(ctx context.Context) error {
	count := n.VoxelCounts()
	var index [256]int // label → row, background −1
	var labels []int
	for l := range index {
		index[l] = -1
		if l > 0 && count[l] > 0 {
			index[l] = len(labels)
			labels = append(labels, l)
		}
	}
	m := len(labels)
	sp := n.Grid.SpacingMM()
	voxel := sp[0] * sp[1] * sp[2]
	push := make([]r3.Vec, n.Len()) // Σ offset · area normal
	weight := make([]float64, n.Len())
	part := make([][]float64, (len(n.Quads)+chunk-1)/chunk)
	stride := m + (m+1)*(m+1)
	best, idle := math.Inf(1), 0
	for range maxCorrections {
		// volume of each label, then area between each pair (row m: background)
		err := par.ChunksCtx(ctx, len(n.Quads), chunk, func(lo, hi int) error {
			sum := make([]float64, stride)
			for t := lo; t < hi; t++ {
				q, r := &n.Quads[t], n.Sides[t]
				p := [4]r3.Vec{n.local(q[0], &sp), n.local(q[1], &sp), n.local(q[2], &sp), n.local(q[3], &sp)}
				vol, area := 0.0, 0.0
				for _, h := range halves(q, &p) {
					a, b, c := p[h[0]], p[h[1]], p[h[2]]
					vol += r3.Dot(a, r3.Cross(b, c)) / 6
					area += r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
				}
				i, o := index[r[0]], index[r[1]]
				if i >= 0 {
					sum[i] += vol
				}
				if o >= 0 {
					sum[o] -= vol
				}
				if i < 0 {
					i = m
				}
				if o < 0 {
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
			want := float64(count[l]) * voxel
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
		for i := range m + 1 {
			for o := range m + 1 {
				x := total[m+i*(m+1)+o]
				if x == 0 || o == i {
					continue
				}
				if i < m {
					a.SetSym(i, i, a.At(i, i)+x)
				}
				if o < m {
					a.SetSym(o, o, a.At(o, o)+x)
				}
				if i < m && o < m {
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
		damp := min(1, stepLimit*min(sp[0], sp[1], sp[2])/biggest)
		pressure := func(row int) float64 {
			if row < 0 {
				return 0
			}
			return damp * p.AtVec(row)
		}
		clear(push)
		clear(weight)
		for t := range n.Quads {
			if t%chunk == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			q, r := &n.Quads[t], n.Sides[t]
			x := [4]r3.Vec{n.local(q[0], &sp), n.local(q[1], &sp), n.local(q[2], &sp), n.local(q[3], &sp)}
			f := pressure(index[r[0]]) - pressure(index[r[1]])
			for _, h := range halves(q, &x) {
				nrm := r3.Cross(r3.Sub(x[h[1]], x[h[0]]), r3.Sub(x[h[2]], x[h[0]]))
				area := r3.Norm(nrm)
				nrm = r3.Scale(f, nrm)
				for _, y := range h {
					push[q[y]] = r3.Add(push[q[y]], nrm)
					weight[q[y]] += area
				}
			}
		}
		err = par.ChunksCtx(ctx, n.Len(), chunk, func(lo, hi int) error {
			for v := lo; v < hi; v++ {
				if weight[v] == 0 {
					continue
				}
				for a, d := range [3]float64{push[v].X, push[v].Y, push[v].Z} {
					if n.held[v]>>a&1 == 0 {
						x := &n.Pos[3*v+a]
						*x = confine(*x+float32(d/weight[v]/sp[a]), *x)
					}
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
