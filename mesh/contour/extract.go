package contour

import (
	"context"
	"encoding/binary"

	"halsted/imaging"
)

// bytes of work space and result per vertex and per quadrilateral.
const (
	bytesPerVertex = 200
	bytesPerQuad   = 60
)

// extraction is a net under construction.
type extraction struct {
	net  *Net
	keep [256]uint8 // label → label, or 0
}

// padded fills plane with slice k, one background voxel around it.
func (x *extraction) padded(plane []byte, id []imaging.Label, k int) {
	clear(plane)
	nx, ny := x.net.Grid.Size[0], x.net.Grid.Size[1]
	if k < 0 || k >= x.net.Grid.Size[2] {
		return
	}
	for j := range ny {
		row := plane[(j+1)*(nx+2)+1:][:nx]
		for i, l := range id[nx*(j+ny*k):][:nx] {
			row[i] = x.keep[l]
		}
	}
}

// run finds the vertices and quadrilaterals. Cell (i,j,k) lies between
// padded voxels i..i+1, j..j+1, k..k+1; voxel i is padded voxel i+1.
func (x *extraction) run(ctx context.Context, id []imaging.Label, limit int64) error {
	n := x.net
	px, py := n.Grid.Size[0]+2, n.Grid.Size[1]+2
	low, high := make([]byte, px*py+8), make([]byte, px*py+8)
	below, here := make([]int32, px*py), make([]int32, px*py)
	x.padded(low, id, -1)
	for k := range n.Grid.Size[2] + 1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if int64(n.Len())*bytesPerVertex+int64(len(n.Quads))*bytesPerQuad > limit {
			return &LimitError{Limit: limit, Slice: k}
		}
		x.padded(high, id, k)
		for j := range py - 1 {
			o := j * px
			a, b, c, d := low[o:o+px+8], low[o+px:], high[o:o+px+8], high[o+px:]
			for i := 0; i < px-1; i += 8 {
				// a block of eight cells is uniform when the nine columns of its four rows are
				w := binary.LittleEndian.Uint64(a[i:])
				if i+9 <= px && (w^binary.LittleEndian.Uint64(b[i:]))|(w^binary.LittleEndian.Uint64(c[i:]))|
					(w^binary.LittleEndian.Uint64(d[i:]))|(w^uint64(a[i])*0x0101010101010101) == 0 &&
					a[i+8] == a[i] && b[i+8] == a[i] && c[i+8] == a[i] && d[i+8] == a[i] {
					continue
				}
				for x := i; x < min(i+8, px-1); x++ {
					v := [8]byte{a[x], a[x+1], b[x], b[x+1], c[x], c[x+1], d[x], d[x+1]}
					if w := binary.LittleEndian.Uint64(v[:]); w != uint64(v[0])*0x0101010101010101 {
						n.visit(&v, x, j, k, px, below, here)
					}
				}
			}
		}
		low, high = high, low
		below, here = here, below
	}
	return nil
}

// visit adds the vertex of a cell with corner labels v (i fastest), and adds
// the quadrilaterals around the three edges at the cell's first corner. Around
// such an edge all four cells are mixed, so their vertices exist.
func (n *Net) visit(v *[8]byte, i, j, k, px int, below, here []int32) {
	id, o := int32(n.Len()), j*px+i
	here[o] = id
	var sum [3]int // of the crossings, in half steps from the first corner
	m := 0
	for a := range 3 {
		b, c := (a+1)%3, (a+2)%3
		for s := range 4 {
			from := s&1<<b | s>>1<<c
			if v[from] != v[from|1<<a] {
				sum[a]++
				sum[b] += s & 1 * 2
				sum[c] += s >> 1 * 2
				m++
			}
		}
	}
	f := 0.5 / float32(m)
	pin := uint8(0)
	for a, x := range [3]int{i, j, k} {
		p := float32(x-1) + float32(sum[a])*f
		if x == 0 || x == n.Grid.Size[a] {
			pin |= 1 << a
			p = float32(x) - 0.5
		}
		mid := float32(x) - 0.5
		n.Pos = append(n.Pos, min(max(p, mid-CellLimit), mid+CellLimit))
	}
	n.pin = append(n.pin, pin)
	kinds := uint8(0)
	for x, l := range v {
		fresh := uint8(1)
		for _, p := range v[:x] {
			if p == l {
				fresh = 0
			}
		}
		kinds += fresh
	}
	n.Meet = append(n.Meet, kinds)
	if v[0] != v[1] {
		n.quad([4]int32{below[o-px], below[o], id, here[o-px]}, 0, v[0], v[1])
	}
	if v[0] != v[2] {
		n.quad([4]int32{below[o-1], here[o-1], id, below[o]}, 1, v[0], v[2])
	}
	if v[0] != v[4] {
		n.quad([4]int32{here[o-px-1], here[o-px], id, here[o-1]}, 2, v[0], v[4])
	}
}

func (n *Net) quad(q [4]int32, axis, lo, hi uint8) {
	n.Quads = append(n.Quads, q)
	n.Axis = append(n.Axis, axis)
	n.Sides = append(n.Sides, [2]imaging.Label{imaging.Label(lo), imaging.Label(hi)})
}
