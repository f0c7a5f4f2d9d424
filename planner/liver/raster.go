package liver

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// rasterMM is the spacing of the nodes a cut is tabulated on. Between them the
// height is bilinear: for the sheets of Generate that is within 0.03 mm of the
// patch.
const rasterMM = 1.5

// raster is a cut, plane or sheet, as a table of heights over the organ.
type raster struct {
	o, u, v, n r3.Vec // node (0, 0) at height 0, LPS mm; unit vectors
	nu, nv     int
	h          []float64 // [a + nu·b], mm
	steep      []float64 // bound on √(1 + slope²) around each tile of cells
	steepFar   []float64 // the same for the reach of a group of blocks
	tu         int       // tiles along u
	flat       bool

	// Voxel (i, j, k) lies at node coordinates (from + i·di + …) and height Z.
	from rasterPoint
	step [3]rasterPoint
}

type rasterPoint struct{ a, b, z float64 }

// newRaster tabulates a sheet over the organ.
func (b *blocks) newRaster(s *planner.Sheet) *raster {
	r := new(raster)
	b.tabulate(r, s)
	return r
}

// tabulate is newRaster into r, whose memory is used again.
func (b *blocks) tabulate(r *raster, s *planner.Sheet) {
	*r = raster{u: r3.Unit(s.U), v: r3.Unit(s.V), n: s.Normal(), h: r.h[:0], steep: r.steep[:0]}
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for c := range 8 { // corners of the organ's box
		x := func(d int) float64 {
			if c>>d&1 == 1 {
				return float64(b.grid.Size[d]) - 0.5
			}
			return -0.5
		}
		q := r3.Sub(b.grid.Point(x(0), x(1), x(2)), s.Origin)
		for d, t := range [2]float64{r3.Dot(q, r.u), r3.Dot(q, r.v)} {
			lo[d], hi[d] = min(lo[d], t), max(hi[d], t)
		}
	}
	r.nu, r.nv = int((hi[0]-lo[0])/rasterMM)+3, int((hi[1]-lo[1])/rasterMM)+3
	lo[0], lo[1] = lo[0]-rasterMM/2, lo[1]-rasterMM/2
	r.o = r3.Add(s.Origin, r3.Add(r3.Scale(lo[0], r.u), r3.Scale(lo[1], r.v)))
	r.h = slices.Grow(r.h, r.nu*r.nv)[:r.nu*r.nv]
	r.fill(s, lo)
	r.place(b)
	if !r.flat {
		r.bound(b.wide, b.far)
	}
}

// planeSheet is a plane as a sheet without heights.
func planeSheet(p planner.Plane) planner.Sheet {
	e := r3.Vec{X: 1}
	if math.Abs(p.Normal.X) > 0.6 {
		e = r3.Vec{Y: 1}
	}
	u := r3.Unit(r3.Cross(e, p.Normal))
	return planner.Sheet{Origin: p.Point, U: u, V: r3.Cross(p.Normal, u)}
}

// bernstein are the cubic Bernstein polynomials at −1 ≤ x ≤ 1.
func bernstein(x float64) [4]float64 {
	t := (max(-1, min(1, x)) + 1) / 2
	u := 1 - t
	return [4]float64{u * u * u, 3 * t * u * u, 3 * t * t * u, t * t * t}
}

func (r *raster) fill(s *planner.Sheet, lo [2]float64) {
	r.flat = s.HeightsMM == [4][4]float64{}
	if r.flat {
		clear(r.h)
		return
	}
	lu, lv := r3.Norm(s.U), r3.Norm(s.V)
	along := make([][4]float64, r.nv)
	for b := range along {
		along[b] = bernstein((lo[1] + float64(b)*rasterMM) / lv)
	}
	for a := range r.nu {
		bu := bernstein((lo[0] + float64(a)*rasterMM) / lu)
		var c [4]float64
		for j := range 4 {
			for i := range 4 {
				c[j] += bu[i] * s.HeightsMM[i][j]
			}
		}
		for b, w := range along {
			r.h[a+r.nu*b] = c[0]*w[0] + c[1]*w[1] + c[2]*w[2] + c[3]*w[3]
		}
	}
}

