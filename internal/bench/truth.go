package main

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// truth is the exact interface of an analytic scene: the points where the label
// function changes. Surfaces that others hide are no part of it.
type truth struct {
	s *scene
	// Samples of the visible surfaces, spaced half a voxel, cut to the box.
	sample []truePoint
	close  *bins
	lo, hi r3.Vec // distances are taken inside this box, see inBox
	eps    float64
}

// truePoint stands for areaMM2 of interface with labels in and out behind and
// ahead of its normal.
type truePoint struct {
	p       r3.Vec
	areaMM2 float64
	in, out imaging.Label
}

// anyLabel stands for every label: its border is wherever labels change.
const anyLabel imaging.Label = 255

// borders reports whether a border of l runs between labels a and b.
func borders(a, b, l imaging.Label) bool {
	if l == anyLabel {
		return a != b
	}
	return (a == l) != (b == l)
}

// newTruth samples the interface of s.
func newTruth(s *scene) *truth {
	s.index()
	h := s.voxelMM()
	t := &truth{s: s, eps: 1e-3 * h}
	// A mesh may end on the outer voxel centres or faces; neither is an
	// interface. What is nearer than a voxel to the outermost centres is left out.
	t.lo = r3.Vec{X: s.Sp[0], Y: s.Sp[1], Z: s.Sp[2]}
	t.hi = r3.Vec{X: float64(s.Dims[0]-2) * s.Sp[0], Y: float64(s.Dims[1]-2) * s.Sp[1], Z: float64(s.Dims[2]-2) * s.Sp[2]}
	step := h / 2
	surfaces := s.surfaces()
	parts := make([][]truePoint, len(surfaces))
	par.Chunks(len(surfaces), 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			surfaces[n].sample(step, func(p, normal r3.Vec, area float64) {
				if !t.inBox(p) {
					return
				}
				in, out := t.label(r3.Sub(p, r3.Scale(t.eps, normal))), t.label(r3.Add(p, r3.Scale(t.eps, normal)))
				if in != out {
					parts[n] = append(parts[n], truePoint{p, area, in, out})
				}
			})
		}
	})
	t.sample = slices.Concat(parts...)
	t.close = newBins(len(t.sample), 2*h, func(n int) (r3.Vec, r3.Vec) { return t.sample[n].p, t.sample[n].p })
	return t
}

func (t *truth) inBox(p r3.Vec) bool {
	return p.X >= t.lo.X && p.Y >= t.lo.Y && p.Z >= t.lo.Z && p.X <= t.hi.X && p.Y <= t.hi.Y && p.Z <= t.hi.Z
}

func (t *truth) label(p r3.Vec) imaging.Label { return t.s.labelAt(triple{p.X, p.Y, p.Z}) }

// candidate is a surface near a point.
type candidate struct {
	f *surface
	d float64 // signed distance
	n r3.Vec
}

// prober asks the truth for distances; one per goroutine.
type prober struct {
	*truth
	surfaces []surface
	found    []candidate
}

func (t *truth) prober() *prober { return &prober{truth: t, surfaces: t.s.surfaces()} }

// look collects the surfaces near p, nearest first.
func (t *prober) look(p r3.Vec) {
	t.found = t.found[:0]
	add := func(f *surface) {
		d, n := f.signed(p)
		t.found = append(t.found, candidate{f, d, n})
	}
	for n := range t.s.Ell {
		add(&t.surfaces[n])
	}
	for _, n := range t.s.near.at(triple{p.X, p.Y, p.Z}) {
		add(&t.surfaces[len(t.s.Ell)+2*int(n)])
		add(&t.surfaces[len(t.s.Ell)+2*int(n)+1])
	}
	slices.SortStableFunc(t.found, func(a, b candidate) int {
		switch x, y := math.Abs(a.d), math.Abs(b.d); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// distance is how far p, the point last looked at, is from the border of l. Every candidate it takes
// is a point of the true border, so the result is never too small; it is exact
// where the nearest point is on one surface or on a curve where two meet, and
// within the spacing of the samples elsewhere.
func (t *prober) distance(p r3.Vec, l imaging.Label) float64 {
	found := t.found
	best, hidden := math.Inf(1), 0
	for _, c := range found {
		d := math.Abs(c.d)
		if d >= best || d > nearMM {
			break
		}
		q := r3.Sub(p, r3.Scale(c.d, c.n))
		e := r3.Scale(t.eps, c.n)
		if borders(t.label(r3.Sub(q, e)), t.label(r3.Add(q, e)), l) {
			best = d
			break
		}
		hidden++
	}
	if hidden == 0 && !math.IsInf(best, 1) {
		return best
	}
	// The nearest point of a surface was hidden by another: try where they meet.
	const most = 6
	for i := range min(hidden, most) {
		for j := range min(len(found), most) {
			if j == i || math.Abs(found[j].d) >= best || math.Abs(found[j].d) > nearMM {
				continue
			}
			if x, ok := t.meet(p, found[i].f, found[j].f, l); ok {
				best = min(best, length(r3.Sub(p, x)))
			}
		}
	}
	_, best = t.close.nearest(p, best, func(n int32) float64 {
		if s := &t.sample[n]; !borders(s.in, s.out, l) {
			return math.Inf(1)
		}
		return length(r3.Sub(p, t.sample[n].p))
	})
	return best
}

// meet walks to the point nearest p of the curve where two surfaces meet, and
// tells whether l begins or ends there.
func (t *prober) meet(p r3.Vec, f, g *surface, l imaging.Label) (r3.Vec, bool) {
	x := p
	var nf, ng r3.Vec
	for range 12 {
		var df, dg float64
		df, nf = f.signed(x)
		dg, ng = g.signed(x)
		// the point nearest p on both tangent planes is p + a·nf + b·ng
		c := r3.Dot(nf, ng)
		det := 1 - c*c
		if det < 1e-6 {
			return x, false
		}
		back := r3.Sub(x, p)
		rf, rg := r3.Dot(nf, back)-df, r3.Dot(ng, back)-dg
		a, b := (rf-c*rg)/det, (rg-c*rf)/det
		x = r3.Add(p, r3.Add(r3.Scale(a, nf), r3.Scale(b, ng)))
	}
	df, _ := f.signed(x)
	dg, _ := g.signed(x)
	if math.Abs(df) > t.eps || math.Abs(dg) > t.eps {
		return x, false
	}
	var first imaging.Label
	for n, s := range [4][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
		q := t.label(r3.Add(x, r3.Add(r3.Scale(4*t.eps*s[0], nf), r3.Scale(4*t.eps*s[1], ng))))
		if n == 0 {
			first = q
		} else if borders(first, q, l) {
			return x, true
		}
	}
	return x, false
}
