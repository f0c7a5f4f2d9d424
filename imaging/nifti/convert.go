package nifti

import (
	"fmt"
	"math"

	"halsted/imaging"
)

// matchTol is how far a mask's voxels may lie from those of the CT, as a part
// of the smallest spacing: the float32 affine of a file and a spacing rounded
// to three decimals stay below it, half a slice does not.
const matchTol = 0.1

// IRCADBits is the meaning of the bits in a mask of the 3D-IRCADb-01 liver set
// (IRCAD, Strasbourg) in this order: skin, bone, liver, portal vein, venous
// system, artery, two tumours. Its venous system is the hepatic veins with the
// inferior vena cava.
func IRCADBits() []imaging.Label {
	return []imaging.Label{
		imaging.LabelBody, imaging.LabelBone, imaging.LabelLiver, imaging.LabelPortalVein,
		imaging.LabelHepaticVein, imaging.LabelArtery, imaging.LabelTumour, imaging.LabelTumour + 1,
	}
}

// Volume is m with 16-bit samples, voxels in stored order, kind unknown. Whole
// samples that span at most 65536 values stay exact; others are rounded to
// 65535 even steps over their range (at most half a step off). A sample that
// is not finite is refused.
func (m *Image) Volume() (*imaging.Volume, error) {
	lo, hi, whole := math.Inf(1), math.Inf(-1), true
	n := m.Grid.Len()
	for i := range n {
		v := m.Sample(i)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			x, y, z := m.Grid.IJK(i)
			return nil, &FormatError{fmt.Sprintf("sample %v at voxel %d,%d,%d is not finite", v, x, y, z)}
		}
		lo, hi = min(lo, v), max(hi, v)
		whole = whole && v == math.Trunc(v)
	}
	out := imaging.NewVolume(m.Grid, imaging.KindUnknown)
	shift, step := 0.0, 1.0 // sample = step·stored + shift
	switch {
	case whole && lo >= math.MinInt16 && hi <= math.MaxInt16:
	case whole && hi-lo <= math.MaxUint16:
		shift = lo - math.MinInt16
	default:
		step = (hi - lo) / math.MaxUint16
		if step == 0 { // one value everywhere
			step = 1
		}
		if math.IsInf(step, 0) {
			return nil, &FormatError{"the samples span more than a float64"}
		}
		shift = lo - step*math.MinInt16
	}
	for i := range n {
		out.Data[i] = int16(min(max(math.Round((m.Sample(i)-shift)/step), math.MinInt16), math.MaxInt16))
	}
	out.Slope, out.Intercept = m.Slope*step, m.Slope*shift+m.Inter
	return out, nil
}

// order finds how to read m in the voxel order of ct.
func (m *Image) onto(ct imaging.Grid) (at func(n int) int, err error) {
	if err := ct.Validate(); err != nil {
		return nil, err
	}
	h := ct.SpacingMM()
	r, off, ok := m.Grid.Onto(ct, matchTol*min(h[0], h[1], h[2]))
	if !ok {
		return nil, &GridMismatchError{Want: ct.Size, Got: m.Grid.Size, OffMM: off}
	}
	if r.Identity() {
		return func(n int) int { return n }, nil
	}
	return r.Index(m.Grid), nil
}

// Segments reads m as bit masks on the grid ct: bit b of a voxel belongs to
// bits[b]; LabelBackground drops a bit. A lattice stored in another order of
// axes is reordered; any other is a *GridMismatchError. A voxel with a bit that
// bits does not name, or with a value that is not a whole number, is refused.
func (m *Image) Segments(ct imaging.Grid, bits []imaging.Label) (*imaging.Segments, error) {
	if len(bits) == 0 || len(bits) > 32 {
		return nil, &FormatError{fmt.Sprintf("%d structures named; a mask has 1 to 32 bits", len(bits))}
	}
	at, err := m.onto(ct)
	if err != nil {
		return nil, err
	}
	var of []imaging.Label
	to := make([]uint32, len(bits))
	for b, l := range bits {
		if l == imaging.LabelBackground {
			continue
		}
		for _, o := range of {
			if o == l {
				return nil, &FormatError{fmt.Sprintf("structure %v is named for two bits", l)}
			}
		}
		to[b] = 1 << len(of)
		of = append(of, l)
	}
	out := imaging.NewSegments(ct, of...)
	for n := range out.Bits {
		v := m.Value(at(n))
		if v == 0 {
			continue
		}
		if v != math.Trunc(v) || v < 0 || v >= float64(uint64(1)<<len(bits)) {
			i, j, k := ct.IJK(n)
			return nil, &FormatError{fmt.Sprintf("value %v at voxel %d,%d,%d is no mask of the %d named structures", v, i, j, k, len(bits))}
		}
		u := uint32(v)
		for b, bit := range to {
			if u>>b&1 != 0 {
				out.Bits[n] |= bit
			}
		}
	}
	return out, nil
}

// Labels reads m as a label map on the grid ct: value v becomes of[v]. Value 0
// is background unless of says otherwise; a value that of does not name is
// refused, as is another lattice (see Segments).
func (m *Image) Labels(ct imaging.Grid, of map[int]imaging.Label) (*imaging.Labels, error) {
	at, err := m.onto(ct)
	if err != nil {
		return nil, err
	}
	out := &imaging.Labels{Grid: ct, ID: make([]imaging.Label, ct.Len())}
	for n := range out.ID {
		v := m.Value(at(n))
		l, known := of[0], v == 0
		if v != 0 && v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32 {
			l, known = of[int(v)]
		}
		if !known {
			i, j, k := ct.IJK(n)
			return nil, &FormatError{fmt.Sprintf("label %v at voxel %d,%d,%d has no named structure", v, i, j, k)}
		}
		out.ID[n] = l
	}
	return out, nil
}

// ReadVolume reads a volume file (see Image.Volume). NIfTI does not say what
// its values mean: set Kind when they are known to be HU.
func ReadVolume(path string) (*imaging.Volume, error) {
	return readAs(path, (*Image).Volume)
}

// ReadSegments reads a file of bit masks onto the grid of its CT (see
// Image.Segments).
func ReadSegments(path string, ct imaging.Grid, bits []imaging.Label) (*imaging.Segments, error) {
	return readAs(path, func(m *Image) (*imaging.Segments, error) { return m.Segments(ct, bits) })
}

// ReadLabels reads a label map file onto the grid of its CT (see
// Image.Labels).
func ReadLabels(path string, ct imaging.Grid, of map[int]imaging.Label) (*imaging.Labels, error) {
	return readAs(path, func(m *Image) (*imaging.Labels, error) { return m.Labels(ct, of) })
}

func readAs[T any](path string, as func(*Image) (*T, error)) (*T, error) {
	m, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	out, err := as(m)
	if err != nil {
		return nil, named(path, err)
	}
	return out, nil
}
