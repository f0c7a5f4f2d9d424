package liver

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"halsted/internal/par"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Spec bounds the search for candidate plans; the zero value means the
// defaults.
type Spec struct {
	MarginsMM    []float64 // margins aimed at; default 10, 5 and 2 mm
	Directions   int       // plane normals over the sphere; default 192
	RetractionMM float64   // prescribed pull of the simulation; default 30 mm
}

func (s Spec) withDefaults() Spec {
	if len(s.MarginsMM) == 0 {
		s.MarginsMM = []float64{10, 5, 2}
	}
	if s.Directions == 0 {
		s.Directions = 192
	}
	if s.RetractionMM == 0 {
		s.RetractionMM = 30
	}
	return s
}

// Candidate is a plan with the cheap scores of its search.
type Candidate struct {
	Plan   planner.Plan
	Scores []planner.Score
}

// The scores of a candidate.
const (
	ScoreRemnant = "remnant_share" // share of the organ's voxels that stay
	ScoreMargin  = "margin_mm"     // margin aimed at
	ScoreVessels = "vessel_mm2"    // cross-section of vessels cut
	ScoreArea    = "cut_mm2"       // area of the cut through the organ
)

const (
	searchStepMM = 4.0 // sampling of the organ during the search
	beamWidth    = 24  // plane sets kept while planes are combined
)

// sample is the organ thinned out for the search.
type sample struct {
	p      []r3.Vec
	vessel []bool
	cell   float64 // mm³ per sample
}

// Generate lists candidate plans for all tumours: for each margin, planes of
// every direction that take all tumours at once, and sets of one plane per
// tumour. Candidates are scored on a thinned organ; use Resect for numbers.
func (a *Anatomy) Generate(ctx context.Context, caseID string, spec Spec) ([]Candidate, error) {
	spec = spec.withDefaults()
	s := a.thin()
	dirs := sphere(spec.Directions)
	all := make([]int, len(a.Tumours))
	for n := range all {
		all[n] = n
	}
	var sets [][]planner.Plane
	var margins []float64
	for _, m := range spec.MarginsMM {
		if !(m >= 0 && m <= 50) {
			return nil, fmt.Errorf("liver: a margin of %g mm is outside 0 to 50 mm", m)
		}
		for _, d := range dirs {
			sets = append(sets, []planner.Plane{a.plane(d, all, m)})
		}
		if len(a.Tumours) > 1 {
			own, err := a.planePerTumour(ctx, s, dirs, m)
			if err != nil {
				return nil, err
			}
			sets = append(sets, own...)
		}
		for len(margins) < len(sets) {
			margins = append(margins, m)
		}
	}
	out := make([]Candidate, len(sets))
	err := par.ChunksCtx(ctx, len(sets), 16, func(lo, hi int) error {
		for n := lo; n < hi; n++ {
			p := planner.Plan{Case: caseID, Procedure: "liver.resection", Name: name(sets[n], margins[n]), Cuts: sets[n], RetractionMM: spec.RetractionMM}.Sealed()
			share, vessels, area := s.score(sets[n])
			out[n] = Candidate{p, []planner.Score{
				{ID: ScoreRemnant, Value: share}, {ID: ScoreMargin, Value: margins[n]},
				{ID: ScoreVessels, Value: vessels, Less: true}, {ID: ScoreArea, Value: area, Less: true},
			}}
		}
		return nil
	})
	return out, err
}

// name says what a plan takes: "one plane, takes right upper, 5 mm margin".
func name(cuts []planner.Plane, margin float64) string {
	var takes []string
	for _, c := range cuts {
		if s := side(c.Normal); !slices.Contains(takes, s) {
			takes = append(takes, s)
		}
	}
	planes := "one plane"
	if len(cuts) > 1 {
		planes = fmt.Sprintf("%d planes", len(cuts))
	}
	return fmt.Sprintf("%s, takes %s, %g mm margin", planes, strings.Join(takes, " and "), margin)
}

// side names a direction by its larger components, e.g. "right upper front".
func side(d r3.Vec) string {
	const large = 0.4 // about the cosine of 66 degrees: at least one component is
	var s []string
	for _, c := range []struct {
		v        float64
		neg, pos string
	}{{d.X, "right", "left"}, {d.Z, "lower", "upper"}, {d.Y, "front", "back"}} {
		switch {
		case c.v <= -large:
			s = append(s, c.neg)
		case c.v >= large:
			s = append(s, c.pos)
		}
	}
	return strings.Join(s, " ")
}

// clearMM is added to a margin that is aimed at, so that rounding does not
// leave the plan a hair under the rule it is made for.
const clearMM = 1e-6

