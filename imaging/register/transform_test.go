package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
)

func randomVec(rng *rand.Rand, size float64) r3.Vec {
	return r3.Vec{X: size * rng.NormFloat64(), Y: size * rng.NormFloat64(), Z: size * rng.NormFloat64()}
}

func near(a, b r3.Vec, tol float64) bool { return r3.Norm(r3.Sub(a, b)) <= tol }

func TestTransformAlgebra(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 82))
	for range 200 {
		w := randomVec(rng, 1)
		if l := r3.Norm(w); l > 3.1 {
			w = r3.Scale(3.1/l, w)
		}
		c, s, p := randomVec(rng, 100), randomVec(rng, 50), randomVec(rng, 200)
		a := NewRigid(w, c, s)
		if !a.IsRigid() || math.Abs(a.Determinant()-1) > 1e-12 {
			t.Fatalf("not rigid: %v", a)
		}
		gotW, gotS, ok := a.RigidAbout(c)
		if !ok || !near(gotW, w, 1e-9) || !near(gotS, s, 1e-9) {
			t.Fatalf("parameters %v %v, want %v %v", gotW, gotS, w, s)
		}
		q := r3.Add(r3.Rotate(r3.Sub(p, c), r3.Norm(w), w), r3.Add(c, s))
		if !near(a.Apply(p), q, 1e-9) {
			t.Fatalf("Apply %v, want %v", a.Apply(p), q)
		}
		m := [9]float64{1, 0.2, -0.1, 0.05, 0.9, 0.3, 0.1, 0.1, 1.2}
		b := NewAffine(m, c, s)
		if b.IsRigid() {
			t.Fatal("affine taken for rigid")
		}
		if _, _, ok := b.RigidAbout(c); ok {
			t.Fatal("rigid parameters of an affine map")
		}
		if !near(a.Compose(b).Apply(p), a.Apply(b.Apply(p)), 1e-9) {
			t.Fatal("Compose")
		}
		inv, err := b.Invert()
		if err != nil || !near(inv.Apply(b.Apply(p)), p, 1e-9) {
			t.Fatalf("Invert: %v", err)
		}
	}
	for _, w := range []r3.Vec{{}, {X: 1e-9}, {Y: 1e-5}, {Z: math.Pi - 1e-9}, {X: 2, Y: 2, Z: -1}} {
		m := rotationMatrix(w)
		if !near(rotationVector(&m), w, 1e-9) {
			t.Errorf("rotation vector of %v is %v", w, rotationVector(&m))
		}
	}
	flip := NewAffine([9]float64{-1, 0, 0, 0, 1, 0, 0, 0, 1}, r3.Vec{}, r3.Vec{})
	if flip.IsRigid() || flip.Validate() != nil {
		t.Error("a mirror image is no rigid motion, but valid")
	}
}

func TestSingularTransformsAreRefused(t *testing.T) {
	nan, inf := Identity(), Identity()
	nan.Translation.X = math.NaN()
	inf.Matrix[4] = math.Inf(1)
	for n, s := range []Transform{{}, nan, inf, {Matrix: [9]float64{1, 2, 3, 2, 4, 6, 0, 0, 1}}, {Matrix: [9]float64{1e-200, 0, 0, 0, 1e-200, 0, 0, 0, 1e-200}}} {
		if err := s.Validate(); !errors.Is(err, ErrSingular) {
			t.Errorf("%d: Validate: %v", n, err)
		}
		if _, err := s.Invert(); !errors.Is(err, ErrSingular) {
			t.Errorf("%d: Invert: %v", n, err)
		}
		if _, err := json.Marshal(s); !errors.Is(err, ErrSingular) {
			t.Errorf("%d: JSON: %v", n, err)
		}
		v := made(4, blocks)
		if _, err := Resample(context.Background(), v, v.Grid, s, 0); !errors.Is(err, ErrSingular) {
			t.Errorf("%d: Resample: %v", n, err)
		}
	}
}

