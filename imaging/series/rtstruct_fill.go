package series

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// Tolerances on where contours lie. Their coordinates are decimal strings,
// often with two places; a quarter of a millimetre is far above that and below
// half of the thinnest slice in use.
const (
	flatTolMM      = 0.25    // of a contour about its plane
	onPlane        = 0.25    // of a contour about a plane of the grid, in planes
	samePlanes     = 0.02    // contours closer than this share a plane, in planes
	widest         = 1.5     // gap that is still filled, in usual distances of contours
	maxDistances   = 1 << 28 // edges looked at for one plane between contours
	maxHoleWork    = 1 << 24 // the same for contours within contours
	maxOwnVoxels   = 1 << 27 // of the lattice for contours on oblique planes
	ctxEveryPoints = 1 << 16
)

// filler turns the contours of one ROI into voxels.
type filler struct {
	roi     *ROI
	to      imaging.Grid    // where the voxels are wanted
	grid    imaging.Grid    // whose planes k are parallel to the contours
	reorder imaging.Reorder // of to into grid, unless oblique
	oblique bool            // grid is a lattice of its own
	planes  []contourPlane
	step    float64     // usual distance of the contours, in planes of grid
	box     imaging.Box // the columns and rows of grid that contours can reach

	set, between, empty int // voxels; planes interpolated and left empty
	boundedWork         bool
}

// contourPlane holds the contours of one plane in voxels of the grid.
type contourPlane struct {
	at       float64 // k
	contours [][][2]float64
	hole     []bool // contours within an odd number of others
}

// newFiller sorts the contours of an ROI into planes. It is nil when there is
// nothing to fill; why says so when that is the contours' fault.
func newFiller(to imaging.Grid, roi *ROI) (f *filler, why string) {
	if len(roi.contours) == 0 {
		return nil, ""
	}
	normal, bent := roi.normal()
	switch {
	case normal == (r3.Vec{}):
		return nil, "its contours enclose no area"
	case bent > flatTolMM:
		return nil, fmt.Sprintf("its contours lie up to %.2f mm off parallel planes", bent)
	}
	f = &filler{roi: roi, to: to}
	f.reorder = across(to, normal)
	if f.grid = f.reorder.Grid(to); !f.parallelTo(f.grid) {
		f.oblique = true
		if f.grid = ownGrid(to, roi, normal); f.grid.Len() == 0 {
			return nil, "it lies outside the grid"
		}
	}
	f.sort()
	return f, ""
}

// across runs the axes of g towards the patient's left, posterior and head,
// with the one that is closest to the normal last: the voxels of a structure
// do not depend on the order and the directions in which g stores them.
func across(g imaging.Grid, normal r3.Vec) imaging.Reorder {
	lps := g.Canonical()
	last, most := 2, -1.0
	for a, v := range lps.Grid(g).Axes {
		if c := math.Abs(r3.Dot(r3.Unit(v), normal)); c > most+1e-9 {
			last, most = a, c
		}
	}
	var r imaging.Reorder
	for n := range 3 {
		a := (last + 1 + n) % 3
		r.Axis[n], r.Flip[n] = lps.Axis[a], lps.Flip[a]
	}
	return r
}

// normal is the common unit normal of the contours, each weighted by its area
// (Newell), and how far points lie off the plane of their contour at worst.
func (r *ROI) normal() (n r3.Vec, bentMM float64) {
	for _, c := range r.contours {
		a := c.area()
		if r3.Dot(a, n) < 0 {
			a = r3.Scale(-1, a)
		}
		n = r3.Add(n, a)
	}
	if r3.Norm(n) < 1e-9 {
		return r3.Vec{}, 0
	}
	n = r3.Unit(n)
	for _, c := range r.contours {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range c {
			t := r3.Dot(p, n)
			lo, hi = min(lo, t), max(hi, t)
		}
		bentMM = max(bentMM, (hi-lo)/2)
	}
	return n, bentMM
}

// area is the vector area of a polygon, mm².
func (c contour) area() r3.Vec {
	var a r3.Vec
	for n := 2; n < len(c); n++ {
		a = r3.Add(a, r3.Cross(r3.Sub(c[n-1], c[0]), r3.Sub(c[n], c[0])))
	}
	return r3.Scale(0.5, a)
}

