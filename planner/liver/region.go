package liver

import (
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// region is the part of the organ that the divided portal branches feed, with
// a smooth border.
type region struct {
	b *blocks
	// depth is about the distance from the border on the blocks' grid, mm, positive
	// inside, to within a few mm of it; beyond it only the sign and the size hold.
	depth []float32
	share []float64 // part of each block of the organ, 0 to 1
	in    []bool    // branches divided and all below them
	// doubt says of each point of the portal and hepatic trees whether it lies in
	// the doubtful border of the region.
	doubt [2][]bool
	// border is the surface in pieces, one for each block near it.
	border []borderPiece
}

// borderPiece is a piece of a region's border.
type borderPiece struct {
	foot r3.Vec // on it
	mm2  float64
	here bool // it passes through the block
}

// smoothPasses of a mean over 3×3×3 blocks take the corners off a border: a
// knife follows no blocks. Two have a standard deviation of smoothSD blocks.
const (
	smoothPasses = 2
	smoothSD     = 1.1547 // √(2·2/3)
	logitOfSD    = 1.702  // the logistic function nearest to the normal one
)

// SystemError is a branch that a plan names and the case does not have.
type SystemError struct{ Plan, System, Why string }

func (e *SystemError) Error() string {
	return fmt.Sprintf("liver: plan %q divides a branch of system %q: %s", e.Plan, e.System, e.Why)
}

// newRegion is what p's divided branches feed; nil when p divides none.
func (t *Trees) newRegion(p *planner.Plan) (*region, error) {
	if len(p.Divided) == 0 {
		return nil, nil
	}
	s := t.Portal
	if s == nil {
		return nil, &SystemError{p.Name, "portal", "the case has no portal tree"}
	}
	in, err := s.marked(p, p.Divided)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprint(p.Divided)
	t.regionMu.Lock()
	r := t.regions[key]
	t.regionMu.Unlock()
	if r == nil {
		r = t.blocks.newRegion(s, in)
		r.findDoubt(t)
		t.regionMu.Lock()
		defer t.regionMu.Unlock()
		if len(t.regions) >= keptRegions || t.regions == nil {
			t.regions = map[string]*region{}
		}
		t.regions[key] = r
	}
	return r, nil
}

// keptRegions bounds the regions that plans which divide the same share.
const keptRegions = 16

// surePart of the completions of the portal tree must give a place to a
// territory before a vessel there is taken with it: midway between its border,
// where half of them do, and its middle, where all do. In between nobody knows
// the border to where a vein runs, and the surgeon follows the vein: the right
// hepatic vein runs between the anterior and the posterior section, and a border
// drawn a few mm beyond it must not count as the loss of its outflow. On
// 3D-IRCADb 01_17 any part from 0.6 to 0.93 leaves the same plans without a veto,
// to within one; by distance alone, radii changed by a few per cent left 54 of
// 389 instead of 212 of 411.
const surePart = 0.75

// findDoubt fills doubt.
func (r *region) findDoubt(t *Trees) {
	for n, s := range [2]*System{t.Portal, t.Hepatic} {
		if s == nil {
			continue
		}
		r.doubt[n] = make([]bool, len(s.points))
		for m := range s.points {
			q := &s.points[m]
			r.doubt[n][m] = q.inside && r.at(q.p) > 0 && t.Portal.Supply.Share(r.in, q.p) < surePart
		}
	}
}

// newRegion is what the branches in feed.
func (b *blocks) newRegion(s *System, in []bool) *region {
	b.smoothOnce.Do(b.smoothWeights)
	r := &region{b: b, in: in, share: make([]float64, len(b.vox)), depth: make([]float32, b.grid.Len())}
	box := imaging.Box{Lo: b.grid.Size}
	for v, n := range b.vox {
		if of := s.Of[v]; of >= 0 && in[of] {
			i, j, k := b.grid.IJK(int(n))
			for d, x := range [3]int{i, j, k} {
				box.Lo[d], box.Hi[d] = min(box.Lo[d], x-smoothPasses), max(box.Hi[d], x+1+smoothPasses)
			}
		}
	}
	h := 0.0
	for _, a := range b.grid.Axes {
		h += r3.Norm(a) / 3
	}
	const least = 0.01 // beyond, the mean says only which side
	deep := h * smoothSD / logitOfSD * math.Log((1-least)/least)
	for n := range r.depth {
		r.depth[n] = float32(-deep)
	}
	if box = box.Clip(b.grid); !box.Empty() {
		b.draw(r, s, box, h, deep, least)
	}
	for v, n := range b.vox {
		r.share[v] = max(0, min(1, 0.5+float64(r.depth[n])/h))
	}
	r.findBorder()
	return r
}

// findBorder fills border: the area is the sum over the blocks of a hat
// function of the depth times the length of its gradient, ∫ δ(d) |∇d| dV.
func (r *region) findBorder() {
	b := r.b
	h := 0.0
	for _, axis := range b.grid.Axes {
		h = max(h, r3.Norm(axis))
	}
	for v, n := range b.vox {
		d := float64(r.depth[n])
		if math.Abs(d) >= h {
			continue
		}
		s := r.slope(int(n))
		l2 := r3.Norm2(s)
		if l2 == 0 {
			continue
		}
		r.border = append(r.border, borderPiece{r3.Sub(b.centre[v], r3.Scale(d/l2, s)), 1000 * b.ml[v] * (1 - math.Abs(d)/h) / h * math.Sqrt(l2), math.Abs(d) <= h*math.Sqrt(l2)})
	}
}

// draw fills the depth in a box that holds the region and what smoothing
// reaches.
func (b *blocks) draw(r *region, s *System, box imaging.Box, h, deep, least float64) {
	size := box.Size()
	value, tmp := make([]float32, size[0]*size[1]*size[2]), make([]float32, size[0]*size[1]*size[2])
	each := func(f func(m, n int)) {
		for k := range size[2] {
			for j := range size[1] {
				m, n := size[0]*(j+size[1]*k), b.grid.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k)
				for i := range size[0] {
					f(m+i, n+i)
				}
			}
		}
	}
	each(func(m, n int) {
		if v := b.at[n]; v >= 0 && s.Of[v] >= 0 && r.in[s.Of[v]] {
			value[m] = 1
		}
	})
	value = smooth(value, tmp, size)
	each(func(m, n int) {
		switch x := float64(value[m] * b.weight[n]); {
		case x <= least:
		case x >= 1-least:
			r.depth[n] = float32(deep)
		default:
			r.depth[n] = float32(h * smoothSD / logitOfSD * math.Log(x/(1-x)))
		}
	})
}

