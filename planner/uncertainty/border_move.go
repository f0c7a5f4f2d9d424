package uncertainty

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Moved is a border under one sample of its error, for one goroutine.
type Moved struct {
	b            *Border
	seed, bias   float64
	fine, smooth shifted
	// UnseenMM is how far out the border lies where the image shows no step.
	UnseenMM float64
}

// shifted is a field of offsets less what noise does to the levels.
type shifted struct {
	o           *Offset
	sign, shift float64 // sign: of an offset under positive noise
}

func (m *shifted) by(p r3.Vec, bias, gain float64) float64 {
	if gain == 0 || m.o.zero {
		return bias
	}
	return bias + gain*m.sign*(m.o.At(p)-m.shift)
}

// piece is how far a block of the border moves.
func (m *Moved) piece(b *block) float64 {
	return m.fine.by(b.at, m.bias*b.bias, b.gain) + b.unseen*m.UnseenMM
}

// Move is the border under the error field of a seed (an input of the
// distribution FieldSeed; ½ moves it by its bias alone), with its bias taken so
// many times (an input around 1 with the spread BiasSD). Borders of one scan
// moved with the same seed share the same noise.
func (b *Border) Move(seed, bias float64) (*Moved, error) {
	m := &Moved{b: b, seed: seed, bias: bias}
	var err error
	if m.fine.o, err = newMixture(seed, b.Fine.Scales); err != nil {
		return nil, err
	}
	for _, z := range []zone{b.core, b.ring} {
		o := m.fine.o.averaged(z.cellMM)
		for _, p := range z.at {
			m.fine.shift += o.At(p) / float64(2*len(z.at))
		}
	}
	m.fine.sign = -1 // noise that brightens moved the border of something bright out
	if b.InsideHU < b.OutsideHU {
		m.fine.sign = 1
	}
	// The smoothed field does not go with the other at the same place, so their
	// variances add: the levels hold back little of an error at one point.
	m.smooth.sign, m.smooth.shift = m.fine.sign, m.fine.shift
	return m, nil
}

// layerMM3 is the volume between the border and the moved one, where within
// says so: to second order, as for a sphere of the same area.
func (m *Moved) layerMM3(within func(p r3.Vec) bool) float64 {
	area := 0.0
	for n := range m.b.blocks {
		area += m.b.blocks[n].area
	}
	curvature := math.Sqrt(4 * math.Pi / area)
	sum := 0.0
	for n := range m.b.blocks {
		if b := &m.b.blocks[n]; within == nil || within(b.at) {
			d := m.piece(b)
			sum += b.area * d * (1 + d*curvature)
		}
	}
	return sum
}

// VolumeMM3 is the volume within the moved border.
func (m *Moved) VolumeMM3() float64 { return max(0, m.b.VolumeMM3+m.layerMM3(nil)) }

// BelowMM3 is the part of the volume on the side of a plane that its normal
// (unit length) points away from: the flux of F = ((p−point)·normal)·normal,
// which has divergence 1 and vanishes on the plane.
func (m *Moved) BelowMM3(point, normal r3.Vec) float64 {
	below := func(p r3.Vec) bool { return r3.Dot(r3.Sub(p, point), normal) < 0 }
	sum := 0.0
	for n, p := range m.b.Fine.Points {
		if below(p) {
			sum += r3.Dot(r3.Sub(p, point), normal) * r3.Dot(m.b.fluxMM2[n], normal)
		}
	}
	return max(0, sum+m.layerMM3(below))
}

// farSD is beyond what an offset is ever off by, in standard deviations.
const farSD = 6

// Least is the least value of a function of place over the moved border. The
// function is a distance, or changes no faster than one: points that no error
// can bring to the least are passed over.
func (m *Moved) Least(of func(p r3.Vec) float64) float64 {
	s := &m.b.Smooth
	m.smoothField()
	still := make([]float64, len(s.Points))
	reach := math.Inf(1)
	for n, p := range s.Points {
		still[n] = of(r3.Add(p, r3.Scale(m.bias*s.BiasMM[n]-s.gain(n)*m.smooth.sign*m.smooth.shift, s.Normals[n])))
		reach = min(reach, still[n])
	}
	if m.smooth.o.zero {
		return reach
	}
	reach += 2 * farSD * s.SDMM() * s.mostGain()
	least := math.Inf(1)
	for n, p := range s.Points {
		if still[n] <= reach {
			least = min(least, of(r3.Add(p, r3.Scale(m.SmoothMM(n), s.Normals[n]))))
		}
	}
	return least
}

func (m *Moved) smoothField() {
	if m.smooth.o == nil {
		m.smooth.o, _ = newMixture(m.seed, m.b.Smooth.Scales) // the seed has been checked
	}
}

// SmoothMM is how far point n of Border.Smooth moves out along its normal.
func (m *Moved) SmoothMM(n int) float64 {
	m.smoothField()
	s := &m.b.Smooth
	d := m.smooth.by(s.Points[n], m.bias*s.BiasMM[n], s.gain(n))
	if s.gain(n) == 0 {
		d += m.UnseenMM
	}
	return d
}

// Pieces calls f with every piece of the border and the volume between the
// border as it stands and the moved one there, mm³. Their sum is what VolumeMM3
// adds to Border.VolumeMM3. The order is that of Border.PieceAt.
func (m *Moved) Pieces(f func(n int, mm3 float64)) {
	curvature := math.Sqrt(4 * math.Pi / m.b.AreaMM2())
	for n := range m.b.blocks {
		d := m.piece(&m.b.blocks[n])
		f(n, m.b.blocks[n].area*d*(1+d*curvature))
	}
}
