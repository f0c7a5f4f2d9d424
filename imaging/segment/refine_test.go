package segment_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// bump is a ball of radius 30 mm and 100 HU in tissue of 40 HU, and masks of it
// that lack a cap on the left and have a surplus lump on the right.
func bump(noise float64) (v *imaging.Volume, wrong, truth *imaging.Segments) {
	g := imaging.NewGrid([3]int{80, 80, 60}, r3.Vec{X: -50, Y: -50, Z: -45}, [3]float64{1.25, 1.25, 1.5})
	v = imaging.NewVolume(g, imaging.KindHU)
	truth = imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelBone)
	wrong = imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelBone)
	rng := rand.New(rand.NewPCG(3, 3))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		hu := 40.0
		if ellipsoid(p, r3.Vec{}, r3.Vec{X: 46, Y: 46, Z: 200}) {
			truth.Bits[n] |= 1
		} else {
			hu = -1000
		}
		ball := r3.Norm(p) < 30
		if ball {
			truth.Bits[n] |= 2
			hu = 100
		}
		wrong.Bits[n] = truth.Bits[n] &^ 2
		if ball && p.X < 16 || r3.Norm(r3.Sub(p, r3.Vec{X: -30})) < 9 {
			wrong.Bits[n] |= 2
		}
		if k < 4 {
			truth.Bits[n] |= 4
			wrong.Bits[n] |= 4
		}
		v.Data[n] = int16(math.Round(hu + noise*rng.NormFloat64()))
	}
	return v, wrong, truth
}

var inCap, inLump = r3.Vec{X: 23}, r3.Vec{X: -34}

func bitAt(s *imaging.Segments, l imaging.Label, p r3.Vec) bool {
	x, y, z := s.Grid.Voxel(p)
	return s.Bits[s.Grid.Index(int(math.Round(x)), int(math.Round(y)), int(math.Round(z)))]&s.Bit(l) != 0
}

// One click inside and one outside mend a missing cap and a surplus lump, with
// the noise of a scan.
func TestRefineMendsCapAndLump(t *testing.T) {
	v, s, truth := bump(12)
	before := slices.Clone(s.Bits)
	p, did, err := segment.Refine(t.Context(), v, s, segment.Refinement{Label: imaging.LabelLiver, Inside: []r3.Vec{inCap}, Outside: []r3.Vec{inLump}})
	if err != nil {
		t.Fatal(err)
	}
	was := imaging.Segments{Grid: s.Grid, Bits: before, Of: s.Of}
	t.Logf("Dice %.4f to %.4f, %+v", dice(&was, truth, imaging.LabelLiver), dice(s, truth, imaging.LabelLiver), did)
	if d := dice(s, truth, imaging.LabelLiver); d < 0.98 {
		t.Errorf("Dice %.3f after two clicks", d)
	}
	for n, b := range s.Bits {
		i, j, k := s.Grid.IJK(n)
		if b&^2 != before[n]&^2 {
			t.Fatalf("voxel %d: another structure changed", n)
		}
		if inBox := i >= p.Box.Lo[0] && i < p.Box.Hi[0] && j >= p.Box.Lo[1] && j < p.Box.Hi[1] && k >= p.Box.Lo[2] && k < p.Box.Hi[2]; b != before[n] && !inBox {
			t.Fatalf("voxel %d changed outside the box %v", n, p.Box)
		}
	}
	p.Revert(s)
	if !slices.Equal(s.Bits, before) {
		t.Error("reverting does not restore the masks")
	}
}

