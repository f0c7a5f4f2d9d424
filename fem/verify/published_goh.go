package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// stripBulkMPa keeps the volume against the fibres.
const stripBulkMPa = 1e3

// The strips of Gasser, Ogden & Holzapfel: length, width, thickness in mm.
const stripLength, stripWidth, stripThick = 10.0, 3.0, 0.5

func init() {
	register(Case{
		Name: "goh-strip", Title: "Strips of iliac adventitia with dispersed fibres", Group: Published,
		Text: "Strips of 10 × 3 × 0.5 mm cut along the artery and around it, pulled lengthwise; the library's artery.iliac.adventitia (c = 7.64 kPa, k1 = 996.6 kPa, k2 = 524.6, κ = 0.226, fibres at ±49.98° from the circumference). " +
			"The force at a stretch. With ends that may contract the strain is uniform, and the force that of the law (judged); with ends in grips that hold all three directions, as in the paper, " +
			"the forces are shown over meshes. An eighth; Tet10 with mean dilatation. The bulk modulus of ν = 0.4999, 38 MPa with this soft matrix, gives way where the fibres bear MPa: the notes say by how much.",
		Source: "[C] the law under uniform strain with sides free of stress; problem and constants from T. C. Gasser, R. W. Ogden & G. A. Holzapfel, J. R. Soc. Interface 3 (2006) 15, whose force–displacement curves are a figure. " +
			"svMultiPhysics@b5fbed0, tests/cases/ustruct/tensile_adventitia_HGO (read), is one time step of dynamics with c = 0.764 kPa and κ = 0.1, its result a Git LFS pointer: no curve to compare with",
		Run: runStrip,
	})
}

// strip is the law under uniform strain in closed form: stretches along the
// strip, across it and through it.
type strip struct{ c, k1, k2, dispersion, bulk, cos2, sin2 float64 } // cos², sin² of the fibres' angle to the strip

// slope is ∂W/∂λ of one of the stretches, MPa.
func (s strip) slope(axis int, l [3]float64) float64 {
	j := l[0] * l[1] * l[2]
	iso := math.Pow(j, -2./3)
	m := [3]float64{s.cos2, s.sin2, 0}
	var i1, i4 float64
	for a, x := range l {
		i1 += iso * x * x
		i4 += iso * m[a] * x * x
	}
	x := l[axis]
	d1, d4 := 2*(iso*x-i1/(3*x)), 2*(iso*m[axis]*x-i4/(3*x))
	e := max(0, s.dispersion*i1+(1-3*s.dispersion)*i4-1)
	return s.c/2*d1 + 2*s.k1*e*math.Exp(s.k2*e*e)*(s.dispersion*d1+(1-3*s.dispersion)*d4) + s.bulk/2*(j*j-1)/x
}

// forceN is the force at a stretch, with width and thickness free of stress.
func (s strip) forceN(along float64) float64 {
	zero := func(lo, hi float64, f func(float64) float64) float64 {
		for range 200 {
			if mid := (lo + hi) / 2; f(mid) > 0 {
				hi = mid
			} else {
				lo = mid
			}
		}
		return (lo + hi) / 2
	}
	through := func(across float64) float64 {
		v := 1 / (along * across)
		return zero(0.8*v, 1.2*v, func(t float64) float64 { return s.slope(2, [3]float64{along, across, t}) })
	}
	across := zero(0.3, 1.2, func(w float64) float64 { return s.slope(1, [3]float64{along, w, through(w)}) })
	return s.slope(0, [3]float64{along, across, through(across)}) * stripWidth * stripThick
}

