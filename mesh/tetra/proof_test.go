package tetra

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// interval is a closed interval; every operation rounds outwards.
type interval struct{ lo, hi float64 }

func out(lo, hi float64) interval {
	return interval{math.Nextafter(lo, math.Inf(-1)), math.Nextafter(hi, math.Inf(1))}
}
func point(x float64) interval             { return interval{x, x} }
func (a interval) add(b interval) interval { return out(a.lo+b.lo, a.hi+b.hi) }
func (a interval) sub(b interval) interval { return out(a.lo-b.hi, a.hi-b.lo) }
func (a interval) mul(b interval) interval {
	p, q, r, s := a.lo*b.lo, a.lo*b.hi, a.hi*b.lo, a.hi*b.hi
	return out(min(p, q, r, s), max(p, q, r, s))
}
func (a interval) square() interval {
	lo, hi := a.lo*a.lo, a.hi*a.hi
	if a.lo <= 0 && a.hi >= 0 {
		return out(0, max(lo, hi))
	}
	return out(min(lo, hi), max(lo, hi))
}
func (a interval) sqrt() interval { return out(math.Sqrt(max(0, a.lo)), math.Sqrt(max(0, a.hi))) }

type vector [3]interval

func (a vector) sub(b vector) vector {
	return vector{a[0].sub(b[0]), a[1].sub(b[1]), a[2].sub(b[2])}
}
func (a vector) cross(b vector) vector {
	return vector{
		a[1].mul(b[2]).sub(a[2].mul(b[1])),
		a[2].mul(b[0]).sub(a[0].mul(b[2])),
		a[0].mul(b[1]).sub(a[1].mul(b[0])),
	}
}
func (a vector) dot(b vector) interval { return a[0].mul(b[0]).add(a[1].mul(b[1])).add(a[2].mul(b[2])) }
func (a vector) norm2() interval       { return a[0].square().add(a[1].square()).add(a[2].square()) }

// stencil is one way a lattice tetrahedron is split: how every vertex made on
// the way hangs on earlier ones, and the pieces.
type stencil struct {
	kind    uint8
	corner  [4][3]float64 // in halves of the smaller cell
	parents [][]int32     // of vertex 4, 5, …; two below 4: a cut with a parameter
	pieces  [][4]int32
}

// stencils lists all ways the lattice tetrahedra are split when no vertex is on
// an interface: every tetrahedron of a lattice with all kinds and orientations,
// and every way four corners can share labels. Congruent ones are listed once.
func stencils(t testing.TB) []stencil {
	tree := newOctree([3]int32{3, 3, 3})
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		tree.refine([3]int32{r.Int32N(3 * rootSize), r.Int32N(3 * rootSize), r.Int32N(3 * rootSize)}, int32(r.IntN(4)))
	}
	if err := tree.balance(context.Background()); err != nil {
		t.Fatal(err)
	}
	b := &bcc{tree: tree, unit: 1}
	if err := b.vertices(context.Background()); err != nil {
		t.Fatal(err)
	}
	keep := make([]bool, len(b.at))
	for v := range keep {
		keep[v] = true
	}
	if err := b.fill(context.Background(), keep); err != nil {
		t.Fatal(err)
	}
	// the pieces of a stencil depend on lengths and on the order of midpoints:
	// on the corners' places up to a shift and a scale
	seen, shape := map[string]bool{}, map[[4][3]float64]bool{}
	var list []stencil
	for n, v := range b.tets {
		var s stencil
		s.kind = b.kinds[n]
		size := math.Inf(1)
		for _, x := range v {
			size = min(size, float64(b.size[x])/2)
		}
		for i, x := range v {
			for a := range 3 {
				s.corner[i][a] = float64(b.at[x][a]-b.at[v[0]][a]) / size
			}
		}
		if shape[s.corner] {
			continue
		}
		shape[s.corner] = true
		var lengths string
		for i := range 4 {
			for j := range i {
				var l float64
				for a := range 3 {
					l += math.Pow(s.corner[i][a]-s.corner[j][a], 2)
				}
				lengths += fmt.Sprint(l, " ")
			}
		}
		for p := range 24 { // labels of corners 1, 2, 3; corner 0 has label 0
			l := [4]int{0, p % 2, p / 2 % 3, p / 6}
			if l[2] > l[1]+1 || l[3] > max(l[1], l[2])+1 {
				continue // another name for the same sharing
			}
			s.parents, s.pieces = nil, nil
			made := map[[4]int32]int32{}
			sp := splitter{
				cut: func(a, b *knot) r3.Vec { return r3.Vec{} },
				join: func(ids [4]int32, n int) int32 {
					k := ids
					if n == 2 && k[0] > k[1] {
						k[0], k[1] = k[1], k[0]
					}
					id, ok := made[k]
					if !ok {
						id = int32(4 + len(s.parents))
						made[k] = id
						s.parents = append(s.parents, append([]int32(nil), k[:n]...))
					}
					return id
				},
				piece: func(v *[4]knot, _ uint32) {
					s.pieces = append(s.pieces, [4]int32{v[0].id, v[1].id, v[2].id, v[3].id})
				},
			}
			var k [4]knot
			for i := range k {
				k[i] = knot{id: int32(i), set: 1 << l[i], q: s.corner[i]}
			}
			sp.split(&k)
			if key := fmt.Sprint(s.kind, lengths, s.parents, s.pieces); !seen[key] {
				seen[key] = true
				list = append(list, s)
			}
		}
	}
	return list
}

