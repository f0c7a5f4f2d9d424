package rank

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// flat is how far from the plane of the extremes a point must lie to be
// proposed, in objectives scaled to 0 to 1: below it a knee is rounding.
const flat = 1e-9

// knee is the point of a front that lies furthest from the hyperplane through
// the extreme points, on the side of the ideal, in objectives scaled to the
// front's range (Das, Struct. Optim. 18:107, 1999, doi 10.1007/BF01195985).
// The extreme point of an objective is the one that is best in it, with the
// smallest sum of the others where several are. Where these span no plane with
// a normal towards the ideal, it is the plane of equal sums through the mean
// of the extremes. It is −1 on a front of less than three points, one that is
// flat or bulges away from the ideal, and when the best point is an extreme.
// An objective in which all points are equal does not count. Ties go to the
// first point.
func knee(costs [][]float64) int {
	if len(costs) < 3 {
		return -1
	}
	x := varying(scale(costs))
	k := len(x[0])
	if k < 2 {
		return -1
	}
	sum := func(p int) (s float64) {
		for _, v := range x[p] {
			s += v
		}
		return s
	}
	extreme := make([]int, k)
	for o := range k {
		for p := range x {
			e := extreme[o]
			if x[p][o] < x[e][o] || x[p][o] == x[e][o] && sum(p) < sum(e) {
				extreme[o] = p
			}
		}
	}
	normal, offset := plane(x, extreme)
	best, far := -1, flat
	for p := range x {
		d := offset
		for o, v := range x[p] {
			d -= normal[o] * v
		}
		if d > far && !slices.Contains(extreme, p) {
			best, far = p, d
		}
	}
	return best
}

// varying leaves out the objectives in which all points are equal.
func varying(x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for o := range x[0] {
		if !slices.ContainsFunc(x, func(c []float64) bool { return c[o] != x[0][o] }) {
			continue
		}
		for p := range x {
			out[p] = append(out[p], x[p][o])
		}
	}
	return out
}

// plane is {y : normal·y = offset} through the extreme points, |normal| = 1.
func plane(x [][]float64, extreme []int) (normal []float64, offset float64) {
	k := len(extreme)
	a, one := mat.NewDense(k, k, nil), mat.NewVecDense(k, nil)
	for o, p := range extreme {
		a.SetRow(o, x[p])
		one.SetVec(o, 1)
	}
	var n mat.VecDense
	if err := n.SolveVec(a, one); err == nil {
		positive, length := true, mat.Norm(&n, 2)
		normal = make([]float64, k)
		for o := range normal {
			normal[o] = n.AtVec(o) / length
			positive = positive && normal[o] > 0
		}
		if positive {
			return normal, 1 / length
		}
	}
	normal = make([]float64, k)
	for o := range normal {
		normal[o] = 1 / math.Sqrt(float64(k))
		for _, p := range extreme {
			offset += normal[o] * x[p][o] / float64(k)
		}
	}
	return normal, offset
}
