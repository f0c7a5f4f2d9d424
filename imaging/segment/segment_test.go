package segment_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// solid is a body of ellipsoids with known outlines: a trunk of fat with a
// muscle wall, spine, liver with two tumours and two tubes, and a spleen of
// nearly the same density on the other side. The patient's right is −x.
type solid struct {
	g      imaging.Grid
	mirror float64 // −1 puts the liver on the left
}

// box is an axis-aligned trunk of 300×220×180 mm at 3 mm.
func trunk(mirror float64) solid {
	g := imaging.NewGrid([3]int{112, 84, 60}, r3.Vec{X: -166.5, Y: -124.5, Z: 400}, [3]float64{3, 3, 3})
	return solid{g, mirror}
}

func ellipsoid(p, c, r r3.Vec) bool {
	d := r3.Sub(p, c)
	return d.X*d.X/(r.X*r.X)+d.Y*d.Y/(r.Y*r.Y)+d.Z*d.Z/(r.Z*r.Z) < 1
}

// tube is a straight vessel of radius 5 mm from a to b.
func tube(p, a, b r3.Vec) bool {
	ab := r3.Sub(b, a)
	t := min(max(r3.Dot(r3.Sub(p, a), ab)/r3.Norm2(ab), 0), 1)
	return r3.Norm(r3.Sub(p, r3.Add(a, r3.Scale(t, ab)))) < 5
}

var (
	tumour1, tumour2 = r3.Vec{X: -95, Y: -25, Z: 500}, r3.Vec{X: -40, Y: -45, Z: 470}
	portalA, portalB = r3.Vec{X: -35, Y: -10, Z: 460}, r3.Vec{X: -80, Y: 0, Z: 455}
	hepaticA         = r3.Vec{X: -60, Y: 40, Z: 515}
	hepaticB         = r3.Vec{X: -90, Y: 20, Z: 475}
)

// at is the structures and HU at a point.
func (s solid) at(p r3.Vec) (labels []imaging.Label, hu float64) {
	p.X *= s.mirror
	in := func(c, r r3.Vec) bool { return ellipsoid(p, c, r) }
	cyl := func(x, y, rx, ry float64) bool { return (p.X-x)*(p.X-x)/(rx*rx)+(p.Y-y)*(p.Y-y)/(ry*ry) < 1 }
	if !cyl(0, 0, 150, 110) {
		return nil, -1000
	}
	labels, hu = append(labels, imaging.LabelBody), -100
	if !cyl(0, 0, 140, 100) && cyl(0, 0, 146, 106) {
		hu = 60
	}
	switch {
	case cyl(0, 75, 18, 18):
		return append(labels, imaging.LabelBone), 500
	case in(r3.Vec{X: 85, Y: 30, Z: 490}, r3.Vec{X: 28, Y: 35, Z: 40}):
		return labels, 125
	case in(r3.Vec{X: -70, Y: -5, Z: 490}, r3.Vec{X: 58, Y: 75, Z: 62}):
		labels = append(labels, imaging.LabelLiver)
		switch {
		case in(tumour1, r3.Vec{X: 17, Y: 17, Z: 17}):
			return append(labels, imaging.LabelTumour), 55
		case in(tumour2, r3.Vec{X: 13, Y: 13, Z: 13}):
			return append(labels, imaging.LabelTumour+1), 60
		case tube(p, portalA, portalB):
			return append(labels, imaging.LabelPortalVein), 190
		case tube(p, hepaticA, hepaticB):
			return append(labels, imaging.LabelHepaticVein), 190
		}
		return labels, 110
	}
	return labels, hu
}

func (s solid) make() (*imaging.Volume, *imaging.Segments) {
	v := imaging.NewVolume(s.g, imaging.KindHU)
	m := imaging.NewSegments(s.g, imaging.LabelBody, imaging.LabelBone, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelTumour, imaging.LabelTumour+1)
	rng := rand.New(rand.NewPCG(7, 7))
	for n := range v.Data {
		i, j, k := s.g.IJK(n)
		labels, hu := s.at(s.g.Point(float64(i), float64(j), float64(k)))
		for _, l := range labels {
			m.Bits[n] |= m.Bit(l)
		}
		v.Data[n] = int16(math.Round(hu + 10*rng.NormFloat64()))
	}
	return v, m
}

