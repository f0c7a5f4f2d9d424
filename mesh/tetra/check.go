package tetra

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// displaced tells whether a vertex is off its place in the lattice.
func (s *stuffing) displaced(v int32) bool { return s.nmore[v] > 0 || s.moved[v] > 0 }

// labelsOf lists the labels a vertex carries.
func (s *stuffing) labelsOf(v int32, out *[4]uint8) int {
	out[0] = s.lab[v]
	n := int(s.nmore[v])
	copy(out[1:], s.more[v][:n])
	return n + 1
}

// knots prepares a lattice tetrahedron for splitting: sets become masks over
// the labels listed in names.
func (s *stuffing) knots(t int32, v *[4]knot, names *[16]uint8) (n int) {
	for i, x := range s.tets[t] {
		q := s.at[x]
		v[i] = knot{id: x, q: [3]float64{float64(q[0]), float64(q[1]), float64(q[2])}, p: s.pos[x]}
		var l [4]uint8
		for _, a := range l[:s.labelsOf(x, &l)] {
			m := 0
			for m < n && names[m] != a {
				m++
			}
			if m == n {
				names[n] = a
				n++
			}
			v[i].set |= 1 << m
		}
	}
	return n
}

// cutAt is the place of the vertex on an edge. Only edges of the lattice are
// fitted to the interface; the others are halved.
func (s *stuffing) cutAt(a, b *knot) r3.Vec {
	nv := int32(len(s.at))
	if a.id < 0 || b.id < 0 || a.id >= nv || b.id >= nv {
		return r3.Scale(0.5, r3.Add(a.p, b.p))
	}
	if a.id > b.id {
		a, b = b, a
	}
	e := s.edgeOf.get(edgeKey(a.id, b.id))
	c := &s.edges[e]
	if c.t != c.t {
		c.t = s.fraction(c)
	}
	return r3.Add(a.p, r3.Scale(float64(c.t), r3.Sub(b.p, a.p)))
}

// fraction decides where the vertex on an edge goes, as a fraction.
func (s *stuffing) fraction(c *edgeCut) float32 {
	m := float32(cutMargin)
	switch {
	case c.tight == 2:
		return 0.5
	case c.many || c.tight == 1:
		m = float32(cutMarginMany)
	}
	t := (c.ta + c.tb) / 2
	if s.nmore[c.a] > 0 || s.nmore[c.b] > 0 {
		var la, lb [4]uint8
		na, nb := s.labelsOf(c.a, &la), s.labelsOf(c.b, &lb)
		p, d := s.pos[c.a], r3.Sub(s.pos[c.b], s.pos[c.a])
		var w support
		lo, hi := 0.0, 1.0
		for range 6 {
			mid := (lo + hi) / 2
			s.f.at(r3.Add(p, r3.Scale(mid, d)), &w)
			var x, y float64
			for _, l := range la[:na] {
				x = max(x, w.of(l))
			}
			for _, l := range lb[:nb] {
				y = max(y, w.of(l))
			}
			if x > y {
				lo = mid
			} else {
				hi = mid
			}
		}
		t = float32(lo+hi) / 2
	}
	return min(max(t, m), 1-m)
}

// angled tells whether a tetrahedron is positive and keeps all its dihedral
// angles between the angles with these cosines.
func angled(a, b, c, d r3.Vec, cosMin, cosMax float64) bool {
	ab, ac, ad := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(d, a)
	bc, bd := r3.Sub(c, b), r3.Sub(d, b)
	n := [4]r3.Vec{r3.Cross(bc, bd), r3.Cross(ad, ac), r3.Cross(ab, ad), r3.Cross(ac, ab)}
	if !(r3.Dot(ab, r3.Cross(ac, ad)) > 0) {
		return false
	}
	var l [4]float64
	for i := range n {
		l[i] = math.Sqrt(r3.Norm2(n[i]))
	}
	for i := range 3 {
		for j := i + 1; j < 4; j++ {
			x := -r3.Dot(n[i], n[j]) // cosine of the dihedral, times the lengths
			w := l[i] * l[j]
			if !(x <= cosMin*w && x >= cosMax*w) {
				return false
			}
		}
	}
	return true
}

