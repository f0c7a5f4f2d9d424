package uncertainty

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// What lies between mask and border, and between the border and the moved one,
// adds up to the volumes.
func TestLayersAndPiecesAddUp(t *testing.T) {
	s, _ := ballScan(10, 1.95, 150, 100)
	count := 0.0
	inside := func(n int) bool { return s.HU[n] > 120 } // a mask somewhat too wide
	for n := range s.HU {
		if inside(n) {
			count++
		}
	}
	b, err := s.Border(context.Background(), inside, nil, 1.95)
	if err != nil {
		t.Fatal(err)
	}
	sum := count * s.Grid.VoxelMM3()
	b.Layers(func(_ r3.Vec, mm3 float64) { sum += mm3 })
	if math.Abs(sum/b.VolumeMM3-1) > 1e-9 {
		t.Errorf("mask and layers make %.6f mm³, the border holds %.6f", sum, b.VolumeMM3)
	}
	m, err := b.Move(0.3, 1.1)
	if err != nil {
		t.Fatal(err)
	}
	sum = b.VolumeMM3
	pieces := 0
	m.Pieces(func(_ int, mm3 float64) { sum += mm3; pieces++ })
	if math.Abs(sum/m.VolumeMM3()-1) > 1e-9 || pieces != len(b.PieceAt()) {
		t.Errorf("border and %d pieces make %.6f mm³, the moved border holds %.6f", pieces, sum, m.VolumeMM3())
	}
}

// The index finds the point that looking at all of them finds.
func TestNearestPoint(t *testing.T) {
	s, centre := ballScan(10, 1.95, 150, 100)
	b, err := s.Border(context.Background(), func(n int) bool { return s.HU[n] > 125 }, nil, 1.95)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		p := r3.Add(centre, r3.Vec{X: 50 * (rng.Float64() - 0.5), Y: 50 * (rng.Float64() - 0.5), Z: 50 * (rng.Float64() - 0.5)})
		within := 1 + 20*rng.Float64()
		best := within
		for _, q := range b.Smooth.Points {
			best = min(best, r3.Norm(r3.Sub(p, q)))
		}
		n, ok := b.Nearest(p, within)
		if ok != (best < within) || ok && r3.Norm(r3.Sub(p, b.Smooth.Points[n])) > best {
			t.Fatalf("nearest to %v within %.1f mm: point %d (%v), want one at %.3f mm", p, within, n, ok, best)
		}
		// less blur and smoothing the distance is that of the ball
		if ok && math.Abs(b.Smooth.SignedMM(p, n)-(r3.Norm(r3.Sub(p, centre))-10)) > 1.2 {
			t.Fatalf("%v is %.2f mm from the border", p, b.Smooth.SignedMM(p, n))
		}
	}
}

// Between lung on one side and fat on the other each place has its own level
// outside; the part that touches muscle of the organ's own density shows no
// step, and the mask stands there.
func TestBorderBetweenDifferentNeighbours(t *testing.T) {
	const r, sigma = 24.0, 1.8
	s, centre := ballScan(r, sigma, 1, 0)
	outside := func(p r3.Vec) float64 {
		switch u := r3.Unit(r3.Sub(p, centre)); {
		case u.X < -0.3:
			return -800
		case u.X < 0.5:
			return -100
		}
		return 105
	}
	mask := make([]bool, len(s.HU))
	volume := 0.0
	for n, f := range s.HU {
		i, j, k := s.Grid.IJK(n)
		p := s.Grid.Point(float64(i), float64(j), float64(k))
		s.HU[n] = f*110 + (1-f)*float32(outside(p))
		if mask[n] = r3.Norm(r3.Sub(p, centre)) < r; mask[n] {
			volume += s.Grid.VoxelMM3()
		}
	}
	s.NoiseHU = 5
	s.Scales = []Scale{{4, 2.5}, {3, 7}}
	s.SmoothedMM = sigma
	b, err := s.Border(context.Background(), func(n int) bool { return mask[n] }, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if b.SeenShare < 0.3 || b.SeenShare > 0.75 { // a quarter touches muscle, and two neighbours meet twice
		t.Errorf("%.0f %% of the border show a step, want 30 to 75 %%", 100*b.SeenShare)
	}
	m, err := b.Move(0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	if v := m.VolumeMM3() / volume; math.Abs(v-1) > 0.02 {
		t.Errorf("volume %.4f of the ball's", v)
	}
	was := m.VolumeMM3()
	m.UnseenMM = 1
	if grown, unseen := m.VolumeMM3()-was, (1-b.SeenShare)*b.AreaMM2(); math.Abs(grown/unseen-1) > 0.1 { // 1 mm on 24: 4 % more
		t.Errorf("1 mm where nothing is seen adds %.0f mm³ to an area of %.0f mm²", grown, unseen)
	}
}

func TestMaskAndImageApart(t *testing.T) {
	s, centre := ballScan(14, 1.95, 150, 100)
	_, err := s.Border(context.Background(), func(n int) bool {
		i, j, k := s.Grid.IJK(n)
		return r3.Norm(r3.Sub(s.Grid.Point(float64(i), float64(j), float64(k)), centre)) < 16
	}, nil, 0)
	var apart *ApartError
	if !errors.As(err, &apart) || math.Abs(apart.OffMM+2.3) > 0.8 { // 2 mm, and the blur
		t.Errorf("a mask 2 mm too wide: %v", err)
	}
}

func TestPrepareImage(t *testing.T) {
	ctx := context.Background()
	g := imaging.NewGrid([3]int{20, 20, 10}, r3.Vec{X: 5}, [3]float64{0.7, 0.7, 2})
	v := imaging.NewVolume(g, imaging.KindHU)
	for n := range v.Data {
		v.Data[n] = 40
	}
	crop := g.Crop(imaging.Box{Lo: [3]int{-2, 3, 1}, Hi: [3]int{12, 15, 12}})
	m, err := PrepareImage(ctx, v, crop)
	if err != nil {
		t.Fatal(err)
	}
	if want := [3]int{7, 6, 11}; m.Grid.Size != want { // 2 × 2 × 1 voxels each
		t.Errorf("%v voxels, want %v", m.Grid.Size, want)
	}
	for n, hu := range m.HU {
		if math.Abs(float64(hu)-40) > 1e-3 {
			t.Fatalf("voxel %d is %g HU, want 40", n, hu)
		}
	}
	volume, want := 0.0, 0.0
	in := func(n int) bool { return n%3 == 0 }
	for n := range crop.Len() {
		if in(n) {
			want += crop.VoxelMM3()
		}
	}
	mask, share := m.Mask(in), m.Share(in)
	for _, s := range mask {
		if s {
			volume += m.Grid.VoxelMM3()
		}
	}
	m.Fraction(mask, share, func(_ r3.Vec, mm3 float64) { volume -= mm3 })
	if math.Abs(volume/want-1) > 1e-5 {
		t.Errorf("mask less fractions %.2f mm³, want %.2f", volume, want)
	}
	var image *ImageError
	far := crop
	far.Origin.X += 0.3
	if _, err := PrepareImage(ctx, v, far); !errors.As(err, &image) {
		t.Errorf("another grid: %v", err)
	}
	far.Origin.X += 300
	if _, err := PrepareImage(ctx, v, far); !errors.As(err, &image) {
		t.Errorf("elsewhere: %v", err)
	}
	v.Data = v.Data[1:]
	if _, err := PrepareImage(ctx, v, crop); !errors.As(err, &image) {
		t.Errorf("a sample short: %v", err)
	}
}
