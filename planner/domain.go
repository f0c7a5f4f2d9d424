package planner

import (
	"fmt"
	"math"
	"slices"
)

// Range is a property of a case in which the numbers were verified, from Low to
// High. Either may be infinite.
type Range struct {
	ID       string // stable name: "slice_thickness"
	Label    string // what a surgeon reads: "Slice thickness"
	Unit     string // UCUM
	Low      float64
	High     float64
	Source   string // what was verified on it
	Evidence Evidence
	Touches  []string // Output ids whose numbers depend on it; nil: all
}

// Measured is a property of the case at hand.
type Measured struct {
	ID    string // Range.ID
	Value float64
	Unit  string // UCUM; must equal the range's
}

// OutOfDomain tells where a case lies outside the verified ranges, in their
// order. What was not measured, is not finite or is in another unit is a flag
// too. When a property is measured several times, the first one that is
// outside is told.
func OutOfDomain(ranges []Range, measured []Measured) []Flag {
	var out []Flag
	for _, r := range ranges {
		text, found := "", false
		for _, m := range measured {
			if m.ID != r.ID || text != "" {
				continue
			}
			found = true
			switch {
			case m.Unit != r.Unit:
				text = fmt.Sprintf("%s: measured in %s, verified in %s; not compared", r.Label, m.Unit, r.Unit)
			case math.IsNaN(m.Value) || math.IsInf(m.Value, 0):
				text = r.Label + ": not measured; verified " + r.span()
			case m.Value < r.Low || m.Value > r.High:
				text = fmt.Sprintf("%s: %.4g%s lies outside what was verified, %s", r.Label, m.Value, UnitText(r.Unit), r.span())
			}
		}
		if !found {
			text = r.Label + ": not measured; verified " + r.span()
		}
		if text != "" {
			out = append(out, Flag{r.ID, fmt.Sprintf("%s [%s; %s]", text, r.Evidence, r.Source), slices.Clone(r.Touches)})
		}
	}
	return out
}

// MeasuredOf are the quantities of an evaluation, for ranges that are named
// after outputs: the value of each, then the ends of its 95 % interval.
func MeasuredOf(e *Evaluation) []Measured {
	var out []Measured
	for _, q := range e.Quantities {
		out = append(out, Measured{q.ID, q.Value, q.Unit})
		if q.Spread != nil {
			out = append(out, Measured{q.ID, q.Spread.P2_5, q.Unit}, Measured{q.ID, q.Spread.P97_5, q.Unit})
		}
	}
	return out
}

// span is the range as people write it.
func (r *Range) span() string {
	unit := UnitText(r.Unit)
	switch {
	case math.IsInf(r.Low, -1):
		return fmt.Sprintf("up to %.4g%s", r.High, unit)
	case math.IsInf(r.High, 1):
		return fmt.Sprintf("from %.4g%s", r.Low, unit)
	}
	return fmt.Sprintf("%.4g to %.4g%s", r.Low, r.High, unit)
}

// ApplyFlags puts the text of every flag on the quantities that it touches, in
// place and each text once. Quantities that share a Flags slice are not
// disturbed.
func ApplyFlags(flags []Flag, quantities []Quantity) {
	for n := range quantities {
		q := &quantities[n]
		for _, f := range flags {
			if (f.Touches == nil || slices.Contains(f.Touches, q.ID)) && !slices.Contains(q.Flags, f.Text) {
				q.Flags = append(q.Flags[:len(q.Flags):len(q.Flags)], f.Text)
			}
		}
	}
}

// FlagEvaluation puts the flags on every number of e: its quantities, those of
// its vetoes, and the radii and flows of its vessels.
func FlagEvaluation(flags []Flag, e *Evaluation) {
	ApplyFlags(flags, e.Quantities)
	for n := range e.Vetoes {
		one := []Quantity{e.Vetoes[n].Have}
		ApplyFlags(flags, one)
		e.Vetoes[n].Have = one[0]
	}
	for n := range e.Vessels {
		v := &e.Vessels[n]
		one := []Quantity{v.Radius}
		ApplyFlags(flags, one)
		v.Radius = one[0]
		if v.Flow != nil {
			flow := []Quantity{*v.Flow}
			ApplyFlags(flags, flow)
			v.Flow = &flow[0]
		}
	}
}
