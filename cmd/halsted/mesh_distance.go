package main

import (
	"context"
	"math"

	"halsted/internal/par"
	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// distanceResult is between two surfaces, both ways: the larger mean and the
// largest distance, with the point it was taken from, LPS mm.
type distanceResult struct {
	MeanMM  float64    `json:"mean_mm"`
	MaxMM   float64    `json:"max_mm"`
	MaxAtMM [3]float64 `json:"max_at_mm"`
}

// surfaceDistance compares two surfaces at points at most about stepMM apart;
// means are by area. nil when either has no face.
func surfaceDistance(ctx context.Context, a, b *mesh.Surface, stepMM float64) (*distanceResult, error) {
	if len(a.Tris) == 0 || len(b.Tris) == 0 {
		return nil, nil
	}
	var out distanceResult
	for _, way := range [2][2]*mesh.Surface{{a, b}, {b, a}} {
		tree, err := spatial.New(ctx, way[1])
		if err != nil {
			return nil, err
		}
		mean, most, at, err := oneWay(ctx, way[0], tree, stepMM)
		if err != nil {
			return nil, err
		}
		out.MeanMM = max(out.MeanMM, mean)
		if most >= out.MaxMM {
			out.MaxMM, out.MaxAtMM = most, point(at)
		}
	}
	return &out, nil
}

func oneWay(ctx context.Context, s *mesh.Surface, to *spatial.BVH, stepMM float64) (mean, most float64, at r3.Vec, err error) {
	type sum struct {
		area, weighted, most float64
		at                   r3.Vec
	}
	const chunk = 2048
	parts := make([]sum, (len(s.Tris)+chunk-1)/chunk)
	err = par.ChunksCtx(ctx, len(s.Tris), chunk, func(lo, hi int) error {
		var x sum
		take := func(p r3.Vec, area float64) {
			d := to.Closest(p).DistMM
			x.area += area
			x.weighted += d * area
			if d > x.most {
				x.most, x.at = d, p
			}
		}
		for _, v := range s.Tris[lo:hi] {
			a := s.Verts[v[0]]
			u, w := r3.Sub(s.Verts[v[1]], a), r3.Sub(s.Verts[v[2]], a)
			k := max(1, int(math.Ceil(max(r3.Norm(u), r3.Norm(w), r3.Norm(r3.Sub(u, w)))/stepMM)))
			f := 1 / float64(k)
			area := r3.Norm(r3.Cross(u, w)) / 2 * f * f
			piece := func(i, j float64) {
				take(r3.Add(a, r3.Add(r3.Scale(i*f, u), r3.Scale(j*f, w))), area)
			}
			for i := range k {
				for j := range k - i {
					piece(float64(i)+1./3, float64(j)+1./3)
					if i+j < k-1 {
						piece(float64(i)+2./3, float64(j)+2./3)
					}
				}
			}
			for _, n := range v { // corners count for the maximum alone
				take(s.Verts[n], 0)
			}
		}
		parts[lo/chunk] = x
		return nil
	})
	var all sum
	for _, x := range parts {
		all.area += x.area
		all.weighted += x.weighted
		if x.most > all.most {
			all.most, all.at = x.most, x.at
		}
	}
	if all.area > 0 {
		mean = all.weighted / all.area
	}
	return mean, all.most, all.at, err
}
