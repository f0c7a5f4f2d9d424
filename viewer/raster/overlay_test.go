package raster

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"halsted/viewer/scene"
)

// bar finds the legend's colour bar: the longest column run that is made of
// colours of viridis, from the light end at the top to the dark one below.
func bar(t *testing.T, img *image.RGBA) (x, top, bottom int) {
	t.Helper()
	light, dark := viridis8(1), viridis8(0)
	for x = img.Rect.Dx() - 1; x >= 0; x-- {
		top, bottom = -1, -1
		for y := range img.Rect.Dy() {
			c := img.RGBAAt(x, y)
			if near(c, light) && top < 0 {
				top = y
			}
			if near(c, dark) {
				bottom = y
			}
		}
		if top >= 0 && bottom > top+100 {
			return x, top, bottom
		}
	}
	t.Fatal("there is no legend bar")
	return
}

func viridis8(v float64) color.RGBA {
	r, g, b := scene.Viridis(v)
	return color.RGBA{R: to8(r), G: to8(g), B: to8(b), A: 255}
}

func near(a, b color.RGBA) bool {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return a.A == 255 && d(a.R, b.R) < 4 && d(a.G, b.G) < 4 && d(a.B, b.B) < 4
}

func TestLegendBarReadsAsTheScaleDoes(t *testing.T) {
	sc := organScene(t, 24)
	if img, err := Overlay(sc, 1280, 960); err != nil {
		t.Fatal(err)
	} else if c := img.RGBAAt(1090, 400); c.A != 0 {
		t.Error("a legend without a quantity")
	}
	sc.ColourBy("von_mises")
	img, err := Overlay(sc, 1280, 960)
	if err != nil {
		t.Fatal(err)
	}
	x, top, bottom := bar(t, img)
	s, _ := sc.Scale("von_mises")
	for _, k := range s.Ticks(7) {
		y := float64(bottom+1) + float64(top-bottom-1)*k.T
		if k.T < 0.01 || k.T > 0.99 {
			continue
		}
		r, g, b := s.Colour(k.Value)
		if c := img.RGBAAt(x-8, int(y)); apart(c, [3]float64{r, g, b}) > 4 {
			t.Errorf("at tick %s the bar is %v, want %.0f %.0f %.0f", k.Text, c, 255*r, 255*g, 255*b)
		}
		// The mark stands right of the bar at the same height.
		found := false
		for dy := -2; dy <= 2; dy++ {
			found = found || img.RGBAAt(x+4, int(y)+dy).A == 255
		}
		if !found {
			t.Errorf("no mark for tick %s near row %d", k.Text, int(y))
		}
	}
}

