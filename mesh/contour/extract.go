package contour

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Options controls Extract; the zero value extracts every label unsmoothed.
type Options struct {
	SmoothPasses int // at most MaxSmoothPasses
	// Keep chooses the labels to extract; the others count as background.
	// nil keeps all.
	Keep        func(imaging.Label) bool
	MemoryLimit int64 // bytes for the surface and its work space; 0: DefaultMemoryLimit
}

// Limits of Options.
const (
	MaxSmoothPasses    = 1000
	DefaultMemoryLimit = 4 << 30
)

// ErrEmpty says that no kept label is in the map.
var ErrEmpty = errors.New("contour: no voxel carries a label to extract; check the segmentation or the choice of labels")

// LimitError says that the surface would not fit in memory, as happens with
// label maps of noise.
type LimitError struct {
	Limit int64 // bytes
	Slice int   // k at which the limit was met
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("contour: the surface needs more than %d MB (reached at slice %d); clean the labels or raise the limit", e.Limit>>20, e.Slice)
}

// bytes of work space and result per vertex and per quadrilateral.
const (
	bytesPerVertex = 200
	bytesPerQuad   = 60
)

// Extract returns the surface of all kept labels.
//
// Errors: ErrEmpty, *LimitError, ctx.Err(), or a plain error naming what is
// wrong with l or opt.
func Extract(ctx context.Context, l *imaging.Labels, opt Options) (*mesh.Surface, error) {
	if err := l.Grid.Validate(); err != nil {
		return nil, fmt.Errorf("contour: %w", err)
	}
	if len(l.ID) != l.Grid.Len() {
		return nil, fmt.Errorf("contour: %d labels for %d voxels", len(l.ID), l.Grid.Len())
	}
	if opt.SmoothPasses < 0 || opt.SmoothPasses > MaxSmoothPasses {
		return nil, fmt.Errorf("contour: %d smoothing passes; want 0 to %d", opt.SmoothPasses, MaxSmoothPasses)
	}
	if opt.MemoryLimit < 0 {
		return nil, fmt.Errorf("contour: memory limit %d", opt.MemoryLimit)
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = DefaultMemoryLimit
	}
	n := &net{grid: l.Grid, left: !l.Grid.RightHanded()}
	for id := range n.keep {
		if opt.Keep == nil || opt.Keep(imaging.Label(id)) {
			n.keep[id] = uint8(id)
		}
	}
	if err := n.extract(ctx, l.ID, opt.MemoryLimit); err != nil {
		return nil, err
	}
	if len(n.quads) == 0 {
		return nil, ErrEmpty
	}
	if err := n.smooth(ctx, opt.SmoothPasses); err != nil {
		return nil, err
	}
	s := n.triangulate()
	if err := n.restore(ctx, s); err != nil {
		return nil, err
	}
	sp := n.grid.SpacingMM()
	for v, p := range n.at {
		s.Verts[v] = n.grid.Point(p.X/sp[0], p.Y/sp[1], p.Z/sp[2])
	}
	return s, nil
}

// net is a surface net under construction, in local mm: along the grid axes,
// origin at voxel (0,0,0), taken as right-handed until triangulate.
type net struct {
	grid  imaging.Grid
	left  bool
	keep  [256]uint8 // label → label, or 0
	at    []r3.Vec   // vertices
	cell  [][3]int32 // padded index of the cell of each vertex
	near  [][6]int32 // neighbours across the −i −j −k +i +j +k walls, or −1
	kinds []uint8    // labels that meet at the vertex
	quads [][4]int32 // counter-clockwise seen from the larger index
	sides [][2]uint8 // labels at the smaller and the larger index
	count [256]int   // voxels per kept label
}

// padded fills plane with slice k, one background voxel around it.
func (n *net) padded(plane []byte, id []imaging.Label, k int) {
	clear(plane)
	nx, ny := n.grid.Size[0], n.grid.Size[1]
	if k < 0 || k >= n.grid.Size[2] {
		return
	}
	for j := range ny {
		row := plane[(j+1)*(nx+2)+1:][:nx]
		for i, l := range id[nx*(j+ny*k):][:nx] {
			row[i] = n.keep[l]
		}
		for i := 0; i < nx; { // count by runs
			l, start := row[i], i
			for i++; i < nx && row[i] == l; i++ {
			}
			n.count[l] += i - start
		}
	}
}

