package raster

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"halsted/viewer/scene"
)

// ink is a text colour that stands out from the background.
func ink(bg color.NRGBA) (strong, soft color.NRGBA) {
	if 299*int(bg.R)+587*int(bg.G)+114*int(bg.B) > 128*1000 {
		return color.NRGBA{R: 28, G: 32, B: 38, A: 255}, color.NRGBA{R: 84, G: 90, B: 100, A: 255}
	}
	return color.NRGBA{R: 240, G: 242, B: 245, A: 255}, color.NRGBA{R: 176, G: 182, B: 192, A: 255}
}

// Overlay is everything that lies over the bodies, on a transparent picture of
// w by h pixels: title, captions, status, legends, letters of the patient
// directions, scale bar and notice. viewer/window lays the same picture over
// its own, so both show the same numbers.
func Overlay(sc *scene.Scene, w, h int) (*image.RGBA, error) {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	strong, soft := ink(sc.Background)
	p, err := NewPen(img, strong)
	if err != nil {
		return nil, err
	}
	q, err := NewPen(img, soft)
	if err != nil {
		return nil, err
	}
	o := overlay{sc: sc, img: img, strong: p, soft: q, ink: strong, w: float64(w), h: float64(h)}
	o.u = max(0.55, min(o.h/960, o.w/1280))
	o.m = math.Round(24 * o.u)
	right := o.legends()
	centre := (o.w - right + o.m) / 2
	wide, bottom := o.header()
	o.letters(right, centre, wide, bottom)
	o.scaleBar(right)
	lines := o.soft.wrap(sc.Notice, 15*o.u, false, centre-3*o.m)
	for n, l := range lines {
		o.soft.Text(o.m, o.h-o.m*0.8-float64(len(lines)-1-n)*19*o.u, l, 15*o.u, false, AtLeft)
	}
	return img, nil
}

type overlay struct {
	sc           *scene.Scene
	img          *image.RGBA
	strong, soft *Pen
	ink          color.NRGBA
	w, h         float64
	u            float64 // 1 at 1280 by 960
	m            float64 // margin, pixels
}

func (o *overlay) rect(x0, y0, x1, y1 float64, c color.Color) {
	r := image.Rect(int(math.Round(x0)), int(math.Round(y0)), int(math.Round(x1)), int(math.Round(y1)))
	draw.Draw(o.img, r, image.NewUniform(c), image.Point{}, draw.Over)
}

// header writes title, captions, frame and status at the top left and returns
// where the text ends on the right and below.
func (o *overlay) header() (right, bottom float64) {
	limit := o.w * 0.62
	y := o.m + 20*o.u
	put := func(p *Pen, s string, px float64, bold bool, step float64) {
		s = p.fit(s, px, bold, limit)
		p.Text(o.m, y, s, px, bold, AtLeft)
		right = max(right, o.m+p.Width(s, px, bold))
		y += step
	}
	if o.sc.Title != "" {
		put(o.strong, o.sc.Title, 25*o.u, true, 28*o.u)
	}
	lines := append([]string(nil), o.sc.Caption...)
	if f := o.sc.Timeline.Current(); f != nil {
		line := "Frame " + strconv.FormatUint(f.Seq, 10) + " of " + strconv.FormatUint(o.sc.Timeline.Last().Seq, 10)
		lines = append(lines, line)
	}
	if o.sc.Status != "" {
		lines = append(lines, o.sc.Status)
	}
	for _, l := range lines {
		put(o.soft, l, 17*o.u, false, 23*o.u)
	}
	return right, y
}

// legends draws one bar per scale on the right and returns how much room they
// take there.
func (o *overlay) legends() float64 {
	scales := o.sc.Scales()
	if len(scales) == 0 {
		return o.m
	}
	width := 190 * o.u
	each := (o.h - 2*o.m - 60*o.u) / float64(len(scales))
	for n, s := range scales {
		o.legend(s, o.w-o.m-width, o.m+float64(n)*each, width, min(each-20*o.u, 620*o.u))
	}
	return o.m + width
}

