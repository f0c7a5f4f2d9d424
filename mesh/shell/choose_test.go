package shell

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// vesselLabels rasterises capsules in tissue; h are the spacings, mm.
func vesselLabels(c capsules, size [3]int, h [3]float64) *imaging.Labels {
	g := imaging.NewGrid(size, r3.Vec{X: -h[0] * float64(size[0]-1) / 2, Y: -h[1] * float64(size[1]-1) / 2, Z: -h[2] * float64(size[2]-1) / 2}, h)
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range l.ID {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		l.ID[n] = tissue
		if p.X > 5 {
			l.ID[n] = imaging.LabelTumour
		}
		for _, s := range c {
			ab := r3.Sub(s.b, s.a)
			t := math.Max(0, math.Min(1, r3.Dot(r3.Sub(p, s.a), ab)/r3.Norm2(ab)))
			if r3.Norm(r3.Sub(p, r3.Add(s.a, r3.Scale(t, ab)))) < s.r {
				l.ID[n] = lumen
			}
		}
	}
	return l
}

// trunk is a vessel of 5 mm with two branches of 1.5 and 1 mm.
func trunk() capsules {
	return capsules{
		{r3.Vec{Z: -30}, r3.Vec{Z: 30}, 5},
		{r3.Vec{}, r3.Vec{X: 20}, 1.5},
		{r3.Vec{Z: 8}, r3.Vec{X: -14, Y: 10, Z: 8}, 1},
	}
}

func TestChooseSplitsByRadius(t *testing.T) {
	for _, h := range [][3]float64{{0.5, 0.5, 0.5}, {0.4, 0.6, 0.8}} {
		l := vesselLabels(trunk(), [3]int{int(48 / h[0]), int(40 / h[1]), int(48 / h[2])}, h)
		before := append([]imaging.Label(nil), l.ID...)
		c, err := Choose(t.Context(), l, lumen, 1.5, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, l.ID) {
			t.Fatal("the labels were changed")
		}
		mask := c.IsEmbedded()
		conform, embed, total := 0, 0, 0
		for n, id := range l.ID {
			switch {
			case id != lumen:
				if mask[n] || c.Conforming.ID[n] != id {
					t.Fatalf("voxel %d is not of the vessel, but changed", n)
				}
				continue
			case mask[n] == (c.Conforming.ID[n] == lumen):
				t.Fatalf("voxel %d is in both parts or in none", n)
			case mask[n]:
				embed++
				i, j, k := l.Grid.IJK(n)
				p := l.Grid.Point(float64(i), float64(j), float64(k))
				want := tissue
				if p.X > 5 {
					want = imaging.LabelTumour
				}
				if got := c.Conforming.ID[n]; got != want && math.Abs(p.X-5) > 3 {
					t.Fatalf("voxel at %v was given to %v, not to %v", p, got, want)
				}
				if d := math.Hypot(p.X, p.Y); d < 5-1e-9 {
					t.Fatalf("the trunk lost the voxel at %v, %.2f mm from its axis", p, d)
				}
				conform-- // counted below
			}
			conform++
			total++
		}
		voxel := l.Grid.VoxelMM3()
		if math.Abs(c.EmbeddedMM3-float64(embed)*voxel) > 1e-6 || math.Abs(c.ConformingMM3-float64(conform)*voxel) > 1e-6 || conform+embed != total {
			t.Fatalf("volumes %+v, %d + %d of %d voxels", c, conform, embed, total)
		}
		// all of the branches but their first millimetre goes
		outside := l.Count(func(x imaging.Label) bool { return x == lumen })
		for n, id := range l.ID {
			i, j, k := l.Grid.IJK(n)
			if p := l.Grid.Point(float64(i), float64(j), float64(k)); id == lumen && math.Hypot(p.X, p.Y) < 5 {
				outside--
			}
		}
		if embed > outside || embed < outside*9/10 {
			t.Fatalf("%d voxels embedded of %d outside the trunk", embed, outside)
		}
		if c.Parts != 2 || c.RadiusMM != 3 || math.Abs(c.ConformingMaxMM-5) > h[2] || math.Abs(c.EmbeddedMaxMM-1.5) > h[2] {
			t.Fatalf("%d parts, radii %g, %g, %g", c.Parts, c.RadiusMM, c.ConformingMaxMM, c.EmbeddedMaxMM)
		}
	}
}

