package needle

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/planner"
	"halsted/planner/rules"

	"gonum.org/v1/gonum/spatial/r3"
)

// probe is an ablation needle with a zone of given diameters.
func probe(along, across float64) *rules.Device {
	mm := func(v float64) rules.Number { return rules.Number{Value: v, Unit: "mm"} }
	return &rules.Device{ID: "probe", Version: "1", Procedure: Name, Name: "Probe", Kind: "ablation", Source: "test", Evidence: "M",
		Numbers: map[string]rules.Number{"length": mm(150), "shaft_diameter": mm(1.8), "zone_along": mm(along), "zone_across": mm(across), "tip_beyond_centre": mm(5)}}
}

// What one burn kills against closed forms.
func TestOneBurnKillsAnEllipsoid(t *testing.T) {
	c := newCase(t, closedSegments(), Config{Condition: "ablation", Device: probe(40, 32), Candidates: 5000, SkinMM: 3})
	tip := r3.Vec{X: 5}
	b := c.burnOf(r3.Vec{X: -44}, tip, c.zone)
	k := c.killed([]burn{b}, 0)
	ball := func(r float64) float64 { return 4 * math.Pi / 3 * r * r * r / 1000 }
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"all", k.all, 4 * math.Pi / 3 * 20 * 16 * 16 / 1000},
		{"tumour", k.tumour, ball(tumourRadius)},
		{"organ", k.organ, 4*math.Pi/3*20*16*16/1000 - ball(tumourRadius)},
	} {
		if math.Abs(v.got-v.want) > 0.03*v.want {
			t.Errorf("%s: %.3f ml, in closed form %.3f ml", v.name, v.got, v.want)
		}
	}
	// distances from a mask are up to half a voxel too small, so that the margin
	// is as much too wide
	if low, high := ball(tumourRadius+ablationMarginMM), ball(tumourRadius+ablationMarginMM+halfDiagonal(c.Grid)); k.wanted < low || k.wanted > high || k.covered != k.wanted {
		t.Errorf("%.3f of %.3f ml with the margin are covered, want all of %.3f to %.3f ml", k.covered, k.wanted, low, high)
	}
	// a burn that misses
	k = c.killed([]burn{{c.zone, r3.Vec{X: 25}, r3.Vec{X: 1}}}, 0)
	if k.covered >= k.wanted/2 || k.covered <= 0 {
		t.Errorf("a burn 25 mm off covers %.2f of %.2f ml", k.covered, k.wanted)
	}
}

// Mean burns of microwave in patients are 27.6 mm wide (Suwa 2020): with 5 mm
// all round that is enough for a tumour of 17 mm, which is the mean size that
// the paper treated (17.2 ± 4.9 mm).
func TestMeanBurnInPatientsCoversMeanTumour(t *testing.T) {
	all, err := rules.Devices(Name)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := rules.FindDevice(all, "mwa.patients@2026.1")
	if err != nil {
		t.Fatal(err)
	}
	_, _, beyond, z, err := readDevice(dev, "ablation")
	if err != nil {
		t.Fatal(err)
	}
	if d := 2*z.across - 2*ablationMarginMM; math.Abs(d-17.6) > 1e-9 || beyond <= 0 {
		t.Errorf("one mean burn with its margin is enough for %.1f mm, want 17.6 mm", d)
	}
}

// Six caps of half angle θ cover a sphere when θ ≥ 54.74° (the octahedron), and
// five when θ ≥ 63.43° (Fejes Tóth, Lagerungen in der Ebene, § V.13; Dodd et
// al., AJR 177 (2001) 777, use six overlapping burns): with burns of radius
// 0.85 R the exact search finds six, and proves that five of those tried do not
// do.
func TestCoverOfABallByEqualBalls(t *testing.T) {
	const R, r = 20.0, 0.85 * 20.0
	var want []r3.Vec
	for z := -R; z <= R; z += 2 {
		for y := -R; y <= R; y += 2 {
			for x := -R; x <= R; x += 2 {
				if p := (r3.Vec{X: x, Y: y, Z: z}); r3.Norm(p) <= R {
					want = append(want, p)
				}
			}
		}
	}
	for n := range 600 { // the surface, a Fibonacci lattice
		z := 1 - 2*(float64(n)+0.5)/600
		s, c := math.Sincos(2 * math.Pi * float64(n) * (math.Sqrt(5) - 1) / 2)
		q := math.Sqrt(1 - z*z)
		want = append(want, r3.Vec{X: R * q * c, Y: R * q * s, Z: R * z})
	}
	centre := R * math.Cos(54.7356*math.Pi/180)
	var at []r3.Vec
	for _, u := range []r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		at = append(at, r3.Scale(centre, u), r3.Scale(-centre, u))
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 14 {
		at = append(at, r3.Scale(centre, r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})))
	}
	sets := make([]set, len(at))
	whole := newSet(len(want))
	for n, p := range at {
		sets[n] = newSet(len(want))
		for m, q := range want {
			whole.add(m)
			if dist(p, q) <= r {
				sets[n].add(m)
			}
		}
	}
	got, proved, err := smaller(context.Background(), sets, whole, 8)
	if err != nil || !proved || len(got) != 6 {
		t.Fatalf("%v, proved %v, %v: want a proved cover by six", got, proved, err)
	}
	if g := greedy(sets, len(want)); len(g) < 6 {
		t.Errorf("greedy has %d", len(g))
	}
}

