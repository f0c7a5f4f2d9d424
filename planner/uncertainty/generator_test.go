package uncertainty_test

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// This file makes patients whose truth is a formula, and scans of them. It
// shares nothing with the code that plans or measures.

// body is an ellipsoid bent by shears. A shear moves points along a direction
// by a sine of a coordinate across it: it keeps volumes, and, its direction
// lying in the plane of the cut, also the distances to that plane. So the volume,
// the part on each side of the cut and the distance to it are those of the
// ellipsoid, in closed form.
type body struct {
	centre r3.Vec
	axes   [3]r3.Vec // unit
	semi   [3]float64
	shears []shear
}

type shear struct {
	dir, wave  r3.Vec // wave is across dir, rad/mm
	amp, phase float64
}

func (b *body) inside(p r3.Vec) bool {
	in, sure := b.far(p, 0)
	return in || !sure && b.depth(p) < 1
}

// far tells cheaply whether p is more than mm inside or outside.
func (b *body) far(p r3.Vec, mm float64) (in, sure bool) {
	for n := range b.shears {
		mm += b.shears[n].amp
	}
	d := math.Sqrt(r3.Norm2(r3.Sub(p, b.centre)))
	if d < min(b.semi[0], b.semi[1], b.semi[2])-mm {
		return true, true
	}
	return false, d > max(b.semi[0], b.semi[1], b.semi[2])+mm
}

// depth is the radius in the ellipsoid's own scale: 1 on its surface.
func (b *body) depth(p r3.Vec) float64 {
	for n := len(b.shears) - 1; n >= 0; n-- {
		s := &b.shears[n]
		p = r3.Sub(p, r3.Scale(s.amp*math.Sin(r3.Dot(s.wave, p)+s.phase), s.dir))
	}
	q := r3.Sub(p, b.centre)
	sum := 0.0
	for a, e := range b.axes {
		v := r3.Dot(q, e) / b.semi[a]
		sum += v * v
	}
	return math.Sqrt(sum)
}

func (b *body) volumeMM3() float64 { return 4 * math.Pi / 3 * b.semi[0] * b.semi[1] * b.semi[2] }

// reach is how far the ellipsoid extends from its centre along a unit vector.
func (b *body) reach(n r3.Vec) float64 {
	s := 0.0
	for a, e := range b.axes {
		v := b.semi[a] * r3.Dot(e, n)
		s += v * v
	}
	return math.Sqrt(s)
}

// belowMM3 is the volume on the far side of a plane: a ball's segment, scaled.
func (b *body) belowMM3(point, normal r3.Vec) float64 {
	t := max(-1, min(1, r3.Dot(r3.Sub(point, b.centre), normal)/b.reach(normal)))
	return math.Pi * (2./3 + t - t*t*t/3) * b.semi[0] * b.semi[1] * b.semi[2]
}

// tube is a vessel: the union of balls along a polyline.
type tube struct {
	line   []r3.Vec
	radius float64
}

func toSegment(p, a, b r3.Vec) float64 {
	d, q := r3.Sub(b, a), r3.Sub(p, a)
	t := max(0, min(1, r3.Dot(q, d)/r3.Norm2(d)))
	return math.Sqrt(r3.Norm2(r3.Sub(q, r3.Scale(t, d))))
}

func (v *tube) distance(p r3.Vec) float64 {
	if d := math.Sqrt(r3.Norm2(r3.Sub(p, v.line[4]))); d > 30 { // the line is 18 mm long
		return d - 16 - v.radius
	}
	least := math.Inf(1)
	for n := range v.line[1:] {
		least = min(least, toSegment(p, v.line[n], v.line[n+1]))
	}
	return least - v.radius
}

// patient is one truth.
type patient struct {
	organ, tumour body
	vessel        tube
	cutNormal     r3.Vec
	tissue        [4]float64 // HU around, organ, tumour, vessel
	noiseHU       float64
	textureHU     float64
	spacing       [3]float64
	size          [3]int
	gapMM         float64 // of the plan from the tumour
	needleSide    float64
}

func direction3(rng *rand.Rand) r3.Vec {
	return r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
}

func frame(rng *rand.Rand) [3]r3.Vec {
	a := direction3(rng)
	b := r3.Unit(r3.Cross(a, direction3(rng)))
	return [3]r3.Vec{a, b, r3.Cross(a, b)}
}

