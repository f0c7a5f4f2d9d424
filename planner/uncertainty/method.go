package uncertainty

import (
	"fmt"
	"math/rand/v2"
)

// Kind is how samples of the inputs are chosen.
type Kind uint8

// The kinds. Random alone carries order statistics; the others estimate
// quantiles better with the same number of runs.
const (
	Random         Kind = iota // independent random samples
	LatinHypercube             // one sample in each of n layers of every input
	SobolPoints                // scrambled Sobol points; best in powers of two
	Chaos                      // polynomial chaos of degree 2 fitted to a Latin hypercube
)

var kindNames = [...]string{"random", "latin-hypercube", "sobol", "chaos"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// words are how a basis names the samples.
func (k Kind) words() string {
	return [...]string{"independent random samples", "Latin hypercube samples", "scrambled Sobol samples", "runs of a degree-2 polynomial chaos"}[k]
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *Kind) UnmarshalText(b []byte) error {
	for n, name := range kindNames {
		if name == string(b) {
			*k = Kind(n)
			return nil
		}
	}
	return fmt.Errorf("uncertainty: unknown method %q (want random, latin-hypercube, sobol or chaos)", b)
}

// Method is how the inputs are spread.
type Method struct {
	Kind Kind   `json:"kind"`
	Runs int    `json:"runs"` // 0: the method's own number
	Seed uint64 `json:"seed"`
}

// The methods' own numbers of runs: Wilks' first order for 95/95; layers and
// points enough for 2.5 % tails. Chaos takes ChaosRuns.
const (
	randomRuns = 59
	latinRuns  = 100
	sobolRuns  = 128
	maxRuns    = 1 << 20
)

// ChaosRuns is the number of runs for polynomial chaos of degree 2 over d
// inputs: twice its terms, 2·C(d+2, 2).
func ChaosRuns(d int) int { return (d + 2) * (d + 1) }

// RunsError says that a method cannot work with a number of runs.
type RunsError struct {
	Method    Method
	Want, Max int // 0: no such limit
}

func (e *RunsError) Error() string {
	if e.Max > 0 {
		return fmt.Sprintf("uncertainty: %d runs by the method %s: want %d to %d", e.Method.Runs, e.Method.Kind, e.Want, e.Max)
	}
	return fmt.Sprintf("uncertainty: %d runs by the method %s: want at least %d", e.Method.Runs, e.Method.Kind, e.Want)
}

// DimensionsError says that there are more inputs than the method can spread.
type DimensionsError struct {
	Kind      Kind
	Have, Max int
}

func (e *DimensionsError) Error() string {
	return fmt.Sprintf("uncertainty: the method %s spreads up to %d inputs, not %d; hold some fixed or take random samples", e.Kind, e.Max, e.Have)
}

// runs is the number of runs over d varying inputs, checked.
func (m Method) runs(d int) (int, error) {
	if int(m.Kind) >= len(kindNames) {
		return 0, fmt.Errorf("uncertainty: unknown method %d", m.Kind)
	}
	if most := map[Kind]int{LatinHypercube: MaxDimensions, SobolPoints: MaxDimensions, Chaos: MaxDimensions - 1}[m.Kind]; m.Kind != Random && d > most {
		return 0, &DimensionsError{m.Kind, d, most}
	}
	own := [...]int{randomRuns, latinRuns, sobolRuns, ChaosRuns(d)}[m.Kind]
	if m.Runs == 0 {
		return own, nil
	}
	least := 2
	if m.Kind == Chaos {
		least = (d+2)*(d+1)/2 + 1 // one more than its terms
	}
	if m.Runs < least || m.Runs > maxRuns {
		return 0, &RunsError{m, least, maxRuns}
	}
	return m.Runs, nil
}

// Points are n points of the unit cube in d dimensions, every coordinate
// strictly between 0 and 1: points[run][dimension]. They depend on the method's
// kind and seed, n and d alone; of Random and SobolPoints the first n of more
// are the same. Chaos is fitted to a Latin hypercube.
func Points(m Method, n, d int) ([][]float64, error) {
	if d > MaxDimensions && m.Kind != Random {
		return nil, &DimensionsError{m.Kind, d, MaxDimensions}
	}
	if n < 0 || n > maxRuns {
		return nil, &RunsError{Method{m.Kind, n, m.Seed}, 0, maxRuns}
	}
	points := make([][]float64, n)
	for i := range points {
		points[i] = make([]float64, d)
	}
	switch m.Kind {
	case Random:
		for i, p := range points {
			rng := rand.New(rand.NewPCG(m.Seed, mix(uint64(i))))
			for j := range p {
				p[j] = open01(rng)
			}
		}
	case SobolPoints:
		for i, p := range points {
			for j := range p {
				p[j] = scrambledSobol(j, uint32(i), m.Seed)
			}
		}
	default:
		for j := range d {
			rng := rand.New(rand.NewPCG(m.Seed, mix(uint64(j))))
			for i, layer := range rng.Perm(n) {
				points[i][j] = min((float64(layer)+open01(rng))/float64(n), below1)
			}
		}
	}
	return points, nil
}

const below1 = 1 - 0x1p-53 // the largest float below 1

// open01 is uniform, strictly between 0 and 1.
func open01(rng *rand.Rand) float64 { return (float64(rng.Uint64()>>12) + 0.5) / (1 << 52) }
