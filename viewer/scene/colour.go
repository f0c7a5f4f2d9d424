package scene

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
)

// Colours of values outside the range of a scale; neither occurs in viridis.
var (
	BelowRange = color.NRGBA{R: 150, G: 150, B: 158, A: 255}
	AboveRange = color.NRGBA{R: 226, G: 60, B: 120, A: 255}
)

// Viridis is the colour at t of the viridis map, linear between its 256
// entries; t is clamped to 0..1. Components are 0..1, sRGB.
func Viridis(t float64) (r, g, b float64) {
	x := max(0, min(t, 1)) * 255
	i := min(int(x), 254)
	f := x - float64(i)
	p, q := viridis[i], viridis[i+1]
	return lerp(p[0], q[0], f), lerp(p[1], q[1], f), lerp(p[2], q[2], f)
}

func lerp(a, b, f float64) float64 { return a*(1-f) + b*f }

// ViridisTable is the 256 entries with 8 bits a component, for a texture.
func ViridisTable() (table [256][3]uint8) {
	for i, c := range viridis {
		for k, v := range c {
			table[i][k] = uint8(math.Round(255 * v))
		}
	}
	return table
}

// Scale maps the values of one field to colours.
type Scale struct {
	ID    string // of the field
	Title string // what a surgeon reads
	Unit  string
	// Min and Max are the ends of the colours.
	Min, Max float64
	Locked   bool // the ends were set by hand or by LockPercentile
	// DataMin and DataMax are the extremes of the current frame over the
	// structures that show the field.
	DataMin, DataMax float64
	// Note says how well the current frame's values are known; may be empty.
	Note string
}

// T is where v stands in the scale: 0 at Min, 1 at Max, outside beyond.
func (s Scale) T(v float64) float64 { return (v - s.Min) / (s.Max - s.Min) }

// Colour is the colour of v, components 0..1.
func (s Scale) Colour(v float64) (r, g, b float64) {
	t := s.T(v)
	// Rounding may push the value that set the end a few ulp beyond it.
	const slack = 1e-6
	switch {
	case t < -slack:
		return float64(BelowRange.R) / 255, float64(BelowRange.G) / 255, float64(BelowRange.B) / 255
	case t > 1+slack:
		return float64(AboveRange.R) / 255, float64(AboveRange.G) / 255, float64(AboveRange.B) / 255
	}
	return Viridis(t)
}

var fieldTitles = map[string]string{
	"von_mises":     "Von Mises stress",
	"displacement":  "Displacement",
	"strain_max":    "Largest principal strain",
	"stress_max":    "Largest principal stress",
	"stress_min":    "Smallest principal stress",
	"energy":        "Strain energy density",
	"margin":        "Distance to the tumour",
	"uncertainty":   "Uncertainty (95 %)",
	"von_mises_p95": "Von Mises stress, 95th percentile",
}

// FieldTitle is what a surgeon reads for a field id; an unknown id is returned
// as it is.
func FieldTitle(id string) string {
	if t, ok := fieldTitles[id]; ok {
		return t
	}
	return id
}

// LockRange fixes the colours of a field between lo and hi, so that pictures
// of different plans and times compare. It refuses an empty or non-finite
// range.
func (sc *Scene) LockRange(id string, lo, hi float64) error {
	if !(hi > lo) || math.IsInf(hi, 0) || math.IsInf(lo, 0) {
		return fmt.Errorf("scene: range %g to %g of %s is empty or not finite", lo, hi, id)
	}
	sc.locks[id] = [2]float64{lo, hi}
	return nil
}

// UnlockRange lets the range of a field follow the data again.
func (sc *Scene) UnlockRange(id string) { delete(sc.locks, id) }

// LockPercentile fixes the upper end of a field at a percentile (0 to 100) of
// the current frame over the structures that show it, and the lower end where
// the data begin (0 where Scale would). Peaks beyond it wear the colour
// AboveRange, and the legend names the true maximum.
func (sc *Scene) LockPercentile(id string, percent float64) error {
	var all []float32
	for _, s := range sc.Structures {
		if s.Quantity == id && s.Drawn() {
			all = append(all, sc.Values(s)...)
		}
	}
	if len(all) == 0 || !(percent > 0 && percent <= 100) {
		return fmt.Errorf("scene: no percentile %g of %s: %d values are shown", percent, id, len(all))
	}
	slices.Sort(all)
	hi := float64(all[int(math.Ceil(percent/100*float64(len(all))))-1])
	lo, hi := tidyRange(float64(all[0]), hi)
	return sc.LockRange(id, lo, hi)
}

