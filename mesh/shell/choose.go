package shell

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
)

// Choice divides the voxels of a vessel into a part that is worth meshing and
// a part that is embedded.
type Choice struct {
	// Conforming is the label map with the embedded voxels given to the tissue
	// around them: mesh this one.
	Conforming *imaging.Labels
	// Embedded lists the voxels of the vessel that were given away (storage
	// indices, ascending).
	Embedded []int32
	// Lines are the centre lines of the embedded part; tie their points to the
	// tetrahedra with mesh.Embed.
	Lines Lines

	RadiusMM                       float64 // the threshold, ratio times edge
	ConformingMM3, EmbeddedMM3     float64 // by voxel count; together the vessel
	ConformingMaxMM, EmbeddedMaxMM float64 // largest inscribed radius of each part, mm
	Parts                          int     // of the embedded part (26-neighbourhood)
}

// IsEmbedded gives the embedded voxels as a mask over the grid of the labels.
func (c *Choice) IsEmbedded() []bool {
	m := make([]bool, len(c.Conforming.ID))
	for _, n := range c.Embedded {
		m[n] = true
	}
	return m
}

// Choose sorts the voxels of a vessel by its local radius: the radius of the
// largest ball inside the vessel that holds the voxel (T. Hildebrand, P.
// Rüegsegger, J. Microscopy 185 (1997) 67, doi:10.1046/j.1365-2818.1997.1340694.x),
// from the exact distance transform between voxel centres (for a tube of one to
// eight voxels' radius that is 0 to 0.4 voxels too small). Where it reaches ratio times the edge
// length of the mesh the vessel conforms: tetrahedra resolve it. Thinner
// branches are embedded. A voxel that no such ball holds conforms all the same
// when it lies within a voxel's diagonal of one that does (the roughness of the
// surface of a large vessel), or in a stub that ends within the threshold. Every
// voxel of the vessel ends in exactly one of the two parts.
//
// A voxel given away takes the label of the nearest voxels of tissue, counted
// in steps through faces: every label but vessel and background, or those for
// which tissue is true when it is not nil. A part that touches no tissue goes to
// the background.
//
// Errors: *NoVesselError, an error for an invalid grid or for an edge or ratio
// that is not positive and finite, ctx.Err().
func Choose(ctx context.Context, l *imaging.Labels, vessel imaging.Label, edgeMM, ratio float64, tissue func(imaging.Label) bool) (*Choice, error) {
	if err := l.Grid.Validate(); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	if len(l.ID) != l.Grid.Len() {
		return nil, fmt.Errorf("shell: %d labels for a grid of %v voxels", len(l.ID), l.Grid.Size)
	}
	if vessel == imaging.LabelBackground {
		return nil, errors.New("shell: the vessel is LabelBackground")
	}
	radius := edgeMM * ratio
	if !goodThickness(edgeMM) || !goodThickness(ratio) || !goodThickness(radius) {
		return nil, fmt.Errorf("shell: an edge of %g mm times a ratio of %g: both must be positive and finite", edgeMM, ratio)
	}
	if tissue == nil {
		tissue = func(imaging.Label) bool { return true }
	}
	in := func(n int) bool { return l.ID[n] == vessel }
	box := l.Grid.Bounds(in)
	if box.Empty() {
		return nil, &NoVesselError{Vessel: vessel}
	}
	// one voxel beyond on each side: the border of the grid counts as the
	// vessel's end
	for a := range 3 {
		box.Lo[a]--
		box.Hi[a]++
	}
	v := &vesselMap{l: l, vessel: vessel, box: box, grid: l.Grid.Crop(box)}
	var err error
	v.depth, err = distance.Unsigned(ctx, v.grid, func(n int) bool {
		w := v.whole(n)
		return w < 0 || l.ID[w] != vessel
	})
	if err != nil {
		return nil, err
	}
	c := &Choice{RadiusMM: radius}
	thin, err := v.thin(ctx, radius)
	if err != nil {
		return nil, err
	}
	if c.Conforming, c.Embedded, err = v.giveAway(ctx, thin, tissue); err != nil {
		return nil, err
	}
	voxel := l.Grid.VoxelMM3()
	c.EmbeddedMM3 = float64(len(c.Embedded)) * voxel
	for n, d := range v.depth {
		switch {
		case d <= 0:
		case thin[n]:
			c.EmbeddedMaxMM = max(c.EmbeddedMaxMM, float64(d))
		default:
			c.ConformingMM3 += voxel
			c.ConformingMaxMM = max(c.ConformingMaxMM, float64(d))
		}
	}
	c.Lines, c.Parts, err = v.lines(ctx, thin, edgeMM)
	return c, err
}

// NoVesselError says that no voxel carries the label.
type NoVesselError struct{ Vessel imaging.Label }

func (e *NoVesselError) Error() string {
	return fmt.Sprintf("shell: no voxel is labelled %v", e.Vessel)
}

// vesselMap is a vessel in the box around it.
type vesselMap struct {
	l      *imaging.Labels
	vessel imaging.Label
	box    imaging.Box
	grid   imaging.Grid // of the box
	depth  []float32    // mm to the nearest voxel centre outside the vessel; 0 outside
}

