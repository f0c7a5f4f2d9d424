package distance

import "math"

// scratch is the working memory of one line.
type scratch struct {
	pos, height []float64 // parabolas of the envelope: foot (in steps), height (mm²)
	from        []float64 // from[q]: parabola q is the lowest from here on
}

func newScratch(n int) *scratch {
	return &scratch{pos: make([]float64, n+1), height: make([]float64, n+1), from: make([]float64, n+2)}
}

// firstRow turns the sides of a row (−Inf inside, +Inf outside) into squared
// distances to the nearest face between sides, keeping the sign; a row of one
// side stays infinite. The face is half a step before the first voxel of a run.
func firstRow(row []float32, hMM float64) {
	for a := 0; a < len(row); {
		b := a + 1
		for b < len(row) && row[b] == row[a] {
			b++
		}
		side := math.Copysign(1, float64(row[a]))
		for i := a; i < b; i++ {
			steps := math.Inf(1)
			if a > 0 {
				steps = float64(i-a) + 0.5
			}
			if b < len(row) {
				steps = min(steps, float64(b-i)-0.5)
			}
			row[i] = float32(side * steps * steps * hMM * hMM)
		}
		a = b
	}
}

// signedLine does one more axis of the signed field. line holds squared
// distances with the sign of the side. The voxels of one side form runs; a
// neighbour run is at distance zero, so no parabola from beyond it can matter.
//
// For voxel x of a run with squared distances c, the box of a voxel p ≠ x
// begins at the face next to it on the side of x, so
//
//	d²(x) = min(c[x], min over faces s of h²(x−s)² + min(c[s−½], c[s+½]))
//
// with c = 0 beyond the two ends of the run: parabolas standing on faces.
func signedLine(line []float32, hMM float64, s *scratch) {
	n := len(line)
	for a := 0; a < n; {
		b := a + 1
		neg := line[a] < 0
		for b < n && (line[b] < 0) == neg {
			b++
		}
		run := line[a:b]
		if neg {
			for i, v := range run {
				run[i] = -v
			}
		}
		m := 0
		if a > 0 {
			m = s.add(m, -0.5, 0, hMM)
		}
		for i := 0; i+1 < len(run); i++ {
			if c := min(run[i], run[i+1]); c < inf32 {
				m = s.add(m, float64(i)+0.5, float64(c), hMM)
			}
		}
		if b < n {
			m = s.add(m, float64(len(run))-0.5, 0, hMM)
		}
		s.lower(run, m, hMM)
		if neg {
			for i, v := range run {
				run[i] = -v
			}
		}
		a = b
	}
}

// centreLine does one axis of the unsigned field: parabolas stand on centres.
func centreLine(line []float32, hMM float64, s *scratch) {
	m := 0
	for i, c := range line {
		if c < inf32 {
			m = s.add(m, float64(i), float64(c), hMM)
		}
	}
	s.lower(line, m, hMM)
}

// add puts a parabola h²(x−pos)² + height, with pos right of all before it, on
// the envelope of m parabolas and returns the new count.
func (s *scratch) add(m int, pos, height, hMM float64) int {
	hh := hMM * hMM
	for m > 0 {
		p := s.pos[m-1]
		// where the new parabola meets the last one
		x := 0.5*(p+pos) + (height-s.height[m-1])/(2*hh*(pos-p))
		if m == 1 || x > s.from[m-1] {
			s.from[m] = x
			break
		}
		m--
	}
	s.pos[m], s.height[m] = pos, height
	return m + 1
}

// lower lowers c to the envelope of m parabolas.
func (s *scratch) lower(c []float32, m int, hMM float64) {
	if m == 0 {
		return
	}
	hh := hMM * hMM
	q := 0
	for i := range c {
		x := float64(i)
		for q+1 < m && s.from[q+1] <= x {
			q++
		}
		t := x - s.pos[q]
		if v := float32(hh*t*t + s.height[q]); v < c[i] {
			c[i] = v
		}
	}
}
