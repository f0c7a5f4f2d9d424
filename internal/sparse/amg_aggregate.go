package sparse

import (
	"math"

	"halsted/internal/par"
)

// strengthOf is the threshold of a strong connection: nodes i and j are
// strongly coupled when ‖A_ij‖² > θ²·‖A_ii‖·‖A_jj‖ (Vaněk, Mandel & Brezina
// 1996, equation 3.1, with Frobenius norms of the blocks). It is halved,
// down to weakest and then 0, until the next level has at most 1/shrinkage of
// the unknowns: small groups make the next matrices dense and large.
const (
	strongest = 0.08
	weakest   = 0.005
	shrinkage = 8
)

// aggregate joins the vertices of a, each of g block rows, to groups of
// strongly coupled neighbours and returns the group of each vertex (−1 for one
// that takes no part, see idle) and their number. Serial and in the order of
// the vertices, so that it depends on the matrix alone.
func aggregate(a *BSR3, g int, idle []bool) (group []int32, count int32) {
	n := int32(0)
	for _, out := range idle {
		if !out {
			n++
		}
	}
	for theta := strongest; ; theta /= 2 {
		if theta < weakest {
			theta = 0
		}
		if group, count = aggregateAt(a, g, idle, theta); theta == 0 || shrinkage*6*count <= int32(3*g)*n {
			return group, count
		}
	}
}

// aggregateAt is aggregate for one threshold θ.
func aggregateAt(a *BSR3, g int, idle []bool, theta float64) (group []int32, count int32) {
	n := a.N / g
	ptr, near, weight := strong(a, g, idle, theta)
	group = make([]int32, n)
	for v := range group {
		group[v] = -1
	}
	// A vertex none of whose neighbours is taken founds a group with them.
	for v := range n {
		if idle[v] || group[v] >= 0 || ptr[v+1] == ptr[v] {
			continue
		}
		free := true
		for _, u := range near[ptr[v]:ptr[v+1]] {
			if group[u] >= 0 {
				free = false
				break
			}
		}
		if !free {
			continue
		}
		group[v] = count
		for _, u := range near[ptr[v]:ptr[v+1]] {
			group[u] = count
		}
		count++
	}
	// The others join the founded group they are coupled to most.
	join := make([]int32, n)
	for v := range n {
		join[v] = -1
		best := float32(0)
		if group[v] >= 0 || idle[v] {
			continue
		}
		for k := ptr[v]; k < ptr[v+1]; k++ {
			if at := group[near[k]]; at >= 0 && weight[k] > best {
				join[v], best = at, weight[k]
			}
		}
	}
	for v, at := range join {
		if at >= 0 {
			group[v] = at
		}
	}
	// What is left has no group beside it: it makes groups of its own.
	for v := range n {
		if group[v] >= 0 || idle[v] {
			continue
		}
		group[v] = count
		for _, u := range near[ptr[v]:ptr[v+1]] {
			if group[u] < 0 {
				group[u] = count
			}
		}
		count++
	}
	return group, count
}

// strong lists the strong connections of every vertex and their strength.
func strong(a *BSR3, g int, idle []bool, theta float64) (ptr, near []int32, weight []float32) {
	n := a.N / g
	norm := func(v int, k int32) (sum float64) { // ‖block k of vertex v‖², k counted in vertices
		for r := range g {
			at := 9 * (int(a.RowPtr[g*v+r]) + g*int(k))
			for _, x := range a.Val[at : at+9*g] {
				sum += x * x
			}
		}
		return sum
	}
	diag := make([]float64, n)
	par.Chunks(n, 1024, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			diag[v] = math.Sqrt(norm(v, (a.Diag[g*v]-a.RowPtr[g*v])/int32(g)))
		}
	})
	size := func(v int) int32 { return (a.RowPtr[g*v+1] - a.RowPtr[g*v]) / int32(g) }
	base := make([]int32, n+1)
	for v := range n {
		base[v+1] = base[v] + size(v)
	}
	list, heavy := make([]int32, base[n]), make([]float32, base[n])
	count := make([]int32, n)
	par.Chunks(n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			if idle[v] {
				continue
			}
			for k := range size(v) {
				u := int(a.Col[a.RowPtr[g*v]+int32(g)*k]) / g
				if u == v || idle[u] {
					continue
				}
				if s, d := norm(v, k), diag[v]*diag[u]; s > theta*theta*d {
					at := base[v] + count[v]
					list[at], heavy[at] = int32(u), float32(s/d)
					count[v]++
				}
			}
		}
	})
	ptr = make([]int32, n+1)
	for v := range n {
		copy(list[ptr[v]:], list[base[v]:base[v]+count[v]])
		copy(heavy[ptr[v]:], heavy[base[v]:base[v]+count[v]])
		ptr[v+1] = ptr[v] + count[v]
	}
	return ptr, list[:ptr[n]], heavy[:ptr[n]]
}

// modesOf is the near-null space of free elastic bodies at nodes xyz (mm,
// three per node): 18 numbers per node, row-major 3×6, columns the
// translations and the rotations about the mean place, scaled to their size.
// Rows of fixed degrees of freedom are zero.
func modesOf(xyz []float64, fixed []bool) []float64 {
	n := len(xyz) / 3
	var mean [3]float64
	for i, x := range xyz {
		mean[i%3] += x / float64(n)
	}
	var size float64
	for i, x := range xyz {
		size = max(size, math.Abs(x-mean[i%3]))
	}
	if !(size > 0) {
		size = 1
	}
	b := make([]float64, 18*n)
	for i := range n {
		x, y, z := (xyz[3*i]-mean[0])/size, (xyz[3*i+1]-mean[1])/size, (xyz[3*i+2]-mean[2])/size
		m := [18]float64{
			1, 0, 0, 0, z, -y,
			0, 1, 0, -z, 0, x,
			0, 0, 1, y, -x, 0,
		}
		for r := range 3 {
			if !fixed[3*i+r] {
				copy(b[18*i+6*r:18*i+6*r+6], m[6*r:6*r+6])
			}
		}
	}
	return b
}