// whole is the storage index in the label map of voxel n of the box, or −1
// beyond the grid.
func (v *vesselMap) whole(n int) int {
	i, j, k := v.grid.IJK(n)
	i, j, k = i+v.box.Lo[0], j+v.box.Lo[1], k+v.box.Lo[2]
	if !v.l.Grid.Contains(i, j, k) {
		return -1
	}
	return v.l.Grid.Index(i, j, k)
}

// thin marks the voxels that are embedded.
func (v *vesselMap) thin(ctx context.Context, radius float64) ([]bool, error) {
	h := v.grid.SpacingMM()
	diagonal := math.Sqrt(h[0]*h[0] + h[1]*h[1] + h[2]*h[2])
	thin := make([]bool, len(v.depth))
	away, err := distance.Unsigned(ctx, v.grid, func(n int) bool { return float64(v.depth[n]) >= radius })
	if errors.Is(err, distance.ErrEmptySet) {
		for n, d := range v.depth {
			thin[n] = d > 0
		}
		return thin, nil
	}
	if err != nil {
		return nil, err
	}
	for n, d := range v.depth {
		thin[n] = d > 0 && float64(away[n]) > radius+diagonal
	}
	// stubs go back: parts that end within another radius
	part, count, err := v.parts(ctx, thin)
	if err != nil {
		return nil, err
	}
	far := make([]float32, count)
	for n, p := range part {
		if p >= 0 {
			far[p] = max(far[p], away[n])
		}
	}
	for n, p := range part {
		if p >= 0 && float64(far[p]) <= 2*radius+diagonal {
			thin[n] = false
		}
	}
	return thin, nil
}

// parts numbers the parts of a mask that hang together through faces, edges or
// corners, in order of their first voxel; −1 outside.
func (v *vesselMap) parts(ctx context.Context, in []bool) (part []int32, count int, err error) {
	part = make([]int32, len(in))
	for n := range part {
		part[n] = -1
	}
	var stack []int32
	steps := 0
	for n := range in {
		if !in[n] || part[n] >= 0 {
			continue
		}
		part[n] = int32(count)
		stack = append(stack[:0], int32(n))
		for len(stack) > 0 {
			if steps++; steps&0xffff == 0 && ctx.Err() != nil {
				return nil, 0, ctx.Err()
			}
			s := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			v.around(int(s), func(o int, _ float64) {
				if in[o] && part[o] < 0 {
					part[o] = int32(count)
					stack = append(stack, int32(o))
				}
			})
		}
		count++
	}
	return part, count, ctx.Err()
}

// around visits the 26 neighbours of voxel n inside the box, in storage order,
// with their distance in mm.
func (v *vesselMap) around(n int, visit func(o int, mm float64)) {
	h := v.grid.SpacingMM()
	i, j, k := v.grid.IJK(n)
	for dk := -1; dk <= 1; dk++ {
		for dj := -1; dj <= 1; dj++ {
			for di := -1; di <= 1; di++ {
				if (di != 0 || dj != 0 || dk != 0) && v.grid.Contains(i+di, j+dj, k+dk) {
					x, y, z := float64(di)*h[0], float64(dj)*h[1], float64(dk)*h[2]
					visit(v.grid.Index(i+di, j+dj, k+dk), math.Sqrt(x*x+y*y+z*z))
				}
			}
		}
	}
}

// giveAway labels the thin voxels as the tissue around them, ring by ring from
// outside.
func (v *vesselMap) giveAway(ctx context.Context, thin []bool, tissue func(imaging.Label) bool) (*imaging.Labels, []int32, error) {
	out := &imaging.Labels{Grid: v.l.Grid, ID: append([]imaging.Label(nil), v.l.ID...)}
	var left, given []int32 // voxels of the box
	for n, t := range thin {
		if t {
			left = append(left, int32(n))
			w := v.whole(n)
			given = append(given, int32(w))
			out.ID[w] = v.vessel
		}
	}
	var may [256]bool
	for l := 1; l < 256; l++ {
		may[l] = imaging.Label(l) != v.vessel && tissue(imaging.Label(l))
	}
	steps := [6][3]int{{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}}
	next := make([]imaging.Label, len(left))
	for len(left) > 0 {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		any := false
		for i, n := range left {
			x, y, z := v.grid.IJK(int(n))
			x, y, z = x+v.box.Lo[0], y+v.box.Lo[1], z+v.box.Lo[2]
			next[i] = imaging.LabelBackground
			for _, s := range steps {
				if !out.Grid.Contains(x+s[0], y+s[1], z+s[2]) {
					continue
				}
				if l := out.ID[out.Grid.Index(x+s[0], y+s[1], z+s[2])]; may[l] {
					next[i], any = l, true
					break
				}
			}
		}
		rest := left[:0]
		for i, n := range left {
			switch {
			case next[i] != imaging.LabelBackground || !any:
				out.ID[v.whole(int(n))] = next[i]
			default:
				rest = append(rest, n)
			}
		}
		left = rest
	}
	return out, given, nil
}
