package segment

import (
	"context"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// A couch top or a mattress cover against the skin is a sheet with a layer of
// foam or air between it and the patient that is thinner than the working voxels.
const (
	// airMixedHU is below fat of any purity, −120 to −80 HU: what is darker holds
	// air.
	airMixedHU = -150
	// sheetHU is well above it: a sheet is denser than fluffy cloth.
	sheetHU = -90
	// sheetMM is the thickest sheet and foamMM the thickest layer under it that the
	// body step does not part from the patient by itself. The wall of the trunk is
	// thicker than both where bowel or lung lies beneath.
	sheetMM, foamMM = 6.0, 10.0
	// sheetCM2 is the least area of a sheet: folds of skin hold less air.
	sheetCM2 = 20.0
	// goesOn is the least part of the rim of a sheet beyond which it goes on outside
	// the body, as a couch does and skin over gas or a fold does not.
	goesOn = 0.2
	// acrossMM is over how much of a row the values are averaged: the layer is
	// darker than fat by little more than noise where the patient's weight presses it.
	acrossMM = 1.5
	// bridgedMM is the widest gap in a sheet where the layer is not seen.
	bridgedMM = 10.0
)

// sheet is what lies against one side of the body, seen along the columns of
// voxels from front to back: n = i + nx·k.
type sheet struct {
	outer []int // last voxel of the body, −1 where there is none
	inner []int // the last one before the layer of air, −1 where none is seen
}

// cutCouch takes couch and covers off the back and the front of the painted body,
// and off the working mask; aboveHU parts the body from air.
func (w *work) cutCouch(ctx context.Context, aboveHU float64) error {
	cut := false
	for _, back := range []bool{true, false} {
		s, err := w.findSheet(ctx, back)
		if err != nil {
			return err
		}
		if w.keepSheets(s, back, aboveHU) {
			cut = true
			w.bridge(s)
			w.cutSheet(s, back)
		}
	}
	if !cut {
		return ctx.Err()
	}
	w.body = filter.LargestOf(w.c.Grid, w.body)
	return ctx.Err()
}

// along is the voxel of the full grid in column i of slice k that is j voxels from
// the last row when back, from the first one when not.
func along(g imaging.Grid, back bool, i, j, k int) int {
	if back {
		j = g.Size[1] - 1 - j
	}
	return g.Index(i, j, k)
}

// findSheet looks from outside along every column for a thin sheet over a layer
// that holds air. Voxels are counted from that side.
func (w *work) findSheet(ctx context.Context, back bool) (sheet, error) {
	g, bit := w.v.Grid, w.out.Bit(imaging.LabelBody)
	nx, ny, h := g.Size[0], g.Size[1], g.SpacingMM()
	s := sheet{outer: make([]int, nx*g.Size[2]), inner: make([]int, nx*g.Size[2])}
	thick, foam, beside := int(sheetMM/h[1]), int(foamMM/h[1]), int(acrossMM/h[0]+0.5)
	err := par.ChunksCtx(ctx, g.Size[2], 1, func(k0, k1 int) error {
		for k := k0; k < k1; k++ {
			outer := s.outer[k*nx:][:nx]
			inner := s.inner[k*nx:][:nx]
			for i := range outer {
				outer[i], inner[i] = -1, -1
			}
			for j, left := 0, nx; j < ny && left > 0; j++ {
				at := along(g, back, 0, j, k)
				for i, b := range w.out.Bits[at:][:nx] {
					if outer[i] < 0 && b&bit != 0 {
						outer[i] = j
						left--
					}
				}
			}
			mean := func(i, j int) float64 {
				lo, hi := max(0, i-beside), min(nx-1, i+beside)
				at, sum := along(g, back, 0, j, k), 0
				for _, v := range w.v.Data[at+lo : at+hi+1] {
					sum += int(v)
				}
				return w.v.Slope*float64(sum)/float64(hi-lo+1) + w.v.Intercept
			}
			for i, from := range outer {
				if from < 0 {
					continue
				}
				dense, j := false, from
				for ; j <= min(from+thick, ny-1); j++ {
					v := mean(i, j)
					if dense && v < airMixedHU {
						break
					}
					dense = dense || v > sheetHU
				}
				if j > min(from+thick, ny-1) {
					continue
				}
				end := min(j+foam, ny-1)
				for j < end && mean(i, j) < airMixedHU {
					j++
				}
				if j < end {
					inner[i] = j
				}
			}
		}
		return nil
	})
	return s, err
}

// keepSheets leaves only the sheets that are large and go on outside the body,
// and reports whether there is one.
func (w *work) keepSheets(s sheet, back bool, aboveHU float64) bool {
	g, bit := w.v.Grid, w.out.Bit(imaging.LabelBody)
	nx, ny, h := g.Size[0], g.Size[1], g.SpacingMM()
	flat := imaging.Grid{Origin: g.Origin, Axes: g.Axes, Size: [3]int{nx, g.Size[2], 1}}
	p := filter.Components(flat, filter.Where(len(s.inner), func(n int) bool { return s.inner[n] >= 0 }))
	rim, on := make([]int, len(p.Count)), make([]int, len(p.Count))
	thick := int(sheetMM / h[1])
	// whether dense matter that is not the body lies in column n about voxel j
	dense := func(n, j int) bool {
		for a := max(0, j-thick/2); a <= min(ny-1, j+thick); a++ {
			at := along(g, back, n%nx, a, n/nx)
			if w.out.Bits[at]&bit == 0 && w.hu(at) > aboveHU {
				return true
			}
		}
		return false
	}
	for n, c := range p.Of {
		if c != 0 {
			continue
		}
		seen := int32(0)
		filter.Neighbours(flat, n, func(o int) {
			if of := p.Of[o]; of != 0 && of != seen {
				seen = of
				rim[of]++
				if dense(n, s.outer[o]) {
					on[of]++
				}
			}
		})
	}
	area, found := h[0]*h[2]/100, false
	keep := make([]bool, len(p.Count))
	for c := 1; c < len(keep); c++ {
		keep[c] = area*float64(p.Count[c]) >= sheetCM2 && float64(on[c]) >= goesOn*float64(rim[c])
		found = found || keep[c]
	}
	for n, c := range p.Of {
		if !keep[c] {
			s.inner[n] = -1
		}
	}
	return found
}

// bridge carries a sheet on, within a slice, where the layer under it is not seen.
func (w *work) bridge(s sheet) {
	nx := w.v.Grid.Size[0]
	most := int(bridgedMM / w.v.Grid.SpacingMM()[0])
	for row := range slices.Chunk(s.inner, nx) {
		last := -1
		for i, j := range row {
			if j < 0 {
				continue
			}
			if last >= 0 && i-last > 1 && i-last <= most {
				for a := last + 1; a < i; a++ {
					row[a] = row[last] + (j-row[last])*(a-last)/(i-last)
				}
			}
			last = i
		}
	}
}

// cutSheet takes from the body what lies on the outer side of the layer, and from
// the working mask the voxels that keep less than half.
func (w *work) cutSheet(s sheet, back bool) {
	g, c, bit := w.v.Grid, w.c, w.out.Bit(imaging.LabelBody)
	nx := g.Size[0]
	touched := make(map[int]bool)
	for n, inner := range s.inner {
		if inner < 0 || s.outer[n] < 0 {
			continue
		}
		i, k := n%nx, n/nx
		for j := s.outer[n]; j < inner; j++ {
			at := along(g, back, i, j, k)
			w.out.Bits[at] &^= bit
			_, y, _ := g.IJK(at)
			a := [3]int{i / c.Block[0], y / c.Block[1], k / c.Block[2]}
			if c.Grid.Contains(a[0], a[1], a[2]) {
				touched[c.Grid.Index(a[0], a[1], a[2])] = true
			}
		}
	}
	for n := range touched {
		if !w.body[n] {
			continue
		}
		i, j, k := c.Grid.IJK(n)
		in, all := 0, 0
		for z := k * c.Block[2]; z < min((k+1)*c.Block[2], g.Size[2]); z++ {
			for y := j * c.Block[1]; y < min((j+1)*c.Block[1], g.Size[1]); y++ {
				for x := i * c.Block[0]; x < min((i+1)*c.Block[0], nx); x++ {
					all++
					if w.out.Bits[g.Index(x, y, z)]&bit != 0 {
						in++
					}
				}
			}
		}
		w.body[n] = 2*in >= all
	}
}
