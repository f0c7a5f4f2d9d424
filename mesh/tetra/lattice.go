package tetra

import (
	"context"
	"math"
	"math/bits"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// A cut nearer to a lattice point than these fractions of the edge pulls the
// point onto the surface (Labelle and Shewchuk 2007, table 1, uniform lattice).
const (
	alphaLong  = 0.24999
	alphaShort = 0.41189
)

// lattice is the BCC lattice over the bounding box of the structure: corner
// points (i,j,k) at lo + h·(i,j,k), and centre points half a cell further.
// Corners are numbered first, i fastest, then centres.
type lattice struct {
	f        *field
	h        float64
	lo       r3.Vec // local mm of corner (0,0,0)
	n        [3]int // cells; corners are one more
	corners  int
	points   int
	maxLevel float64
	estimate int64
	voxLo    [3]int // voxels that can be inside, inclusive
	voxHi    [3]int

	val  []float64 // field at the point; 0 once warped
	mask []uint16  // owned edges that cross the surface
	off  []int32   // first cut edge owned by the point
	warp []int32   // cut edge the point was moved to, or −1
	// per cut edge, in order of owner and direction
	owner []int32
	dir   []uint8
	t     []float64 // crossing, fraction from the owner
}

// bytes per lattice point, and per tetrahedron (mesh, keys, growth of slices).
const (
	bytesPerPoint = 32
	bytesPerTet   = 72
)

// edgeDirs are the edges a point owns, in units of h/2: 0–2 long, to the next
// point of the same kind; 3–10 short, from a centre to the corners of its cell.
var edgeDirs = [11]r3.Vec{
	{X: 2}, {Y: 2}, {Z: 2},
	{X: -1, Y: -1, Z: -1}, {X: 1, Y: -1, Z: -1}, {X: -1, Y: 1, Z: -1}, {X: 1, Y: 1, Z: -1},
	{X: -1, Y: -1, Z: 1}, {X: 1, Y: -1, Z: 1}, {X: -1, Y: 1, Z: 1}, {X: 1, Y: 1, Z: 1},
}

func newLattice(ctx context.Context, f *field, opt Options, target bool) (*lattice, error) {
	l := &lattice{f: f, h: opt.EdgeMM}
	if target {
		l.maxLevel = opt.EdgeMM / 2
	}
	near, err := l.bounds(ctx)
	if err != nil {
		return nil, err
	}
	limit := opt.MemoryLimit
	if limit == 0 {
		limit = DefaultMemoryLimit
	}
	sp := f.grid.SpacingMM()
	var half, mid [3]float64
	var cells [3]float64
	for a := range 3 {
		half[a] = float64(l.voxHi[a]-l.voxLo[a]+1) / 2 * sp[a]
		mid[a] = float64(l.voxHi[a]+l.voxLo[a]) / 2 * sp[a]
		// two spare cells on each side: the outermost tetrahedra span half a
		// cell beyond the last centre, and warping needs neighbours
		cells[a] = 2 * (math.Ceil((half[a]+0.5*sp[a])/l.h) + 2)
	}
	estimate := func(h float64) float64 {
		n := 1.0
		for a := range 3 {
			n *= 2*(math.Ceil((half[a]+0.5*sp[a])/h)+2) + 1
		}
		shell := near * f.grid.VoxelMM3() / (h * h * h)
		return 2*n*bytesPerPoint + min(12*n, 16*shell+1000)*bytesPerTet
	}
	est := estimate(l.h)
	points := 2 * (cells[0] + 1) * (cells[1] + 1) * (cells[2] + 1)
	if est > float64(limit) || points*6 > math.MaxInt32 {
		h := l.h
		for h < 1e9 && (estimate(h) > float64(limit) || estimate(h)/bytesPerPoint*6 > math.MaxInt32) {
			h *= 1.1
		}
		return nil, &LimitError{EdgeMM: l.h, Estimate: int64(min(est, 1<<62)), Limit: limit, SuggestEdgeMM: h}
	}
	l.estimate = int64(est)
	for a := range 3 {
		l.n[a] = int(cells[a])
		mid[a] -= cells[a] / 2 * l.h
	}
	l.lo = r3.Vec{X: mid[0], Y: mid[1], Z: mid[2]}
	l.corners = (l.n[0] + 1) * (l.n[1] + 1) * (l.n[2] + 1)
	l.points = l.corners + l.n[0]*l.n[1]*l.n[2]
	l.val = make([]float64, l.points)
	l.mask = make([]uint16, l.points)
	l.off = make([]int32, l.points+1)
	l.warp = make([]int32, l.points)
	return l, nil
}

// bounds finds the voxels below the highest level that may be meshed, and
// counts those within half an edge of being inside.
func (l *lattice) bounds(ctx context.Context) (near float64, err error) {
	n := l.f.n
	l.voxLo, l.voxHi = n, [3]int{-1, -1, -1}
	level, wide := float32(l.maxLevel), float32(l.maxLevel+l.h/2)
	count := 0
	for k := range n[2] {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for j := range n[1] {
			row := l.f.phi[n[0]*(j+n[1]*k):][:n[0]]
			first, last := -1, -1
			for i, v := range row {
				if v < wide {
					count++
					if v < level || v < 0 {
						if first < 0 {
							first = i
						}
						last = i
					}
				}
			}
			if first >= 0 {
				l.voxLo = [3]int{min(l.voxLo[0], first), min(l.voxLo[1], j), min(l.voxLo[2], k)}
				l.voxHi = [3]int{max(l.voxHi[0], last), max(l.voxHi[1], j), max(l.voxHi[2], k)}
			}
		}
	}
	return float64(count), nil
}

// place is the undisturbed position of a point, local mm.
func (l *lattice) place(p int32) r3.Vec {
	n, o, nx, ny := int(p), 0.0, l.n[0]+1, l.n[1]+1
	if n >= l.corners {
		n, o, nx, ny = n-l.corners, 0.5, l.n[0], l.n[1]
	}
	i := n % nx
	n /= nx
	j, k := n%ny, n/ny
	return r3.Vec{
		X: l.lo.X + l.h*(float64(i)+o),
		Y: l.lo.Y + l.h*(float64(j)+o),
		Z: l.lo.Z + l.h*(float64(k)+o),
	}
}

// cutAt is the position of a cut edge's crossing, local mm.
func (l *lattice) cutAt(e int32) r3.Vec {
	return r3.Add(l.place(l.owner[e]), r3.Scale(l.t[e]*l.h/2, edgeDirs[l.dir[e]]))
}

// other is the far end of an edge; ok is false at the rim of the lattice.
func (l *lattice) other(p int32, dir int) (q int32, ok bool) {
	n, nx, ny, nz := int(p), l.n[0]+1, l.n[1]+1, l.n[2]+1
	if n >= l.corners {
		n, nx, ny, nz = n-l.corners, nx-1, ny-1, nz-1
	}
	i, j, k := n%nx, n/nx%ny, n/nx/ny
	switch {
	case dir == 0:
		return p + 1, i+1 < nx
	case dir == 1:
		return p + int32(nx), j+1 < ny
	case dir == 2:
		return p + int32(nx*ny), k+1 < nz
	}
	c := dir - 3
	return l.corner(i+c&1, j+c>>1&1, k+c>>2), true
}

func (l *lattice) corner(i, j, k int) int32 { return int32(i + (l.n[0]+1)*(j+(l.n[1]+1)*k)) }
func (l *lattice) centre(i, j, k int) int32 { return int32(l.corners + i + l.n[0]*(j+l.n[1]*k)) }

// chunk is the number of lattice points or edges a worker takes at a time.
const chunk = 4096

// prepare samples the field at the level, finds the cuts and warps.
func (l *lattice) prepare(ctx context.Context, level float64) error {
	err := par.ChunksCtx(ctx, l.points, chunk, func(lo, hi int) error {
		for p := lo; p < hi; p++ {
			l.val[p] = l.f.at(l.place(int32(p)), level)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.findCuts(ctx); err != nil {
		return err
	}
	err = par.ChunksCtx(ctx, len(l.t), chunk/4, func(lo, hi int) error {
		for e := lo; e < hi; e++ {
			l.t[e] = l.root(int32(e), level)
		}
		return nil
	})
	if err == nil {
		l.warpPoints()
	}
	return err
}

// findCuts lists the edges whose ends have opposite signs and makes room for
// their crossings.
func (l *lattice) findCuts(ctx context.Context) error {
	err := par.ChunksCtx(ctx, l.points, chunk, func(lo, hi int) error {
		for p := lo; p < hi; p++ {
			dirs := 3
			if p >= l.corners {
				dirs = 11
			}
			var m uint16
			if v := l.val[p]; v != 0 {
				for d := range dirs {
					if q, ok := l.other(int32(p), d); ok && l.val[q] != 0 && (v < 0) != (l.val[q] < 0) {
						m |= 1 << d
					}
				}
			}
			l.mask[p] = m
			l.warp[p] = -1
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.owner, l.dir = l.owner[:0], l.dir[:0]
	for p, m := range l.mask {
		l.off[p] = int32(len(l.owner))
		for ; m != 0; m &= m - 1 {
			l.owner = append(l.owner, int32(p))
			l.dir = append(l.dir, uint8(bits.TrailingZeros16(m)))
		}
	}
	l.off[l.points] = int32(len(l.owner))
	if cap(l.t) < len(l.owner) {
		l.t = make([]float64, len(l.owner)+len(l.owner)/4)
	}
	l.t = l.t[:len(l.owner)]
	return nil
}

// rootTol is the accuracy of a crossing as a fraction of its edge: far below
// the gap between 0.25 and alphaLong, so that rounding cannot defeat a bound.
const rootTol = 1e-7

// root finds where the field changes sign along a cut edge: the Illinois
// variant of false position, which cannot leave the bracket.
func (l *lattice) root(e int32, level float64) float64 {
	p, d := l.owner[e], int(l.dir[e])
	q, _ := l.other(p, d)
	from, along := l.place(p), r3.Scale(l.h/2, edgeDirs[d])
	a, b, fa, fb := 0.0, 1.0, l.val[p], l.val[q]
	side := 0
	for i := 0; i < 60 && b-a > rootTol; i++ {
		t := a + (b-a)*fa/(fa-fb)
		if i%4 == 3 || t <= a || t >= b { // kinks of trilinear cells can stall it
			t = (a + b) / 2
		}
		f := l.f.at(r3.Add(from, r3.Scale(t, along)), level)
		switch {
		case f == 0:
			return t
		case (f < 0) == (fa < 0):
			a, fa = t, f
			if side == 1 {
				fb /= 2
			}
			side = 1
		default:
			b, fb = t, f
			if side == 2 {
				fa /= 2
			}
			side = 2
		}
	}
	return (a + b) / 2
}

// warpPoints moves every violated point to its nearest violating cut. A single
// cut cannot violate both ends (both thresholds are below one half), so the
// moves are independent. Ties go to the first edge.
func (l *lattice) warpPoints() {
	dist := func(e, p int32) float64 { // edge length over h, times the fraction from p
		t := l.t[e]
		if l.owner[e] != p {
			t = 1 - t
		}
		if l.dir[e] >= 3 {
			return t * (math.Sqrt(3) / 2)
		}
		return t
	}
	for e := range l.owner {
		a := alphaLong
		if l.dir[e] >= 3 {
			a = alphaShort
		}
		p := l.owner[e]
		if l.t[e] >= a {
			if 1-l.t[e] >= a {
				continue
			}
			p, _ = l.other(p, int(l.dir[e]))
		}
		if w := l.warp[p]; w < 0 || dist(int32(e), p) < dist(w, p) {
			l.warp[p] = int32(e)
		}
	}
	for p, w := range l.warp {
		if w >= 0 {
			l.val[p] = 0
		}
	}
}

// cut is the index of the cut edge between two points of opposite sign.
func (l *lattice) cut(p int32, dir int) int32 {
	return l.off[p] + int32(bits.OnesCount16(l.mask[p]&(1<<dir-1)))
}