// check splits every tetrahedron that is mixed or has a vertex off its place, in
// a dry run, and takes back snaps until all pieces are sound.
func (s *stuffing) check(ctx context.Context) error {
	cosMin, cosMax := math.Cos(MinDihedralDeg*math.Pi/180), math.Cos(MaxDihedralDeg*math.Pi/180)
	bad := false
	sp := splitter{cut: s.cutAt, piece: func(v *[4]knot, _ uint32) {
		bad = bad || !angled(v[0].p, v[1].p, v[2].p, v[3].p, cosMin, cosMax)
	}}
	// the tetrahedra to look at, and those around each vertex
	touched := make([]int32, 0, 2*len(s.mixed))
	next := 0
	for t, v := range s.tets {
		if next < len(s.mixed) && s.mixed[next] == int32(t) {
			next++
		} else if !s.displaced(v[0]) && !s.displaced(v[1]) && !s.displaced(v[2]) && !s.displaced(v[3]) {
			continue
		}
		touched = append(touched, int32(t))
	}
	start := make([]int32, len(s.at)+1)
	for _, t := range touched {
		for _, x := range s.tets[t] {
			start[x+1]++
		}
	}
	for v := range s.at {
		start[v+1] += start[v]
	}
	around := make([]int32, start[len(s.at)])
	fill := append([]int32(nil), start[:len(s.at)]...)
	for n, t := range touched {
		for _, x := range s.tets[t] {
			around[fill[x]] = int32(n)
			fill[x]++
		}
	}
	todo := make([]int32, len(touched))
	queued := make([]bool, len(touched))
	for n := range todo {
		todo[n], queued[n] = int32(n), true
	}
	var names [16]uint8
	var v [4]knot
	for len(todo) > 0 {
		var loose, firm []int32
		for i, n := range todo {
			if i&0xfff == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			queued[n] = false
			t := touched[n]
			s.knots(t, &v, &names)
			bad = false
			sp.split(&v)
			if !bad {
				continue
			}
			// the farthest from its place; one that a part claimed only when no
			// other is left
			worst, far := int32(-1), 0.0
			for _, x := range s.tets[t] {
				if !s.displaced(x) || s.moved[x] > 0 && worst >= 0 && s.moved[worst] == 0 {
					continue
				}
				if worst >= 0 && s.moved[worst] > 0 && s.moved[x] == 0 {
					worst = -1
				}
				d := r3.Norm2(r3.Sub(s.pos[x], s.place(s.at[x]))) / (float64(s.size[x]) * float64(s.size[x]))
				if d > far || worst < 0 || d == far && x < worst {
					worst, far = x, d
				}
			}
			if worst >= 0 {
				loose = append(loose, worst)
				continue
			}
			// nothing to take back: cut its edges nearer to the middle
			for i, x := range s.tets[t][:3] {
				for _, y := range s.tets[t][i+1:] {
					if e := s.edgeOf.get(edgeKey(x, y)); e >= 0 && s.edges[e].tight < 2 {
						firm = append(firm, e)
					}
				}
			}
		}
		todo = todo[:0]
		slices.Sort(firm)
		for _, e := range slices.Compact(firm) {
			c := &s.edges[e]
			c.tight++
			c.t = float32(math.NaN())
			s.centred++
			for _, n := range around[start[c.a]:start[c.a+1]] {
				v := s.tets[touched[n]]
				if !queued[n] && (v[0] == c.b || v[1] == c.b || v[2] == c.b || v[3] == c.b) {
					queued[n] = true
					todo = append(todo, n)
				}
			}
		}
		slices.Sort(loose)
		for _, x := range slices.Compact(loose) {
			s.released++
			home := s.place(s.at[x])
			if s.moved[x] > 1 { // towards the part, half as far
				s.moved[x]--
				s.pos[x] = r3.Scale(0.5, r3.Add(s.pos[x], home))
			} else {
				s.nmore[x], s.moved[x] = 0, 0
				s.pos[x] = home
			}
			for _, n := range around[start[x]:start[x+1]] {
				for _, y := range s.tets[touched[n]] {
					if y != x {
						if e := s.edgeOf.get(edgeKey(x, y)); e >= 0 {
							s.edges[e].t = float32(math.NaN())
						}
					}
				}
				if !queued[n] {
					queued[n] = true
					todo = append(todo, n)
				}
			}
		}
	}
	return nil
}
