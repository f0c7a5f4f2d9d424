package tetra

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/contour"

	"gonum.org/v1/gonum/spatial/r3"
)

// MeshOptions controls Mesh.
type MeshOptions struct {
	EdgeMM      float64                   // side of the lattice cells at interfaces, mm; must be positive
	LabelEdgeMM map[imaging.Label]float64 // finer (or coarser) sides for interfaces of these labels
	MaxEdgeMM   float64                   // largest cell, away from interfaces; 0: four times EdgeMM
	// JunctionLevels is how often cells that more than one interface passes
	// are halved; negative: never. 0: once.
	JunctionLevels int
}

var Trace func(string)

var debugHook func(*stuffing)

func trace(s string) {
	if Trace != nil {
		Trace(s)
	}
}

// Mesh is being built.
func Mesh(ctx context.Context, l *imaging.Labels, opt MeshOptions) (*mesh.TetMesh, error) {
	net, err := contour.NewNet(ctx, l, contour.Options{})
	if err != nil {
		return nil, err
	}
	trace("net")
	if err := net.Smooth(ctx, 20); err != nil {
		return nil, err
	}
	trace("smooth")
	if err := net.Restore(ctx); err != nil {
		return nil, err
	}
	trace("restore")
	f, normal, err := fieldOfNet(ctx, l, net)
	if err != nil {
		return nil, err
	}
	trace("field")
	b := newBCC(net, normal, f, opt)
	trace("octree")
	s := &stuffing{bcc: b, f: f}
	prt, err := findParts(ctx, l)
	if err != nil {
		return nil, err
	}
	trace("parts")
	keep, err := s.label(ctx, prt)
	if err != nil {
		return nil, err
	}
	n := len(s.at)
	trace(fmt.Sprint("labels ", len(prt.size)))
	if err := b.fill(ctx, keep); err != nil {
		return nil, err
	}
	trace("fill")
	if err := s.findEdges(ctx); err != nil {
		return nil, err
	}
	trace("edges")
	if err := s.crossings(ctx); err != nil {
		return nil, err
	}
	nd := 0
	for _, e := range s.edges {
		if e.la != s.lab[e.b] {
			nd++
		}
	}
	trace(fmt.Sprint("crossings, double ", nd))
	if err := s.snap(ctx); err != nil {
		return nil, err
	}
	trace("snap")
	s.pin(len(prt.size))
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	trace(fmt.Sprint("check, unsnapped ", s.unsnaps, " tightened ", s.tightened))
	if debugHook != nil {
		debugHook(s)
	}
	m, sides, err := s.emit(ctx)
	if err != nil {
		return nil, err
	}
	trace(fmt.Sprint("emit; forced ", s.forced, " verts ", n, " base tets ", len(b.tets), " mixed ", len(s.mixed), " edges ", len(s.edges), " leaves ", len(b.leaves)))
	var want [256]float64
	for i := range want {
		want[i] = float64(prt.count[i]) * l.Grid.VoxelMM3()
	}
	trace("count")
	if err := s.fit(ctx, m, sides, &want); err != nil {
		return nil, err
	}
	trace("fit")
	for n, p := range m.Nodes {
		m.Nodes[n] = f.lps(p)
	}
	if !l.Grid.RightHanded() {
		for t := range m.Tets {
			m.Tets[t][2], m.Tets[t][3] = m.Tets[t][3], m.Tets[t][2]
		}
	}
	return m, nil
}

// newBCC sizes the octree to the net.
var curveLimit = 0.5

func dotOf(a, b []float32) float64 { return float64(a[0]*b[0] + a[1]*b[1] + a[2]*b[2]) }

func newBCC(net *contour.Net, normal []float32, f *labelField, opt MeshOptions) *bcc {
	top := opt.MaxEdgeMM
	if top == 0 {
		top = 4 * opt.EdgeMM
	}
	up := max(0, int(math.Round(math.Log2(top/opt.EdgeMM))))
	root := opt.EdgeMM * float64(int(1)<<up)
	b := &bcc{unit: root / rootSize}
	// the box of the net, two root cells wider
	lo, hi := [3]float64{1e9, 1e9, 1e9}, [3]float64{-1e9, -1e9, -1e9}
	sp := [3]float64{f.sp.X, f.sp.Y, f.sp.Z}
	for v := range net.Len() {
		for a := range 3 {
			x := float64(net.Pos[3*v+a]) * sp[a]
			lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
		}
	}
	var n [3]int32
	var off [3]float64
	for a := range 3 {
		cells := math.Ceil((hi[a]-lo[a])/root) + 2
		n[a] = int32(cells)
		off[a] = (lo[a]+hi[a])/2 - cells/2*root
	}
	b.sp, b.off = sp, off
	b.lo = r3.Vec{X: off[0], Y: off[1], Z: off[2]}
	b.tree = newOctree(n)
	var level [256]int32
	for l := range level {
		e := opt.EdgeMM
		if x := opt.LabelEdgeMM[imaging.Label(l)]; x > 0 {
			e = x
		}
		level[l] = int32(max(0, math.Ceil(math.Log2(root/e)-1e-9)))
	}
	level[0] = 0
	unitOf := func(v int32) [3]int32 { return b.unitOf(net, v) }
	want := make([]uint8, net.Len())
	for q, v := range net.Quads {
		l := uint8(max(level[net.Sides[q][0]], level[net.Sides[q][1]]))
		for _, x := range v {
			want[x] = max(want[x], l)
		}
	}
	for v := range want {
		b.tree.refine(unitOf(int32(v)), int32(want[v]))
	}
	// cells with more than one interface
	extra := opt.JunctionLevels
	if extra == 0 {
		extra = 1
	}
	for range max(0, extra) {
		first := make([]uint16, len(b.tree.child))
		lead := make([]int32, len(b.tree.child))
		many := make([]bool, len(b.tree.child))
		for q, v := range net.Quads {
			a, c := net.Sides[q][0], net.Sides[q][1]
			key := uint16(min(a, c))<<8 | uint16(max(a, c))
			x, _ := b.tree.find(unitOf(v[2]), maxLevel)
			if first[x.node] == 0 {
				first[x.node] = key
				lead[x.node] = v[2]
			} else if first[x.node] != key {
				many[x.node] = true
			} else if n, m := normal[3*v[2]:], normal[3*lead[x.node]:]; dotOf(n, m) < curveLimit*math.Sqrt(dotOf(n, n)*dotOf(m, m)) {
				many[x.node] = true
			}
		}
		for v := range want {
			p := unitOf(int32(v))
			x, _ := b.tree.find(p, maxLevel)
			if int(x.node) < len(many) && many[x.node] {
				b.tree.refine(p, x.level+1)
			}
		}
	}
	b.tree.balance()
	return b
}

func (b *bcc) unitOf(net *contour.Net, v int32) [3]int32 {
	var p [3]int32
	for a := range 3 {
		p[a] = int32((float64(net.Pos[3*v+int32(a)])*b.sp[a] - b.off[a]) / b.unit)
	}
	return p
}
