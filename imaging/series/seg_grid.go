package series

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// framePlace is where a frame of a multi-frame object lies (PS3.3 C.7.6.16.2).
type framePlace struct {
	position  r3.Vec
	row, col  r3.Vec
	spacing   [2]float64 // between columns, between rows; mm
	thickness float64    // 0 when not given
	between   float64    // SpacingBetweenSlices, 0 when not given
}

// group is the first item of a functional group: of the frame, else shared.
func group(t dicomfile.Tag, frame, shared *dicomfile.Dataset) *dicomfile.Dataset {
	for _, d := range []*dicomfile.Dataset{frame, shared} {
		if d == nil {
			continue
		}
		if items := d.Items(t); len(items) > 0 {
			return items[0]
		}
	}
	return nil
}

func (p *framePlace) read(frame, shared *dicomfile.Dataset, n int) error {
	where := fmt.Sprintf("frame %d", n+1)
	numbers := func(seq, t dicomfile.Tag, want int) ([]float64, error) {
		g := group(seq, frame, shared)
		if g == nil {
			return nil, segError(where, "%s is missing, so it has no place in the patient", seq.Name())
		}
		v, ok := g.Floats(t)
		if !ok || len(v) != want {
			return nil, segError(where, "%s does not hold %d numbers", t.Name(), want)
		}
		return v, nil
	}
	at, err := numbers(dicomfile.PlanePositionSequence, dicomfile.ImagePositionPatient, 3)
	if err != nil {
		return err
	}
	o, err := numbers(dicomfile.PlaneOrientationSequence, dicomfile.ImageOrientationPatient, 6)
	if err != nil {
		return err
	}
	sp, err := numbers(dicomfile.PixelMeasuresSequence, dicomfile.PixelSpacing, 2)
	if err != nil {
		return err
	}
	p.position = r3.Vec{X: at[0], Y: at[1], Z: at[2]}
	row, col := r3.Vec{X: o[0], Y: o[1], Z: o[2]}, r3.Vec{X: o[3], Y: o[4], Z: o[5]}
	p.spacing = [2]float64{sp[1], sp[0]} // PixelSpacing is row spacing first
	switch {
	case !(r3.Norm(p.position) <= maxPositionMM):
		return segError(where, "ImagePositionPatient is more than a kilometre away")
	case !(math.Abs(r3.Norm(row)-1) <= unitTol) || !(math.Abs(r3.Norm(col)-1) <= unitTol) || math.Abs(r3.Dot(row, col)) > orthogonalTol:
		return segError(where, "ImageOrientationPatient is not made of orthogonal unit vectors")
	case !(min(sp[0], sp[1]) >= minSpacingMM) || !(max(sp[0], sp[1]) <= maxSpacingMM):
		return segError(where, "PixelSpacing is %g and %g mm", sp[0], sp[1])
	}
	p.row = r3.Unit(row)
	p.col = r3.Unit(r3.Sub(col, r3.Scale(r3.Dot(col, p.row), p.row)))
	measures := group(dicomfile.PixelMeasuresSequence, frame, shared)
	for _, m := range []struct {
		tag dicomfile.Tag
		dst *float64
	}{{dicomfile.SliceThickness, &p.thickness}, {dicomfile.SpacingBetweenSlices, &p.between}} {
		if v, ok := measures.Float(m.tag); ok && v >= minSpacingMM && v <= maxSpacingMM {
			*m.dst = v
		}
	}
	return nil
}

// maxPlanes bounds the planes of a lattice, those without a frame included.
const maxPlanes = 1 << 15

