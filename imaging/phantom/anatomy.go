package phantom

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// The streams of the seeded generator: one for each part, so that a change in
// one part leaves the random numbers of the others alone.
const (
	streamShape = iota + 1
	streamTumours
	streamTrees
	streamNoise = 1 << 32 // plus the slice number
)

// Mean HU of each structure: portal-venous contrast CT of the abdomen. The
// liver's vessels and tumours differ from the parenchyma by what a
// portal-venous scan shows (portal vein brightest, hepatic veins a little
// darker, a hypodense metastasis).
const (
	huAir        = -1000.0
	huCouchFoam  = -920.0
	huCouchShell = -150.0
	huLung       = -850.0
	huGas        = -950.0
	huFat        = -100.0
	huSkin       = 15.0
	huMuscle     = 55.0
	huBile       = 8.0
	huFluid      = 20.0
	huStool      = -20.0
	huWall       = 80.0
	huPancreas   = 95.0
	huSpleen     = 118.0
	huCortex     = 185.0
	huMedulla    = 160.0
	huHeart      = 130.0
	huAorta      = 160.0
	huCava       = 135.0
	huDisc       = 85.0
	huCord       = 35.0
	huCartilage  = 110.0
	huCancellous = 260.0
	huCortical   = 680.0

	huParenchyma = 105.0
	huPortal     = 175.0
	huHepatic    = 150.0
	huTumour     = 60.0
)

// layer paints one structure over those before it.
type layer struct {
	f    field
	hu   float64
	thin bool // tubes: thinner than a slice, so the slice is sampled at several heights
}

// anatomy is everything of the patient but the vessel trees and tumours. All
// fields are in LPS mm with the origin in the middle of the trunk and of the
// scan.
type anatomy struct {
	scale  float64
	before []layer // background to the organs beside the liver
	after  []layer // what is painted after the liver: gallbladder, skeleton
	body   field
	bone   field
	liver  field

	hilum   r3.Vec    // on the visceral surface, where the portal vein enters
	inward  r3.Vec    // unit, from the hilum into the liver
	below   []r3.Vec  // knots of the portal trunk up to the hilum
	outflow [3]r3.Vec // where the right, middle and left hepatic vein meet the vena cava
	cantlie field     // negative in the right lobe: plane through cava and gallbladder
}

// jitter draws numbers in [-1, 1).
type jitter struct{ *rand.Rand }

func (j jitter) draw() float64 { return 2*j.Float64() - 1 }

// about draws x ± x·part.
func (j jitter) about(x, part float64) float64 { return x * (1 + part*j.draw()) }

// near draws a point within ±mm of p in each coordinate.
func (j jitter) near(p r3.Vec, mm float64) r3.Vec {
	return r3.Vec{X: p.X + mm*j.draw(), Y: p.Y + mm*j.draw(), Z: p.Z + mm*j.draw()}
}

// size draws semi-axes within ±part of r.
func (j jitter) size(r r3.Vec, part float64) r3.Vec {
	return r3.Vec{X: j.about(r.X, part), Y: j.about(r.Y, part), Z: j.about(r.Z, part)}
}

// Liver volume is drawn evenly from this range; the whole patient is enlarged
// or shrunk to meet it.
const minLiverML, maxLiverML = 1420, 1780

// newAnatomy draws the patient of a seed.
func newAnatomy(seed uint64) *anatomy {
	j := jitter{rand.New(rand.NewPCG(seed, streamShape))}
	want := minLiverML + (maxLiverML-minLiverML)*j.Float64()
	a := draw(j)
	// The scale needs the volume to a few percent only; the exact volume is
	// integrated afterwards on the scaled shape.
	got := integrate(a.liver, liverBox(1), 4) / 1000
	a.resize(math.Cbrt(want / got))
	return a
}

// liverBox bounds the liver of a patient enlarged s times.
func liverBox(s float64) [2]r3.Vec {
	return [2]r3.Vec{{X: -145 * s, Y: -100 * s, Z: -105 * s}, {X: 115 * s, Y: 90 * s, Z: 95 * s}}
}

// resize enlarges the patient s times.
func (a *anatomy) resize(s float64) {
	a.scale = s
	for _, ls := range [][]layer{a.before, a.after} {
		for n := range ls {
			ls[n].f = scaled(ls[n].f, s)
		}
	}
	for _, f := range []*field{&a.body, &a.bone, &a.liver, &a.cantlie} {
		*f = scaled(*f, s)
	}
	a.hilum = r3.Scale(s, a.hilum)
	for n := range a.below {
		a.below[n] = r3.Scale(s, a.below[n])
	}
	for n := range a.outflow {
		a.outflow[n] = r3.Scale(s, a.outflow[n])
	}
}

