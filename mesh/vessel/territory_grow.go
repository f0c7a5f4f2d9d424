package vessel

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// growSplit halves the tissue until a part is one terminal's share.
func growSplit(ctx context.Context, s *sapling, g imaging.Grid, voxels []int32, inside func(r3.Vec) bool, terminals int, of []int32, rng *rand.Rand) error {
	share := float64(len(voxels)) / float64(terminals)
	s.q[0] = float64(terminals)
	type job struct {
		branch int32
		voxels []int32
		dir    r3.Vec
	}
	jobs := []job{{0, voxels, r3.Unit(r3.Sub(s.to[0], s.from[0]))}}
	for len(jobs) > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w := jobs[len(jobs)-1]
		jobs = jobs[:len(jobs)-1]
		if float64(len(w.voxels)) < 1.42*share {
			for _, v := range w.voxels {
				of[v] = w.branch
			}
			continue
		}
		end := s.to[w.branch]
		mid := centroid(g, w.voxels)
		// The plane holds the direction of the branch and cuts the widest spread
		// across it, turned and shifted a little.
		axis := r3.Add(w.dir, r3.Scale(1/max(r3.Norm(r3.Sub(mid, end)), 1), r3.Sub(mid, end)))
		if r3.Norm(axis) < 1e-9 {
			axis = r3.Vec{X: 1}
		}
		axis = r3.Unit(axis)
		u := r3.Unit(r3.Cross(axis, r3.Vec{X: 0.31, Y: -0.67, Z: 0.674}))
		v := r3.Cross(axis, u)
		var uu, uv, vv float64
		for _, x := range w.voxels {
			d := r3.Sub(g.Point(ijk(g, int(x))), mid)
			a, b := r3.Dot(d, u), r3.Dot(d, v)
			uu, uv, vv = uu+a*a, uv+a*b, vv+b*b
		}
		sn, cs := math.Sincos(0.5*math.Atan2(2*uv, uu-vv) + 0.35*rng.NormFloat64())
		normal := r3.Add(r3.Scale(cs, u), r3.Scale(sn, v))
		at := make([]float64, len(w.voxels))
		for n, x := range w.voxels {
			at[n] = r3.Dot(r3.Sub(g.Point(ijk(g, int(x))), mid), normal)
		}
		order := slices.Clone(at)
		slices.Sort(order)
		part := min(max(0.5+0.13*rng.NormFloat64(), 0.22), 0.78)
		cut := order[int(part*float64(len(order)))]
		var half [2][]int32
		for n, x := range w.voxels {
			h := 0
			if at[n] >= cut {
				h = 1
			}
			half[h] = append(half[h], x)
		}
		if len(half[0]) == 0 || len(half[1]) == 0 {
			for _, v := range w.voxels {
				of[v] = w.branch
			}
			continue
		}
		for _, vox := range half {
			d := r3.Sub(centroid(g, vox), end)
			l := 0.42 + 0.08*rng.Float64()
			if float64(len(vox)) < 1.42*share {
				l = 0.8 // a terminal reaches into its tissue
			}
			to := r3.Add(end, r3.Scale(l, d))
			for try := 0; try < 6 && !inside(to); try++ {
				l *= 0.6
				to = r3.Add(end, r3.Scale(l, d))
			}
			if r3.Norm(r3.Sub(to, end)) < 0.2 {
				to = r3.Add(end, r3.Scale(0.2, axis))
			}
			b := s.add(w.branch, end, to, float64(len(vox))/share)
			s.kids[w.branch] = append(s.kids[w.branch], b)
			jobs = append(jobs, job{b, vox, r3.Unit(r3.Sub(to, end))})
		}
	}
	return nil
}

func centroid(g imaging.Grid, voxels []int32) r3.Vec {
	var c r3.Vec
	for _, v := range voxels {
		c = r3.Add(c, g.Point(ijk(g, int(v))))
	}
	return r3.Scale(1/float64(len(voxels)), c)
}