func FuzzTransformJSON(f *testing.F) {
	b, _ := json.Marshal(NewRigid(r3.Vec{X: 0.1, Y: 0.2}, r3.Vec{Z: 9}, r3.Vec{Y: 3}))
	f.Add(b)
	f.Add([]byte(`{"matrix":[[1,0,0],[0,1,0],[0,0,1]],"translation_mm":[0,0,0],"frame":"RAS","maps":"fixed to moving"}`))
	f.Add([]byte(`{"matrix":[[1,0],[0,1,0],[0,0,1]],"translation_mm":[0,0,0],"frame":"LPS","maps":"fixed to moving"}`))
	f.Add([]byte(`{"matrix":[[1e308,0,0],[0,1e308,0],[0,0,1e308]],"translation_mm":[1e308,0,0],"frame":"LPS","maps":"fixed to moving"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Transform
		if a.UnmarshalJSON(b) != nil {
			if a != (Transform{}) {
				t.Fatal("refused, but changed the transform")
			}
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatalf("read an invalid transform: %v", err)
		}
		out, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var again Transform
		if err := json.Unmarshal(out, &again); err != nil || again != a {
			t.Fatalf("round trip: %v %v", err, again)
		}
		if inv, err := a.Invert(); err == nil {
			if err := inv.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestResample(t *testing.T) {
	ctx := context.Background()
	// A linear field stays linear wherever it is interpolated.
	field := func(p r3.Vec) float64 { return 5*p.X - 3*p.Y + 7*p.Z + 100 }
	v := made(20, field)
	v.Slope, v.Intercept, v.Kind = 0.5, -10, imaging.KindMR
	move := NewRigid(r3.Vec{X: 0.2, Y: -0.1, Z: 0.3}, r3.Vec{X: 3}, r3.Vec{X: 1.3, Y: -2.2, Z: 0.4})
	g := imaging.NewGrid([3]int{17, 23, 9}, r3.Vec{X: -20, Y: -25, Z: -10}, [3]float64{2.5, 2.1, 3})
	out, err := Resample(ctx, v, g, move, -500)
	if err != nil {
		t.Fatal(err)
	}
	if out.Grid != g || out.Slope != v.Slope || out.Intercept != v.Intercept || out.Kind != v.Kind {
		t.Errorf("head of the result: %+v", out)
	}
	in, empty := 0, 0
	for n := range out.Data {
		i, j, k := g.IJK(n)
		p := move.Apply(g.Point(float64(i), float64(j), float64(k)))
		switch far := math.Max(math.Abs(p.X), math.Max(math.Abs(p.Y), math.Abs(p.Z))); {
		case far <= 19:
			in++
			if math.Abs(float64(out.Data[n])-field(p)) > 0.5001 {
				t.Fatalf("voxel %d,%d,%d: %d, want %.2f", i, j, k, out.Data[n], field(p))
			}
		case far > 20:
			empty++
			if out.Value(n) != -500 {
				t.Fatalf("voxel %d,%d,%d outside: %g", i, j, k, out.Value(n))
			}
		}
	}
	if in < 500 || empty < 500 {
		t.Errorf("%d voxels inside, %d outside: the test sees too little", in, empty)
	}
	same, err := Resample(ctx, v, v.Grid, Identity(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range v.Data {
		if v.Data[n] != same.Data[n] {
			t.Fatal("the identity changes the volume")
		}
	}
	if _, err := Resample(ctx, v, g, move, math.NaN()); !errors.Is(err, ErrOptions) {
		t.Errorf("outside NaN: %v", err)
	}
	if _, err := Resample(ctx, nil, g, move, 0); !errors.Is(err, ErrOptions) {
		t.Errorf("nil: %v", err)
	}
	if _, err := Resample(ctx, v, imaging.Grid{}, move, 0); !errors.Is(err, ErrOptions) {
		t.Errorf("no grid: %v", err)
	}
}

func TestResampleSegmentsKeepsEveryBit(t *testing.T) {
	ctx := context.Background()
	g := made(16, blocks).Grid
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour)
	rng := rand.New(rand.NewPCG(2, 83))
	for n := range s.Bits {
		s.Bits[n] = uint32(rng.IntN(4))
	}
	// A quarter turn about the middle and a shift of one voxel permute voxels.
	quarter := NewRigid(r3.Vec{Z: math.Pi / 2}, r3.Vec{}, r3.Vec{Z: 2})
	out, err := ResampleSegments(ctx, s, g, quarter)
	if err != nil {
		t.Fatal(err)
	}
	for n := range out.Bits {
		i, j, k := g.IJK(n)
		want := uint32(0)
		if g.Contains(15-j, i, k+1) {
			want = s.Bits[g.Index(15-j, i, k+1)]
		}
		if out.Bits[n] != want {
			t.Fatalf("voxel %d,%d,%d: bits %b, want %b", i, j, k, out.Bits[n], want)
		}
	}
	if len(out.Of) != 2 || out.Bit(imaging.LabelTumour) != s.Bit(imaging.LabelTumour) {
		t.Errorf("structures %v", out.Of)
	}
	if _, err := ResampleSegments(ctx, &imaging.Segments{Grid: g}, g, quarter); !errors.Is(err, ErrOptions) {
		t.Errorf("empty: %v", err)
	}
}

func TestJSONNamesFrameAndDirection(t *testing.T) {
	b, err := json.Marshal(Identity())
	if err != nil || !bytes.Contains(b, []byte(`"frame":"LPS"`)) || !bytes.Contains(b, []byte(`"maps":"fixed to moving"`)) {
		t.Errorf("%s %v", b, err)
	}
}
