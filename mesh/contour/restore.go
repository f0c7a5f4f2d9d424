package contour

import (
	"context"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/mat"
)

const (
	// volumeTol ends the volume correction when every label is this close.
	volumeTol = 1e-4
	// maxCorrections bounds the volume corrections, patience those in a row
	// that bring nothing because cell walls hold the vertices back.
	maxCorrections = 60
	patience       = 4
	// stepLimit bounds the offset of one correction, in smallest spacings: a
	// label shrunk to a speck has hardly any area to move by.
	stepLimit = 0.2
	// maxParts bounds the partial sums of volumes and areas.
	maxParts = 64
)

// VoxelCounts is the number of voxels of each label, background left at 0:
// Σ over the faces across i of the place of the face, by the divergence
// theorem on the lattice.
func (n *Net) VoxelCounts() (count [256]int) {
	for m, a := range n.Axis {
		if a == 0 {
			i := int(n.Pos[3*n.Quads[m][2]]+1) - 1
			count[n.Sides[m][0]] += i + 1
			count[n.Sides[m][1]] -= i + 1
		}
	}
	count[0] = 0
	return count
}

// restoration is the work space of Restore.
type restoration struct {
	n      *Net
	sp     [3]float64
	at     []float32 // four floats per vertex, in index coordinates
	normal []float32
	way    []float32  // per vertex: times normal, the next step
	labels []int      // row → label
	row    [256]int32 // label → row, background last
	total  []float64  // volume of each row in voxels, then area between each two in mm²
	lines  []int32    // faces at junctions
	push   []float32  // per vertex of those faces, in order of first mention
	slot   []int32    // vertex → push, or −1
}

// Restore moves the faces along their normals until every label has its
// voxel-count volume; see the package comment.
//
// Errors: ctx.Err(); Pos is then as before.
func (n *Net) Restore(ctx context.Context) error {
	r := &restoration{n: n, sp: n.Grid.SpacingMM()}
	count := n.VoxelCounts()
	for l, c := range count {
		if l > 0 && c > 0 {
			r.row[l] = int32(len(r.labels))
			r.labels = append(r.labels, l)
		}
	}
	m := len(r.labels)
	for l, c := range count {
		if c == 0 {
			r.row[l] = int32(m)
		}
	}
	r.at, r.normal, r.way = make([]float32, 4*n.Len()), make([]float32, 4*n.Len()), make([]float32, n.Len())
	if err := n.load(ctx, r.at); err != nil {
		return err
	}
	missing := mat.NewVecDense(m, nil)
	best, idle := math.Inf(1), 0
	for range maxCorrections {
		if err := r.measure(ctx); err != nil {
			return err
		}
		worst := 0.0
		for i, l := range r.labels {
			want := float64(count[l])
			missing.SetVec(i, (want-r.total[i])*n.Grid.VoxelMM3())
			worst = max(worst, math.Abs(want-r.total[i])/want)
		}
		if worst < 0.98*best {
			best, idle = worst, 0
		} else if idle++; idle >= patience {
			break
		}
		offset, ok := r.pressures(missing)
		if worst <= volumeTol || !ok {
			break
		}
		if err := r.move(ctx, offset); err != nil {
			return err
		}
	}
	n.store(r.at)
	return nil
}

// measure sums the volume of each label and the area between each two. A
// quadrilateral with the corners p has twice the area vector
// N = (p2 − p0) × (p3 − p1), however it is split, and with the origin six times
// the volume p·N, p an end of the diagonal that splits it.
func (r *restoration) measure(ctx context.Context) error {
	n := r.n
	m := len(r.labels)
	stride := m + 1 + (m+1)*(m+1)
	size := max(chunk, (len(n.Quads)+maxParts-1)/maxParts)
	part := make([][]float64, (len(n.Quads)+size-1)/size)
	// mm from index coordinates: of diagonals, of area vectors
	sx, sy, sz := float32(r.sp[0]), float32(r.sp[1]), float32(r.sp[2])
	fx, fy, fz := sy*sz, sz*sx, sx*sy
	err := par.ChunksCtx(ctx, len(n.Quads), size, func(lo, hi int) error {
		sum := make([]float64, stride)
		for t := lo; t < hi; t++ {
			if t%chunk == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			q, s := &n.Quads[t], &n.Sides[t]
			p0, p1, p2, p3 := (*[4]float32)(r.at[4*q[0]:]), (*[4]float32)(r.at[4*q[1]:]), (*[4]float32)(r.at[4*q[2]:]), (*[4]float32)(r.at[4*q[3]:])
			ax, ay, az := p2[0]-p0[0], p2[1]-p0[1], p2[2]-p0[2]
			bx, by, bz := p3[0]-p1[0], p3[1]-p1[1], p3[2]-p1[2]
			nx, ny, nz := ay*bz-az*by, az*bx-ax*bz, ax*by-ay*bx
			if shorter(ax*sx, ay*sy, az*sz, bx*sx, by*sy, bz*sz) {
				p1 = p0
			}
			v := float64(p1[0]*nx + p1[1]*ny + p1[2]*nz)
			nx, ny, nz = nx*fx, ny*fy, nz*fz
			i, o := r.row[s[0]], r.row[s[1]]
			sum[i] += v
			sum[o] -= v
			sum[m+1+int(i)*(m+1)+int(o)] += float64(float32(math.Sqrt(float64(nx*nx + ny*ny + nz*nz))))
		}
		part[lo/size] = sum
		return nil
	})
	if err != nil {
		return err
	}
	r.total = make([]float64, stride)
	for _, p := range part {
		for i, x := range p {
			r.total[i] += x
		}
	}
	for i := range r.total {
		if i <= m {
			r.total[i] /= 6
		} else {
			r.total[i] /= 2
		}
	}
	return nil
}