// abdomen is the built-in recipe for the abdomen.
func abdomen() segment.Recipe {
	r, err := segment.Builtin(segment.AbdomenPortal)
	if err != nil {
		panic(err)
	}
	return r
}

// with changes one number of a recipe.
func with(r segment.Recipe, do, name string, value float64) segment.Recipe {
	r, err := r.With(do, name, value)
	if err != nil {
		panic(err)
	}
	return r
}

// coarse suits the 3 mm voxels of the solid.
func coarse() segment.Recipe {
	return with(with(with(abdomen(), "prepare", "StepMM", 3), "vessels", "WorkMM", 3), "liver", "FairMM", 1)
}

func run(t *testing.T, v *imaging.Volume, r segment.Recipe, seeds ...segment.Seed) (*imaging.Segments, *segment.Report) {
	t.Helper()
	s, rep, err := segment.Run(t.Context(), v, r, segment.Options{Seeds: seeds})
	if err != nil {
		t.Fatal(err)
	}
	return s, rep
}

func dice(a, b *imaging.Segments, l imaging.Label) float64 {
	x, y := a.Bit(l), b.Bit(l)
	return segment.Dice(len(a.Bits), func(n int) bool { return a.Bits[n]&x != 0 }, func(n int) bool { return b.Bits[n]&y != 0 })
}

func origin(rep *segment.Report, l imaging.Label) segment.Origin {
	for _, s := range rep.Structures {
		if s.Label == l {
			return s.Origin
		}
	}
	return ""
}

func TestAutomaticOnKnownSolid(t *testing.T) {
	v, truth := trunk(1).make()
	got, rep := run(t, v, coarse())
	for _, c := range []struct {
		l     imaging.Label
		least float64
	}{
		{imaging.LabelBody, 0.98}, {imaging.LabelBone, 0.9}, {imaging.LabelLiver, 0.95},
		{imaging.LabelTumour, 0.85}, {imaging.LabelTumour + 1, 0.8},
	} {
		if d := dice(got, truth, c.l); d < c.least {
			t.Errorf("%v: Dice %.3f, want at least %.2f", c.l, d, c.least)
		}
	}
	vessel := got.Bit(imaging.LabelPortalVein) | got.Bit(imaging.LabelHepaticVein) | got.Bit(imaging.LabelVessel)
	known := truth.Bit(imaging.LabelPortalVein) | truth.Bit(imaging.LabelHepaticVein)
	if d := segment.Dice(len(got.Bits), func(n int) bool { return got.Bits[n]&vessel != 0 }, func(n int) bool { return truth.Bits[n]&known != 0 }); d < 0.7 {
		t.Errorf("vessels: Dice %.3f", d)
	}
	liver, inside := got.Bit(imaging.LabelLiver), vessel|got.Bit(imaging.LabelTumour)|got.Bit(imaging.LabelTumour+1)
	for n, b := range got.Bits {
		if b&liver == 0 && b&inside != 0 {
			t.Fatalf("voxel %d: a vessel or tumour outside the liver (%b)", n, b)
		}
	}
	if math.Abs(rep.LiverHU-110) > 3 {
		t.Errorf("liver at %.1f HU, want 110", rep.LiverHU)
	}
	if o := origin(rep, imaging.LabelTumour); o != segment.AutomaticCandidate {
		t.Errorf("tumour 1 came from %q", o)
	}
	if c := rep.Of(imaging.LabelTumour).Confidence; c < 0.1 || c > 0.4 {
		t.Errorf("tumour 1, which nobody has confirmed, has confidence %.2f", c)
	}
	if !strings.Contains(strings.Join(rep.Notes(), "\n"), "tumour 1 (") {
		t.Errorf("the notes do not ask to confirm the candidates: %v", rep.Notes())
	}
	checkNotes(t, rep)
}