func newPatient(rng *rand.Rand) *patient {
	in := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	p := &patient{cutNormal: direction3(rng), noiseHU: in(12, 20), textureHU: in(2, 4), gapMM: in(3, 8),
		tissue:  [4]float64{in(25, 45), in(100, 115), in(45, 65), in(165, 185)},
		spacing: [3]float64{1.4, 1.4, in(2, 3)}, size: [3]int{62, 62, 0}}
	p.size[2] = int(math.Ceil(87 / p.spacing[2]))
	dir1 := r3.Unit(r3.Cross(p.cutNormal, direction3(rng)))
	dir2 := r3.Cross(p.cutNormal, dir1)
	bend := func(amp, wave float64) (out []shear) {
		for _, d := range []r3.Vec{dir1, dir2} {
			w := r3.Unit(r3.Cross(d, direction3(rng)))
			out = append(out, shear{d, r3.Scale(2*math.Pi/(wave*in(0.8, 1.2)), w), amp * in(0.5, 1), in(0, 2*math.Pi)})
		}
		return out
	}
	middle := r3.Vec{X: 42.7 + rng.Float64(), Y: 42.7 + rng.Float64(), Z: 42.5 + 2*rng.Float64()}
	p.organ = body{middle, frame(rng), [3]float64{in(29, 32), in(29, 32), in(29, 32)}, bend(2, 60)}
	side := r3.Unit(r3.Add(r3.Scale(1.5, p.cutNormal), direction3(rng)))
	r := in(8.5, 11)
	p.tumour = body{r3.Add(middle, r3.Scale(in(11, 12.5), side)), frame(rng), [3]float64{r * in(0.9, 1.1), r * in(0.9, 1.1), r * in(0.9, 1.1)}, bend(0.8, 35)}
	along := r3.Unit(r3.Cross(side, direction3(rng)))
	bow := r3.Scale(in(-3, 3), r3.Cross(side, along))
	at := r3.Sub(middle, r3.Scale(in(13.5, 15), side))
	p.vessel.radius = in(5.5, 6.5)
	for n := range 9 {
		t := float64(n)/4 - 1
		p.vessel.line = append(p.vessel.line, r3.Add(at, r3.Add(r3.Scale(9*t, along), r3.Scale(t*t-0.5, bow))))
	}
	p.needleSide = in(8, 14)
	return p
}

// hu is the density at a point.
func (p *patient) hu(q r3.Vec) float64 {
	if !p.organ.inside(q) {
		return p.tissue[0]
	}
	switch {
	case p.tumour.inside(q):
		return p.tissue[2]
	case p.vessel.distance(q) < 0:
		return p.tissue[3]
	}
	return p.tissue[1]
}

// edge tells whether a border passes within mm of q, or might.
func (p *patient) edge(q r3.Vec, mm float64) bool {
	near := func(b *body) bool {
		if _, sure := b.far(q, 2*mm); sure {
			return false
		}
		return math.Abs(b.depth(q)-1)*min(b.semi[0], b.semi[1], b.semi[2]) < 1.6*mm // bending stretches by less
	}
	return near(&p.organ) || near(&p.tumour) || math.Abs(p.vessel.distance(q)) < mm
}

// scan is an image of the patient: means over voxels (2 × 2 × 3 points where a
// border passes), the scanner's blur in the slice, noise through the same blur,
// and a texture with a correlation length of 5 mm.
func (p *patient) scan(rng *rand.Rand) (*imaging.Volume, error) {
	ctx := context.Background()
	g := imaging.NewGrid(p.size, r3.Vec{X: 1.4 * (rng.Float64() - 0.5), Y: 1.4 * (rng.Float64() - 0.5), Z: p.spacing[2] * (rng.Float64() - 0.5)}, p.spacing)
	clean := make([]float64, g.Len())
	half := r3.Norm(r3.Vec{X: p.spacing[0], Y: p.spacing[1], Z: p.spacing[2]}) / 2
	for n := range clean {
		i, j, k := g.IJK(n)
		c := g.Point(float64(i), float64(j), float64(k))
		if !p.edge(c, half) {
			clean[n] = p.hu(c)
			continue
		}
		for s := range 12 {
			clean[n] += p.hu(r3.Add(c, r3.Vec{X: p.spacing[0] * (float64(s&1)/2 - 0.25), Y: p.spacing[1] * (float64(s>>1&1)/2 - 0.25), Z: p.spacing[2] * float64(s/4-1) / 3})) / 12
		}
	}
	grain := make([]float64, g.Len())
	for n := range grain {
		grain[n] = rng.NormFloat64()
	}
	const psfMM = 0.7
	clean, grain = inSlice(clean, p.size, psfMM/p.spacing[0]), inSlice(grain, p.size, psfMM/p.spacing[0])
	texture := make([]float32, g.Len())
	for n := range texture {
		texture[n] = float32(rng.NormFloat64())
	}
	texture, err := filter.Gaussian(ctx, g, texture, 5/math.Sqrt2)
	if err != nil {
		return nil, err
	}
	v := imaging.NewVolume(g, imaging.KindHU)
	grainSD, textureSD := deviation(grain), 0.0
	for _, t := range texture {
		textureSD += float64(t) * float64(t) / float64(len(texture))
	}
	textureSD = math.Sqrt(textureSD)
	for n := range v.Data {
		v.Data[n] = int16(math.Round(clean[n] + p.noiseHU*grain[n]/grainSD + p.textureHU*float64(texture[n])/textureSD))
	}
	return v, nil
}

func deviation(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s / float64(len(v)))
}

// inSlice blurs along rows and columns by a Gaussian of so many pixels.
func inSlice(v []float64, size [3]int, sigma float64) []float64 {
	const reach = 2
	var w [reach + 1]float64
	sum := 0.0
	for d := range w {
		w[d] = math.Exp(-0.5 * float64(d*d) / (sigma * sigma))
		sum += w[d] * float64(min(d, 1)+1)
	}
	for axis := range 2 {
		out := make([]float64, len(v))
		stride := [2]int{1, size[0]}[axis]
		for n := range v {
			c := [2]int{n % size[0], n / size[0] % size[1]}[axis]
			for d := -reach; d <= reach; d++ {
				at := max(0, min(size[axis]-1, c+d))
				out[n] += w[max(d, -d)] / sum * v[n+(at-c)*stride]
			}
		}
		v = out
	}
	return v
}
