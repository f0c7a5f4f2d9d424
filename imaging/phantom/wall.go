package phantom

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// wall is the trunk from the skin to the diaphragm.
type wall struct {
	skin, fascia, cavity field // outside of skin, of muscle, of the body cavity
	abdomen              field // below the diaphragm and inside the wall
	ribA, ribF, ribB     float64
	taper                float64
	backY                float64 // depth of the skin in the back, mm
	spineY               float64 // depth of the middle of the vertebral bodies, mm
	couch                []layer
}

func drawWall(j jitter) *wall {
	halfW, front, back := j.about(160, 0.02), j.about(108, 0.03), j.about(100, 0.02)
	fatSide, fatFront, fatBack := j.about(15, 0.25), j.about(14, 0.3), j.about(11, 0.2)
	const muscleMM = 14.0
	w := &wall{taper: 0.00025 + 0.0001*j.draw(), backY: back, spineY: back - 57 + 2*j.draw()}
	w.skin = trunk(halfW, front, back, w.taper)
	w.fascia = trunk(halfW-fatSide, front-fatFront, back-fatBack, w.taper)
	w.cavity = trunk(halfW-fatSide-muscleMM, front-fatFront-muscleMM, back-fatBack-muscleMM, w.taper)
	w.ribA, w.ribF, w.ribB = halfW-fatSide-muscleMM/2, front-fatFront-muscleMM/2, back-fatBack-muscleMM/2

	right := dome(j.near(r3.Vec{X: -60, Y: 2, Z: -6}, 2), j.size(r3.Vec{X: 80, Y: 86, Z: 84}, 0.02))
	left := dome(j.near(r3.Vec{X: 64, Y: 4, Z: -14}, 3), j.size(r3.Vec{X: 78, Y: 84, Z: 74}, 0.03))
	middle := dome(j.near(r3.Vec{X: 4, Y: -24, Z: -12}, 2), j.size(r3.Vec{X: 70, Y: 84, Z: 70}, 0.02))
	w.abdomen = within(8, join(26, join(20, right, middle), left), w.cavity)

	slab := func(y0, y1, half float64) field {
		return meet(halfSpace(r3.Vec{Y: y0}, r3.Vec{Y: -1}), halfSpace(r3.Vec{Y: y1}, r3.Vec{Y: 1}),
			halfSpace(r3.Vec{X: half}, r3.Vec{X: 1}), halfSpace(r3.Vec{X: -half}, r3.Vec{X: -1}))
	}
	top := back*1.04 + 8
	w.couch = []layer{{f: slab(top, top+34, 175), hu: huCouchShell}, {f: slab(top+2, top+32, 173), hu: huCouchFoam}}
	return w
}

// rib is a point of the trunk's muscle layer at angle phi from the back (0)
// over the side (π/2) to the front (π); side is −1 on the right.
func (w *wall) rib(phi, side, z float64) r3.Vec {
	s, c := math.Sincos(phi)
	b := w.ribB
	if c < 0 {
		b = w.ribF
	}
	k := 1 + w.taper*z
	return r3.Vec{X: side * k * w.ribA * math.Pow(math.Abs(s), 0.8), Y: k * b * math.Copysign(math.Pow(math.Abs(c), 0.8), c), Z: z}
}

// layers paints skin, fat, muscle, the cavity with visceral fat, diaphragm,
// lungs with their vessels, heart, and the muscles along the spine.
func (w *wall) layers(j jitter, cava vein) []layer {
	heart := j.near(r3.Vec{X: 28, Y: -32, Z: 100}, 3)
	heartShape := ellipsoid(heart, j.size(r3.Vec{X: 62, Y: 46, Z: 40}, 0.06))
	mediastinum := join(12, grown(heartShape, 5), column(2, 34, 34, 36))
	lung := within(6, within(6, grown(w.cavity, -2), not(grown(w.abdomen, 3.5))), not(mediastinum))
	lung = within(4, lung, halfSpace(r3.Vec{Z: -45}, r3.Vec{Z: -1}))

	var airways []capsule
	for range 70 {
		side := math.Copysign(1, j.draw())
		root := r3.Vec{X: side * 46, Y: 18, Z: 135}
		end := r3.Vec{X: side * (75 + 42*j.draw()), Y: 4 + 62*j.draw(), Z: 45 + 50*j.draw()}
		mid := r3.Add(j.near(r3.Scale(0.5, r3.Add(root, end)), 10), r3.Vec{Z: 8})
		line := spline(6, root, mid, end)
		for n := 1; n < len(line); n++ {
			airways = append(airways, capsule{line[n-1], line[n], 2.4 - 1.8*float64(n)/float64(len(line))})
		}
	}
	vessels := meet(tubes(airways), grown(lung, -1))

	ls := []layer{
		{f: w.skin, hu: huSkin},
		{f: grown(w.skin, -1.8), hu: huFat},
		{f: w.fascia, hu: huMuscle},
		{f: w.cavity, hu: huFat},
		{f: meet(w.cavity, not(w.abdomen)), hu: huMuscle},
		{f: lung, hu: huLung},
		{f: vessels, hu: 40, thin: true},
		{f: heartShape, hu: huHeart},
	}
	for _, side := range []float64{-1, 1} {
		ls = append(ls,
			layer{f: meet(column(side*36, w.backY-26, 30, 15), grown(w.fascia, -1)), hu: huMuscle},
			layer{f: ellipsoid(r3.Vec{X: side * 37, Y: 50, Z: -128}, r3.Vec{X: 19, Y: 19, Z: 80}), hu: huMuscle},
			layer{f: ellipsoid(r3.Vec{X: side * 15, Y: 30, Z: 5}, r3.Vec{X: 6, Y: 13, Z: 75}), hu: huMuscle})
	}
	return ls
}
