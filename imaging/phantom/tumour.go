package phantom

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// Around each tumour at least marginMM of parenchyma stays free of vessels and
// of the liver's surface.
const marginMM = 5.0

// resectMM is the margin of the half-space that must be able to take both
// tumours and leave minRemnant of the liver: it makes sure that some plausible
// resection exists.
const (
	resectMM   = 10.0
	minRemnant = 0.48
)

// tumour is a spheroid: semi-axis a along the unit axis, b across.
type tumour struct {
	centre r3.Vec
	axis   r3.Vec
	a, b   float64
	f      field
}

func newTumour(c, axis r3.Vec, a, b float64) tumour {
	u, v, w := basis(axis)
	return tumour{centre: c, axis: u, a: a, b: b, f: oriented(ellipsoid(r3.Vec{}, r3.Vec{X: a, Y: b, Z: b}), c, u, v, w)}
}

// mm3 is the volume 4/3·π·a·b².
func (t tumour) mm3() float64 { return 4.0 / 3 * math.Pi * t.a * t.b * t.b }

// reach is how far the tumour extends from its centre along the unit n.
func (t tumour) reach(n r3.Vec) float64 {
	c := r3.Dot(t.axis, n)
	return math.Sqrt(t.a*t.a*c*c + t.b*t.b*(1-c*c))
}

// buried reports whether the tumour with marginMM around it lies in the liver,
// by points of that envelope about 5 mm apart; a millimetre of depth is asked
// for what lies between them.
func (t tumour) buried(liver field, dirs []r3.Vec) bool {
	u, v, w := basis(t.axis)
	a, b := t.a+marginMM, t.b+marginMM
	for _, d := range dirs {
		p := r3.Add(t.centre, r3.Add(r3.Scale(a*d.X, u), r3.Add(r3.Scale(b*d.Y, v), r3.Scale(b*d.Z, w))))
		if f, _ := liver(p); f > -1 {
			return false
		}
	}
	return true
}

// samples are the points of a jittered lattice of step h at least deep inside
// the liver.
func samples(liver field, box [2]r3.Vec, h, deep float64, rng *rand.Rand) []r3.Vec {
	j := jitter{rng}
	var out []r3.Vec
	for z := box[0].Z; z < box[1].Z; z += h {
		for y := box[0].Y; y < box[1].Y; y += h {
			for x := box[0].X; x < box[1].X; x += h {
				p := j.near(r3.Vec{X: x, Y: y, Z: z}, 0.35*h)
				if f, _ := liver(p); f < -deep {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// directions covers the sphere evenly (a Fibonacci lattice).
func directions(n int) []r3.Vec {
	out := make([]r3.Vec, n)
	for m := range out {
		z := 1 - (2*float64(m)+1)/float64(n)
		s, c := math.Sincos(float64(m) * math.Pi * (3 - math.Sqrt(5)))
		r := math.Sqrt(1 - z*z)
		out[m] = r3.Vec{X: r * c, Y: r * s, Z: z}
	}
	return out
}

// remnant is the largest part of the liver that one plane leaves when it takes
// all tumours with resectMM to spare.
func remnant(points []r3.Vec, ts []tumour, dirs []r3.Vec) float64 {
	best := 0
	for _, n := range dirs {
		cut := math.Inf(1)
		for _, t := range ts {
			cut = min(cut, r3.Dot(t.centre, n)-t.reach(n)-resectMM)
		}
		left := 0
		for _, p := range points {
			if r3.Dot(p, n) < cut {
				left++
			}
		}
		best = max(best, left)
	}
	return float64(best) / float64(len(points))
}

// newTumours places two spheroids of 25–40 mm in the right lobe, clear of the
// hilum and of the mouths of the hepatic veins: draw number round of the seed.
// It returns nil when it finds no place.
func newTumours(a *anatomy, seed, round uint64) []tumour {
	rng := rand.New(rand.NewPCG(seed, streamTumours+round<<8))
	j := jitter{rng}
	points := samples(a.liver, liverBox(a.scale), 9, 0, rng)
	dirs, shell := directions(150), directions(400)
	draw := func(lo, hi float64) (tumour, bool) {
		r := lo + (hi-lo)*rng.Float64()
		t := newTumour(points[rng.IntN(len(points))], r3.Vec{X: j.draw(), Y: j.draw(), Z: j.draw() + 2}, r, r*(0.84+0.16*rng.Float64()))
		if f, _ := a.cantlie(t.centre); f > -(t.a + 8) {
			return t, false
		}
		if norm(r3.Sub(t.centre, a.hilum)) < t.a+34 {
			return t, false
		}
		if norm(r3.Sub(t.centre, a.outflow[0])) < t.a+32 {
			return t, false
		}
		return t, t.buried(a.liver, shell)
	}
	var best []tumour
	most := -1.0
	for tries := 0; tries < 10000 && most < minRemnant; tries++ {
		t, ok := draw(15.5, 20)
		if !ok {
			continue
		}
		o, ok := draw(12.5, 16)
		if !ok || norm(r3.Sub(t.centre, o.centre)) < t.a+o.a+2*marginMM {
			continue
		}
		pair := []tumour{t, o}
		if left := remnant(points, pair, dirs); left > most {
			best, most = pair, left
		}
	}
	return best
}
