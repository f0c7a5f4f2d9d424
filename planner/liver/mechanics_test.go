package liver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"halsted/fem"
	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// medians is the sample with every input at its median.
func medians(t testing.TB) MechanicalSample {
	t.Helper()
	x, err := NewMechanicalSample(nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// body meshes plan p on the ball with about n degrees of freedom.
func body(t testing.TB, a *Anatomy, p planner.Plan, level planner.Level, n int) *discretised {
	t.Helper()
	r, err := a.Resect(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.discretise(context.Background(), r, level, n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func solved(t testing.TB, d *discretised, x MechanicalSample) *solution {
	t.Helper()
	s, err := d.solve(context.Background(), x, nil, coldSteps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pulled is the ball cut at x mm and lifted by pull mm.
func pulled(x, pull float64) planner.Plan {
	p := planeAt(x)
	p.RetractionMM = pull
	return p.Sealed()
}

// outputs indexes the values of a solution.
func outputs() map[string]int {
	at := map[string]int{}
	for i, o := range MechanicalOutputs() {
		at[o.ID] = i
	}
	return at
}

func ExampleAnatomy_Mechanics() {
	a, err := NewAnatomy(context.Background(), ball([3]float64{2, 2, 2}))
	if err != nil {
		panic(err)
	}
	p := planner.Plan{Name: "not pulled", Cuts: []planner.Plane{{Point: r3.Vec{X: 10}, Normal: r3.Vec{X: 1}}}}.Sealed()
	x, _ := NewMechanicalSample(nil)
	v, _, err := a.Mechanics(context.Background(), p, planner.L1, x)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %g mm, %s %g N\n", v[0].ID, v[0].V, v[1].ID, v[1].V)
	// Output: displacement_mm 0 mm, reaction_n 0 N
}

func TestMechanicalMeshIsTheOrganWithItsCut(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 2})
	d := body(t, a, pulled(10, 20), planner.L2, 8000)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if v := d.VolumeMM3(imaging.Label.InOrgan) + d.VolumeMM3(func(l imaging.Label) bool { return l == regionResected }); math.Abs(v/1000/a.OrganML-1) > 0.02 {
		t.Errorf("the mesh has %.1f ml, the organ %.1f ml", v/1000, a.OrganML)
	}
	want := math.Pi * (organMM*organMM - 100)
	if math.Abs(d.cutMM2/want-1) > 0.05 {
		t.Errorf("cut of %.0f mm², a disc of %.0f", d.cutMM2, want)
	}
	if share := d.openMM2 / d.cutMM2; share < 0.35 || share > 0.5 {
		t.Errorf("%.2f of the cut is open", share)
	}
	if len(d.openPairs) == 0 || len(d.rim) == 0 {
		t.Fatalf("%d pairs, %d nodes on the rim", len(d.openPairs), len(d.rim))
	}
	side := make([]uint8, len(d.Nodes))
	for e, l := range d.Region {
		bit := uint8(1)
		if resectedRegion(l) {
			bit = 2
		}
		for _, n := range d.Tets[e] {
			side[n] |= bit
		}
		for _, n := range d.Mid[e] {
			side[n] |= bit
		}
	}
	mean := 0.0
	for i, p := range d.openPairs {
		if d.Nodes[p[0]] != d.Nodes[p[1]] {
			t.Fatalf("pair %d stands at %v and %v", i, d.Nodes[p[0]], d.Nodes[p[1]])
		}
		if side[p[0]] != 1 || side[p[1]] != 2 {
			t.Fatalf("pair %d belongs to sides %d and %d", i, side[p[0]], side[p[1]])
		}
		mean += d.openNormal[i].X / float64(len(d.openPairs))
	}
	if mean < 0.85 { // the rim is rounded
		t.Errorf("the normals of the pairs have a mean of %.2f along x", mean)
	}
	if _, parts := d.Parts(); parts != 1 {
		t.Errorf("the mesh has %d parts", parts)
	}
	if got := d.dof(); got < 8000 || got > 10000 {
		t.Errorf("%d degrees of freedom, want 8000 and a little more", got)
	}
}

func TestNothingMovesWithoutPullAndGravity(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	r, err := a.Resect(context.Background(), pulled(10, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []planner.Level{planner.L1, planner.L2} {
		m, err := a.prepare(context.Background(), r, level, []int{1500, 3000}, 1)
		if err != nil {
			t.Fatal(err)
		}
		x := medians(t)
		v, err := m.Sample(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range v {
			want := 0.0
			if q.ID == outputTearMargin {
				want = 100 * x.FailureStrain
			}
			if q.V != want || q.Solution.MeshError != 0 {
				t.Errorf("%v: %s is %g ± %g", level, q.ID, q.V, q.Solution.MeshError)
			}
		}
	}
}

// With every stiffness doubled, displacements stay and forces double.
func TestForceGoesWithStiffness(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	for _, level := range []planner.Level{planner.L1, planner.L2} {
		d := body(t, a, pulled(10, 15), level, 2500)
		x := medians(t)
		one := solved(t, d, x).values
		stiff := *d
		stiff.tissue.veinMPa *= 2
		x.ShearKPa *= 2
		x.CapsuleMPa *= 2
		x.SupportKPaPerMM *= 2
		two := solved(t, &stiff, x).values
		at := outputs()
		for id, factor := range map[string]float64{outputDisplacement: 1, outputStrain: 1, outputTumourShift: 1, outputCutOpening: 1, outputReaction: 2, outputStress: 2, outputReactionAfter: 2} {
			if p, q := one[at[id]], two[at[id]]; math.Abs(q-factor*p) > 0.01*factor*p+1e-6 {
				t.Errorf("%v: %s is %g, and %g with twice the stiffness; want a factor of %g", level, id, p, q, factor)
			}
		}
		if one[at[outputReaction]] <= 0 || one[at[outputDisplacement]] < 15-1e-9 {
			t.Errorf("%v: %v", level, one)
		}
	}
}

// Moved to another place, a case gives the same numbers.
func TestMechanicsOfAMovedCase(t *testing.T) {
	s := ball([3]float64{2, 2, 2})
	move := r3.Vec{X: 128, Y: -64, Z: 256} // exact in floating point
	far := &imaging.Segments{Grid: s.Grid, Of: s.Of, Bits: s.Bits}
	far.Grid.Origin = r3.Add(s.Grid.Origin, move)
	var got [2][]float64
	for i, segs := range []*imaging.Segments{s, far} {
		a, err := NewAnatomy(context.Background(), segs)
		if err != nil {
			t.Fatal(err)
		}
		p := pulled(10, 15)
		if i == 1 {
			p.Cuts[0].Point = r3.Add(p.Cuts[0].Point, move)
		}
		got[i] = solved(t, body(t, a, p.Sealed(), planner.L2, 2500), medians(t)).values
	}
	for i, v := range got[0] {
		if math.Abs(v-got[1][i]) > 2e-3*math.Abs(v)+1e-6 {
			t.Errorf("%s: %g here, %g there", MechanicalOutputs()[i].ID, v, got[1][i])
		}
	}
}

func TestMechanicsHaveTheSameBitsForAnyCoreCount(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	r, err := a.Resect(context.Background(), pulled(10, 15))
	if err != nil {
		t.Fatal(err)
	}
	x := medians(t)
	x.ShearKPa *= 1.2
	var want []planner.Value
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		m, err := a.prepare(context.Background(), r, planner.L2, []int{1500, 2500}, 0)
		var v []planner.Value
		if err == nil {
			v, err = m.Sample(context.Background(), x)
		}
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = v
		}
		for i := range v {
			if v[i].V != want[i].V || *v[i].Solution != *want[i].Solution {
				t.Errorf("GOMAXPROCS %d: %s is %v, %v before", procs, v[i].ID, v[i].V, want[i].V)
			}
		}
	}
}

// A prepared plan gives the same bits to several goroutines at once, in any
// order, as to one.
func TestSamplesShareAPlan(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	r, err := a.Resect(context.Background(), pulled(10, 15))
	if err != nil {
		t.Fatal(err)
	}
	var samples []MechanicalSample
	for i, b := range []Boundary{BoundaryFixed, BoundaryMobilised, BoundaryLigaments, BoundaryMobilised} {
		x := medians(t)
		x.ShearKPa *= 1 + 0.2*float64(i)
		x.Boundary = b
		samples = append(samples, x)
	}
	prepare := func() *Mechanics {
		m, err := a.prepare(context.Background(), r, planner.L2, []int{1500, 2500}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m, one := prepare(), prepare()
	got := make([][]planner.Value, len(samples))
	var wg sync.WaitGroup
	for i, x := range samples {
		wg.Go(func() { got[i], _ = m.Sample(context.Background(), x) })
	}
	wg.Wait()
	for i := len(samples) - 1; i >= 0; i-- {
		want, err := one.Sample(context.Background(), samples[i])
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got[i], want, func(x, y planner.Value) bool { return x.ID == y.ID && x.V == y.V && *x.Solution == *y.Solution }) {
			t.Errorf("sample %d: %v at once, %v alone", i, got[i], want)
		}
	}
}

// What the beds and the grasp exert balances the change of gravity: ΣR + Σk·u +
// m·Δg = 0. The integral of a quadratic function over a straight triangle is its
// area times the mean of the mid-edge values.
func TestReactionsBalanceGravity(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	p := pulled(10, 10)
	p.GravityG = r3.Vec{X: 0.3, Z: -0.5}
	d := body(t, a, p.Sealed(), planner.L2, 1800)
	x := medians(t)
	x.Boundary = BoundaryLigaments
	m, err := d.model(x)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range m.Stages {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{stageGravity, stageRetract, stageCut, stageRelax}) {
		t.Fatalf("stages %v", names)
	}
	weight := func(keep func(imaging.Label) bool) r3.Vec {
		mass := 0.0
		for _, r := range m.Regions {
			mass += r.DensityTPerMM3 * d.VolumeMM3(func(l imaging.Label) bool { return l == r.Label && keep(l) })
		}
		return r3.Scale(mass*standardG, p.GravityG)
	}
	_, err = fem.Solve(context.Background(), m, fem.Settings{ResidualTol: 1e-6}, func(f *fem.Frame) error {
		if f.Step == 0 {
			return nil
		}
		var sum r3.Vec
		for _, q := range f.ReactionN {
			sum = r3.Add(sum, q)
		}
		for _, b := range m.Foundations {
			for _, face := range b.Faces {
				i := slices.Index(d.skin, face)
				if f.Stage == 3 && resectedRegion(d.Region[d.skinTet[i]]) {
					continue
				}
				n := d.faceNodes(i)
				mean := r3.Scale(1.0/3, r3.Add(f.U[n[3]], r3.Add(f.U[n[4]], f.U[n[5]])))
				area := d.skinFaces()[i]
				along := r3.Scale(r3.Dot(mean, area.normal), area.normal)
				pull := r3.Add(r3.Scale(b.NormalMPaPerMM, along), r3.Scale(b.TangentMPaPerMM, r3.Sub(mean, along)))
				sum = r3.Sub(sum, r3.Scale(area.area, pull))
			}
		}
		for _, s := range m.Springs {
			v := f.U[s.Nodes[0]]
			if s.Name != "" || f.Stage == 3 && !d.stays[s.Nodes[0]] || v == (r3.Vec{}) {
				continue
			}
			l, c := r3.Norm(v), s.Curve // the first piece is straight through 0
			force := c[1].ForceN * l / c[1].ElongationMM
			if l > c[1].ElongationMM {
				force = min(c[2].ForceN, c[1].ForceN+(c[2].ForceN-c[1].ForceN)*(l-c[1].ElongationMM)/(c[2].ElongationMM-c[1].ElongationMM))
			}
			sum = r3.Sub(sum, r3.Scale(force/l, v))
		}
		g := weight(func(l imaging.Label) bool { return f.Stage < 3 || !resectedRegion(l) })
		if off := r3.Norm(r3.Add(sum, g)); off > 2e-3*r3.Norm(g) {
			t.Errorf("stage %s: %g N of %g N are not balanced", m.Stages[f.Stage].Name, off, r3.Norm(g))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v := solved(t, d, x).values
	if r := v[outputs()[outputRelaxed]]; !(r > 0.01) {
		t.Errorf("in another gravity the remnant moves by %g mm", r)
	}
}

// On finer meshes displacements come to rest; the force depends on the faces that
// make up the two patches and keeps moving by up to a fifth.
func TestFinerMeshes(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 2})
	at := outputs()
	var v [3][]float64
	for i, n := range []int{2500, 6000, 12000} {
		v[i] = solved(t, body(t, a, pulled(10, 15), planner.L2, n), medians(t)).values
	}
	for id, tol := range map[string]float64{outputDisplacement: 0.02, outputTumourShift: 0.05, outputReaction: 0.2, outputStress: 0.2} {
		x, y, z := v[0][at[id]], v[1][at[id]], v[2][at[id]]
		t.Logf("%s: %.4g, %.4g, %.4g", id, x, y, z)
		if math.Abs(z-y) > tol*z {
			t.Errorf("%s: %g, %g, %g on finer meshes", id, x, y, z)
		}
	}
}

func TestL1RanksAsL2(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	at := outputs()
	one := solved(t, body(t, a, pulled(10, 15), planner.L1, 2000), medians(t)).values
	two := solved(t, body(t, a, pulled(10, 15), planner.L2, 6000), medians(t)).values
	for _, id := range []string{outputDisplacement, outputTumourShift} {
		if p, q := one[at[id]], two[at[id]]; math.Abs(p-q) > 0.15*q {
			t.Errorf("%s: %g at L1, %g at L2", id, p, q)
		}
	}
}

// A load that no tissue bears ends in the solver's own error: twice gravity on a
// liver of a tenth of a pascal.
func TestASampleThatCannotBeSolvedSaysSo(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	p := pulled(10, 0)
	p.GravityG = r3.Vec{Z: -2}
	d := body(t, a, p.Sealed(), planner.L2, 2000)
	x := medians(t)
	x.ShearKPa, x.CapsuleMPa = 1e-4, 1e-6
	_, err := d.solve(context.Background(), x, nil, 1)
	if _, ok := errors.AsType[*fem.NotConvergedError](err); !ok {
		t.Errorf("twice gravity on next to nothing: %v", err)
	}
}

func TestMechanicsEndWithTheirContext(t *testing.T) {
	a := anatomy(t, [3]float64{2, 2, 2})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := a.PrepareMechanics(ctx, pulled(10, 15), planner.L2, MeshChosen)
		done <- err
	}()
	time.Sleep(100 * time.Millisecond)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("goes on after it was cancelled")
	}
}

// The manual masks of 3D-IRCADb-01 patient 17: the mechanics of a plane through
// the liver on two meshes.
func TestMechanicsOfARealLiver(t *testing.T) {
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		if os.Getenv("HALSTED_REQUIRE_PEERS") != "" {
			t.Fatal("HALSTED_DATA is not set")
		}
		t.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(root, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	v, err := nifti.ReadVolume(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nifti.ReadSegments(path, v.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAnatomy(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	c := a.Tumours[0].Centre
	p := planner.Plan{Name: "right", Cuts: []planner.Plane{{Point: r3.Add(c, r3.Vec{X: 40}), Normal: r3.Vec{X: -1}}}, RetractionMM: 30}.Sealed()
	r, err := a.Resect(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.prepare(context.Background(), r, planner.L2, []int{startDOF, 6000, rankingDOF}, 2)
	if err != nil {
		t.Fatal(err)
	}
	x := medians(t)
	x.ShearKPa *= 1.3
	got, err := m.Sample(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range got {
		t.Logf("%s %.3g, gap %.2g", q.ID, q.V, q.Solution.MeshError)
		if math.IsNaN(q.V) || math.IsInf(q.V, 0) || !(q.Solution.Residual <= mechanicalTol) {
			t.Errorf("%s is %g, residual %g", q.ID, q.V, q.Solution.Residual)
		}
		switch q.ID {
		case outputDisplacement:
			if q.V < 29.9 || q.V > 60 {
				t.Errorf("a pull of 30 mm moves the liver by up to %g mm", q.V)
			}
		case outputTumourShift:
			if q.V < 1 || q.Solution.MeshError > 0.15*q.V {
				t.Errorf("tumours move by %g ± %g mm", q.V, q.Solution.MeshError)
			}
		}
	}
}

func TestMechanicalInputsAndOutputs(t *testing.T) {
	in := MechanicalInputs()
	if len(in) != mechanicalInputs {
		t.Fatalf("%d inputs", len(in))
	}
	ids := map[string]bool{}
	for _, p := range in {
		if ids[p.ID] || p.Source == "" || p.Unit == "" || p.Spread.String() == "" {
			t.Errorf("input %+v", p)
		}
		ids[p.ID] = true
		last := math.Inf(-1)
		for _, q := range []float64{1e-6, 0.025, 0.3, 0.5, 0.7, 0.975, 1 - 1e-6} {
			v := p.Spread.Quantile(q)
			if !(v >= last) || p.ID != inputBoundary && !(v > 0) {
				t.Errorf("%s: quantile %g is %g after %g", p.ID, q, v, last)
			}
			last = v
		}
	}
	x := medians(t)
	if math.Abs(x.ShearKPa-0.9) > 1e-12 || math.Abs(x.TumourRatio-4.4) > 1e-12 || x.FailureStrain < 0.24 || x.FailureStrain > 0.34 || x.Boundary != BoundaryMobilised {
		t.Errorf("medians %+v", x)
	}
	// mean and standard deviation of the capsule's modulus (Umale et al. 2011)
	c := positiveNormal(8.22, 3.42)
	s := c.SDLog
	if mean := c.Median * math.Exp(s*s/2); math.Abs(mean-8.22) > 1e-9 || math.Abs(mean*math.Sqrt(math.Exp(s*s)-1)-3.42) > 1e-9 {
		t.Errorf("capsule: %v", c)
	}
	for _, bad := range [][]float64{{1}, {0, 1, 1, 1, 1, 0}, {1, 1, 1, 1, math.NaN(), 0}, {1, 1, 1, 1, 1, 3}, {1, 1, 1, math.Inf(1), 1, 0}, {1, 1, 1, 1, 1, math.NaN()}} {
		if _, err := NewMechanicalSample(bad); err == nil {
			t.Errorf("sample %v is taken", bad)
		}
	}
	seen := map[string]bool{}
	level := planner.L1
	for _, o := range MechanicalOutputs() {
		if seen[o.ID] || o.Unit == "" || o.Level < level {
			t.Errorf("output %+v", o)
		}
		seen[o.ID], level = true, o.Level
		for _, id := range o.Inputs {
			if !ids[id] {
				t.Errorf("%s depends on %s, which is no input", o.ID, id)
			}
		}
	}
}
