package scene

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// lightness is CIE L* of an sRGB colour (IEC 61966-2-1, CIE 15).
func lightness(r, g, b float64) float64 {
	lin := func(c float64) float64 {
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	y := 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}

func TestViridisGetsLighterAllTheWay(t *testing.T) {
	last := -1.0
	for i := range 256 {
		l := lightness(Viridis(float64(i) / 255))
		if l <= last {
			t.Errorf("entry %d has L* %.3f after %.3f", i, l, last)
		}
		last = l
	}
	// The published ends: L* from about 14 to about 91.
	if l := lightness(Viridis(0)); l > 15.5 {
		t.Errorf("dark end has L* %.1f", l)
	}
	if last < 90 {
		t.Errorf("light end has L* %.1f", last)
	}
}

// The well-known hex codes of viridis in 5 steps (matplotlib, ListedColormap
// "viridis", entries 0, 64, 128, 192, 255).
func TestViridisIsTheOneOfMatplotlib(t *testing.T) {
	table := ViridisTable()
	for i, want := range map[int]string{0: "440154", 64: "3b528b", 128: "21918c", 192: "5ec962", 255: "fde725"} {
		if got := fmt.Sprintf("%02x%02x%02x", table[i][0], table[i][1], table[i][2]); got != want {
			t.Errorf("entry %d is %s, want %s", i, got, want)
		}
	}
}

func TestOutOfRangeColoursStandOut(t *testing.T) {
	s := Scale{Min: 2, Max: 10}
	for _, v := range []float64{1.9, 10.1, -100, 1e9} {
		r, g, b := s.Colour(v)
		for i := range 256 {
			p, q, w := Viridis(float64(i) / 255)
			if math.Hypot(math.Hypot(r-p, g-q), b-w) < 0.15 {
				t.Fatalf("the colour of %g lies close to entry %d of the map", v, i)
			}
		}
	}
	for _, v := range []float64{2, 10, 10 + 1e-7} { // the ends belong to the map
		r, g, b := s.Colour(v)
		p, q, w := Viridis(s.T(v))
		if r != p || g != q || b != w {
			t.Errorf("the end %g is shown as out of range", v)
		}
	}
}

func TestTicksAreRoundAndCoverTheScale(t *testing.T) {
	for _, c := range []struct{ lo, hi float64 }{{0, 12.3}, {0, 1}, {0.31, 0.34}, {-5, 5}, {0, 1e-5}, {100, 250000}, {3, 3.0000041}, {-0.2, 0.07}, {0, 39.999}} {
		s := Scale{Min: c.lo, Max: c.hi}
		ticks := s.Ticks(7)
		if len(ticks) < 2 || len(ticks) > 7 {
			t.Errorf("%v: %d ticks", c, len(ticks))
			continue
		}
		step := ticks[1].Value - ticks[0].Value
		mantissa := step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))
		if !slices.ContainsFunc([]float64{1, 2, 5}, func(m float64) bool { return math.Abs(mantissa-m) < 1e-6 }) {
			t.Errorf("%v: step %g is not 1, 2 or 5 times a power of ten", c, step)
		}
		for n, k := range ticks {
			if k.T < -1e-6 || k.T > 1+1e-6 {
				t.Errorf("%v: tick %g lies outside", c, k.Value)
			}
			v, err := strconv.ParseFloat(k.Text, 64)
			if err != nil || math.Abs(v-k.Value) > 1e-6*(c.hi-c.lo)+1e-15 {
				t.Errorf("%v: tick %g reads %q", c, k.Value, k.Text)
			}
			if n > 0 && k.Text == ticks[n-1].Text {
				t.Errorf("%v: two ticks read %q", c, k.Text)
			}
		}
	}
}

func TestNumberKeepsThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 12.345: "12.3", 0.30851: "0.309", 1234.5: "1234", -7.8912: "-7.89", 0.001234: "0.00123", 1.5e-7: "1.50e-07"} {
		if got := Number(v); got != want {
			t.Errorf("Number(%g) = %q, want %q", v, got, want)
		}
	}
}

