package main

import (
	"fmt"
	"io"
	"strings"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// shapeResult tells how well shaped the tetrahedra are, by their corners; see
// mesh.Report for the measures.
type shapeResult struct {
	RadiusRatio    worstMean `json:"radius_ratio"`
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
}

// shapeOf takes the report's part from what mesh.Quality measured.
func shapeOf(q *mesh.Report, m *mesh.TetMesh) *shapeResult {
	if q.Tets == 0 {
		return nil
	}
	at := func(value float64, t int) extreme {
		var mid r3.Vec
		for _, v := range m.Tets[t] {
			mid = r3.Add(mid, r3.Scale(.25, m.Nodes[v]))
		}
		return extreme{value, point(mid)}
	}
	spread := func(s *mesh.Spread) worstMean { return worstMean{s.Mean, at(s.Min, s.Worst)} }
	return &shapeResult{spread(&q.RadiusRatio), spread(&q.ScaledJacobian), at(q.MinDihedralDeg, q.Worst), at(q.MaxDihedralDeg, q.Widest), q.Histogram[:]}
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