// parallelTo reports whether every contour keeps to one k of g.
func (f *filler) parallelTo(g imaging.Grid) bool {
	h := r3.Norm(g.Axes[2])
	for _, c := range f.roi.contours {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range c {
			_, _, k := g.Voxel(p)
			lo, hi = min(lo, k), max(hi, k)
		}
		if (hi-lo)*h/2 > flatTolMM {
			return false
		}
	}
	return true
}

// ownGrid is a lattice along the planes of the contours, twice as fine in the
// plane as to, over the part of the structure that to can hold.
func ownGrid(to imaging.Grid, roi *ROI, normal r3.Vec) imaging.Grid {
	// The axis of to that is closest to the planes gives the direction of rows.
	row := to.Axes[0]
	for _, a := range to.Axes {
		if math.Abs(r3.Dot(r3.Unit(a), normal)) < math.Abs(r3.Dot(r3.Unit(row), normal))-1e-6 {
			row = a
		}
	}
	u := r3.Unit(r3.Sub(row, r3.Scale(r3.Dot(row, normal), normal)))
	axes := [3]r3.Vec{u, r3.Cross(normal, u), normal}
	sp := to.SpacingMM()
	fine := min(sp[0], sp[1], sp[2])
	h := [3]float64{fine / 2, fine / 2, fine}
	lo, hi := [3]float64{}, [3]float64{}
	for a, v := range axes {
		lo[a], hi[a] = math.Inf(1), math.Inf(-1)
		for _, c := range roi.contours {
			for _, p := range c {
				lo[a], hi[a] = min(lo[a], r3.Dot(p, v)), max(hi[a], r3.Dot(p, v))
			}
		}
		from, until := math.Inf(1), math.Inf(-1)
		for c := range 8 {
			p := to.Point(float64(c&1*(to.Size[0]-1)), float64(c>>1&1*(to.Size[1]-1)), float64(c>>2*(to.Size[2]-1)))
			from, until = min(from, r3.Dot(p, v)), max(until, r3.Dot(p, v))
		}
		margin := 2 * max(sp[0], sp[1], sp[2])
		if a == 2 {
			margin += maxStepMM
		}
		lo[a], hi[a] = max(lo[a]-margin, from-margin), min(hi[a]+margin, until+margin)
		if hi[a] <= lo[a] {
			return imaging.Grid{}
		}
	}
	voxels := 1.0
	for a := range h {
		voxels *= (hi[a]-lo[a])/h[a] + 1
	}
	if voxels > maxOwnVoxels {
		for a := range h {
			h[a] *= math.Cbrt(voxels / maxOwnVoxels)
		}
	}
	g := imaging.Grid{}
	for a, v := range axes {
		g.Size[a] = int((hi[a]-lo[a])/h[a]) + 1
		g.Origin = r3.Add(g.Origin, r3.Scale(lo[a], v))
		g.Axes[a] = r3.Scale(h[a], v)
	}
	return g
}

// maxStepMM is how far from the last contour a lattice of its own reaches:
// half of the widest distance of contours in use.
const maxStepMM = 10

// sort groups the contours into planes, ascending, and finds their usual
// distance.
func (f *filler) sort() {
	all := make([]contourPlane, len(f.roi.contours))
	for n, c := range f.roi.contours {
		points := make([][2]float64, len(c))
		sum := 0.0
		for m, p := range c {
			i, j, k := f.grid.Voxel(p)
			points[m] = [2]float64{i, j}
			sum += k
		}
		all[n] = contourPlane{at: sum / float64(len(c)), contours: [][][2]float64{points}}
	}
	slices.SortStableFunc(all, func(a, b contourPlane) int { return cmp.Compare(a.at, b.at) })
	for _, p := range all {
		if n := len(f.planes); n > 0 && p.at-f.planes[n-1].at <= samePlanes {
			f.planes[n-1].contours = append(f.planes[n-1].contours, p.contours...)
			continue
		}
		f.planes = append(f.planes, p)
	}
	for n := range f.planes {
		f.planes[n].findHoles()
	}
	f.bound()
	f.step = 1
	if len(f.planes) < 2 {
		return
	}
	gaps := make([]float64, len(f.planes)-1)
	for n := range gaps {
		gaps[n] = f.planes[n+1].at - f.planes[n].at
	}
	slices.Sort(gaps)
	f.step = gaps[len(gaps)/2]
}

// bound finds the columns and rows that the contours can reach.
func (f *filler) bound() {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range f.planes {
		for _, c := range p.contours {
			for _, v := range c {
				for a, x := range v {
					lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
				}
			}
		}
	}
	for a := range lo {
		n := float64(f.grid.Size[a])
		f.box.Lo[a] = int(min(max(math.Floor(lo[a])-1, 0), n))
		f.box.Hi[a] = int(min(max(math.Ceil(hi[a])+2, 0), n))
	}
}

