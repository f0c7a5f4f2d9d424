package vessel

import (
	"math"
	"slices"
)

// A stretch before a branching is its two branches still side by side, and not
// the vessel they come from, where it is thinner than that vessel by a step, as
// long as stemRadii of its radii at least, and obeys Murray's law with the branches
// for no exponent up to murrayHigh while the vessel before the step does. The step
// must explain the radii stemBetter times as well as a steady taper.
const (
	stemRadii  = 3.0
	stemBetter = 1.5
)

// drop is the place m that parts r best into two values, the sum of squares left
// over, and that left over by a straight line.
func drop(r []float64) (m int, before, after, rest, line float64) {
	n := float64(len(r))
	sum := 0.0
	for _, x := range r {
		sum += x
	}
	sxx, sxy, syy := 0.0, 0.0, 0.0
	for k, x := range r {
		d, y := float64(k)-(n-1)/2, x-sum/n
		sxx, sxy, syy = sxx+d*d, sxy+d*y, syy+y*y
	}
	rest, line = syy, syy-sxy*sxy/max(sxx, 1)
	left := 0.0
	for k := 1; k < len(r); k++ {
		left += r[k-1]
		w := float64(k)
		a, b := left/w, (sum-left)/(n-w)
		if s := syy - w*(a-sum/n)*(a-sum/n) - (n-w)*(b-sum/n)*(b-sum/n); s < rest {
			m, before, after, rest = k, a, b, s
		}
	}
	return m, before, after, rest, line
}

// stems moves branchings beyond which no vessel but their two branches side by
// side was fitted back to where the vessel divides: the stretch becomes part of
// both branches. The radii must be those of the cross-sections (see areas). It
// reports whether any moved.
func (g *graph) stems() (some bool) {
	for j, at := range g.ends() {
		if len(at) != 3 || g.joints[j].root || at[0]/2 == at[1]/2 || at[1]/2 == at[2]/2 || at[0]/2 == at[2]/2 {
			continue
		}
		for n := range at {
			x, kids := at[n], [2]int{at[(n+1)%3], at[(n+2)%3]}
			if m, ok := g.stem(x, kids); ok {
				g.setBack(x, kids, m)
				some = true
				break
			}
		}
	}
	return some
}

// stem is the point, from the joint of end x on, up to which the edge is its two
// branches side by side.
func (g *graph) stem(x int, kids [2]int) (m int, ok bool) {
	e := &g.edges[x/2]
	if e.clean == nil {
		return 0, false
	}
	r, clean := slices.Clone(e.r), slices.Clone(e.clean)
	if x&1 == 1 {
		slices.Reverse(r)
		slices.Reverse(clean)
	}
	from := slices.Index(clean, true)
	if from < 0 {
		return 0, false
	}
	to := len(r)
	for !clean[to-1] {
		to--
	}
	m, near, far, rest, line := drop(r[from:to])
	m += from
	h := length(e.p) / float64(len(e.p)-1)
	if m == from || near >= far || line < stemBetter*rest || float64(m)*h < stemRadii*near || float64(to-m)*h < far {
		return 0, false
	}
	least := 0.0 // radius that divides into the two by a plausible exponent
	for _, y := range kids {
		least += math.Pow(g.edges[y/2].typical(), murrayHigh)
	}
	least = math.Pow(least, 1/murrayHigh)
	if far < least || near >= least {
		return 0, false
	}
	// Branches may part, show more of both, and come close again.
	for k := to - 1 - int(math.Ceil(far/h)); k > m; k-- {
		if r[k] < least {
			return k + 1, true
		}
	}
	return m, true
}

// setBack moves the joint of end x to the m-th point of its edge and lets both
// branches begin there.
func (g *graph) setBack(x int, kids [2]int, m int) {
	p := slices.Clone(g.from(x)[:m+1])
	slices.Reverse(p) // towards the old joint
	turn := func(y int) {
		if y&1 == 1 {
			g.edges[y/2].turn()
		}
	}
	turn(x)
	e := &g.edges[x/2]
	old := length(e.p)
	e.p, e.r, e.clean = e.p[m:], e.r[m:], nil
	e.sd *= math.Sqrt(old / max(length(e.p), g.l.mean))
	g.joints[e.a].at = e.p[0]
	turn(x)
	for _, y := range kids {
		turn(y)
		k := &g.edges[y/2]
		t := k.typical()
		q := append(slices.Clone(p), k.p[1:]...)
		r := append(slices.Repeat([]float64{t}, len(p)), k.r[1:]...)
		total := length(q)
		count := max(2, int(math.Round(total/max(pointVoxels*g.l.mean, pointRadii*t))))
		k.p, k.r = even(q, r, count)
		k.clean = nil
		k.merged[0] = min(int(math.Ceil(length(p)/total*float64(count))), count-1)
		turn(y)
	}
}

// unseen gives the stretches that branches share with others the radius that they
// have beyond.
func (g *graph) unseen() {
	for n := range g.edges {
		e := &g.edges[n]
		last := len(e.p) - 1
		a, b := min(e.merged[0], last), min(e.merged[1], last)
		for m := range a {
			e.r[m] = e.r[a]
		}
		for m := range b {
			e.r[last-m] = e.r[last-b]
		}
	}
}
