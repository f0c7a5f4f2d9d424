package phantom

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// vein is the inferior vena cava with the mouths of the three hepatic veins.
type vein struct {
	tube    field
	outflow r3.Vec    // on the axis, where the hepatic veins join
	veins   [3]r3.Vec // mouths of the right, middle and left hepatic vein
}

func (j jitter) cava() vein {
	r := j.about(11, 0.06)
	knots := []r3.Vec{{X: -17, Y: 26, Z: -150}, {X: -18, Y: 25, Z: -60}, {X: -18, Y: 23, Z: 0}, {X: -15, Y: 17, Z: 44}, {X: -8, Y: 4, Z: 84}, {X: -4, Y: -4, Z: 110}}
	for n := 1; n < len(knots)-1; n++ {
		knots[n] = j.near(knots[n], 1.5)
	}
	v := vein{tube: tubes(chain(spline(8, knots...), r))}
	v.outflow = knots[3]
	for n, d := range [3]r3.Vec{{X: -1, Y: -0.15, Z: -0.15}, {X: -0.25, Y: -1, Z: -0.1}, {X: 0.75, Y: -0.75, Z: 0.1}} {
		v.veins[n] = r3.Add(v.outflow, r3.Scale(r-2, r3.Unit(d)))
	}
	v.veins[0].Z -= 5
	return v
}

func (j jitter) aorta() field {
	r := j.about(10, 0.06)
	line := spline(8, r3.Vec{X: 8, Y: 32, Z: 150}, j.near(r3.Vec{X: 8, Y: 27, Z: 60}, 1.5), j.near(r3.Vec{X: 9, Y: 24, Z: 0}, 1.5), r3.Vec{X: 9, Y: 25, Z: -150})
	return tubes(chain(line, r))
}

// sac is the gallbladder; edge is the part of the liver's lower edge that its
// fundus keeps open.
type sac struct {
	lumen  field
	edge   field
	at     r3.Vec
	layers []layer
}

// gallbladder lies in its fossa under the border of the right and left liver.
func (j jitter) gallbladder() sac {
	at := j.near(r3.Vec{X: -42, Y: -40, Z: -45}, 2)
	u, v, w := basis(r3.Vec{X: -0.25, Y: -0.65, Z: -0.72})
	r := j.size(r3.Vec{X: 34, Y: 13, Z: 13}, 0.08)
	f := oriented(ellipsoid(r3.Vec{}, r), at, u, v, w)
	edge := ellipsoid(r3.Add(at, r3.Vec{X: -8, Y: -24, Z: -44}), r3.Vec{X: 9, Y: 40, Z: 38})
	return sac{lumen: f, edge: edge, at: at, layers: []layer{{f: f, hu: huWall}, {f: grown(f, -1.5), hu: huBile}}}
}

// kidney is a kidney: whole is its outline, sinus included.
type kidney struct {
	whole  field
	layers []layer
}

func (j jitter) kidneys() [2]kidney {
	var out [2]kidney
	for n, c := range [2]r3.Vec{{X: -64, Y: 42, Z: -74}, {X: 66, Y: 40, Z: -58}} {
		side := math.Copysign(1, c.X)
		c = j.near(c, 3)
		u, v, w := basis(r3.Vec{X: side * 0.85, Y: 0.5, Z: -0.12})
		r := j.size(r3.Vec{X: 26, Y: 27, Z: 50}, 0.05)
		whole := oriented(ellipsoid(r3.Vec{}, r), c, u, v, w)
		sinusAt := r3.Sub(c, r3.Scale(18, u))
		sinus := oriented(ellipsoid(r3.Vec{}, r3.Vec{X: 22, Y: 11, Z: 24}), sinusAt, u, v, w)
		body := carve(6, whole, sinus)
		var pyramids []field
		for m := range 7 {
			a := 0.55*math.Pi + 0.9*math.Pi*(float64(m)/6-0.5)*1.5 - 0.05*math.Pi
			at := r3.Add(c, r3.Add(r3.Scale(0.45*r.X*math.Sin(a), u), r3.Scale(0.66*r.Z*math.Cos(a), w)))
			pyramids = append(pyramids, ellipsoid(at, r3.Vec{X: 8, Y: 10, Z: 9}))
		}
		medulla := meet(union(pyramids...), grown(body, -5))
		out[n] = kidney{whole: whole, layers: []layer{{f: body, hu: huCortex}, {f: medulla, hu: huMedulla}}}
	}
	return out
}