// The exact search against all subsets.
func TestSmallestCoverIsThatOfAllSubsets(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 8))
		const universe, n = 90, 10
		sets := make([]set, n)
		all := newSet(universe)
		for i := range sets {
			sets[i] = newSet(universe)
			for m := range universe {
				if rng.Float64() < 0.35 {
					sets[i].add(m)
				}
			}
			all.join(sets[i])
		}
		fewest := n
		for mask := 1; mask < 1<<n; mask++ {
			have, k := newSet(universe), 0
			for i := range sets {
				if mask>>i&1 != 0 {
					have.join(sets[i])
					k++
				}
			}
			if k < fewest && have.gain(all) == 0 {
				fewest = k
			}
		}
		got, proved, err := smaller(context.Background(), sets, all, n)
		if err != nil || !proved || len(got) != fewest {
			t.Fatalf("seed %d: %d sets, proved %v, %v; of all subsets %d", seed, len(got), proved, err, fewest)
		}
		if got, proved, _ := smaller(context.Background(), sets, all, fewest-1); got != nil || !proved {
			t.Fatalf("seed %d: a cover by %d", seed, len(got))
		}
	}
}

// A tumour too large for one burn gets several; together they cover it, and
// what Simulate counts is what the search promised.
func TestAblationOfALargeTumour(t *testing.T) {
	c := newCase(t, closedSegments(), Config{Condition: "ablation", Device: probe(26, 22), Candidates: 20000, SkinMM: 2})
	var plans []planner.Candidate
	if err := c.Generate(context.Background(), 1, func(k planner.Candidate) error { plans = append(plans, k); return nil }); err != nil {
		t.Fatal(err)
	}
	full := 0
	for _, k := range plans {
		o, err := c.Simulate(context.Background(), k.Plan, planner.L0, nil)
		if err != nil {
			t.Fatal(err)
		}
		cov, _ := o.Value("coverage_percent")
		if len(k.Plan.Needles) == 1 {
			if want := 100 * 26 * 22 * 22 / 17576.0; cov.V > want*1.05 { // of a ball of 26 mm
				t.Errorf("one burn of 26 × 22 mm covers %.1f %% of a ball of 26 mm, more than its volume, %.1f %%", cov.V, want)
			}
			continue
		}
		if cov.V == 100 {
			full++
		}
		if math.Abs(cov.V-k.Scores[0].Value) > 0.3 {
			t.Errorf("%s: covers %.2f %%, the search said %.2f %%", k.Plan.Name, cov.V, k.Scores[0].Value)
		}
		pack, err := rules.Shipped(Name)
		if err != nil {
			t.Fatal(err)
		}
		e := evaluation(c, k.Plan, o)
		if _, err := pack.Check(&e, "ablation"); err != nil {
			t.Fatal(err)
		}
		if cov.V == 100 && len(e.Vetoes) > 0 {
			t.Errorf("%s is vetoed: %v", k.Plan.Name, e.Vetoes)
		}
	}
	if full == 0 {
		t.Error("no plan covers the tumour with its margin")
	}
}

// evaluation is an outcome as the rules see it.
func evaluation(c *Case, p planner.Plan, o *planner.Outcome) planner.Evaluation {
	e := planner.Evaluation{Plan: p.ID}
	for _, out := range c.Outputs() {
		if v, ok := o.Value(out.ID); ok {
			e.Quantities = append(e.Quantities, planner.Quantity{ID: out.ID, Label: out.Label, Unit: out.Unit, Value: v.V, Evidence: out.Evidence, Solution: v.Solution, Basis: "one run"})
		}
	}
	return e
}

func TestHeatSinkIsTheDistanceOfTheVessel(t *testing.T) {
	c := newCase(t, closedSegments(), Config{Condition: "ablation", Device: probe(26, 22), Candidates: 5000, SkinMM: 3})
	// the tube's wall lies 20.3 mm from the axis, less the tumour's radius
	want := math.Hypot(12, 20) - 3 - tumourRadius
	if math.Abs(c.sinkMM-min(want, sinkBandMM)) > halfDiagonal(c.Grid)+0.5 {
		t.Errorf("vessel %.1f mm from the tumour, in closed form %.1f mm", c.sinkMM, want)
	}
}

func TestRowOfABurnIsThatOfAllItsPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	v := func(s float64) r3.Vec {
		return r3.Vec{X: s * rng.NormFloat64(), Y: s * rng.NormFloat64(), Z: s * rng.NormFloat64()}
	}
	for range 3000 {
		b := burn{zone{5 + 10*rng.Float64(), 3 + 10*rng.Float64()}, v(4), r3.Unit(v(1))}
		step := r3.Scale(0.5+rng.Float64(), r3.Unit(v(1)))
		from := r3.Add(v(8), r3.Scale(-20, step))
		dead := make([]bool, 40)
		b.row(dead, from, step)
		for i, d := range dead {
			if want := b.holds(r3.Add(from, r3.Scale(float64(i), step))); d != want {
				t.Fatalf("%+v: point %d is %v, want %v", b, i, d, want)
			}
		}
	}
}
