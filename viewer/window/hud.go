package window

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"halsted/viewer/raster"
	"halsted/viewer/scene"
)

// slider is where the time slider lies: a track from x0 to x1 at height y, and
// the radius of its knob. There is none before the second frame.
func slider(c *scene.Controls) (x0, x1, y, radius float64, ok bool) {
	w, h := float64(c.Width), float64(c.Height)
	return 0.22 * w, 0.62 * w, h - 70, 8, c.Scene.Timeline.Len() > 1
}

func sliderShare(c *scene.Controls, x float64) float64 {
	x0, x1, _, _, _ := slider(c)
	return max(0, min((x-x0)/(x1-x0), 1))
}

func onSlider(c *scene.Controls, x, y float64) (share float64, hit bool) {
	x0, x1, sy, r, ok := slider(c)
	if !ok || math.Abs(y-sy) > 2*r || x < x0-2*r || x > x1+2*r {
		return 0, false
	}
	return sliderShare(c, x), true
}

// HUD draws what only an interactive view has: time slider, value under the
// pointer, list of keys. The picture has the size of the controls.
func HUD(c *scene.Controls) (*image.RGBA, error) {
	img := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	bg := c.Scene.Background
	ink, back := color.NRGBA{R: 40, G: 46, B: 54, A: 255}, color.NRGBA{R: 255, G: 255, B: 255, A: 230}
	if int(bg.R)+int(bg.G)+int(bg.B) < 384 {
		ink, back = color.NRGBA{R: 230, G: 233, B: 238, A: 255}, color.NRGBA{R: 20, G: 23, B: 28, A: 230}
	}
	pen, err := raster.NewPen(img, ink)
	if err != nil {
		return nil, err
	}
	t := &c.Scene.Timeline
	if x0, x1, y, r, ok := slider(c); ok {
		fill(img, x0, y-2, x1, y+2, color.NRGBA{R: ink.R, G: ink.G, B: ink.B, A: 110})
		at := x0 + (x1-x0)*float64(t.Index())/float64(t.Len()-1)
		fill(img, x0, y-2, at, y+2, ink)
		disc(img, at, y, r, ink)
		state := "space: play"
		if c.Playing {
			state = "space: pause"
		}
		if t.Follow {
			state += "   newest frame"
		}
		pen.Text(x0, y-r-6, state, 13, false, raster.AtLeft)
		pen.Text(x1, y-r-6, "h: keys", 13, false, raster.AtRight)
	}
	if c.Probe != "" {
		pen.Text(float64(c.Width)*0.22, float64(c.Height)-106, c.Probe, 15, true, raster.AtLeft)
	}
	if c.Help {
		const line = 24
		x, y := 40.0, 130.0
		fill(img, x-16, y-30, x+600, y+float64(len(scene.Keys))*line, back)
		for n, k := range scene.Keys {
			pen.Text(x, y+float64(n)*line, k[0], 15, true, raster.AtLeft)
			pen.Text(x+150, y+float64(n)*line, k[1], 15, false, raster.AtLeft)
		}
	}
	return img, nil
}

func fill(img *image.RGBA, x0, y0, x1, y1 float64, c color.Color) {
	r := image.Rect(int(math.Round(x0)), int(math.Round(y0)), int(math.Round(x1)), int(math.Round(y1)))
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Over)
}

// disc fills a circle, its rim softened over one pixel.
func disc(img *image.RGBA, cx, cy, r float64, c color.NRGBA) {
	for y := int(cy - r - 1); y <= int(cy+r+1); y++ {
		for x := int(cx - r - 1); x <= int(cx+r+1); x++ {
			a := max(0, min(r+0.5-math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy), 1))
			if a > 0 {
				fill(img, float64(x), float64(y), float64(x+1), float64(y+1), color.NRGBA{R: c.R, G: c.G, B: c.B, A: uint8(a * float64(c.A))})
			}
		}
	}
}
