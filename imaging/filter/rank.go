package filter

import (
	"cmp"
	"slices"
)

// Ranked is the element that would be at index k if x were sorted. It reorders
// x (Hoare, Communications of the ACM 4 (1961) 321: quickselect); time grows as
// the length of x.
func Ranked[T cmp.Ordered](x []T, k int) T {
	lo, hi := 0, len(x)-1
	for range 64 { // of each stretch half is left on average
		if lo >= hi {
			return x[k]
		}
		a, b, c := x[lo], x[lo+(hi-lo)/2], x[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for pivot < x[j] {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
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
			return x[k]
		}
	}
	slices.Sort(x[lo : hi+1])
	return x[k]
}
