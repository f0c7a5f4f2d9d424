package tetra

import (
	"context"
	"encoding/binary"
	"math"
	"unsafe"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// parts are the connected parts of every label but background: voxels of one
// label that share faces, as runs along i.
type parts struct {
	n     [3]int
	row   []int32 // first run of the row (j,k), and the end
	start []int32 // i of a run's first voxel
	end   []int32 // one past its last
	label []uint8
	of    []int32 // part of the run
	size  []int32 // voxels per part
	name  []uint8 // label per part
	count [256]int
}

func findParts(ctx context.Context, l *imaging.Labels) (*parts, error) {
	n := l.Grid.Size
	p := &parts{n: n, row: make([]int32, n[1]*n[2]+1)}
	id := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(l.ID))), len(l.ID))
	up := make([]int32, 0, 1024) // union-find over runs
	root := func(r int32) int32 {
		for up[r] != r {
			up[r] = up[up[r]]
			r = up[r]
		}
		return r
	}
	join := func(lo, hi, here int32) { // runs lo..hi of an earlier row with those from here on
		r := lo
		for s := here; s < int32(len(p.start)); s++ {
			for r < hi && p.end[r] <= p.start[s] {
				r++
			}
			for q := r; q < hi && p.start[q] < p.end[s]; q++ {
				if p.label[q] == p.label[s] {
					a, b := root(q), root(s)
					up[max(a, b)] = min(a, b)
				}
			}
		}
	}
	for y := range n[1] * n[2] {
		if y&0x3ff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		here := int32(len(p.start))
		p.row[y] = here
		row := id[y*n[0]:][:n[0]]
		for i := 0; i < len(row); {
			a := row[i]
			first := i
			pattern := uint64(a) * 0x0101010101010101
			for i+8 <= len(row) && binary.LittleEndian.Uint64(row[i:]) == pattern {
				i += 8
			}
			for i < len(row) && row[i] == a {
				i++
			}
			if a == 0 {
				continue
			}
			up = append(up, int32(len(up)))
			p.start, p.end, p.label = append(p.start, int32(first)), append(p.end, int32(i)), append(p.label, a)
			p.count[a] += i - first
		}
		if y%n[1] > 0 {
			join(p.row[y-1], p.row[y], here)
		}
		if y >= n[1] {
			join(p.row[y-n[1]], p.row[y-n[1]+1], here)
		}
	}
	p.row[n[1]*n[2]] = int32(len(p.start))
	p.of = make([]int32, len(up))
	for r := range up {
		if a := root(int32(r)); a != int32(r) {
			p.of[r] = p.of[a] // roots come first
		} else {
			p.of[r] = int32(len(p.size))
			p.size = append(p.size, 0)
			p.name = append(p.name, p.label[r])
		}
		p.size[p.of[r]] += p.end[r] - p.start[r]
	}
	return p, nil
}

