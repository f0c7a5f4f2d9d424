package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"math"

	"halsted/imaging"
	"halsted/imaging/segment"
	"halsted/internal/atomicfile"
	"halsted/mesh/contour"
	"halsted/planner"
	"halsted/viewer/raster"
	"halsted/viewer/scene"
)

// sliceView is one of the three planes, seen as radiologists do: the patient's
// right on the left of the picture, from below; the head up.
type sliceView struct {
	name        string
	across      int // axis of the grid (left, posterior, head) to the right of the picture
	down        int // and downwards
	normal      int
	flipDown    bool // the axis runs up the picture
	left, right string
}

var sliceViews = []sliceView{
	{"axial", 0, 1, 2, false, "R", "L"},
	{"coronal", 0, 2, 1, true, "R", "L"},
	{"sagittal", 1, 2, 0, true, "A", "P"},
}

// writePictures writes three slices through the middle of the structure a
// recipe must find, with the outlines of all structures, and a 3-D picture.
func writePictures(ctx context.Context, dir string, v *imaging.Volume, segs *imaging.Segments, rep *segment.Report) error {
	main := segs.Of[0]
	for _, name := range rep.Recipe.Must {
		if l, err := imaging.ParseLabel(name); err == nil && segs.Bit(l) != 0 {
			main = l
		}
	}
	var files []atomicfile.File
	add := func(name string, b []byte) {
		files = append(files, atomicfile.File{Name: name, Write: bytesOf(b)})
	}
	order := v.Grid.Canonical()
	for _, view := range sliceViews {
		b, err := slicePicture(v, segs, order, view, main)
		if err != nil {
			return err
		}
		add(view.name+".png", b)
	}
	b, err := bodyPicture(ctx, segs, main)
	if err != nil {
		return err
	}
	add("structures.png", b)
	return writeArtefacts(dir, files)
}

const (
	slicePixels       = 900 // the longer side of a slice picture
	softCentre        = 60  // window for soft tissue, HU
	softWidth         = 400
	sliceLegendPixels = 190
)

