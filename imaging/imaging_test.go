package imaging_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestPointAndVoxelAreInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, g := range []imaging.Grid{oblique(false), oblique(true), imaging.NewGrid([3]int{4, 4, 4}, r3.Vec{X: 1}, [3]float64{1, 2, 3})} {
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			want := [3]float64{rng.Float64() * 600, rng.Float64()*600 - 200, rng.Float64() * 600}
			i, j, k := g.Voxel(g.Point(want[0], want[1], want[2]))
			if math.Abs(i-want[0])+math.Abs(j-want[1])+math.Abs(k-want[2]) > 1e-9 {
				t.Fatalf("%v came back as %g %g %g", want, i, j, k)
			}
		}
	}
}

func TestIndexAndIJKAreInverse(t *testing.T) {
	g := oblique(false)
	for n := range g.Len() {
		i, j, k := g.IJK(n)
		if g.Index(i, j, k) != n || !g.Contains(i, j, k) {
			t.Fatalf("index %d → %d %d %d → %d", n, i, j, k, g.Index(i, j, k))
		}
	}
	for _, p := range [][3]int{{-1, 0, 0}, {7, 0, 0}, {0, 5, 0}, {0, 0, 4}, {0, 0, -1}} {
		if g.Contains(p[0], p[1], p[2]) {
			t.Errorf("%v is said to be inside", p)
		}
	}
}

func TestGridMeasures(t *testing.T) {
	right, left := oblique(false), oblique(true)
	for a, want := range []float64{0.743, 0.8, 1.6} {
		if got := right.SpacingMM()[a]; math.Abs(got-want) > 1e-12 {
			t.Errorf("spacing %d is %g mm, want %g", a, got, want)
		}
	}
	for _, g := range []imaging.Grid{right, left} {
		if got, want := g.VoxelMM3(), 0.743*0.8*1.6; math.Abs(got-want) > 1e-12 {
			t.Errorf("voxel %g mm³, want %g", got, want)
		}
	}
	if !right.RightHanded() || left.RightHanded() {
		t.Errorf("handedness: %v and %v, want true and false", right.RightHanded(), left.RightHanded())
	}
}

func TestGridMatches(t *testing.T) {
	g := oblique(false)
	turned := g
	turned.Axes[0] = r3.Add(g.Axes[0], r3.Vec{X: 0.1}) // 0.6 mm off at the far end of 7 voxels
	for _, c := range []struct {
		o    imaging.Grid
		tol  float64
		want bool
	}{{g, 0, true}, {turned, 0.59, false}, {turned, 0.61, true}, {oblique(true), 1, false}} {
		if got := g.Matches(c.o, c.tol); got != c.want {
			t.Errorf("Matches with %g mm = %v, want %v", c.tol, got, c.want)
		}
	}
	g.Size[0]++
	if g.Matches(turned, math.Inf(1)) {
		t.Error("grids of different size match")
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*imaging.Grid){
		"no voxels":   func(g *imaging.Grid) { g.Size[1] = 0 },
		"negative":    func(g *imaging.Grid) { g.Size[2] = -4 },
		"too large":   func(g *imaging.Grid) { g.Size = [3]int{1 << 20, 1 << 20, 1 << 20} },
		"overflow":    func(g *imaging.Grid) { g.Size[0] = math.MaxInt },
		"NaN origin":  func(g *imaging.Grid) { g.Origin.Y = math.NaN() },
		"zero step":   func(g *imaging.Grid) { g.Axes[0] = r3.Vec{} },
		"Inf step":    func(g *imaging.Grid) { g.Axes[2].X = math.Inf(1) },
		"gantry tilt": func(g *imaging.Grid) { g.Axes[2] = r3.Add(g.Axes[2], r3.Scale(0.001, g.Axes[1])) },
	} {
		g := oblique(false)
		spoil(&g)
		if g.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	g := oblique(false)
	v := imaging.NewVolume(g, imaging.KindHU)
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	v.Data[3], v.Slope, v.Intercept = 7, 2, -1000
	if v.Value(3) != -986 {
		t.Errorf("value %g, want -986", v.Value(3))
	}
	v.Slope = 0
	if v.Validate() == nil {
		t.Error("slope 0 accepted")
	}
	v.Slope, v.Data = 1, v.Data[1:]
	if v.Validate() == nil {
		t.Error("missing samples accepted")
	}
}

func TestSegmentsCountEachStructure(t *testing.T) {
	g := oblique(false)
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour, imaging.LabelPortalVein)
	for n := range 40 {
		s.Bits[n] |= s.Bit(imaging.LabelLiver)
	}
	for n := 30; n < 45; n++ {
		s.Bits[n] |= s.Bit(imaging.LabelTumour)
	}
	if s.Count(imaging.LabelLiver) != 40 || s.Count(imaging.LabelTumour) != 15 || s.Count(imaging.LabelBone) != 0 {
		t.Errorf("counts %d %d %d", s.Count(imaging.LabelLiver), s.Count(imaging.LabelTumour), s.Count(imaging.LabelBone))
	}
	if got, want := s.VolumeMM3(imaging.LabelLiver), 40*g.VoxelMM3(); got != want {
		t.Errorf("liver %g mm³, want %g", got, want)
	}
	if s.Bit(imaging.LabelBone) != 0 {
		t.Error("absent structure has a bit")
	}
}

