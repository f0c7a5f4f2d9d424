package mesh

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Deviation says how far one surface strays from another.
type Deviation struct {
	MeanMM, P95MM, MaxMM float64
	MaxAt                r3.Vec // LPS mm, a place on the one surface where it is MaxMM from the other
}

// LabelDeviation is the distance between the boundaries of one label in two
// surfaces, both ways; the larger MaxMM is the Hausdorff distance. All is NaN
// when the label is in one of them only. mesh/spatial measures it.
type LabelDeviation struct {
	Label       imaging.Label
	There, Back Deviation
}

// DistanceTo measures from every vertex of s that a face uses to the nearest
// point of any face of o. It is one-sided: take the larger of both ways for
// the Hausdorff distance (of the vertices). Both need at least one face, else
// the result is NaN. It is meant for surfaces that lie close to each other;
// spatial.Distance samples faces too, and is fast for any two.
func (s *Surface) DistanceTo(o *Surface) Deviation {
	used := make([]bool, len(s.Verts))
	for _, v := range s.Tris {
		used[v[0]], used[v[1]], used[v[2]] = true, true, true
	}
	var p []r3.Vec
	for n, u := range used {
		if u {
			p = append(p, s.Verts[n])
		}
	}
	if len(p) == 0 || len(o.Tris) == 0 {
		return Deviation{MeanMM: math.NaN(), P95MM: math.NaN(), MaxMM: math.NaN()}
	}
	faces := newBuckets(len(o.Tris), func(t int) (r3.Vec, r3.Vec) {
		v := o.Tris[t]
		return Bounds([]r3.Vec{o.Verts[v[0]], o.Verts[v[1]], o.Verts[v[2]]})
	})
	d := make([]float64, len(p))
	const chunk = 2048
	par.Chunks(len(p), chunk, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			_, d2 := faces.nearest(p[n], func(t int32) float64 {
				v := o.Tris[t]
				q, _, _ := ClosestOnTriangle(p[n], o.Verts[v[0]], o.Verts[v[1]], o.Verts[v[2]])
				return r3.Norm2(r3.Sub(p[n], q))
			})
			d[n] = math.Sqrt(d2)
		}
	})
	sum := par.Sum(len(d), chunk, func(lo, hi int) (x float64) {
		for _, v := range d[lo:hi] {
			x += v
		}
		return x
	})
	far := 0
	for n, v := range d {
		if v > d[far] {
			far = n
		}
	}
	at := p[far]
	slices.Sort(d)
	return Deviation{MeanMM: sum / float64(len(d)), P95MM: d[(len(d)-1)*95/100], MaxMM: d[len(d)-1], MaxAt: at}
}
