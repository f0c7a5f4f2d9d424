package register

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/internal/par"
)

// samples are points of the fixed image with the histogram row of their value.
type samples struct {
	centre r3.Vec   // LPS mm
	at     []r3.Vec // relative to centre
	row    []uint8  // nearest bin of the fixed value
	radius r3.Vec   // root mean square of at along x, y, z
	total  int      // voxels that could have been drawn
}

// insideMask is the share of a level's voxel that must lie in the mask for a
// fixed sample to be drawn there.
const insideMask = 0.5

// draw takes at most n points of l, one in each of n runs of voxels of equal
// length, displaced from the voxel centre at random by up to half a step. The
// displacement breaks the interpolation artefact of mutual information on
// grids that match (Pluim, Maintz, Viergever, CVIU 77 (2000) 211).
func draw(l *level, n int, rng *rand.Rand) *samples {
	var inside []int32
	total := l.grid.Len()
	if l.weight != nil {
		for i, w := range l.weight {
			if w >= insideMask {
				inside = append(inside, int32(i))
			}
		}
		total = len(inside)
	}
	n = min(n, total)
	s := &samples{at: make([]r3.Vec, n), row: make([]uint8, n), total: total}
	size := l.grid.Size
	for c := range n {
		i := c
		if n < total {
			i = min(int((float64(c)+rng.Float64())*float64(total)/float64(n)), total-1)
		}
		if inside != nil {
			i = int(inside[i])
		}
		x, y, z := l.grid.IJK(i)
		p := [3]float64{float64(x), float64(y), float64(z)}
		for a := range 3 {
			p[a] = math.Min(math.Max(p[a]+rng.Float64()-0.5, 0), float64(size[a]-1))
		}
		s.at[c] = l.grid.Point(p[0], p[1], p[2])
		v, _ := interpolate(l.value, size, p[0], p[1], p[2])
		s.row[c] = uint8(v + 0.5)
		s.centre = r3.Add(s.centre, s.at[c])
	}
	if n == 0 {
		return s
	}
	s.centre = r3.Scale(1/float64(n), s.centre)
	for c := range s.at {
		d := r3.Sub(s.at[c], s.centre)
		s.at[c] = d
		s.radius = r3.Add(s.radius, r3.Vec{X: d.X * d.X, Y: d.Y * d.Y, Z: d.Z * d.Z})
	}
	s.radius = r3.Scale(1/float64(n), s.radius)
	s.radius = r3.Vec{X: math.Sqrt(s.radius.X), Y: math.Sqrt(s.radius.Y), Z: math.Sqrt(s.radius.Z)}
	return s
}

// interpolate is the trilinear value at a voxel index inside the grid (0 to
// size−1 along each axis) and its derivative by the index.
func interpolate(v []float32, size [3]int, x, y, z float64) (float64, r3.Vec) {
	i, j, k := min(int(x), max(size[0]-2, 0)), min(int(y), max(size[1]-2, 0)), min(int(z), max(size[2]-2, 0))
	u, s, t := x-float64(i), y-float64(j), z-float64(k)
	dx, dy, dz := 1, size[0], size[0]*size[1]
	n := i + dy*j + dz*k
	if size[0] == 1 {
		dx = 0
	}
	if size[1] == 1 {
		dy = 0
	}
	if size[2] == 1 {
		dz = 0
	}
	a, b := float64(v[n]), float64(v[n+dx])
	c, d := float64(v[n+dy]), float64(v[n+dy+dx])
	e, f := float64(v[n+dz]), float64(v[n+dz+dx])
	g, h := float64(v[n+dz+dy]), float64(v[n+dz+dy+dx])
	ab, cd, ef, gh := a+u*(b-a), c+u*(d-c), e+u*(f-e), g+u*(h-g)
	abcd, efgh := ab+s*(cd-ab), ef+s*(gh-ef)
	near, far := (b-a)+s*((d-c)-(b-a)), (f-e)+s*((h-g)-(f-e))
	return abcd + t*(efgh-abcd), r3.Vec{
		X: near + t*(far-near),
		Y: (cd - ab) + t*((gh-ef)-(cd-ab)),
		Z: efgh - abcd,
	}
}

// metric is the similarity of fixed samples and a moving level as a function
// of the map q ↦ A·q + b from samples (relative to their centre) to moving
// space. Not for concurrent use.
type metric struct {
	kind   Metric
	bins   int
	fixed  *samples
	moving *level
	index  [9]float64 // LPS step → voxel index of moving

	value []sampled
	parts []float64 // histograms of the chunks
	joint []float64 // bins×bins, fixed value by row, not normalised
	slope []float64 // ∂S/∂joint
	sums  []float64 // gradient sums of the chunks
	calls int
}

// sampled is what the first pass leaves for the second: value m on the bin
// axis, weight, and their derivatives by the voxel index.
type sampled struct {
	m, w   float64
	dm, dw r3.Vec
}

// chunkSamples is how many samples share a partial histogram.
const chunkSamples = 4096