func TestSeedsDecide(t *testing.T) {
	v, truth := trunk(1).make()
	got, rep := run(t, v, coarse(),
		segment.Seed{Label: imaging.LabelLiver, LPS: r3.Vec{X: -75, Y: 20, Z: 520}},
		segment.Seed{Label: imaging.LabelTumour + 4, LPS: tumour2},
		segment.Seed{Label: imaging.LabelPortalVein, LPS: hepaticA}, // swapped on purpose: the person is right
		segment.Seed{Label: imaging.LabelHepaticVein, LPS: portalA},
	)
	for ours, theirs := range map[imaging.Label]imaging.Label{
		imaging.LabelTumour + 4: imaging.LabelTumour + 1, imaging.LabelPortalVein: imaging.LabelHepaticVein, imaging.LabelHepaticVein: imaging.LabelPortalVein,
	} {
		x, y := got.Bit(ours), truth.Bit(theirs)
		if d := segment.Dice(len(got.Bits), func(n int) bool { return got.Bits[n]&x != 0 }, func(n int) bool { return truth.Bits[n]&y != 0 }); d < 0.7 {
			t.Errorf("%v: Dice %.3f with the structure at its seed", ours, d)
		}
		if o := origin(rep, ours); o != segment.FromSeed {
			t.Errorf("%v came from %q", ours, o)
		}
	}
	if got.Bit(imaging.LabelTumour) != 0 {
		t.Error("an unseeded tumour was added to the seeded one")
	}
}

// A liver on the left is not found without help, and found with one seed.
func TestSeedFindsLiverOnTheOtherSide(t *testing.T) {
	v, truth := trunk(-1).make()
	got, rep := run(t, v, coarse(), segment.Seed{Label: imaging.LabelLiver, LPS: r3.Vec{X: 75, Y: 20, Z: 520}})
	if d := dice(got, truth, imaging.LabelLiver); d < 0.95 {
		t.Errorf("liver Dice %.3f", d)
	}
	if o := origin(rep, imaging.LabelLiver); o != segment.FromSeed {
		t.Errorf("liver came from %q", o)
	}
}

func TestTouchingTreesAreSplitBetweenSeeds(t *testing.T) {
	v, _ := trunk(1).make()
	bridge := func(p r3.Vec) bool { return tube(p, portalB, hepaticB) }
	for n := range v.Data {
		i, j, k := v.Grid.IJK(n)
		if bridge(v.Grid.Point(float64(i), float64(j), float64(k))) {
			v.Data[n] = 190
		}
	}
	got, _ := run(t, v, coarse(), segment.Seed{Label: imaging.LabelPortalVein, LPS: portalA}, segment.Seed{Label: imaging.LabelHepaticVein, LPS: hepaticA})
	at := func(p r3.Vec) uint32 {
		i, j, k := v.Grid.Voxel(p)
		return got.Bits[v.Grid.Index(int(math.Round(i)), int(math.Round(j)), int(math.Round(k)))]
	}
	for _, c := range []struct {
		p r3.Vec
		l imaging.Label
	}{
		{r3.Add(portalA, r3.Vec{X: -8}), imaging.LabelPortalVein},
		{r3.Scale(0.5, r3.Add(portalA, portalB)), imaging.LabelPortalVein},
		{r3.Scale(0.5, r3.Add(hepaticA, hepaticB)), imaging.LabelHepaticVein},
	} {
		if at(c.p)&got.Bit(c.l) == 0 {
			t.Errorf("%v is not %v", c.p, c.l)
		}
	}
	for n, b := range got.Bits {
		if both := got.Bit(imaging.LabelPortalVein) | got.Bit(imaging.LabelHepaticVein); b&both == both {
			t.Fatalf("voxel %d belongs to both systems", n)
		}
	}
}

// The masks do not depend on how the volume is stored.
func TestStorageOrderDoesNotMatter(t *testing.T) {
	v, _ := trunk(1).make()
	want, _ := run(t, v, coarse())
	for _, r := range []imaging.Reorder{{Axis: [3]int{2, 0, 1}, Flip: [3]bool{true, false, true}}, {Axis: [3]int{0, 1, 2}, Flip: [3]bool{true, true, false}}} {
		w := &imaging.Volume{Grid: r.Grid(v.Grid), Data: make([]int16, len(v.Data)), Slope: 1, Kind: imaging.KindHU}
		at := r.Index(v.Grid)
		for n := range w.Data {
			w.Data[n] = v.Data[at(n)]
		}
		got, _ := run(t, w, coarse())
		if got.Grid != w.Grid {
			t.Fatal("the masks are not on the volume's grid")
		}
		for n := range got.Bits {
			if got.Bits[n] != want.Bits[at(n)] {
				t.Fatalf("%v: voxel %d differs", r, n)
			}
		}
	}
}

