package filter

import (
	"bytes"

	"halsted/imaging"
	"halsted/internal/par"
)

// run is a stretch of voxels from … to−1 (storage indices) of one row of a grid
// that all lie in a mask, or all outside it.
type run struct{ from, to int32 }

// joint says which runs of a mask hang together.
type joint struct {
	slices bool  // those of neighbouring slices too
	corner int32 // 1 joins across edges and corners, 0 across faces alone
}

var (
	byFaces   = joint{slices: true}
	byCorners = joint{slices: true, corner: 1}
	inSlices  = joint{}
)

// runPieces are the runs of a mask in storage order, joined to pieces. The number
// of a piece is that of its first run.
type runPieces struct {
	g     imaging.Grid
	run   []run
	row   []run   // the runs of row r = j + ny·k are run[row[r].from:row[r].to]
	of    []int32 // piece of each run
	count []int   // voxels of each piece, at its number
}

// pieceSlab is how many slices are joined at a time.
const pieceSlab = 8

// piecesOf finds the pieces of the voxels n with m[n] == in (Rosenfeld, Pfaltz,
// Journal of the ACM 13 (1966) 471, over runs). Which run is the first of its
// piece does not depend on the order of joining.
func piecesOf(g imaging.Grid, m Mask, in bool, how joint) *runPieces {
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	p := &runPieces{g: g, row: make([]run, ny*nz)}
	slabs := (nz + pieceSlab - 1) / pieceSlab
	part := make([][]run, slabs)
	want := byte(0)
	if in {
		want = 1
	}
	par.Chunks(nz, pieceSlab, func(lo, hi int) {
		var found []run
		for r := lo * ny; r < hi*ny; r++ {
			p.row[r].from = int32(len(found))
			base, row := r*nx, raw(m[r*nx:][:nx])
			for at := 0; ; {
				from := bytes.IndexByte(row[at:], want)
				if from < 0 {
					break
				}
				from += at
				if at = bytes.IndexByte(row[from:], 1-want); at < 0 {
					at = nx - from
				}
				at += from
				found = append(found, run{int32(base + from), int32(base + at)})
			}
			p.row[r].to = int32(len(found))
		}
		part[lo/pieceSlab] = found
	})
	first := make([]int32, slabs+1)
	for s, found := range part {
		first[s+1] = first[s] + int32(len(found))
	}
	p.run, p.of = make([]run, first[slabs]), make([]int32, first[slabs])
	par.Chunks(nz, pieceSlab, func(lo, hi int) {
		s := lo / pieceSlab
		copy(p.run[first[s]:], part[s])
		for n := first[s]; n < first[s+1]; n++ {
			p.of[n] = n
		}
		for k := lo; k < hi; k++ {
			for j := range ny {
				r := j + ny*k
				p.row[r].from += first[s]
				p.row[r].to += first[s]
				if j > 0 {
					p.joinRows(r, r-1, how.corner)
				}
			}
			if how.slices && k > lo {
				p.joinSlices(k, how.corner)
			}
		}
	})
	if how.slices {
		for k := pieceSlab; k < nz; k += pieceSlab {
			p.joinSlices(k, how.corner)
		}
	}
	p.count = make([]int, len(p.run))
	for n, r := range p.run {
		// the way to the first run leads through runs before this one
		p.of[n] = p.of[p.of[n]]
		p.count[p.of[n]] += int(r.to - r.from)
	}
	return p
}

// joinSlices joins slice k to the one before.
func (p *runPieces) joinSlices(k int, corner int32) {
	ny := int32(p.g.Size[1])
	for j := range ny {
		for o := max(0, j-corner); o <= min(ny-1, j+corner); o++ {
			p.joinRows(int(j)+int(ny)*k, int(o)+int(ny)*(k-1), corner)
		}
	}
}

// joinRows joins the runs of row a to those of row b that they touch.
func (p *runPieces) joinRows(a, b int, corner int32) {
	off := int32((a - b) * p.g.Size[0])
	x, y := p.row[a], p.row[b]
	for x.from < x.to && y.from < y.to {
		u, v := p.run[x.from], p.run[y.from]
		v.from, v.to = v.from+off, v.to+off
		if u.from < v.to+corner && v.from < u.to+corner {
			p.join(x.from, y.from)
		}
		if u.to < v.to {
			x.from++
		} else {
			y.from++
		}
	}
}

// join makes one piece of those of runs a and b.
func (p *runPieces) join(a, b int32) {
	for p.of[a] != a {
		p.of[a] = p.of[p.of[a]]
		a = p.of[a]
	}
	for p.of[b] != b {
		p.of[b] = p.of[p.of[b]]
		b = p.of[b]
	}
	if a < b {
		p.of[b] = a
	} else {
		p.of[a] = b
	}
}

// parts numbers the pieces from 1 in the order of their first voxel.
func (p *runPieces) parts() *Parts {
	out := &Parts{Of: make([]int32, p.g.Len()), Count: []int{0}}
	id := make([]int32, len(p.run))
	for n, o := range p.of {
		if int(o) == n {
			id[n] = int32(len(out.Count))
			out.Count = append(out.Count, p.count[n])
		}
	}
	p.each(func(n int) {
		c := id[p.of[n]]
		of := out.Of[p.run[n].from:p.run[n].to]
		for i := range of {
			of[i] = c
		}
	})
	return out
}

// each calls f for every run, concurrently.
func (p *runPieces) each(f func(n int)) {
	par.Chunks(len(p.run), 1<<12, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			f(n)
		}
	})
}

// add sets the voxels of the pieces for which keep is true.
func (p *runPieces) add(m Mask, keep func(piece int32) bool) {
	p.each(func(n int) {
		if keep(p.of[n]) {
			at := m[p.run[n].from:p.run[n].to]
			for i := range at {
				at[i] = true
			}
		}
	})
}

// meeting marks the pieces that hold a voxel of m.
func (p *runPieces) meeting(m Mask) []bool {
	has := make([]bool, len(p.run)) // each run
	p.each(func(n int) {
		has[n] = bytes.IndexByte(raw(m[p.run[n].from:p.run[n].to]), 1) >= 0
	})
	out := make([]bool, len(p.run))
	for n, h := range has {
		if h {
			out[p.of[n]] = true
		}
	}
	return out
}

// open marks the pieces that reach the border of the grid, of each slice alone
// or of its first and last slice too.
func (p *runPieces) open(slices bool) []bool {
	nx, ny, nz := p.g.Size[0], p.g.Size[1], p.g.Size[2]
	out := make([]bool, len(p.run))
	for r, runs := range p.row {
		j, k := r%ny, r/ny
		rim := j == 0 || j == ny-1 || slices && (k == 0 || k == nz-1)
		for n := runs.from; n < runs.to; n++ {
			if rim || int(p.run[n].from) == r*nx || int(p.run[n].to) == (r+1)*nx {
				out[p.of[n]] = true
			}
		}
	}
	return out
}

// largest is the piece of most voxels, the first of equals; −1 when there is
// none.
func (p *runPieces) largest() int32 {
	best := int32(-1)
	for n, c := range p.count {
		if c > 0 && (best < 0 || c > p.count[best]) {
			best = int32(n)
		}
	}
	return best
}