func TestScaleOfTheTimeline(t *testing.T) {
	sc := twoBodies(t)
	sc.Structures[0].Quantity = "q"
	if _, ok := sc.Scale("q"); ok {
		t.Error("a scale without a frame")
	}
	add := func(seq uint64, first, second float32) {
		v := make([]float32, sc.VertexCount())
		for i := range v {
			v[i] = first
			if i >= len(sc.Structures[0].Rest) {
				v[i] = second
			}
		}
		v[0] = first / 2
		if err := sc.AppendFrame(&Frame{Epoch: 1, Seq: seq, Pos: restOf(sc), Fields: []Field{{ID: "q", Unit: "kPa", Values: v}}}); err != nil {
			t.Fatal(err)
		}
	}
	add(1, 30, 1000)
	add(2, 8, 1000)
	s, ok := sc.Scale("q")
	// The body that does not show the field does not count; earlier frames do.
	if !ok || s.Min != 0 || s.Max != 30 || s.DataMin != 4 || s.DataMax != 8 || s.Unit != "kPa" || s.Locked {
		t.Errorf("scale %+v", s)
	}
	if err := sc.LockRange("q", 5, 6); err != nil {
		t.Fatal(err)
	}
	if s, _ = sc.Scale("q"); s.Min != 5 || s.Max != 6 || !s.Locked || s.DataMax != 8 {
		t.Errorf("locked scale %+v", s)
	}
	for _, r := range [][2]float64{{1, 1}, {2, 1}, {math.NaN(), 1}, {0, math.Inf(1)}} {
		if sc.LockRange("q", r[0], r[1]) == nil {
			t.Errorf("range %v passes", r)
		}
	}
	if err := sc.LockPercentile("q", 100); err != nil {
		t.Fatal(err)
	}
	if s, _ = sc.Scale("q"); s.Max != 8 {
		t.Errorf("the 100th percentile is %g, want the maximum 8", s.Max)
	}
	sc.UnlockRange("q")
	if s, _ = sc.Scale("q"); s.Locked {
		t.Error("still locked")
	}
	if n := len(sc.Scales()); n != 1 {
		t.Errorf("%d scales in use, want 1", n)
	}
	sc.Structures[0].Visible = false
	if n := len(sc.Scales()); n != 0 {
		t.Errorf("%d scales in use with the body hidden", n)
	}
}

func TestConstantFieldHasAScale(t *testing.T) {
	for _, v := range []float64{0, 5, -2} {
		lo, hi := tidyRange(v, v)
		if !(lo <= v && v < hi) {
			t.Errorf("range %g to %g for the constant %g", lo, hi, v)
		}
	}
}

// The legend says how well the frame shown is known, and what is not known.
func TestScaleSaysHowWellItIsKnown(t *testing.T) {
	e, r := 0.25, 1.2e-9
	for want, q := range map[string]*Quality{
		"": nil,
		"M (unverified source) · mesh error ≈ 0.250 kPa · residual 1.2e-09":        {&r, &e, "M (unverified source)"},
		"S · mesh error not estimated · residual 1.2e-09":                          {&r, nil, "S"},
		"evidence not recorded · mesh error not estimated · residual not recorded": {},
	} {
		sc := New()
		s, err := sc.AddStructure("remnant", imaging.LabelLiver, make([]r3.Vec, 2), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Tris, s.Quantity = [][3]int32{{0, 1, 0}}, "von_mises"
		if err := sc.AppendFrame(&Frame{Epoch: 1, Seq: 1, Pos: make([]r3.Vec, 2), Fields: []Field{{ID: "von_mises", Unit: "kPa", Values: make([]float32, 2), Quality: q}}}); err != nil {
			t.Fatal(err)
		}
		if got, ok := sc.Scale("von_mises"); !ok || got.Note != want {
			t.Errorf("%q, want %q", got.Note, want)
		}
	}
}
