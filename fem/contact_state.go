package fem

import "gonum.org/v1/gonum/spatial/r3"

func (t *contactTerm) commit(u []float64, now clock) bool {
	if !t.on {
		return false
	}
	t.evaluate(u, now)
	for i := range t.pts {
		h := &t.hits[i]
		m := t.memory[touchMemory*i : touchMemory*(i+1)]
		m[0], m[1], m[2], m[3] = t.c.Friction*h.t, 0, 0, 0
		if m[0] > 0 {
			m[1], m[2], m[3] = h.ft.X, h.ft.Y, h.ft.Z
		}
	}
	copy(t.memory[touchMemory*len(t.pts):], t.lambda)
	t.memory[len(t.memory)-1] = t.boost
	return false
}

// contactStates are the states of the contacts at u, in the model's order.
func (s *system) contactStates(u []float64) (out []ContactState) {
	for _, tm := range s.terms {
		t, ok := tm.(*contactTerm)
		if !ok {
			continue
		}
		if !t.second {
			out = append(out, ContactState{Name: t.c.Name})
		}
		t.report(&out[len(out)-1], u, s.now)
	}
	return out
}

// report adds the state of a pass to c; of a second pass only the force counts.
func (t *contactTerm) report(c *ContactState, u []float64, now clock) {
	if !t.on {
		return
	}
	t.evaluate(u, now)
	var p [6]r3.Vec
	var g quad6
	sign := 1.0 // ForceN is on Against: of a second pass, on own
	if t.second {
		sign = -1
	}
	sum := make(map[int32][2]float64, len(t.own.verts)) // only looked up
	var slides float64
	for f := range int32(t.own.faces()) {
		if t.own.alone[f] {
			continue
		}
		for q, x := range t.rule.P {
			i := int(f)*t.nq + q
			h := &t.hits[i]
			if h.on {
				c.MaxGapMM = max(c.MaxGapMM, -h.gap)
			}
			v := r3.Sub(h.ft, r3.Scale(h.t, h.n))
			c.ForceN = r3.Add(c.ForceN, r3.Scale(sign*t.w[i], v))
			if t.second {
				continue
			}
			t.own.place(&p, f, u)
			g.at(&p, x.X, x.Y)
			area := t.rule.W[q] * r3.Norm(r3.Cross(g.a, g.b))
			press := 0.0
			if h.t > 0 && area > 0 {
				press = h.t * t.w[i] / t.weight / area
				c.AreaMM2 += area
				c.MaxPressureMPa = max(c.MaxPressureMPa, press)
				if h.sliding || t.pts[i].limit == 0 {
					slides += area
				}
			}
			l := [3]float64{1 - x.X - x.Y, x.X, x.Y}
			for a, v := range t.own.corners(f) {
				s := sum[v]
				sum[v] = [2]float64{s[0] + l[a]*area*press, s[1] + l[a]*area}
			}
		}
	}
	if t.second {
		return
	}
	if c.AreaMM2 > 0 {
		c.Slipping = slides / c.AreaMM2
	}
	c.Nodes = t.own.verts
	c.PressureMPa = make([]float64, len(c.Nodes))
	at := make(map[int32]int, len(c.Nodes)) // only looked up
	for i, v := range c.Nodes {
		at[v] = i
		if s, ok := sum[v]; ok && s[1] > 0 {
			c.PressureMPa[i] = s[0] / s[1]
		}
	}
	for f := range int32(t.own.faces()) {
		n := t.own.of(f)
		for e := 3; e < len(n); e++ {
			c.PressureMPa[at[n[e]]] = (c.PressureMPa[at[n[e-3]]] + c.PressureMPa[at[n[(e-2)%3]]]) / 2
		}
	}
}