// fill sets bit in dst (on f.to) for the voxels of the structure.
func (f *filler) fill(ctx context.Context, dst []uint32, bit uint32) error {
	if f.oblique {
		mask := make([]bool, f.grid.Len())
		if err := f.fillPlanes(ctx, func(n int) { mask[n] = true }); err != nil {
			return err
		}
		return f.pick(ctx, dst, bit, mask)
	}
	if f.reorder.Identity() {
		return f.fillPlanes(ctx, func(n int) { dst[n] |= bit })
	}
	at := f.reorder.Index(f.to)
	return f.fillPlanes(ctx, func(n int) { dst[at(n)] |= bit })
}

// pick gives each voxel of f.to the value of the nearest voxel of f.grid, which
// is finer.
func (f *filler) pick(ctx context.Context, dst []uint32, bit uint32, mask []bool) error {
	p := placement{from: f.grid, to: f.to}
	box := p.reach(f.grid.Bounds(func(n int) bool { return mask[n] }))
	if box.Empty() {
		f.set = 0
		return nil
	}
	// Voxels of f.grid for a step along i of f.to.
	var step [3]float64
	for a, v := range f.grid.Axes {
		step[a] = r3.Dot(f.to.Axes[0], v) / r3.Norm2(v)
	}
	counts := make([]int, box.Hi[2]-box.Lo[2])
	err := par.ChunksCtx(ctx, len(counts), 1, func(at, _ int) error {
		k := box.Lo[2] + at
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			x, y, z := f.grid.Voxel(f.to.Point(0, float64(j), float64(k)))
			row := f.to.Index(0, j, k)
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				u := int(math.Floor(x + float64(i)*step[0] + 0.5 + tie[0]))
				v := int(math.Floor(y + float64(i)*step[1] + 0.5 + tie[1]))
				w := int(math.Floor(z + float64(i)*step[2] + 0.5 + tie[2]))
				if f.grid.Contains(u, v, w) && mask[f.grid.Index(u, v, w)] {
					dst[row+i] |= bit
					counts[at]++
				}
			}
		}
		return ctx.Err()
	})
	f.set = 0
	for _, c := range counts {
		f.set += c
	}
	return err
}

// fillPlanes calls put for every voxel of f.grid inside the structure, for
// different planes at the same time.
func (f *filler) fillPlanes(ctx context.Context, put func(n int)) error {
	const ( // what became of a plane
		none = iota
		drawn
		filled
		open
		bounded
	)
	nx, nz, area := f.grid.Size[0], f.grid.Size[2], f.grid.Size[0]*f.grid.Size[1]
	state, set := make([]uint8, nz), make([]int, nz)
	err := par.ChunksCtx(ctx, nz, 1, func(k, _ int) error {
		a, b, w := f.sources(float64(k))
		if a < 0 {
			if b > 0 { // within the structure
				state[k] = open
			}
			return ctx.Err()
		}
		state[k] = drawn
		inside := make([]bool, area)
		if err := f.parity(ctx, inside, a); err != nil {
			return err
		}
		if b >= 0 {
			state[k] = filled
			ok, err := f.blend(ctx, inside, a, b, w)
			if err != nil {
				return err
			}
			if !ok {
				state[k] = bounded
			}
		}
		for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
			for p := j*nx + f.box.Lo[0]; p < j*nx+f.box.Hi[0]; p++ {
				if inside[p] {
					put(k*area + p)
					set[k]++
				}
			}
		}
		return nil
	})
	f.set, f.between, f.empty = 0, 0, 0
	for k := range state {
		f.set += set[k]
		switch state[k] {
		case filled:
			f.between++
		case open:
			f.empty++
		case bounded:
			f.between++
			f.boundedWork = true
		}
	}
	return err
}

