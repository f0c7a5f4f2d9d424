package tetra

import (
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// starSpan is the place of a node's list of tetrahedra in improver.pool.
type starSpan struct{ off, n, room int32 }

// Flags of a node.
const (
	nodeNear    = 1 << iota // its list of tetrahedra is kept
	nodeFrozen              // must not move or go
	nodeSurface             // on an interface between regions or on the outer boundary
)

// improver is a mesh under improvement. Tetrahedra that are gone have
// tet[t][0] < 0; their numbers are used again. Around nodes that are not near
// anything bad no lists are kept and nothing changes.
type improver struct {
	opt        ImproveOptions
	rep        *ImproveReport
	inputNodes int
	node       []r3.Vec
	tet        [][4]int32
	region     []imaging.Label
	shape      []float32 // tetShape of each tetrahedron; 0: not measured yet
	from       []int32   // see ImproveReport.TetFrom
	open       []bool    // may be changed; nil: all
	obtuse     float64   // weight of obtuse angles in the shape
	good       float64   // shape from which a tetrahedron needs no work
	fairAcute  float64   // sin²θ that an acute angle may fall to while others grow
	fairObtuse float64   // the same for an obtuse one

	flag  []uint8
	span  []starSpan
	pool  []int32
	free  []int32   // numbers of tetrahedra that are gone
	drift []float32 // how far the surface near a node may have left the input's, mm
	last  []int32   // step at which something around the node last changed
	step  int32
	delta [256]float64 // change of each region's volume × 6, mm³

	queue bucketQueue
	// work space
	ring  edgeRing
	fill  ringFill
	pair  facePair
	flip  surfaceFlip
	star  starWork
	fan   surfaceFan
	hole  hole
	mode  int     // where the node being moved may go
	mover int32   // the node being moved along the surface
	gap   float32 // how far the surface moves when that is done, mm
	gone  []int32
	made  [][4]int32
	madeR []imaging.Label
}

// evenRest[i][j] are the other two corners k, l such that (i,j,k,l) is an even
// permutation: around the edge from i to j the face k leads to the face l
// counter-clockwise.
var evenRest = func() (rest [4][4][2]int) {
	for i := range 4 {
		for j := range 4 {
			for k := range 4 {
				l := 6 - i - j - k
				if i == j || j == k || i == k || l == i || l == j || l == k {
					continue
				}
				p, odd := [4]int{i, j, k, l}, false
				for x := range 3 {
					for y := x + 1; y < 4; y++ {
						odd = odd != (p[x] > p[y])
					}
				}
				if !odd {
					rest[i][j] = [2]int{k, l}
				}
			}
		}
	}
	return rest
}()

// evenFirst[i] is an even permutation that begins with i.
var evenFirst = [4][4]int{{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}}

// starOf lists the tetrahedra around a node.
func (im *improver) starOf(v int32) []int32 {
	s := &im.span[v]
	return im.pool[s.off : s.off+s.n]
}

// quality is the shape of a tetrahedron.
func (im *improver) quality(t int32) float64 {
	if s := im.shape[t]; s != 0 {
		return float64(s)
	}
	v := &im.tet[t]
	s := float32(tetShape(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]], im.obtuse))
	im.shape[t] = s
	return float64(s)
}

// mayChange tells whether a tetrahedron may be replaced.
func (im *improver) mayChange(t int32) bool { return im.open == nil || im.open[t] }

// cornerOf is the place of node n in the tetrahedron, or −1.
func cornerOf(v *[4]int32, n int32) int {
	switch n {
	case v[0]:
		return 0
	case v[1]:
		return 1
	case v[2]:
		return 2
	case v[3]:
		return 3
	}
	return -1
}
