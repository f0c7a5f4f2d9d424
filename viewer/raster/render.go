package raster

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"math"

	"halsted/internal/par"
	"halsted/viewer/scene"
)

// MaxSize bounds width and height of a picture, pixels.
const MaxSize = 8192

// Options are the size of the picture and what goes over it.
type Options struct {
	Width, Height int  // pixels; 0: 1280 by 960
	Plain         bool // without title, legend, letters, scale bar and notice
}

func (o *Options) size() (w, h int, err error) {
	w, h = o.Width, o.Height
	if w == 0 && h == 0 {
		return 1280, 960, nil
	}
	if w < 1 || h < 1 || w > MaxSize || h > MaxSize {
		return 0, 0, fmt.Errorf("raster: picture of %d by %d pixels, want 1 to %d each", w, h, MaxSize)
	}
	return w, h, nil
}

const (
	samples  = 2  // per pixel and direction
	tilePx   = 32 // pixels per tile and direction
	tileSide = tilePx * samples
	subBits  = 8 // fixed-point bits of a sample coordinate
	subOne   = 1 << subBits

	// coincident is how near in relative depth two surfaces count as one: far
	// above the rounding of 1/depth (some 1e-15, times the slope of a grazing
	// triangle), 0.6 nm at 600 mm.
	coincident = 1e-9
)

