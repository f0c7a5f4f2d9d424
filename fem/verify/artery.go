package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "hgo-artery", Title: "Artery of two layers, Holzapfel–Gasser–Ogden", Group: ClosedForms,
		Text: "The rabbit carotid: media c = 3, k1 = 2.3632 kPa, k2 = 0.8393, β = 29°, H = 0.26 mm; adventitia c = 0.3, k1 = 0.5620 kPa, k2 = 0.7112, β = 62°, H = 0.13 mm; stretched to λz = 1.7 and inflated by a following pressure. " +
			"Once free of stress as a closed tube of Ri = 0.71 mm, once as a sector of Ri = 1.43 mm with an opening of 160°, whose closing is the natural map G = diag(kρ/R, 1, R/kρ), k = 2π/(2π − α), in each quadrature point. " +
			"Tet10 with mean dilatation, ν = 0.49999; a quarter of a slice; r_i is the node furthest from the reference.",
		Source: "[C] quadrature of p = ∫(σθ − σr) dr/r (G. A. Holzapfel, T. C. Gasser & R. W. Ogden, J. Elasticity 61 (2000) 1, §5); constants [M]",
		Run:    runArtery,
	})
}

// arteryLayer is one layer of the wall; stress in MPa, β in rad, thickness in
// mm free of stress.
type arteryLayer struct{ c, k1, k2, beta, thick float64 }

var arteryLayers = [2]arteryLayer{
	{3e-3, 2.3632e-3, 0.8393, 29 * math.Pi / 180, 0.26},
	{0.3e-3, 0.5620e-3, 0.7112, 62 * math.Pi / 180, 0.13},
}

// artery is the wall free of stress: inner radius, mm, and k = 2π/(2π − α).
type artery struct{ ri, k float64 }

const arteryStretch = 1.7

// difference is σθ − σr of the incompressible wall, MPa.
func (l *arteryLayer) difference(theta, z float64) float64 {
	r := 1 / (theta * z)
	s, c := math.Sincos(l.beta)
	d := l.c * (theta*theta - r*r)
	if e := theta*theta*c*c + z*z*s*s - 1; e > 0 {
		d += 4 * l.k1 * e * math.Exp(l.k2*e*e) * theta * theta * c * c
	}
	return d
}

// pressure is p, MPa, when the inner radius is r, mm, at the axial stretch z.
func (a artery) pressure(r, z float64) (p float64) {
	from, inner := r, a.ri
	for i := range arteryLayers {
		l := &arteryLayers[i]
		outer := inner + l.thick
		to := math.Sqrt(r*r + (outer*outer-a.ri*a.ri)/(a.k*z))
		p += quad.Fixed(func(x float64) float64 {
			return l.difference(a.k*x/math.Sqrt(a.ri*a.ri+a.k*z*(x*x-r*r)), z) / x
		}, from, to, 20, quad.Legendre{}, 0)
		from, inner = to, outer
	}
	return p
}