// growOptimised adds terminals of equal flow.
func growOptimised(ctx context.Context, s *sapling, g imaging.Grid, voxels []int32, inside func(r3.Vec) bool, terminals int, rng *rand.Rand) error {
	cell := math.Cbrt(float64(len(voxels)) * g.VoxelMM3())
	draw := func() r3.Vec {
		i, j, k := ijk(g, int(voxels[rng.IntN(len(voxels))]))
		return g.Point(i+rng.Float64()-0.5, j+rng.Float64()-0.5, k+rng.Float64()-0.5)
	}
	clear := func(a, b r3.Vec) bool {
		n := int(r3.Norm(r3.Sub(b, a))/3) + 1
		for m := 1; m <= n; m++ {
			if !inside(r3.Add(a, r3.Scale(float64(m)/float64(n), r3.Sub(b, a)))) {
				return false
			}
		}
		return true
	}
	s.q[0] = 1
	// The first terminal ends the trunk's continuation.
	first := s.add(0, s.to[0], draw(), 1)
	s.kids[0] = append(s.kids[0], first)
	type cand struct {
		n int32
		d float64
	}
	var near []cand
	for have := 1; have < terminals; {
		gap := 0.85 * cell / math.Cbrt(float64(have+1))
		placed := false
		for fails := 0; !placed && fails < 400; fails++ {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if fails%10 == 9 {
				gap *= 0.9
			}
			p := draw()
			near = near[:0]
			for n := 1; n < len(s.q); n++ {
				near = append(near, cand{int32(n), math.Sqrt(toSegment2(p, s.from[n], s.to[n]))})
			}
			slices.SortFunc(near, func(a, b cand) int {
				if a.d != b.d {
					if a.d < b.d {
						return -1
					}
					return 1
				}
				return int(a.n - b.n)
			})
			if near[0].d < gap {
				continue
			}
			best, bestAt, bestX := math.Inf(1), int32(-1), r3.Vec{}
			for _, c := range near[:min(20, len(near))] {
				a, b, q := s.from[c.n], s.to[c.n], s.q[c.n]
				wa, wb := math.Pow(q+1, 2.0/3), math.Pow(q, 2.0/3)
				x := r3.Scale(1.0/3, r3.Add(a, r3.Add(b, p)))
				for range 12 { // Weiszfeld
					da, db, dp := wa/max(r3.Norm(r3.Sub(a, x)), 1e-3), wb/max(r3.Norm(r3.Sub(b, x)), 1e-3), 1/max(r3.Norm(r3.Sub(p, x)), 1e-3)
					x = r3.Scale(1/(da+db+dp), r3.Add(r3.Scale(da, a), r3.Add(r3.Scale(db, b), r3.Scale(dp, p))))
				}
				if r3.Norm(r3.Sub(x, a)) < 0.5 || r3.Norm(r3.Sub(x, b)) < 0.5 || r3.Norm(r3.Sub(x, p)) < 0.5 {
					x = r3.Scale(0.5, r3.Add(r3.Scale(0.5, r3.Add(a, b)), x))
				}
				cost := wa*r3.Norm(r3.Sub(a, x)) + wb*(r3.Norm(r3.Sub(b, x))-r3.Norm(r3.Sub(a, b))) + r3.Norm(r3.Sub(p, x))
				for u := s.parent[c.n]; u >= 0; u = s.parent[u] {
					cost += r3.Norm(r3.Sub(s.to[u], s.from[u])) * (math.Pow(s.q[u]+1, 2.0/3) - math.Pow(s.q[u], 2.0/3))
				}
				if cost < best && clear(a, x) && clear(x, b) && clear(x, p) {
					best, bestAt, bestX = cost, c.n, x
				}
			}
			if bestAt < 0 {
				continue
			}
			// The upper half of the segment becomes its parent.
			n, par := bestAt, s.parent[bestAt]
			up := s.add(par, s.from[n], bestX, s.q[n])
			for h := range s.kids[par] {
				if s.kids[par][h] == n {
					s.kids[par][h] = up
				}
			}
			s.parent[n], s.from[n] = up, bestX
			leaf := s.add(up, bestX, p, 0)
			s.kids[up] = []int32{n, leaf}
			for u := leaf; u >= 0; u = s.parent[u] {
				s.q[u]++
			}
			placed = true
		}
		if !placed {
			break
		}
		have++
	}
	return nil
}