func TestScaledSamplesGiveTheSame(t *testing.T) {
	v, _ := trunk(1).make()
	want, _ := run(t, v, coarse())
	w := &imaging.Volume{Grid: v.Grid, Data: make([]int16, len(v.Data)), Slope: 0.5, Intercept: -1024, Kind: imaging.KindHU}
	for n, s := range v.Data {
		w.Data[n] = 2 * (s + 1024)
	}
	got, _ := run(t, w, coarse())
	if !slices.Equal(got.Bits, want.Bits) {
		t.Error("a volume with slope 0.5 and intercept −1024 is segmented otherwise")
	}
}

func TestSameBitsOnAnyCoreCount(t *testing.T) {
	v, _ := trunk(1).make()
	var first *imaging.Segments
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		s, _ := run(t, v, coarse())
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = s
		}
		if !slices.Equal(first.Bits, s.Bits) || !slices.Equal(first.Of, s.Of) {
			t.Errorf("GOMAXPROCS=%d gives other bits", procs)
		}
	}
}

func TestNothingThereIsSaid(t *testing.T) {
	v, _ := trunk(1).make()
	empty := func(hu int16) *imaging.Volume {
		w := *v
		w.Data = slices.Repeat([]int16{hu}, len(v.Data))
		return &w
	}
	seed := func(l imaging.Label, x, y, z float64) []segment.Seed {
		return []segment.Seed{{Label: l, LPS: r3.Vec{X: x, Y: y, Z: z}}}
	}
	tiny := imaging.NewVolume(imaging.NewGrid([3]int{1, 1, 1}, r3.Vec{}, [3]float64{1, 1, 1}), imaging.KindHU)
	for name, c := range map[string]struct {
		v     *imaging.Volume
		seeds []segment.Seed
		l     imaging.Label
	}{
		"fat":                        {empty(-100), nil, imaging.LabelLiver},
		"bone":                       {empty(900), nil, imaging.LabelLiver},
		"one voxel":                  {tiny, nil, imaging.LabelLiver},
		"tumour seed in plain liver": {v, seed(imaging.LabelTumour, -70, 20, 520), imaging.LabelTumour},
		"tumour seed in fat":         {v, seed(imaging.LabelTumour, 90, -60, 420), imaging.LabelTumour},
		"liver seed in fat":          {v, seed(imaging.LabelLiver, 110, -60, 420), imaging.LabelLiver},
	} {
		s, rep := run(t, c.v, coarse(), c.seeds...)
		e, ok := errors.AsType[*segment.NotFoundError](rep.Require(c.l))
		if !ok || e.Label != c.l || s.Bit(c.l) != 0 || rep.Sound() {
			t.Errorf("%s: %v, want %v not found", name, e, c.l)
			continue
		}
		if e.Do == "" || !strings.Contains(e.Error(), c.l.String()) || !strings.Contains(strings.Join(rep.Notes(), "\n"), e.Do) {
			t.Errorf("%s: %q does not say what is missing and what to do", name, e)
		}
		if c.l == imaging.LabelLiver && rep.Require(imaging.LabelPortalVein) == nil {
			t.Errorf("%s: a portal vein without a liver", name)
		}
	}
	if s, _, err := segment.Run(t.Context(), empty(-1000), coarse(), segment.Options{}); s != nil || !strings.Contains(fmt.Sprint(err), "body not found") {
		t.Errorf("air: %v", err)
	}
	// One value everywhere that could be liver: no vessel or tumour.
	s, _ := run(t, empty(100), coarse())
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel, imaging.LabelTumour} {
		if s.Count(l) > 0 {
			t.Errorf("%v found in a volume of one value", l)
		}
	}
}

