package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// shapeResult tells how well shaped the tetrahedra are, by their corners. Both
// measures are 1 for the regular tetrahedron and 0 for a flat one.
type shapeResult struct {
	// RadiusRatio is three times the inscribed over the circumscribed radius.
	RadiusRatio worstMean `json:"radius_ratio"`
	// ScaledJacobian is √2·det(e₁,e₂,e₃)/(|e₁||e₂||e₃|) over the edges at a
	// corner, at the worst corner; negative when inside out.
	ScaledJacobian worstMean `json:"scaled_jacobian"`
	MinDihedral    extreme   `json:"min_dihedral_deg"`
	MaxDihedral    extreme   `json:"max_dihedral_deg"`
	// Histogram counts all six angles of every tetrahedron in bins of 10°.
	Histogram []int `json:"dihedral_histogram_10_deg"`
}

type worstMean struct {
	Mean  float64 `json:"mean"`
	Worst extreme `json:"worst"`
}

// extreme is a value and the middle of its tetrahedron, LPS mm.
type extreme struct {
	Value float64    `json:"value"`
	AtMM  [3]float64 `json:"at_mm"`
	tet   int
}

// shapeOf measures the tetrahedra; the same bits for any number of cores.
func shapeOf(ctx context.Context, m *mesh.TetMesh) (*shapeResult, error) {
	const chunk = 4096
	type part struct {
		ratio, jacobian    float64
		low, high, rr, jac extreme
		bins               [18]int
	}
	parts := make([]part, (len(m.Tets)+chunk-1)/chunk)
	err := par.ChunksCtx(ctx, len(m.Tets), chunk, func(lo, hi int) error {
		p := part{low: extreme{Value: math.Inf(1)}, high: extreme{Value: math.Inf(-1)}, rr: extreme{Value: math.Inf(1)}, jac: extreme{Value: math.Inf(1)}}
		for t := lo; t < hi; t++ {
			v := m.Tets[t]
			x := [4]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]}
			for _, a := range dihedralsDeg(&x) {
				p.low.least(a, t)
				p.high.most(a, t)
				p.bins[max(0, min(17, int(a/10)))]++
			}
			r, j := radiusRatio(&x), scaledJacobian(&x)
			p.ratio += r
			p.jacobian += j
			p.rr.least(r, t)
			p.jac.least(j, t)
		}
		parts[lo/chunk] = p
		return nil
	})
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	all := parts[0]
	for _, p := range parts[1:] {
		all.ratio += p.ratio
		all.jacobian += p.jacobian
		all.low.least(p.low.Value, p.low.tet)
		all.high.most(p.high.Value, p.high.tet)
		all.rr.least(p.rr.Value, p.rr.tet)
		all.jac.least(p.jac.Value, p.jac.tet)
		for n, c := range p.bins {
			all.bins[n] += c
		}
	}
	n := float64(len(m.Tets))
	for _, e := range []*extreme{&all.low, &all.high, &all.rr, &all.jac} {
		var mid r3.Vec
		for _, v := range m.Tets[e.tet] {
			mid = r3.Add(mid, r3.Scale(.25, m.Nodes[v]))
		}
		e.AtMM = point(mid)
	}
	return &shapeResult{worstMean{all.ratio / n, all.rr}, worstMean{all.jacobian / n, all.jac}, all.low, all.high, all.bins[:]}, nil
}

func (e *extreme) least(v float64, t int) {
	if v < e.Value {
		e.Value, e.tet = v, t
	}
}

func (e *extreme) most(v float64, t int) {
	if v > e.Value {
		e.Value, e.tet = v, t
	}
}

// dihedralsDeg are the angles between the faces that meet at each edge.
func dihedralsDeg(x *[4]r3.Vec) (a [6]float64) {
	for n, e := range mesh.TetEdges {
		i, j := e[0], e[1]
		k, l := 0, 3 // the other two corners
		for k == i || k == j {
			k++
		}
		for l == i || l == j {
			l--
		}
		axis := r3.Sub(x[j], x[i])
		u, w := r3.Cross(axis, r3.Sub(x[k], x[i])), r3.Cross(axis, r3.Sub(x[l], x[i]))
		a[n] = math.Atan2(r3.Norm(r3.Cross(u, w)), r3.Dot(u, w)) * 180 / math.Pi
	}
	return a
}

// radiusRatio is 3r/R with r = 3V/ΣA and R = |a²(b×c) + b²(c×a) + c²(a×b)|/12V
// for the edges a, b, c at a corner.
func radiusRatio(x *[4]r3.Vec) float64 {
	a, b, c := r3.Sub(x[1], x[0]), r3.Sub(x[2], x[0]), r3.Sub(x[3], x[0])
	volume := math.Abs(r3.Dot(a, r3.Cross(b, c))) / 6
	var area float64
	for _, f := range mesh.TetFaces {
		area += r3.Norm(r3.Cross(r3.Sub(x[f[1]], x[f[0]]), r3.Sub(x[f[2]], x[f[0]]))) / 2
	}
	round := r3.Norm(r3.Add(r3.Scale(r3.Norm2(a), r3.Cross(b, c)), r3.Add(r3.Scale(r3.Norm2(b), r3.Cross(c, a)), r3.Scale(r3.Norm2(c), r3.Cross(a, b)))))
	if area == 0 || round == 0 {
		return 0
	}
	return 3 * (3 * volume / area) * 12 * volume / round
}

func scaledJacobian(x *[4]r3.Vec) float64 {
	det := r3.Dot(r3.Sub(x[1], x[0]), r3.Cross(r3.Sub(x[2], x[0]), r3.Sub(x[3], x[0])))
	var longest float64
	for i := range x {
		edges := 1.0
		for j := range x {
			if j != i {
				edges *= r3.Norm(r3.Sub(x[j], x[i]))
			}
		}
		longest = max(longest, edges)
	}
	if longest == 0 {
		return 0
	}
	return math.Sqrt2 * det / longest
}

// print draws the report's part on shape.
func (s *shapeResult) print(w io.Writer) {
	fmt.Fprintf(w, "smallest dihedral angle  %6.1f° at %s mm\n", s.MinDihedral.Value, placeMM(s.MinDihedral.AtMM))
	fmt.Fprintf(w, "largest dihedral angle   %6.1f° at %s mm\n", s.MaxDihedral.Value, placeMM(s.MaxDihedral.AtMM))
	fmt.Fprintf(w, "radius ratio     mean %.3f, worst %6.3f at %s mm\n", s.RadiusRatio.Mean, s.RadiusRatio.Worst.Value, placeMM(s.RadiusRatio.Worst.AtMM))
	fmt.Fprintf(w, "scaled Jacobian  mean %.3f, worst %6.3f at %s mm\n", s.ScaledJacobian.Mean, s.ScaledJacobian.Worst.Value, placeMM(s.ScaledJacobian.Worst.AtMM))
	most := 1
	for _, n := range s.Histogram {
		most = max(most, n)
	}
	fmt.Fprintln(w, "all dihedral angles:")
	for n, count := range s.Histogram {
		const width = 40
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %3d–%3d° %9d %s", 10*n, 10*n+10, count, strings.Repeat("█", (count*width+most-1)/most)), " "))
	}
}