// sources says which contours make plane k: those of plane a alone (b < 0), or
// the shape at the part w of the way from a to b. a is −1 for none; b is then 1
// when there are contours on both sides.
func (f *filler) sources(k float64) (a, b int, w float64) {
	above, _ := slices.BinarySearchFunc(f.planes, k, func(p contourPlane, k float64) int { return cmp.Compare(p.at, k) })
	below := above - 1
	nearest := above
	if above == len(f.planes) || below >= 0 && k-f.planes[below].at < f.planes[above].at-k {
		nearest = below
	}
	off := k - f.planes[nearest].at
	if math.Abs(off) <= onPlane {
		return nearest, -1, 0
	}
	if below >= 0 && above < len(f.planes) {
		lo, hi := f.planes[below].at, f.planes[above].at
		if hi-lo <= widest*f.step {
			return below, above, (k - lo) / (hi - lo)
		}
	}
	// Half of the usual distance; a plane in the middle belongs to the contour
	// that follows it along the axis.
	if d := off + 1e-3; d >= -f.step/2 && d < f.step/2 {
		return nearest, -1, 0
	}
	if below >= 0 && above < len(f.planes) {
		return -1, 1, 0
	}
	return -1, -1, 0
}

// parity sets the voxels of a plane that lie inside an odd number of contours.
// Each edge flips, on every row that it crosses, all voxels to its right.
func (f *filler) parity(ctx context.Context, inside []bool, plane int) error {
	nx, ny := f.grid.Size[0], f.grid.Size[1]
	work := 0
	for _, c := range f.planes[plane].contours {
		for n, p := range c {
			q := c[(n+1)%len(c)]
			if work++; work%ctxEveryPoints == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if p[1] > q[1] {
				p, q = q, p
			}
			lo, hi := rowFrom(p[1], ny), rowFrom(q[1], ny)
			for j := lo; j < hi; j++ {
				y := float64(j) + tie[1]
				x := p[0] + (y-p[1])/(q[1]-p[1])*(q[0]-p[0])
				if i := max(math.Ceil(x-tie[0]), float64(f.box.Lo[0])); i < float64(f.box.Hi[0]) {
					at := int(i) + nx*j
					inside[at] = !inside[at]
				}
			}
		}
	}
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		row := inside[j*nx+f.box.Lo[0] : j*nx+f.box.Hi[0]]
		for i := 1; i < len(row); i++ {
			row[i] = row[i] != row[i-1]
		}
	}
	return ctx.Err()
}

// rowFrom is the first row whose sample point lies at or above y, within the
// grid.
func rowFrom(y float64, ny int) int {
	return int(min(max(math.Ceil(y-tie[1]), 0), float64(ny)))
}

// blend turns inside, the voxels of plane a, into those of the shape at the
// part w of the way to plane b: where the mean of the signed distances from
// the two outlines is negative (shape-based interpolation, Raya and Udupa, IEEE
// Trans Med Imaging 9 (1990) 32). Only voxels where the two differ are asked.
// ok is false when that were too many, and the nearer shape was taken.
func (f *filler) blend(ctx context.Context, inside []bool, a, b int, w float64) (ok bool, err error) {
	other := make([]bool, len(inside))
	if err := f.parity(ctx, other, b); err != nil {
		return false, err
	}
	nx, differ := f.grid.Size[0], 0
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		for n := j*nx + f.box.Lo[0]; n < j*nx+f.box.Hi[0]; n++ {
			if inside[n] != other[n] {
				differ++
			}
		}
	}
	edges := 0
	for _, p := range []int{a, b} {
		for _, c := range f.planes[p].contours {
			edges += len(c)
		}
	}
	if differ > maxDistances/max(edges, 1) {
		if w > 0.5 {
			copy(inside, other)
		}
		return false, nil
	}
	for j := f.box.Lo[1]; j < f.box.Hi[1]; j++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for i := f.box.Lo[0]; i < f.box.Hi[0]; i++ {
			n := i + nx*j
			if inside[n] == other[n] {
				continue
			}
			da, db := f.distance(a, i, j), f.distance(b, i, j)
			if inside[n] {
				inside[n] = (1-w)*da > w*db
			} else {
				inside[n] = w*db > (1-w)*da
			}
		}
	}
	return true, nil
}

// distance is that of a voxel's centre from the contours of a plane, mm.
func (f *filler) distance(plane, i, j int) float64 {
	h := f.grid.SpacingMM()
	x, y := (float64(i)+tie[0])*h[0], (float64(j)+tie[1])*h[1]
	best := math.Inf(1)
	for _, c := range f.planes[plane].contours {
		q := c[len(c)-1]
		for _, p := range c {
			ax, ay := q[0]*h[0], q[1]*h[1]
			dx, dy := p[0]*h[0]-ax, p[1]*h[1]-ay
			s := 0.0
			if l := dx*dx + dy*dy; l > 0 {
				s = min(max(((x-ax)*dx+(y-ay)*dy)/l, 0), 1)
			}
			ex, ey := x-ax-s*dx, y-ay-s*dy
			best = min(best, ex*ex+ey*ey)
			q = p
		}
	}
	return math.Sqrt(best)
}

