package vessel

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// growColony lets twigs grow by steps towards the voxels that are nearest to
// them until each voxel of a random sample is reached. A voxel is supplied by
// the twig that is nearest to it in the end.
func growColony(ctx context.Context, s *sapling, g imaging.Grid, voxels []int32, terminals int, of []int32, rng *rand.Rand) error {
	const (
		perTerminal = 7   // sampled voxels for one terminal (about: reached ones make no twig)
		stepPart    = 0.3 // of the edge of a terminal's tissue: length of a step
		reachPart   = 0.5 // distance at which a voxel is reached
		rounds      = 400
	)
	edge := math.Cbrt(float64(len(voxels)) * g.VoxelMM3() / float64(terminals))
	step, reach := stepPart*edge, reachPart*edge
	type goal struct {
		p    r3.Vec
		twig int32
		d2   float64
		done bool
	}
	goals := make([]goal, perTerminal*terminals)
	for n := range goals {
		i, j, k := ijk(g, int(voxels[rng.IntN(len(voxels))]))
		goals[n] = goal{p: g.Point(i+rng.Float64()-0.5, j+rng.Float64()-0.5, k+rng.Float64()-0.5), d2: math.Inf(1)}
	}
	// Nodes and their parents; node 0 is the start of the trunk, 1 its end.
	at, parent := []r3.Vec{s.from[0], s.to[0]}, []int32{-1, 0}
	fresh := 1
	for range rounds {
		for n := range goals {
			if n%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			o := &goals[n]
			for m := fresh; m < len(at) && !o.done; m++ {
				if d := r3.Norm2(r3.Sub(o.p, at[m])); d < o.d2 {
					o.d2, o.twig = d, int32(m)
					o.done = d < reach*reach
				}
			}
		}
		fresh = len(at)
		pull := make([]r3.Vec, len(at))
		for n := range goals {
			if o := &goals[n]; !o.done {
				pull[o.twig] = r3.Add(pull[o.twig], r3.Unit(r3.Sub(o.p, at[o.twig])))
			}
		}
		for m, d := range pull[:fresh] {
			if r3.Norm(d) < 1e-6 {
				continue
			}
			to := r3.Add(at[m], r3.Scale(step, r3.Add(r3.Unit(d), r3.Scale(0.1, r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}))))
			at, parent = append(at, to), append(parent, int32(m))
		}
		if len(at) == fresh {
			break
		}
	}
	// Each voxel to its nearest node; the trunk's start feeds nothing.
	owner, err := nearestOf(ctx, g, voxels, at[1:])
	if err != nil {
		return err
	}
	flow := make([]float64, len(at))
	for n := range owner {
		owner[n]++
		flow[owner[n]] += float64(terminals) / float64(len(voxels))
	}
	kids := make([]int, len(at))
	for m := len(at) - 1; m > 0; m-- {
		if flow[m] > 0 {
			flow[parent[m]] += flow[m]
			kids[parent[m]]++
		}
	}
	// Nodes between two branchings become one straight segment.
	s.q[0] = flow[0]
	segment := make([]int32, len(at)) // that ends at or after each node
	open := make([]bool, len(at))     // its segment goes on
	open[0] = true
	for m := 1; m < len(at); m++ {
		if flow[m] == 0 {
			continue
		}
		p := parent[m]
		if kids[p] == 1 && open[p] {
			segment[m] = segment[p]
			s.to[segment[m]] = at[m]
		} else {
			up := segment[p]
			segment[m] = s.add(up, s.to[up], at[m], flow[m])
			s.kids[up] = append(s.kids[up], segment[m])
		}
		open[m] = kids[m] == 1
	}
	for n, v := range voxels {
		of[v] = segment[owner[n]]
	}
	return nil
}
