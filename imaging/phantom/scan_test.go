package phantom

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Every field must keep its promise |∇f| ≤ 1 and give its true gradient, or
// blocks of voxels would be skipped wrongly.
func TestFieldsAreBoundedAndHaveTheirGradient(t *testing.T) {
	l := sample()
	rng := rand.New(rand.NewPCG(5, 5))
	fs := []layer{{f: l.a.body}, {f: l.a.bone}, {f: l.a.cantlie}, {f: l.tumours[0].f}}
	fs = append(fs, l.layers()...)
	for n, lay := range fs {
		kinks := 0
		const points = 1500
		for range points {
			p := r3.Vec{X: 340 * (rng.Float64() - 0.5), Y: 240 * (rng.Float64() - 0.5), Z: 230 * (rng.Float64() - 0.5)}
			f, g := lay.f(p)
			step := unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
			for _, h := range []float64{0.3, 5, 40} {
				if e, _ := lay.f(r3.Add(p, r3.Scale(h, step))); math.Abs(e-f) > h*(1+1e-9) {
					t.Fatalf("layer %d: %.4f mm at %v and %.4f mm only %.1f mm away", n, f, p, e, h)
				}
			}
			const h = 1e-5
			e0, _ := lay.f(r3.Sub(p, r3.Scale(h, step)))
			e1, _ := lay.f(r3.Add(p, r3.Scale(h, step)))
			if math.Abs((e1-e0)/(2*h)-r3.Dot(g, step)) > 1e-4 {
				kinks++
			}
		}
		// Creases have no gradient; tubes give none beyond their reach.
		if kinks > points/20 {
			t.Errorf("layer %d: gradient wrong at %d of %d points", n, kinks, points)
		}
	}
}

func TestRoot25(t *testing.T) {
	for x := 1e-12; x < 1e12; x *= 1.7 {
		if got, want := root25(x), math.Pow(x, 0.4); math.Abs(got/want-1) > 1e-14 {
			t.Fatalf("root25(%g) = %g, want %g", x, got, want)
		}
	}
}

// The edge coverage of a voxel crossed by a plane is its volume fraction: exact
// for planes along the pixel rows and for slices, on average for slanted ones.
func TestCoverageOfPlanes(t *testing.T) {
	g := imaging.NewGrid([3]int{1, 1, 1}, r3.Vec{}, [3]float64{0.8, 0.8, 2})
	s := newScan(g, nil)
	for _, c := range []struct {
		normal r3.Vec
		at     float64
		want   float64
	}{
		{r3.Vec{X: 1}, 0, 0.5}, {r3.Vec{X: 1}, 0.2, 0.75}, {r3.Vec{Y: 1}, -0.4, 0}, {r3.Vec{Y: 1}, 0.4, 1},
		{r3.Vec{Z: 1}, 0, 0.5}, {r3.Vec{Z: 1}, 5, 1}, {r3.Vec{Z: 1}, -5, 0},
		{r3.Vec{X: 1, Z: 1}, 0, 0.5},
	} {
		l := layer{f: halfSpace(r3.Scale(c.at, unit(c.normal)), c.normal)}
		if got := s.coverage(&l, r3.Vec{}); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("normal %v at %.1f mm: coverage %.4f, want %.4f", c.normal, c.at, got, c.want)
		}
	}
	// Sliding a plane through the voxel: the coverages add up to its size.
	for _, n := range []r3.Vec{{X: 1}, {Z: 1}, {X: 1, Y: 1, Z: 1}} {
		var sum float64
		const h = 0.01
		for d := -5.0; d < 5; d += h {
			l := layer{f: halfSpace(r3.Scale(d, unit(n)), n)}
			sum += h * s.coverage(&l, r3.Vec{})
		}
		if math.Abs(sum-5) > 0.02 {
			t.Errorf("normal %v: coverages sum to %.3f mm, want 5", n, sum)
		}
	}
}

func TestBlurKeepsMeanAndShrinksNoiseAsStated(t *testing.T) {
	const n = 256
	w, square := kernel(psfMM, 0.75)
	img, tmp := make([]float32, n*n), make([]float32, n*n)
	addNoise(img, 30, rand.NewPCG(1, 2))
	blur(img, tmp, n, n, w, w)
	var sum, sq float64
	for _, v := range img {
		sum += float64(v)
		sq += float64(v) * float64(v)
	}
	mean, sd := sum/(n*n), math.Sqrt(sq/(n*n))
	if want := 30 * square; math.Abs(sd/want-1) > 0.03 || math.Abs(mean) > 0.5 {
		t.Errorf("mean %.3f, σ %.3f, want 0 and %.3f", mean, sd, want)
	}
}

// Each structure shows its design HU with the design noise where it is whole,
// and the scan places structures where the truth says.
func TestHUOfEachStructure(t *testing.T) {
	l := sample()
	// The middle of the liver at full resolution in the slice.
	g := l.Grid()
	g.Origin, g.Size = r3.Add(g.Origin, r3.Vec{Z: 120}), [3]int{512, 512, 28}
	v, err := l.Volume(context.Background(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	deep := func(f field, mm float64) field { return grown(f, -mm) }
	// Values bound distances from below, so f > 4 is at least 4 mm away.
	clear := grown(union(l.portal, l.hepatic, l.tumours[0].f, l.tumours[1].f), 4)
	air := not(union(grown(l.a.body, 4), halfSpace(r3.Vec{Y: -60}, r3.Vec{Y: -1})))
	for _, c := range []struct {
		name string
		in   field
		hu   float64
	}{
		{"parenchyma", meet(deep(l.a.liver, 4), not(clear)), huParenchyma},
		{"tumours", union(deep(l.tumours[0].f, 4), deep(l.tumours[1].f, 4)), huTumour},
		{"portal vein", deep(l.portal, 2.4), huPortal},
		{"hepatic veins", meet(deep(l.hepatic, 2.4), deep(l.a.liver, 3)), huHepatic},
		{"air", air, huAir},
	} {
		var n, sum, sq, lag float64
		for k := range g.Size[2] {
			for j := 0; j < g.Size[1]; j += 3 {
				for i := 0; i < g.Size[0]-1; i += 3 {
					if f, _ := c.in(g.Point(float64(i), float64(j), float64(k))); f < 0 {
						x := v.Value(g.Index(i, j, k)) - c.hu
						n, sum, sq = n+1, sum+x, sq+x*x
						lag += x * (v.Value(g.Index(i+1, j, k)) - c.hu)
					}
				}
			}
		}
		if n < 100 {
			t.Errorf("%s: only %.0f voxels", c.name, n)
			continue
		}
		mean := sum / n
		sd := math.Sqrt(sq/n - mean*mean)
		// Every third voxel along both rows is counted, so noise is nearly
		// independent; five standard errors and 0.4 HU of blur from outside.
		if math.Abs(mean) > 0.4+5*noiseHU*math.Sqrt(1.5/n) {
			t.Errorf("%s: mean %.2f HU, design %.0f", c.name, c.hu+mean, c.hu)
		}
		if c.name == "parenchyma" && (math.Abs(sd/noiseHU-1) > 0.05 || lag/sq < 0.5 || lag/sq > 0.85) {
			t.Errorf("%s: σ %.2f HU, correlation of neighbours %.2f", c.name, sd, lag/sq)
		}
		if c.name != "air" && (sd < 8 || sd > 14) { // air is clipped at −1024
			t.Errorf("%s: σ %.2f HU", c.name, sd)
		}
	}
	for n, x := range v.Data {
		if x < minHU || x > maxHU {
			t.Fatalf("voxel %d: %d HU", n, x)
		}
	}
}