// plane is the cut with normal d that leaves margin mm around the named
// tumours.
func (a *Anatomy) plane(d r3.Vec, tumours []int, margin float64) planner.Plane {
	low := math.Inf(1)
	for _, t := range tumours {
		for _, p := range a.Tumours[t].shell {
			low = min(low, r3.Dot(p, d))
		}
	}
	var c r3.Vec // a point of the plane close to the tumours, for people to read
	for _, t := range tumours {
		c = r3.Add(c, r3.Scale(1/float64(len(tumours)), a.Tumours[t].Centre))
	}
	offset := low - a.halfVoxelMM(d) - margin - clearMM
	return planner.Plane{Point: r3.Add(c, r3.Scale(offset-r3.Dot(c, d), d)), Normal: d}
}

// planePerTumour combines planes tumour by tumour, keeping the sets that leave
// the most. What a plane leaves of the sample is a bit set, so what several
// leave is their intersection.
func (a *Anatomy) planePerTumour(ctx context.Context, s *sample, dirs []r3.Vec, margin float64) ([][]planner.Plane, error) {
	type set struct {
		cuts []planner.Plane
		stay []uint64
		n    int // bits in stay
	}
	beam := []set{{stay: s.all()}}
	for t := range a.Tumours {
		single := make([]set, len(dirs))
		err := par.ChunksCtx(ctx, len(dirs), 4, func(lo, hi int) error {
			for d := lo; d < hi; d++ {
				c := a.plane(dirs[d], []int{t}, margin)
				single[d] = set{cuts: []planner.Plane{c}, stay: s.left(c)}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		grown := make([]set, 0, len(beam)*len(dirs))
		for _, b := range beam {
			for _, o := range single {
				g := set{stay: make([]uint64, len(b.stay))}
				for w := range g.stay {
					g.stay[w] = b.stay[w] & o.stay[w]
					g.n += bits.OnesCount64(g.stay[w])
				}
				g.cuts = append(slices.Clone(b.cuts), o.cuts...)
				grown = append(grown, g)
			}
		}
		slices.SortStableFunc(grown, func(x, y set) int { return cmp.Compare(y.n, x.n) })
		beam = grown[:min(beamWidth, len(grown))]
	}
	out := make([][]planner.Plane, len(beam))
	for n, b := range beam {
		out[n] = b.cuts
	}
	return out, nil
}

// all is the bit set of the whole sample.
func (s *sample) all() []uint64 {
	out := make([]uint64, (len(s.p)+63)/64)
	for n := range s.p {
		out[n/64] |= 1 << (n % 64)
	}
	return out
}

// left is the bit set of the samples that a plane does not take.
func (s *sample) left(c planner.Plane) []uint64 {
	out := make([]uint64, (len(s.p)+63)/64)
	for n, p := range s.p {
		if c.SignedMM(p) <= 0 {
			out[n/64] |= 1 << (n % 64)
		}
	}
	return out
}

// thin takes about one voxel per searchStepMM in each direction.
func (a *Anatomy) thin() *sample {
	var step [3]int
	s := &sample{cell: a.Grid.VoxelMM3()}
	for n, h := range a.Grid.SpacingMM() {
		step[n] = max(1, int(math.Round(searchStepMM/h)))
		s.cell *= float64(step[n])
	}
	for k := 0; k < a.Grid.Size[2]; k += step[2] {
		for j := 0; j < a.Grid.Size[1]; j += step[1] {
			for i := 0; i < a.Grid.Size[0]; i += step[0] {
				if l := a.Labels.ID[a.Grid.Index(i, j, k)]; l.InOrgan() {
					s.p = append(s.p, a.Grid.Point(float64(i), float64(j), float64(k)))
					s.vessel = append(s.vessel, l.IsVessel())
				}
			}
		}
	}
	return s
}

// score is the share that stays, the cross-section of vessels cut and the area
// of the cut: the volume of a slab of one search step around it over its
// thickness.
func (s *sample) score(cuts []planner.Plane) (share, vesselMM2, areaMM2 float64) {
	stay, slab, vessel := 0, 0, 0
	for n, p := range s.p {
		d := math.Inf(-1)
		for _, c := range cuts {
			d = max(d, c.SignedMM(p))
		}
		if d <= 0 {
			stay++
		}
		if math.Abs(d) <= searchStepMM {
			slab++
			if s.vessel[n] {
				vessel++
			}
		}
	}
	if len(s.p) > 0 {
		share = float64(stay) / float64(len(s.p))
	}
	return share, float64(vessel) * s.cell / (2 * searchStepMM), float64(slab) * s.cell / (2 * searchStepMM)
}

// sphere spreads n unit vectors evenly (Fibonacci lattice; González, Math
// Geosci 2010;42:49, doi 10.1007/s11004-009-9257-x).
func sphere(n int) []r3.Vec {
	golden := math.Pi * (3 - math.Sqrt(5))
	out := make([]r3.Vec, n)
	for i := range out {
		z := 1 - (2*float64(i)+1)/float64(n)
		r := math.Sqrt(1 - z*z)
		out[i] = r3.Unit(r3.Vec{X: r * math.Cos(golden*float64(i)), Y: r * math.Sin(golden*float64(i)), Z: z})
	}
	return out
}
