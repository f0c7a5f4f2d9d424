package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"halsted/planner"
)

// colour is an opaque sRGB colour.
type colour struct{ r, g, b uint8 }

// mix is c thinned with white: 0 is white, 1 is c.
func (c colour) mix(share float64) colour {
	f := func(v uint8) uint8 { return uint8(math.Round(255 - share*(255-float64(v)))) }
	return colour{f(c.r), f(c.g), f(c.b)}
}

// Colours that people with colour blindness tell apart (Okabe and Ito, Color
// Universal Design, 2008). A unit keeps its colour in every chart; red is kept
// for limits.
var (
	ink   = colour{27, 30, 35}
	faint = colour{102, 112, 124}
	rule  = colour{208, 213, 219}
	red   = colour{176, 24, 24}
	amber = colour{201, 138, 0}
	ofPct = colour{0, 114, 178}
	ofVol = colour{0, 158, 115}
	ofMM  = colour{148, 82, 150}
	ofKPa = colour{213, 94, 0}
	ofOne = colour{85, 85, 85}
)

func colourOf(unit string) colour {
	switch unit {
	case "%":
		return ofPct
	case "mL", "cm2", "mm3", "mL/min", "g":
		return ofVol
	case "mm", "min", "deg":
		return ofMM
	case "kPa", "MPa", "N", "N/cm2", "mm[Hg]":
		return ofKPa
	}
	return ofOne
}

// anchor says which point of a text lies at its x.
type anchor uint8

const (
	left anchor = iota
	middle
	right
)

// canvas is what charts are drawn on: mm, y downwards. Sizes of text are in
// points, y is the baseline.
type canvas interface {
	line(x1, y1, x2, y2, width float64, c colour, dashed bool)
	rect(x, y, w, h float64, fill colour)
	dot(x, y, r float64, c colour, hollow bool)
	text(x, y, size float64, c colour, bold bool, a anchor, s string)
}

// span is the scale of one axis.
type span struct{ lo, hi, step float64 }

// newSpan covers values with two to six round steps (1, 2, 5 × 10^n).
func newSpan(values []float64) span {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	if lo > hi {
		return span{0, 1, 0.5}
	}
	// Amounts that start near zero show zero.
	if lo > 0 && lo < 0.4*hi {
		lo = 0
	}
	if w := hi - lo; !(w > 1e-9*max(math.Abs(lo), math.Abs(hi))) { // one value
		d := max(math.Abs(hi)/2, 0.5)
		lo, hi = lo-d, hi+d
	}
	raw := (hi - lo) / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw {
			step = m * power
			break
		}
	}
	return span{step * math.Floor(lo/step+1e-9), step * math.Ceil(hi/step-1e-9), step}
}

// at is where v lies on an axis from 0 to length.
func (s span) at(v, length float64) float64 { return length * (v - s.lo) / (s.hi - s.lo) }

// ticks are the round values of the axis.
func (s span) ticks() []float64 {
	var out []float64
	for n := 0; n <= 12; n++ {
		v := s.lo + float64(n)*s.step
		if v > s.hi+s.step/1e6 {
			break
		}
		if math.Abs(v) < s.step/1e6 {
			v = 0
		}
		out = append(out, v)
	}
	return out
}

// tick writes a tick so that neighbours differ.
func (s span) tick(v float64) string {
	if a := max(math.Abs(s.lo), math.Abs(s.hi)); a >= 1e7 || s.step < 1e-4 {
		return number(v)
	}
	return strconv.FormatFloat(v, 'f', max(0, -int(math.Floor(math.Log10(s.step)+1e-9))), 64)
}

// spanOf is the scale of a quantity over all plans and its limits.
func (d *Dossier) spanOf(id string) span {
	var values []float64
	for _, it := range d.Items {
		if q, ok := it.Evaluation.Quantity(id); ok {
			values = append(values, q.Value)
			if q.HasInterval() {
				values = append(values, q.Spread.P2_5, q.Spread.P97_5)
			}
		}
	}
	for _, l := range d.Limits {
		if l.Quantity == id {
			values = append(values, l.Limit.Value)
		}
	}
	s := newSpan(values)
	if n := slices.IndexFunc(d.Items, func(it Item) bool { _, ok := it.Evaluation.Quantity(id); return ok }); n >= 0 {
		if q, _ := d.Items[n].Evaluation.Quantity(id); q.Unit == "%" && slices.Max(values) <= 100 {
			s.hi = min(s.hi, 100) // a share has no more
		}
	}
	return s
}

// unitOf is the unit of a quantity in the first plan that has it.
func (d *Dossier) unitOf(id string) string {
	for _, it := range d.Items {
		if q, ok := it.Evaluation.Quantity(id); ok {
			return q.Unit
		}
	}
	return "1"
}