// place finds the linear map from voxels to node coordinates.
func (r *raster) place(b *blocks) {
	to := func(d r3.Vec) rasterPoint {
		return rasterPoint{r3.Dot(d, r.u) / rasterMM, r3.Dot(d, r.v) / rasterMM, r3.Dot(d, r.n)}
	}
	r.from = to(r3.Sub(b.fine.Origin, r.o))
	for d, axis := range b.fine.Axes {
		r.step[d] = to(axis)
	}
}

// tileNodes is the side of the tiles that steep is kept for.
const tileNodes = 4

// bound fills steep and steepFar: for each tile of cells the largest slope
// within wide and far of it.
func (r *raster) bound(wide, far float64) {
	tu, tv := (r.nu+tileNodes-1)/tileNodes, (r.nv+tileNodes-1)/tileNodes
	r.tu = tu
	all := slices.Grow(r.steep[:0], 3*tu*tv)[:3*tu*tv]
	tile := all[2*tu*tv:]
	r.steep, r.steepFar = all[:tu*tv], all[tu*tv:2*tu*tv]
	clear(tile)
	for b := 0; b+1 < r.nv; b++ {
		row, up := r.h[r.nu*b:r.nu*(b+1)], r.h[r.nu*(b+1):r.nu*(b+2)]
		to := tile[tu*(b/tileNodes):]
		for a := 0; a+1 < r.nu; a++ {
			hu := max(math.Abs(row[a+1]-row[a]), math.Abs(up[a+1]-up[a]))
			hv := max(math.Abs(up[a]-row[a]), math.Abs(up[a+1]-row[a+1]))
			to[a/tileNodes] = max(to[a/tileNodes], hu*hu+hv*hv)
		}
	}
	for n, dst := range [2][]float64{r.steep, r.steepFar} {
		w := int(math.Ceil([2]float64{wide, far}[n] / (rasterMM * tileNodes)))
		for b := range tv {
			for a := range tu {
				m := 0.0
				for y := max(0, b-w); y <= min(tv-1, b+w); y++ {
					for x := max(0, a-w); x <= min(tu-1, a+w); x++ {
						m = max(m, tile[x+tu*y])
					}
				}
				dst[a+tu*b] = math.Sqrt(1 + m/(rasterMM*rasterMM))
			}
		}
	}
}

// voxels are the voxel coordinates of node (0, 0) at height 0 and their changes
// along u and v by a node and along n by a millimetre.
func (r *raster) voxels(g imaging.Grid) (at [4]r3.Vec) {
	to := func(p r3.Vec) r3.Vec {
		x, y, z := g.Voxel(p)
		return r3.Vec{X: x, Y: y, Z: z}
	}
	at[0] = to(r.o)
	for n, d := range [3]r3.Vec{r3.Scale(rasterMM, r.u), r3.Scale(rasterMM, r.v), r.n} {
		at[n+1] = r3.Sub(to(r3.Add(r.o, d)), at[0])
	}
	return at
}

// cell is the cell of node coordinates and the place in it; beyond the table
// its border goes on.
func (r *raster) cell(a, b float64) (n int, fa, fb float64) {
	a, b = max(0, min(float64(r.nu)-1.001, a)), max(0, min(float64(r.nv)-1.001, b))
	i, j := int(a), int(b)
	return i + r.nu*j, a - float64(i), b - float64(j)
}

// above is the height of p over the cut, mm, positive on the resected side.
func (r *raster) above(p r3.Vec) float64 {
	d := r3.Sub(p, r.o)
	z := r3.Dot(d, r.n)
	if r.flat {
		return z
	}
	n, fa, fb := r.cell(r3.Dot(d, r.u)/rasterMM, r3.Dot(d, r.v)/rasterMM)
	return z - r.height(n, fa, fb)
}

func (r *raster) height(n int, fa, fb float64) float64 {
	return (r.h[n]*(1-fa)+r.h[n+1]*fa)*(1-fb) + (r.h[n+r.nu]*(1-fa)+r.h[n+r.nu+1]*fa)*fb
}

// block says whether the block around c, which reaches wide from it, lies
// wholly above (1) or below (0) the cut; ok is false when neither is certain.
// steep is the bound for that reach.
func (r *raster) block(c r3.Vec, wide float64, steep []float64) (side float32, ok bool) {
	d := r3.Sub(c, r.o)
	g := r3.Dot(d, r.n)
	if !r.flat {
		n, fa, fb := r.cell(r3.Dot(d, r.u)/rasterMM, r3.Dot(d, r.v)/rasterMM)
		g -= r.height(n, fa, fb)
		wide *= steep[n%r.nu/tileNodes+r.tu*(n/r.nu/tileNodes)]
	}
	switch {
	case g > wide:
		return 1, true
	case g < -wide:
		return 0, true
	}
	return 0, false
}