func newMetric(kind Metric, bins int, fixed *samples, moving *level) *metric {
	chunks := (len(fixed.at) + chunkSamples - 1) / chunkSamples
	m := &metric{kind: kind, bins: bins, fixed: fixed, moving: moving,
		value: make([]sampled, len(fixed.at)),
		parts: make([]float64, chunks*bins*bins), joint: make([]float64, bins*bins),
		slope: make([]float64, bins*bins), sums: make([]float64, chunks*12)}
	for a, v := range moving.grid.Axes {
		s := 1 / r3.Norm2(v)
		m.index[3*a], m.index[3*a+1], m.index[3*a+2] = s*v.X, s*v.Y, s*v.Z
	}
	return m
}

// score is a value of the metric and what it rests on.
type score struct {
	s       float64 // nats (MI) or a ratio (NMI)
	mi      float64 // nats
	weight  float64 // samples that fell into the moving image
	overlap float64 // weight / samples
}

// ramp is 0 half a voxel outside the outermost centres, 1 half a voxel inside,
// linear between: the weight of a sample at index x of n voxels.
func ramp(x float64, n int) (w, dw float64) {
	if d := x + 0.5; d < 1 {
		return d, 1
	}
	if d := float64(n) - 0.5 - x; d < 1 {
		return d, -1
	}
	return 1, 0
}

// spline is the cubic B-spline at the four bins around m, first at floor(m)−1,
// and its derivative by m.
func spline(u float64) (w, d [4]float64) {
	v := 1 - u
	u2, v2 := u*u, v*v
	w = [4]float64{v * v2 / 6, 2.0/3 - u2 + u*u2/2, 2.0/3 - v2 + v*v2/2, u * u2 / 6}
	d = [4]float64{-v2 / 2, -2*u + 1.5*u2, 2*v - 1.5*v2, u2 / 2}
	return w, d
}

// sample fills value[n] with the moving image at voxel index p.
func (m *metric) sample(n int, p r3.Vec) bool {
	size := m.moving.grid.Size
	out := &m.value[n]
	if !(p.X > -0.5 && p.Y > -0.5 && p.Z > -0.5 &&
		p.X < float64(size[0])-0.5 && p.Y < float64(size[1])-0.5 && p.Z < float64(size[2])-0.5) {
		out.w = 0
		return false
	}
	c := p
	c.X = math.Min(math.Max(c.X, 0), float64(size[0]-1))
	c.Y = math.Min(math.Max(c.Y, 0), float64(size[1]-1))
	c.Z = math.Min(math.Max(c.Z, 0), float64(size[2]-1))
	out.m, out.dm = interpolate(m.moving.value, size, c.X, c.Y, c.Z)
	wx, dx := ramp(p.X, size[0])
	wy, dy := ramp(p.Y, size[1])
	wz, dz := ramp(p.Z, size[2])
	out.w, out.dw = wx*wy*wz, r3.Vec{X: dx * wy * wz, Y: wx * dy * wz, Z: wx * wy * dz}
	clip := func(d *r3.Vec) {
		if c.X != p.X {
			d.X = 0
		}
		if c.Y != p.Y {
			d.Y = 0
		}
		if c.Z != p.Z {
			d.Z = 0
		}
	}
	clip(&out.dm)
	if m.moving.weight != nil {
		in, din := interpolate(m.moving.weight, size, c.X, c.Y, c.Z)
		clip(&din)
		out.dw = r3.Add(r3.Scale(in, out.dw), r3.Scale(out.w, din))
		out.w *= in
	}
	return out.w > 0
}

// at is the metric for the map q ↦ a·q + b.
func (m *metric) at(ctx context.Context, a *[9]float64, b r3.Vec) (score, error) {
	m.calls++
	ia := mul(&m.index, a)
	ib := mulVec(&m.index, r3.Sub(b, m.moving.grid.Origin))
	bins, bb := m.bins, m.bins*m.bins
	err := par.ChunksCtx(ctx, len(m.fixed.at), chunkSamples, func(lo, hi int) error {
		h := m.parts[lo/chunkSamples*bb:][:bb]
		clear(h)
		for n := lo; n < hi; n++ {
			if !m.sample(n, r3.Add(mulVec(&ia, m.fixed.at[n]), ib)) {
				continue
			}
			v := &m.value[n]
			j := int(v.m)
			w, _ := spline(v.m - float64(j))
			row := h[int(m.fixed.row[n])*bins+j-1:][:4]
			row[0] += v.w * w[0]
			row[1] += v.w * w[1]
			row[2] += v.w * w[2]
			row[3] += v.w * w[3]
		}
		return nil
	})
	if err != nil {
		return score{}, err
	}
	clear(m.joint)
	for p := 0; p < len(m.parts); p += bb {
		for n, v := range m.parts[p : p+bb] {
			m.joint[n] += v
		}
	}
	return m.entropies(), nil
}