// lattice finds the grid on which all frames lie and the plane of each. The
// distance of its planes is SpacingBetweenSlices where that fits the
// positions, else the smallest distance that does.
func (s *SEG) lattice(places []framePlace, cols, rows int) ([]int, error) {
	ref := places[0]
	normal := r3.Cross(ref.row, ref.col)
	along := make([]float64, len(places))
	lowest := 0
	shiftTol := shiftTolPart * min(ref.spacing[0], ref.spacing[1])
	for n, p := range places {
		where := fmt.Sprintf("frame %d", n+1)
		angle := angleDeg(&slice{row: p.row, col: p.col}, &slice{row: ref.row, col: ref.col})
		d := r3.Sub(p.position, ref.position)
		along[n] = r3.Dot(d, normal)
		shift := r3.Norm(r3.Sub(d, r3.Scale(along[n], normal)))
		switch {
		case angle > angleTolDeg:
			return nil, segError(where, "it is turned by %.3f° against the first frame; one lattice is needed", angle)
		case math.Abs(p.spacing[0]-ref.spacing[0]) > spacingTol*ref.spacing[0] || math.Abs(p.spacing[1]-ref.spacing[1]) > spacingTol*ref.spacing[1]:
			return nil, segError(where, "its PixelSpacing differs from that of the first frame")
		case shift > shiftTol:
			return nil, segError(where, "it is shifted %.3f mm sideways from the first frame (a tilted stack)", shift)
		}
		if along[n] < along[lowest] {
			lowest = n
		}
	}
	first := along[lowest]
	for n := range along {
		along[n] -= first
	}
	step, err := s.planeStep(along, ref)
	if err != nil {
		return nil, err
	}
	planes, top := make([]int, len(along)), 0
	for n, a := range along {
		planes[n] = int(math.Round(a / step))
		top = max(top, planes[n])
	}
	s.Grid = imaging.Grid{
		Size:   [3]int{cols, rows, top + 1},
		Origin: places[lowest].position,
		Axes:   [3]r3.Vec{r3.Scale(ref.spacing[0], ref.row), r3.Scale(ref.spacing[1], ref.col), r3.Scale(step, normal)},
	}
	if err := s.Grid.Validate(); err != nil {
		return nil, segError("", "%v", err)
	}
	return planes, nil
}

// planeStep is the distance between planes for positions along the normal that
// start at 0.
func (s *SEG) planeStep(along []float64, ref framePlace) (float64, error) {
	sorted := slices.Clone(along)
	slices.Sort(sorted)
	sorted = slices.CompactFunc(sorted, func(a, b float64) bool { return b-a <= samePlaceMM })
	if len(sorted) == 1 {
		for _, v := range []float64{ref.between, ref.thickness} {
			if v > 0 {
				return v, nil
			}
		}
		s.Notes = append(s.Notes, "a single plane without a thickness; 1 mm is taken")
		return 1, nil
	}
	gap := math.Inf(1)
	for n := 1; n < len(sorted); n++ {
		gap = min(gap, sorted[n]-sorted[n-1])
	}
	last := sorted[len(sorted)-1]
	try := func(step float64) (float64, float64, bool) {
		if last/step > maxPlanes-1 {
			return 0, 0, false
		}
		// Fit the step to the whole length, then see how far planes are off.
		if m := math.Round(last / step); m >= 1 {
			step = last / m
		} else {
			return 0, 0, false
		}
		worst := 0.0
		for _, a := range sorted {
			worst = max(worst, math.Abs(a-math.Round(a/step)*step))
		}
		return step, worst, worst <= max(stepTolMM, stepTolPart*step) && gap > step/2
	}
	if ref.between > 0 {
		if step, _, ok := try(ref.between); ok && math.Abs(step-ref.between) <= max(stepTolMM, stepTolPart*ref.between) {
			return step, nil
		}
		s.Notes = append(s.Notes, "SpacingBetweenSlices does not fit the positions of the frames; these count")
	}
	// Planes may be missing everywhere: a half or a third of the smallest gap
	// may be the true distance.
	worst := math.Inf(1)
	for part := 1.0; part <= 4; part++ {
		step, off, ok := try(gap / part)
		if ok {
			return step, nil
		}
		if off > 0 {
			worst = min(worst, off)
		}
	}
	if last/gap > maxPlanes-1 {
		return 0, segError("", "its frames span %.1f mm in steps of %.4f mm: more than %d planes", last, gap, maxPlanes)
	}
	return 0, segError("", "its frames do not lie on evenly spaced planes (smallest distance %.3f mm, up to %.3f mm off)", gap, worst)
}