// part is the share of voxel (i, j, k) above the cut: linear in the height of
// its middle over the tangent, 0 to 1 across the voxel. For a face of the grid
// that is exact; for an oblique cut it is symmetric about the middle.
func (r *raster) part(i, j, k float64) float64 {
	a := r.from.a + i*r.step[0].a + j*r.step[1].a + k*r.step[2].a
	b := r.from.b + i*r.step[0].b + j*r.step[1].b + k*r.step[2].b
	g := r.from.z + i*r.step[0].z + j*r.step[1].z + k*r.step[2].z
	hu, hv := 0.0, 0.0
	if !r.flat {
		n, fa, fb := r.cell(a, b)
		h00, h10, h01, h11 := r.h[n], r.h[n+1], r.h[n+r.nu], r.h[n+r.nu+1]
		lo, hi := h00*(1-fa)+h10*fa, h01*(1-fa)+h11*fa
		g -= lo*(1-fb) + hi*fb
		hu, hv = (h10-h00)*(1-fb)+(h11-h01)*fb, hi-lo // per node
	}
	w := 0.0
	for d := range r.step {
		w += math.Abs(r.step[d].z - hu*r.step[d].a - hv*r.step[d].b)
	}
	return max(0, min(1, 0.5+g/w))
}

// row sums part over the voxels of a row that are organ, at least base each;
// the row starts at voxel (i, j, k).
func (r *raster) row(ids []imaging.Label, i, j, k, base float64) (count int, sum float64) {
	a := r.from.a + i*r.step[0].a + j*r.step[1].a + k*r.step[2].a
	b := r.from.b + i*r.step[0].b + j*r.step[1].b + k*r.step[2].b
	g := r.from.z + i*r.step[0].z + j*r.step[1].z + k*r.step[2].z
	flat := math.Abs(r.step[0].z) + math.Abs(r.step[1].z) + math.Abs(r.step[2].z)
	for n, id := range ids {
		if !id.InOrgan() {
			continue
		}
		t := float64(n)
		over, w := g+t*r.step[0].z, flat
		if !r.flat {
			c, fa, fb := r.cell(a+t*r.step[0].a, b+t*r.step[0].b)
			h00, h10, h01, h11 := r.h[c], r.h[c+1], r.h[c+r.nu], r.h[c+r.nu+1]
			lo, hi := h00*(1-fa)+h10*fa, h01*(1-fa)+h11*fa
			over -= lo*(1-fb) + hi*fb
			hu, hv := (h10-h00)*(1-fb)+(h11-h01)*fb, hi-lo
			w = math.Abs(r.step[0].z-hu*r.step[0].a-hv*r.step[0].b) + math.Abs(r.step[1].z-hu*r.step[1].a-hv*r.step[1].b) + math.Abs(r.step[2].z-hu*r.step[2].a-hv*r.step[2].b)
		}
		sum += max(base, min(1, 0.5+over/w))
		count++
	}
	return count, sum
}

// node is a point of the cut and √(1 + slope²) there.
func (r *raster) node(a, b int) (p r3.Vec, steep float64) {
	n := a + r.nu*b
	p = r3.Add(r.o, r3.Add(r3.Scale(float64(a)*rasterMM, r.u), r3.Add(r3.Scale(float64(b)*rasterMM, r.v), r3.Scale(r.h[n], r.n))))
	if r.flat || a == 0 || b == 0 || a+1 == r.nu || b+1 == r.nv {
		return p, 1
	}
	hu, hv := (r.h[n+1]-r.h[n-1])/(2*rasterMM), (r.h[n+r.nu]-r.h[n-r.nu])/(2*rasterMM)
	return p, math.Sqrt(1 + hu*hu + hv*hv)
}

// above is the part of the organ's blocks whose middles lie above a sheet.
func (b *blocks) above(s *planner.Sheet) float64 {
	r := b.newRaster(s)
	sum := 0.0
	for v, c := range b.centre {
		if r.above(c) > 0 {
			sum += b.ml[v]
		}
	}
	return sum / b.total
}
