package raster

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var fonts = sync.OnceValues(func() ([2]*opentype.Font, error) {
	var out [2]*opentype.Font
	for n, data := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := opentype.Parse(data)
		if err != nil {
			return out, fmt.Errorf("raster: font: %w", err)
		}
		out[n] = f
	}
	return out, nil
})

// Pen writes text on a picture. It is not safe for concurrent use.
type Pen struct {
	dst    *image.RGBA
	colour image.Image
	faces  map[faceKey]font.Face
	fonts  [2]*opentype.Font
}

type faceKey struct {
	px   float64
	bold bool
}

// Align says where the given point lies in a line of text.
type Align uint8

// The alignments of a line.
const (
	AtLeft Align = iota
	AtCentre
	AtRight
)

// NewPen returns a pen of that colour on dst.
func NewPen(dst *image.RGBA, c color.Color) (*Pen, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	return &Pen{dst: dst, colour: image.NewUniform(c), faces: map[faceKey]font.Face{}, fonts: f}, nil
}

func (p *Pen) face(px float64, bold bool) font.Face {
	k := faceKey{px, bold}
	if f, ok := p.faces[k]; ok {
		return f
	}
	n := 0
	if bold {
		n = 1
	}
	f, err := opentype.NewFace(p.fonts[n], &opentype.FaceOptions{Size: px, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("raster: font face: " + err.Error()) // only bad options fail
	}
	p.faces[k] = f
	return f
}

// Width is the length of a line in pixels.
func (p *Pen) Width(s string, px float64, bold bool) float64 {
	return float64(font.MeasureString(p.face(px, bold), s)) / 64
}

// Text writes a line whose baseline starts, is centred or ends at (x, y).
func (p *Pen) Text(x, y float64, s string, px float64, bold bool, a Align) {
	switch a {
	case AtCentre:
		x -= p.Width(s, px, bold) / 2
	case AtRight:
		x -= p.Width(s, px, bold)
	}
	d := font.Drawer{Dst: p.dst, Src: p.colour, Face: p.face(px, bold), Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}}
	d.DrawString(s)
}

// Halo writes a bold line with a rim of another colour, legible on anything.
func (p *Pen) Halo(x, y float64, s string, px float64, a Align, rim color.Color) {
	colour := p.colour
	p.colour = image.NewUniform(rim)
	d := max(1, px/14)
	for _, k := range [8][2]float64{{-1, -1}, {0, -1.4}, {1, -1}, {1.4, 0}, {1, 1}, {0, 1.4}, {-1, 1}, {-1.4, 0}} {
		p.Text(x+k[0]*d, y+k[1]*d, s, px, true, a)
	}
	p.colour = colour
	p.Text(x, y, s, px, true, a)
}

// fit shortens s with an ellipsis to a width in pixels.
func (p *Pen) fit(s string, px float64, bold bool, width float64) string {
	if p.Width(s, px, bold) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && p.Width(string(r)+"…", px, bold) > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// wrap breaks s at spaces into lines of at most a width in pixels.
func (p *Pen) wrap(s string, px float64, bold bool, width float64) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		next := word
		if line != "" {
			next = line + " " + word
		}
		if line != "" && p.Width(next, px, bold) > width {
			lines = append(lines, line)
			next = word
		}
		line = next
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