// radius is the inner radius, mm, at a pressure, by bisection.
func (a artery) radius(p float64) float64 {
	lo, hi := 0.3, 2.5
	for range 60 {
		if mid := (lo + hi) / 2; a.pressure(mid, arteryStretch) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// natural are the directions and the residual stretch at the quadrature points
// of the closed tube of inner radius inner, mm.
func (a artery) natural(m *mesh.TetMesh, inner float64) []material.Mat3 {
	rule := element.TetRule(2)
	g := make([]material.Mat3, 0, len(m.Tets)*len(rule.P))
	n := make([]float64, element.Tet10Nodes)
	for e, t := range m.Tets {
		for _, at := range rule.P {
			element.Tet10(n, nil, at)
			var p r3.Vec
			for i, v := range t {
				p = r3.Add(p, r3.Scale(n[i], m.Nodes[v]))
			}
			for i, v := range m.Mid[e] {
				p = r3.Add(p, r3.Scale(n[4+i], m.Nodes[v]))
			}
			rho := math.Hypot(p.X, p.Y)
			er := r3.Vec{X: p.X / rho, Y: p.Y / rho}
			stretch := a.k * rho / math.Sqrt(a.ri*a.ri+a.k*(rho*rho-inner*inner))
			g = append(g, material.Mat3{r3.Scale(stretch, r3.Vec{X: -er.Y, Y: er.X}), {Z: 1}, r3.Scale(1/stretch, er)})
		}
	}
	return g
}

func runArtery(ctx context.Context, l Level) (rows []Row, err error) {
	meshes, tol := []int{2, 4, 6}, 3e-3 // cells through the media
	if l == Quick {
		meshes, tol = []int{4}, 5e-3
	}
	for _, c := range []struct {
		name string
		a    artery
	}{{"closed", artery{0.71, 1}}, {"opening 160°", artery{1.43, 360. / 200}}} {
		series := make([][]Row, len(arteryPressures))
		for i, cells := range meshes {
			if err := c.a.solve(ctx, c.name, cells, func(stage int, r Row) {
				if i == len(meshes)-1 {
					r = relative(r.Quantity, r.Mesh, r.Unit, r.Value, r.Reference, tol).at(r.HMM)
				}
				series[stage] = append(series[stage], r)
			}); err != nil {
				return rows, err
			}
		}
		for _, r := range series {
			rows = append(rows, r...)
		}
	}
	return rows, nil
}

// arteryPressures are those that the radius is given at, MPa.
var arteryPressures = []float64{5e-3, 13.33e-3, 20e-3}

// solve inflates the artery; cells counts those through the media, half as many
// are in the adventitia. Row receives the inner radius at each pressure.
func (a artery) solve(ctx context.Context, title string, cells int, row func(stage int, r Row)) error {
	const nu, inner = 0.49999, 0.71
	radius := func(r float64) float64 { // of the closed tube
		return math.Sqrt(inner*inner + (r*r-a.ri*a.ri)/a.k)
	}
	between := a.ri + arteryLayers[0].thick
	mid, outer := radius(between), radius(between+arteryLayers[1].thick)
	nr, length := cells+cells/2, 0.1
	m := brick(nr, 3*cells, 1, float64(nr), 1, length).Quadratic()
	for e, t := range m.Tets {
		var x float64
		for _, v := range t {
			x += m.Nodes[v].X / 4
		}
		if x > float64(cells) {
			m.Region[e] = tissue + 1
		}
	}
	mapped(m, func(p r3.Vec) r3.Vec {
		r := inner + (mid-inner)*p.X/float64(cells)
		if p.X > float64(cells) {
			r = mid + (outer-mid)*(p.X-float64(cells))/float64(nr-cells)
		}
		s, co := math.Sincos(p.Y * math.Pi / 2)
		if p.Y == 1 {
			co = 0
		}
		return r3.Vec{X: r * co, Y: r * s, Z: p.Z}
	})
	mod := &fem.Model{Mesh: m, Natural: a.natural(m, inner)}
	for i, y := range arteryLayers {
		a1, a2 := material.FibresInPlane(r3.Vec{X: 1}, r3.Vec{Y: 1}, y.beta)
		mod.Regions = append(mod.Regions, fem.Region{Label: tissue + imaging.Label(i), Law: must(material.NewHolzapfelGasserOgden(y.c, y.k1, y.k2, nu, a1, a2))})
	}
	hold := append(symmetry(m, 0, 1, 2), held(m, 2, (arteryStretch-1)*length, onZ(length))...)
	for i, p := range arteryPressures {
		s := fem.Stage{Loads: &fem.LoadCase{Faces: pressed(m, onRadius(inner), p, true)}, Steps: 4}
		if i == 0 {
			s.Prescribed, s.Steps = hold, 1
		}
		mod.Stages = append(mod.Stages, s)
	}
	name := described(fmt.Sprintf("%d cells through the wall", nr), m)
	wall := nodesWhere(m, onRadius(inner))
	// The closed form at the first pressure is where the iteration starts.
	guess, r1 := make([]r3.Vec, len(m.Nodes)), a.radius(arteryPressures[0])
	for i, p := range m.Nodes {
		rho := math.Hypot(p.X, p.Y)
		f := math.Sqrt(r1*r1+(rho*rho-inner*inner)/arteryStretch)/rho - 1
		guess[i] = r3.Vec{X: f * p.X, Y: f * p.Y, Z: (arteryStretch - 1) * p.Z}
	}
	_, err := fem.Solve(ctx, mod, fem.Settings{Formulation: fem.MeanDilatation, ResidualTol: 1e-7, Guess: guess}, func(f *fem.Frame) error {
		if f.Step == 0 || f.LoadFactor < 1 {
			return nil
		}
		want := a.radius(arteryPressures[f.Stage])
		got := farthestFrom(wall, want, func(v int32) float64 {
			return math.Hypot(m.Nodes[v].X+f.U[v].X, m.Nodes[v].Y+f.U[v].Y)
		})
		row(f.Stage, shown(fmt.Sprintf("r_i at %.4g kPa, %s", 1e3*arteryPressures[f.Stage], title), name, "mm", got, want).at((outer-inner)/float64(nr)))
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
