package uncertainty

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// work holds the fields around one structure.
type work struct {
	g         imaging.Grid
	phi       []float32 // signed distance to the mask, mm
	hu, share []float32 // share: 0 outside, 1 inside
	skip      []bool
	layer     []float64 // of the last surface: volume from the voxels' faces to its crossings, mm³
	gain      []float32 // contrast of the structure over that at a voxel, 0 where there is none to speak of; nil: 1
}

// zones are the voxels where the two levels are read: the core, as deep as
// levelMM or more than half of the depth there is, and the ring outside.
func (w *work) zones() (core, ring []int) {
	deepest := float32(0)
	for _, d := range w.phi {
		deepest = max(deepest, -d)
	}
	depth := min(levelMM, 0.55*deepest)
	for n, d := range w.phi {
		switch {
		case w.skip[n]:
		case d <= -depth:
			core = append(core, n)
		case d >= levelMM && d <= levelMM+ringMM:
			ring = append(ring, n)
		}
	}
	return core, ring
}

func mean(v []float32, of []int) float64 {
	s := 0.0
	for _, n := range of {
		s += float64(v[n])
	}
	return s / float64(len(of))
}

// zone is a part of space by some of its points, each of which stands for a
// cell; cellMM is the cell's standard deviation along an axis.
type zone struct {
	at     []r3.Vec
	cellMM float64
}

// zone is that of the voxels, by at most levelMost of them, evenly picked.
func (w *work) zone(of []int) zone {
	z := zone{at: make([]r3.Vec, min(levelMost, len(of)))}
	k := len(z.at)
	for p := range z.at {
		i, j, l := w.g.IJK(of[(2*p+1)*len(of)/(2*k)])
		z.at[p] = w.g.Point(float64(i), float64(j), float64(l))
	}
	z.cellMM = math.Cbrt(w.g.VoxelMM3()*float64(len(of))/float64(k)) / math.Sqrt(12)
	return z
}

// zeta is Φ⁻¹ of a share, held to shareEnd.
func zeta(f float32) float64 {
	return mathext.NormalQuantile(max(shareEnd, min(1-shareEnd, float64(f))))
}