// tell completes the entry of the report and says what was odd.
func (f *filler) tell(entry *PlacedStructure, r *StructureReport) {
	n := f.roi.Number
	entry.OnGrid = f.set
	entry.AfterML = float64(f.set) * f.to.VoxelMM3() / 1000
	entry.BeforeML = f.contourML()
	stepMM := f.step * r3.Norm(f.grid.Axes[2])
	if f.oblique {
		r.Resampled = true
		r.note("ROI %d: its contours lie on other planes than those of the grid: resampled", n)
	} else {
		switch {
		case f.between > 0 && math.Abs(f.step-1) < onPlane:
			r.note("ROI %d: its contours lie between the planes of the grid; the shape was interpolated on %d of them", n, f.between)
		case f.between > 0:
			r.note("ROI %d: contours every %.3g mm, %.3g planes of the grid; the shape was interpolated on %d planes between them", n, stepMM, f.step, f.between)
		}
	}
	if f.empty > 0 {
		r.note("ROI %d: %.3g mm between its contours have none and stay empty (contours every %.3g mm)", n, float64(f.empty)*r3.Norm(f.grid.Axes[2]), stepMM)
	}
	if f.boundedWork {
		r.note("ROI %d: too many points to interpolate between its contours; the nearer one was taken", n)
	}
	if nested := f.nested(); nested > 0 {
		r.note("ROI %d: on %d planes a contour lies within another; it was taken as a hole", n, nested)
	}
	if f.reachesOut() {
		r.note("ROI %d reaches outside the grid: %.2f ml in its contours, %.2f ml on the grid", n, entry.BeforeML, entry.AfterML)
	}
}

// contourML is the volume by the areas of the contours: each stands for half
// the distance to its neighbours.
func (f *filler) contourML() float64 {
	h := f.grid.SpacingMM()
	sum := 0.0
	for n, p := range f.planes {
		thick := 0.0
		for _, m := range []int{n - 1, n + 1} {
			gap := f.step
			if m >= 0 && m < len(f.planes) {
				if d := math.Abs(f.planes[m].at - p.at); d <= widest*f.step {
					gap = d
				}
			}
			thick += gap / 2
		}
		sum += p.area() * thick
	}
	return sum * h[0] * h[1] * h[2] / 1000
}

// area is that of a plane's contours in voxels, holes taken off.
func (p *contourPlane) area() float64 {
	sum := 0.0
	for n, c := range p.contours {
		a := 0.0
		for m := range c {
			q := c[(m+1)%len(c)]
			a += c[m][0]*q[1] - q[0]*c[m][1]
		}
		a = math.Abs(a) / 2
		if p.hole[n] {
			a = -a
		}
		sum += a
	}
	return sum
}

// findHoles finds the contours whose first point lies inside an odd number of
// the others of the plane; none where that is too much work.
func (p *contourPlane) findHoles() {
	p.hole = make([]bool, len(p.contours))
	edges := 0
	for _, c := range p.contours {
		edges += len(c)
	}
	if len(p.contours) < 2 || edges > maxHoleWork/len(p.contours) {
		return
	}
	for n := range p.contours {
		x, y := p.contours[n][0][0], p.contours[n][0][1]
		for m, c := range p.contours {
			if m == n {
				continue
			}
			q := c[len(c)-1]
			for _, v := range c {
				if (v[1] > y) != (q[1] > y) && x < v[0]+(y-v[1])/(q[1]-v[1])*(q[0]-v[0]) {
					p.hole[n] = !p.hole[n]
				}
				q = v
			}
		}
	}
}

// nested is the number of planes with a contour inside another.
func (f *filler) nested() int {
	planes := 0
	for n := range f.planes {
		if slices.Contains(f.planes[n].hole, true) {
			planes++
		}
	}
	return planes
}

// reachesOut reports a contour beyond the outer voxels of the grid.
func (f *filler) reachesOut() bool {
	for _, c := range f.roi.contours {
		for _, p := range c {
			i, j, k := f.to.Voxel(p)
			for a, v := range [3]float64{i, j, k} {
				if v < -0.5 || v > float64(f.to.Size[a])-0.5 {
					return true
				}
			}
		}
	}
	return false
}
