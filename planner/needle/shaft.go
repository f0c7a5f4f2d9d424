package needle

import (
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// StepMM is the distance between the points of a shaft that are looked at.
const StepMM = 0.1

// slackMM is taken off every bound that passes over points: far above the
// rounding of float32 distances within a patient (600 mm · 2⁻²⁴), far below
// StepMM.
const slackMM = 1e-3

// shaft is a straight needle in the voxel coordinates of the case: point i lies
// i·StepMM from the tip towards the skin.
type shaft struct {
	from [3]float64 // the tip
	step [3]float64 // voxels per point
	out  r3.Vec     // unit, from the tip to the skin, LPS
	n    int        // last point within the body
	mm   float64    // length
	l1   float64    // L(u) of the package comment
}

func newShaft(g *imaging.Grid, tip, entry r3.Vec) shaft {
	d := r3.Sub(entry, tip)
	s := shaft{mm: r3.Norm(d)}
	s.n = int(s.mm / StepMM)
	s.from[0], s.from[1], s.from[2] = g.Voxel(tip)
	if s.mm == 0 {
		return s
	}
	s.out = r3.Scale(1/s.mm, d)
	for a, ax := range g.Axes {
		c := r3.Dot(s.out, ax) / r3.Norm2(ax) // voxels per mm
		s.step[a] = c * StepMM
		s.l1 += math.Abs(c) * r3.Norm(ax)
	}
	s.l1 = max(1, s.l1) * (1 + orthoSlack)
	return s
}

// orthoSlack covers axes that are not quite orthogonal (imaging.Grid.Validate
// allows cosines of 1e-4) and the rounding of L.
const orthoSlack = 1e-3

// where is point i in voxels.
//
//go:noinline
func (s *shaft) where(i int) (x, y, z float64) {
	t := float64(i)
	return s.from[0] + float64(t*s.step[0]), s.from[1] + float64(t*s.step[1]), s.from[2] + float64(t*s.step[2])
}

// strides are the distances between the points of the passes of least.
var strides = [...]int{64, 8, 1}

// least is the least value of f over points lo to hi, or best if that is less,
// and the point it was found at (−1: best). It stops as soon as a value is
// below floor and returns that value. blur is twice the half diagonal of a
// voxel when f holds distances, else +Inf: only the Lipschitz bound of the
// interpolant is then used.
//
// The first passes look at few points, so that the last, which looks at every
// point that may be the least, starts from a best that is close to it.
func (s *shaft) least(f *Field, lo, hi int, best, floor, blur float64) (float64, int) {
	where := -1
	for _, stride := range strides {
		for i := lo; i <= hi; {
			v := f.at(s.where(i))
			if v < best {
				best, where = v, i
				if v < floor {
					return v, i
				}
			}
			room := v - best - slackMM
			room = max(0, room/s.l1, room-blur)
			i += max(stride, 1+int(room/StepMM))
		}
	}
	return best, where
}

// leastOfAll is least by looking at every point.
func (s *shaft) leastOfAll(f *Field, lo, hi int, best, floor float64) (float64, int) {
	where := -1
	for i := lo; i <= hi; i++ {
		if v := f.at(s.where(i)); v < best {
			best, where = v, i
			if v < floor {
				break
			}
		}
	}
	return best, where
}

// first is the first point from lo to hi at which f is negative (inside) or
// not (outside), and hi+1 if there is none.
func (s *shaft) first(f *Field, lo, hi int, inside bool) int {
	for i := lo; i <= hi; {
		v := f.at(s.where(i))
		if (v < 0) == inside {
			return i
		}
		i += 1 + int(max(0, math.Abs(v)-slackMM)/(s.l1*StepMM))
	}
	return hi + 1
}

// firstOfAll is first by looking at every point.
func (s *shaft) firstOfAll(f *Field, lo, hi int, inside bool) int {
	for i := lo; i <= hi; i++ {
		if (f.at(s.where(i)) < 0) == inside {
			return i
		}
	}
	return hi + 1
}

// reach is the number of points from the tip until the shaft, prolonged, leaves
// the voxel centres of g, at most max.
func (s *shaft) reach(g *imaging.Grid, most int) int {
	n := float64(most)
	for a := range 3 {
		switch d := s.step[a]; {
		case d > 0:
			n = min(n, (float64(g.Size[a]-1)-s.from[a])/d)
		case d < 0:
			n = min(n, -s.from[a]/d)
		}
	}
	return int(n)
}
