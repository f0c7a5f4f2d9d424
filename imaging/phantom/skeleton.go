package phantom

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// skeleton is the bone of the trunk: whole for the truth, layers for the image.
type skeleton struct {
	whole  field
	layers []layer
}

// drawSkeleton makes eight pairs of ribs, the lower sternum and the spine from
// about T8 to L3. Bone is a cortical shell around cancellous bone.
func drawSkeleton(j jitter, w *wall) skeleton {
	spineY := w.spineY
	period := j.about(33, 0.04)
	start := -150 + 10*j.draw()

	var outer, inner, gristle []capsule
	for n := range 8 { // ribs 12, 11, … 5
		head := start + period*(float64(n)+4.15) // height at the spine
		// The twelfth ends in the flank, the eleventh in the side, the others in
		// cartilage towards the front.
		end := []float64{1.15, 1.75, 2.35, 2.45, 2.55, 2.62, 2.66, 2.7}[n] + 0.04*j.draw()
		drop := j.about([]float64{60, 80, 95, 100, 100, 95, 90, 85}[n], 0.08)
		const from, step = 0.22, 0.06
		for _, side := range []float64{-1, 1} {
			var line, soft []r3.Vec
			for phi := from; phi < 2.95; phi += step {
				p := w.rib(phi, side, head-drop*(1-math.Cos(min(phi, 2.5)))/2+18*max(0, phi-2.5))
				if phi <= end {
					line = append(line, p)
				} else if n >= 2 && len(soft) < 9 {
					soft = append(soft, p)
				}
			}
			outer = append(outer, chain(line, 5.0)...)
			inner = append(inner, chain(line, 3.3)...)
			gristle = append(gristle, chain(soft, 4.6)...)
		}
	}

	var bodies, marrow, discs []field
	var arch []capsule
	for n := range 9 {
		z := start + period*float64(n)
		c := r3.Vec{Y: spineY, Z: z}
		r := r3.Vec{X: 22 - 0.5*float64(n), Y: 17 - 0.3*float64(n), Z: period/2 - 3.2}
		bodies = append(bodies, superEllipsoid(c, r))
		marrow = append(marrow, superEllipsoid(c, r3.Sub(r, r3.Vec{X: 1.6, Y: 1.6, Z: 1.6})))
		discs = append(discs, ellipsoid(r3.Add(c, r3.Vec{Z: period / 2}), r3.Vec{X: r.X - 1, Y: r.Y - 1, Z: 7.5}))
		back := spineY + r.Y
		tip := r3.Vec{Y: back + 25, Z: z - 14}
		lamina := r3.Vec{Y: back + 19, Z: z - 4}
		arch = append(arch, capsule{lamina, tip, 4})
		for _, side := range []float64{-1, 1} {
			pedicle := r3.Vec{X: side * 13, Y: back + 7, Z: z + 3}
			arch = append(arch,
				capsule{r3.Vec{X: side * 13, Y: back - 3, Z: z + 3}, pedicle, 4.5},
				capsule{pedicle, lamina, 4.2},
				capsule{pedicle, r3.Vec{X: side * 34, Y: back + 13, Z: z + 3}, 4})
		}
	}
	core := make([]capsule, len(arch))
	for n, c := range arch {
		core[n] = capsule{c.a, c.b, c.r - 1.5}
	}

	sternum := ellipsoid(r3.Vec{Y: -w.ribF * 0.99, Z: 128}, r3.Vec{X: 17, Y: 5.5, Z: 32})
	sternumCore := ellipsoid(r3.Vec{Y: -w.ribF * 0.99, Z: 128}, r3.Vec{X: 15, Y: 4, Z: 30})
	canal := column(0, spineY+17+8.5, 9, 8)
	ribs := tubes(outer)

	hard := union(append(bodies, tubes(arch), ribs, sternum)...)
	soft := union(append(marrow, tubes(core), tubes(inner), sternumCore)...)
	open := not(canal)
	return skeleton{
		whole: meet(hard, open),
		layers: []layer{
			{f: tubes(gristle), hu: huCartilage},
			{f: union(discs...), hu: huDisc},
			{f: meet(hard, open), hu: huCortical},
			{f: meet(soft, open), hu: huCancellous},
			{f: grown(canal, -1), hu: huCord},
		},
	}
}