// place takes the vertices when the cuts lie in the given boxes.
func (s *stencil) place(cut []interval) []vector {
	p := make([]vector, 4+len(s.parents))
	for i, c := range s.corner {
		p[i] = vector{point(c[0]), point(c[1]), point(c[2])}
	}
	for n, q := range s.parents {
		v := &p[4+n]
		switch {
		case len(q) == 2 && q[0] < 4 && q[1] < 4:
			a, b := p[q[0]], p[q[1]]
			for i := range v {
				v[i] = a[i].add(cut[n].mul(b[i].sub(a[i])))
			}
		default: // the mean; dividing by 2 and 4 is exact
			for i := range v {
				sum := point(0)
				for _, x := range q {
					sum = sum.add(p[x][i])
				}
				v[i] = sum.mul(out(1/float64(len(q)), 1/float64(len(q))))
			}
		}
	}
	return p
}

// needs lists the cuts that a piece depends on.
func (s *stencil) needs(piece [4]int32) (cuts []int) {
	used := make([]bool, 4+len(s.parents))
	for _, v := range piece {
		used[v] = true
	}
	for n := len(s.parents) - 1; n >= 0; n-- {
		if !used[4+n] {
			continue
		}
		q := s.parents[n]
		if len(q) == 2 && q[0] < 4 && q[1] < 4 {
			cuts = append(cuts, n)
		}
		for _, x := range q {
			used[x] = true
		}
	}
	return cuts
}

// within proves that all dihedral angles of a piece lie between the angles with
// the given sines, one acute and one obtuse, for all cuts in the box, halving the box where the
// enclosure is too wide. It returns the boxes looked at, or false with a point
// where the claim is not shown.
func (s *stencil) within(piece [4]int32, cut []interval, sinMin, sinMax float64) (boxes int, ok bool) {
	needs := s.needs(piece)
	stack := [][]interval{append([]interval(nil), cut...)}
	for len(stack) > 0 {
		box := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if boxes++; boxes > 200000 {
			return boxes, false
		}
		at := s.place(box)
		v := [4]vector{at[piece[0]], at[piece[1]], at[piece[2]], at[piece[3]]}
		if enclosed(&v, sinMin, sinMax) {
			continue
		}
		wide, width := -1, 1e-9
		for _, n := range needs {
			if w := box[n].hi - box[n].lo; w > width {
				wide, width = n, w
			}
		}
		if wide < 0 {
			return boxes, false
		}
		mid := (box[wide].lo + box[wide].hi) / 2
		other := append([]interval(nil), box...)
		other[wide].lo, box[wide].hi = mid, mid
		stack = append(stack, box, other)
	}
	return boxes, true
}

