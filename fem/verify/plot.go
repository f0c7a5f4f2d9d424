package verify

import (
	"fmt"
	"math"
	"strings"
)

// series is one line of a convergence plot.
type series struct {
	name   string
	h, err []float64
}

// seriesOf gathers the rows of a result that belong to convergence series of
// three meshes or more, in the order in which their quantities come.
func seriesOf(r *Result) (all []series) {
	var names []string
	rows := map[string]*series{}
	for _, w := range r.Rows {
		if !(w.HMM > 0) || w.Error == 0 {
			continue
		}
		s := rows[w.Quantity]
		if s == nil {
			s = &series{name: w.Quantity}
			rows[w.Quantity] = s
			names = append(names, w.Quantity)
		}
		s.h, s.err = append(s.h, w.HMM), append(s.err, math.Abs(w.Error))
	}
	for _, n := range names {
		if len(rows[n].h) >= 3 {
			all = append(all, *rows[n])
		}
	}
	return all
}

// Colours of lines that also people who do not tell red from green can tell
// apart (M. Okabe & K. Ito, Color Universal Design, 2008).
var colours = []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"}

// axis maps a logarithm to a place on the picture.
type axis struct{ lo, hi, from, to float64 }

func (a axis) place(v float64) float64 {
	return a.from + (math.Log10(v)-a.lo)/(a.hi-a.lo)*(a.to-a.from)
}

// Plot draws error over size of cells, both logarithmic, as SVG; it is empty
// where the result has no convergence series.
func Plot(r *Result) string {
	all := seriesOf(r)
	if len(all) == 0 {
		return ""
	}
	x, y := axis{lo: math.Inf(1), hi: math.Inf(-1), from: 70, to: 430}, axis{lo: math.Inf(1), hi: math.Inf(-1), from: 300, to: 20}
	for _, s := range all {
		for i := range s.h {
			x.lo, x.hi = min(x.lo, math.Log10(s.h[i])), max(x.hi, math.Log10(s.h[i]))
			y.lo, y.hi = min(y.lo, math.Log10(s.err[i])), max(y.hi, math.Log10(s.err[i]))
		}
	}
	x.lo, x.hi = x.lo-0.08, x.hi+0.08
	y.lo, y.hi = math.Floor(y.lo), math.Ceil(y.hi)
	if y.hi == y.lo {
		y.hi++
	}
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 350" width="860" height="350" font-family="sans-serif" font-size="12">` + "\n")
	b.WriteString(`<rect width="860" height="350" fill="#ffffff"/>` + "\n")
	every := 1
	if y.hi-y.lo > 8 {
		every = 2
	}
	for d := int(y.lo); d <= int(y.hi); d++ {
		at := y.place(math.Pow(10, float64(d)))
		fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f" stroke="#dddddd"/>`+"\n", x.from, at, x.to)
		if (d-int(y.lo))%every == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end">1e%d</text>`+"\n", x.from-6, at+4, d)
		}
	}
	for _, h := range ticks(math.Pow(10, x.lo), math.Pow(10, x.hi)) {
		at := x.place(h)
		fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1f" stroke="#dddddd"/>`+"\n", at, y.from, y.to)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%g</text>`+"\n", at, y.from+16, h)
	}
	fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1fV%.1fH%.1fZ" fill="none" stroke="#444444"/>`+"\n", x.from, y.from, x.to, y.to, x.from)
	fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">size of cells h, mm</text>`+"\n", (x.from+x.to)/2, y.from+36)
	fmt.Fprintf(&b, `<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle">error</text>`+"\n", (y.from+y.to)/2)
	for i, s := range all {
		c := colours[i%len(colours)]
		path := ""
		for k := range s.h {
			px, py := x.place(s.h[k]), y.place(s.err[k])
			path += fmt.Sprintf("%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[k == 0], px, py)
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", px, py, c)
		}
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.8"/>`+"\n", path, c)
		ly := 34 + 22*float64(i)
		fmt.Fprintf(&b, `<path d="M446 %.1fh22" stroke="%s" stroke-width="3"/><text x="474" y="%.1f">%s, rate %.2f</text>`+"\n", ly, c, ly+4, escape(s.name), slope(s.h, s.err))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// ticks are 1, 2 and 5 times powers of ten within a range.
func ticks(lo, hi float64) (t []float64) {
	for d := int(math.Floor(math.Log10(lo))); d <= int(math.Ceil(math.Log10(hi))); d++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, float64(d)); v >= lo && v <= hi {
				t = append(t, v)
			}
		}
	}
	return t
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