// stomach is a bean under the left dome.
func (j jitter) stomach() field {
	u, v, w := basis(r3.Vec{X: -0.55, Y: -0.45, Z: -0.75})
	fundus := ellipsoid(j.near(r3.Vec{X: 66, Y: 6, Z: 22}, 3), j.size(r3.Vec{X: 38, Y: 38, Z: 36}, 0.06))
	corpus := oriented(ellipsoid(r3.Vec{}, j.size(r3.Vec{X: 60, Y: 24, Z: 28}, 0.06)), j.near(r3.Vec{X: 46, Y: -22, Z: -18}, 3), u, v, w)
	return join(20, fundus, corpus)
}

// hollow paints stomach, spleen and pancreas. Gas rises to the front in a
// patient on the back.
func (j jitter) hollow(w *wall, stomach field) []layer {
	inside := within(5, stomach, grown(w.abdomen, -4))
	lumen := grown(inside, -3.5)
	level := halfSpace(r3.Vec{Y: -22 + 4*j.draw()}, r3.Vec{Y: 1})
	spleen := ellipsoid(j.near(r3.Vec{X: 104, Y: 34, Z: 16}, 3), j.size(r3.Vec{X: 34, Y: 42, Z: 50}, 0.07))
	spleen = carve(8, within(6, spleen, grown(w.abdomen, -3)), grown(stomach, 3))
	spleen = carve(8, spleen, ellipsoid(r3.Vec{X: 62, Y: 42, Z: -20}, r3.Vec{X: 38, Y: 36, Z: 50}))
	gland := spline(6, r3.Vec{X: -24, Y: -8, Z: -64}, r3.Vec{X: -14, Y: -14, Z: -46}, r3.Vec{X: 14, Y: -12, Z: -36}, r3.Vec{X: 44, Y: 12, Z: -20}, r3.Vec{X: 72, Y: 28, Z: -6})
	var pancreas []capsule
	for n := 1; n < len(gland); n++ {
		t := float64(n) / float64(len(gland))
		pancreas = append(pancreas, capsule{gland[n-1], gland[n], 12 - 4*t + 1.2*math.Sin(9*t)})
	}
	return []layer{
		{f: tubes(pancreas), hu: huPancreas},
		{f: spleen, hu: huSpleen},
		{f: inside, hu: huWall},
		{f: lumen, hu: huFluid},
		{f: meet(lumen, level), hu: huGas},
	}
}

// bowel paints the colon as a frame and loops of small bowel within it.
func (j jitter) bowel(w *wall) []layer {
	near := func(x, y, z float64) r3.Vec { return j.near(r3.Vec{X: x, Y: y, Z: z}, 4) }
	path := spline(10, near(-96, 20, -140), near(-98, 14, -108), near(-78, -34, -100), near(-30, -58, -96),
		near(20, -60, -84), near(66, -48, -66), near(100, 0, -40), near(108, 26, -80), near(106, 26, -140))
	var colon []capsule
	for n := 1; n < len(path); n++ {
		colon = append(colon, capsule{path[n-1], path[n], 17 + 2.2*math.Sin(1.3*float64(n))})
	}
	inner := make([]capsule, len(colon))
	for n, c := range colon {
		inner[n] = capsule{c.a, c.b, c.r - 2.5}
	}
	var loops, lumen []capsule
	for range 5 {
		x, y, z := 60*j.draw(), -18+26*j.draw(), -112+8*j.draw()
		knots := []r3.Vec{{X: x, Y: y, Z: z}}
		for range 7 {
			x, y, z = min(max(x+34*j.draw(), -70), 75), min(max(y+26*j.draw(), -60), 8), min(max(z+18*j.draw(), -135), -84)
			knots = append(knots, r3.Vec{X: x, Y: y, Z: z})
		}
		line := spline(6, knots...)
		loops = append(loops, chain(line, 11.5)...)
		lumen = append(lumen, chain(line, 9)...)
	}
	abdomen := grown(w.abdomen, -3)
	tube := meet(tubes(inner), grown(abdomen, -2))
	return []layer{
		{f: meet(tubes(loops), abdomen), hu: huWall + 5},
		{f: meet(tubes(lumen), abdomen), hu: huFluid},
		{f: meet(tubes(colon), abdomen), hu: huWall - 10},
		{f: tube, hu: huStool},
		{f: meet(tube, halfSpace(r3.Vec{Y: -46}, r3.Vec{Y: 1})), hu: huGas},
	}
}
