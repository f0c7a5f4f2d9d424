package series

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// Series is one DICOM series: its slices in stacking order.
type Series struct {
	ID      ID
	Ignored []Ignored // files of the whole folder that belong to no series
	Notes   []Note    // what was left out of this series, and why

	fsys   fs.FS
	limits dicomfile.Limits
	slices []*slice
	grid   imaging.Grid
	err    error
}

// Tolerances of a regular stack. Positions are decimal strings, rounded to
// 0.001…0.01 mm by scanners.
const (
	samePlaceMM  = 0.01 // slices closer than this share a place
	stepTolMM    = 0.01 // a slice may lie this far off its regular place …
	stepTolPart  = 0.01 // … or this part of a step, whichever is more
	shiftTolPart = 0.05 // sideways shift allowed, in pixels
	angleTolDeg  = 0.01 // orientation: 0.09 mm at the rim of a 500 mm slice
	spacingTol   = 1e-4 // pixel spacing, relative: 0.05 pixel over 512
)

// Check says whether the series is a volume, without reading pixels; the
// errors are those of Volume.
func (s *Series) Check() error { return s.err }

// Grid is the place of the volume; it fails as Check does.
func (s *Series) Grid() (imaging.Grid, error) { return s.grid, s.err }

// Kind says what the values mean.
func (s *Series) Kind() imaging.Kind {
	if len(s.slices) == 0 {
		return imaging.KindUnknown
	}
	return s.slices[0].kind
}