// slicePicture paints one slice in the window of soft tissue and the outlines
// of the structures in their colours.
func slicePicture(v *imaging.Volume, segs *imaging.Segments, order imaging.Reorder, view sliceView, main imaging.Label) ([]byte, error) {
	g, at := order.Grid(v.Grid), order.Index(v.Grid)
	bit := segs.Bit(main)
	box := g.Bounds(func(n int) bool { return segs.Bits[at(n)]&bit != 0 })
	where := (box.Lo[view.normal] + box.Hi[view.normal]) / 2
	h := g.SpacingMM()
	wide, high := float64(g.Size[view.across])*h[view.across], float64(g.Size[view.down])*h[view.down]
	scale := slicePixels / max(wide, high)
	img := image.NewRGBA(image.Rect(0, 0, int(wide*scale)+sliceLegendPixels, int(high*scale)))
	index := func(x, y int) (int, bool) {
		var p [3]int
		p[view.normal] = where
		p[view.across] = int(float64(x) / scale / h[view.across])
		p[view.down] = int(float64(y) / scale / h[view.down])
		if view.flipDown {
			p[view.down] = g.Size[view.down] - 1 - p[view.down]
		}
		return at(g.Index(p[0], p[1], p[2])), g.Contains(p[0], p[1], p[2])
	}
	seen := uint32(0)
	lo, hi := windowOf(v)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			n, ok := index(x, y)
			if x >= int(wide*scale) || !ok {
				img.SetRGBA(x, y, color.RGBA{0, 0, 0, 255})
				continue
			}
			grey := uint8(255 * min(max((v.Value(n)-lo)/(hi-lo), 0), 1))
			c := color.RGBA{grey, grey, grey, 255}
			here := segs.Bits[n]
			seen |= here
			edge := uint32(0)
			for _, d := range [][2]int{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} {
				if o, ok := index(x+d[0], y+d[1]); ok && x+d[0] >= 0 && y+d[1] >= 0 {
					edge |= here &^ segs.Bits[o]
				}
			}
			for b, l := range segs.Of {
				if edge&(1<<b) != 0 {
					c = opaque(l)
				}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return sliceLabels(img, segs, seen, view, g, where, wide*scale)
}

// opaque is the colour a structure has in every picture.
func opaque(l imaging.Label) color.RGBA {
	c, _ := scene.Style(l)
	return color.RGBA{c.R, c.G, c.B, 255}
}

// windowOf is the range of values shown from black to white: soft tissue on CT,
// else from 0 to the value that 1 % of the voxels exceed.
func windowOf(v *imaging.Volume) (lo, hi float64) {
	if v.Kind != imaging.KindMR {
		return softCentre - softWidth/2, softCentre + softWidth/2
	}
	var count [1 << 16]int
	for _, s := range v.Data {
		count[int(s)+1<<15]++
	}
	left := len(v.Data) / 100
	for s := len(count) - 1; s > 0; s-- {
		if left -= count[s]; left < 0 {
			return 0, max(1, v.Slope*float64(s-1<<15)+v.Intercept)
		}
	}
	return 0, 1
}

// sliceLabels writes the sides, the place of the slice, a scale bar and the
// names of the colours.
func sliceLabels(img *image.RGBA, segs *imaging.Segments, seen uint32, view sliceView, g imaging.Grid, where int, wide float64) ([]byte, error) {
	pen, err := raster.NewPen(img, color.RGBA{255, 255, 255, 255})
	if err != nil {
		return nil, err
	}
	mid := float64(img.Rect.Dy()) / 2
	pen.Text(8, mid, view.left, 20, true, raster.AtLeft)
	pen.Text(wide-22, mid, view.right, 20, true, raster.AtLeft)
	var p [3]float64
	p[view.normal] = float64(where)
	at := g.Point(p[0], p[1], p[2])
	mm := [3]float64{at.X, at.Y, at.Z}[view.normal]
	pen.Text(8, 24, fmt.Sprintf("%s, %s = %.0f mm (LPS)", view.name, []string{"x", "y", "z"}[view.normal], mm), 16, false, raster.AtLeft)
	h := g.SpacingMM()
	bar := 50 * wide / (float64(g.Size[view.across]) * h[view.across])
	for x := range int(bar) {
		for y := range 3 {
			img.SetRGBA(12+x, img.Rect.Dy()-14+y, color.RGBA{255, 255, 255, 255})
		}
	}
	pen.Text(12, float64(img.Rect.Dy())-20, "50 mm", 14, false, raster.AtLeft)
	y := 30.0
	for b, l := range segs.Of {
		if seen&(1<<b) == 0 {
			continue
		}
		for dy := range 12 {
			for dx := range 12 {
				img.SetRGBA(int(wide)+12+dx, int(y)-11+dy, opaque(l))
			}
		}
		pen.Text(wide+32, y, l.Words(), 15, false, raster.AtLeft)
		y += 22
	}
	var out bytes.Buffer
	err = raster.EncodePNG(&out, img, [][2]string{{"Comment", planner.Notice}})
	return out.Bytes(), err
}

// bodyPicture shows every structure but the skin from the front.
func bodyPicture(ctx context.Context, segs *imaging.Segments, main imaging.Label) ([]byte, error) {
	var order []imaging.Label
	for _, l := range segs.Of {
		if l != imaging.LabelBody && l != main {
			order = append(order, l)
		}
	}
	order = append([]imaging.Label{main}, order...)
	labels := coarser(segs.Flatten(imaging.LabelBackground, order...))
	s, err := contour.Extract(ctx, labels, contour.Options{SmoothPasses: 10})
	if err != nil {
		return nil, err
	}
	sc := scene.New()
	sc.Title = "Structures found"
	for _, l := range order {
		keep := func(o imaging.Label) bool { return o == l }
		if l == imaging.LabelLiver {
			keep = imaging.Label.InOrgan
		}
		if labels.Count(keep) == 0 {
			continue
		}
		if _, err := sc.AddRegion(l.String(), l, s, keep); err != nil {
			return nil, err
		}
	}
	sc.Show(scene.Anterior, pictureWidth/float64(pictureHeight))
	return pictureOf(ctx, sc, "halsted segment")
}

// coarser keeps every n-th voxel so that a picture has about 2 mm.
func coarser(l *imaging.Labels) *imaging.Labels {
	var step [3]int
	g := l.Grid
	for a, h := range g.SpacingMM() {
		step[a] = max(1, int(math.Round(2/h)))
		g.Size[a] = (g.Size[a] + step[a] - 1) / step[a]
	}
	for a := range g.Axes {
		f := float64(step[a])
		g.Axes[a].X, g.Axes[a].Y, g.Axes[a].Z = f*g.Axes[a].X, f*g.Axes[a].Y, f*g.Axes[a].Z
	}
	out := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range out.ID {
		i, j, k := g.IJK(n)
		out.ID[n] = l.ID[l.Grid.Index(i*step[0], j*step[1], k*step[2])]
	}
	return out
}
