package raster

import (
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// Golden pictures may differ where a compiler fuses a·x+y: a channel by at
// most stepTol, and beyond that in at most outliers of the channels (a sample
// on an edge falls to the other side).
const (
	stepTol  = 6
	outliers = 0.0002
)

func golden(t *testing.T, name string, img *image.RGBA) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := EncodePNG(f, img, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v: make it with go test -update and look at it", err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != img.Rect {
		t.Fatalf("%s is %v, want %v", name, img.Rect, want.Bounds())
	}
	n := 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			r, g, b, _ := want.At(x, y).RGBA()
			c := img.RGBAAt(x, y)
			for _, d := range [3]int{int(c.R) - int(r>>8), int(c.G) - int(g>>8), int(c.B) - int(b>>8)} {
				if max(d, -d) > stepTol {
					n++
				}
			}
		}
	}
	if float64(n) > outliers*float64(3*img.Rect.Dx()*img.Rect.Dy()) {
		t.Errorf("%s: %d channels differ by more than %d of 255", name, n, stepTol)
	}
}

func TestGoldenPictures(t *testing.T) {
	const w, h = 640, 480
	opt := Options{Width: w, Height: h}
	sc := organScene(t, 64)
	sc.Show(scene.Anterior, float64(w)/h)
	golden(t, "organ_anterior", render(t, sc, opt))

	sc.ColourBy("von_mises")
	sc.Show(scene.Anterior, float64(w)/h)
	golden(t, "stress_anterior", render(t, sc, opt))

	if err := sc.LockRange("von_mises", 1, 10); err != nil {
		t.Fatal(err)
	}
	sc.Status = "Live: solve, 60 %"
	sc.Show(scene.Caudal, float64(w)/h)
	golden(t, "stress_caudal_locked", render(t, sc, opt))

	sc.UnlockRange("von_mises")
	sc.Show(scene.Anterior, float64(w)/h)
	sc.Clips = []scene.Plane{{Point: r3.Vec{Y: -20}, Normal: r3.Vec{Y: -1}}}
	golden(t, "stress_clipped", render(t, sc, opt))

	n := nested(t)
	n.Show(scene.Left, 1)
	golden(t, "nested_spheres", render(t, n, Options{Width: 320, Height: 320}))
}
