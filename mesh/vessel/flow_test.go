package vessel

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func agree(a, b, tol float64) bool { return math.Abs(a-b) <= tol*max(math.Abs(a), math.Abs(b), 1e-300) }

// TestPoiseuille: the straight tube, the tapering tube and the symmetric tree in
// closed form.
func TestPoiseuille(t *testing.T) {
	ctx := context.Background()
	tube := &Tree{Branches: []Branch{twig(-1, r3.Vec{}, r3.Vec{Z: 40}, 3)}}
	tube.SetOrders()
	dp := 10 * MPaPerMmHg
	q, _, _, err := tube.Perfuse(ctx, Blood{RootMPa: dp})
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Pi * 81 * dp / (8 * BloodViscosityMPaS * 40); !agree(q[0], want, 1e-12) {
		t.Errorf("straight tube %g, want %g mm³/s", q[0], want)
	}
	// Radius a to b over L: ∫ dx/r⁴ = L (a² + ab + b²)/(3 a³ b³).
	taper := Branch{Parent: -1}
	for k := range 11 {
		taper.Points = append(taper.Points, r3.Vec{X: float64(k)})
		taper.RadiusMM = append(taper.RadiusMM, 2-0.1*float64(k))
	}
	if got, want := taper.Resistance(1), 8/math.Pi*10*(4+2+1)/(3*8*1.0); !agree(got, want, 1e-12) {
		t.Errorf("taper %g, want %g", got, want)
	}
	// Six generations of symmetric halving: the flow of generation g is Q/2^g and
	// the resistances add up to Σ R_g/2^g.
	tree, want := &Tree{}, 0.0
	for n := range 63 {
		g := int(math.Log2(float64(n + 1)))
		b := twig((n+1)/2-1, r3.Vec{X: float64(n)}, r3.Vec{X: float64(n), Y: 10}, 4*math.Pow(2, -float64(g)/3))
		if n == 0 {
			b.Parent = -1
		}
		tree.Branches = append(tree.Branches, b)
		if n == 1<<g-1 {
			want += b.Resistance(BloodViscosityMPaS) / math.Pow(2, float64(g))
		}
	}
	tree.SetOrders()
	q, start, end, err := tree.Perfuse(ctx, Blood{InflowMM3PerS: 25000})
	if err != nil {
		t.Fatal(err)
	}
	for n := range q {
		if g := tree.Branches[n].Generation; !agree(q[n], 25000/math.Pow(2, float64(g)), 1e-12) {
			t.Errorf("branch %d: %g mm³/s", n, q[n])
		}
	}
	if !agree(start[0], 25000*want, 1e-12) || end[62] != 0 {
		t.Errorf("root pressure %g, want %g MPa", start[0], 25000*want)
	}
	// Closing a branch stops its subtree and sends its flow elsewhere.
	q, _, _, err = tree.Perfuse(ctx, Blood{InflowMM3PerS: 25000, Cut: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range tree.Subtree(1) {
		if q[n] != 0 {
			t.Errorf("closed branch %d carries %g", n, q[n])
		}
	}
	if !agree(q[2], 25000, 1e-12) {
		t.Errorf("the open half carries %g", q[2])
	}
}

// TestNetworkLoops: Wheatstone's bridge, in balance and out of it, and the
// balance of mass in a dense random net.
func TestNetworkLoops(t *testing.T) {
	ctx := context.Background()
	w := &Network{Nodes: 4, Fixed: map[int]float64{0: 1, 3: 0}, Tubes: []Tube{{0, 1, 2}, {0, 2, 4}, {1, 3, 3}, {2, 3, 6}, {1, 2, 5}}}
	f, err := w.Solve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.MM3PerS[4]) > 1e-15 || !agree(f.MM3PerS[0], 0.2, 1e-12) {
		t.Errorf("bridge: %v", f.MM3PerS)
	}
	w = &Network{Nodes: 60, Inlet: map[int]float64{0: 7}, Terminal: map[int]float64{}, TerminalMPa: 0.3}
	for a := range 60 {
		for b := a + 1; b < 60; b += 1 + a%5 {
			w.Tubes = append(w.Tubes, Tube{a, b, 0.1 + math.Pow(float64((a*7+b*13)%17), 3)})
		}
		if a > 40 {
			w.Terminal[a] = float64(a)
		}
	}
	if f, err = w.Solve(ctx); err != nil || f.Imbalance > 1e-12 {
		t.Errorf("imbalance %g, %v", f.Imbalance, err)
	}
	out := 0.0
	for _, q := range f.Terminal {
		out += q
	}
	if !agree(out, 7, 1e-12) {
		t.Errorf("%g leaves of 7", out)
	}
	w = &Network{Nodes: 3, Inlet: map[int]float64{0: 1}, Tubes: []Tube{{0, 1, 1}}, Fixed: map[int]float64{2: 0}}
	if _, err := w.Solve(ctx); !errors.Is(err, ErrFloating) {
		t.Errorf("no outlet: %v", err)
	}
	w.Tubes[0].Resistance = math.NaN()
	if _, err := w.Solve(ctx); err == nil {
		t.Error("NaN resistance: no error")
	}
}
