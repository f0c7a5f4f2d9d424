package window

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

// star returns a closed surface round centre whose distance in each direction
// is radius(direction): a lattice of n by 2n quads with one vertex per pole,
// counter-clockwise seen from outside.
func star(centre r3.Vec, n int, radius func(d r3.Vec) float64) (verts []r3.Vec, tris [][3]int32) {
	at := func(theta, phi float64) {
		d := r3.Vec{X: math.Sin(theta) * math.Cos(phi), Y: math.Sin(theta) * math.Sin(phi), Z: math.Cos(theta)}
		verts = append(verts, r3.Add(centre, r3.Scale(radius(d), d)))
	}
	at(0, 0)
	for j := 1; j < n; j++ {
		for i := range 2 * n {
			at(math.Pi*float64(j)/float64(n), math.Pi*float64(i)/float64(n))
		}
	}
	at(math.Pi, 0)
	ring := func(j, i int) int32 { return int32(1 + (j-1)*2*n + i%(2*n)) }
	for i := range 2 * n {
		tris = append(tris, [3]int32{0, ring(1, i), ring(1, i+1)})
		for j := 1; j < n-1; j++ {
			a, b, c, d := ring(j, i), ring(j, i+1), ring(j+1, i), ring(j+1, i+1)
			tris = append(tris, [3]int32{a, c, d}, [3]int32{a, d, b})
		}
		tris = append(tris, [3]int32{int32(len(verts) - 1), ring(n-1, i+1), ring(n-1, i)})
	}
	return verts, tris
}

func sphere(centre r3.Vec, radius float64, n int) ([]r3.Vec, [][3]int32) {
	return star(centre, n, func(r3.Vec) float64 { return radius })
}

// liver is a smooth shape of a liver's size and pose: a thick right lobe (on
// the patient's right, x < 0), a flat left lobe that reaches over the midline
// in front, a notch between them.
func liver(n int) ([]r3.Vec, [][3]int32) {
	centre := r3.Vec{X: -25, Y: -12, Z: 5}
	field := func(p r3.Vec) float64 {
		blob := func(c, r r3.Vec) float64 {
			q := r3.Sub(p, c)
			return math.Exp(-2.2 * (q.X*q.X/(r.X*r.X) + q.Y*q.Y/(r.Y*r.Y) + q.Z*q.Z/(r.Z*r.Z)))
		}
		return blob(r3.Vec{X: -50}, r3.Vec{X: 62, Y: 72, Z: 80}) + blob(r3.Vec{X: -60, Y: 5, Z: -45}, r3.Vec{X: 40, Y: 42, Z: 58}) +
			0.9*blob(r3.Vec{X: 30, Y: -32, Z: 22}, r3.Vec{X: 72, Y: 32, Z: 40}) - 0.5*blob(r3.Vec{X: -2, Y: 30, Z: -40}, r3.Vec{X: 26, Y: 40, Z: 40})
	}
	return star(centre, n, func(d r3.Vec) float64 {
		lo, hi := 0.0, 200.0
		for range 60 {
			mid := (lo + hi) / 2
			if field(r3.Add(centre, r3.Scale(mid, d))) > 0.18 {
				lo = mid
			} else {
				hi = mid
			}
		}
		return lo
	})
}

// vessel is a bent tube of length 2a along x with a rounded end.
func vessel(centre r3.Vec, a, radius, bend float64, n int) ([]r3.Vec, [][3]int32) {
	v, t := sphere(r3.Vec{}, 1, n)
	for i, p := range v {
		s := p.X * a
		v[i] = r3.Add(centre, r3.Vec{X: s, Y: p.Y * radius, Z: p.Z*radius + bend*s*s/(a*a)})
	}
	return v, t
}

func add(t testing.TB, sc *scene.Scene, name string, l imaging.Label, v []r3.Vec, tr [][3]int32) *scene.Structure {
	t.Helper()
	s, err := sc.AddStructure(name, l, v, tr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// organScene is a liver with a vessel of each system and a tumour, and one
// frame in which the left lobe is pulled to the patient's left.
func organScene(t testing.TB, n int) *scene.Scene {
	sc := scene.New()
	sc.Title = "Plan A: left lateral sectionectomy"
	sc.Caption = []string{"Synthetic organ"}
	v, tr := liver(n)
	add(t, sc, "liver", imaging.LabelLiver, v, tr)
	v, tr = vessel(r3.Vec{X: -30, Z: -8}, 60, 7, 22, 24)
	add(t, sc, "portal_vein", imaging.LabelPortalVein, v, tr)
	v, tr = vessel(r3.Vec{X: -40, Y: 12, Z: 34}, 45, 6, -24, 24)
	add(t, sc, "hepatic_vein", imaging.LabelHepaticVein, v, tr)
	v, tr = sphere(r3.Vec{X: -62, Y: -20, Z: -12}, 17, 24)
	add(t, sc, "tumour_1", imaging.LabelTumour, v, tr)
	f := &scene.Frame{Epoch: 1, Seq: 12, TimeS: 1.5}
	var vm, disp []float32
	for _, s := range sc.Structures {
		for _, p := range s.Rest {
			w := 1 / (1 + math.Exp(-(p.X-10)/18))
			f.Pos = append(f.Pos, r3.Add(p, r3.Vec{X: 18 * w, Z: 6 * w}))
			d := r3.Norm(r3.Sub(p, r3.Vec{X: 5, Y: -20, Z: 10}))
			vm = append(vm, float32(14*math.Exp(-d*d/2500)+0.3))
			disp = append(disp, float32(math.Hypot(18*w, 6*w)))
		}
	}
	f.Fields = []scene.Field{{ID: "von_mises", Unit: "kPa", Values: vm}, {ID: "displacement", Unit: "mm", Values: disp}}
	if err := sc.AppendFrame(f); err != nil {
		t.Fatal(err)
	}
	return sc
}