// whisker draws a quantity along x: the 95 % interval thin, the 90 % interval
// thick, the value as a dot, hollow when its spread is not quantified.
func whisker(c canvas, x, y, length float64, s span, q planner.Quantity, col colour) {
	if q.HasInterval() {
		c.line(x+s.at(q.Spread.P2_5, length), y, x+s.at(q.Spread.P97_5, length), y, 0.5, col, false)
		c.line(x+s.at(q.Spread.P5, length), y, x+s.at(q.Spread.P95, length), y, 1.5, col.mix(0.55), false)
	}
	c.dot(x+s.at(q.Value, length), y, 0.95, col, !q.HasInterval())
}

// forbid shades the side of a limit that a plan must not lie on, and draws the
// limit: full red for a hard rule, dashed for a soft one.
func (d *Dossier) forbid(c canvas, id string, x, y, length, height float64, s span) {
	for _, l := range d.Limits {
		if l.Quantity != id {
			continue
		}
		at := s.at(l.Limit.Value, length)
		if l.Hard {
			if l.Limit.Operator == ">=" {
				c.rect(x, y, at, height, red.mix(0.10))
			} else {
				c.rect(x+at, y, length-at, height, red.mix(0.10))
			}
		}
	}
	for _, l := range d.Limits {
		if l.Quantity == id {
			at := x + s.at(l.Limit.Value, length)
			c.line(at, y, at, y+height, 0.35, red, !l.Hard)
		}
	}
}

// mutedIfVetoed is the colour of a plan's marks.
func mutedIfVetoed(it Item, col colour) colour {
	if it.Evaluation.Rank == 0 {
		return colour{150, 155, 160}
	}
	return col
}

// panelRow is the height of one plan in a panel, mm; many plans move together
// so that a panel fits a page.
func (d *Dossier) panelRow() float64 { return min(4.2, 200/float64(max(1, len(d.Items)))) }

// panelHeight is the height of a panel, mm.
func (d *Dossier) panelHeight() float64 { return 5 + d.panelRow()*float64(len(d.Items)) + 5 }

// panel draws one quantity of all plans, a row each, on one scale.
func (d *Dossier) panel(c canvas, id string, x, y, w float64) {
	col, s := colourOf(d.unitOf(id)), d.spanOf(id)
	title := d.axisName(id)
	if u := unit(d.unitOf(id)); u != "" {
		title += ", " + u
	}
	c.text(x, y+3.2, 8, ink, true, left, title)
	const gutter = 6
	panelRow := d.panelRow()
	ax, ay, length, height := x+gutter, y+5, w-gutter-3, panelRow*float64(len(d.Items))
	d.forbid(c, id, ax, ay, length, height, s)
	for _, t := range s.ticks() {
		at := ax + s.at(t, length)
		c.line(at, ay, at, ay+height, 0.1, rule, false)
		c.text(at, ay+height+3.2, 6.5, faint, false, middle, s.tick(t))
	}
	for n, it := range d.Items {
		ry := ay + panelRow*(float64(n)+0.5)
		c.text(ax-2.2, ry+0.9, 7, ink, it.Plan.ID == d.Knee && d.Knee != "", right, d.mark(n))
		if q, ok := it.Evaluation.Quantity(id); ok {
			whisker(c, ax, ry, length, s, q, mutedIfVetoed(it, col))
		} else {
			c.text(ax+1, ry+0.9, 6.5, faint, false, left, "not computed")
		}
	}
	c.line(ax, ay+height, ax+length, ay+height, 0.2, faint, false)
}

// mark is the short name of plan n in charts and tables: its rank, or V and a
// number when vetoed.
func (d *Dossier) mark(n int) string {
	if r := d.Items[n].Evaluation.Rank; r > 0 {
		return fmt.Sprint(r)
	}
	v := 1
	for _, it := range d.Items[:n] {
		if it.Evaluation.Rank == 0 {
			v++
		}
	}
	return fmt.Sprint("V", v)
}

const stripRow = 9.0 // mm for one quantity of a plan

// strips draws the headline numbers of plan n, a row each: this plan in colour,
// the others as thin grey marks, the limits in red. It returns the height used.
func (d *Dossier) strips(c canvas, n int, x, y, w float64) float64 {
	const name, numbers = 48, 42
	ax, length := x+name, w-name-numbers
	row := y
	for _, id := range d.headline() {
		q, ok := d.Items[n].Evaluation.Quantity(id)
		if !ok {
			continue
		}
		s, col := d.spanOf(id), colourOf(q.Unit)
		d.forbid(c, id, ax, row, length, 4.6, s)
		c.line(ax, row+4.6, ax+length, row+4.6, 0.15, faint, false)
		for _, t := range s.ticks() {
			c.line(ax+s.at(t, length), row+4.6, ax+s.at(t, length), row+5.2, 0.15, faint, false)
			c.text(ax+s.at(t, length), row+7.5, 6, faint, false, middle, s.tick(t))
		}
		for o, it := range d.Items {
			if other, ok := it.Evaluation.Quantity(id); ok && o != n {
				at := ax + s.at(other.Value, length)
				c.line(at, row+3.5, at, row+4.6, 0.3, colour{150, 155, 160}, false)
			}
		}
		whisker(c, ax, row+2.2, length, s, q, col)
		c.text(x, row+3.2, 7.5, ink, false, left, capital(heading(d.Items, id)))
		c.text(ax+length+3, row+2.4, 8.5, col, true, left, value(q)+marks(q))
		c.text(ax+length+3, row+5.6, 6.5, faint, false, left, bandText(q))
		row += stripRow
	}
	return row - y
}