// Lines run along the axes, have the length, radius and volume of the branches
// and meet the trunk.
func TestChooseLines(t *testing.T) {
	h := [3]float64{0.4, 0.4, 0.4}
	l := vesselLabels(trunk(), [3]int{120, 100, 60}, h)
	c, err := Choose(t.Context(), l, lumen, 2, 1.5, nil)
	if err != nil {
		t.Fatal(err)
	}
	ln := c.Lines
	if len(ln.Ends) != 2 || len(ln.Points) != len(ln.RadiusMM) || len(ln.Segments) != len(ln.Points)-2 {
		t.Fatalf("%d points, %d segments, %d ends", len(ln.Points), len(ln.Segments), len(ln.Ends))
	}
	length := 0.0
	for _, s := range ln.Segments {
		length += r3.Norm(r3.Sub(ln.Points[s[0]], ln.Points[s[1]]))
	}
	if want := 20 + 1.5 - 5 + math.Hypot(14, 10) + 1 - 5; math.Abs(length-want) > 2 {
		t.Errorf("lines of %.2f mm, want %.2f", length, want)
	}
	for i, p := range ln.Points {
		off := math.Hypot(p.Y, p.Z)
		r := 1.5
		if p.X < 0 {
			d := r3.Unit(r3.Vec{X: -14, Y: 10})
			q := r3.Sub(p, r3.Vec{Z: 8})
			off, r = r3.Norm(r3.Sub(q, r3.Scale(r3.Dot(q, d), d))), 1
		}
		end := math.Hypot(p.X, p.Y) < 5.5 || math.Hypot(p.X, p.Y) > 17
		if off > 0.6*h[0]*math.Sqrt(3) && !end {
			t.Errorf("point %v is %.2f mm off the axis", p, off)
		}
		if math.Abs(ln.RadiusMM[i]-r) > h[0] && !end {
			t.Errorf("radius %.2f at %v, want %.1f", ln.RadiusMM[i], p, r)
		}
	}
	for _, e := range ln.Ends {
		if d := math.Hypot(ln.Points[e].X, ln.Points[e].Y); d > 6 {
			t.Errorf("a line ends %.2f mm from the axis of the trunk", d)
		}
	}
	if v := ln.VolumeMM3(); math.Abs(v-c.EmbeddedMM3) > 0.2*c.EmbeddedMM3 {
		t.Errorf("lines hold %.1f mm³, the voxels %.1f", v, c.EmbeddedMM3)
	}
}

func TestChooseExtremes(t *testing.T) {
	l := vesselLabels(trunk(), [3]int{40, 36, 30}, [3]float64{1, 1, 1})
	all, err := Choose(t.Context(), l, lumen, 0.1, 1, nil) // all are thick
	if err != nil || len(all.Embedded) != 0 || !reflect.DeepEqual(all.Conforming.ID, l.ID) || len(all.Lines.Points) != 0 {
		t.Fatalf("%v, %d embedded", err, len(all.Embedded))
	}
	none, err := Choose(t.Context(), l, lumen, 10, 1, nil) // all are thin
	if err != nil || len(none.Embedded) != l.Count(func(x imaging.Label) bool { return x == lumen }) {
		t.Fatalf("%v, %d embedded", err, len(none.Embedded))
	}
	if none.Conforming.Count(func(x imaging.Label) bool { return x == lumen }) != 0 || none.Parts != 1 || len(none.Lines.Ends) != 0 {
		t.Fatalf("%d parts, %d ends", none.Parts, len(none.Lines.Ends))
	}
	// labels that may not take voxels do not; without any they go to background
	only, err := Choose(t.Context(), l, lumen, 10, 1, func(x imaging.Label) bool { return x == imaging.LabelTumour })
	if err != nil || only.Conforming.Count(func(x imaging.Label) bool { return x == tissue }) != l.Count(func(x imaging.Label) bool { return x == tissue }) {
		t.Fatal("tissue took voxels it may not", err)
	}
	only, err = Choose(t.Context(), l, lumen, 10, 1, func(imaging.Label) bool { return false })
	if err != nil || only.Conforming.Count(func(x imaging.Label) bool { return x == imaging.LabelBackground }) != len(only.Embedded) {
		t.Fatal("voxels that touch no tissue did not go to background", err)
	}
}

