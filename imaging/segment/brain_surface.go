package segment

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// brainBalloon is a closed surface that grows from the middle of the head until
// it meets the edge of the brain (Smith, Fast robust automated brain extraction,
// Human Brain Mapping 17 (2002) 143; symbols as there).
type brainBalloon struct {
	at     []r3.Vec // vertices, mm
	normal []r3.Vec // outward
	ring   [][]int32
	faces  [][3]int32
	edge   float64 // mean length of the edges, mm
}

// icosphere is a ball of triangles: an icosahedron divided times over.
func icosphere(centre r3.Vec, radius float64, times int) *brainBalloon {
	f := (1 + math.Sqrt(5)) / 2
	b := &brainBalloon{
		at: []r3.Vec{{X: -1, Y: f}, {X: 1, Y: f}, {X: -1, Y: -f}, {X: 1, Y: -f}, {Y: -1, Z: f}, {Y: 1, Z: f},
			{Y: -1, Z: -f}, {Y: 1, Z: -f}, {X: f, Z: -1}, {X: f, Z: 1}, {X: -f, Z: -1}, {X: -f, Z: 1}},
		faces: [][3]int32{{0, 11, 5}, {0, 5, 1}, {0, 1, 7}, {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4}, {11, 10, 2}, {10, 7, 6}, {7, 1, 8},
			{3, 9, 4}, {3, 4, 2}, {3, 2, 6}, {3, 6, 8}, {3, 8, 9}, {4, 9, 5}, {2, 4, 11}, {6, 2, 10}, {8, 6, 7}, {9, 8, 1}},
	}
	for range times {
		middle := map[[2]int32]int32{}
		half := func(p, q int32) int32 {
			key := [2]int32{min(p, q), max(p, q)}
			if n, ok := middle[key]; ok {
				return n
			}
			b.at = append(b.at, r3.Scale(0.5, r3.Add(b.at[p], b.at[q])))
			middle[key] = int32(len(b.at) - 1)
			return middle[key]
		}
		var faces [][3]int32
		for _, t := range b.faces {
			p, q, r := half(t[0], t[1]), half(t[1], t[2]), half(t[2], t[0])
			faces = append(faces, [3]int32{t[0], p, r}, [3]int32{t[1], q, p}, [3]int32{t[2], r, q}, [3]int32{p, q, r})
		}
		b.faces = faces
	}
	b.ring = make([][]int32, len(b.at))
	for _, t := range b.faces {
		for c := range 3 {
			p, q := t[c], t[(c+1)%3]
			b.ring[p] = append(b.ring[p], q) // every edge is met once in each direction
		}
	}
	for n, p := range b.at {
		b.at[n] = r3.Add(centre, r3.Scale(radius, r3.Unit(p)))
	}
	b.normal = make([]r3.Vec, len(b.at))
	b.measure()
	return b
}

// measure brings the normals and the mean edge up to date.
func (b *brainBalloon) measure() {
	clear(b.normal)
	for _, t := range b.faces {
		n := r3.Cross(r3.Sub(b.at[t[1]], b.at[t[0]]), r3.Sub(b.at[t[2]], b.at[t[0]]))
		for _, v := range t {
			b.normal[v] = r3.Add(b.normal[v], n)
		}
	}
	sum, count := 0.0, 0
	for v, n := range b.normal {
		if l := r3.Norm(n); l > 0 {
			b.normal[v] = r3.Scale(1/l, n)
		}
		for _, o := range b.ring[v] {
			sum += r3.Norm(r3.Sub(b.at[v], b.at[o]))
			count++
		}
	}
	b.edge = sum / float64(count)
}

// headValues are what the growth needs to know of the image.
type headValues struct {
	t2, t98, t, tm float64 // robust minimum and maximum, 10 % between them, median of the middle
	centre         r3.Vec
	radius         float64 // of a ball with the head's volume, mm
}

// measureHead takes the values of Smith 2002, section 2.1.
func measureHead(g imaging.Grid, f []float32) (h headValues) {
	sorted := make([]float32, 0, len(f)/7+1)
	for n := 0; n < len(f); n += 7 {
		sorted = append(sorted, f[n])
	}
	slices.Sort(sorted)
	h.t2, h.t98 = float64(sorted[len(sorted)/50]), float64(sorted[len(sorted)-1-len(sorted)/50])
	h.t = h.t2 + 0.1*(h.t98-h.t2)
	var sum r3.Vec
	weight, count := 0.0, 0
	for n, v := range f {
		if x := float64(v); x > h.t {
			i, j, k := g.IJK(n)
			wt := min(x, h.t98) - h.t2
			sum = r3.Add(sum, r3.Scale(wt, g.Point(float64(i), float64(j), float64(k))))
			weight += wt
			count++
		}
	}
	if count == 0 {
		return h
	}
	h.centre = r3.Scale(1/weight, sum)
	h.radius = math.Cbrt(3 * float64(count) * g.VoxelMM3() / (4 * math.Pi))
	var inside []float64
	for n, v := range f {
		i, j, k := g.IJK(n)
		if x := float64(v); x > h.t2 && x < h.t98 && r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), h.centre)) < h.radius {
			inside = append(inside, x)
		}
	}
	if len(inside) > 0 {
		h.tm = median(inside)
	}
	return h
}

