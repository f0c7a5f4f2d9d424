package mesh

import (
	"math"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Report sums up the shape of the tetrahedra of a mesh. Unless it says
// otherwise, that of their corner nodes.
type Report struct {
	Nodes, Tets    int
	VolumeMM3      float64
	RegionMM3      map[imaging.Label]float64 // volume per region
	MinDihedralDeg float64
	MaxDihedralDeg float64
	// Histogram counts all six dihedral angles of every tetrahedron in bins
	// of ten degrees.
	Histogram    [18]int
	Inverted     int // tetrahedra of zero or negative volume
	Worst        int // the tetrahedron with the smallest dihedral angle, −1 when there is none
	Widest       int // the one with the largest
	MinEdgeMM    float64
	MaxEdgeMM    float64
	MinVolumeMM3 float64

	// DihedralDeg is the smallest dihedral angle of each tetrahedron, 70.5° for
	// the regular one.
	DihedralDeg Spread
	// RadiusRatio is 3·r/R, three times the radius of the inscribed sphere over
	// that of the circumscribed one: 1 for the regular tetrahedron, 0 for one
	// that is flat or inverted.
	RadiusRatio Spread
	// ScaledJacobian is √2·det J over the product of the lengths of the three
	// edges at a corner, for the corner where that is least: 1 for the regular
	// tetrahedron, 0 for a flat one, negative for an inverted one.
	ScaledJacobian Spread
	// CurvedJacobian is, for Tet10 only, the least scaled Jacobian of the map
	// from the reference element over its corners, mid-edge and mid-face
	// points, and centre: at each of them that of the straight tetrahedron with
	// the same J. With straight sides it equals ScaledJacobian. CurvedInverted
	// counts the elements in which it is not positive.
	CurvedJacobian Spread
	CurvedInverted int
}

// Spread is how a measure is distributed over the tetrahedra. All is zero and
// Worst −1 when there is none. Percentile p is the value of rank ⌊p(n−1)/100⌋
// from the least, in float32.
type Spread struct {
	Min, P01, P05, Median, P95, Max, Mean float64
	Worst                                 int // the first tetrahedron that has Min
}

// qualityChunk is how many tetrahedra are summed up at a time.
const qualityChunk = 8192

// Quality measures m. A degenerate tetrahedron has dihedral angles 0 and 180. m
// must pass Check but for the Jacobians: indices are not looked at.
//
// Source of the measures: C. J. Stimpson, C. D. Ernst, P. Knupp, P. P. Pébay, D.
// Thompson, "The Verdict geometric quality library", Sandia report
// SAND2007-1751, 2007, chapter 6 (radius ratio inverted there); P. M. Knupp,
// "Algebraic mesh quality metrics for unstructured initial meshes", Finite
// Elem. Anal. Des. 39 (2003) 217–241.
func Quality(m *TetMesh) Report {
	n := len(m.Tets)
	q := Report{Nodes: len(m.Nodes), Tets: n, Worst: -1, Widest: -1, RegionMM3: map[imaging.Label]float64{}}
	measures := []*Spread{&q.DihedralDeg, &q.RadiusRatio, &q.ScaledJacobian, &q.CurvedJacobian}
	for _, s := range measures {
		s.Worst = -1
	}
	if n == 0 {
		return q
	}
	if m.Mid == nil {
		measures = measures[:3]
	}
	values := make([][]float32, len(measures)) // of each tetrahedron
	for i := range values {
		values[i] = make([]float32, n)
	}
	parts := make([]tally, (n+qualityChunk-1)/qualityChunk)
	par.Chunks(n, qualityChunk, func(lo, hi int) { parts[lo/qualityChunk].measure(m, lo, hi, values) })
	t := &parts[0]
	for i := range parts[1:] {
		t.join(&parts[1+i])
	}
	q.VolumeMM3, q.MinVolumeMM3, q.Inverted = t.volume, t.minVolume, t.inverted
	q.MinEdgeMM, q.MaxEdgeMM = math.Sqrt(t.minEdge2), math.Sqrt(t.maxEdge2)
	q.Histogram, q.MaxDihedralDeg, q.Widest = t.bins, t.widest, t.widestTet
	for l, v := range t.region {
		if v != 0 {
			q.RegionMM3[imaging.Label(l)] = v
		}
	}
	par.Chunks(len(measures), 1, func(i, _ int) { *measures[i] = spread(values[i], t.least[i], t.most[i], t.sum[i], t.leastTet[i]) })
	q.MinDihedralDeg, q.Worst = q.DihedralDeg.Min, q.DihedralDeg.Worst
	q.CurvedInverted = t.curvedInverted
	return q
}

// tally is what one chunk of tetrahedra adds up to; least, most, sum and
// leastTet by measure.
type tally struct {
	volume, minVolume  float64
	region             [256]float64
	bins               [18]int
	inverted           int
	curvedInverted     int
	minEdge2, maxEdge2 float64
	widest             float64
	widestTet          int
	least, most, sum   [4]float64
	leastTet           [4]int
}

func (a *tally) join(b *tally) {
	a.volume += b.volume
	a.minVolume = min(a.minVolume, b.minVolume)
	for l, v := range b.region {
		a.region[l] += v
	}
	for i, n := range b.bins {
		a.bins[i] += n
	}
	a.inverted += b.inverted
	a.curvedInverted += b.curvedInverted
	a.minEdge2, a.maxEdge2 = min(a.minEdge2, b.minEdge2), max(a.maxEdge2, b.maxEdge2)
	if b.widest > a.widest {
		a.widest, a.widestTet = b.widest, b.widestTet
	}
	for i := range a.least {
		a.most[i] = max(a.most[i], b.most[i])
		a.sum[i] += b.sum[i]
		if b.least[i] < a.least[i] {
			a.least[i], a.leastTet[i] = b.least[i], b.leastTet[i]
		}
	}
}

// note takes the value of a measure.
func (a *tally) note(measure, tet int, v float64) {
	a.sum[measure] += v
	if v > a.most[measure] {
		a.most[measure] = v
	}
	if v < a.least[measure] {
		a.least[measure], a.leastTet[measure] = v, tet
	}
}

// measure fills a from tetrahedra lo … hi−1, and their values.
func (a *tally) measure(m *TetMesh, lo, hi int, values [][]float32) {
	a.minVolume, a.minEdge2, a.widest, a.widestTet = math.Inf(1), math.Inf(1), -1, lo
	for i := range a.least {
		a.least[i], a.most[i], a.leastTet[i] = math.Inf(1), math.Inf(-1), lo
	}
	steepest := 2.0 // cosine of the largest angle so far
	var bins [32]int
	var s shape
	for t := lo; t < hi; t++ {
		v := &m.Tets[t]
		p := m.Nodes[v[0]]
		s.of(r3.Sub(m.Nodes[v[1]], p), r3.Sub(m.Nodes[v[2]], p), r3.Sub(m.Nodes[v[3]], p))
		vol := s.det / 6
		a.volume += vol
		if m.Region != nil {
			a.region[m.Region[t]] += vol
		} else {
			a.region[0] += vol
		}
		if vol < a.minVolume {
			a.minVolume = vol
		}
		if !(vol > 0) {
			a.inverted++
		}
		for _, l := range s.edge2 {
			if l < a.minEdge2 {
				a.minEdge2 = l
			}
			if l > a.maxEdge2 {
				a.maxEdge2 = l
			}
		}
		smallest := s.angles(&bins)
		if s.leastCos < steepest || s.leastCos < -blunt {
			steepest = min(steepest, s.leastCos)
			if x := s.largest(); x > a.widest {
				a.widest, a.widestTet = x, t
			}
		}
		ratio, jacobian := s.radiusRatio(), s.scaledJacobian()
		a.note(0, t, smallest)
		a.note(1, t, ratio)
		a.note(2, t, jacobian)
		values[0][t], values[1][t], values[2][t] = float32(smallest), float32(ratio), float32(jacobian)
		if m.Mid != nil {
			c := m.curvedJacobian(t)
			if !(c > 0) {
				a.curvedInverted++
			}
			a.note(3, t, c)
			values[3][t] = float32(c)
		}
	}
	copy(a.bins[:], bins[:])
}

// spread sums up the values, which it puts out of order.
func spread(v []float32, least, most, sum float64, worst int) Spread {
	n := len(v)
	at := func(p int) float64 { return float64(pick(v, (n-1)*p/100)) }
	return Spread{Min: least, P01: at(1), P05: at(5), Median: at(50), P95: at(95), Max: most, Mean: sum / float64(n), Worst: worst}
}

// pick puts the value of rank k in its place in v, no larger one before it and
// no smaller one behind, and returns it (C. A. R. Hoare, Comm. ACM 4(7), 1961).
func pick(v []float32, k int) float32 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		mid := (lo + hi) / 2 // the middle one of three, so that order does no harm
		a, b, c := v[lo], v[mid], v[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}