// at is the part that holds a voxel, or −1 in the background and outside.
func (p *parts) at(i, j, k int) int32 {
	if i < 0 || j < 0 || k < 0 || i >= p.n[0] || j >= p.n[1] || k >= p.n[2] {
		return -1
	}
	y := j + p.n[1]*k
	lo, hi := p.row[y], p.row[y+1]
	for lo < hi { // first run that ends beyond i
		if m := (lo + hi) / 2; p.end[m] > int32(i) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	if lo < p.row[y+1] && p.start[lo] <= int32(i) {
		return p.of[lo]
	}
	return -1
}

// heart gives for some of the parts a voxel well inside: the middle of the
// longest run, of the middle one where several are as long.
func (p *parts) heart(wanted []bool) [][3]int32 {
	out := make([][3]int32, len(p.size))
	long, ties := make([]int32, len(p.size)), make([]int32, len(p.size))
	visit := func(f func(c, run, j, k int32)) {
		for y := range p.n[1] * p.n[2] {
			for r := p.row[y]; r < p.row[y+1]; r++ {
				if c := p.of[r]; wanted[c] {
					f(c, r, int32(y%p.n[1]), int32(y/p.n[1]))
				}
			}
		}
	}
	visit(func(c, r, _, _ int32) {
		switch n := p.end[r] - p.start[r]; {
		case n > long[c]:
			long[c], ties[c] = n, 1
		case n == long[c]:
			ties[c]++
		}
	})
	for c := range ties {
		ties[c] = (ties[c] + 1) / 2
	}
	visit(func(c, r, j, k int32) {
		if p.end[r]-p.start[r] == long[c] {
			if ties[c]--; ties[c] == 0 {
				out[c] = [3]int32{(p.start[r] + p.end[r] - 1) / 2, j, k}
			}
		}
	})
	return out
}

// drop gives the voxels of parts smaller than least to the label that most of
// their neighbours outside the part carry (the lowest of equals), and lists
// these parts. The labels are returned as they are when nothing is dropped.
func (p *parts) drop(l *imaging.Labels, least float64) (*imaging.Labels, []Component) {
	small := make([]bool, len(p.size))
	any := false
	for c, n := range p.size {
		if float64(n)*l.Grid.VoxelMM3() < least {
			small[c], any = true, true
		}
	}
	if !any {
		return l, nil
	}
	votes := map[int32]*[256]int32{}
	visit := func(f func(c int32, i, j, k int)) {
		for y := range p.n[1] * p.n[2] {
			for r := p.row[y]; r < p.row[y+1]; r++ {
				if c := p.of[r]; small[c] {
					for i := p.start[r]; i < p.end[r]; i++ {
						f(c, int(i), y%p.n[1], y/p.n[1])
					}
				}
			}
		}
	}
	visit(func(c int32, i, j, k int) {
		v := votes[c]
		if v == nil {
			v = new([256]int32)
			votes[c] = v
		}
		for _, d := range [6][3]int{{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}} {
			x, y, z := i+d[0], j+d[1], k+d[2]
			if !l.Grid.Contains(x, y, z) {
				v[0]++
			} else if q := p.at(x, y, z); q != c && (q < 0 || !small[q]) {
				v[l.ID[l.Grid.Index(x, y, z)]]++
			}
		}
	})
	out := &imaging.Labels{Grid: l.Grid, ID: append([]imaging.Label(nil), l.ID...)}
	to := make([]imaging.Label, len(p.size))
	for c, v := range votes {
		best := int32(0)
		for x, n := range v {
			if n > best {
				to[c], best = imaging.Label(x), n
			}
		}
	}
	visit(func(c int32, i, j, k int) { out.ID[l.Grid.Index(i, j, k)] = to[c] })
	var gone []int32
	for c, x := range small {
		if x {
			gone = append(gone, int32(c))
		}
	}
	return out, p.list(gone, l.Grid)
}

// list describes parts.
func (p *parts) list(which []int32, g imaging.Grid) (out []Component) {
	wanted := make([]bool, len(p.size))
	for _, c := range which {
		wanted[c] = true
	}
	hearts := p.heart(wanted)
	for _, c := range which {
		h := hearts[c]
		out = append(out, Component{
			Label: imaging.Label(p.name[c]), Voxels: int(p.size[c]), VolumeMM3: float64(p.size[c]) * g.VoxelMM3(),
			AtMM: g.Point(float64(h[0]), float64(h[1]), float64(h[2])),
		})
	}
	return out
}

// missing lists the parts that no tetrahedron stands for: one of the part's
// label with its centroid at most a voxel from the centre of one of the part's
// voxels. Nodes are in local mm.
func (p *parts) missing(m *mesh.TetMesh, f *labelField) (out []int32) {
	held := make([]bool, len(p.size))
	var open [256]int
	for _, l := range p.name {
		open[l]++
	}
	left := len(p.size)
	for t, v := range m.Tets {
		l := uint8(m.Region[t])
		if open[l] == 0 {
			continue
		}
		c := r3.Scale(0.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]])))
		x, y, z := c.X*f.inv.X, c.Y*f.inv.Y, c.Z*f.inv.Z
		i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
		if q := p.at(i, j, k); q >= 0 && p.name[q] == l && held[q] {
			continue // the rule
		}
		for d := range 27 {
			a, b, c := i+d%3-1, j+d/3%3-1, k+d/9-1
			u, v, w := float64(a)-x, float64(b)-y, float64(c)-z
			if u*u+v*v+w*w > 1 {
				continue
			}
			if q := p.at(a, b, c); q >= 0 && p.name[q] == l && !held[q] {
				held[q] = true
				open[l]--
				left--
			}
		}
		if left == 0 {
			return nil
		}
	}
	for c, h := range held {
		if !h {
			out = append(out, int32(c))
		}
	}
	return out
}
