package material_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// checkLaw is the contract of material.Law: every law runs it. It checks, at
// seeded random states, that stress is the derivative of energy and tangent
// that of stress (central differences), that the tangent is symmetric, that the
// initial moduli are those the law states, that a law of large strain does not
// see rotations, and that nothing allocates. States have principal stretches in
// [min, max]. The tangent of a law with fibres jumps at rest, where they go
// slack, and that of one that says KinkAtRest bends: they are not differenced there.
func checkLaw(t *testing.T, law material.Law, min, max float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 13))
	_, linear := law.(interface{ SmallStrain() bool })
	_, fibres := law.(interface{ Fibres() [2]r3.Vec })
	if _, kink := law.(interface{ KinkAtRest() bool }); kink {
		fibres = true
	}
	scale := law.ShearMPa() + law.BulkMPa()
	for n := range 40 {
		f := state(rng, min, max)
		if n == 0 {
			f = material.Identity
		}
		if n == 1 { // two equal stretches
			f = material.Mat3{{X: max}, {Y: max}, {Z: min}}
		}
		if n > 0 || !fibres {
			derivatives(t, law, &f, scale)
		}
		if linear {
			continue
		}
		if l, ok := law.(material.InInvariants); ok {
			coefficients(t, l, &f, scale)
		}
		var p, q, g material.Mat3
		r := r3.NewRotation(6*rng.Float64(), r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: 1}))
		for j := range f {
			g[j] = r.Rotate(f[j])
		}
		law.Stress(&p, &f)
		law.Stress(&q, &g)
		size := math.Sqrt(p.Norm2()) + scale*1e-3
		for j := range p {
			if d := r3.Norm(r3.Sub(q[j], r.Rotate(p[j]))); d > 1e-11*size {
				t.Errorf("%T: P(R·F) differs from R·P(F) by %g of %g", law, d, size)
			}
		}
		if d := math.Abs(law.Energy(&f) - law.Energy(&g)); d > 1e-11*size {
			t.Errorf("%T: a rotation changes the energy by %g", law, d)
		}
	}
	if !linear {
		if w := law.Energy(&material.Mat3{{X: -1}, {Y: 1}, {Z: 1}}); !math.IsInf(w, 1) {
			t.Errorf("%T: energy %g for det F < 0, want +Inf", law, w)
		}
	}
	moduli(t, law)
	extremes(t, law)
	nan := material.Mat3{{X: math.NaN()}, {Y: 1}, {Z: 1}}
	if w := law.Energy(&nan); !linear && !math.IsInf(w, 1) {
		t.Errorf("%T: energy %g for an F that is not a number, want +Inf", law, w)
	}
	var p material.Mat3
	var a [9][9]float64
	law.Stress(&p, &nan) // must come back
	law.Tangent(&a, &nan)
	f := state(rng, min, max)
	if n := testing.AllocsPerRun(10, func() { law.Energy(&f); law.Stress(&p, &f); law.Tangent(&a, &f) }); n != 0 {
		t.Errorf("%T: %v allocations", law, n)
	}
}

// coefficients checks the short form of a tangent: the stress is that of Stress,
// G is F⁻ᵀ, and the block of two gradients a, b that InvariantTangent gives is
// Σ_JL a_J·A_iJkL·b_L.
func coefficients(t *testing.T, law material.InInvariants, f *material.Mat3, scale float64) {
	t.Helper()
	var p, q, g material.Mat3
	var a [9][9]float64
	law.Stress(&p, f)
	law.Tangent(&a, f)
	c, j := law.Coefficients(&q, &g, f)
	apply := func(m *material.Mat3, x [3]float64) (y [3]float64) {
		for i := range 3 {
			for k := range 3 {
				y[i] += *at(m, i, k) * x[k]
			}
		}
		return y
	}
	size := scale + a[0][0] + a[4][4] + a[8][8]
	for k := range p {
		if r3.Norm(r3.Sub(p[k], q[k])) > 1e-13*size || math.Abs(r3.Dot(f[k], g[k])-1) > 1e-12 || math.Abs(r3.Dot(f[k], g[(k+1)%3])) > 1e-12 || math.Abs(j/f.Det()-1) > 1e-14 {
			t.Errorf("%T: Coefficients gives P = %v, G = %v, J = %g; P is %v", law, q, g, j, p)
		}
	}
	x, y := [3]float64{0.3, -1.2, 0.7}, [3]float64{-0.8, 0.5, 1.1}
	fx, fy, gx, gy := apply(f, x), apply(f, y), apply(&g, x), apply(&g, y)
	for i := range 3 {
		for k := range 3 {
			want := 0.0
			for m := range 3 {
				for n := range 3 {
					want += x[m] * a[3*i+m][3*k+n] * y[n]
				}
			}
			got := (c.FF*fx[i]+c.FG*gx[i])*fy[k] + (c.FG*fx[i]+c.GG*gx[i])*gy[k] + c.X*gy[i]*gx[k]
			if i == k {
				got += c.S * (x[0]*y[0] + x[1]*y[1] + x[2]*y[2])
			}
			if math.Abs(got-want) > 1e-12*size {
				t.Errorf("%T: block [%d][%d] = %g, from A %g", law, i, k, got, want)
			}
		}
	}
}

