package phantom

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/internal/par"
)

// integrate is the volume of f < 0 within box, in mm³: the chords of lines
// along x, one at each midpoint of a lattice of step h over y and z. Along a
// line the field bounds its own distance, so the search steps by |f|, at least
// h/8, and a change of sign is placed by linear interpolation.
func integrate(f field, box [2]r3.Vec, h float64) float64 {
	lo, hi := box[0], box[1]
	ny, nz := int(math.Ceil((hi.Y-lo.Y)/h)), int(math.Ceil((hi.Z-lo.Z)/h))
	hy, hz := (hi.Y-lo.Y)/float64(ny), (hi.Z-lo.Z)/float64(nz)
	least := h / 8
	sum := par.Sum(nz, 1, func(k0, k1 int) float64 {
		var s float64
		for k := k0; k < k1; k++ {
			for j := range ny {
				p := r3.Vec{X: lo.X, Y: lo.Y + (float64(j)+0.5)*hy, Z: lo.Z + (float64(k)+0.5)*hz}
				e, _ := f(p)
				for p.X < hi.X {
					x := p.X
					p.X = min(x+max(math.Abs(e), least), hi.X)
					next, _ := f(p)
					switch {
					case e < 0 && next < 0:
						s += p.X - x
					case e < 0:
						s += (p.X - x) * e / (e - next)
					case next < 0:
						s += (p.X - x) * next / (next - e)
					}
					e = next
				}
			}
		}
		return s
	})
	return sum * hy * hz
}

// tubesMM3 is the volume of a union of capsules in mm³: exact chords of lines
// along x, one at each midpoint of a lattice of step h over y and z.
func tubesMM3(cs []capsule, h float64) float64 {
	lo, hi := bounds(cs)
	ny, nz := int(math.Ceil((hi.Y-lo.Y)/h)), int(math.Ceil((hi.Z-lo.Z)/h))
	const slab = 16
	sum := par.Sum(nz, slab, func(k0, k1 int) float64 {
		rows := make([][][2]float64, ny)
		var s float64
		var here []int
		z0, z1 := lo.Z+float64(k0)*h, lo.Z+float64(k1)*h
		for n := range cs {
			if l, u := cs[n].box(); l.Z < z1 && u.Z > z0 {
				here = append(here, n)
			}
		}
		for k := k0; k < k1; k++ {
			z := lo.Z + (float64(k)+0.5)*h
			for _, n := range here {
				l, u := cs[n].box()
				j0, j1 := int(math.Floor((l.Y-lo.Y)/h)), int(math.Ceil((u.Y-lo.Y)/h))
				for j := max(j0, 0); j < min(j1, ny); j++ {
					if x0, x1, ok := cs[n].chord(lo.Y+(float64(j)+0.5)*h, z); ok {
						rows[j] = append(rows[j], [2]float64{x0, x1})
					}
				}
			}
			for j, row := range rows {
				s += covered(row)
				rows[j] = row[:0]
			}
		}
		return s
	})
	return sum * h * h
}

// chord is where the line along x at (y, z) runs inside c: the hull of its
// chords with the two end balls and the cylinder between, as c is convex.
func (c *capsule) chord(y, z float64) (x0, x1 float64, ok bool) {
	x0, x1 = math.Inf(1), math.Inf(-1)
	for _, e := range [2]r3.Vec{c.a, c.b} {
		if q := c.r*c.r - (y-e.Y)*(y-e.Y) - (z-e.Z)*(z-e.Z); q > 0 {
			w := math.Sqrt(q)
			x0, x1 = min(x0, e.X-w), max(x1, e.X+w)
		}
	}
	// The cylinder |(p−a) − ((p−a)·u)u| ≤ r with p = (x, y, z): a quadratic in
	// x, then clipped to 0 ≤ (p−a)·u ≤ length.
	ab := r3.Sub(c.b, c.a)
	length := norm(ab)
	if length == 0 {
		return x0, x1, x0 < x1
	}
	u := r3.Scale(1/length, ab)
	d := r3.Vec{Y: y - c.a.Y, Z: z - c.a.Z} // p − a = d + (x − a.x)·e₁
	du := r3.Dot(d, u)
	qa, qb, qc := 1-u.X*u.X, -du*u.X, r3.Norm2(d)-du*du-c.r*c.r
	l, r := math.Inf(-1), math.Inf(1)
	if qa > 1e-12 {
		disc := qb*qb - qa*qc
		if disc <= 0 {
			return x0, x1, x0 < x1
		}
		w := math.Sqrt(disc)
		l, r = (-qb-w)/qa, (-qb+w)/qa
	} else if qc > 0 {
		return x0, x1, x0 < x1
	}
	if u.X != 0 {
		t0, t1 := -du/u.X, (length-du)/u.X
		l, r = max(l, min(t0, t1)), min(r, max(t0, t1))
	} else if du < 0 || du > length {
		return x0, x1, x0 < x1
	}
	if l < r {
		x0, x1 = min(x0, c.a.X+l), max(x1, c.a.X+r)
	}
	return x0, x1, x0 < x1
}

// covered is the length of a union of intervals; it sorts them.
func covered(iv [][2]float64) float64 {
	slices.SortFunc(iv, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	end, s := math.Inf(-1), 0.0
	for _, i := range iv {
		if from := max(i[0], end); i[1] > from {
			s += i[1] - from
			end = i[1]
		}
	}
	return s
}
