package remesh

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// sound checks what Decimate promises of any input.
func sound(t *testing.T, in, out *mesh.Surface, opt Options, rep Report) {
	t.Helper()
	if err := out.Check(); err != nil && in.Check() == nil {
		t.Fatal(err)
	}
	if rep.TrisBefore != len(in.Tris) || rep.TrisAfter != len(out.Tris) || rep.VertsAfter != len(out.Verts) {
		t.Fatalf("report %+v of %d faces, %d vertices", rep, len(out.Tris), len(out.Verts))
	}
	small, least, bound := 0, 180.0, opt.MinAngleDeg
	if bound == 0 {
		bound = DefaultMinAngleDeg
	}
	for f := range out.Tris {
		a := minAngle(out, f)
		least = min(least, a)
		if a < bound-1e-4 {
			small++
		}
	}
	if small > rep.SmallAngles || len(out.Tris) > 0 && math.Abs(least-rep.MinAngleDeg) > 0.02 {
		t.Fatalf("%d faces under %g°, least %g°; reported %d and %g°", small, bound, least, rep.SmallAngles, rep.MinAngleDeg)
	}
	for _, l := range in.Labels() {
		a, b := in.Topology(l), out.Topology(l)
		if opt.SplitSheets {
			if b.NonManifoldEdges > 0 || b.OpenEdges > a.OpenEdges {
				t.Fatalf("%v: %+v became %+v", l, a, b)
			}
			continue
		}
		if b.NonManifoldEdges > a.NonManifoldEdges || b.OpenEdges > a.OpenEdges || a.OpenEdges == 0 && a.Euler() != b.Euler() {
			t.Fatalf("%v: %+v (Euler %d) became %+v (Euler %d)", l, a, a.Euler(), b, b.Euler())
		}
		if x, y := parts(in, l), parts(out, l); x != y {
			t.Fatalf("%v: %d parts became %d", l, x, y)
		}
	}
	for _, v := range rep.Volumes {
		if x := out.VolumeMM3(func(l imaging.Label) bool { return l == v.Label }); math.Abs(x-v.AfterMM3) > 1e-6*v.BeforeMM3 {
			t.Fatalf("%v: volume %g, reported %g", v.Label, x, v.AfterMM3)
		}
	}
	if rep.DistMM > opt.MaxDistMM {
		t.Fatalf("distance %g of %g", rep.DistMM, opt.MaxDistMM)
	}
}

