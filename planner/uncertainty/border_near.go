package uncertainty

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// layer is a volume between the mask and the border as it stands, positive
// outside the mask.
type layer struct {
	at  r3.Vec
	mm3 float64
}

// layers are those of the crossings of the surface that was made last, each by
// a third for its axis, and of the voxels that the image takes from the mask or
// adds to it. With the mask's voxels they add up to the volume within the border.
func (w *work) layers(s *Surface) []layer {
	out := make([]layer, 0, len(s.Points))
	for n, p := range s.Points {
		out = append(out, layer{p, w.layer[n]})
	}
	for n, d := range w.phi {
		in := d < 0
		if d >= -refineMM && d <= refineMM {
			in = float64(w.share[n]) > 0.5
		}
		if in == (d < 0) {
			continue
		}
		i, j, k := w.g.IJK(n)
		mm3 := w.g.VoxelMM3()
		if !in {
			mm3 = -mm3
		}
		out = append(out, layer{w.g.Point(float64(i), float64(j), float64(k)), mm3})
	}
	return out
}

// Layers calls f with every volume between the mask and the border as it
// stands, mm³, positive outside the mask. Their sum is VolumeMM3 less the
// volume of the mask's voxels.
func (b *Border) Layers(f func(at r3.Vec, mm3 float64)) {
	for _, l := range b.layers {
		f(l.at, l.mm3)
	}
}

// PieceAt are the places of the pieces of Moved.Pieces, LPS mm.
func (b *Border) PieceAt() []r3.Vec {
	out := make([]r3.Vec, len(b.blocks))
	for n := range out {
		out[n] = b.blocks[n].at
	}
	return out
}

// AreaMM2 is the area of the border.
func (b *Border) AreaMM2() float64 {
	sum := 0.0
	for n := range b.blocks {
		sum += b.blocks[n].area
	}
	return sum
}

func (s *Surface) gain(n int) float64 {
	if s.Gain == nil {
		return 1
	}
	return s.Gain[n]
}

func (s *Surface) mostGain() float64 {
	if s.Gain == nil {
		return 1
	}
	most := 0.0
	for _, g := range s.Gain {
		most = max(most, math.Abs(g))
	}
	return most
}

// seen is the share of the area at which there is a step.
func (s *Surface) seen() float64 {
	seen, all := 0.0, 0.0
	for n, a := range s.AreaMM2 {
		all += a
		if s.gain(n) != 0 {
			seen += a
		}
	}
	if all == 0 {
		return 0
	}
	return seen / all
}

// pointIndex finds points of a surface by place.
type pointIndex struct {
	at    []r3.Vec
	lo    r3.Vec
	size  [3]int
	first []int32 // of each cell; one more at the end
	list  []int32
}

const (
	cellMM = 3.0
	// trustMM is the largest bias of a point that distances are taken from: what is
	// so thin or so sharp that blur moves it further is not measured.
	trustMM = 1.5
)

func newPointIndex(s *Surface) *pointIndex {
	x := &pointIndex{at: s.Points, lo: r3.Vec{X: math.Inf(1), Y: math.Inf(1), Z: math.Inf(1)}}
	hi := r3.Scale(-1, x.lo)
	var use []int32
	for n, p := range s.Points {
		if math.Abs(s.BiasMM[n]) <= trustMM && s.gain(n) != 0 {
			use = append(use, int32(n))
			x.lo = r3.Vec{X: min(x.lo.X, p.X), Y: min(x.lo.Y, p.Y), Z: min(x.lo.Z, p.Z)}
			hi = r3.Vec{X: max(hi.X, p.X), Y: max(hi.Y, p.Y), Z: max(hi.Z, p.Z)}
		}
	}
	if len(use) == 0 {
		return x
	}
	d := r3.Sub(hi, x.lo)
	x.size = [3]int{int(d.X/cellMM) + 1, int(d.Y/cellMM) + 1, int(d.Z/cellMM) + 1}
	x.first = make([]int32, x.size[0]*x.size[1]*x.size[2]+1)
	for _, n := range use {
		x.first[x.cell(s.Points[n])+1]++
	}
	for c := range x.first[1:] {
		x.first[c+1] += x.first[c]
	}
	x.list = make([]int32, len(use))
	next := append([]int32(nil), x.first...)
	for _, n := range use {
		c := x.cell(s.Points[n])
		x.list[next[c]] = n
		next[c]++
	}
	return x
}

func (x *pointIndex) place(p r3.Vec) [3]int {
	d := r3.Sub(p, x.lo)
	return [3]int{int(math.Floor(d.X / cellMM)), int(math.Floor(d.Y / cellMM)), int(math.Floor(d.Z / cellMM))}
}

func (x *pointIndex) cell(p r3.Vec) int {
	c := x.place(p)
	return c[0] + x.size[0]*(c[1]+x.size[1]*c[2])
}

// Nearest is the point of Smooth that is nearest to p among those within so many
// mm from which distances may be taken: those at a step of the image that blur
// and smoothing move by no more than 1.5 mm. It is false when there is none.
func (b *Border) Nearest(p r3.Vec, withinMM float64) (n int, ok bool) {
	x := b.index
	if x == nil || len(x.list) == 0 {
		return 0, false
	}
	c := x.place(p)
	best := withinMM * withinMM
	for ring := 0; ; ring++ {
		if d := float64(ring-1) * cellMM; ring > 0 && d > 0 && d*d > best { // all further ones are further
			return n, ok
		}
		for k := max(0, c[2]-ring); k <= min(x.size[2]-1, c[2]+ring); k++ {
			for j := max(0, c[1]-ring); j <= min(x.size[1]-1, c[1]+ring); j++ {
				step := 1
				if k != c[2]-ring && k != c[2]+ring && j != c[1]-ring && j != c[1]+ring {
					step = max(1, 2*ring) // only the ends of the row lie on the ring
				}
				for i := c[0] - ring; i <= c[0]+ring; i += step {
					if i < 0 || i >= x.size[0] {
						continue
					}
					at := i + x.size[0]*(j+x.size[1]*k)
					for _, m := range x.list[x.first[at]:x.first[at+1]] {
						if d := r3.Norm2(r3.Sub(x.at[m], p)); d < best {
							best, n, ok = d, int(m), true
						}
					}
				}
			}
		}
	}
}

// SignedMM is the distance of p from the surface by its point n, the nearest one,
// negative inside: close by from the plane through the point, beyond planeMM
// from the point itself.
func (s *Surface) SignedMM(p r3.Vec, n int) float64 {
	d := r3.Sub(p, s.Points[n])
	plane, point := r3.Dot(d, s.Normals[n]), r3.Norm(d)
	if plane < 0 {
		point = -point
	}
	t := max(0, min(1, math.Abs(point)/planeMM-1))
	return plane + t*(point-plane)
}

// planeMM is more than the distance between points of a surface.
const planeMM = 2.0