// Wherever the points lie and however they contradict the image: they are as
// asked afterwards, and nothing beyond the reach has changed. A point that
// agrees changes nothing. Any number of cores gives the same bits.
func TestRefineKeepsItsWord(t *testing.T) {
	v, s, _ := bump(12)
	before := slices.Clone(s.Bits)
	rng := rand.New(rand.NewPCG(11, 5))
	point := func() r3.Vec {
		return r3.Vec{X: 64*rng.Float64() - 32, Y: 64*rng.Float64() - 32, Z: 80*rng.Float64() - 40}
	}
	for trial := range 12 {
		copy(s.Bits, before)
		r := segment.Refinement{Label: imaging.LabelLiver, ReachMM: []float64{2, 5, 12, 30}[trial%4]}
		for range 1 + trial%3 {
			r.Inside, r.Outside = append(r.Inside, point()), append(r.Outside, point())
		}
		p, _, err := segment.Refine(t.Context(), v, s, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range r.Inside {
			if !bitAt(s, imaging.LabelLiver, q) {
				t.Errorf("trial %d: inside point %v is outside", trial, q)
			}
		}
		for _, q := range r.Outside {
			if bitAt(s, imaging.LabelLiver, q) {
				t.Errorf("trial %d: outside point %v is inside", trial, q)
			}
		}
		for n := range s.Bits {
			if s.Bits[n] == before[n] {
				continue
			}
			i, j, k := s.Grid.IJK(n)
			at, near := s.Grid.Point(float64(i), float64(j), float64(k)), math.Inf(1)
			for _, q := range append(r.Inside, r.Outside...) {
				near = min(near, r3.Norm(r3.Sub(at, q)))
			}
			if near > r.ReachMM {
				t.Fatalf("trial %d: voxel %d, %.1f mm from every point, changed; the reach is %g", trial, n, near, r.ReachMM)
			}
		}
		after := slices.Clone(s.Bits)
		if q, _, err := segment.Refine(t.Context(), v, s, r); err != nil || q.Voxels != 0 {
			t.Errorf("trial %d: the same points again change %d voxels: %v", trial, q.Voxels, err)
		}
		p.Revert(s)
		old := runtime.GOMAXPROCS(1 + trial%3*3)
		_, _, err = segment.Refine(t.Context(), v, s, r)
		runtime.GOMAXPROCS(old)
		if err != nil || !slices.Equal(s.Bits, after) {
			t.Errorf("trial %d: another number of cores gives other bits: %v", trial, err)
		}
	}
}

// An oblique grid stored in another order of axes is mended alike.
func TestRefineOnAnObliqueGrid(t *testing.T) {
	v, s, truth := bump(8)
	c, sn := math.Cos(0.4), math.Sin(0.4)
	turn := func(p r3.Vec) r3.Vec { return r3.Vec{X: c*p.X - sn*p.Y, Y: sn*p.X + c*p.Y, Z: -p.Z} }
	g := s.Grid
	g.Origin = turn(g.Origin)
	for a := range g.Axes {
		g.Axes[a] = turn(g.Axes[a])
	}
	v.Grid, s.Grid, truth.Grid = g, g, g
	if _, _, err := segment.Refine(t.Context(), v, s, segment.Refinement{Label: imaging.LabelLiver, Inside: []r3.Vec{turn(inCap)}, Outside: []r3.Vec{turn(inLump)}}); err != nil {
		t.Fatal(err)
	}
	if d := dice(s, truth, imaging.LabelLiver); d < 0.98 {
		t.Errorf("Dice %.3f", d)
	}
}

func TestRefineRefusals(t *testing.T) {
	v, s, _ := bump(5)
	before := slices.Clone(s.Bits)
	in := func(ps ...r3.Vec) segment.Refinement {
		return segment.Refinement{Label: imaging.LabelLiver, Inside: ps}
	}
	for name, c := range map[string]struct {
		r      segment.Refinement
		number int // of the point at fault; 0 for another error
	}{
		"outside the volume": {in(r3.Vec{}, r3.Vec{X: 900}), 2},
		"not a number":       {in(r3.Vec{Y: math.NaN()}), 1},
		"infinite":           {in(r3.Vec{Y: math.Inf(-1)}), 1},
		"outside the body":   {in(r3.Vec{X: 48, Y: 48}), 1},
		"contradiction":      {segment.Refinement{Label: imaging.LabelLiver, Inside: []r3.Vec{{}}, Outside: []r3.Vec{{X: 20}, {}}}, 2},
		"no point":           {in(), 0},
		"reach":              {segment.Refinement{Label: imaging.LabelLiver, Inside: []r3.Vec{{}}, ReachMM: 1e9}, 0},
		"NaN reach":          {segment.Refinement{Label: imaging.LabelLiver, Inside: []r3.Vec{{}}, ReachMM: math.NaN()}, 0},
		"no such structure":  {segment.Refinement{Label: imaging.LabelSpleen, Inside: []r3.Vec{{}}}, 0},
	} {
		_, _, err := segment.Refine(t.Context(), v, s, c.r)
		e, ok := errors.AsType[*segment.PointError](err)
		if err == nil || ok != (c.number > 0) || ok && e.Number != c.number {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := segment.Refine(ctx, v, s, in(inCap)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	other := *v
	other.Grid.Origin.X += 2
	if _, _, err := segment.Refine(t.Context(), &other, s, in(inCap)); err == nil {
		t.Error("masks of another place were taken")
	}
	if !slices.Equal(s.Bits, before) {
		t.Error("a refused refinement changed the masks")
	}
}

// One value everywhere: the image says nothing, the points still hold.
func TestRefineWithoutImage(t *testing.T) {
	v, s, _ := bump(0)
	clear(v.Data)
	for _, r := range []segment.Refinement{{Label: imaging.LabelLiver, Inside: []r3.Vec{inCap}}, {Label: imaging.LabelLiver, Outside: []r3.Vec{{}}}} {
		p, _, err := segment.Refine(t.Context(), v, s, r)
		if err != nil || p.Voxels == 0 {
			t.Errorf("%v: %d voxels, %v", r, p.Voxels, err)
		}
	}
}

// The robot needs few clicks for the cap and the lump, finds both, and its
// patches lead back.
func TestSimulateClicks(t *testing.T) {
	v, s, truth := bump(12)
	before := slices.Clone(s.Bits)
	clicks, err := segment.SimulateClicks(t.Context(), v, s, truth, imaging.LabelLiver, 6, 0)
	if err != nil {
		t.Fatal(err)
	}
	inside, outside := false, false
	best := 0.0
	for n, c := range clicks {
		t.Logf("%d: %v inside %v, %.1f mm deep in %.2f ml: Dice %.4f", n+1, c.LPS, c.Inside, c.DepthMM, c.ErrorML, c.Dice)
		if c.Dice < best-0.001 {
			t.Errorf("click %d makes Dice %.4f of %.4f: a click at a small error does harm", n+1, c.Dice, best)
		}
		best = max(best, c.Dice)
		if c.Inside {
			inside = true
		} else {
			outside = true
		}
		if bitAt(s, imaging.LabelLiver, c.LPS) != c.Inside {
			t.Errorf("click %d was undone by a later one", n+1)
		}
	}
	if !inside || !outside || clicks[0].Inside != true || r3.Norm(r3.Sub(clicks[0].LPS, inCap)) > 6 {
		t.Error("the first click is not in the middle of the cap, or the lump was not clicked")
	}
	if d := clicks[1].Dice; d < 0.98 {
		t.Errorf("Dice %.3f after two clicks", d)
	}
	for _, c := range slices.Backward(clicks) {
		c.Changed.Revert(s)
	}
	if !slices.Equal(s.Bits, before) {
		t.Error("the patches do not lead back")
	}
	if c, err := segment.SimulateClicks(t.Context(), v, truth, truth, imaging.LabelLiver, 3, 0); err != nil || len(c) != 0 {
		t.Errorf("%d clicks on the truth itself: %v", len(c), err)
	}
}

func ExampleRefine() {
	v, s, truth := bump(12)
	before := dice(s, truth, imaging.LabelLiver)
	_, _, err := segment.Refine(context.Background(), v, s, segment.Refinement{
		Label: imaging.LabelLiver, Inside: []r3.Vec{inCap}, Outside: []r3.Vec{inLump},
	})
	fmt.Printf("Dice %.2f, after two clicks %.2f %v\n", before, dice(s, truth, imaging.LabelLiver), err)
	// Output: Dice 0.91, after two clicks 1.00 <nil>
}
