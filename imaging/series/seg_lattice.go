package series

// latticeMap is the index in one array of voxel v of another lattice: base +
// Σ step·v for lo ≤ v < hi; voxels beyond have none.
type latticeMap struct {
	base   int
	step   [3]int
	lo, hi [3]int
}

// latticeRow is a latticeMap along i for given j and k; empty when these have
// no voxel there.
type latticeRow struct{ base, step, lo, hi int }

func (m *latticeMap) row(j, k int) latticeRow {
	if j < m.lo[1] || j >= m.hi[1] || k < m.lo[2] || k >= m.hi[2] {
		return latticeRow{}
	}
	return latticeRow{m.base + j*m.step[1] + k*m.step[2], m.step[0], m.lo[0], m.hi[0]}
}

// at is the index for i, −1 beyond the lattice.
func (r *latticeRow) at(i int) int {
	if i < r.lo || i >= r.hi {
		return -1
	}
	return r.base + i*r.step
}

// toTarget maps voxels of p.from to indices of p.to; p must be exact.
func (p *placement) toTarget() latticeMap {
	var m latticeMap
	stride := [3]int{1, p.to.Size[0], p.to.Size[0] * p.to.Size[1]}
	for a, c := range p.reorder.Axis {
		n := p.from.Size[c]
		// Along axis a of the target: v + shift, or n − 1 − v + shift.
		m.step[c] = stride[a]
		m.base += stride[a] * p.shift[a]
		m.lo[c], m.hi[c] = -p.shift[a], p.to.Size[a]-p.shift[a]
		if p.reorder.Flip[a] {
			m.step[c] = -stride[a]
			m.base += stride[a] * (n - 1)
			m.lo[c], m.hi[c] = n-m.hi[c], n-m.lo[c]
		}
		m.lo[c], m.hi[c] = max(m.lo[c], 0), min(m.hi[c], n)
	}
	return m
}

// toSource maps voxels of p.to to indices of p.from; p must be exact.
func (p *placement) toSource() latticeMap {
	var m latticeMap
	stride := [3]int{1, p.from.Size[0], p.from.Size[0] * p.from.Size[1]}
	for a, c := range p.reorder.Axis {
		n := p.from.Size[c]
		m.step[a] = stride[c]
		m.base -= stride[c] * p.shift[a]
		if p.reorder.Flip[a] {
			m.step[a] = -stride[c]
			m.base += stride[c] * (n - 1 + 2*p.shift[a])
		}
		m.lo[a], m.hi[a] = max(p.shift[a], 0), min(p.shift[a]+n, p.to.Size[a])
	}
	return m
}