func decimate(t testing.TB, s *mesh.Surface, opt Options) (*mesh.Surface, Report) {
	t.Helper()
	out, rep, err := Decimate(context.Background(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	return out, rep
}

func Example() {
	ball := sphere(6, 30) // 32768 faces
	out, rep, err := Decimate(context.Background(), ball, Options{MaxDistMM: 0.5, Ratio: 0.1})
	if err != nil {
		panic(err)
	}
	v := rep.Volumes[0]
	fmt.Printf("%d faces, Euler %d, within %.1f mm: %v, volume within 0.01 %%: %v\n", len(out.Tris), out.Topology(imaging.LabelLiver).Euler(),
		0.5, rep.DistMM <= 0.5, math.Abs(v.AfterMM3/v.BeforeMM3-1) < 1e-4)
	// Output: 3276 faces, Euler 2, within 0.5 mm: true, volume within 0.01 %: true
}

func TestSphereAndTorus(t *testing.T) {
	for name, s := range map[string]*mesh.Surface{"sphere": sphere(5, 20), "torus": torus(160, 60, 20, 7)} {
		for _, opt := range []Options{
			{MaxDistMM: 0.3, Ratio: 0.2}, {MaxDistMM: 0.3}, {MaxDistMM: 0.05}, {MaxDistMM: 1, KeepVerts: true}, {MaxDistMM: 0.3, MinAngleDeg: 15},
			{MaxDistMM: math.Inf(1), TargetTris: 200}, {MaxDistMM: 1e-6},
		} {
			out, rep := decimate(t, s, opt)
			sound(t, s, out, opt, rep)
			d := apart(s, out, 10000)
			if d > min(opt.MaxDistMM, 1.05*rep.DistMM+1e-9) {
				t.Fatalf("%s %+v: distance %g, reported %g", name, opt, d, rep.DistMM)
			}
			if rep.SmallAngles > 0 {
				t.Fatalf("%s %+v: %d small angles", name, opt, rep.SmallAngles)
			}
			v := rep.Volumes[0]
			if e := math.Abs(v.AfterMM3/v.BeforeMM3 - 1); !opt.KeepVerts && e > 2e-4 {
				t.Fatalf("%s %+v: volume error %g", name, opt, e)
			}
			// no normal against the one of the input
			centre := func(p r3.Vec) r3.Vec {
				if name == "sphere" {
					return p
				}
				q := r3.Scale(20/math.Hypot(p.X, p.Y), r3.Vec{X: p.X, Y: p.Y})
				return r3.Sub(p, q)
			}
			for f, v := range out.Tris {
				p := r3.Scale(1./3, r3.Add(out.Verts[v[0]], r3.Add(out.Verts[v[1]], out.Verts[v[2]])))
				if r3.Dot(normal(out.Verts[v[0]], out.Verts[v[1]], out.Verts[v[2]]), centre(p)) <= 0 {
					t.Fatalf("%s %+v: face %d is turned over", name, opt, f)
				}
			}
			t.Logf("%s %+v: %d of %d faces, distance %.4f (reported %.4f), angle %.1f°, rounds %d, passes %d", name, opt, len(out.Tris), len(s.Tris), d, rep.DistMM, rep.MinAngleDeg, rep.Rounds, rep.Passes)
		}
	}
}

// Planes decimate to the least, edges and corners stay.
func TestCube(t *testing.T) {
	s := cube(24, 10)
	out, rep := decimate(t, s, Options{MaxDistMM: 0.01})
	sound(t, s, out, Options{MaxDistMM: 0.01}, rep)
	if d := apart(s, out, 10000); d > 1e-6 || rep.DistMM > 1e-6 {
		t.Fatalf("distance %g, reported %g", d, rep.DistMM)
	}
	if v := rep.Volumes[0]; math.Abs(v.AfterMM3-1000) > 1e-6 {
		t.Fatalf("volume %+v", v)
	}
	for _, corner := range []r3.Vec{{}, {X: 10}, {Y: 10}, {Z: 10}, {X: 10, Y: 10}, {X: 10, Z: 10}, {Y: 10, Z: 10}, {X: 10, Y: 10, Z: 10}} {
		near := math.Inf(1)
		for _, p := range out.Verts {
			near = min(near, r3.Norm(r3.Sub(p, corner)))
		}
		if near > 1e-6 {
			t.Fatalf("corner %v is gone by %g mm", corner, near)
		}
	}
	if len(out.Tris) > 20 {
		t.Fatalf("%d faces are left of a cube", len(out.Tris))
	}
	t.Logf("%d faces, angle %.1f°", len(out.Tris), rep.MinAngleDeg)
}

func TestOpenSurface(t *testing.T) {
	s := patch(40, 30, false, false, func(u, v float64) r3.Vec { return r3.Vec{X: 20 * u, Y: 15 * v, Z: math.Sin(3 * u)} })
	border := func(s *mesh.Surface) map[[2]r3.Vec]bool {
		out := map[[2]r3.Vec]bool{}
		for _, v := range s.Tris {
			for k := range 3 {
				a, b := s.Verts[v[k]], s.Verts[v[(k+1)%3]]
				if out[[2]r3.Vec{b, a}] {
					delete(out, [2]r3.Vec{b, a})
				} else {
					out[[2]r3.Vec{a, b}] = true
				}
			}
		}
		return out
	}
	for _, keep := range []bool{true, false} {
		opt := Options{MaxDistMM: 0.1, KeepBorders: keep}
		out, rep := decimate(t, s, opt)
		sound(t, s, out, opt, rep)
		if d := apart(s, out, 10000); d > 0.1 {
			t.Fatalf("distance %g", d)
		}
		a, b := border(s), border(out)
		t.Logf("keep %v: %d of %d faces, border %d of %d edges, angle %.1f°, %d small", keep, len(out.Tris), len(s.Tris), len(b), len(a), rep.MinAngleDeg, rep.SmallAngles)
		if len(rep.Volumes) > 0 {
			t.Fatal("an open surface has no volume")
		}
		if !keep {
			if len(b) >= len(a) {
				t.Fatalf("border has %d of %d edges", len(b), len(a))
			}
			continue
		}
		if len(b) != len(a) {
			t.Fatalf("border has %d of %d edges", len(b), len(a))
		}
		for e := range a {
			if !b[e] {
				t.Fatalf("border edge %v is gone", e)
			}
		}
	}
}

// Lines where three labels meet stay within the distance, points where four
// meet stay.
func TestJunctions(t *testing.T) {
	s := extract(t, organ(56), 20)
	for _, opt := range []Options{{MaxDistMM: 0.35, Ratio: 0.1}, {MaxDistMM: 0.35, SplitSheets: true}, {MaxDistMM: 0.1}} {
		out, rep := decimate(t, s, opt)
		sound(t, s, out, opt, rep)
		if d := apart(s, out, 10000); d > min(opt.MaxDistMM, 1.25*rep.DistMM) {
			t.Fatalf("%+v: distance %g, reported %g", opt, d, rep.DistMM)
		} else {
			t.Logf("%+v: %d of %d faces, distance %.4f (reported %.4f), angle %.1f°, %d small, rounds %d, passes %d", opt, len(out.Tris), len(s.Tris), d, rep.DistMM, rep.MinAngleDeg, rep.SmallAngles, rep.Rounds, rep.Passes)
		}
		if rep.SmallAngles > 0 {
			t.Fatalf("%d small angles", rep.SmallAngles)
		}
		for _, v := range rep.Volumes {
			if e := math.Abs(v.AfterMM3/v.BeforeMM3 - 1); e > 1e-3 {
				t.Fatalf("%v: volume error %g", v.Label, e)
			}
		}
		if opt.SplitSheets { // edges where four labels met may have become two
			continue
		}
		a, b := lines(s), lines(out)
		da, db := maxToSegments(a, b), maxToSegments(b, a)
		if max(da, db) > opt.MaxDistMM {
			t.Fatalf("%+v: lines are %g and %g mm apart", opt, da, db)
		}
		// as many points where lines end or meet, at the same places
		pa, pb := ends(a), ends(b)
		if len(pa) != len(pb) {
			t.Fatalf("%d and %d meeting points", len(pa), len(pb))
		}
		for p := range pa {
			if !pb[p] {
				t.Fatalf("meeting point %v is gone", p)
			}
		}
		t.Logf("lines %.3f mm apart, %d meeting points", max(da, db), len(pa))
	}
}

// Every face looks the way some face of the input near it does.
func TestNoFaceTurnsOver(t *testing.T) {
	s := extract(t, organ(40), 20)
	faces := make([][]int32, len(s.Verts))
	for f, v := range s.Tris {
		for _, p := range v {
			faces[p] = append(faces[p], int32(f))
		}
	}
	unit := func(s *mesh.Surface, f int) r3.Vec {
		v := s.Tris[f]
		return r3.Unit(normal(s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]))
	}
	for _, opt := range []Options{{MaxDistMM: 0.35, Ratio: 0.1}, {MaxDistMM: 0.35, SplitSheets: true}, {MaxDistMM: 1}} {
		out, _ := decimate(t, s, opt)
		for f, v := range out.Tris {
			n := unit(out, f)
			c := r3.Scale(1./3, r3.Add(out.Verts[v[0]], r3.Add(out.Verts[v[1]], out.Verts[v[2]])))
			best := -1.0
			for p, q := range s.Verts {
				if r3.Norm2(r3.Sub(q, c)) < 1+opt.MaxDistMM {
					for _, g := range faces[p] {
						if s.Region[g] == out.Region[f] {
							best = max(best, r3.Dot(n, unit(s, int(g))))
						}
					}
				}
			}
			if best < 0.2 {
				t.Fatalf("%+v: face %d at %v looks %.0f° away from all faces of the input around it", opt, f, c, math.Acos(best)*180/math.Pi)
			}
		}
	}
}

// lines lists the edges at which three or more labels meet.
func lines(s *mesh.Surface) [][2]r3.Vec {
	met := map[[2]int32]map[imaging.Label]bool{}
	for t, v := range s.Tris {
		for k := range 3 {
			a, b := v[k], v[(k+1)%3]
			e := [2]int32{min(a, b), max(a, b)}
			if met[e] == nil {
				met[e] = map[imaging.Label]bool{}
			}
			met[e][s.Region[t].Inside] = true
			met[e][s.Region[t].Outside] = true
		}
	}
	var out [][2]r3.Vec
	for e, l := range met {
		if len(l) > 2 {
			out = append(out, [2]r3.Vec{s.Verts[e[0]], s.Verts[e[1]]})
		}
	}
	return out
}

func maxToSegments(a, b [][2]r3.Vec) float64 {
	worst := 0.0
	for _, e := range a {
		for i := range 5 {
			p := r3.Add(r3.Scale(float64(i)/4, e[0]), r3.Scale(1-float64(i)/4, e[1]))
			near := math.Inf(1)
			for _, f := range b {
				near = min(near, toSegment(p, f[0], f[1]))
			}
			worst = max(worst, math.Sqrt(near))
		}
	}
	return worst
}

func ends(l [][2]r3.Vec) map[r3.Vec]bool {
	count := map[r3.Vec]int{}
	for _, e := range l {
		count[e[0]]++
		count[e[1]]++
	}
	out := map[r3.Vec]bool{}
	for p, n := range count {
		if n != 2 {
			out[p] = true
		}
	}
	return out
}

// Noise, checkerboards, blobs and thin sheets, with and without smoothing.
func TestRandomLabels(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	small, faces := 0, 0
	for n := range 32 {
		size := 4 + rng.IntN(6)
		kinds := 1 + rng.IntN(4)
		blob := make([][4]float64, 6)
		for i := range blob {
			blob[i] = [4]float64{rng.Float64() * float64(size), rng.Float64() * float64(size), rng.Float64() * float64(size), 1 + 3*rng.Float64()}
		}
		l := labels(size, func(i, j, k int) imaging.Label {
			switch n % 4 {
			case 0:
				return imaging.Label(rng.IntN(kinds + 1))
			case 1:
				return imaging.Label((i + j + k) % (kinds + 1))
			case 2:
				if i%3 == 0 {
					return imaging.Label(1 + rng.IntN(kinds))
				}
				return 0
			}
			out := imaging.Label(0)
			for b, p := range blob {
				if math.Hypot(math.Hypot(float64(i)-p[0], float64(j)-p[1]), float64(k)-p[2]) < p[3] {
					out = imaging.Label(1 + b%kinds)
				}
			}
			return out
		})
		l.ID[0] = 1 // never empty
		s := extract(t, l, rng.IntN(3)*10)
		for _, split := range []bool{false, true} {
			opt := Options{MaxDistMM: 0.1 + 0.5*rng.Float64(), SplitSheets: split, KeepVerts: rng.IntN(4) == 0}
			out, rep := decimate(t, s, opt)
			sound(t, s, out, opt, rep)
			if d := apart(s, out, 2000); d > opt.MaxDistMM {
				t.Fatalf("volume %d: %+v: distance %g, reported %g", n, opt, d, rep.DistMM)
			}
			small += rep.SmallAngles
			faces += len(out.Tris)
		}
	}
	t.Logf("%d of %d faces with small angles", small, faces)
	if small*1000 > faces {
		t.Fatalf("%d of %d faces have small angles", small, faces)
	}
}
