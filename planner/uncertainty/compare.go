package uncertainty

import "halsted/planner"

// Shares are how often plan a does better than, the same as and worse than plan
// b in an output, over the samples that both saw with the same inputs. They add
// up to 1. A run that did not converge is worse than any that did; two of them
// are the same. Values beyond the objective's cap are the same. Without a
// common sample, or when nothing says which side of the output is better, all
// of it is the same.
func Shares(a, b *Result, output string) (better, same, worse float64) {
	d, known := direction(a.Directions, output)
	if !known {
		return 0, 1, 0
	}
	of := make(map[int]Sample, len(b.Samples))
	for _, s := range b.Samples {
		of[s.Index] = s
	}
	wins, draws, losses := 0, 0, 0
	for _, s := range a.Samples {
		o, ok := of[s.Index]
		if !ok || a.Level != b.Level || !sameBits(s.X, o.X) {
			continue
		}
		switch c := d.compare(s, o); {
		case c < 0:
			wins++
		case c > 0:
			losses++
		default:
			draws++
		}
	}
	n := float64(wins + draws + losses)
	if n == 0 {
		return 0, 1, 0
	}
	return float64(wins) / n, float64(draws) / n, float64(losses) / n
}

// compare is negative when a is better.
func (d Direction) compare(a, b Sample) int {
	va, okA := d.cost(a)
	vb, okB := d.cost(b)
	switch {
	case okA != okB && okA, okA && okB && va < vb:
		return -1
	case okA != okB, okA && okB && va > vb:
		return 1
	}
	return 0
}

// cost is the output turned so that smaller is better, up to the cap; false
// when the run has none.
func (d Direction) cost(s Sample) (float64, bool) {
	var v planner.Value
	v, ok := find(s.Values, d.Output)
	if d.Less {
		if d.Cap != 0 {
			v.V = max(v.V, d.Cap)
		}
		return v.V, ok
	}
	if d.Cap != 0 {
		v.V = min(v.V, d.Cap)
	}
	return -v.V, ok
}

// Compare is the probability that plan a does better than plan b in an output,
// over common random numbers; a draw counts half, so Compare(a, b) +
// Compare(b, a) = 1. It is ½ where nothing tells them apart.
func Compare(a, b *Result, output string) (pBetter float64) {
	better, same, _ := Shares(a, b, output)
	return better + same/2
}
