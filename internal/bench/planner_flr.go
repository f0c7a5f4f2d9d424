package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/planner"
	"halsted/planner/liver"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	flrPatients = 20
	flrPlans    = 8 // of a patient, half of them curved
	// latticeMM is the distance of the points that the truth counts. Over the
	// borders of a liver their scatter is below 0.02 % of its volume.
	latticeMM = 1.0
)

// plannerFLR compares the remnant that plans leave of random patients, as the
// procedure finds it from masks of the size of a scan, with that of the
// patient's formulas.
func plannerFLR(ctx context.Context) ([]Row, error) {
	worst, sum, count, at := 0.0, 0.0, 0, uint64(0)
	for seed := uint64(1); seed <= flrPatients; seed++ {
		l := phantom.NewLiver(seed)
		a, err := liver.NewAnatomy(ctx, l.Truth(l.Grid()))
		if err != nil {
			return nil, fmt.Errorf("patient %d: %w", seed, err)
		}
		pr, err := liver.NewProcedure(ctx, a, liver.ProcedureSpec{})
		if err != nil {
			return nil, fmt.Errorf("patient %d: %w", seed, err)
		}
		of := newLattice(l)
		for n, p := range flrCuts(l, seed) {
			o, err := pr.Simulate(ctx, p, planner.L0, nil)
			if _, nothing := errors.AsType[*liver.NothingLeftError](err); nothing {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("patient %d, plan %d: %w", seed, n, err)
			}
			v, ok := o.Value("flr_percent")
			if !ok {
				return nil, fmt.Errorf("patient %d, plan %d has no flr_percent", seed, n)
			}
			off := math.Abs(v.V - of.flrPercent(&p))
			sum, count = sum+off, count+1
			if !(off <= worst) {
				worst, at = off, seed
			}
		}
	}
	const item = "FLR on the phantom family, masks of 512×512×120: "
	return []Row{
		atMost(fmt.Sprintf("%sworst error (patient %d)", item, at), worst, "points", 0.3, "the formulas of the patient on points 1 mm apart"),
		atMost(item+"mean error", sum/float64(count), "points", noLimit, "–"),
		atLeast(fmt.Sprintf("%splans of %d patients, plane and curved", item, flrPatients), float64(count), "1", 100, "–"),
	}, nil
}

// flrCuts are plans through a liver whose cut passes a tumour at 10 to 40 mm
// from its centre, every second one curved.
func flrCuts(l *phantom.Liver, seed uint64) []planner.Plan {
	rng := rand.New(rand.NewPCG(seed, 8))
	var out []planner.Plan
	for n := range flrPlans {
		normal := r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
		at := r3.Sub(l.TumourCentre(n%l.Tumours()), r3.Scale(10+30*rng.Float64(), normal))
		p := planner.Plan{Name: fmt.Sprint("cut ", n)}
		if n%2 == 0 {
			p.Cuts = []planner.Plane{{Point: at, Normal: normal}}
		} else {
			other := r3.Vec{X: 1}
			if math.Abs(normal.X) > 0.7 {
				other = r3.Vec{Y: 1}
			}
			u := r3.Unit(r3.Cross(other, normal))
			s := planner.Sheet{Origin: at, U: r3.Scale(60, u), V: r3.Scale(60, r3.Cross(normal, u))}
			for i := range s.HeightsMM {
				for j := range s.HeightsMM[i] {
					s.HeightsMM[i][j] = 30 * (rng.Float64() - 0.5)
				}
			}
			p.Sheets = []planner.Sheet{s}
		}
		out = append(out, p.Sealed())
	}
	return out
}

// lattice is the truth of a patient at points latticeMM apart.
type lattice struct {
	g      imaging.Grid
	points []int // indices of those in the organ
	base   int   // points of the organ outside tumours
}

func newLattice(l *phantom.Liver) *lattice {
	const coarse = 4.0
	g := l.GridAt([3]float64{coarse, coarse, coarse})
	near := in(l.Truth(g), imaging.LabelLiver)
	lo, hi := r3.Vec{X: math.Inf(1), Y: math.Inf(1), Z: math.Inf(1)}, r3.Vec{X: math.Inf(-1), Y: math.Inf(-1), Z: math.Inf(-1)}
	for n := range g.Len() {
		if near(n) {
			i, j, k := g.IJK(n)
			p := g.Point(float64(i), float64(j), float64(k))
			lo = r3.Vec{X: min(lo.X, p.X), Y: min(lo.Y, p.Y), Z: min(lo.Z, p.Z)}
			hi = r3.Vec{X: max(hi.X, p.X), Y: max(hi.Y, p.Y), Z: max(hi.Z, p.Z)}
		}
	}
	size := func(a, b float64) int { return int((b-a)/latticeMM) + 2*margin + 1 }
	const off = 0.37 // not on the planes of the scan's grid
	fine := imaging.NewGrid([3]int{size(lo.X, hi.X), size(lo.Y, hi.Y), size(lo.Z, hi.Z)},
		r3.Add(lo, r3.Vec{X: off - margin*latticeMM, Y: off - margin*latticeMM, Z: off - margin*latticeMM}), [3]float64{latticeMM, latticeMM, latticeMM})
	truth := l.Truth(fine)
	organ, tumour := in(truth, imaging.LabelLiver), in(truth, imaging.LabelTumour, imaging.LabelTumour+1)
	out := &lattice{g: fine}
	for n := range fine.Len() {
		if organ(n) {
			out.points = append(out.points, n)
			if !tumour(n) {
				out.base++
			}
		}
	}
	return out
}

// margin is how many points the lattice reaches beyond the coarse bounds.
const margin = 8

// flrPercent is the largest face-connected part of what stays, as a share of
// the organ without its tumours.
func (t *lattice) flrPercent(p *planner.Plan) float64 {
	stays := make([]bool, t.g.Len())
	for _, n := range t.points {
		i, j, k := t.g.IJK(n)
		stays[n] = !p.Resected(t.g.Point(float64(i), float64(j), float64(k)))
	}
	return 100 * float64(largestPart(t.g.Size, stays)) / float64(t.base)
}

// largestPart is the number of points of the largest face-connected part of in,
// which is cleared. The outermost points must not be in it.
func largestPart(size [3]int, in []bool) int {
	step := [6]int{1, -1, size[0], -size[0], size[0] * size[1], -size[0] * size[1]}
	most := 0
	var stack []int
	for n := range in {
		if !in[n] {
			continue
		}
		in[n] = false
		stack = append(stack[:0], n)
		count := 0
		for len(stack) > 0 {
			a := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			count++
			for _, s := range step {
				if b := a + s; in[b] {
					in[b] = false
					stack = append(stack, b)
				}
			}
		}
		most = max(most, count)
	}
	return most
}
