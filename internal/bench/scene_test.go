package main

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"runtime"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// The labels must be those the peers' figures were taken on, byte for byte.
// Only amd64 is promised: elsewhere products and sums may be fused.
func TestSceneIsThePeersInput(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the last bit of a voxel centre's distance may differ")
	}
	v := volumes["s128"]
	l := newScene(v.size, v.spacing).paint()
	b := make([]byte, len(l.ID))
	for n, id := range l.ID {
		b[n] = byte(id)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != s128SHA256 {
		t.Errorf("the labels of s128 have SHA-256 %s, want %s", got, s128SHA256)
	}
}

// SHA-256 of s128.raw as shared/peers/mesh/gen.go.txt writes it.
const s128SHA256 = "877bc4b9ed857f27cb01583dbf71d5fea6cec1d78a373d9389cfdc812f9203ec"

func TestSignedDistanceOfSurfaces(t *testing.T) {
	e := ellipsoid{C: triple{1, 2, 3}, R: triple{9, 7, 4}}
	c := capsule{A: triple{0, 0, 0}, B: triple{10, 5, 2}, R: 2, W: 1}
	for _, f := range []surface{{e: &e}, {c: &c, r: 2}, {c: &c, r: 3}} {
		var volume float64 // by the divergence theorem
		f.sample(.3, func(p, n r3.Vec, a float64) {
			volume += r3.Dot(p, n) * a / 3
			for _, d := range []float64{-.5, -.01, 0, .01, .5, 2} {
				got, m := f.signed(r3.Add(p, r3.Scale(d, n)))
				if math.Abs(got-d) > 1e-9 || r3.Dot(m, n) < 1-1e-9 {
					t.Fatalf("%v from %v along %v: distance %v, normal %v", d, p, n, got, m)
				}
			}
		})
		want := math.Pi * f.r * f.r * (math.Sqrt(129) + 4*f.r/3)
		if f.e != nil {
			want = 4 * math.Pi * 9 * 7 * 4 / 3
		}
		if math.Abs(volume-want) > 2e-3*want {
			t.Errorf("volume %v, want %v", volume, want)
		}
	}
}

// On a scene of two spheres the truth has a hidden part and a curve.
func TestTruthLeavesOutWhatIsHidden(t *testing.T) {
	s := &scene{Dims: [3]int{60, 40, 40}, Sp: [3]float64{1, 1, 1},
		Ell: []ellipsoid{{triple{20, 20, 20}, triple{10, 10, 10}}, {triple{32, 20, 20}, triple{10, 10, 10}}}}
	tr := newTruth(s)
	var area [3]float64
	for _, p := range tr.sample {
		area[p.in] += p.areaMM2
	}
	// the second hides a cap of height 4 of the first
	if want := math.Pi * 400; math.Abs(area[2]-want) > .01*want {
		t.Errorf("the whole sphere has %v, want %v", area[2], want)
	}
	if want := math.Pi * (400 - 20*4); math.Abs(area[1]-want) > .01*want {
		t.Errorf("the cut sphere has %v, want %v", area[1], want)
	}
	ask := tr.prober()
	ring := r3.Vec{X: 26, Y: 28, Z: 20} // where both meet
	for _, c := range []struct {
		p    r3.Vec
		l    imaging.Label
		want float64
	}{
		{r3.Vec{X: 20, Y: 20, Z: 8.5}, organ, 1.5},
		{r3.Vec{X: 28, Y: 20, Z: 20}, organ, 6},                         // the hidden cap is 2 away, the other sphere 6
		{r3.Vec{X: 26, Y: 27, Z: 20}, organ, math.Sqrt(6*6+7*7) - 10},   // inside: the first's own side is hidden
		{r3.Vec{X: 26, Y: 29, Z: 20}, inner, math.Sqrt(36+81) - 10},     // outside
		{r3.Add(ring, r3.Vec{Y: 1.5}), organ, math.Sqrt(36+90.25) - 10}, // outside, both as near
	} {
		ask.look(c.p)
		if got := ask.distance(c.p, c.l); math.Abs(got-math.Abs(c.want)) > 1e-6 {
			t.Errorf("%v is %v from label %d, want %v", c.p, got, c.l, math.Abs(c.want))
		}
	}
}