// The later structure in the order wins, and the union of what counts as organ
// is the organ mask.
func TestFlattenKeepsOrganVolume(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	g := oblique(false)
	of := []imaging.Label{imaging.LabelBody, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelTumour, imaging.LabelTumour + 1}
	s := imaging.NewSegments(g, of...)
	for n := range s.Bits {
		s.Bits[n] = rng.Uint32() & 31
	}
	l := s.Flatten(imaging.LabelLiver, of...)
	if got, want := l.Count(imaging.Label.InOrgan), s.Count(imaging.LabelLiver); got != want {
		t.Errorf("organ has %d voxels after flattening, want %d", got, want)
	}
	for n, b := range s.Bits {
		want := imaging.LabelBackground
		for i, o := range of {
			if b>>i&1 != 0 && (b&2 != 0 || !o.InOrgan()) {
				want = o
			}
		}
		if l.ID[n] != want {
			t.Fatalf("voxel %d with bits %05b is %v, want %v", n, b, l.ID[n], want)
		}
	}
	if all := s.Flatten(imaging.LabelBackground, imaging.LabelPortalVein); all.Count(imaging.Label.IsVessel) != s.Count(imaging.LabelPortalVein) {
		t.Error("without an organ the vessels were cut")
	}
}

func TestLabelsAreCodedAndNamedApart(t *testing.T) {
	names := map[string]imaging.Label{}
	for l := imaging.LabelBackground; l < imaging.LabelTumour+imaging.MaxTumours; l++ {
		if l > imaging.LabelArtery && l < imaging.LabelTumour {
			continue
		}
		if other, taken := names[l.String()]; taken {
			t.Errorf("labels %d and %d are both called %s", l, other, l)
		}
		names[l.String()] = l
		if c := l.Code(); (c.Scheme == "SCT") != (l != imaging.LabelBackground) || c.Meaning == "" {
			t.Errorf("%v has code %+v", l, c)
		}
	}
	if imaging.Label(200).IsTumour() || imaging.LabelBody.InOrgan() || !(imaging.LabelTumour + 3).InOrgan() {
		t.Error("InOrgan or IsTumour is wrong")
	}
	if imaging.KindHU.String() == imaging.KindMR.String() || imaging.KindUnknown.String() != "unknown" {
		t.Error("kinds are not named apart")
	}
}

// A 512×512 abdomen CT: the centre of the first voxel, and 10 mm further left,
// posterior and to the head.
func ExampleGrid() {
	g := imaging.NewGrid([3]int{512, 512, 120}, r3.Vec{X: -190, Y: -190, Z: 50}, [3]float64{0.743, 0.743, 1.6})
	fmt.Println(g.Point(0, 0, 0))
	i, j, k := g.Voxel(r3.Vec{X: -180, Y: -180, Z: 60})
	fmt.Printf("%.2f %.2f %.2f, voxel %.4f mm³\n", i, j, k, g.VoxelMM3())
	// Output:
	// {-190 -190 50}
	// 13.46 13.46 6.25, voxel 0.8833 mm³
}
