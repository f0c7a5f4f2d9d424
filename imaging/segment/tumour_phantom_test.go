package segment_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// lump is an ellipsoid in the liver of another density.
type lump struct {
	at, radii r3.Vec
	mm        float64 // mean radius
	hu        float64 // its step from liver
	border    float64 // mm beneath its surface over which the step fades to liver
	rim       float64 // mm beneath its surface of another step, rimHU
	rimHU     float64
}

// step is that of a lump at a place in it; only balls have a border or a rim.
func (o lump) step(p r3.Vec) float64 {
	switch deep := o.mm - r3.Norm(r3.Sub(p, o.at)); {
	case o.border > 0:
		return o.hu * min(1, deep/o.border)
	case o.rim > 0 && deep < o.rim:
		return o.rimHU
	}
	return o.hu
}

// lumps is a trunk of fat with a liver of 105 HU that holds lumps.
type lumps struct {
	v       *imaging.Volume
	truth   *imaging.Segments
	all     []lump
	noiseHU float64
	blurMM  float64 // deviation of the point spread; 0 is sharp
	liver   r3.Vec  // a place in plain liver
}

// lumpy is a random one: lumps of 4 to 20 mm radius and 20 to 60 HU, mostly dark,
// noise of 10 to 25 HU in voxels of about 1 mm³, sharp or blurred.
func lumpy(t *testing.T, seed uint64) lumps {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 99))
	h := [][3]float64{{1, 1, 1.25}, {0.8, 0.8, 1.5}, {1, 1, 1}}[seed%3]
	g := imaging.NewGrid([3]int{int(140 / h[0]), int(120 / h[1]), int(100 / h[2])}, r3.Vec{X: -70, Y: -60, Z: -50}, h)
	l := lumps{noiseHU: 10 + 15*rng.Float64()}
	if rng.IntN(2) == 0 {
		l.blurMM = 0.6 + 0.6*rng.Float64()
	}
	organ, size := r3.Vec{X: -5}, r3.Vec{X: 52, Y: 46, Z: 46}
	place := func(room float64) r3.Vec {
		for {
			p := r3.Vec{X: organ.X + size.X*(2*rng.Float64()-1), Y: organ.Y + size.Y*(2*rng.Float64()-1), Z: organ.Z + size.Z*(2*rng.Float64()-1)}
			free := ellipsoid(p, organ, r3.Sub(size, r3.Vec{X: room, Y: room, Z: room}))
			for _, o := range l.all {
				free = free && r3.Norm(r3.Sub(o.at, p)) > 1.15*o.mm+room+1
			}
			if free {
				return p
			}
		}
	}
	for _, mm := range [][]float64{{10, 8, 6, 5, 4}, {13, 7, 4}, {16, 9, 5}, {20, 6}}[rng.IntN(4)] {
		r := func() float64 { return mm * (0.85 + 0.3*rng.Float64()) }
		o := lump{radii: r3.Vec{X: r(), Y: r(), Z: r()}, mm: mm, hu: -20 - 40*rng.Float64()}
		if rng.IntN(5) == 0 {
			o.hu = -o.hu
		}
		o.at = place(1.15*mm + 4)
		l.all = append(l.all, o)
	}
	l.liver = place(9)
	l.make(t, g, organ, size, rng)
	return l
}

// make fills the volume and its truth: organ is the middle of the liver, size its
// half-axes.
func (l *lumps) make(t *testing.T, g imaging.Grid, organ, size r3.Vec, rng *rand.Rand) {
	t.Helper()
	l.truth = imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver)
	for n := range l.all {
		l.truth.Of = append(l.truth.Of, imaging.LabelTumour+imaging.Label(n))
	}
	hu := make([]float32, g.Len())
	for n := range hu {
		i, j, k := g.IJK(n)
		switch p := g.Point(float64(i), float64(j), float64(k)); {
		case p.X*p.X/(66*66)+p.Y*p.Y/(56*56) > 1:
			hu[n] = -1000
		case !ellipsoid(p, organ, size):
			hu[n], l.truth.Bits[n] = -100, 1
		default:
			hu[n], l.truth.Bits[n] = 105, 3
			for m, o := range l.all {
				if ellipsoid(p, o.at, o.radii) {
					hu[n], l.truth.Bits[n] = float32(105+o.step(p)), 3|4<<m
				}
			}
		}
	}
	if l.blurMM > 0 {
		var err error
		if hu, err = filter.Gaussian(t.Context(), g, hu, l.blurMM); err != nil {
			t.Fatal(err)
		}
	}
	l.v = imaging.NewVolume(g, imaging.KindHU)
	for n := range hu {
		l.v.Data[n] = int16(math.Round(float64(hu[n]) + l.noiseHU*rng.NormFloat64()))
	}
}