// How deep the growth looks for dark and bright values below the surface, and
// the radii between which the surface is made smooth, mm (Smith 2002).
const (
	lookDarkMM, lookBrightMM = 20.0, 10.0
	sharpMM, flatMM          = 3.33, 10.0
)

// grow moves the surface steps times. dark is the part of the way from the
// robust minimum to the local maximum at which the brain ends; stiff ≥ 1
// multiplies the force that flattens.
func (b *brainBalloon) grow(ctx context.Context, g imaging.Grid, f []float32, h headValues, steps int, dark, stiff float64) error {
	mid, width := (1/sharpMM+1/flatMM)/2, 6/(1/sharpMM-1/flatMM)
	move := make([]r3.Vec, len(b.at))
	for n := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		for v, p := range b.at {
			var mean r3.Vec
			for _, o := range b.ring[v] {
				mean = r3.Add(mean, b.at[o])
			}
			s := r3.Sub(r3.Scale(1/float64(len(b.ring[v])), mean), p)
			sn := r3.Dot(s, b.normal[v])
			along := r3.Sub(s, r3.Scale(sn, b.normal[v]))
			bend := 2 * math.Abs(sn) / (b.edge * b.edge) // one over the local radius
			f2 := (1 + math.Tanh(width*(bend-mid))) / 2
			if sn > 0 && stiff > 1 {
				f2 = min(1, stiff*f2)
			}
			f3 := b.pull(g, f, h, v, dark)
			move[v] = r3.Add(r3.Scale(0.5, along), r3.Scale(f2*sn+0.05*f3*b.edge, b.normal[v]))
		}
		for v := range b.at {
			b.at[v] = r3.Add(b.at[v], move[v])
		}
		if n%5 == 0 || n == steps-1 {
			b.measure()
		}
	}
	return nil
}

// pull is the force of the image at a vertex, −2 to 2: outward while the
// darkest value below it is brighter than the local threshold.
func (b *brainBalloon) pull(g imaging.Grid, f []float32, h headValues, v int, dark float64) float64 {
	least, most := h.tm, h.t
	p, n := b.at[v], b.normal[v]
	x, y, z := g.Voxel(p)
	dx, dy, dz := g.Voxel(r3.Sub(p, n))
	dx, dy, dz = dx-x, dy-y, dz-z
	for d := 0.0; d <= lookDarkMM; d++ {
		i, j, k := int(math.Round(x+d*dx)), int(math.Round(y+d*dy)), int(math.Round(z+d*dz))
		if !g.Contains(i, j, k) {
			return -2 // outside the image there is no brain
		}
		at := float64(f[g.Index(i, j, k)])
		least = min(least, at)
		if d <= lookBrightMM {
			most = max(most, at)
		}
	}
	least, most = max(h.t2, least), min(h.tm, most)
	if most <= h.t2 {
		return -2
	}
	return min(max(2*(least-((most-h.t2)*dark+h.t2))/(most-h.t2), -2), 2)
}

// mask is the voxels whose centre lies inside the surface: along each row an
// odd number of crossings.
func (b *brainBalloon) mask(g imaging.Grid) filter.Mask {
	vox := make([]r3.Vec, len(b.at))
	for n, p := range b.at {
		vox[n].X, vox[n].Y, vox[n].Z = g.Voxel(p)
		// no vertex lies exactly on a row
		vox[n].Y += 1.3e-7
		vox[n].Z += 2.9e-7
	}
	flips := make([]bool, g.Len())
	for _, t := range b.faces {
		p, q, r := vox[t[0]], vox[t[1]], vox[t[2]]
		area := (q.Y-p.Y)*(r.Z-p.Z) - (q.Z-p.Z)*(r.Y-p.Y)
		if area == 0 {
			continue
		}
		for k := max(0, int(math.Ceil(min(p.Z, q.Z, r.Z)))); k <= min(g.Size[2]-1, int(max(p.Z, q.Z, r.Z))); k++ {
			for j := max(0, int(math.Ceil(min(p.Y, q.Y, r.Y)))); j <= min(g.Size[1]-1, int(max(p.Y, q.Y, r.Y))); j++ {
				y, z := float64(j), float64(k)
				u := ((q.Y-y)*(r.Z-z) - (q.Z-z)*(r.Y-y)) / area
				v := ((r.Y-y)*(p.Z-z) - (r.Z-z)*(p.Y-y)) / area
				if w := 1 - u - v; u < 0 || v < 0 || w < 0 {
					continue
				}
				x := u*p.X + v*q.X + (1-u-v)*r.X
				if i := max(0, int(math.Ceil(x))); i < g.Size[0] {
					n := g.Index(i, j, k)
					flips[n] = !flips[n]
				}
			}
		}
	}
	m := make(filter.Mask, g.Len())
	for row := 0; row < g.Len(); row += g.Size[0] {
		in := false
		for i := range g.Size[0] {
			in = in != flips[row+i]
			m[row+i] = in
		}
	}
	return m
}