// entropies takes the metric and its derivative by each entry of the joint
// histogram h. With p = h/W and H = −Σ p ln p, ∂H/∂h = −(ln p + H)/W for the
// joint and, by the entry's row and column, for the marginal histograms.
func (m *metric) entropies() score {
	bins := m.bins
	rows, cols := make([]float64, bins), make([]float64, bins)
	var total float64
	for i := range bins {
		for j, v := range m.joint[i*bins : (i+1)*bins] {
			rows[i] += v
			cols[j] += v
			total += v
		}
	}
	if !(total > 0) {
		clear(m.slope)
		return score{}
	}
	entropy := func(h []float64) (s float64) {
		for n, v := range h {
			h[n] = 0
			if p := v / total; p > 0 {
				h[n] = math.Log(p)
				s -= p * h[n]
			}
		}
		return s
	}
	copy(m.slope, m.joint)
	hj, hf, hm := entropy(m.slope), entropy(rows), entropy(cols)
	mi := hf + hm - hj
	out := score{s: mi, mi: mi, weight: total, overlap: total / float64(len(m.fixed.at))}
	gain, cost := 1.0, 1.0 // of the marginal entropies, of the joint one
	if m.kind == NMI {
		if !(hj > 0) {
			clear(m.slope)
			return score{weight: total, overlap: out.overlap}
		}
		out.s = (hf + hm) / hj
		gain, cost = 1/hj, out.s/hj
	}
	for i := range bins {
		row := m.slope[i*bins : (i+1)*bins]
		for j := range row {
			if m.joint[i*bins+j] > 0 {
				row[j] = (cost*(row[j]+hj) - gain*(rows[i]+hf+cols[j]+hm)) / total
			}
		}
	}
	return out
}

// gradient is the derivative of the last value of at: by a (row by row) and by
// b, per mm.
func (m *metric) gradient(ctx context.Context) (da [9]float64, db r3.Vec, err error) {
	bins := m.bins
	err = par.ChunksCtx(ctx, len(m.fixed.at), chunkSamples, func(lo, hi int) error {
		var s [12]float64
		for n := lo; n < hi; n++ {
			v := &m.value[n]
			if v.w == 0 {
				continue
			}
			j := int(v.m)
			w, d := spline(v.m - float64(j))
			row := m.slope[int(m.fixed.row[n])*bins+j-1:][:4]
			byM := v.w * (row[0]*d[0] + row[1]*d[1] + row[2]*d[2] + row[3]*d[3])
			byW := row[0]*w[0] + row[1]*w[1] + row[2]*w[2] + row[3]*w[3]
			gx, gy, gz := byM*v.dm.X+byW*v.dw.X, byM*v.dm.Y+byW*v.dw.Y, byM*v.dm.Z+byW*v.dw.Z
			q := m.fixed.at[n]
			s[0] += gx * q.X
			s[1] += gx * q.Y
			s[2] += gx * q.Z
			s[3] += gy * q.X
			s[4] += gy * q.Y
			s[5] += gy * q.Z
			s[6] += gz * q.X
			s[7] += gz * q.Y
			s[8] += gz * q.Z
			s[9] += gx
			s[10] += gy
			s[11] += gz
		}
		copy(m.sums[lo/chunkSamples*12:], s[:])
		return nil
	})
	if err != nil {
		return da, db, err
	}
	var s [12]float64
	for c := 0; c < len(m.sums); c += 12 {
		for n := range s {
			s[n] += m.sums[c+n]
		}
	}
	// From voxel indices back to millimetres: multiply by the transposed index
	// matrix from the left.
	t := transposed(&m.index)
	da = mul(&t, (*[9]float64)(s[:9]))
	db = mulVec(&t, r3.Vec{X: s[9], Y: s[10], Z: s[11]})
	return da, db, nil
}

// extentMM3 is the volume of the voxels of l that count.
func (l *level) extentMM3() float64 {
	n := float64(l.grid.Len())
	if l.weight != nil {
		n = 0
		for _, w := range l.weight {
			n += float64(w)
		}
	}
	return n * l.grid.VoxelMM3()
}

// massCentre is the centre of the values above the lowest bin, in LPS mm.
func (l *level) massCentre() r3.Vec {
	var sum r3.Vec
	var mass float64
	for n, v := range l.value {
		w := float64(v) - firstBin
		if l.weight != nil {
			w *= float64(l.weight[n])
		}
		i, j, k := l.grid.IJK(n)
		sum = r3.Add(sum, r3.Vec{X: w * float64(i), Y: w * float64(j), Z: w * float64(k)})
		mass += w
	}
	if !(mass > 0) {
		return l.boxCentre()
	}
	return l.grid.Point(sum.X/mass, sum.Y/mass, sum.Z/mass)
}

func (l *level) boxCentre() r3.Vec { return boxCentre(l.grid) }

func boxCentre(g imaging.Grid) r3.Vec {
	return g.Point(float64(g.Size[0]-1)/2, float64(g.Size[1]-1)/2, float64(g.Size[2]-1)/2)
}