// draw builds the patient at scale 1.
func draw(j jitter) *anatomy {
	a := &anatomy{scale: 1}
	w := drawWall(j)
	a.body = w.skin
	cava := j.cava()
	gall := j.gallbladder()
	kidneys := j.kidneys()
	stomach := j.stomach()

	aorta := j.aorta()

	a.drawLiver(j, w, cava, gall, aorta, kidneys[0].whole, stomach)
	a.cantlie = halfSpace(r3.Vec{X: cava.outflow.X, Y: cava.outflow.Y}, r3.Cross(r3.Vec{Z: 1}, flat(r3.Sub(gall.at, cava.outflow))))
	if f, _ := a.cantlie(r3.Vec{X: -100}); f > 0 {
		a.cantlie = not(a.cantlie)
	}
	bone := drawSkeleton(j, w)
	a.bone = bone.whole

	a.before = append(a.before, w.couch...)
	a.before = append(a.before, w.layers(j, cava)...)
	a.before = append(a.before, j.bowel(w)...)
	a.before = append(a.before, j.hollow(w, stomach)...)
	for _, k := range kidneys {
		a.before = append(a.before, k.layers...)
	}
	// A film of fat keeps the visceral surface of the liver off its neighbours.
	a.before = append(a.before, layer{f: within(4, grown(a.liver, 2.5), grown(w.abdomen, -5)), hu: huFat})
	a.before = append(a.before, layer{f: cava.tube, hu: huCava}, layer{f: aorta, hu: huAorta})
	a.after = append(a.after, gall.layers...)
	a.after = append(a.after, bone.layers...)
	return a
}

func flat(v r3.Vec) r3.Vec { return r3.Vec{X: v.X, Y: v.Y} }

// drawLiver shapes the liver: a large right and a flat left lobe blended, all
// behind the visceral surface (a large hollow facing down, back and left), with
// the caudate region beside the vena cava and the impressions of its
// neighbours; inside the dome of the diaphragm.
func (a *anatomy) drawLiver(j jitter, w *wall, cava vein, gall sac, aorta, kidney, stomach field) {
	right := ellipsoid(j.near(r3.Vec{X: -64, Y: 0, Z: -2}, 3), j.size(r3.Vec{X: 82, Y: 90, Z: 98}, 0.03))
	medial := ellipsoid(j.near(r3.Vec{X: -8, Y: -36, Z: 16}, 3), j.size(r3.Vec{X: 52, Y: 44, Z: 48}, 0.05))
	u, v, z := basis(r3.Vec{X: 1, Y: 0.12 + 0.08*j.draw(), Z: 0.14 + 0.1*j.draw()})
	lateral := oriented(ellipsoid(r3.Vec{}, j.size(r3.Vec{X: 66, Y: 38, Z: 29}, 0.07)), j.near(r3.Vec{X: 32, Y: -34, Z: 30}, 3), u, v, z)
	shape := join(24, right, join(22, medial, lateral))

	down := r3.Unit(r3.Vec{X: 0.52 + 0.05*j.draw(), Y: 0.34 + 0.05*j.draw(), Z: -0.78})
	a.hilum = j.near(r3.Vec{X: -26, Y: 2, Z: -6}, 2)
	a.inward = r3.Scale(-1, down)
	shape = carve(14, shape, sphere(r3.Add(a.hilum, r3.Scale(130, down)), 130))

	caudate := ellipsoid(j.near(r3.Vec{X: -7, Y: 12, Z: 20}, 2), j.size(r3.Vec{X: 19, Y: 16, Z: 27}, 0.05))
	shape = join(9, shape, caudate)
	shape = carve(9, shape, union(grown(gall.lumen, 2.5), grown(gall.edge, 2.5)))
	shape = carve(10, shape, grown(kidney, 5))
	shape = carve(8, shape, grown(stomach, 3))
	shape = carve(8, shape, union(grown(aorta, 3), column(0, w.spineY, 26, 21), column(0, w.spineY+26, 46, 28)))
	// The hilum is a groove across the visceral surface; the fissure of the
	// round ligament notches the lower edge between the lobes.
	gu, gv, gw := basis(r3.Vec{X: 1, Y: -0.35, Z: 0.1})
	shape = carve(7, shape, oriented(ellipsoid(r3.Vec{}, r3.Vec{X: 24, Y: 8, Z: 8}), a.hilum, gu, gv, gw))
	fissure := ellipsoid(j.near(r3.Vec{X: 9, Y: -62, Z: -24}, 2), r3.Vec{X: 6, Y: 50, Z: 28})
	shape = carve(9, shape, fissure)
	shape = within(10, shape, grown(w.abdomen, -1))
	shape = carve(5, shape, grown(cava.tube, 1.5))
	a.liver = shape

	foot := j.near(r3.Vec{X: 4, Y: -6, Z: -96}, 3)
	a.below = []r3.Vec{foot, j.near(r3.Vec{X: 2, Y: -6, Z: -62}, 2), j.near(r3.Vec{X: -10, Y: -1, Z: -32}, 2)}
	a.outflow = cava.veins
}
