package tetra

import (
	"context"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// components are the connected parts of the voxels below the level.
type components struct {
	f      *field
	level  float64
	lo, n  [3]int  // box of voxels that was searched
	id     []int32 // per voxel of the box: component + 1, 0 outside
	size   []int
	first  []int // a voxel of each component, storage index in the grid
	marked []bool
}

// findComponents labels the voxels below level inside the box lo..hi; corner
// neighbours count as connected.
func findComponents(ctx context.Context, f *field, level float64, lo, hi [3]int) (*components, error) {
	c := &components{f: f, level: level, lo: lo}
	for a := range 3 {
		c.n[a] = hi[a] - lo[a] + 1
	}
	c.id = make([]int32, c.n[0]*c.n[1]*c.n[2])
	below := func(i, j, k int) bool {
		return float64(f.phi[f.grid.Index(i+lo[0], j+lo[1], k+lo[2])]) < level
	}
	var stack []int32
	steps := 0
	for n := range c.id {
		i, j, k := n%c.n[0], n/c.n[0]%c.n[1], n/c.n[0]/c.n[1]
		if i == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if c.id[n] != 0 || !below(i, j, k) {
			continue
		}
		c.first = append(c.first, f.grid.Index(i+lo[0], j+lo[1], k+lo[2]))
		name, count := int32(len(c.first)), 0
		c.id[n] = name
		stack = append(stack[:0], int32(n))
		for len(stack) > 0 {
			if steps++; steps&0xffff == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m := int(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			count++
			i, j, k := m%c.n[0], m/c.n[0]%c.n[1], m/c.n[0]/c.n[1]
			for z := max(0, k-1); z <= min(c.n[2]-1, k+1); z++ {
				for y := max(0, j-1); y <= min(c.n[1]-1, j+1); y++ {
					for x := max(0, i-1); x <= min(c.n[0]-1, i+1); x++ {
						o := x + c.n[0]*(y+c.n[1]*z)
						if c.id[o] == 0 && below(x, y, z) {
							c.id[o] = name
							stack = append(stack, int32(o))
						}
					}
				}
			}
		}
		c.size = append(c.size, count)
	}
	c.marked = make([]bool, len(c.size))
	return c, nil
}

func (c *components) total() int {
	n := 0
	for _, s := range c.size {
		n += s
	}
	return n
}

// markKept notes the components that hold a lattice point inside: every
// tetrahedron has such a corner, and every such point carries tetrahedra.
func (c *components) markKept(l *lattice) {
	for p, v := range l.val {
		if v >= 0 {
			continue
		}
		q := l.place(int32(p))
		var at [3]int
		for a, u := range [3]float64{q.X * c.f.inv.X, q.Y * c.f.inv.Y, q.Z * c.f.inv.Z} {
			n, _ := cell(u, float64(c.f.n[a]-1))
			at[a] = n - c.lo[a]
		}
		for n := range 8 {
			i, j, k := at[0]+n&1, at[1]+n>>1&1, at[2]+n>>2
			if uint(i) < uint(c.n[0]) && uint(j) < uint(c.n[1]) && uint(k) < uint(c.n[2]) {
				if id := c.id[i+c.n[0]*(j+c.n[1]*k)]; id > 0 {
					c.marked[id-1] = true
				}
			}
		}
	}
}

// dropped lists the components no tetrahedron stands for, in storage order.
func (c *components) dropped() []Component {
	var out []Component
	for n, kept := range c.marked {
		if !kept {
			i, j, k := c.f.grid.IJK(c.first[n])
			out = append(out, Component{
				Voxels:    c.size[n],
				VolumeMM3: float64(c.size[n]) * c.f.grid.VoxelMM3(),
				AtMM:      c.f.grid.Point(float64(i), float64(j), float64(k)),
			})
		}
	}
	return out
}

// dropSmall removes the face-connected parts below minMM3 and lists them.
func dropSmall(m *mesh.TetMesh, part []int32, n int, minMM3 float64, rep *Report) (*mesh.TetMesh, int) {
	vol := make([]float64, n)
	at := make([]r3.Vec, n)
	for t := len(m.Tets) - 1; t >= 0; t-- {
		v := m.Tets[t]
		vol[part[t]] += mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) / 6
		at[part[t]] = m.Nodes[v[0]]
	}
	kept := 0
	for p, v := range vol {
		if v >= minMM3 {
			kept++
		} else {
			rep.Dropped = append(rep.Dropped, Component{VolumeMM3: v, AtMM: at[p]})
		}
	}
	if kept == n {
		return m, n
	}
	return m.Keep(func(t int) bool { return vol[part[t]] >= minMM3 }), kept
}