func runStrip(ctx context.Context, l Level) (rows []Row, err error) {
	rec, err := material.Lookup("artery.iliac.adventitia")
	if err != nil {
		return nil, err
	}
	get := func(name string) float64 { v, _ := rec.Param(name); return v }
	sets := [][3]int{{4, 2, 1}, {8, 3, 1}, {16, 5, 1}, {24, 8, 2}}
	if l == Quick {
		sets = sets[:1]
	}
	x, y := r3.Vec{X: 1}, r3.Vec{Y: 1}
	sin, cos := math.Sincos(get("gamma_deg") * math.Pi / 180)
	for _, dir := range []struct {
		name       string
		circ, axis r3.Vec // the strip is pulled along x
		c2, s2     float64
		stretch    []float64
	}{{"axial", y, x, sin * sin, cos * cos, []float64{1.1, 1.15, 1.2}}, {"circumferential", x, y, cos * cos, sin * sin, []float64{1.1, 1.2, 1.25}}} {
		plain, err := rec.FibreLaw(dir.circ, dir.axis)
		if err != nil {
			return nil, err
		}
		goh, ok := plain.(material.GasserOgdenHolzapfel)
		if !ok {
			return nil, fmt.Errorf("verify: artery.iliac.adventitia is a %T", plain)
		}
		stiff, err := goh.WithBulk(stripBulkMPa, material.VolumetricSimo)
		if err != nil {
			return nil, err
		}
		exact := strip{get("c_Pa") / 1e6, get("k1_Pa") / 1e6, get("k2"), get("kappa"), 0, dir.c2, dir.s2}
		for _, way := range []struct {
			law     material.GasserOgdenHolzapfel
			gripped bool
			note    string
		}{{goh, false, ", κ of ν = 0.4999"}, {stiff, false, ", κ = 1 GPa"}, {goh, true, ", κ of ν = 0.4999, gripped"}} {
			gripped := way.gripped
			exact.bulk = way.law.BulkMPa()
			limit := exact
			limit.bulk = 1e6
			series := make([][]Row, len(dir.stretch))
			for i, n := range sets {
				if !gripped && i > 0 {
					break // uniform strain: one mesh says all
				}
				m := brick(n[0], n[1], n[2], stripLength/2, stripWidth/2, stripThick/2).Quadratic()
				end := onX(stripLength / 2)
				hold := symmetry(m, 0, 1, 2)
				if gripped {
					hold = append(hold, append(held(m, 1, 0, end), held(m, 2, 0, end)...)...)
				}
				mod := &fem.Model{Mesh: m, Regions: one(way.law)}
				for _, s := range dir.stretch {
					mod.Stages = append(mod.Stages, fem.Stage{Prescribed: onceEach(append(hold, held(m, 0, (s-1)*stripLength/2, end)...))})
				}
				pulled := nodesWhere(m, end)
				_, err := fem.Solve(ctx, mod, fem.Settings{Formulation: fem.MeanDilatation, Steps: 5, ResidualTol: 1e-8}, func(f *fem.Frame) error {
					if f.Step == 0 || f.LoadFactor < 1 {
						return nil
					}
					var n4 float64 // of the quarter of the section that is meshed
					for _, v := range pulled {
						n4 += f.ReactionN[v].X
					}
					s := dir.stretch[f.Stage]
					quantity := fmt.Sprintf("%s force at λ = %g", dir.name, s)
					r := relative(quantity+way.note, described("", m), "N", 4*n4, exact.forceN(s), 1e-4)
					if gripped {
						r = shown(quantity+way.note, described(fmt.Sprintf("%d × %d × %d cells", n[0], n[1], n[2]), m), "N", 4*n4, 0).at(stripLength / 2 / float64(n[0]))
					} else {
						r = r.because(fmt.Sprintf("%s of that without change of volume", percent(exact.forceN(s)/limit.forceN(s), false)))
					}
					series[f.Stage] = append(series[f.Stage], r)
					return nil
				})
				if err != nil {
					return rows, fmt.Errorf("%s strip, gripped %t, %v cells: %w", dir.name, gripped, n, err)
				}
			}
			for _, s := range series {
				rows = append(rows, s...)
			}
		}
	}
	return rows, nil
}