// edgeBetween[i][j] are the corners of the edge where the faces opposite
// corners i and j meet.
var edgeBetween = [4][4][2]int{0: {1: {2, 3}, 2: {1, 3}, 3: {1, 2}}, 1: {2: {0, 3}, 3: {0, 2}}, 2: {3: {0, 1}}}

// enclosed tells whether the tetrahedron is surely positive and its dihedral
// angles surely between those with the given sines, the first acute, the second
// obtuse. The sine of a dihedral angle is 6V·|edge| over the product of the
// lengths of the faces' normals; near 0° and 180° it tells more than the
// cosine.
func enclosed(v *[4]vector, sinMin, sinMax float64) bool {
	ab, ac, ad := v[1].sub(v[0]), v[2].sub(v[0]), v[3].sub(v[0])
	bc, bd := v[2].sub(v[1]), v[3].sub(v[1])
	n := [4]vector{bc.cross(bd), ad.cross(ac), ab.cross(ad), ac.cross(ab)}
	volume := ab.dot(ac.cross(ad))
	if volume.lo <= 0 {
		return false
	}
	var l [4]interval
	for i := range n {
		l[i] = n[i].norm2().sqrt()
	}
	for i := range 3 {
		for j := i + 1; j < 4; j++ {
			e := edgeBetween[i][j]
			sine := volume.mul(v[e[0]].sub(v[e[1]]).norm2().sqrt()).lo // times w
			w := l[i].mul(l[j])
			if sine >= w.mul(point(max(sinMin, sinMax))).hi {
				continue
			}
			cosine := n[i].dot(n[j]) // times −w
			if cosine.lo < 0 && sine < w.mul(point(sinMin)).hi || cosine.hi > 0 && sine < w.mul(point(sinMax)).hi {
				return false
			}
		}
	}
	return true
}

// What the package comment promises of the stencils: the bound for cuts in the
// middle, on which check falls back, and the wider one for cuts near it.
func TestStencilBoundsAreProven(t *testing.T) {
	list := stencils(t)
	kinds := map[uint8]int{}
	for _, s := range list {
		kinds[s.kind]++
	}
	if len(kinds) != 4 {
		t.Fatalf("stencils of kinds %v", kinds)
	}
	for _, claim := range []struct{ spread, lo, hi float64 }{
		{0, MinDihedralDeg, MaxDihedralDeg},
		{0.02, 9.7, 159.9},
		{0.05, 8.1, 163},
		{0.1, 5.7, 167.7},
	} {
		sinMin, sinMax := math.Sin(claim.lo*math.Pi/180), math.Sin(claim.hi*math.Pi/180)
		pieces, boxes := 0, 0
		for _, s := range list {
			cut := make([]interval, len(s.parents))
			for n := range cut {
				cut[n] = interval{0.5 - claim.spread, 0.5 + claim.spread}
			}
			for _, p := range s.pieces {
				n, ok := s.within(p, cut, sinMin, sinMax)
				if !ok {
					t.Fatalf("cuts within ½ ± %g: kind %d, corners %v, piece %v of %v is not shown to keep %g° to %g°", claim.spread, s.kind, s.corner, p, s.parents, claim.lo, claim.hi)
				}
				pieces++
				boxes += n
			}
		}
		t.Logf("cuts within ½ ± %g: %d stencils, %d pieces keep %g° to %g°, %d boxes", claim.spread, len(list), pieces, claim.lo, claim.hi, boxes)
	}
	// and the proof can fail: the exact bound of the middle cuts is 10.89°
	failed := false
	for _, s := range list {
		cut := make([]interval, len(s.parents))
		for n := range cut {
			cut[n] = point(0.5)
		}
		for _, p := range s.pieces {
			if _, ok := s.within(p, cut, math.Sin(10.9*math.Pi/180), 0); !ok {
				failed = true
			}
		}
	}
	if !failed {
		t.Fatal("a bound of 10.9° was accepted")
	}
}
