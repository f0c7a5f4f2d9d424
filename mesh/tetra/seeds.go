package tetra

import (
	"context"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// seeds are points on the interfaces, at least one per voxel that an interface
// passes: they say where the lattice must be fine.
type seeds struct {
	at      []float32 // x, y, z: local mm
	normal  []float32 // x, y, z: from the lower label to the higher, any length
	pair    []uint16  // lower label << 8 | higher label, or junction
	areaMM2 float64   // of all interfaces, roughly
}

// junction marks seeds where more than two labels meet.
const junction = 0xffff

func (s *seeds) len() int { return len(s.pair) }

// curved is the cosine of the angle between two normals beyond which a cell is
// too coarse for an interface.
const curved = 0.5

// sizing turns edge lengths into levels of the tree.
type sizing struct {
	root  float64 // mm
	level [256]uint8
	extra int
}

// newSizing takes the options; edges are positive.
func newSizing(opt *Options) sizing {
	up := max(0, int(math.Round(math.Log2(opt.MaxEdgeMM/opt.EdgeMM))))
	z := sizing{root: opt.EdgeMM * float64(int64(1)<<up), extra: max(0, opt.JunctionLevels)}
	for l := range z.level {
		e := opt.EdgeMM
		if x := opt.LabelEdgeMM[imaging.Label(l)]; x > 0 {
			e = x
		}
		z.level[l] = uint8(min(maxLevel-z.extra, max(0, int(math.Ceil(math.Log2(z.root/e)-1e-9)))))
	}
	z.level[0] = 0
	return z
}

// newBCC grows the tree over the seeds. fine is the level of every seed.
//
// Errors: *LimitError when the tree would have too many roots, ctx.Err().
func newBCC(ctx context.Context, sd *seeds, fine []uint8, z *sizing) (*bcc, error) {
	b := &bcc{unit: z.root / rootSize}
	lo, hi := [3]float32{math.MaxFloat32, math.MaxFloat32, math.MaxFloat32}, [3]float32{-math.MaxFloat32, -math.MaxFloat32, -math.MaxFloat32}
	for s := range sd.len() {
		for a, x := range sd.at[3*s : 3*s+3] {
			lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
		}
	}
	var n [3]int32
	var off [3]float64
	for a := range 3 { // one spare root on each side
		cells := math.Ceil(float64(hi[a]-lo[a])/z.root) + 2
		if cells > maxRoots {
			return nil, &LimitError{EdgeMM: z.root, Estimate: math.MaxInt64, SuggestEdgeMM: z.root * cells / maxRoots}
		}
		n[a] = int32(cells)
		off[a] = float64(lo[a]+hi[a])/2 - cells/2*z.root
	}
	b.lo = r3.Vec{X: off[0], Y: off[1], Z: off[2]}
	b.tree = newOctree(n)
	unitOf := func(s int) [3]int32 {
		p := sd.at[3*s : 3*s+3]
		return [3]int32{int32((float64(p[0]) - off[0]) / b.unit), int32((float64(p[1]) - off[1]) / b.unit), int32((float64(p[2]) - off[2]) / b.unit)}
	}
	inside := func(c *octant, u [3]int32) bool {
		s := uint32(c.size())
		return uint32(u[0]-c.at[0]) < s && uint32(u[1]-c.at[1]) < s && uint32(u[2]-c.at[2]) < s
	}
	leaf := make([]octant, sd.len())
	last := octant{level: -1}
	for s := range fine {
		if s&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		u := unitOf(s)
		if last.level < 0 || last.level < int32(fine[s]) || !inside(&last, u) {
			last = b.tree.refine(u, int32(fine[s]))
		}
		leaf[s] = last
	}
	// halve cells that more than one interface passes, or a strongly bent one
	for range z.extra {
		first := make([]int32, len(b.tree.child)) // seed + 1
		many := make([]bool, len(b.tree.child))
		for s, c := range leaf {
			if b.tree.child[c.node] != 0 { // refined after this seed
				c, _ = b.tree.find(unitOf(s), maxLevel)
				leaf[s] = c
			}
			f := first[c.node] - 1
			switch {
			case many[c.node]:
			case sd.pair[s] == junction:
				many[c.node] = true
			case f < 0:
				first[c.node] = int32(s) + 1
			case sd.pair[f] != sd.pair[s]:
				many[c.node] = true
			default:
				n, m := sd.normal[3*s:3*s+3], sd.normal[3*f:3*f+3]
				d := n[0]*m[0] + n[1]*m[1] + n[2]*m[2]
				many[c.node] = d < 0 || d*d < curved*curved*(n[0]*n[0]+n[1]*n[1]+n[2]*n[2])*(m[0]*m[0]+m[1]*m[1]+m[2]*m[2])
			}
		}
		last.level = -1
		for s, c := range leaf {
			if many[c.node] && c.level < maxLevel {
				u := unitOf(s)
				if last.level != c.level+1 || !inside(&last, u) {
					last = b.tree.refine(u, c.level+1)
				}
				leaf[s] = last
			}
		}
	}
	return b, b.tree.balance(ctx)
}
