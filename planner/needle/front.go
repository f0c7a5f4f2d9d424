package needle

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// sweepFront gives the indices of the candidates that no other dominates, one
// for each vector of costs (the first), by their costs.
//
// The candidates are swept in lexicographic order, so that only those before
// can dominate. best[r][a][t] is the least scan cost met so far with reserve ≤
// r, angle ≤ a and track ≤ t: one look tells whether a candidate is dominated
// (or equalled). What enters lowers the table above it, and stops where the
// table is no higher, since it does not rise along any axis.
func sweepFront(ctx context.Context, all []candidate) ([]int, error) {
	order, err := sorted(ctx, all)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var n [costs]int
	for i := range all {
		for a, v := range all[i].cost {
			n[a] = max(n[a], int(v)+1)
		}
	}
	nr, na, nt := n[costReserve], n[costAngle], n[costTrack]
	best := make([]uint16, nr*na*nt)
	for i := range best {
		best[i] = math.MaxUint16
	}
	var keep []int
	for m, i := range order {
		if m&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v := &all[i].cost
		r0, a0, t0, s := int(v[costReserve]), int(v[costAngle]), int(v[costTrack]), v[costScan]
		if best[(r0*na+a0)*nt+t0] <= s {
			continue
		}
		keep = append(keep, i)
		for r := r0; r < nr && best[(r*na+a0)*nt+t0] > s; r++ {
			for a := a0; a < na && best[(r*na+a)*nt+t0] > s; a++ {
				row := best[(r*na+a)*nt:][:nt]
				for t := t0; t < nt && row[t] > s; t++ {
					row[t] = s
				}
			}
		}
	}
	return keep, nil
}

// naiveFront is sweepFront by comparing all pairs.
func naiveFront(ctx context.Context, all []candidate) ([]int, error) {
	order, err := sorted(ctx, all)
	if err != nil {
		return nil, err
	}
	var keep []int
	for m, i := range order {
		if m&0xff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		dominated := m > 0 && all[order[m-1]].cost == all[i].cost // the first of equals stands
		for _, j := range order {
			if dominated {
				break
			}
			no, less := true, false
			for a, v := range all[j].cost {
				no = no && v <= all[i].cost[a]
				less = less || v < all[i].cost[a]
			}
			dominated = no && less
		}
		if !dominated {
			keep = append(keep, i)
		}
	}
	return keep, nil
}

// sorted is the lexicographic order of the costs, the candidates' own order
// among equals.
func sorted(ctx context.Context, all []candidate) ([]int, error) {
	// costs are small: pack them, and the index, into two words
	type key struct {
		hi uint64
		lo uint32
		i  int32
	}
	keys := make([]key, len(all))
	for i := range all {
		v := &all[i].cost
		keys[i] = key{uint64(v[0])<<48 | uint64(v[1])<<32 | uint64(v[2])<<16 | uint64(v[3]), uint32(v[4]), int32(i)}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.hi != b.hi {
			return cmp.Compare(a.hi, b.hi)
		}
		if a.lo != b.lo {
			return cmp.Compare(a.lo, b.lo)
		}
		return cmp.Compare(a.i, b.i)
	})
	out := make([]int, len(all))
	for n, k := range keys {
		out[n] = int(k.i)
	}
	return out, ctx.Err()
}
