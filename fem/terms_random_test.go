package fem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"halsted/fem/material"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// randomTerms is a block with parts of every kind, often too much for it.
func randomTerms(rng *rand.Rand) (*Model, Settings) {
	m := twoParts()
	if rng.IntN(3) == 0 {
		m.Mid = nil
	}
	size := func(lo, hi float64) float64 { return lo * math.Pow(hi/lo, rng.Float64()) }
	law := func() material.Law {
		return must(material.NewNeoHookean(size(3e-4, 3e-2), []float64{0.3, 0.45, 0.49}[rng.IntN(3)]))
	}
	vec := func(s float64) r3.Vec {
		return r3.Vec{X: s * rng.NormFloat64(), Y: s * rng.NormFloat64(), Z: s * rng.NormFloat64()}
	}
	mod := &Model{Mesh: m, Regions: twoLaws(law(), law()), Prescribed: prescribe(m, at(0), still)}
	node := func() int32 { return m.Tets[rng.IntN(len(m.Tets))][rng.IntN(4)] }
	skin := boundaryFaces(m)
	some := func() (f [][3]int32) {
		for _, x := range skin {
			if rng.IntN(3) == 0 {
				f = append(f, x)
			}
		}
		return append(f, skin[0])
	}
	if rng.IntN(2) == 0 {
		mod.Membranes = []Membrane{{Name: "m", Faces: some(), Law: rubber(size(1e-4, 1), 0.1), Prestretch: 0.9 + 0.4*rng.Float64(), DensityTPerMM3: 1e-9}}
	}
	if rng.IntN(2) == 0 {
		mod.Foundations = []Foundation{{Name: "f", Faces: some(), NormalMPaPerMM: size(1e-6, 1), TangentMPaPerMM: size(1e-6, 1)}}
	}
	for range rng.IntN(4) {
		mod.Springs = append(mod.Springs, Spring{Name: "s", Nodes: [2]int32{node(), -1}, AnchorMM: vec(20), StiffnessNPerMM: size(1e-4, 10), TensionOnly: rng.IntN(2) == 0, RestMM: float64(rng.IntN(2)) * size(1, 30)})
	}
	for range rng.IntN(3) {
		a, b := node(), node()
		if a != b && r3.Norm(r3.Sub(m.Nodes[a], m.Nodes[b])) > 1 {
			mod.Trusses = append(mod.Trusses, Truss{Name: "t", Nodes: [2]int32{a, b}, AreaMM2: 1, EMPa: size(1e-3, 100), Strain: TrussStrain(rng.IntN(2)), DensityTPerMM3: 1e-9})
		}
	}
	load := func() *LoadCase {
		l := &LoadCase{GravityChange: vec(9810)}
		p := size(1e-6, 1e-2) * float64(1-2*rng.IntN(2))
		for _, f := range some() {
			l.Faces = append(l.Faces, FaceLoad{Face: f, PressureMPa: p, Follows: true})
		}
		l.Forces = []NodalForce{{node(), vec(size(1e-4, 1e-1))}}
		return l
	}
	mod.Stages = []Stage{{Loads: load(), Steps: 2, Sudden: rng.IntN(4) == 0, DurationS: size(1e-3, 1)}}
	for _, x := range []string{"m", "f", "s", "t"} {
		if rng.IntN(3) == 0 && mod.checkNamesHave(x) {
			mod.Stages[0].Detach = append(mod.Stages[0].Detach, x)
		}
	}
	mod.Stages = append(mod.Stages, Stage{Steps: 2, Remove: []imaging.Label{tumour}})
	s := Settings{MaxCutbacks: 3}
	switch rng.IntN(3) {
	case 0:
		s.ArcLength = &ArcLength{MaxSteps: 8, MaxMM: 30}
	case 1:
		mod.Dynamic = &Dynamic{SpectralRadius: rng.Float64(), RayleighMassPerS: 10 * rng.Float64(), RayleighStiffnessS: 1e-2 * float64(rng.IntN(2)), Method: DynamicMethod(rng.IntN(2))}
	}
	if rng.IntN(2) == 0 {
		s.Formulation = MeanDilatation
	}
	return mod, s
}

func (m *Model) checkNamesHave(name string) bool {
	t := *m
	t.Stages = []Stage{{Detach: []string{name}}}
	return t.checkNames() == nil
}

// Whatever is asked for ends with finite frames, or with a typed reason.
func TestTermsRandomModelsEndTyped(t *testing.T) {
	const seeds = 8
	good := 0
	for seed := range uint64(seeds) {
		mod, s := randomTerms(rand.New(rand.NewPCG(seed, 7)))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, err := Solve(ctx, mod, s, func(f *Frame) error { return f.finite() })
		cancel()
		switch {
		case err == nil:
			good++
		case isType[*NotConvergedError](err), isType[*UnconstrainedError](err), isType[*InputError](err):
		case errors.Is(err, context.DeadlineExceeded):
			t.Errorf("seed %d: no end", seed)
		default:
			t.Errorf("seed %d: %v", seed, fmt.Sprintf("%T %v", err, err))
		}
	}
	t.Logf("%d of %d solved", good, seeds)
}
