package needle

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/planner"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// borders is what the image says of the borders of the target and of wide
// vessels in the organ (uncertainty.Border). Other structures, and what the
// image does not show, are known to Errors.BoundaryMM.
type borders struct {
	target, vessel *uncertainty.Border // nil: not measured
	obstacle       int                 // of the vessel; −1: none
	why            []string            // what was not measured
}

const (
	apartMM = 4.0 // how far levels and noise are read from other structures
	// contactMM is how much further than the least a point of a shaft may be for an
	// error of the border to make it the least.
	contactMM = 4.0
	// strayBorderMM is how far the measured border may lie from the mask's.
	strayBorderMM = 4.0
	contactStepMM = 0.5
)

// measureBorders measures what it can and says what it cannot.
func (c *Case) measureBorders(ctx context.Context, v *imaging.Volume) error {
	bo := &borders{obstacle: -1}
	c.borders = bo
	b := c.segs.Bits
	organ, target := c.segs.Bit(c.organ), c.segs.Bit(c.target)
	if organ == 0 {
		bo.why = append(bo.why, "the case has no mask of the "+c.organ.String())
		return nil
	}
	// The rings around the structures lie within this.
	box := c.Grid.Bounds(func(n int) bool { return b[n]&(organ|target) != 0 }).Grow(c.Grid, 14).Clip(c.Grid)
	if box.Empty() {
		bo.why = append(bo.why, "the case has no mask of the "+c.organ.String())
		return nil
	}
	sub := c.Grid.Crop(box)
	in := func(f func(n int) bool) func(int) bool {
		return func(n int) bool {
			i, j, k := sub.IJK(n)
			return f(c.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]))
		}
	}
	im, err := uncertainty.PrepareImage(ctx, v, sub)
	if err != nil {
		return bo.lacks(ctx, "all of them", err)
	}
	inside := im.Mask(in(func(n int) bool { return b[n]&(organ|target) != 0 }))
	ofTarget := im.Mask(in(func(n int) bool { return b[n]&target != 0 }))
	ofVessel, thin := make([]bool, len(inside)), make([]bool, len(inside))
	for n := range c.obst {
		if c.obst[n].ID == "vessel" {
			bo.obstacle = n
			ofVessel = im.Mask(in(c.obst[n].in))
			var bits uint32
			for _, l := range c.obst[n].Labels {
				bits |= c.segs.Bit(l)
			}
			thin = im.Mask(in(func(m int) bool { return b[m]&bits != 0 && !c.obst[n].in(m) }))
		}
	}
	far := func(m []bool) ([]float32, error) {
		d, err := distance.SignedBand(ctx, im.Grid, func(n int) bool { return m[n] }, 2*apartMM)
		if errors.Is(err, distance.ErrNoBoundary) || errors.Is(err, distance.ErrEmptySet) {
			d, err = make([]float32, len(m)), nil
			for n := range d {
				d[n] = 2 * apartMM
				if m[n] {
					d[n] = -2 * apartMM
				}
			}
		}
		return d, err
	}
	var d [3][]float32
	for n, m := range [3][]bool{inside, ofTarget, ofVessel} {
		if d[n], err = far(m); err != nil {
			return err
		}
	}
	shallow := func(n int) bool { return d[0][n] >= -apartMM }
	scan, err := im.Noise(ctx, func(n int) bool { return !shallow(n) && d[1][n] >= apartMM && d[2][n] >= apartMM && !thin[n] })
	if err != nil {
		return bo.lacks(ctx, "noise", err)
	}
	blur := 0.0
	whole, err := scan.FineBorder(ctx, func(n int) bool { return inside[n] }, func(n int) bool { return d[1][n] < apartMM || d[2][n] < apartMM || thin[n] }, 0)
	if err == nil {
		blur = whole.BlurMM
	} else if err := bo.lacks(ctx, c.organ.String(), err); err != nil {
		return err
	}
	bo.target, err = scan.Border(ctx, func(n int) bool { return ofTarget[n] }, func(n int) bool { return d[2][n] < apartMM || thin[n] || shallow(n) }, blur)
	if err != nil {
		if err := bo.lacks(ctx, c.target.String(), err); err != nil {
			return err
		}
	}
	if bo.obstacle < 0 {
		return nil
	}
	bo.vessel, err = scan.Border(ctx, func(n int) bool { return ofVessel[n] }, func(n int) bool { return d[1][n] < apartMM || thin[n] || shallow(n) }, blur)
	if err != nil {
		return bo.lacks(ctx, "vessels", err)
	}
	return nil
}