// Digest is the SHA-256, in hex, of everything that makes the volume: grid,
// rescaling and pixels, but no identity. It is "" when Check fails.
func (s *Series) Digest() string {
	if s.err != nil {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%v %v\n", s.grid, s.Kind())
	for _, sl := range s.slices {
		fmt.Fprintf(h, "%v %x\n", sl.pixels, sl.digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// place orders the slices, finds the grid, and returns the first reason why
// there is none.
func (s *Series) place() error {
	s.slices = slices.DeleteFunc(s.slices, func(sl *slice) bool {
		if sl.local {
			s.note(sl, "localiser, left out")
		}
		return sl.local
	})
	for _, sl := range s.slices {
		if sl.err != nil {
			return sl.err
		}
	}
	if len(s.slices) == 0 {
		return &TooFewSlicesError{0, len(s.Notes)}
	}
	if err := s.agree(); err != nil {
		return err
	}
	ref := s.slices[0]
	normal := r3.Cross(ref.row, ref.col)
	for _, sl := range s.slices {
		sl.along = r3.Dot(sl.position, normal)
	}
	slices.SortStableFunc(s.slices, func(a, b *slice) int {
		return cmp.Or(cmp.Compare(a.along, b.along), cmp.Compare(a.file, b.file))
	})
	if err := s.dropCopies(); err != nil {
		return err
	}
	if len(s.slices) < 2 {
		return &TooFewSlicesError{len(s.slices), len(s.Notes)}
	}
	if err := s.straight(normal); err != nil {
		return err
	}
	if err := s.regular(); err != nil {
		return err
	}
	first, last := s.slices[0], s.slices[len(s.slices)-1]
	step := (last.along - first.along) / float64(len(s.slices)-1)
	s.grid = imaging.Grid{
		Size:   [3]int{ref.size[0], ref.size[1], len(s.slices)},
		Origin: first.position,
		Axes: [3]r3.Vec{r3.Scale(first.spacing[0], first.row), r3.Scale(first.spacing[1], first.col),
			r3.Scale(step, r3.Cross(first.row, first.col))},
	}
	if p := first.pixels; p.padded {
		s.note(first, "padding (stored value %d to %d) is read as %d HU", p.padLo, p.padHi, airHU)
	}
	return s.grid.Validate()
}

// odd finds the first slice that differs from the most common kind, and one of
// that kind; nil when all are the same.
func odd(list []*slice, same func(a, b *slice) bool) (strange, usual *slice) {
	var kinds []*slice // first of each kind
	var count []int
	for _, sl := range list {
		n := slices.IndexFunc(kinds, func(k *slice) bool { return same(k, sl) })
		if n < 0 {
			if len(kinds) == maxKinds {
				continue
			}
			kinds, count, n = append(kinds, sl), append(count, 0), len(kinds)
		}
		count[n]++
	}
	if len(kinds) < 2 {
		return nil, nil
	}
	best := 0
	for n, c := range count {
		if c > count[best] {
			best = n
		}
	}
	if best == 0 {
		return kinds[1], kinds[0]
	}
	return kinds[0], kinds[best]
}

// maxKinds bounds the search for the most common kind.
const maxKinds = 64

// agree checks what must be one for the whole volume.
func (s *Series) agree() error {
	perFile := s.framePerFile()
	if perFile {
		s.note(s.slices[0], "FrameOfReferenceUID is another one in every file (de-identification), so it is not compared")
	}
	for _, m := range []struct {
		attribute dicomfile.Tag
		same      func(a, b *slice) bool
	}{
		{dicomfile.PatientID, func(a, b *slice) bool { return a.patient[0] == b.patient[0] }},
		{dicomfile.PatientName, func(a, b *slice) bool { return a.patient[1] == b.patient[1] }},
		{dicomfile.FrameOfReferenceUID, func(a, b *slice) bool { return a.frame == b.frame || perFile }},
		{dicomfile.RescaleType, func(a, b *slice) bool { return a.kind == b.kind }},
	} {
		if o, u := odd(s.slices, m.same); o != nil {
			return &MixedError{m.attribute.Name(), o.base(), u.base()}
		}
	}
	if o, u := odd(s.slices, func(a, b *slice) bool { return a.size == b.size }); o != nil {
		return &MixedSizeError{o.base(), u.base(), o.size, u.size}
	}
	if o, u := odd(s.slices, func(a, b *slice) bool { return angleDeg(a, b) <= angleTolDeg }); o != nil {
		return &OrientationError{o.base(), u.base(), angleDeg(o, u)}
	}
	o, u := odd(s.slices, func(a, b *slice) bool {
		return math.Abs(a.spacing[0]-b.spacing[0]) <= spacingTol*a.spacing[0] &&
			math.Abs(a.spacing[1]-b.spacing[1]) <= spacingTol*a.spacing[1]
	})
	if o != nil {
		return &MixedError{dicomfile.PixelSpacing.Name(), o.base(), u.base()}
	}
	return nil
}

// framePerFile reports a series in which no two instances share a frame of
// reference. Some de-identification tools give every file its own; a patient
// who moved would leave at least two slices in one frame.
func (s *Series) framePerFile() bool {
	frames, instances := map[string]bool{}, map[string]bool{}
	for _, sl := range s.slices {
		frames[sl.frame], instances[sl.instance] = true, true
	}
	return len(frames) > 2 && len(frames) == len(instances)
}

// angleDeg is the largest angle between the rows, columns and normals of two
// slices. For unit vectors |a−b| = 2 sin(angle/2).
func angleDeg(a, b *slice) float64 {
	worst := 0.0
	for _, v := range [3][2]r3.Vec{{a.row, b.row}, {a.col, b.col}, {r3.Cross(a.row, a.col), r3.Cross(b.row, b.col)}} {
		half := min(1, r3.Norm(r3.Sub(v[0], v[1]))/2)
		worst = max(worst, 2*math.Asin(half)*180/math.Pi)
	}
	return worst
}

// dropCopies leaves one of several slices with the same place and content and
// refuses different content at one place.
func (s *Series) dropCopies() error {
	kept := s.slices[:1]
	for _, sl := range s.slices[1:] {
		prev := kept[len(kept)-1]
		if sl.along-prev.along > samePlaceMM {
			kept = append(kept, sl)
			continue
		}
		apart := r3.Norm(r3.Sub(sl.position, prev.position))
		if sl.digest != prev.digest || sl.pixels != prev.pixels || apart > 2*samePlaceMM {
			return &DuplicateError{sl.base(), prev.base(), sl.along, sl.instance == prev.instance}
		}
		s.note(sl, "same place and content as %s, left out", prev.base())
	}
	s.slices = kept
	return nil
}

// straight refuses a stack whose slices shift sideways.
func (s *Series) straight(normal r3.Vec) error {
	sideways := func(a, b *slice) float64 {
		d := r3.Sub(b.position, a.position)
		return r3.Norm(r3.Sub(d, r3.Scale(r3.Dot(d, normal), normal)))
	}
	first := s.slices[0]
	tol := shiftTolPart * min(first.spacing[0], first.spacing[1])
	for n, sl := range s.slices {
		if sideways(first, sl) <= tol {
			continue
		}
		prev := s.slices[n-1]
		shift := sideways(prev, sl)
		return &TiltError{prev.base(), sl.base(), shift, math.Atan2(shift, sl.along-prev.along) * 180 / math.Pi}
	}
	return nil
}

// regular refuses a stack whose slices are not one step apart: none may lie
// off its regular place by more than the tolerance.
func (s *Series) regular() error {
	gaps := make([]float64, len(s.slices)-1)
	for n := range gaps {
		gaps[n] = s.slices[n+1].along - s.slices[n].along
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	usual := sorted[(len(sorted)-1)/2]
	tol := max(stepTolMM, stepTolPart*usual)
	refuse := func(n int) error {
		a, b := s.slices[n], s.slices[n+1]
		missing := math.Round(gaps[n]/usual) - 1
		if math.Abs(gaps[n]-(missing+1)*usual) > 2*tol {
			missing = 0
		}
		return &GapError{a.base(), b.base(), a.along, usual, gaps[n], int(max(0, min(missing, 1e6)))}
	}
	for n, g := range gaps {
		if math.Abs(g-usual) > 2*tol {
			return refuse(n)
		}
	}
	// Small errors may add up: compare with the mean step as well.
	first := s.slices[0].along
	step := (s.slices[len(gaps)].along - first) / float64(len(gaps))
	for n, sl := range s.slices {
		if math.Abs(sl.along-first-float64(n)*step) > tol {
			return refuse(max(0, n-1))
		}
	}
	return nil
}