// extract finds the vertices and quadrilaterals. Cell (i,j,k) lies between
// padded voxels i..i+1, j..j+1, k..k+1; voxel i is padded voxel i+1.
func (n *net) extract(ctx context.Context, id []imaging.Label, limit int64) error {
	px, py := n.grid.Size[0]+2, n.grid.Size[1]+2
	low, high := make([]byte, px*py+8), make([]byte, px*py+8)
	below, here := make([]int32, px*py), make([]int32, px*py)
	n.padded(low, id, -1)
	for k := range n.grid.Size[2] + 1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if int64(len(n.at))*bytesPerVertex+int64(len(n.quads))*bytesPerQuad > limit {
			return &LimitError{Limit: limit, Slice: k}
		}
		n.padded(high, id, k)
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

// visit adds the vertex of a cell with corner labels v (i fastest), links it
// to the cells before it, and adds the quadrilaterals around the three edges
// at the cell's first corner. Around such an edge all four cells are mixed, so
// their vertices exist.
func (n *net) visit(v *[8]byte, i, j, k, px int, below, here []int32) {
	id, o := int32(len(n.at)), j*px+i
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
	sp := n.grid.SpacingMM()
	f := 0.5 / float64(m)
	n.at = append(n.at, r3.Vec{
		X: (float64(i-1) + float64(sum[0])*f) * sp[0],
		Y: (float64(j-1) + float64(sum[1])*f) * sp[1],
		Z: (float64(k-1) + float64(sum[2])*f) * sp[2],
	})
	n.cell = append(n.cell, [3]int32{int32(i), int32(j), int32(k)})
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
	n.kinds = append(n.kinds, kinds)
	near := [6]int32{-1, -1, -1, -1, -1, -1}
	link := func(a int, other int32) { near[a], n.near[other][a+3] = other, id }
	if v[0] != v[2] || v[0] != v[4] || v[0] != v[6] {
		link(0, here[o-1])
	}
	if v[0] != v[1] || v[0] != v[4] || v[0] != v[5] {
		link(1, here[o-px])
	}
	if v[0] != v[1] || v[0] != v[2] || v[0] != v[3] {
		link(2, below[o])
	}
	n.near = append(n.near, near)
	if v[0] != v[1] {
		n.quads = append(n.quads, [4]int32{below[o-px], below[o], id, here[o-px]})
		n.sides = append(n.sides, [2]uint8{v[0], v[1]})
	}
	if v[0] != v[2] {
		n.quads = append(n.quads, [4]int32{below[o-1], here[o-1], id, below[o]})
		n.sides = append(n.sides, [2]uint8{v[0], v[2]})
	}
	if v[0] != v[4] {
		n.quads = append(n.quads, [4]int32{here[o-px-1], here[o-px], id, here[o-1]})
		n.sides = append(n.sides, [2]uint8{v[0], v[4]})
	}
}

// triangulate splits the quadrilaterals along their shorter diagonals and
// turns them: Inside is the larger label. Vertices are left empty.
func (n *net) triangulate() *mesh.Surface {
	s := &mesh.Surface{
		Verts:  make([]r3.Vec, len(n.at)),
		Tris:   make([][3]int32, 0, 2*len(n.quads)),
		Region: make([]mesh.Sides, 0, 2*len(n.quads)),
	}
	for m, q := range n.quads {
		in, out := n.sides[m][0], n.sides[m][1]
		// the face looks from the smaller index to the larger one
		flip := n.left
		if in < out {
			in, out, flip = out, in, !flip
		}
		if flip {
			q[1], q[3] = q[3], q[1]
		}
		side := mesh.Sides{Inside: imaging.Label(in), Outside: imaging.Label(out)}
		s.Region = append(s.Region, side, side)
		if r3.Norm2(r3.Sub(n.at[q[0]], n.at[q[2]])) <= r3.Norm2(r3.Sub(n.at[q[1]], n.at[q[3]])) {
			s.Tris = append(s.Tris, [3]int32{q[0], q[1], q[2]}, [3]int32{q[0], q[2], q[3]})
		} else {
			s.Tris = append(s.Tris, [3]int32{q[0], q[1], q[3]}, [3]int32{q[1], q[2], q[3]})
		}
	}
	return s
}