// bandText is brief, saying what the interval is.
func bandText(q planner.Quantity) string {
	if !q.HasInterval() {
		return brief(q)
	}
	return "95 %: " + brief(q)
}

// axes are the two objectives of the front's chart; ok is false when there are
// none.
func (d *Dossier) axes() (x, y string, ok bool) {
	x, y = d.Front[0].Quantity, d.Front[1].Quantity
	if x == "" || y == "" {
		ids := d.headline()
		if len(ids) < 2 {
			return "", "", false
		}
		x, y = ids[0], ids[1]
	}
	return x, y, x != y
}

// front draws the plans over two objectives with their 95 % intervals. The
// proposed plan has a ring; vetoed plans are grey.
func (d *Dossier) front(c canvas, x, y, w, h float64) {
	idx, idy, ok := d.axes()
	if !ok {
		return
	}
	sx, sy := d.spanOf(idx), d.spanOf(idy)
	const gutter, foot, head = 12, 9, 6
	ax, ay, length, height := x+gutter, y+head, w-gutter-4, h-head-foot
	c.text(x, y+3.2, 8, ink, true, left, axisTitle(d, idy)+" (up) over "+axisTitle(d, idx)+" (across)")
	d.forbid(c, idx, ax, ay, length, height, sx)
	for _, l := range d.Limits { // the second objective, turned
		if l.Quantity != idy {
			continue
		}
		at := ay + height - sy.at(l.Limit.Value, height)
		if l.Hard && l.Limit.Operator == ">=" {
			c.rect(ax, at, length, ay+height-at, red.mix(0.10))
		} else if l.Hard {
			c.rect(ax, ay, length, at-ay, red.mix(0.10))
		}
		c.line(ax, at, ax+length, at, 0.35, red, !l.Hard)
	}
	for _, t := range sx.ticks() {
		at := ax + sx.at(t, length)
		c.line(at, ay, at, ay+height, 0.1, rule, false)
		c.text(at, ay+height+3.2, 6.5, faint, false, middle, sx.tick(t))
	}
	for _, t := range sy.ticks() {
		at := ay + height - sy.at(t, height)
		c.line(ax, at, ax+length, at, 0.1, rule, false)
		c.text(ax-1.2, at+0.8, 6.5, faint, false, right, sy.tick(t))
	}
	c.text(ax+length/2, ay+height+7, 7, faint, false, middle, axisTitle(d, idx))
	var taken [][2]float64
	for n, it := range slices.Backward(d.Items) {
		qx, okx := it.Evaluation.Quantity(idx)
		qy, oky := it.Evaluation.Quantity(idy)
		if !okx || !oky {
			continue
		}
		col := mutedIfVetoed(it, colourOf(qx.Unit))
		px, py := ax+sx.at(qx.Value, length), ay+height-sy.at(qy.Value, height)
		if qx.HasInterval() {
			c.line(ax+sx.at(qx.Spread.P2_5, length), py, ax+sx.at(qx.Spread.P97_5, length), py, 0.3, col.mix(0.6), false)
		}
		if qy.HasInterval() {
			c.line(px, ay+height-sy.at(qy.Spread.P2_5, height), px, ay+height-sy.at(qy.Spread.P97_5, height), 0.3, col.mix(0.6), false)
		}
		if it.Plan.ID == d.Knee && d.Knee != "" {
			c.dot(px, py, 2.1, col, true)
		}
		c.dot(px, py, 1.1, col, false)
		tx, ty := px+2.2, py-1.6
		for slices.ContainsFunc(taken, func(p [2]float64) bool { return math.Abs(p[0]-tx) < 3.5 && math.Abs(p[1]-ty) < 2.6 }) {
			ty -= 2.7
		}
		taken = append(taken, [2]float64{tx, ty})
		c.text(tx, ty, 8, ink, it.Plan.ID == d.Knee && d.Knee != "", left, d.mark(n))
	}
}

// axisName is the label of a quantity in chart length.
func (d *Dossier) axisName(id string) string {
	return shortened(name(label(d.Items, id)), 44)
}

func axisTitle(d *Dossier, id string) string {
	if u := unit(d.unitOf(id)); u != "" {
		return d.axisName(id) + ", " + u
	}
	return d.axisName(id)
}
