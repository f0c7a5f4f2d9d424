package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// deviation is a distance over a surface, voxels: mean by area, 99th percentile
// (to a hundredth), largest, and where. Zero where nothing was measured.
type deviation struct {
	Mean  float64 `json:"mean_voxels"`
	P99   float64 `json:"p99_voxels"`
	Max   float64 `json:"max_voxels"`
	MaxAt r3.Vec  `json:"max_at_mm"`
	// Places farther than farVoxels, worst first, one for each stretch.
	Far  []farPlace `json:"far,omitempty"`
	area float64
}

// farVoxels is the largest distance that issue 3 allows.
const farVoxels = .75

type farPlace struct {
	Voxels float64 `json:"voxels"`
	AtMM   r3.Vec  `json:"at_mm"`
	Points int     `json:"points"` // of the samples
}

func (d *deviation) printFar(w io.Writer, l imaging.Label, name string) {
	if len(d.Far) == 0 {
		return
	}
	fmt.Fprintf(w, "label %d %s over %g voxels in %d places:", l, name, farVoxels, len(d.Far))
	for n, f := range d.Far {
		if n == 8 {
			fmt.Fprint(w, " …")
			break
		}
		fmt.Fprintf(w, " %.2f%s×%d", f.Voxels, place(f.AtMM), f.Points)
	}
	fmt.Fprintln(w)
}

// pool adds what was measured of one label; Mean stays a sum until it is
// divided by area.
func (d *deviation) pool(o deviation, t *tally) {
	if t == nil {
		return
	}
	d.Mean += t.sum
	d.area += t.area
	d.P99 = max(d.P99, o.P99)
	if o.Max > d.Max {
		d.Max, d.MaxAt = o.Max, o.MaxAt
	}
}

// tally sums distances of one label's border.
type tally struct {
	area, sum, max float64
	at             r3.Vec
	hist           [500]float64 // area by hundredths of a voxel
	far            []farPlace
}

func (t *tally) add(d, area float64, p r3.Vec) {
	t.area += area
	t.sum += d * area
	if d > t.max {
		t.max, t.at = d, p
	}
	if d > farVoxels {
		t.far = append(t.far, farPlace{d, p, 1})
	}
	t.hist[max(0, min(len(t.hist)-1, int(100*d)))] += area
}

func (t *tally) summary() (d deviation) {
	if t == nil || t.area == 0 {
		return d
	}
	d = deviation{Mean: t.sum / t.area, Max: t.max, MaxAt: t.at, area: t.area}
	d.Far = places(t.far)
	below := 0.0
	for n, a := range t.hist {
		if below += a; below >= .99*t.area {
			d.P99 = float64(n+1) / 100
			break
		}
	}
	return d
}

// places gathers points within 3 mm of a worse one.
func places(p []farPlace) (out []farPlace) {
	const most = 100 // places; beyond them only the worst matter
	slices.SortStableFunc(p, func(a, b farPlace) int { return cmp.Compare(b.Voxels, a.Voxels) })
next:
	for _, f := range p {
		for n := range out {
			if length(r3.Sub(out[n].AtMM, f.AtMM)) < 3 {
				out[n].Points++
				continue next
			}
		}
		if len(out) < most {
			out = append(out, f)
		}
	}
	return out
}

// tallies are the tallies by label.
type tallies map[imaging.Label]*tally

func (s tallies) of(l imaging.Label) *tally {
	if s[l] == nil {
		s[l] = &tally{}
	}
	return s[l]
}

// merge adds in order of parts, so that sums have the same bits for any number
// of cores.
func merge(parts []tallies) tallies {
	out := tallies{}
	for _, p := range parts {
		for l, t := range p {
			o := out.of(l)
			o.area += t.area
			o.sum += t.sum
			for n, a := range t.hist {
				o.hist[n] += a
			}
			o.far = append(o.far, t.far...)
			if t.max > o.max {
				o.max, o.at = t.max, t.at
			}
		}
	}
	return out
}