// extremes checks that no state, however far, gives a NaN: a line search must
// be able to step back from it.
func extremes(t *testing.T, law material.Law) {
	t.Helper()
	rng := rand.New(rand.NewPCG(31, 37))
	for range 60 {
		f := state(rng, 0.9, 1.1)
		for k := range f {
			f[k] = r3.Scale(math.Exp(14*(rng.Float64()-0.5)), f[k])
		}
		var p material.Mat3
		var a [9][9]float64
		law.Stress(&p, &f)
		law.Tangent(&a, &f)
		var sum float64
		for r := range a {
			for _, x := range a[r] {
				sum += math.Abs(x)
			}
		}
		if w := law.Energy(&f); math.IsNaN(w) || math.IsNaN(p.Norm2()) || math.IsNaN(sum) {
			t.Errorf("%T: energy %g, |P|² %g, Σ|A| %g at F = %v", law, w, p.Norm2(), sum, f)
			return
		}
	}
}

// state is a random F = R·V·diag(stretches)·Vᵀ.
func state(rng *rand.Rand, min, max float64) (f material.Mat3) {
	turn := func() r3.Rotation {
		return r3.NewRotation(6*rng.Float64(), r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}))
	}
	v, r := turn(), turn()
	for _, axis := range []r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		l := min + (max-min)*rng.Float64()
		n := v.Rotate(axis)
		m := r.Rotate(n)
		f[0] = r3.Add(f[0], r3.Scale(l*n.X, m))
		f[1] = r3.Add(f[1], r3.Scale(l*n.Y, m))
		f[2] = r3.Add(f[2], r3.Scale(l*n.Z, m))
	}
	return f
}

func at(m *material.Mat3, i, j int) *float64 {
	switch i {
	case 0:
		return &m[j].X
	case 1:
		return &m[j].Y
	}
	return &m[j].Z
}

// derivatives compares with central differences of fourth order and step h:
// rounding is 1e-16/h ~ 1e-11 relative to the tangent, truncation h⁴ is below
// it also for steep exponentials.
func derivatives(t *testing.T, law material.Law, f *material.Mat3, scale float64) {
	t.Helper()
	const h = 1e-5
	var p material.Mat3
	var s [4]material.Mat3
	var w [4]float64
	var a [9][9]float64
	law.Stress(&p, f)
	law.Tangent(&a, f)
	size := scale
	for r := range a {
		for c := range a {
			size = math.Max(size, math.Abs(a[r][c]))
		}
	}
	for r := range a {
		for c := range a {
			if d := math.Abs(a[r][c] - a[c][r]); d > 1e-12*size {
				t.Errorf("%T: A[%d][%d] and its transpose differ by %g of %g", law, r, c, d, size)
			}
		}
	}
	for k := range 3 {
		for l := range 3 {
			x := at(f, k, l)
			old := *x
			for n, step := range [4]float64{-2, -1, 1, 2} {
				*x = old + step*h
				w[n] = law.Energy(f)
				law.Stress(&s[n], f)
			}
			*x = old
			if d := math.Abs(difference(w, h) - *at(&p, k, l)); d > 2e-8*size {
				t.Errorf("%T: P[%d][%d] = %g, energy difference is off by %g (scale %g)", law, k, l, *at(&p, k, l), d, size)
			}
			for i := range 3 {
				for j := range 3 {
					fd := difference([4]float64{*at(&s[0], i, j), *at(&s[1], i, j), *at(&s[2], i, j), *at(&s[3], i, j)}, h)
					if d := math.Abs(fd - a[3*i+j][3*k+l]); d > 2e-7*size {
						t.Errorf("%T: A[%d%d][%d%d] = %g, stress difference %g", law, i, j, k, l, a[3*i+j][3*k+l], fd)
					}
				}
			}
		}
	}
}

// difference is the derivative from the values at −2h, −h, h, 2h.
func difference(v [4]float64, h float64) float64 {
	return (8*(v[2]-v[1]) - (v[3] - v[0])) / (12 * h)
}

// moduli checks that the law at rest has neither energy nor stress, and that
// its tangent there is Hooke's with the moduli that it states.
func moduli(t *testing.T, law material.Law) {
	t.Helper()
	f := material.Identity
	var p material.Mat3
	var a, want [9][9]float64
	law.Stress(&p, &f)
	law.Tangent(&a, &f)
	mu, kappa := law.ShearMPa(), law.BulkMPa()
	if p.Norm2() > 1e-24*kappa*kappa || math.Abs(law.Energy(&f)) > 1e-12*kappa {
		t.Errorf("%T: stress or energy at rest", law)
	}
	// Means over all directions (Voigt): A_iiJJ/9 and (3·A_iJiJ − A_iiJJ)/30.
	var trace, volume float64
	for i := range 3 {
		for k := range 3 {
			volume += a[4*i][4*k]
			trace += a[3*i+k][3*i+k]
		}
	}
	if m, e := (3*trace-volume)/30, volume/9; math.Abs(m/mu-1) > 1e-9 || math.Abs(e/kappa-1) > 1e-9 {
		t.Errorf("%T: tangent at rest has μ = %g, κ = %g; the law says %g, %g", law, m, e, mu, kappa)
	}
	if _, ok := law.(interface{ Anisotropic() bool }); ok {
		return
	}
	hooke, err := material.NewLinear(9*kappa*mu/(3*kappa+mu), (3*kappa-2*mu)/(2*(3*kappa+mu)))
	if err != nil {
		t.Fatal(err)
	}
	hooke.Tangent(&want, &f)
	for r := range a {
		for c := range a {
			if d := math.Abs(a[r][c] - want[r][c]); d > 1e-10*(kappa+mu) {
				t.Errorf("%T: A[%d][%d] at rest is %g, Hooke's law with μ = %g, κ = %g gives %g", law, r, c, a[r][c], mu, kappa, want[r][c])
			}
		}
	}
}