// marked are branches named in a plan with all below them.
func (s *System) marked(p *planner.Plan, of []planner.Branch) ([]bool, error) {
	in := make([]bool, len(s.Tree.Branches))
	for _, d := range of {
		if d.System != s.Name {
			return nil, &SystemError{p.Name, d.System, "only portal branches have territories"}
		}
		if d.Index < 0 || d.Index >= len(in) {
			return nil, &SystemError{p.Name, d.System, fmt.Sprintf("it has no branch %d of %d", d.Index, len(in))}
		}
		in[d.Index] = true
	}
	for n := range in {
		if q := s.Tree.Branches[n].Parent; q >= 0 && in[q] {
			in[n] = true
		}
	}
	return in, nil
}

// smoothWeights fills weight: one over the smoothed organ.
func (b *blocks) smoothWeights() {
	one := make([]float32, b.grid.Len())
	for _, n := range b.vox {
		one[n] = 1
	}
	b.weight = smooth(one, make([]float32, len(one)), b.grid.Size)
	for n, w := range b.weight {
		if w > 0 {
			b.weight[n] = 1 / w
		}
	}
}

// smooth takes the means over 3×3×3 blocks; the result is one of the two.
func smooth(value, tmp []float32, size [3]int) []float32 {
	for range smoothPasses {
		for axis := range 3 {
			mean3(tmp, value, size, axis)
			value, tmp = tmp, value
		}
	}
	return value
}

// mean3 is the sum over each block and its two neighbours along an axis.
func mean3(dst, src []float32, s [3]int, axis int) {
	if axis == 0 {
		for from := 0; from < len(src); from += s[0] {
			row, to := src[from:from+s[0]], dst[from:from+s[0]]
			last := float32(0)
			for i, x := range row {
				next := float32(0)
				if i+1 < len(row) {
					next = row[i+1]
				}
				to[i] = last + x + next
				last = x
			}
		}
		return
	}
	step := [3]int{1, s[0], s[0] * s[1]}[axis]
	for from := 0; from < len(src); from += s[0] { // rows along i
		c := from / step % s[axis]
		to := dst[from : from+s[0]]
		copy(to, src[from:from+s[0]])
		if c > 0 {
			for i, x := range src[from-step : from-step+s[0]] {
				to[i] += x
			}
		}
		if c+1 < s[axis] {
			for i, x := range src[from+step : from+step+s[0]] {
				to[i] += x
			}
		}
	}
}

// at is the depth of p in the region, linear between the blocks' middles.
func (r *region) at(p r3.Vec) float64 {
	x, y, z := r.b.grid.Voxel(p)
	s := r.b.grid.Size
	split := func(t float64, n int) (int, int, float64) {
		t = max(0, min(float64(n-1), t))
		i := min(int(t), max(0, n-2))
		return i, min(i+1, n-1), t - float64(i)
	}
	i0, i1, fx := split(x, s[0])
	j0, j1, fy := split(y, s[1])
	k0, k1, fz := split(z, s[2])
	line := func(j, k int) float64 {
		at := s[0] * (j + s[1]*k)
		return float64(r.depth[at+i0])*(1-fx) + float64(r.depth[at+i1])*fx
	}
	return (line(j0, k0)*(1-fy)+line(j1, k0)*fy)*(1-fz) + (line(j0, k1)*(1-fy)+line(j1, k1)*fy)*fz
}

// slope is the gradient of depth at block n of the grid.
func (r *region) slope(n int) r3.Vec {
	i, j, k := r.b.grid.IJK(n)
	var out r3.Vec
	step := 1
	for d, c := range [3]int{i, j, k} {
		lo, hi, span := n, n, 0.0
		if c > 0 {
			lo, span = n-step, 1
		}
		if c+1 < r.b.grid.Size[d] {
			hi, span = n+step, span+1
		}
		if span > 0 {
			a := r.b.grid.Axes[d]
			out = r3.Add(out, r3.Scale(float64(r.depth[hi]-r.depth[lo])/(span*r3.Norm2(a)), a))
		}
		step *= r.b.grid.Size[d]
	}
	return out
}
