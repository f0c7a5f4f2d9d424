package remesh

import (
	"context"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// fanChunk and faceChunk are how many vertices of the result and faces of
	// the input a worker takes at a time.
	fanChunk, faceChunk = 512, 4096
	// coarseShare: distances under this share of the limit need not be exact.
	coarseShare = 0.25
	// bendShare: a chord of length l across an edge at which the surface turns
	// by θ is nowhere farther than l·sin θ/4 from the faces; 3 for safety.
	bendShare = 3
	// sharpCos: edges of the result at which the surface turns by more than 45°
	// are measured along their length, at up to maxSharp + 1 places.
	sharpCos = 0.7
	maxSharp = 16
	// maxHalve bounds the places measured between two.
	maxHalve = 5
)

// distances says how far the surface in w is from its input.
type distances struct {
	maxMM, meanMM float64
	far           bool   // maxMM is over the limit
	bad           []bool // vertices of the result near places over the limit
}

// near is the place of a vertex of the input on the result.
type near struct {
	mm   float32
	face int32
}

// tally is what a chunk finds.
type tally struct {
	max, sum float64
	count    int
	bad      []int32
}

// distances measures how far w is from in, its input, both ways. The difference
// of two piecewise linear surfaces that lie on each other is largest at a vertex
// of one of them or where an edge of one crosses an edge of the other. So it
// looks at every vertex of the input against the faces around the vertex it went
// to, at every vertex of the result against the faces of the input around the
// nearest vertex that went to it, and at every edge of the input whose ends lie
// over different faces of the result against the edge between these. Where the
// result has a sharp edge they need not lie on each other, and places along it
// are measured too. Only faces between the same pair of labels are compared. A
// local distance is never less than the true one.
func (w *work) distances(ctx context.Context, in *work, limit float64) (*distances, error) {
	n := len(w.pos)
	d := &distances{bad: make([]bool, n)}
	floor2 := coarseShare * limit
	if math.IsInf(limit, 1) {
		floor2 = 0
	}
	floor2 *= floor2
	start, group := groups(w.owner, n)
	at := make([]near, len(w.owner))
	parts := make([]tally, (n+fanChunk-1)/fanChunk)
	err := par.ChunksCtx(ctx, n, fanChunk, func(lo, hi int) error {
		m := &parts[lo/fanChunk]
		var f fan
		for h := int32(lo); h < int32(hi); h++ {
			mine := group[start[h]:start[h+1]]
			if f.build(w, h); len(f.m) == 0 {
				continue
			}
			worst := w.fromInput(in, h, &f, mine, at, floor2, m)
			worst = max(worst, math.Sqrt(w.toInput(in, h, &f, mine, floor2)))
			m.max = max(m.max, worst)
			if worst > limit {
				m.bad = append(m.bad, h)
				for i := range f.m {
					v := &w.tri[f.m[i].face]
					m.bad = append(m.bad, v[0], v[1], v[2])
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum, count := d.take(parts, limit)
	d.meanMM = sum / float64(max(1, count))

	normals := make([][3]float32, len(w.tri))
	for t, v := range w.tri {
		n := normal(w.pos[v[0]], w.pos[v[1]], w.pos[v[2]])
		f := 1 / max(math.Sqrt(r3.Norm2(n)), math.SmallestNonzeroFloat64)
		normals[t] = [3]float32{float32(f * n.X), float32(f * n.Y), float32(f * n.Z)}
	}
	turns := w.turns(normals)
	known := min(d.maxMM, limit)
	// bent reports whether the edge pq of the input may be farther than known
	// between its ends
	bent := func(p, q int32) bool {
		a, b := at[p], at[q]
		if a.face == b.face {
			return false
		}
		x, y := &in.pos[p], &in.pos[q]
		dx, dy, dz := float32(x.X-y.X), float32(x.Y-y.Y), float32(x.Z-y.Z)
		room := bendShare * (float32(known) - max(a.mm, b.mm))
		if room < 0 {
			return true
		}
		m, n := &normals[a.face], &normals[b.face]
		c := m[0]*n[0] + m[1]*n[1] + m[2]*n[2]
		l2 := dx*dx + dy*dy + dz*dz
		room *= room
		if c <= 0 || l2*(1-c*c) > room {
			return true
		}
		if w.share(a.face, b.face) {
			return false
		}
		c = min(turns[w.owner[p]], turns[w.owner[q]])
		return c <= 0 || l2*(1-c*c) > room
	}
	parts = make([]tally, (len(in.tri)+faceChunk-1)/faceChunk)
	err = par.ChunksCtx(ctx, len(in.tri), faceChunk, func(lo, hi int) error {
		m := &parts[lo/faceChunk]
		m.max = known
		for t := lo; t < hi; t++ {
			v := &in.tri[t]
			if f := at[v[0]].face; in.kind[v[0]]|in.kind[v[1]]|in.kind[v[2]] == inner && f == at[v[1]].face && f == at[v[2]].face {
				continue
			}
			for k := range 3 {
				o := (k + 1) % 3
				p, q := v[k], v[o]
				// an edge between inner vertices is met once each way
				if p > q && in.kind[p] == inner {
					continue
				}
				if in.kind[p] != inner && in.kind[q] != inner || bent(p, q) {
					a, b := at[p], at[q]
					w.crossing(in, normals, &meeting{in.pos[p], in.pos[q], int32(t), [2]int32{a.face, b.face}, [2]int32{w.owner[p], w.owner[q]}, [2]float64{float64(a.mm), float64(b.mm)}}, known, limit, m)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.take(parts, limit)
	known = min(d.maxMM, limit)
	parts = make([]tally, (len(w.tri)+faceChunk-1)/faceChunk)
	err = par.ChunksCtx(ctx, len(w.tri), faceChunk, func(lo, hi int) error {
		m := &parts[lo/faceChunk]
		m.max = known
		for t := lo; t < hi; t++ {
			w.sharp(in, normals, int32(t), start, group, known, limit, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.take(parts, limit)
	return d, nil
}

// take adds what chunks have found, in their order.
func (d *distances) take(parts []tally, limit float64) (sum float64, count int) {
	for i := range parts {
		d.maxMM = max(d.maxMM, parts[i].max)
		sum += parts[i].sum
		count += parts[i].count
		for _, h := range parts[i].bad {
			d.bad[h] = true
		}
	}
	d.far = d.maxMM > limit
	return sum, count
}

// turns is, for each vertex, the least cosine between faces around it, or less.
func (w *work) turns(normals [][3]float32) []float32 {
	out := make([]float32, len(w.pos))
	for u := range out {
		mine := w.list[w.start[u]:w.start[u+1]]
		var x, y, z float32
		for _, c := range mine {
			n := &normals[c>>2]
			x, y, z = x+n[0], y+n[1], z+n[2]
		}
		f := 1 / max(float32(math.Sqrt(float64(x*x+y*y+z*z))), math.SmallestNonzeroFloat32)
		least := float32(1)
		for _, c := range mine {
			n := &normals[c>>2]
			least = min(least, f*(x*n[0]+y*n[1]+z*n[2]))
		}
		out[u] = -1
		if least > 0 { // each is within α of the mean, so two are within 2α
			out[u] = 2*least*least - 1
		}
	}
	return out
}

// share reports whether two faces have two vertices in common.
func (w *work) share(f, g int32) bool {
	x, y := &w.tri[f], &w.tri[g]
	n := 0
	for _, v := range x {
		if v == y[0] || v == y[1] || v == y[2] {
			n++
		}
	}
	return n == 2
}

// groups lists the vertices that went to each of n owners, in ascending order.
func groups(owner []int32, n int) (start, group []int32) {
	start = make([]int32, n+1)
	for _, o := range owner {
		start[o]++
	}
	sum := int32(0)
	for i, c := range start {
		sum += c
		start[i] = sum
	}
	group = make([]int32, sum)
	for a := len(owner) - 1; a >= 0; a-- {
		o := owner[a]
		start[o]--
		group[start[o]] = int32(a)
	}
	return start, group
}