// shorter reports whether a is at most as long as b.
func shorter(ax, ay, az, bx, by, bz float32) bool {
	return float32(ax*ax)+float32(ay*ay)+float32(az*az) <= float32(bx*bx)+float32(by*by)+float32(bz*bz)
}

// pressures solves for the pressure of each row, background 0, that makes good
// what is missing (mm³), in mm; bounded by stepLimit.
func (r *restoration) pressures(missing *mat.VecDense) ([]float32, bool) {
	m := len(r.labels)
	a := mat.NewSymDense(m, nil)
	for i := range m + 1 {
		for o := range m + 1 {
			x := r.total[m+1+i*(m+1)+o]
			if x == 0 || o == i {
				continue
			}
			if i < m {
				a.SetSym(i, i, a.At(i, i)+x)
			}
			if o < m {
				a.SetSym(o, o, a.At(o, o)+x)
			}
			if i < m && o < m {
				a.SetSym(i, o, a.At(i, o)-x)
			}
		}
	}
	var chol mat.Cholesky
	var p mat.VecDense
	if !chol.Factorize(a) || chol.SolveVecTo(&p, missing) != nil {
		return nil, false // no face left to move
	}
	biggest := 0.0
	for i := range m {
		biggest = max(biggest, math.Abs(p.AtVec(i)))
	}
	damp := min(1, stepLimit*min(r.sp[0], r.sp[1], r.sp[2])/biggest)
	out := make([]float32, m+1)
	for i := range m {
		out[i] = float32(damp * p.AtVec(i))
	}
	return out, true
}

// move shifts each vertex of one sheet by the difference of its two pressures
// along its normal, those of junctions by the mean over their faces.
func (r *restoration) move(ctx context.Context, pressure []float32) error {
	n := r.n
	clear(r.normal)
	err := n.scatter(ctx, func(lo, hi int32) { normalsWide(n.Quads[lo:hi], n.Sides[lo:hi], r.at, r.normal) })
	if err != nil {
		return err
	}
	if err := r.junctions(ctx, pressure); err != nil {
		return err
	}
	// mm from index coordinates for area vectors, index coordinates from mm
	fx, fy, fz := float32(r.sp[1]*r.sp[2]), float32(r.sp[2]*r.sp[0]), float32(r.sp[0]*r.sp[1])
	sx, sy, sz := float32(1/r.sp[0]), float32(1/r.sp[1]), float32(1/r.sp[2])
	return par.ChunksCtx(ctx, n.Len(), chunk, func(lo, hi int) error {
		for v := lo; v < hi; v++ {
			g := (*[4]float32)(r.normal[4*v:])
			x, y, z, f := g[0]*fx, g[1]*fy, g[2]*fz, float32(0)
			if n.Meet[v] == 2 {
				if l := float32(math.Sqrt(float64(x*x + y*y + z*z))); l > 0 {
					pair := n.pair[v]
					f = (pressure[r.row[pair[1]]] - pressure[r.row[pair[0]]]) / l
				}
			} else if w := (*[4]float32)(r.push[4*r.slot[v]:]); w[3] > 0 {
				x, y, z, f = w[0]*fx, w[1]*fy, w[2]*fz, 1/w[3]
			}
			*g = [4]float32{x * sx, y * sy, z * sz, 1}
			r.way[v] = f
		}
		growWide(r.at, r.normal, r.way, lo, hi)
		for v := lo; v < hi; v++ {
			if h := n.held[v] &^ crease; h != 0 {
				hold(h, (*[4]float32)(r.at[4*v:]))
			}
		}
		return nil
	})
}

// junctions sums, for each vertex where more than two labels meet, offset ·
// area vector (index coordinates) and area (mm²) over its faces.
func (r *restoration) junctions(ctx context.Context, pressure []float32) error {
	n := r.n
	if r.slot == nil {
		r.slot = make([]int32, n.Len())
		count := int32(0)
		for t := range n.Quads {
			if t%chunk == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			listed := false
			for _, v := range n.Quads[t] {
				if n.Meet[v] == 2 {
					continue
				}
				if !listed {
					r.lines = append(r.lines, int32(t))
					listed = true
				}
				if r.slot[v] == 0 {
					count++
					r.slot[v] = count
				}
			}
		}
		r.push = make([]float32, 4*(count+1)) // slot 0 is nobody's
	}
	clear(r.push)
	fx, fy, fz := float32(r.sp[1]*r.sp[2]), float32(r.sp[2]*r.sp[0]), float32(r.sp[0]*r.sp[1])
	for i, t := range r.lines {
		if i%chunk == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		q, s := &n.Quads[t], &n.Sides[t]
		p0, p1, p2, p3 := (*[4]float32)(r.at[4*q[0]:]), (*[4]float32)(r.at[4*q[1]:]), (*[4]float32)(r.at[4*q[2]:]), (*[4]float32)(r.at[4*q[3]:])
		ax, ay, az := p2[0]-p0[0], p2[1]-p0[1], p2[2]-p0[2]
		bx, by, bz := p3[0]-p1[0], p3[1]-p1[1], p3[2]-p1[2]
		nx, ny, nz := ay*bz-az*by, az*bx-ax*bz, ax*by-ay*bx
		f := pressure[r.row[s[0]]] - pressure[r.row[s[1]]]
		x, y, z := nx*fx, ny*fy, nz*fz
		area := float32(math.Sqrt(float64(x*x + y*y + z*z)))
		for _, v := range q {
			if n.Meet[v] > 2 {
				w := (*[4]float32)(r.push[4*r.slot[v]:])
				w[0] += f * nx
				w[1] += f * ny
				w[2] += f * nz
				w[3] += area
			}
		}
	}
	return nil
}
