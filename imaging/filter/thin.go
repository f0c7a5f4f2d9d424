package filter

import (
	"context"
	"math/bits"

	"halsted/imaging"
)

// Thin reduces m to curves one voxel wide with the same topology: as many
// pieces (26-connected), tunnels and cavities as m. Border voxels are taken off
// from the six sides in turn, as in Lee, Kashyap, Chu, CVGIP: Graphical Models
// and Image Processing 56 (1994) 462: of a side, the voxels that are simple (their
// removal changes no topology) and no end of a curve (they have more than one
// neighbour) go one after the other while they are still simple. Outside the grid
// counts as background.
func Thin(ctx context.Context, g imaging.Grid, m Mask) (Mask, error) {
	out := make(Mask, len(m))
	box := Bounds(g, m)
	if box.Empty() {
		return out, ctx.Err()
	}
	// a crop with a rim of background needs no checks at its border
	size := box.Size()
	t := thinner{nx: size[0] + 2, nxy: (size[0] + 2) * (size[1] + 2)}
	t.in = make([]bool, t.nxy*(size[2]+2))
	var left []int32
	each := func(f func(n, at int)) {
		for k := range size[2] {
			for j := range size[1] {
				n := g.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k)
				at := 1 + t.nx*(j+1) + t.nxy*(k+1)
				for i := range size[0] {
					f(n+i, at+i)
				}
			}
		}
	}
	each(func(n, at int) {
		if m[n] {
			t.in[at] = true
			left = append(left, int32(at))
		}
	})
	if err := t.run(ctx, left); err != nil {
		return nil, err
	}
	each(func(n, at int) { out[n] = t.in[at] })
	return out, nil
}

type thinner struct {
	in      []bool
	nx, nxy int
}

func (t *thinner) run(ctx context.Context, left []int32) error {
	sides := [6]int{-t.nxy, t.nxy, -t.nx, t.nx, 1, -1}
	var gone []int32
	for changed := true; changed; {
		changed = false
		for _, side := range sides {
			gone = gone[:0]
			for c, n := range left {
				if c&0xffff == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if !t.in[int(n)+side] && t.loose(int(n)) {
					gone = append(gone, n)
				}
			}
			// each is asked again in what the others left whether it is simple, not
			// whether it has become an end: that would leave a spur at every bump
			for _, n := range gone {
				if simple(t.around(int(n))) {
					t.in[n] = false
					changed = true
				}
			}
		}
		kept := left[:0]
		for _, n := range left {
			if t.in[n] {
				kept = append(kept, n)
			}
		}
		left = kept
	}
	return ctx.Err()
}

// loose reports whether voxel n may go.
func (t *thinner) loose(n int) bool {
	c := t.around(n)
	return bits.OnesCount32(c) > 1 && simple(c)
}

// around is the neighbourhood of n as bits 9·(dk+1) + 3·(dj+1) + (di+1); the
// centre is left out.
func (t *thinner) around(n int) uint32 {
	var c uint32
	bit := uint32(1)
	for dk := -t.nxy; dk <= t.nxy; dk += t.nxy {
		for dj := -t.nx; dj <= t.nx; dj += t.nx {
			for _, in := range t.in[n+dk+dj-1 : n+dk+dj+2] {
				if in {
					c |= bit
				}
				bit <<= 1
			}
		}
	}
	return c &^ (1 << 13)
}

// Neighbours of each of the 27 places within the cube: across faces, edges and
// corners, and across faces only.
var cube26, cube6 [27]uint32

// cubeFaces are the 6 face neighbours of the centre, cubeNoCorner those and the
// 12 across edges.
var cubeFaces, cubeNoCorner uint32

func init() {
	for a := range 27 {
		ax, ay, az := a%3, a/3%3, a/9
		for b := range 27 {
			dx, dy, dz := ax-b%3, ay-b/3%3, az-b/9
			s := dx*dx + dy*dy + dz*dz
			if b != 13 && s > 0 && max(dx*dx, dy*dy, dz*dz) == 1 {
				cube26[a] |= 1 << b
				if s == 1 {
					cube6[a] |= 1 << b
				}
			}
			if a == 13 && s == 1 {
				cubeFaces |= 1 << b
			}
			if a == 13 && (s == 1 || s == 2) {
				cubeNoCorner |= 1 << b
			}
		}
	}
}

// simple reports whether the centre of the neighbourhood c can go without a
// change of topology: one 26-connected piece of object around it, and one
// 6-connected piece of background among its face and edge neighbours that
// touches a face (Bertrand, Malandain, Pattern Recognition Letters 15 (1994)
// 169).
func simple(c uint32) bool {
	if c == 0 {
		return false
	}
	if spreadBits(c&-c, c, &cube26) != c {
		return false
	}
	empty := ^c & cubeNoCorner
	faces := empty & cubeFaces
	if faces == 0 {
		return false
	}
	return spreadBits(faces&-faces, empty, &cube6)&faces == faces
}

// spreadBits grows seed within the set.
func spreadBits(seed, within uint32, near *[27]uint32) uint32 {
	got, front := seed, seed
	for front != 0 {
		var next uint32
		for f := front; f != 0; f &= f - 1 {
			next |= near[bits.TrailingZeros32(f)]
		}
		front = next & within &^ got
		got |= front
	}
	return got
}