func TestBadInputIsRefused(t *testing.T) {
	v, _ := trunk(1).make()
	for name, c := range map[string]struct {
		s    segment.Seed
		says string
	}{
		"seed label":    {segment.Seed{Label: imaging.LabelBody}, "body"},
		"seed NaN":      {segment.Seed{Label: imaging.LabelLiver, LPS: r3.Vec{X: math.NaN()}}, "seed 1"},
		"seed far away": {segment.Seed{Label: imaging.LabelLiver, LPS: r3.Vec{X: 9000}}, "outside"},
	} {
		if _, _, err := segment.Run(t.Context(), v, coarse(), segment.Options{Seeds: []segment.Seed{c.s}}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mr := *v
	mr.Kind = imaging.KindMR
	if _, _, err := segment.Run(t.Context(), &mr, coarse(), segment.Options{}); err == nil || !strings.Contains(err.Error(), "MR") {
		t.Errorf("MR values in a CT recipe: %v", err)
	}
	w := *v
	w.Data = w.Data[1:]
	if _, _, err := segment.Run(t.Context(), &w, coarse(), segment.Options{}); err == nil {
		t.Error("a volume without its last sample was taken")
	}
}

func TestCancelAndProgress(t *testing.T) {
	v, _ := trunk(1).make()
	var done []float64
	if _, _, err := segment.Run(t.Context(), v, coarse(), segment.Options{Progress: func(d float64) { done = append(done, d) }}); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(done) || done[len(done)-1] != 1 || len(done) < 5 {
		t.Errorf("progress %v", done)
	}
	for stop := range len(done) - 1 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		_, _, err := segment.Run(ctx, v, coarse(), segment.Options{Progress: func(float64) {
			if n++; n > stop {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) || n > stop+1 {
			t.Errorf("cancelled at %g: %v after %d more steps", done[stop], err, n-stop-1)
		}
	}
}

// The overlap of a slab of 4 voxels and one of 6 that holds it: 2·4/(4+6).
func ExampleDice() {
	a := func(n int) bool { return n < 4 }
	b := func(n int) bool { return n < 6 }
	fmt.Println(segment.Dice(10, a, b))
	// Output: 0.8
}

func ExampleRun() {
	v, truth := trunk(1).make()
	s, rep, err := segment.Run(context.Background(), v, coarse(), segment.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v found, Dice %.2f\n", rep.Of(imaging.LabelLiver).Label, dice(s, truth, imaging.LabelLiver))
	// Output: liver found, Dice 1.00
}

// checkNotes reads the notes as a person does: no name of a file or program, and
// no number without what it rests on. Names, limits, places and counts are no
// results.
func checkNotes(t *testing.T, rep *segment.Report) {
	t.Helper()
	id := regexp.MustCompile(`\b[a-z0-9]+_[a-z0-9_]+`)
	plain := regexp.MustCompile(`tumour \d+|(at least|at most|within|above|wanted) [\d.]+|for [\d.]+ ml or more|at -?\d+,-?\d+,-?\d+ mm|^\d+ (edits|smaller)`)
	for _, s := range rep.Notes() {
		if found := id.FindString(s); found != "" {
			t.Errorf("%s in the note %q", found, s)
		}
		if strings.ContainsAny(plain.ReplaceAllString(s, ""), "0123456789") && !strings.HasSuffix(s, "(spread not quantified: measured once, in this scan)") {
			t.Errorf("a bare number in the note %q", s)
		}
	}
}

// A number that was measured says that it has no interval; names, limits, places
// and counts do not.
func TestNotesSayWhatNumbersRestOn(t *testing.T) {
	const tail = "(spread not quantified: measured once, in this scan)"
	rep := &segment.Report{
		Structures: []segment.Structure{
			{Label: imaging.LabelTumour + 11, VolumeML: 3.2, Origin: segment.AutomaticCandidate, Confidence: 0.3},
			{Label: imaging.LabelPortalVein, Missing: "no vessel comes within 12 mm of the vena cava"},
			{Label: imaging.LabelKidneyLeft, Confidence: 0.5, Doubts: []string{"it is cut off"}},
		},
		Checks:  []segment.Check{{Assumption: "thin slices", Measured: "voxels of 0.7 × 0.7 × 5.0 mm", Wanted: "at most 3 mm", Do: "look"}, {Assumption: "phase", Holds: true}},
		Remarks: []string{"2 edits by hand are in the result", "the portal vein seed at -12,3,40 mm has no vessel within 15 mm and was not used", "210 ml of costal cartilage"},
	}
	for n, want := range []string{
		"assumption failed: thin slices: voxels of 0.7 × 0.7 × 5.0 mm, wanted at most 3 mm; look " + tail,
		"tumour 12 (3.2 ml) is an automatic candidate: confirm it or put a seed into each tumour " + tail,
		"portal vein not found: no vessel comes within 12 mm of the vena cava",
		"kidney left, confidence 0.50: it is cut off " + tail,
		"2 edits by hand are in the result",
		"the portal vein seed at -12,3,40 mm has no vessel within 15 mm and was not used",
		"210 ml of costal cartilage " + tail,
	} {
		if got := rep.Notes(); n >= len(got) || got[n] != want {
			t.Errorf("note %d of %q\nwant %q", n, got, want)
		}
	}
	checkNotes(t, rep)
}
