package planner

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Sheet is a curved cut: a bicubic Bézier patch (Farin, Curves and Surfaces
// for CAGD, 5th ed., §14.1) that is the graph of a height over the rectangle
// Origin ± U ± V. What lies above it, on the side of U × V, is resected; beyond
// the rectangle the height at its border goes on.
type Sheet struct {
	Origin r3.Vec `json:"origin_mm"`
	U      r3.Vec `json:"u_mm"` // half side, mm; perpendicular to V
	V      r3.Vec `json:"v_mm"`
	// HeightsMM are the control heights over U × V, mm: [i] along U, [j] along V.
	HeightsMM [4][4]float64 `json:"heights_mm"`
}

// Normal is the unit vector that heights are measured along.
func (s *Sheet) Normal() r3.Vec { return r3.Unit(r3.Cross(s.U, s.V)) }

// bernstein3 are the cubic Bernstein polynomials at t and their derivatives.
func bernstein3(t float64) (b, d [4]float64) {
	u := 1 - t
	b = [4]float64{u * u * u, 3 * t * u * u, 3 * t * t * u, t * t * t}
	d = [4]float64{-3 * u * u, 3*u*u - 6*t*u, 6*t*u - 3*t*t, 3 * t * t}
	return b, d
}

// SignedMM is the distance of q from the sheet to first order: the height of q
// above it over the length of the height's gradient. Its sign is exact,
// positive on the resected side.
func (s *Sheet) SignedMM(q r3.Vec) float64 {
	r := r3.Sub(q, s.Origin)
	uu, vv := r3.Norm2(s.U), r3.Norm2(s.V)
	a, c := r3.Dot(r, s.U)/uu, r3.Dot(r, s.V)/vv // −1 to 1 in the rectangle
	ca, cc := max(-1, min(1, a)), max(-1, min(1, c))
	bu, du := bernstein3((ca + 1) / 2)
	bv, dv := bernstein3((cc + 1) / 2)
	h, hu, hv := 0.0, 0.0, 0.0
	for i := range 4 {
		p, pv := 0.0, 0.0
		for j := range 4 {
			p += s.HeightsMM[i][j] * bv[j]
			pv += s.HeightsMM[i][j] * dv[j]
		}
		h += bu[i] * p
		hu += du[i] * p
		hv += bu[i] * pv
	}
	if ca != a {
		hu = 0
	}
	if cc != c {
		hv = 0
	}
	slope2 := hu*hu/(4*uu) + hv*hv/(4*vv) // dt = da/2, and |U| mm per unit of a
	return (r3.Dot(r, s.Normal()) - h) / math.Sqrt(1+slope2)
}

// Net is the patch's 4 × 4 control points, LPS mm, for mesh/cut.NewBezier.
func (s *Sheet) Net() [][]r3.Vec {
	n := s.Normal()
	net := make([][]r3.Vec, 4)
	for i := range net {
		for j := range 4 {
			p := r3.Add(s.Origin, r3.Add(r3.Scale(2*float64(i)/3-1, s.U), r3.Scale(2*float64(j)/3-1, s.V)))
			net[i] = append(net[i], r3.Add(p, r3.Scale(s.HeightsMM[i][j], n)))
		}
	}
	return net
}

func (s *Sheet) validate() error {
	for _, v := range []r3.Vec{s.Origin, s.U, s.V} {
		if t := v.X + v.Y + v.Z; math.IsNaN(t) || math.IsInf(t, 0) {
			return errors.New("is not finite")
		}
	}
	lu, lv := r3.Norm(s.U), r3.Norm(s.V)
	if !(lu > 0) || !(lv > 0) || math.Abs(r3.Dot(s.U, s.V)) > unitTol*lu*lv {
		return fmt.Errorf("has sides of %g and %g mm that are not perpendicular", lu, lv)
	}
	for _, row := range s.HeightsMM {
		for _, h := range row {
			if math.IsNaN(h) || math.IsInf(h, 0) {
				return errors.New("has a height that is not finite")
			}
		}
	}
	return nil
}

// Branch names a branch of one of the case's vessel trees.
type Branch struct {
	System string `json:"system"` // "portal", "hepatic"
	Index  int    `json:"index"`  // in the tree that the case's masks give
	Name   string `json:"name,omitempty"`
}

// Needle is one straight insertion.
type Needle struct {
	Entry  r3.Vec `json:"entry_mm"` // on the skin, LPS
	Tip    r3.Vec `json:"tip_mm"`
	Device string `json:"device"` // id@version in the device catalogue
}

// LengthMM is the distance from entry to tip.
func (n Needle) LengthMM() float64 { return r3.Norm(r3.Sub(n.Tip, n.Entry)) }

// Graft is a stent graft and where it seals.
type Graft struct {
	Device     string  `json:"device"`      // id@version in the device catalogue
	ProximalMM float64 `json:"proximal_mm"` // arc length of its upper end along the lumen's centreline, from the lowest renal artery
	DistalMM   float64 `json:"distal_mm"`   // of its lower end
}