// Render draws the scene as its camera sees it.
func Render(ctx context.Context, sc *scene.Scene, opt Options) (*image.RGBA, error) {
	w, h, err := opt.size()
	if err != nil {
		return nil, err
	}
	if len(sc.Clips) > scene.MaxClips {
		return nil, fmt.Errorf("raster: %d clip planes, at most %d", len(sc.Clips), scene.MaxClips)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	g := project(sc, w*samples, h*samples)
	across, down := (w+tilePx-1)/tilePx, (h+tilePx-1)/tilePx
	bins := g.bin(across, down)
	err = par.ChunksCtx(ctx, across*down, 4, func(lo, hi int) error {
		t := newTile(g)
		for n := lo; n < hi; n++ {
			t.draw(bins[n], n%across*tileSide, n/across*tileSide)
			t.resolve(img, n%across*tilePx, n/across*tilePx)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !opt.Plain {
		over, err := Overlay(sc, w, h)
		if err != nil {
			return nil, err
		}
		draw.Draw(img, img.Rect, over, image.Point{}, draw.Over)
	}
	return img, nil
}

// bin lists, per tile, the triangles whose box touches it, in their order.
func (g *geometry) bin(across, down int) [][]int32 {
	bins := make([][]int32, across*down)
	for n := range g.tris {
		t := &g.tris[n]
		x0, x1 := max(0, int(t.minX>>subBits)/tileSide), min(across-1, int(t.maxX>>subBits)/tileSide)
		y0, y1 := max(0, int(t.minY>>subBits)/tileSide), min(down-1, int(t.maxY>>subBits)/tileSide)
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				bins[y*across+x] = append(bins[y*across+x], int32(n))
			}
		}
	}
	return bins
}

// tile is the working memory of one worker.
type tile struct {
	g      *geometry
	x0, y0 int       // first sample
	iw     []float64 // 1/depth of the nearest opaque triangle, 0: none
	tri    []int32   // its index
	head   []int32   // first fragment of each sample, -1: none
	frags  []fragment
	sorted []fragment
}

// fragment is a transparent surface at one sample.
type fragment struct {
	iw         float64
	r, g, b, a float32
	tri        int32
	next       int32
}

func newTile(g *geometry) *tile {
	n := tileSide * tileSide
	return &tile{g: g, iw: make([]float64, n), tri: make([]int32, n), head: make([]int32, n)}
}

// draw fills the tile at sample (x0, y0): opaque triangles first, then the
// transparent ones in front of them.
func (t *tile) draw(bin []int32, x0, y0 int) {
	t.x0, t.y0 = x0, y0
	clear(t.iw)
	for i := range t.head {
		t.head[i], t.tri[i] = -1, -1
	}
	t.frags = t.frags[:0]
	for _, transparent := range []bool{false, true} {
		for _, n := range bin {
			if t.g.bodies[t.g.tris[n].body].transparent == transparent {
				t.scan(n, transparent)
			}
		}
	}
}

// scan walks the samples of the tile that triangle n covers.
func (t *tile) scan(n int32, transparent bool) {
	tr := &t.g.tris[n]
	lx, hx := max(t.x0, int((tr.minX-subOne/2+subOne-1)>>subBits)), min(t.x0+tileSide-1, int((tr.maxX-subOne/2)>>subBits))
	ly, hy := max(t.y0, int((tr.minY-subOne/2+subOne-1)>>subBits)), min(t.y0+tileSide-1, int((tr.maxY-subOne/2)>>subBits))
	if lx > hx || ly > hy {
		return
	}
	var row, stepX, stepY, bias [3]int64
	for k := range 3 {
		ax, ay := tr.x[(k+1)%3], tr.y[(k+1)%3]
		bx, by := tr.x[(k+2)%3], tr.y[(k+2)%3]
		dx, dy := bx-ax, by-ay
		px, py := int64(lx)<<subBits+subOne/2, int64(ly)<<subBits+subOne/2
		row[k] = dx*(py-ay) - dy*(px-ax)
		stepX[k], stepY[k] = -dy<<subBits, dx<<subBits
		if !(dy < 0 || dy == 0 && dx > 0) { // neither a left nor a top edge
			bias[k] = -1
		}
	}
	inv := 1 / float64(tr.area)
	v := &tr.v
	// A transparent skin on an opaque body (a tumour that reaches the organ's
	// surface) lies at the same depth but for rounding: it is drawn. Of two
	// opaque ones the first in the scene is seen.
	nearer := 1 + coincident
	if transparent {
		nearer = 1 - coincident
	}
	clips := t.g.bodies[tr.body].clips
	for y := ly; y <= hy; y++ {
		e := row
		for x := lx; x <= hx; x++ {
			if e[0]+bias[0] >= 0 && e[1]+bias[1] >= 0 && e[2]+bias[2] >= 0 {
				// Perspective: w/depth is linear on the screen.
				b0 := float64(e[0]) * inv * t.g.iw[v[0]]
				b1 := float64(e[1]) * inv * t.g.iw[v[1]]
				b2 := float64(e[2]) * inv * t.g.iw[v[2]]
				iw := b0 + b1 + b2
				i := (y-t.y0)*tileSide + x - t.x0
				if iw > t.iw[i]*nearer {
					keep := true
					if clips > 0 {
						for c := range clips {
							d := t.g.clip[c]
							if b0*d[v[0]]+b1*d[v[1]]+b2*d[v[2]] > 0 {
								keep = false
								break
							}
						}
					}
					switch {
					case !keep:
					case transparent:
						r, g, b, a := t.g.shade(tr, b0/iw, b1/iw, b2/iw, iw, x, y)
						t.frags = append(t.frags, fragment{iw, float32(r), float32(g), float32(b), float32(a), n, t.head[i]})
						t.head[i] = int32(len(t.frags) - 1)
					default:
						t.iw[i], t.tri[i] = iw, n
					}
				}
			}
			e[0] += stepX[0]
			e[1] += stepX[1]
			e[2] += stepX[2]
		}
		row[0] += stepY[0]
		row[1] += stepY[1]
		row[2] += stepY[2]
	}
}

// resolve blends the samples of the tile into the pixels at (px, py).
func (t *tile) resolve(img *image.RGBA, px, py int) {
	bg := t.g.background
	b := img.Rect
	for y := 0; y < tilePx && py+y < b.Max.Y; y++ {
		for x := 0; x < tilePx && px+x < b.Max.X; x++ {
			var sum [3]float64
			for s := range samples * samples {
				i := (y*samples+s/samples)*tileSide + x*samples + s%samples
				c := t.sample(i, bg)
				sum[0] += c[0]
				sum[1] += c[1]
				sum[2] += c[2]
			}
			o := img.PixOffset(px+x, py+y)
			for k := range 3 {
				img.Pix[o+k] = uint8(min(255, max(0, math.Floor(sum[k]*(255.0/(samples*samples))+0.5))))
			}
			img.Pix[o+3] = 255
		}
	}
}

// sample is the colour of one sample over the background.
func (t *tile) sample(i int, c [3]float64) [3]float64 {
	if n := t.tri[i]; n >= 0 {
		x, y := t.x0+i%tileSide, t.y0+i/tileSide
		tr := &t.g.tris[n]
		b0, b1, b2, iw := t.g.weights(tr, x, y)
		c[0], c[1], c[2], _ = t.g.shade(tr, b0, b1, b2, iw, x, y)
	}
	if t.head[i] < 0 {
		return c
	}
	// Insertion sort, farthest first; triangles at the same depth keep a fixed
	// order by their index.
	s := t.sorted[:0]
	for k := t.head[i]; k >= 0; k = t.frags[k].next {
		f := t.frags[k]
		s = append(s, f)
		j := len(s) - 1
		for ; j > 0 && (s[j-1].iw > f.iw || s[j-1].iw == f.iw && s[j-1].tri > f.tri); j-- {
			s[j] = s[j-1]
		}
		s[j] = f
	}
	t.sorted = s
	for _, f := range s {
		a := float64(f.a)
		c[0] += a * (float64(f.r) - c[0])
		c[1] += a * (float64(f.g) - c[1])
		c[2] += a * (float64(f.b) - c[2])
	}
	return c
}