// lacks notes what was not measured.
func (o *borders) lacks(ctx context.Context, what string, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, thin := errors.AsType[*uncertainty.ThinError](why)
	_, apart := errors.AsType[*uncertainty.ApartError](why)
	_, image := errors.AsType[*uncertainty.ImageError](why)
	if !thin && !apart && !image && !errors.Is(why, distance.ErrEmptySet) && !errors.Is(why, distance.ErrNoBoundary) {
		return why
	}
	o.why = append(o.why, fmt.Sprintf("%s (%v)", what, why))
	return nil
}

// any reports whether a border was measured.
func (o *borders) any() bool { return o != nil && (o.target != nil || o.vessel != nil) }

// moved are the borders under a sample; nil where they were not measured.
type moved struct {
	target, vessel *uncertainty.Moved
	boundaryMM     float64 // of what was not measured, outwards
}

func (c *Case) moved(x []float64) (m moved, err error) {
	m.boundaryMM = x[inBoundary]
	if o := c.borders; o != nil {
		if o.target != nil {
			if m.target, err = o.target.Move(x[inNoise], x[inBlur]); err != nil {
				return m, err
			}
			m.target.UnseenMM = x[inTarget]
		}
		if o.vessel != nil {
			if m.vessel, err = o.vessel.Move(x[inNoise], x[inBlur]); err != nil {
				return m, err
			}
			m.vessel.UnseenMM = x[inBoundary]
		}
	}
	return m, nil
}

// toBorder is the distance of p, mm from the border of the mask, from the moved
// border; ok is false where that was not measured.
func toBorder(b *uncertainty.Border, m *uncertainty.Moved, p r3.Vec, mm float64) (float64, bool) {
	n, ok := b.Nearest(p, math.Abs(mm)+strayBorderMM)
	if !ok {
		return mm, false
	}
	d := b.Smooth.SignedMM(p, n)
	if math.Abs(d-mm) > strayBorderMM {
		return mm, false
	}
	return d - m.SmoothMM(n), true
}

// least is the least distance of a shaft from obstacle n, whose mask it passes
// at mm, under a sample: from the border as the image shows it, and from the
// mask's where it was not measured.
func (c *Case) least(n int, s *shaft, f *Field, mm float64, m *moved) float64 {
	if m.vessel == nil || n != c.borders.obstacle || mm >= nearMM {
		return mm - m.boundaryMM
	}
	every := int(math.Round(contactStepMM / StepMM))
	best := math.Inf(1)
	for i := 0; i <= s.n; i += every {
		x, y, z := s.where(i)
		v := f.at(x, y, z)
		if v > mm+contactMM || v >= nearMM {
			continue
		}
		d, ok := toBorder(c.borders.vessel, m.vessel, c.Grid.Point(x, y, z), v)
		if !ok {
			d = v - m.boundaryMM
		}
		best = min(best, d)
	}
	if math.IsInf(best, 1) {
		return mm - m.boundaryMM
	}
	return best
}

// grow is how far the border of a structure lies outside its mask in the mean:
// measured, else by the input.
func grow(b *uncertainty.Border, m *uncertainty.Moved, input float64) float64 {
	if m == nil {
		return input
	}
	sum := 0.0
	b.Layers(func(_ r3.Vec, mm3 float64) { sum += mm3 })
	m.Pieces(func(_ int, mm3 float64) { sum += mm3 })
	return sum / b.AreaMM2()
}

// growTarget and growVessel are grow of the two structures.
func (c *Case) growTarget(m *moved, x []float64) float64 {
	if m.target == nil {
		return x[inTarget]
	}
	return grow(c.borders.target, m.target, x[inTarget])
}

func (c *Case) growVessel(m *moved, x []float64) float64 {
	if m.vessel == nil {
		return x[inBoundary]
	}
	return grow(c.borders.vessel, m.vessel, x[inBoundary])
}

// borderFlags tell what the spread of borders rests on.
func (c *Case) borderFlags(given bool) []planner.Flag {
	touches := []string{"min_clearance_mm", "tip_depth_mm", "p_tip_percent", "coverage_percent", "ablated_ml", "healthy_ml", "zone_vessel_mm"}
	for _, o := range c.obst {
		touches = append(touches, "clearance_"+o.ID+"_mm", "p_hit_"+o.ID+"_percent")
	}
	assumed := fmt.Sprintf("%.2g mm (standard deviation)", c.errors.BoundaryMM)
	text := "No image was given: the errors of borders were not measured and are taken as " + assumed + "."
	switch {
	case !given:
	case len(c.borders.why) > 0:
		text = "The error of these borders could not be measured and is taken as " + assumed + ": "
		for n, w := range c.borders.why {
			if n > 0 {
				text += "; "
			}
			text += w
		}
		text += "."
	default:
		return nil
	}
	return []planner.Flag{{ID: "border_not_measured", Text: text, Touches: touches}}
}
