package distance

// parabola is h²(x−foot)² + height on a line, the lowest from voxel from on.
type parabola struct {
	foot   int32 // voxel, or for the signed field the voxel after the face
	from   int32
	height float32
}

// line holds what one line of n voxels needs. Lines lie in a tile: voxel p at
// p*tile of the slice given.
type line struct {
	hh    float32   // squared step
	inv   []float32 // inv[t] = 1/(2·t·hh)
	stack []parabola
}

func newLine(n int, h float64) line {
	l := line{hh: float32(h * h), inv: make([]float32, n+2), stack: make([]parabola, n+2)}
	for t := 1; t < len(l.inv); t++ {
		l.inv[t] = float32(1 / (2 * float64(t) * h * h))
	}
	return l
}

// signed does one more axis of the signed field. c holds squared distances
// with the sign of the side. The voxels of one side form runs; a neighbour run
// is at distance zero, so no parabola from beyond it can matter.
//
// For voxel x of a run the box of a voxel p ≠ x begins at the face next to it
// on the side of x, so
//
//	d²(x) = min(c[x], min over faces s of h²(x−s)² + min(c[s−½], c[s+½]))
//
// with c = 0 beyond the two ends of the run: parabolas standing on faces. A
// face whose two sides differ by no more than h²/4 lowers neither neighbour,
// and then nothing further out that the neighbour does not lower as much.
func (l *line) signed(c []float32, lo, hi int) {
	hh, quarter := l.hh, l.hh/4
	last := float32(hi)
	stack, inv := l.stack, l.inv
	for a := lo; a < hi; {
		sign := float32(1)
		if c[a*tile] < 0 {
			sign = -1
		}
		m := 0
		if a > lo {
			stack[0] = parabola{foot: int32(a), from: int32(a)}
			m = 1
		}
		before := c[a*tile] * sign
		b := a + 1
		for i := b * tile; b < hi; b, i = b+1, i+tile {
			v := c[i] * sign
			if v < 0 {
				break
			}
			height := v
			if v-before > quarter {
				height = before
			} else if !(before-v > quarter) {
				before = v
				continue
			}
			before = v
			m = push(stack, inv, m, int32(a), int32(b), height, last)
		}
		if b < hi {
			m = push(stack, inv, m, int32(a), int32(b), 0, last)
		}
		for q, p := range stack[:m] {
			end := b
			if q+1 < m {
				end = min(b, int(stack[q+1].from))
			}
			t := float32(p.from-p.foot) + 0.5
			for x := int(p.from) * tile; x < end*tile; x += tile {
				if v := hh*t*t + p.height; v < c[x]*sign {
					c[x] = v * sign
				}
				t++
			}
		}
		a = b
	}
}

// push puts the parabola that stands before voxel foot on the envelope of m
// parabolas over voxels start … last−1 and returns the new count.
func push(stack []parabola, inv []float32, m int, start, foot int32, height, last float32) int {
	for m > 0 {
		p := &stack[m-1]
		// one more than where the new parabola meets the last one
		x := 0.5*float32(p.foot+foot+1) + (height-p.height)*inv[foot-p.foot]
		if x >= last {
			return m
		}
		if i := int32(x); i > p.from {
			start = i
			break
		}
		m--
	}
	stack[m] = parabola{foot: foot, from: start, height: height}
	return m + 1
}

// centre does one axis of the unsigned field: parabolas stand on centres.
func (l *line) centre(c []float32, lo, hi int) {
	m := 0
	last := float32(hi)
	for x := lo; x < hi; x++ {
		if v := c[x*tile]; v < inf32 {
			m = pushCentre(l.stack, l.inv, m, int32(lo), int32(x), v, last)
		}
	}
	for q, p := range l.stack[:m] {
		end := hi
		if q+1 < m {
			end = int(l.stack[q+1].from)
		}
		t := float32(p.from - p.foot)
		for x := int(p.from); x < end; x++ {
			v := l.hh*t*t + p.height
			t++
			if v < c[x*tile] {
				c[x*tile] = v
			}
		}
	}
}

// pushCentre is push for a parabola standing on voxel foot.
func pushCentre(stack []parabola, inv []float32, m int, start, foot int32, height, last float32) int {
	for m > 0 {
		p := &stack[m-1]
		x := 0.5*float32(p.foot+foot+2) + (height-p.height)*inv[foot-p.foot]
		if x >= last {
			return m
		}
		if i := int32(x); i > p.from {
			start = i
			break
		}
		m--
	}
	stack[m] = parabola{foot: foot, from: start, height: height}
	return m + 1
}
