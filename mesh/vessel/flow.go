package vessel

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// BloodViscosityMPaS is the viscosity of blood as a Newtonian fluid in MPa·s:
// 0.0035 Pa·s, 0.0030–0.0045 in vessels above a millimetre.
const BloodViscosityMPaS = 3.5e-9

// MPaPerMmHg turns millimetres of mercury into MPa (133.322387415 Pa, ISO 80000-4).
const MPaPerMmHg = 133.322387415e-6

// MmHg is a pressure in MPa as millimetres of mercury.
func MmHg(mpa float64) float64 { return mpa / MPaPerMmHg }

// Network is tubes between nodes with Poiseuille flow: a pressure drop along a
// tube of ΔP = 8 μ Q/π ∫ dx/r⁴ (Poiseuille 1840, with the radius varying
// slowly). Loops and several inlets are allowed. Pressures are MPa, flows
// mm³/s, resistances MPa·s/mm³.
type Network struct {
	Nodes int
	Tubes []Tube
	Fixed map[int]float64 // node → pressure
	Inlet map[int]float64 // node → flow that enters there (negative: leaves)
	// Terminal is the resistance from a node to a reservoir at the pressure
	// TerminalMPa: the vessels beyond the image.
	Terminal    map[int]float64
	TerminalMPa float64
}

// Tube carries flow from node A to node B.
type Tube struct {
	A, B       int
	Resistance float64 // MPa·s/mm³; +Inf is closed
}

// Resistance is 8 μ/π ∫ dx/r⁴ along b, the radius linear between points:
// ∫ = h (r₀² + r₀r₁ + r₁²)/(3 r₀³ r₁³).
func (b *Branch) Resistance(viscosity float64) float64 {
	sum := 0.0
	for n := 1; n < len(b.Points); n++ {
		p, q := b.Points[n-1], b.Points[n]
		h := math.Sqrt((p.X-q.X)*(p.X-q.X) + (p.Y-q.Y)*(p.Y-q.Y) + (p.Z-q.Z)*(p.Z-q.Z))
		a, c := b.RadiusMM[n-1], b.RadiusMM[n]
		sum += h * (a*a + a*c + c*c) / (3 * a * a * a * c * c * c)
	}
	return 8 * viscosity / math.Pi * sum
}

// Flow is the solution of a Network.
type Flow struct {
	MPa       []float64 // pressure of each node
	MM3PerS   []float64 // flow of each tube from A to B
	Terminal  []float64 // flow that leaves each node through its terminal resistance
	Imbalance float64   // largest net flow into an inner node over the largest flow
}

// ErrFloating says that part of a network has no pressure to refer to.
var ErrFloating = errors.New("vessel: part of the network carries flow but has no fixed pressure and no terminal resistance: fix a pressure there")

// Solve computes pressures and flows: conductances make a symmetric positive
// definite matrix, factored without pivoting node by node from the tips inwards
// (on a tree that is exact elimination without fill), with two rounds of
// refinement. Nodes cut off from every pressure with no flow to carry get
// pressure 0.
//
// Errors: a negative or NaN number, a node out of range, ErrFloating, ctx.Err().
func (w *Network) Solve(ctx context.Context) (*Flow, error) {
	if err := w.validate(); err != nil {
		return nil, err
	}
	// Rows as maps from neighbour to conductance; sums in index order.
	n := w.Nodes
	near := make([]map[int]float64, n)
	for a := range near {
		near[a] = map[int]float64{}
	}
	for _, t := range w.Tubes {
		if t.A != t.B && !math.IsInf(t.Resistance, 1) {
			near[t.A][t.B] += 1 / t.Resistance
			near[t.B][t.A] += 1 / t.Resistance
		}
	}
	e, err := eliminate(ctx, w, near)
	if err != nil {
		return nil, err
	}
	f := &Flow{MPa: make([]float64, n)}
	for a, p := range w.Fixed {
		f.MPa[a] = p
	}
	for range 3 { // the first from zero, then refinement
		w.flows(f)
		d := e.solve(w.residual(f))
		for a := range d {
			f.MPa[a] += d[a]
		}
	}
	w.flows(f)
	most := 0.0
	for _, q := range f.MM3PerS {
		most = max(most, math.Abs(q))
	}
	if most > 0 {
		for a, r := range w.residual(f) {
			if _, ok := w.Fixed[a]; !ok {
				f.Imbalance = max(f.Imbalance, math.Abs(r)/most)
			}
		}
	}
	return f, nil
}

// flows fills tube and terminal flows from the pressures.
func (w *Network) flows(f *Flow) {
	f.MM3PerS, f.Terminal = make([]float64, len(w.Tubes)), make([]float64, w.Nodes)
	for n, t := range w.Tubes {
		f.MM3PerS[n] = (f.MPa[t.A] - f.MPa[t.B]) / t.Resistance
	}
	for a, r := range w.Terminal {
		f.Terminal[a] = (f.MPa[a] - w.TerminalMPa) / r
	}
}

// residual is the net flow into each node.
func (w *Network) residual(f *Flow) []float64 {
	r := make([]float64, w.Nodes)
	for n, t := range w.Tubes {
		r[t.A] -= f.MM3PerS[n]
		r[t.B] += f.MM3PerS[n]
	}
	for a := range r {
		r[a] += w.Inlet[a] - f.Terminal[a]
	}
	return r
}

func (w *Network) validate() error {
	for n, t := range w.Tubes {
		if t.A < 0 || t.A >= w.Nodes || t.B < 0 || t.B >= w.Nodes {
			return fmt.Errorf("vessel: tube %d joins nodes %d and %d of %d", n, t.A, t.B, w.Nodes)
		}
		if !(t.Resistance > 0) {
			return fmt.Errorf("vessel: tube %d has a resistance of %g: it must be positive", n, t.Resistance)
		}
	}
	for name, m := range map[string]map[int]float64{"fixed pressure": w.Fixed, "inlet flow": w.Inlet, "terminal resistance": w.Terminal} {
		for a, x := range m {
			if a < 0 || a >= w.Nodes || math.IsNaN(x) || math.IsInf(x, 0) || name == "terminal resistance" && x <= 0 {
				return fmt.Errorf("vessel: %s %g at node %d of %d", name, x, a, w.Nodes)
			}
		}
	}
	if math.IsNaN(w.TerminalMPa) || math.IsInf(w.TerminalMPa, 0) {
		return fmt.Errorf("vessel: terminal pressure %g MPa", w.TerminalMPa)
	}
	return nil
}