// clickIn is a random place of a lump at least deep inside; its middle when there
// is none.
func clickIn(o lump, deep float64, rng *rand.Rand) r3.Vec {
	in := r3.Sub(o.radii, r3.Vec{X: deep, Y: deep, Z: deep})
	if in.X <= 0 || in.Y <= 0 || in.Z <= 0 {
		return o.at
	}
	for {
		if p := (r3.Vec{X: in.X * (2*rng.Float64() - 1), Y: in.Y * (2*rng.Float64() - 1), Z: in.Z * (2*rng.Float64() - 1)}); ellipsoid(p, r3.Vec{}, in) {
			return r3.Add(o.at, p)
		}
	}
}

// toTumours is the built-in recipe as far as its tumours.
func toTumours() segment.Recipe {
	r := abdomen()
	r.Steps = r.Steps[:1+slices.IndexFunc(r.Steps, func(s segment.Step) bool { return s.Do == "tumours" })]
	return r
}

// toTumours3 is that for voxels of 3 mm.
func toTumours3() segment.Recipe { return with(toTumours(), "prepare", "StepMM", 3) }

// One click two voxels or more inside outlines tumours of 4 to 20 mm radius and
// 20 to 60 HU in noise of 10 to 25 HU, sharp or blurred, whatever the place. The
// volumes are right on average. Beyond reach are the smallest of less contrast
// than noise in a blurred scan.
func TestOneClickOnVariedTumours(t *testing.T) {
	logs := 0.0
	count := 0
	for seed := uint64(1); seed <= 7; seed++ {
		l := lumpy(t, seed)
		rng := rand.New(rand.NewPCG(seed, 5))
		seeds := []segment.Seed{{Label: imaging.LabelLiver, LPS: l.liver}}
		h := l.v.Grid.SpacingMM()
		for m, o := range l.all {
			seeds = append(seeds, segment.Seed{Label: imaging.LabelTumour + imaging.Label(m), LPS: clickIn(o, 2*max(h[0], h[1], h[2]), rng)})
		}
		got, rep := run(t, l.v, toTumours(), seeds...)
		for m, o := range l.all {
			label := imaging.LabelTumour + imaging.Label(m)
			d, part := dice(got, l.truth, label), float64(got.Count(label))/float64(l.truth.Count(label))
			t.Logf("phantom %d (noise %.0f HU, blur %.1f mm): radius %.0f mm, %+.0f HU: Dice %.3f, volume %+.0f %%", seed, l.noiseHU, l.blurMM, o.mm, o.hu, d, 100*(part-1))
			if o.mm <= 5 && math.Abs(o.hu) < l.noiseHU && l.blurMM > 0.7 {
				continue
			}
			if d < 0.85 {
				t.Errorf("phantom %d (noise %.0f HU, blur %.1f mm): radius %.0f mm, %+.0f HU: Dice %.3f, volume %+.0f %%; %s", seed, l.noiseHU, l.blurMM, o.mm, o.hu, d, 100*(part-1), rep.Of(label).Missing)
				continue
			}
			logs += math.Log(part)
			count++
		}
	}
	if bias := math.Exp(logs/float64(count)) - 1; math.Abs(bias) > 0.05 {
		t.Errorf("volumes are off by %+.1f %% on average", 100*bias)
	}
}

