package fem

import (
	"math"

	"halsted/internal/par"
	"halsted/mesh"
)

// estimate is the error of the stress by Zienkiewicz & Zhu (Int. J. Numer. Meth.
// Eng. 24 (1987) 337; with recovered stress of 33 (1992) 1365): σ* − σ_h, the
// recovered less the element's stress, taken for the error of σ_h. In energy,
//
//	‖e‖² = ∫(σ* − σ_h):C⁻¹:(σ* − σ_h),  ‖u‖² = ∫σ_h:C⁻¹:σ_h,
//
// with C that of Hooke's law with the region's initial moduli, whatever its
// law, times the stiffness multiplier. Volumes are those of the given mesh.
//
// σ_h is taken linear in a Tet10, through its 4 points, and constant in a Tet4;
// σ* as the shape functions carry it from the nodes.
type estimate struct {
	volume   []float64 // per element, mm³; 0 for absent ones
	density  []float64 // per element: mean of δσ:δσ, MPa²
	energy   []float64 // per element: ‖e‖², mJ
	relative float64   // η = ‖e‖/√(‖u‖² + ‖e‖²)
}

// stressFloor times the shear modulus is the stress that rounding leaves in a
// body that only moves; an energy below that counts as none.
const stressFloor = 1e-10

func (s *system) estimate(rc *recovery) estimate {
	sig, slots := rc.stress, rc.slot
	est := estimate{volume: make([]float64, s.elems), density: make([]float64, s.elems), energy: make([]float64, s.elems)}
	strain := make([]float64, s.elems) // ‖u‖²
	floor := make([]float64, s.elems)
	m := extrapolation(s.nq)
	s.chunks(s.elems, elemChunk, func(lo, hi int) {
		var d [10]sym6
		var h [4]sym6
		for e := lo; e < hi; e++ {
			if !s.present(e) {
				continue
			}
			r := &s.reg[s.regOf[e]]
			c := compliance(r.law.ShearMPa(), r.law.BulkMPa())
			var vol, mult float64
			for i := e * s.nq; i < (e+1)*s.nq; i++ {
				vol += s.w[i]
				if s.mult != nil {
					mult += s.w[i] * s.mult[i]
				}
				t := &sig[i]
				strain[e] += s.w[i] * c.energy(t[0]*t[0]+t[1]*t[1]+t[2]*t[2]+2*(t[3]*t[3]+t[4]*t[4]+t[5]*t[5]), t[0]+t[1]+t[2])
			}
			carry(h[:s.nq], &m, sig[e*s.nq:(e+1)*s.nq])
			for a := range 4 {
				o, t := &h[min(a, s.nq-1)], &slots[rc.slotOf[e*s.k+a]]
				for k := range o {
					d[a][k] = t[k] - o[k]
				}
			}
			for a := 4; a < s.k; a++ {
				ends := mesh.TetEdges[a-4]
				o, p, t := &h[ends[0]], &h[ends[1]], &slots[rc.slotOf[e*s.k+a]]
				for k := range o {
					d[a][k] = t[k] - (o[k]+p[k])/2
				}
			}
			mean, trace := meanSquares(d[:s.k])
			est.volume[e], est.density[e] = vol, mean
			est.energy[e] = vol * (c.norm*mean + c.trace*trace)
			floor[e] = vol * r.law.ShearMPa() * stressFloor * stressFloor
			if mult > 0 {
				mult /= vol
				est.energy[e] /= mult
				strain[e] /= mult
				floor[e] *= mult
			}
		}
	})
	sum := func(v []float64) float64 {
		return par.Sum(s.elems, 4096, func(lo, hi int) (t float64) {
			for _, x := range v[lo:hi] {
				t += x
			}
			return t
		})
	}
	e, u := sum(est.energy), sum(strain)
	if e+u > sum(floor) {
		est.relative = math.Sqrt(e / (e + u))
	}
	return est
}

// hooke is t:C⁻¹:t = norm·t:t + trace·(tr t)², from s:s/(2μ) + (tr t)²/(9κ)
// with s the deviator of t, 1/MPa.
type hooke struct{ norm, trace float64 }

func compliance(mu, kappa float64) hooke { return hooke{1 / (2 * mu), 1/(9*kappa) - 1/(6*mu)} }

func (c hooke) energy(square, tr float64) float64 { return c.norm*square + c.trace*tr*tr }

// meanSquares are the means over a straight element of t:t and (tr t)², for t
// given at its 4 or 10 nodes. The integrals of products of shape functions over
// the volume are, for a Tet4, (1 + δ_ab)/20 and, for a Tet10, 1/420 times
//
//	vertices 6, two vertices 1, a vertex and an edge −4 if it ends there, else −6,
//	an edge 32, two edges 16 if they meet, else 8.
func meanSquares(t []sym6) (square, trace float64) {
	weight := [7]float64{1, 1, 1, 2, 2, 2}
	var x [10]float64
	for c, w := range weight {
		for a := range t {
			if c < 6 {
				x[a] = t[a][c]
			} else {
				x[a] = t[a][0] + t[a][1] + t[a][2]
			}
		}
		v := x[0] + x[1] + x[2] + x[3]
		vv := x[0]*x[0] + x[1]*x[1] + x[2]*x[2] + x[3]*x[3]
		var q float64
		if len(t) == 4 {
			q = (v*v + vv) / 20
		} else {
			// Edges 0 to 5 are 01, 12, 20, 03, 13, 23: 0–5, 1–3 and 2–4 do not meet.
			f := x[4:10:10]
			sum := f[0] + f[1] + f[2] + f[3] + f[4] + f[5]
			ff := f[0]*f[0] + f[1]*f[1] + f[2]*f[2] + f[3]*f[3] + f[4]*f[4] + f[5]*f[5]
			apart := f[0]*f[5] + f[1]*f[3] + f[2]*f[4]
			meet := x[0]*(f[0]+f[2]+f[3]) + x[1]*(f[0]+f[1]+f[4]) + x[2]*(f[1]+f[2]+f[5]) + x[3]*(f[3]+f[4]+f[5])
			q = (v*v + 5*vv + 16*(sum*sum+ff-apart) - 12*v*sum + 4*meet) / 420
		}
		if c < 6 {
			square += w * q
		} else {
			trace = q
		}
	}
	return square, trace
}