func (o *overlay) legend(s scene.Scale, x, y, width, height float64) {
	size := 17 * o.u
	y += 18 * o.u
	title := s.Title
	if s.Unit != "" && s.Unit != "1" {
		title += " (" + s.Unit + ")"
	}
	for _, l := range o.strong.wrap(title, size, true, width) {
		o.strong.Text(x, y, l, size, true, AtLeft)
		y += 21 * o.u
	}
	if s.Note != "" {
		for _, l := range o.soft.wrap(s.Note, 13*o.u, false, width) {
			o.soft.Text(x, y, l, 13*o.u, false, AtLeft)
			y += 17 * o.u
			height -= 17 * o.u // from the bar
		}
	}
	below := 52 * o.u // room for the extremes
	top, bottom := y+22*o.u, y+height-below-30*o.u
	barW := 30 * o.u
	// Outside colours, where there are such values.
	if s.DataMax > s.Max {
		o.rect(x, top-16*o.u, x+barW, top-4*o.u, scene.AboveRange)
		o.soft.Text(x+barW+12*o.u, top-8*o.u, "above", 13*o.u, false, AtLeft)
	}
	if s.DataMin < s.Min {
		o.rect(x, bottom+4*o.u, x+barW, bottom+16*o.u, scene.BelowRange)
		o.soft.Text(x+barW+12*o.u, bottom+18*o.u, "below", 13*o.u, false, AtLeft)
	}
	y0, y1 := int(math.Round(top)), int(math.Round(bottom))
	for yy := y0; yy < y1; yy++ {
		t := 1 - (float64(yy-y0)+0.5)/float64(y1-y0)
		r, g, b := scene.Viridis(t)
		o.rect(x, float64(yy), x+barW, float64(yy+1), color.NRGBA{R: to8(r), G: to8(g), B: to8(b), A: 255})
	}
	for _, k := range s.Ticks(7) {
		ty := bottom + (top-bottom)*k.T
		o.rect(x+barW, ty-0.5, x+barW+7*o.u, ty-0.5+max(1, math.Round(1.2*o.u)), o.ink)
		o.strong.Text(x+barW+12*o.u, ty+0.34*size, k.Text, size, false, AtLeft)
	}
	y = bottom + 44*o.u
	o.soft.Text(x, y, "max "+scene.Number(s.DataMax)+" "+s.Unit, 15*o.u, false, AtLeft)
	o.soft.Text(x, y+19*o.u, "min "+scene.Number(s.DataMin)+" "+s.Unit, 15*o.u, false, AtLeft)
	if s.Locked {
		o.soft.Text(x, y+38*o.u, "range locked", 15*o.u, false, AtLeft)
	}
}

func to8(v float64) uint8 { return uint8(math.Round(255 * max(0, min(v, 1)))) }

// letters writes the patient directions at the edges, the upper one below the
// header where the two would meet.
func (o *overlay) letters(right, centre, headerRight, headerBottom float64) {
	l, r, t, b := o.sc.Camera.Letters()
	size := 26 * o.u
	top := o.m + size*0.8
	if headerRight > centre-size*1.5 {
		top = headerBottom + size*0.6
	}
	middle := o.h/2 + size/3
	o.strong.Halo(o.m, middle, l, size, AtLeft, o.sc.Background)
	o.strong.Halo(o.w-right-o.m, middle, r, size, AtRight, o.sc.Background)
	o.strong.Halo(centre, top, t, size, AtCentre, o.sc.Background)
	o.strong.Halo(centre, o.h-o.m*0.8, b, size, AtCentre, o.sc.Background)
}

// scaleBar draws a bar of a round length that is true at the depth of the
// camera's target.
func (o *overlay) scaleBar(right float64) {
	mm := o.sc.Camera.PixelMM(o.sc.Camera.DistanceMM(), int(o.h))
	want := 0.14 * o.w * mm
	length := math.Pow(10, math.Floor(math.Log10(want)))
	for _, k := range []float64{5, 2} {
		if k*length <= want {
			length *= k
			break
		}
	}
	x1 := o.w - right - o.m
	x0, y := x1-length/mm, o.h-o.m*1.4
	thick := max(2, math.Round(3*o.u))
	o.rect(x0, y, x1, y+thick, o.ink)
	o.rect(x0, y-6*o.u, x0+thick, y+thick, o.ink)
	o.rect(x1-thick, y-6*o.u, x1, y+thick, o.ink)
	text := strconv.FormatFloat(length, 'f', -1, 64) + " mm"
	o.strong.Text((x0+x1)/2, y-8*o.u, text, 16*o.u, false, AtCentre)
}
