package segment

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// muscleScene is a trunk in voxels of mm with a spine, psoas and back muscle in
// fat, and a spleen of spleenHU against the chest wall or none where that is NaN.
func muscleScene(mm, psoasHU, backHU, spleenHU float64) (*imaging.Volume, filter.Mask) {
	g := imaging.NewGrid([3]int{int(336 / mm), int(240 / mm), int(120 / mm)}, r3.Vec{X: -168, Y: -120}, [3]float64{mm, mm, mm})
	v := imaging.NewVolume(g, imaging.KindHU)
	spleen := make(filter.Mask, g.Len())
	rng := rand.New(rand.NewPCG(5, 5))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(x, y, a, b float64) float64 { return math.Hypot((math.Abs(p.X)-x)/a, (p.Y-y)/b) }
		hu := -100.0
		trunk := e(0, 0, 150, 110)
		switch {
		case trunk > 1:
			hu = -1000
		case e(0, 40, 18, 14) < 1:
			hu = 220
		case e(0, 40, 22, 18) < 1, e(0, 66, 6, 14) < 1:
			hu = 600
		case e(32, 40, 14, 16) < 1:
			hu = psoasHU
		case p.Y > 62 && e(0, 76, 66, 24) < 1:
			hu = backHU
		case trunk > 0.86 && trunk < 0.95:
			if hu = 40; math.Abs(math.Mod(p.Z+2*p.Y+400, 40)-20) < 5 { // ribs
				hu = 500
			}
		case !math.IsNaN(spleenHU) && trunk < 0.86 && p.X > 0 && math.Hypot(e(105, 25, 30, 50), (p.Z-60)/50) < 1:
			hu, spleen[n] = spleenHU, true
		}
		v.Data[n] = int16(math.Round(hu + 12*rng.NormFloat64()))
	}
	return v, spleen
}

// abdomenUntil runs the steps of the recipe for the abdomen that are named.
func abdomenUntil(t *testing.T, v *imaging.Volume, do ...string) (*imaging.Segments, *Report) {
	t.Helper()
	r, err := Builtin(AbdomenPortal)
	if err != nil {
		t.Fatal(err)
	}
	var steps []Step
	for _, s := range r.Steps {
		for _, name := range do {
			if s.Do == name {
				steps = append(steps, s)
			}
		}
	}
	r.Steps, r.Must = steps, []string{"bone"}
	out, rep, err := Run(t.Context(), v, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out, rep
}

// The value of muscle is that of muscle without fat in it: the psoas where the
// back muscles are fatty, the back muscles where they are sound.
func TestValueOfMuscle(t *testing.T) {
	for _, c := range []struct{ psoas, back, want float64 }{{48, 18, 48}, {57, 51, 51}, {60, 70, 70}} {
		v, _ := muscleScene(3, c.psoas, c.back, math.NaN())
		w := &work{v: v, out: imaging.NewSegments(v.Grid), rep: &Report{}}
		if err := prepare(t.Context(), w, prepareSettings{3, 4, 20}); err != nil {
			t.Fatal(err)
		}
		n := w.c.Grid.Len()
		w.body = filter.Where(n, func(n int) bool { return w.c.HU[n] > -300 })
		w.bone = filter.Where(n, func(n int) bool { return w.c.HU[n] > 150 })
		l, err := w.find(t.Context(), imaging.LabelSpleen)
		if err != nil {
			t.Fatal(err)
		}
		if t.Logf("%+v: %.0f HU", c, l.muscle); math.Abs(l.muscle-c.want) > 3 {
			t.Errorf("psoas of %.0f HU, back muscle of %.0f HU: muscle is said to have %.0f HU, want %.0f", c.psoas, c.back, l.muscle, c.want)
		}
	}
}

// A spleen no brighter than muscle is told by the fat around it, never surely;
// where none is, muscle of the chest wall is not called one. One that contrast
// shows is sure.
func TestSpleenWithoutContrast(t *testing.T) {
	for _, c := range []struct{ psoas, back, spleen, least, most float64 }{
		{48, 18, 40, 0.05, 0.5}, {50, 50, 42, 0.05, 0.5}, {50, 50, 110, 1, 1}, {48, 18, math.NaN(), 0, 0}, {50, 50, math.NaN(), 0, 0},
	} {
		v, truth := muscleScene(3, c.psoas, c.back, c.spleen)
		out, rep := abdomenUntil(t, v, "prepare", "body", "bone", "spleen")
		s, bit := rep.Of(imaging.LabelSpleen), out.Bit(imaging.LabelSpleen)
		t.Logf("%+v: %+v", c, s)
		if s.Confidence < c.least || s.Confidence > c.most {
			t.Errorf("%+v: %+v", c, s)
		}
		if c.least > 0 {
			if d := Dice(len(truth), func(n int) bool { return bit != 0 && out.Bits[n]&bit != 0 }, func(n int) bool { return truth[n] }); d < 0.88 {
				t.Errorf("%+v: Dice %.3f", c, d)
			}
		}
	}
}

// Muscle is kept out of the liver's core where halfway between the two is clear of
// either; where they are nearer, all of the liver's own range is its core.
func TestCoreBesideMuscle(t *testing.T) {
	g := imaging.NewGrid([3]int{24, 24, 24}, r3.Vec{}, [3]float64{3, 3, 3})
	rng := rand.New(rand.NewPCG(1, 9))
	img := make([]float32, g.Len())
	for n := range img {
		img[n] = float32(60 + 5*rng.NormFloat64())
	}
	at := g.Point(12, 12, 12)
	for _, c := range []struct{ flesh, want float64 }{{30, 44.5}, {48, 0}, {45, 0}, {60, 0}, {math.NaN(), 0}} {
		w := &work{o: Options{Seeds: []Seed{{imaging.LabelLiver, at}}}, c: &filter.Coarse{Grid: g}, rep: &Report{}}
		l := &liverShape{work: w, img: img, flesh: c.flesh, s: liverSettings{MinHU: 30, MaxHU: 220, EvenMM: 30, WindowSD: 5, WindowHU: 40, CutHighSD: 3}}
		if err := l.value(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.want == 0 {
			c.want = float64(l.low)
		}
		if t.Logf("muscle %.0f HU, liver %.0f ± %.1f HU: core from %.1f, window from %.1f", c.flesh, w.liverHU, w.liverSD, l.coreLow, l.low); math.Abs(float64(l.coreLow)-c.want) > 2 {
			t.Errorf("muscle of %.0f HU: the core begins at %.1f HU, want %.1f", c.flesh, l.coreLow, c.want)
		}
	}
}
