package fem

import "gonum.org/v1/gonum/spatial/r3"

// into writes the vector v in the frame of a foot: along the first coordinate
// line of the face, across it, and along the normal.
func (k *skin) into(f *foot, v r3.Vec, u []float64) r3.Vec {
	a, b, n := k.frame(f, u)
	return r3.Vec{X: r3.Dot(v, a), Y: r3.Dot(v, b), Z: r3.Dot(v, n)}
}

// out is the inverse of into.
func (k *skin) out(f *foot, v r3.Vec, u []float64) r3.Vec {
	a, b, n := k.frame(f, u)
	return r3.Add(r3.Scale(v.X, a), r3.Add(r3.Scale(v.Y, b), r3.Scale(v.Z, n)))
}

func (k *skin) frame(f *foot, u []float64) (a, b, n r3.Vec) {
	var p [6]r3.Vec
	var q quad6
	k.place(&p, f.face, u)
	q.at(&p, f.xi.X, f.xi.Y)
	n = q.normal()
	a = r3.Unit(q.a)
	return a, r3.Cross(n, a), n
}
