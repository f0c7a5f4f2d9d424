package vessel

import (
	"context"
	"math"
	"slices"
)

// elimination is the LDLᵀ factor of the conductances of a network's free nodes,
// in the order in which they went.
type elimination struct {
	order []int
	pivot []float64
	near  [][]int // later nodes that each row still had, ascending
	value [][]float64
	free  []bool
}

// eliminate takes the free nodes out, those with the fewest neighbours first.
func eliminate(ctx context.Context, w *Network, near []map[int]float64) (*elimination, error) {
	n := w.Nodes
	e := &elimination{free: make([]bool, n), pivot: make([]float64, n), near: make([][]int, n), value: make([][]float64, n)}
	diag, whole := make([]float64, n), make([]float64, n)
	for a := range n {
		_, fixed := w.Fixed[a]
		e.free[a] = !fixed
		for _, b := range keys(near[a]) {
			diag[a] += near[a][b]
		}
		if r, ok := w.Terminal[a]; ok {
			diag[a] += 1 / r
		}
		whole[a] = diag[a]
	}
	for a := range n { // known pressures are no unknowns
		if !e.free[a] {
			for _, b := range keys(near[a]) {
				delete(near[b], a)
			}
			near[a] = nil
		}
	}
	// Nodes by number of neighbours; a node moves down as its neighbours go.
	var buckets [][]int
	put := func(a int) {
		for len(buckets) <= len(near[a]) {
			buckets = append(buckets, nil)
		}
		buckets[len(near[a])] = append(buckets[len(near[a])], a)
	}
	for a := n - 1; a >= 0; a-- {
		if e.free[a] {
			put(a)
		}
	}
	done := make([]bool, n)
	for d := 0; d < len(buckets); {
		if len(buckets[d]) == 0 {
			d++
			continue
		}
		a := buckets[d][len(buckets[d])-1]
		buckets[d] = buckets[d][:len(buckets[d])-1]
		if done[a] || len(near[a]) != d {
			continue
		}
		if len(e.order)&255 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		done[a] = true
		e.order = append(e.order, a)
		ks := keys(near[a])
		p := diag[a]
		if p <= 1e-13*whole[a] || p == 0 { // nothing holds this part: all of one pressure
			if len(ks) == 0 && p <= 1e-13*whole[a] || p == 0 {
				e.pivot[a] = math.Inf(1)
				if w.feeds(a) {
					return nil, ErrFloating
				}
			}
		}
		if e.pivot[a] == 0 {
			e.pivot[a] = p
		}
		for _, b := range ks {
			e.near[a] = append(e.near[a], b)
			e.value[a] = append(e.value[a], near[a][b])
		}
		for x, b := range ks {
			delete(near[b], a)
			diag[b] -= near[a][b] * near[a][b] / p
			for _, c := range ks[x+1:] {
				near[b][c] += near[a][b] * near[a][c] / p
				near[c][b] = near[b][c]
			}
		}
		for _, b := range ks {
			put(b)
			d = min(d, len(near[b]))
		}
	}
	return e, nil
}

// feeds reports whether any flow is prescribed in the part of the network around
// node a.
func (w *Network) feeds(a int) bool {
	s := newSets(w.Nodes)
	for _, t := range w.Tubes {
		if !math.IsInf(t.Resistance, 1) {
			s.join(t.A, t.B)
		}
	}
	for b, q := range w.Inlet {
		if q != 0 && s.find(b) == s.find(a) {
			return true
		}
	}
	return false
}

func keys(m map[int]float64) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// solve is the change of pressure that takes the net flow r out of every free
// node.
func (e *elimination) solve(r []float64) []float64 {
	x := slices.Clone(r)
	for a := range x {
		if !e.free[a] {
			x[a] = 0
		}
	}
	for _, a := range e.order {
		for k, b := range e.near[a] {
			x[b] += x[a] * e.value[a][k] / e.pivot[a]
		}
	}
	for k := len(e.order) - 1; k >= 0; k-- {
		a := e.order[k]
		x[a] /= e.pivot[a]
		for m, b := range e.near[a] {
			x[a] += x[b] * e.value[a][m] / e.pivot[a]
		}
	}
	return x
}

// Blood says how a tree is perfused.
type Blood struct {
	ViscosityMPaS float64 // 0 means BloodViscosityMPaS
	// The root gets InflowMM3PerS, or, where that is 0, the pressure RootMPa. With
	// several roots the flow is shared as their pressures allow: all are one node.
	InflowMM3PerS, RootMPa float64
	TerminalMPa            float64 // pressure beyond the terminal resistances
	// A tip of radius r has the terminal resistance TerminalFactor · r^−TerminalGamma
	// (MPa·s/mm³, mm). TerminalGamma 0 means 3 (Murray); TerminalFactor 0 means that
	// the tips are open at TerminalMPa.
	TerminalFactor, TerminalGamma float64
	Cut                           []int // branches closed at their start
}

// Perfuse is the flow and the pressures of a tree: flow[n] through branch n
// away from the root, mm³/s, and the pressure at its start and end, MPa. Veins
// are the same with the sign of the flow turned.
func (t *Tree) Perfuse(ctx context.Context, b Blood) (flow, start, end []float64, err error) {
	if err := t.Validate(); err != nil {
		return nil, nil, nil, err
	}
	mu, gamma := b.ViscosityMPaS, b.TerminalGamma
	if mu == 0 {
		mu = BloodViscosityMPaS
	}
	if gamma == 0 {
		gamma = 3
	}
	w := &Network{Nodes: len(t.Branches) + 1, TerminalMPa: b.TerminalMPa, Fixed: map[int]float64{}, Inlet: map[int]float64{}, Terminal: map[int]float64{}}
	for n := range t.Branches {
		br := &t.Branches[n]
		r := br.Resistance(mu)
		if slices.Contains(b.Cut, n) {
			r = math.Inf(1)
		}
		w.Tubes = append(w.Tubes, Tube{A: br.Parent + 1, B: n + 1, Resistance: r})
		if len(br.Children) == 0 {
			if b.TerminalFactor == 0 {
				w.Fixed[n+1] = b.TerminalMPa
			} else {
				w.Terminal[n+1] = b.TerminalFactor * math.Pow(br.RadiusMM[len(br.RadiusMM)-1], -gamma)
			}
		}
	}
	if b.InflowMM3PerS != 0 {
		w.Inlet[0] = b.InflowMM3PerS
	} else {
		w.Fixed[0] = b.RootMPa
	}
	f, err := w.Solve(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for n := range t.Branches {
		start, end = append(start, f.MPa[w.Tubes[n].A]), append(end, f.MPa[n+1])
	}
	return f.MM3PerS, start, end, nil
}