// cross finds where a field of shares passes level within refineMM of the mask's
// border, and follows the mask elsewhere. A crossing along axis a stands for the
// area h_b·h_c·|n_a| (the weights n_a² of the three axes add up to 1), and for
// the flux of the area vector's part along a.
func (w *work) cross(s *Surface, share []float32, level float64) (volume float64, fluxes []r3.Vec) {
	g, h := w.g, w.g.SpacingMM()
	var unit [3]r3.Vec
	for a := range unit {
		unit[a] = r3.Scale(1/h[a], g.Axes[a])
	}
	stride := [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	half := mathext.NormalQuantile(level)
	w.layer = w.layer[:0]
	z := make([]float64, 0) // ζ by voxel, where it is needed
	at := make([]int32, g.Len())
	need := func(n int) float64 {
		if at[n] == 0 {
			z = append(z, zeta(share[n]))
			at[n] = int32(len(z))
		}
		return z[at[n]-1]
	}
	slope := func(n int) (d r3.Vec) { // of ζ at a voxel
		i, j, k := g.IJK(n)
		for a, c := range [3]int{i, j, k} {
			lo, hi, steps := n, n, 0.0
			if c > 0 {
				lo, steps = n-stride[a], steps+1
			}
			if c < g.Size[a]-1 {
				hi, steps = n+stride[a], steps+1
			}
			if steps > 0 {
				d = r3.Add(d, r3.Scale((need(hi)-need(lo))/(steps*h[a]), unit[a]))
			}
		}
		return d
	}
	in := func(n int) bool {
		if d := w.phi[n]; d > refineMM || d < -refineMM {
			return d < 0
		}
		return float64(share[n]) > level
	}
	for n := range share {
		i, j, k := g.IJK(n)
		for a, c := range [3]int{i, j, k} {
			if c == g.Size[a]-1 {
				continue
			}
			m := n + stride[a]
			if in(n) == in(m) {
				continue
			}
			zn, zm := need(n), need(m)
			t := 0.5
			if zn != zm {
				t = max(0, min(1, (half-zn)/(zm-zn)))
			}
			p := g.Point(float64(i), float64(j), float64(k))
			p = r3.Add(p, r3.Scale(t, g.Axes[a]))
			normal := r3.Scale(-1, r3.Add(r3.Scale(1-t, slope(n)), r3.Scale(t, slope(m))))
			area := h[(a+1)%3] * h[(a+2)%3]
			out := 1.0 // leaving the structure along +a
			if !in(n) {
				out = -1
			}
			flux := r3.Scale(out*area, unit[a])
			if l := r3.Norm(normal); l > 0 {
				normal = r3.Scale(1/l, normal)
			} else {
				normal = r3.Scale(out, unit[a])
			}
			volume += r3.Dot(flux, r3.Sub(p, g.Origin)) / 3
			fluxes = append(fluxes, flux)
			w.layer = append(w.layer, out*(t-0.5)*g.VoxelMM3()/3)
			s.Points, s.Normals = append(s.Points, p), append(s.Normals, normal)
			s.AreaMM2 = append(s.AreaMM2, area*math.Abs(r3.Dot(normal, unit[a])))
			if w.gain != nil {
				gain := float64(w.gain[n]+w.gain[m]) / 2
				if w.gain[n] == 0 || w.gain[m] == 0 || (w.gain[n] < 0) != (w.gain[m] < 0) {
					gain = 0
				}
				s.Gain = append(s.Gain, gain)
			}
		}
	}
	return volume, fluxes
}

// blur is the standard deviation of the edge: across it ∫f(1−f)dx = BlurMM/√π,
// from which noise takes its variance away.
func (w *work) blur(s *Surface, noise float64) float64 {
	sum, area := 0.0, 0.0
	for n, d := range w.phi {
		if d > -levelMM && d < levelMM && !w.skip[n] && w.at(n) != 0 {
			f, g := float64(w.share[n]), w.at(n)
			sum += f*(1-f) + noise*noise*g*g
		}
	}
	for p, a := range s.AreaMM2 {
		if s.Gain == nil || s.Gain[p] != 0 {
			area += a
		}
	}
	least := math.Cbrt(w.g.VoxelMM3()) / math.Sqrt(12) // of the voxel itself
	return max(least, math.Sqrt(math.Pi)*sum*w.g.VoxelMM3()/area)
}

// solid is the share of each voxel that lies inside: a ramp one voxel wide
// across the border that a field of shares, blurred by blurMM, shows.
func (w *work) solid(share []float32, blurMM float64) []float32 {
	width := math.Cbrt(w.g.VoxelMM3())
	out := make([]float32, len(w.phi))
	for n, d := range w.phi {
		switch f := share[n]; {
		case d < -levelMM || d < levelMM && f >= 1-shareEnd:
			out[n] = 1
		case d < levelMM && f > shareEnd:
			out[n] = float32(max(0, min(1, 0.5+blurMM*zeta(f)/width)))
		}
	}
	return out
}

// settle finds the bias of a border: the structure as it stands, blurred by
// blurMM once more, shows how far blur moves its border; to first order that is
// what it did to the true one. The levels are read in core and ring; without
// them they are 0 and 1.
func (w *work) settle(ctx context.Context, s *Surface, share []float32, blurMM float64, core, ring []int, side float64) (*nearby, error) {
	width := math.Cbrt(w.g.VoxelMM3())
	// What blur does to a curved border comes from its spread along the border;
	// the ramp adds to that across it alone.
	across := math.Sqrt(blurMM*blurMM + width*width/12)
	sigma, err := sigmaFor(ctx, w.g, blurMM*blurMM)
	if err != nil {
		return nil, err
	}
	blurred, err := filter.Gaussian(ctx, w.g, w.solid(share, blurMM), sigma)
	if err != nil {
		return nil, err
	}
	half := 0.0
	if core != nil {
		half = mathext.NormalQuantile((mean(blurred, core) + mean(blurred, ring)) / 2)
	}
	s.BiasMM = make([]float64, len(s.Points))
	for p, q := range s.Points {
		if s.Gain == nil || s.Gain[p] != 0 {
			s.BiasMM[p] = across * (half - w.zetaAt(blurred, q))
		}
	}
	return s.evenBias(side), nil
}

// sigmaFor is what to ask of filter.Gaussian on a grid for a variance in mm²:
// its weights are sampled and cut off, which on thick slices takes a tenth away.
func sigmaFor(ctx context.Context, g imaging.Grid, want float64) (float64, error) {
	const line = 41
	h := g.SpacingMM()
	got := func(sigma float64) (v float64, err error) {
		for a := range h {
			pulse := make([]float32, line)
			pulse[line/2] = 1
			pulse, err = filter.Gaussian(ctx, imaging.NewGrid([3]int{line, 1, 1}, r3.Vec{}, [3]float64{h[a], 1, 1}), pulse, sigma)
			if err != nil {
				return 0, err
			}
			for n, w := range pulse {
				d := float64(n-line/2) * h[a]
				v += float64(w) * d * d / 3
			}
		}
		return v, nil
	}
	if want <= 0 {
		return 0, nil
	}
	low, high := 0.5*math.Sqrt(want), 2*math.Sqrt(want)
	for range 20 {
		mid := (low + high) / 2
		v, err := got(mid)
		if err != nil {
			return 0, err
		}
		if v < want {
			low = mid
		} else {
			high = mid
		}
	}
	return high, nil
}

// zetaAt interpolates ζ of a field trilinearly.
func (w *work) zetaAt(f []float32, p r3.Vec) float64 {
	x, y, z := w.g.Voxel(p)
	var lo [3]int
	var t [3]float64
	for a, v := range [3]float64{x, y, z} {
		lo[a] = max(0, min(w.g.Size[a]-2, int(math.Floor(v))))
		t[a] = v - float64(lo[a])
		if w.g.Size[a] == 1 {
			lo[a], t[a] = 0, 0
		}
	}
	sum := 0.0
	for c := range 8 {
		weight := 1.0
		var at [3]int
		for a := range at {
			up := c >> a & 1
			at[a] = lo[a] + up
			if up == 1 {
				weight *= t[a]
			} else {
				weight *= 1 - t[a]
			}
		}
		if weight != 0 {
			sum += weight * zeta(f[w.g.Index(at[0], at[1], at[2])])
		}
	}
	return sum
}

// evenBias averages the bias over biasMM of the surface, because its own
// roughness is noise, and gathers the points in cubes of a side over which the
// error hardly changes.
func (s *Surface) evenBias(sideMM float64) *nearby {
	index := map[[3]int]int{}
	near := &nearby{side: sideMM, index: index}
	var blocks []block
	of := make([]int, len(s.Points))
	for p, q := range s.Points {
		key := near.key(q)
		n, ok := index[key]
		if !ok {
			n = len(blocks)
			index[key] = n
			blocks = append(blocks, block{})
		}
		of[p] = n
		a := s.AreaMM2[p]
		blocks[n].at = r3.Add(blocks[n].at, r3.Scale(a, q))
		blocks[n].normal = r3.Add(blocks[n].normal, r3.Scale(a, s.Normals[p]))
		blocks[n].area += a
		blocks[n].bias += a * s.BiasMM[p]
		switch {
		case s.Gain == nil:
			blocks[n].gain += a
		case s.Gain[p] == 0:
			blocks[n].unseen += a
		default:
			blocks[n].gain += a * s.Gain[p]
		}
	}
	for n := range blocks {
		if b := &blocks[n]; b.area > 0 {
			b.at = r3.Scale(1/b.area, b.at)
			b.bias /= b.area
			b.gain /= b.area
			b.unseen /= b.area
		}
		if l := r3.Norm(blocks[n].normal); l > 0 {
			blocks[n].normal = r3.Scale(1/l, blocks[n].normal)
		}
	}
	even := make([]float64, len(blocks))
	for n := range blocks {
		even[n] = biasNear(blocks, blocks[n].at, blocks[n].normal)
	}
	for n := range blocks {
		blocks[n].bias = even[n] * (1 - blocks[n].unseen)
	}
	for p := range s.Points {
		s.BiasMM[p] = 0
		if s.Gain == nil || s.Gain[p] != 0 {
			s.BiasMM[p] = even[of[p]]
		}
	}
	near.blocks = blocks
	return near
}

// nearby finds the bias of the block that a place lies in.
type nearby struct {
	blocks []block
	side   float64
	index  map[[3]int]int
}

func (n *nearby) key(q r3.Vec) [3]int {
	return [3]int{int(math.Floor(q.X / n.side)), int(math.Floor(q.Y / n.side)), int(math.Floor(q.Z / n.side))}
}

// bias is that of the block at q, else the mean of those around it.
func (n *nearby) bias(q, normal r3.Vec) float64 {
	if b, ok := n.index[n.key(q)]; ok {
		return n.blocks[b].bias
	}
	return biasNear(n.blocks, q, normal)
}

// biasMM is the standard deviation of the mean of biases.
const biasMM = 3

// biasNear is the mean bias around a place of a border that faces along normal.
// What faces elsewhere, such as the other side of a vessel, counts less.
func biasNear(blocks []block, at, normal r3.Vec) float64 {
	sum, weight := 0.0, 0.0
	for n := range blocks {
		b := &blocks[n]
		if d2 := r3.Norm2(r3.Sub(b.at, at)); d2 < 9*biasMM*biasMM {
			turn := max(0, r3.Dot(b.normal, normal))
			w := b.area * math.Exp(-d2/(2*biasMM*biasMM)) * turn * turn
			sum, weight = sum+w*b.bias, weight+w
		}
	}
	if weight == 0 {
		return 0
	}
	return sum / weight
}
