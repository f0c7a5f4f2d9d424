package series

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/internal/par"
)

// Volume reads the pixels. It refuses what Check refuses, a file that changed
// since ReadDir (*ChangedError) and rescalings without a common exact form
// (*RescaleError). progress may be nil.
func (s *Series) Volume(ctx context.Context, progress func(done float64)) (*imaging.Volume, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v := imaging.NewVolume(s.grid, s.Kind())
	plane := s.grid.Size[0] * s.grid.Size[1]
	lo, hi := make([]int, len(s.slices)), make([]int, len(s.slices))
	tick := ticker(len(s.slices), progress)
	err := par.ChunksCtx(ctx, len(s.slices), 1, func(n, _ int) error {
		defer tick()
		sl := s.slices[n]
		d, err := dicomfile.ReadFS(s.fsys, sl.file, s.limits)
		if err != nil {
			return fmt.Errorf("series: %w", err)
		}
		b, ok := d.PixelBytes()
		if !ok || len(b) < plane*sl.pixels.bytes || sha256.Sum256(b) != sl.digest {
			return &ChangedError{sl.base()}
		}
		lo[n], hi[n] = sl.pixels.unpack(v.Data[n*plane:(n+1)*plane], b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.rescale(ctx, v, lo, hi); err != nil {
		return nil, err
	}
	return v, nil
}

// unpack extracts BitsStored bits of each pixel (PS3.5 section 8.1.1), extends
// the sign, replaces padding, and stores the low 16 bits; it returns the
// range of the true stored values.
func (p pixels) unpack(dst []int16, b []byte) (lo, hi int) {
	mask := 1<<p.stored - 1
	sign := 0
	if p.signed {
		sign = 1 << (p.stored - 1)
	}
	lo, hi = math.MaxInt, math.MinInt
	for n := range dst {
		var raw int
		if p.bytes == 2 {
			raw = int(b[2*n]) | int(b[2*n+1])<<8
		} else {
			raw = int(b[n])
		}
		v := (raw>>p.shift&mask ^ sign) - sign
		if p.padded && v >= p.padLo && v <= p.padHi {
			v = p.padFill
		}
		lo, hi = min(lo, v), max(hi, v)
		dst[n] = int16(uint16(v))
	}
	return lo, hi
}

// value is the true stored value behind what unpack stored.
func (p pixels) value(x int16) int {
	if p.signed {
		return int(x)
	}
	return int(uint16(x))
}

// rescale turns stored values into the volume's values (PS3.3 C.11.1.1.2): HU
// themselves when all are whole numbers within int16, else the stored values
// with the slope and intercept common to all slices.
func (s *Series) rescale(ctx context.Context, v *imaging.Volume, lo, hi []int) error {
	plane := v.Grid.Size[0] * v.Grid.Size[1]
	bad := -1 // first slice that does not become whole numbers
	for n, sl := range s.slices {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !sl.pixels.exact(v.Data[n*plane:(n+1)*plane], lo[n], hi[n]) {
			bad = n
			break
		}
	}
	if bad < 0 {
		return par.ChunksCtx(ctx, len(s.slices), 1, func(n, _ int) error {
			s.slices[n].pixels.apply(v.Data[n*plane : (n+1)*plane])
			return nil
		})
	}
	p, top := s.slices[0].pixels, 0
	for n, sl := range s.slices {
		if q := sl.pixels; q.slope != p.slope || q.intercept != p.intercept || q.signed != p.signed {
			return &RescaleError{s.slices[bad].base(), fmt.Sprintf(
				"slope %g and intercept %g give no whole numbers within int16, and %s is rescaled differently (%g, %g)",
				s.slices[bad].pixels.slope, s.slices[bad].pixels.intercept, sl.base(), q.slope, q.intercept)}
		}
		top = max(top, hi[n])
	}
	v.Slope, v.Intercept = p.slope, p.intercept
	if top > math.MaxInt16 {
		// Unsigned 16-bit values move down by 2^15.
		v.Intercept += p.slope * (1 << 15)
		par.Chunks(len(v.Data), 1<<18, func(lo, hi int) {
			for n := lo; n < hi; n++ {
				v.Data[n] ^= math.MinInt16
			}
		})
	}
	return nil
}

// exact reports whether every rescaled value of a slice is a whole number
// within int16.
func (p pixels) exact(data []int16, lo, hi int) bool {
	for _, x := range []int{lo, hi} {
		if y := p.slope*float64(x) + p.intercept; y < math.MinInt16 || y > math.MaxInt16 {
			return false
		}
	}
	if p.slope == math.Trunc(p.slope) {
		return p.intercept == math.Trunc(p.intercept)
	}
	for _, x := range data {
		y := p.slope*float64(p.value(x)) + p.intercept
		if y != math.Trunc(y) {
			return false
		}
	}
	return true
}

// apply rescales a slice that exact has accepted.
func (p pixels) apply(data []int16) {
	if p.slope == 1 {
		shift := int16(uint16(int(p.intercept)))
		for n := range data {
			data[n] += shift // modulo 2^16, and the result fits
		}
		return
	}
	for n, x := range data {
		data[n] = int16(p.slope*float64(p.value(x)) + p.intercept)
	}
}