// What is known of the field stands below the title and moves the bar down,
// which reads as before.
func TestLegendSaysHowWellTheFieldIsKnown(t *testing.T) {
	sc := organScene(t, 16)
	sc.ColourBy("von_mises")
	img, err := Overlay(sc, 1280, 960)
	if err != nil {
		t.Fatal(err)
	}
	_, top, bottom := bar(t, img)
	e, r := 0.25, 1e-9
	sc.Timeline.Current().Fields[0].Quality = &scene.Quality{Residual: &r, Error: &e, Evidence: "M (unverified source)"}
	if img, err = Overlay(sc, 1280, 960); err != nil {
		t.Fatal(err)
	}
	if _, t2, b2 := bar(t, img); t2 < top+2*17 || b2 != bottom {
		t.Errorf("the bar stands from %d to %d, before from %d to %d: there is no note", t2, b2, top, bottom)
	}
	for _, s := range [][2]int{{64, 64}, {320, 200}, {1, 1}, {2000, 300}} {
		if _, err := Overlay(sc, s[0], s[1]); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestOutOfRangeSwatchesAppearWhenNeeded(t *testing.T) {
	sc := organScene(t, 24)
	sc.ColourBy("von_mises")
	count := func(c color.NRGBA) (n int) {
		img, err := Overlay(sc, 1280, 960)
		if err != nil {
			t.Fatal(err)
		}
		for y := range 960 {
			for x := range 1280 {
				if img.RGBAAt(x, y) == color.RGBA(c) {
					n++
				}
			}
		}
		return n
	}
	if count(scene.AboveRange)+count(scene.BelowRange) != 0 {
		t.Error("swatches although every value is in range")
	}
	if err := sc.LockRange("von_mises", 1, 10); err != nil {
		t.Fatal(err)
	}
	if count(scene.AboveRange) < 100 || count(scene.BelowRange) < 100 {
		t.Error("no swatches although values lie outside")
	}
}

// The scale bar must have the length it claims at the depth of the target.
func TestScaleBarIsTrue(t *testing.T) {
	sc := organScene(t, 24)
	for _, zoom := range []float64{1, 0.4, 5} {
		sc.Show(scene.Anterior, 1280.0/960)
		sc.Camera.Zoom(zoom)
		sc.Notice = ""
		img, err := Overlay(sc, 1280, 960)
		if err != nil {
			t.Fatal(err)
		}
		longest := 0
		for y := 900; y < 960; y++ {
			run := 0
			for x := range 1280 {
				if img.RGBAAt(x, y).A == 255 {
					run++
					longest = max(longest, run)
				} else {
					run = 0
				}
			}
		}
		mm := float64(longest) * sc.Camera.PixelMM(sc.Camera.DistanceMM(), 960)
		mantissa := mm / math.Pow(10, math.Floor(math.Log10(mm)+0.005))
		if math.Abs(mantissa-1) > 0.015 && math.Abs(mantissa-2) > 0.03 && math.Abs(mantissa-5) > 0.07 {
			t.Errorf("zoom %g: the bar is %.2f mm long", zoom, mm)
		}
	}
}

func TestOverlayFitsSmallPictures(t *testing.T) {
	sc := organScene(t, 16)
	sc.ColourBy("displacement")
	sc.Title = "A plan with a name so long that it cannot stand in a small picture whole"
	for _, s := range [][2]int{{64, 64}, {320, 200}, {1, 1}, {2000, 300}} {
		if _, err := Overlay(sc, s[0], s[1]); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestTextIsCutAndWrapped(t *testing.T) {
	p, err := NewPen(image.NewRGBA(image.Rect(0, 0, 10, 10)), color.Black)
	if err != nil {
		t.Fatal(err)
	}
	if s := p.fit("left lateral sectionectomy", 20, true, 120); p.Width(s, 20, true) > 120 || s == "" {
		t.Errorf("%q is %.0f px wide", s, p.Width(s, 20, true))
	}
	lines := p.wrap("Research and planning support, not a diagnosis.", 15, false, 150)
	for _, l := range lines {
		if p.Width(l, 15, false) > 150 {
			t.Errorf("line %q is too wide", l)
		}
	}
	if len(lines) < 3 {
		t.Errorf("wrapped into %q", lines)
	}
}

func TestPNGCarriesWhereItComesFrom(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 3, 2))
	img.SetRGBA(1, 1, color.RGBA{R: 9, G: 8, B: 7, A: 255})
	var a, b bytes.Buffer
	text := [][2]string{{"Source", "cases/1/plans/2/runs/3"}, {"Comment", "frame 4 at 37 °C"}}
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := EncodePNG(w, img, text); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same picture gives other bytes")
	}
	if !bytes.Contains(a.Bytes(), []byte("tEXtSource\x00cases/1/plans/2/runs/3")) || !bytes.Contains(a.Bytes(), []byte("37 \xb0C")) {
		t.Error("the texts are not in the file")
	}
	back, err := png.Decode(&a) // checks the CRC of every chunk
	if err != nil || color.RGBAModel.Convert(back.At(1, 1)) != (color.RGBA{R: 9, G: 8, B: 7, A: 255}) {
		t.Errorf("comes back as %v, %v", back, err)
	}
	for _, bad := range [][2]string{{"", "x"}, {"k", "Σ"}, {"k", "a\x00b"}} {
		if EncodePNG(&b, img, [][2]string{bad}) == nil {
			t.Errorf("text %q passes", bad)
		}
	}
}