// Noise, single voxels, a full grid: every voxel ends in one part.
func TestChooseOnAnyLabels(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 7))
		g := imaging.NewGrid([3]int{1 + rng.IntN(9), 1 + rng.IntN(9), 1 + rng.IntN(9)}, r3.Vec{}, [3]float64{0.5 + rng.Float64(), 1, 0.7})
		l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
		p := rng.Float64() * 1.2
		for n := range l.ID {
			if l.ID[n] = imaging.Label(rng.IntN(4)); rng.Float64() < p {
				l.ID[n] = lumen
			}
		}
		l.ID[rng.IntN(len(l.ID))] = lumen
		c, err := Choose(t.Context(), l, lumen, 0.2+rng.Float64(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		mask := c.IsEmbedded()
		for n, id := range l.ID {
			if (id == lumen) != (mask[n] || c.Conforming.ID[n] == lumen) || mask[n] && c.Conforming.ID[n] == lumen {
				t.Fatalf("seed %d: voxel %d", seed, n)
			}
		}
		trees := len(c.Lines.Points) - len(c.Lines.Segments)
		if trees != c.Parts {
			t.Fatalf("seed %d: %d trees for %d parts", seed, trees, c.Parts)
		}
	}
}

func TestChooseSameBitsForAnyCoreCount(t *testing.T) {
	l := vesselLabels(trunk(), [3]int{60, 50, 40}, [3]float64{0.8, 0.8, 0.8})
	var first *Choice
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		c, err := Choose(t.Context(), l, lumen, 2, 1, nil)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c
		} else if !reflect.DeepEqual(first, c) {
			t.Fatalf("GOMAXPROCS %d chooses otherwise", p)
		}
	}
}

func TestChooseRefusals(t *testing.T) {
	l := vesselLabels(trunk(), [3]int{12, 12, 12}, [3]float64{2, 2, 2})
	var none *NoVesselError
	if _, err := Choose(t.Context(), l, imaging.LabelArtery, 1, 1, nil); !errors.As(err, &none) || none.Vessel != imaging.LabelArtery {
		t.Errorf("absent vessel: %v", err)
	}
	for _, x := range [][2]float64{{0, 1}, {1, 0}, {-1, 1}, {1, math.NaN()}, {math.Inf(1), 1}, {1e300, 1e300}} {
		if _, err := Choose(t.Context(), l, lumen, x[0], x[1], nil); err == nil {
			t.Errorf("edge %g, ratio %g accepted", x[0], x[1])
		}
	}
	if _, err := Choose(t.Context(), l, imaging.LabelBackground, 1, 1, nil); err == nil {
		t.Error("background accepted")
	}
	if _, err := Choose(t.Context(), &imaging.Labels{Grid: l.Grid}, lumen, 1, 1, nil); err == nil {
		t.Error("missing labels accepted")
	}
	bad := *l
	bad.Grid.Origin.X = math.NaN()
	if _, err := Choose(t.Context(), &bad, lumen, 1, 1, nil); err == nil {
		t.Error("NaN origin accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Choose(ctx, l, lumen, 1, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