// tidyRange starts a range of non-negative data at zero unless that would
// waste more than half of the colours, and opens a range without width.
func tidyRange(lo, hi float64) (float64, float64) {
	if lo > 0 && lo < hi/2 {
		lo = 0
	}
	if hi <= lo {
		hi = lo + max(1e-6, math.Abs(lo)*1e-6)
		if lo == 0 {
			hi = 1
		}
	}
	return lo, hi
}

// Scale is the scale of a field: the locked range, or the extremes over all
// frames kept, on the structures that show it. ok is false when no visible
// structure shows the field or no frame holds it.
func (sc *Scene) Scale(id string) (s Scale, ok bool) {
	cur := sc.Timeline.Current()
	if cur == nil {
		return Scale{}, false
	}
	n := cur.field(id)
	if n < 0 {
		return Scale{}, false
	}
	s = Scale{ID: id, Title: FieldTitle(id), Unit: cur.Fields[n].Unit, Note: cur.Fields[n].Quality.text(cur.Fields[n].Unit), DataMin: math.Inf(1), DataMax: math.Inf(-1)}
	lo, hi := math.Inf(1), math.Inf(-1)
	for m, st := range sc.Structures {
		if st.Quantity != id || !st.Drawn() {
			continue
		}
		ok = true
		s.DataMin, s.DataMax = min(s.DataMin, cur.spans[n][m].lo), max(s.DataMax, cur.spans[n][m].hi)
		for _, f := range sc.Timeline.frames {
			if k := f.field(id); k >= 0 {
				lo, hi = min(lo, f.spans[k][m].lo), max(hi, f.spans[k][m].hi)
			}
		}
	}
	if !ok {
		return Scale{}, false
	}
	if l, locked := sc.locks[id]; locked {
		s.Min, s.Max, s.Locked = l[0], l[1], true
	} else {
		s.Min, s.Max = tidyRange(lo, hi)
	}
	return s, true
}

// Scales lists the scales in use, in the order of the structures.
func (sc *Scene) Scales() []Scale {
	var out []Scale
	seen := map[string]bool{}
	for _, st := range sc.Structures {
		if st.Quantity == "" || seen[st.Quantity] {
			continue
		}
		seen[st.Quantity] = true
		if s, ok := sc.Scale(st.Quantity); ok {
			out = append(out, s)
		}
	}
	return out
}

// Tick is one mark of a legend: T is 0 at the lower end, 1 at the upper.
type Tick struct {
	Value, T float64
	Text     string
}

// Ticks marks the scale at round values (1, 2 or 5 times a power of ten), at
// most n of them, n at least 2.
func (s Scale) Ticks(n int) []Tick {
	width := s.Max - s.Min
	step := math.Pow(10, math.Floor(math.Log10(width/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if math.Floor(s.Max/(step*m)+tickTol)-math.Ceil(s.Min/(step*m)-tickTol)+1 <= float64(n) {
			step *= m
			break
		}
	}
	decimals := max(0, int(-math.Floor(math.Log10(step)+tickTol)))
	var out []Tick
	for k := math.Ceil(s.Min/step - tickTol); k <= math.Floor(s.Max/step+tickTol); k++ {
		v := k * step
		out = append(out, Tick{v, s.T(v), strconv.FormatFloat(v+0, 'f', decimals, 64)})
	}
	return out
}

// tickTol is how far, in steps, an end may miss a mark by rounding: a few
// hundred ulp of the quotient, far below a pixel.
const tickTol = 1e-9

// Number prints a value of the scale with three significant digits.
func Number(v float64) string {
	if v == 0 {
		return "0"
	}
	a := math.Abs(v)
	if a >= 1e6 || a < 1e-4 {
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(a)))), 64)
}
