package needle

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	burnStepMM   = 5     // between the centres of zones that are tried
	burnsMost    = 12    // of one plan
	coverSkin    = 3000  // skin points that are tried for each centre, at most
	coverWork    = 3e8   // words looked at by the exact search, at most
	gainLeast    = 0.002 // share of what is to be killed that one more zone must add
	burnWaysMost = 2     // to one centre
	burnApart    = 0.85  // cosine of the angle between them, 32°
	beyondRimMM  = 1     // centres lie at most this far outside the target
)

// burnPlan is a set of burns that kills the target with its margin.
type burnPlan struct {
	Ways    []Trajectory // one per burn
	Covered float64      // share of the target and its margin, 0 to 1
	// Minimal says that no smaller set of the burns that were tried covers as
	// much: all sets were looked at.
	Minimal bool
	Tried   int // burns
}

// preference is what the entry of a burn is chosen by.
type preference int

const (
	preferReserve preference = iota
	preferLength
	preferAngle
	preferences
)

// cover finds burns for the target and its margin: for each centre of a lattice
// the best way in, then a greedy set cover (Johnson, J. Comput. Syst. Sci. 9
// (1974) 256), then an exact search for a smaller one.
func (c *Case) cover(ctx context.Context, by preference) (*burnPlan, error) {
	ways, err := c.burnWays(ctx, by)
	if err != nil || len(ways) == 0 {
		return nil, err
	}
	want := c.wanted()
	sets := make([]set, len(ways))
	err = par.ChunksCtx(ctx, len(ways), 4, func(lo, hi int) error {
		for n := lo; n < hi; n++ {
			b := c.burnOf(ways[n].Entry, ways[n].Tip, c.zone)
			sets[n] = newSet(len(want))
			for m, p := range want {
				if b.holds(p) {
					sets[n].add(m)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chosen := greedy(sets, len(want))
	covered := newSet(len(want))
	for _, n := range chosen {
		covered.join(sets[n])
	}
	out := &burnPlan{Covered: float64(covered.count()) / float64(len(want)), Tried: len(ways)}
	better, proved, err := smaller(ctx, sets, covered, len(chosen)-1)
	if err != nil {
		return nil, err
	}
	if better != nil {
		chosen = better
	}
	out.Minimal = proved
	for _, n := range chosen {
		out.Ways = append(out.Ways, ways[n])
	}
	return out, nil
}

// wanted are the voxel centres of the target and the organ within the margin.
func (c *Case) wanted() (out []r3.Vec) {
	f := c.tumour
	for k := range f.size[2] {
		for j := range f.size[1] {
			for i := range f.size[0] {
				x, y, z := i+int(f.lo[0]), j+int(f.lo[1]), k+int(f.lo[2])
				if _, w, _ := c.kind(x, y, z, 0); w {
					out = append(out, c.Grid.Point(float64(x), float64(y), float64(z)))
				}
			}
		}
	}
	return out
}

// burnOf is the zone of a needle.
func (c *Case) burnOf(entry, tip r3.Vec, z zone) burn {
	axis := r3.Unit(r3.Sub(tip, entry))
	return burn{z, r3.Sub(tip, r3.Scale(c.beyond, axis)), axis}
}

// burnWays is the best feasible way to each centre of a lattice over the
// target.
func (c *Case) burnWays(ctx context.Context, by preference) ([]Trajectory, error) {
	var centres []r3.Vec
	h := c.Grid.SpacingMM()
	x, y, z := c.Grid.Voxel(c.centre)
	var from, to [3]int
	for a, v := range [3]float64{x, y, z} {
		from[a] = int(math.Ceil((c.tumour.lo[a] - v) * h[a] / burnStepMM))
		to[a] = int(math.Floor((c.tumour.lo[a] + c.tumour.hi[a] - v) * h[a] / burnStepMM))
	}
	for k := from[2]; k <= to[2]; k++ {
		for j := from[1]; j <= to[1]; j++ {
			for i := from[0]; i <= to[0]; i++ {
				u, v, w := x+float64(i)*burnStepMM/h[0], y+float64(j)*burnStepMM/h[1], z+float64(k)*burnStepMM/h[2]
				if c.tumour.at(u, v, w) < beyondRimMM {
					centres = append(centres, c.Grid.Point(u, v, w))
				}
			}
		}
	}
	stride := (len(c.skin) + coverSkin - 1) / coverSkin
	ways := make([][]Trajectory, len(centres))
	err := par.ChunksCtx(ctx, len(centres), 1, func(n, _ int) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		in := judge{c: c}
		var all []Trajectory
		var value [][2]float64
		for s := 0; s < len(c.skin); s += stride {
			tip, over := c.tip(c.skin[s], centres[n])
			if over > 0 {
				continue
			}
			sh := newShaft(&c.Grid, tip, c.skin[s])
			cost, ok := in.costs(&sh)
			if !ok {
				continue
			}
			v := [2]float64{float64(cost[costReserve]), sh.mm}
			switch by {
			case preferLength:
				v[0] = 0
			case preferAngle:
				v[0] = float64(cost[costAngle]) + float64(cost[costScan])
			}
			all = append(all, Trajectory{Entry: c.skin[s], Tip: tip, Point: centres[n], LengthMM: sh.mm, skin: int32(s), cost: cost})
			value = append(value, v)
		}
		// the best way, and the best that comes from elsewhere
		for range burnWaysMost {
			best := -1
			for m := range all {
				far := true
				for _, w := range ways[n] {
					far = far && r3.Dot(direction(w), direction(all[m])) < burnApart
				}
				if far && (best < 0 || value[m][0] < value[best][0] || value[m][0] == value[best][0] && value[m][1] < value[best][1]) {
					best = m
				}
			}
			if best < 0 {
				break
			}
			ways[n] = append(ways[n], all[best])
		}
		return nil
	})
	return slices.Concat(ways...), err
}

func direction(t Trajectory) r3.Vec { return r3.Unit(r3.Sub(t.Tip, t.Entry)) }

// set is a bit set.
type set []uint64

func newSet(n int) set       { return make(set, (n+63)/64) }
func (s set) add(n int)      { s[n>>6] |= 1 << (n & 63) }
func (s set) has(n int) bool { return s[n>>6]>>(n&63)&1 != 0 }

func (s set) join(o set) {
	for i, w := range o {
		s[i] |= w
	}
}

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// gain is the number of members of o that s lacks.
func (s set) gain(o set) (n int) {
	for i, w := range o {
		n += bits.OnesCount64(w &^ s[i])
	}
	return n
}

// greedy is a cover by two rules, the better one: the set that adds most
// (Johnson 1974), and of those that hold the member which fewest sets hold, the
// one that adds most. Sets that the others make superfluous are dropped.
func greedy(sets []set, universe int) []int {
	holders := holdersOf(sets, universe)
	var best []int
	most := -1
	for _, rarest := range []bool{true, false} {
		chosen := prune(sets, take(sets, holders, rarest))
		have := newSet(universe)
		for _, n := range chosen {
			have.join(sets[n])
		}
		if n := have.count(); n > most || n == most && len(chosen) < len(best) {
			best, most = chosen, n
		}
	}
	return best
}

func take(sets []set, holders []int32, rarest bool) (chosen []int) {
	universe := len(holders)
	have := newSet(universe)
	for len(chosen) < burnsMost {
		rare := -1
		if rarest {
			for m, n := range holders {
				if n > 0 && !have.has(m) && (rare < 0 || n < holders[rare]) {
					rare = m
				}
			}
		}
		best, at := 0, -1
		for n, s := range sets {
			if rare >= 0 && !s.has(rare) {
				continue
			}
			if g := have.gain(s); g > best {
				best, at = g, n
			}
		}
		if at < 0 || !rarest && len(chosen) > 0 && have.count()+best < universe && float64(best) < gainLeast*float64(universe) {
			break
		}
		chosen = append(chosen, at)
		have.join(sets[at])
	}
	return chosen
}

// prune drops sets that add nothing to the others.
func prune(sets []set, chosen []int) []int {
	for n := 0; n < len(chosen); {
		have := make(set, len(sets[chosen[n]]))
		for m, o := range chosen {
			if m != n {
				have.join(sets[o])
			}
		}
		if have.gain(sets[chosen[n]]) == 0 {
			chosen = append(chosen[:n:n], chosen[n+1:]...)
			continue
		}
		n++
	}
	return chosen
}

// smaller looks for at most k sets that together hold all of want, and then for
// fewer. proved says that all were looked at: what was found, or the lack of
// it, is exact.
func smaller(ctx context.Context, sets []set, want set, k int) (chosen []int, proved bool, err error) {
	most := 0
	for _, s := range sets {
		g := 0
		for i, w := range want {
			g += bits.OnesCount64(w & s[i])
		}
		most = max(most, g)
	}
	// members in the order of how few sets hold them: the first that is not held
	// yet must be held next
	members := rarestFirst(sets, want)
	work := 0
	over := func() bool { return work > coverWork || ctx.Err() != nil }
	var try func(have set, from, left int, path []int) []int
	try = func(have set, from, left int, path []int) []int {
		work += len(have)
		lack := 0
		for i, w := range want {
			lack += bits.OnesCount64(w &^ have[i])
		}
		if lack == 0 {
			return append([]int(nil), path...)
		}
		if lack > left*most {
			return nil
		}
		for have.has(int(members[from])) {
			from++
		}
		next := make(set, len(have))
		for n, s := range sets {
			if !s.has(int(members[from])) {
				continue
			}
			copy(next, have)
			next.join(s)
			work += len(have)
			if found := try(next, from, left-1, append(path, n)); found != nil {
				return found
			}
			if over() {
				return nil
			}
		}
		return nil
	}
	for k >= 1 && len(members) > 0 {
		found := try(make(set, len(want)), 0, k, nil)
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if found == nil {
			return chosen, work <= coverWork, nil
		}
		chosen, k = found, len(found)-1
	}
	return chosen, true, nil
}

// holdersOf counts for each member the sets that hold it.
func holdersOf(sets []set, universe int) []int32 {
	n := make([]int32, (universe+63)/64*64)
	for _, s := range sets {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				n[i<<6+bits.TrailingZeros64(w)]++
			}
		}
	}
	return n[:universe]
}

// rarestFirst are the members of want, those that fewest sets hold first.
func rarestFirst(sets []set, want set) []int32 {
	holders := holdersOf(sets, 64*len(want))
	var members []int32
	for i, w := range want {
		for ; w != 0; w &= w - 1 {
			members = append(members, int32(i<<6+bits.TrailingZeros64(w)))
		}
	}
	slices.SortStableFunc(members, func(a, b int32) int { return cmp.Compare(holders[a], holders[b]) })
	return members
}
