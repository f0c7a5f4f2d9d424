package needle

import (
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// zone is what one ablation kills: an ellipsoid of revolution about the shaft,
// semi-axes in mm.
type zone struct{ along, across float64 }

// burn is a zone in place.
type burn struct {
	zone
	at, axis r3.Vec // centre, LPS mm; unit
}

// holds reports whether p is killed.
func (b *burn) holds(p r3.Vec) bool {
	q := r3.Sub(p, b.at)
	a := r3.Dot(q, b.axis)
	return (r3.Norm2(q)-a*a)/(b.across*b.across)+a*a/(b.along*b.along) <= 1
}

// ablationMarginMM is what is to be killed around the tumour (clinical.md §3).
const ablationMarginMM = 5

// killed measures the union of burns on the voxels of the case's grid, by their
// centres: all of it, that in the tumour, that within the tumour and the organ
// ablationMarginMM around it, and the whole of the latter, mL. grow moves the
// tumour's border out.
type killed struct{ all, tumour, covered, wanted, organ float64 }

func (c *Case) killed(burns []burn, grow float64) (k killed) {
	// what is to be killed, and what the burns reach
	box, h := imaging.Box{}, c.Grid.SpacingMM()
	wide := targetMarginMM - ablationMarginMM - 2*max(h[0], h[1], h[2]) - max(0, grow)
	for a := range box.Lo {
		in := max(0, int(wide/h[a])) // the crop of the target has more margin than needed
		lo, n := int(c.tumour.lo[a]), c.tumour.size[a]
		if n <= 2*in+2 || lo == 0 || lo+n == c.Grid.Size[a] {
			in = 0
		}
		box.Lo[a], box.Hi[a] = lo+in, lo+n-in
	}
	for _, b := range burns {
		i, j, l := c.Grid.Voxel(b.at)
		p := imaging.Box{}
		for a, v := range [3]float64{i, j, l} {
			p.Lo[a], p.Hi[a] = int(math.Floor(v)), int(math.Floor(v))+2
		}
		p = p.Grow(c.Grid, max(b.along, b.across))
		for a := range box.Lo {
			box.Lo[a], box.Hi[a] = min(box.Lo[a], p.Lo[a]), max(box.Hi[a], p.Hi[a])
		}
	}
	box = box.Clip(c.Grid)
	vol := c.Grid.VoxelMM3() / 1000
	dead := make([]bool, box.Size()[0])
	for z := box.Lo[2]; z < box.Hi[2]; z++ {
		for y := box.Lo[1]; y < box.Hi[1]; y++ {
			clear(dead)
			from := c.Grid.Point(float64(box.Lo[0]), float64(y), float64(z))
			for n := range burns {
				burns[n].row(dead, from, c.Grid.Axes[0])
			}
			for i, gone := range dead {
				x := box.Lo[0] + i
				in, wanted, organ := c.kind(x, y, z, grow)
				if wanted {
					k.wanted += vol
				}
				if !gone {
					continue
				}
				k.all += vol
				if in {
					k.tumour += vol
				}
				if wanted {
					k.covered += vol
				}
				if organ {
					k.organ += vol
				}
			}
		}
	}
	return k
}

// row marks the points from + i·step that the burn holds: those between the
// roots of a quadratic, looked at once more near its ends.
func (b *burn) row(dead []bool, from, step r3.Vec) {
	q := r3.Sub(from, b.at)
	e, f := 1/(b.across*b.across), 1/(b.along*b.along)-1/(b.across*b.across)
	qa, sa := r3.Dot(q, b.axis), r3.Dot(step, b.axis)
	a2 := e*r3.Norm2(step) + f*sa*sa
	a1 := e*r3.Dot(q, step) + f*qa*sa
	a0 := e*r3.Norm2(q) + f*qa*qa - 1
	root := a1*a1 - a2*a0
	if root < 0 {
		root = 0 // the points next to the extremum are looked at
	}
	root = math.Sqrt(root)
	lo, hi := int(math.Floor((-a1-root)/a2))-1, int(math.Ceil((-a1+root)/a2))+1
	lo, hi = max(lo, 0), min(hi, len(dead)-1)
	for lo <= hi && !b.holds(r3.Add(from, r3.Scale(float64(lo), step))) {
		lo++
	}
	for lo <= hi && !b.holds(r3.Add(from, r3.Scale(float64(hi), step))) {
		hi--
	}
	for i := lo; i <= hi; i++ {
		dead[i] = true
	}
}

// kind says of a voxel whether it is tumour, whether it is to be killed, and
// whether it is organ outside the tumour. Without a mask of the organ all
// around the tumour is to be killed.
func (c *Case) kind(x, y, z int, grow float64) (tumour, wanted, organ bool) {
	d := c.tumour.sample(x, y, z) - grow
	tumour = d < 0
	in := c.organField == nil || c.organField.sample(x, y, z) < 0
	return tumour, tumour || in && d < ablationMarginMM, in && !tumour
}

// sample is the value at a voxel of the case's grid; beyond the crop, that of
// the nearest voxel within.
func (f *Field) sample(x, y, z int) float64 {
	i, j, k := x-int(f.lo[0]), y-int(f.lo[1]), z-int(f.lo[2])
	ci, cj, ck := min(max(i, 0), f.size[0]-1), min(max(j, 0), f.size[1]-1), min(max(k, 0), f.size[2]-1)
	return float64(f.MM[ci+f.row*cj+f.page*ck])
}
