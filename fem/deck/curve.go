package deck

import (
	"slices"
	"strings"
)

// curve is a FEBio load curve: how a value goes with time.
type curve struct {
	place
	x, y   []float64
	kind   string // "linear", "step", "smooth", …
	extend string // "constant", "extrapolate", …
}

// loadData reads the load curves of all versions.
func (f *feb) loadData(s *element) error {
	for _, e := range s.kids {
		p := f.typed(e)
		c := &curve{place: p, kind: "linear", extend: "constant"}
		points := e
		switch e.name {
		case "load_controller":
			if t := e.attr("type"); t != "loadcurve" {
				c.kind = t // refused when it is used
			}
			if k := e.kid("interpolate"); k != nil {
				c.kind = strings.ToLower(k.text)
			}
			if k := e.kid("extend"); k != nil {
				c.extend = strings.ToLower(k.text)
			}
			if k := e.kid("points"); k != nil {
				points = k
			}
		case "loadcurve":
			if t := e.attr("type"); t != "" {
				c.kind = strings.ToLower(t)
			}
			if t := e.attr("extend"); t != "" {
				c.extend = strings.ToLower(t)
			}
		default:
			return p.bad("", "is not understood")
		}
		for _, k := range points.kids {
			if k.name != "pt" && k.name != "point" && k.name != "loadpoint" {
				continue
			}
			var v [2]float64
			if n, ok := numbers(k.text, v[:]); n != 2 || !ok {
				return f.at(k).bad("", "%s is no time and value", quote(k.text))
			}
			if n := len(c.x); n > 0 && v[0] < c.x[n-1] {
				return f.at(k).bad("order the points", "time goes back to %g", v[0])
			}
			c.x, c.y = append(c.x, v[0]), append(c.y, v[1])
			if len(c.x) > 10000 {
				return p.bad("", "more than 10000 points")
			}
		}
		f.curves[e.attr("id")] = c
	}
	return nil
}

// usable refuses curves that do not go in straight lines.
func (c *curve) usable(t1 float64) error {
	switch {
	case len(c.x) == 0:
		return c.bad("add points", "the load curve has no points")
	case len(c.x) == 1:
		return nil
	case c.kind == "smooth" && len(c.x) == 2 || c.kind == "linear" || c.kind == "":
	case c.kind == "step" && slices.Min(c.y) == slices.Max(c.y):
	default:
		return c.bad("use the interpolation LINEAR", "a load curve of the kind %s is not followed", quote(c.kind))
	}
	if c.extend != "constant" && c.extend != "extrapolate" && t1 > c.x[len(c.x)-1] {
		return c.bad("give points for the whole time", "the load curve ends at %g s and goes on by %s", c.x[len(c.x)-1], quote(c.extend))
	}
	for i := 1; i < len(c.x); i++ {
		if c.x[i] == c.x[i-1] && c.y[i] != c.y[i-1] && c.x[i] < t1 {
			return c.bad("let it change over some time", "the load curve jumps at %g s", c.x[i])
		}
	}
	return nil
}

// value is the curve at time t.
func (c *curve) value(t float64) float64 {
	n := len(c.x)
	if n == 1 {
		return c.y[0]
	}
	i, _ := slices.BinarySearch(c.x, t)
	switch {
	case t <= c.x[0]:
		if c.extend != "extrapolate" || c.x[1] == c.x[0] {
			return c.y[0]
		}
		i = 1
	case i >= n:
		if c.extend != "extrapolate" || c.x[n-1] == c.x[n-2] {
			return c.y[n-1]
		}
		i = n - 1
	}
	a, b := c.x[i-1], c.x[i]
	if a == b {
		return c.y[i]
	}
	w := (t - a) / (b - a)
	return (1-w)*c.y[i-1] + w*c.y[i]
}