// Wherever a tumour is clicked, its outline is nearly the same.
func TestThePlaceOfTheClickHardlyMatters(t *testing.T) {
	v, _ := trunk(1).make()
	var first *imaging.Segments
	for _, off := range []r3.Vec{{}, {X: 11}, {Y: -8, Z: 8}} {
		got, _ := run(t, v, toTumours3(), segment.Seed{Label: imaging.LabelTumour, LPS: r3.Add(tumour1, off)})
		if first == nil {
			first = got
		}
		if d := dice(got, first, imaging.LabelTumour); d < 0.95 {
			t.Errorf("clicked %v mm off its middle: Dice %.3f with the outline from there", off, d)
		}
	}
}

// A candidate that nobody has confirmed has less confidence than any clicked
// tumour, and the less of it the fainter, smaller or longer it is.
func TestCandidatesAreLessSureThanClicks(t *testing.T) {
	l := lumps{noiseHU: 15, blurMM: 0.8, liver: r3.Vec{X: -5, Y: 28}}
	for _, o := range []struct{ at, radii r3.Vec }{
		{r3.Vec{X: -32}, r3.Vec{X: 11, Y: 11, Z: 11}},      // plain
		{r3.Vec{X: 22}, r3.Vec{X: 11, Y: 11, Z: 11}},       // fainter
		{r3.Vec{X: -5, Z: 30}, r3.Vec{X: 9, Y: 9, Z: 9}},   // smaller
		{r3.Vec{X: -5, Z: -22}, r3.Vec{X: 23, Y: 7, Z: 7}}, // longer, of the same volume
	} {
		l.all = append(l.all, lump{at: o.at, radii: o.radii, hu: -55})
	}
	l.all[1].hu = -42
	g := imaging.NewGrid([3]int{140, 120, 100}, r3.Vec{X: -70, Y: -60, Z: -50}, [3]float64{1, 1, 1})
	l.make(t, g, r3.Vec{X: -5}, r3.Vec{X: 52, Y: 46, Z: 46}, rand.New(rand.NewPCG(4, 99)))
	r := with(toTumours(), "prepare", "StepMM", 2)
	seeds := []segment.Seed{{Label: imaging.LabelLiver, LPS: l.liver}}
	got, rep := run(t, l.v, r, seeds...)
	sure := make([]float64, len(l.all))
	for _, s := range rep.Structures {
		if s.Origin != segment.AutomaticCandidate {
			continue
		}
		if s.Confidence <= 0 || s.Confidence > 0.4 || len(s.Doubts) == 0 || !strings.Contains(s.Doubts[0], "nobody has confirmed it") {
			t.Errorf("%v: confidence %.2f, doubts %q", s.Label, s.Confidence, s.Doubts)
		}
		bit := got.Bit(s.Label)
		for m, o := range l.all {
			if n, ok := voxel(g, o.at); ok && got.Bits[n]&bit != 0 {
				sure[m] = s.Confidence
				t.Logf("lump %d: %v, %.2f: %s", m, s.Label, s.Confidence, s.Doubts[0])
			}
		}
	}
	for m, name := range []string{"", "fainter", "smaller", "longer"} {
		if sure[m] == 0 || m > 0 && sure[m] >= sure[0] {
			t.Errorf("confidence of the plain candidate %.2f, of the %s %.2f", sure[0], name, sure[m])
		}
	}
	for m, o := range l.all {
		seeds = append(seeds, segment.Seed{Label: imaging.LabelTumour + imaging.Label(m), LPS: o.at})
	}
	_, rep = run(t, l.v, r, seeds...)
	for m := range l.all {
		if s := rep.Of(imaging.LabelTumour + imaging.Label(m)); s.Confidence < 2*sure[m] {
			t.Errorf("lump %d: confidence %.2f clicked, %.2f as a candidate", m, s.Confidence, sure[m])
		}
	}
}

// voxel is the index of the voxel that holds p.
func voxel(g imaging.Grid, p r3.Vec) (int, bool) {
	x, y, z := g.Voxel(p)
	i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
	return g.Index(i, j, k), i >= 0 && j >= 0 && k >= 0 && i < g.Size[0] && j < g.Size[1] && k < g.Size[2]
}
