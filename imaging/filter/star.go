package filter

import (
	"context"
	"fmt"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Star is a closed surface that every ray from its centre meets once: its
// distance from the centre along 642 evenly spread directions.
type Star struct {
	Centre   r3.Vec    // LPS mm
	RadiusMM []float64 // along each direction
}

// StarSettings bound a Star.
type StarSettings struct {
	StepMM float64 // distance of the surfaces to choose from
	MostMM float64 // largest radius
	Stiff  float64 // price of bends; 0 lets every ray stand alone
	Slope  float64 // steepest rise from ray to ray: tangent of the angle to a sphere
}

// FitStar finds the star-shaped surface around centre of most gain: the sum over
// its inside of gain(p) per mm³, less the price of neighbouring rays of
// different length: Stiff·r·e·|Δr| summed over the pairs, where e in mm is the
// width of the border between them. All sizes scale alike, so the same Stiff
// serves large and small bodies. The innermost surface is always inside.
//
// It is the minimum cut of the graph of Li, Wu, Chen & Sonka, IEEE TPAMI 28
// (2006) 119 over rays from a point, with its slope limit, and a price for each
// step as Ishikawa, IEEE TPAMI 25 (2003) 1333; star shapes as Veksler, ECCV
// 2008. gain is called concurrently and is best within ±10.
func FitStar(ctx context.Context, centre r3.Vec, gain func(p r3.Vec) float64, s StarSettings) (*Star, error) {
	if !(s.StepMM > 0 && s.MostMM >= 2*s.StepMM && s.MostMM/s.StepMM <= 4096 && s.Stiff >= 0 && s.Slope > 0) {
		return nil, fmt.Errorf("filter: star of %+v: steps and slope must be positive, with 2 to 4096 steps", s)
	}
	if d := centre.X + centre.Y + centre.Z; math.IsNaN(d) || math.IsInf(d, 0) {
		return nil, fmt.Errorf("filter: star around %v: not a finite point", centre)
	}
	rays, levels := len(sphere.dir), int(s.MostMM/s.StepMM)
	node := func(ray, level int) int { return ray*levels + level }
	c := NewCutGraph(rays*levels, rays*levels*7)
	won := make([]int64, rays*levels)
	omega := 4 * math.Pi / float64(rays)
	err := par.ChunksCtx(ctx, rays, 16, func(lo, hi int) error {
		for ray := lo; ray < hi; ray++ {
			for k := range levels {
				r := (float64(k) + 0.5) * s.StepMM
				x := gain(r3.Add(centre, r3.Scale(r, sphere.dir[ray])))
				if math.IsNaN(x) {
					return fmt.Errorf("filter: star around %v: gain is not a number %.1f mm from it", centre, r)
				}
				won[node(ray, k)] = int64(math.Round(min(max(x, -1e3), 1e3) * r * r * omega * s.StepMM * starScale))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for ray := range rays {
		for k := range levels {
			c.Gain(node(ray, k), won[node(ray, k)])
			if k > 0 {
				c.Arc(node(ray, k), node(ray, k-1), CutForbidden, 0)
			}
		}
		c.Gain(node(ray, 0), 1<<40)
		for _, o := range sphere.near[ray] {
			angle := math.Acos(min(r3.Dot(sphere.dir[ray], sphere.dir[o]), 1))
			for k := range levels {
				r := (float64(k) + 0.5) * s.StepMM
				if ray < int(o) {
					border := angle / math.Sqrt(3) * r // of two cells of a triangular lattice
					p := int32(min(math.Round(s.Stiff*r*border*s.StepMM*starScale), CutForbidden))
					c.Arc(node(ray, k), node(int(o), k), p, p)
				}
				if drop := int(math.Ceil(s.Slope * angle * r / s.StepMM)); k > drop {
					c.Arc(node(ray, k), node(int(o), k-drop), CutForbidden, 0)
				}
			}
		}
	}
	in, err := c.Solve(ctx)
	if err != nil {
		return nil, err
	}
	out := &Star{centre, make([]float64, rays)}
	for ray := range rays {
		k := 0
		for k < levels && in[node(ray, k)] {
			k++
		}
		out.RadiusMM[ray] = float64(k) * s.StepMM
	}
	return out, nil
}

// starScale turns gains into whole numbers.
const starScale = 64

// On is the point of the nth ray far mm from the centre.
func (s *Star) On(n int, far float64) r3.Vec {
	return r3.Add(s.Centre, r3.Scale(far, sphere.dir[n]))
}

// Smooth averages each radius with its neighbours', so that steps vanish.
func (s *Star) Smooth(times int) {
	for range times {
		next := make([]float64, len(s.RadiusMM))
		for n, near := range sphere.near {
			sum := 0.0
			for _, o := range near {
				sum += s.RadiusMM[o]
			}
			next[n] = (s.RadiusMM[n] + sum/float64(len(near))) / 2
		}
		s.RadiusMM = next
	}
}

// VolumeMM3 is the volume inside.
func (s *Star) VolumeMM3() float64 {
	v := 0.0
	for _, r := range s.RadiusMM {
		v += r * r * r
	}
	return v * 4 * math.Pi / 3 / float64(len(s.RadiusMM))
}

// Middle is the centre of gravity of the inside.
func (s *Star) Middle() r3.Vec {
	var m r3.Vec
	v := 0.0
	for n, r := range s.RadiusMM {
		m = r3.Add(m, r3.Scale(r*r*r*r*3/4, sphere.dir[n]))
		v += r * r * r
	}
	if v == 0 {
		return s.Centre
	}
	return r3.Add(s.Centre, r3.Scale(1/v, m))
}

// MostMM is the largest radius.
func (s *Star) MostMM() float64 {
	m := 0.0
	for _, r := range s.RadiusMM {
		m = max(m, r)
	}
	return m
}

// DepthMM is how far p lies inside, along its ray: the radius there less its
// distance from the centre; negative outside.
func (s *Star) DepthMM(p r3.Vec) float64 {
	d := r3.Sub(p, s.Centre)
	far := r3.Norm(d)
	if far == 0 {
		far, d = 1e-9, r3.Vec{X: 1e-9}
	}
	d = r3.Scale(1/far, d)
	n, best := 0, -2.0
	for m, v := range sphere.dir[:12] {
		if c := r3.Dot(v, d); c > best {
			n, best = m, c
		}
	}
	for moved := true; moved; {
		moved = false
		for _, o := range sphere.near[n] {
			if c := r3.Dot(sphere.dir[o], d); c > best {
				n, best, moved = int(o), c, true
			}
		}
	}
	// the mean of the rays around, by a Gaussian as wide as they are apart
	w := math.Exp((best - 1) / sphereVar)
	sum, all := w*s.RadiusMM[n], w
	for _, o := range sphere.near[n] {
		w := math.Exp((r3.Dot(sphere.dir[o], d) - 1) / sphereVar)
		sum += w * s.RadiusMM[o]
		all += w
	}
	return sum/all - far
}

// sphereVar is the square of the width of that Gaussian in radians: rays are
// about 0.14 apart.
const sphereVar = 0.07 * 0.07

// sphere is an icosahedron with its faces split in four three times, on the
// unit sphere, and the neighbours along its edges.
var sphere = func() (s struct {
	dir  []r3.Vec
	near [][]int32
}) {
	t := (1 + math.Sqrt(5)) / 2
	for _, v := range []r3.Vec{{X: -1, Y: t}, {X: 1, Y: t}, {X: -1, Y: -t}, {X: 1, Y: -t}, {Y: -1, Z: t}, {Y: 1, Z: t},
		{Y: -1, Z: -t}, {Y: 1, Z: -t}, {X: t, Z: -1}, {X: t, Z: 1}, {X: -t, Z: -1}, {X: -t, Z: 1}} {
		s.dir = append(s.dir, r3.Unit(v))
	}
	faces := [][3]int32{{0, 11, 5}, {0, 5, 1}, {0, 1, 7}, {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4}, {11, 10, 2}, {10, 7, 6}, {7, 1, 8},
		{3, 9, 4}, {3, 4, 2}, {3, 2, 6}, {3, 6, 8}, {3, 8, 9}, {4, 9, 5}, {2, 4, 11}, {6, 2, 10}, {8, 6, 7}, {9, 8, 1}}
	for range 3 {
		mid := map[[2]int32]int32{}
		half := func(a, b int32) int32 {
			key := [2]int32{min(a, b), max(a, b)}
			if m, ok := mid[key]; ok {
				return m
			}
			mid[key] = int32(len(s.dir))
			s.dir = append(s.dir, r3.Unit(r3.Add(s.dir[a], s.dir[b])))
			return mid[key]
		}
		var next [][3]int32
		for _, f := range faces {
			a, b, c := half(f[0], f[1]), half(f[1], f[2]), half(f[2], f[0])
			next = append(next, [3]int32{f[0], a, c}, [3]int32{f[1], b, a}, [3]int32{f[2], c, b}, [3]int32{a, b, c})
		}
		faces = next
	}
	s.near = make([][]int32, len(s.dir))
	for _, f := range faces { // every edge is met once in each direction
		for e := range f {
			s.near[f[e]] = append(s.near[f[e]], f[(e+1)%3])
		}
	}
	return s
}()
