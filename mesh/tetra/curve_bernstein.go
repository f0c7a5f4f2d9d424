package tetra

import (
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// det J of a Tet10 is a cubic over the element; its twenty coefficients in the
// Bernstein basis bound it from both sides, so it is positive everywhere when
// they are (A. Johnen, J.-F. Remacle, C. Geuzaine, "Geometrical validity of
// curvilinear finite elements", J. Comput. Phys. 233, 2013, section 3). With
// control points P_ii = x_i and P_ij = 2 m_ij − (x_i + x_j)/2 (m_ij: mid-edge
// node), the columns of J are linear,
//
//	∂x/∂L_k = Σ_j L_j a_kj,   a_kj = 2 (P_jk − P_j0),   k = 1, 2, 3
//
// and the coefficient of L_i L_j L_k is the mean over the ways to deal i, j, k
// to the three columns of det(a_1·, a_2·, a_3·). A straight element has det J =
// D, six times its volume, in all of them.

// bernsteinDet fills c with the Bernstein coefficients of det J in the order of
// cubicTerms; x are the ten nodes, corners first.
func bernsteinDet(x *[10]r3.Vec, c *[20]float64) {
	var p [4][4]r3.Vec // control points
	for i := range 4 {
		p[i][i] = x[i]
	}
	for e, v := range mesh.TetEdges {
		i, j := v[0], v[1]
		q := r3.Sub(r3.Scale(2, x[4+e]), r3.Scale(0.5, r3.Add(x[i], x[j])))
		p[i][j], p[j][i] = q, q
	}
	var a [3][4]r3.Vec
	for k := range 3 {
		for j := range 4 {
			a[k][j] = r3.Scale(2, r3.Sub(p[j][k+1], p[j][0]))
		}
	}
	*c = [20]float64{}
	for j := range 4 {
		for k := range 4 {
			n := r3.Cross(a[1][j], a[2][k])
			for i := range 4 {
				c[cubicTerm[i][j][k]] += r3.Dot(a[0][i], n)
			}
		}
	}
	for t := range c {
		c[t] /= cubicWays[t]
	}
}

// cubicTerm numbers the monomials L_i L_j L_k; cubicWays says in how many ways
// each comes about.
var cubicTerm, cubicWays = func() (term [4][4][4]uint8, ways [20]float64) {
	n := uint8(0)
	for i := range 4 {
		for j := i; j < 4; j++ {
			for k := j; k < 4; k++ {
				for _, q := range [6][3]int{{i, j, k}, {i, k, j}, {j, i, k}, {j, k, i}, {k, i, j}, {k, j, i}} {
					term[q[0]][q[1]][q[2]] = n
				}
				n++
			}
		}
	}
	for i := range 4 {
		for j := range 4 {
			for k := range 4 {
				ways[term[i][j][k]]++
			}
		}
	}
	return term, ways
}()

// jacobianRatio is a lower bound of det J over the element, as a part of that
// of the element with straight sides.
func jacobianRatio(x *[10]r3.Vec) float64 {
	var c [20]float64
	bernsteinDet(x, &c)
	least := math.Inf(1)
	for _, v := range c {
		least = min(least, v)
	}
	return least / signed6(x[0], x[1], x[2], x[3])
}
