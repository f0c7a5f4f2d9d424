package fem

import (
	"unsafe"

	"gonum.org/v1/gonum/spatial/r3"
)

func (t *contactTerm) commit(u []float64, now clock) bool {
	if !t.on {
		return false
	}
	t.evaluate(u, now)
	if t.c.Friction > 0 {
		for i := range t.pts {
			h := &t.hits[i]
			m := t.memory[touchMemory*i : touchMemory*(i+1)]
			m[0], m[1], m[2], m[3] = t.c.Friction*h.t, 0, 0, 0
			if m[0] > 0 {
				m[1], m[2], m[3] = h.ft.X, h.ft.Y, h.ft.Z
			}
		}
	}
	copy(t.memory[len(t.memory)-1-len(t.lambda):], t.lambda)
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
	for i := range t.pts {
		h, s := &t.hits[i], &t.pts[i]
		if t.own.alone[s.face] {
			continue
		}
		if h.on {
			c.MaxGapMM = max(c.MaxGapMM, -h.gap)
		}
		v := r3.Sub(h.ft, r3.Scale(h.t, h.n))
		c.ForceN = r3.Add(c.ForceN, r3.Scale(sign*s.w, v))
		if t.second {
			continue
		}
		t.own.place(&p, s.face, nil)
		g.at(&p, s.xi.X, s.xi.Y)
		stretch := 1 / r3.Norm(r3.Cross(g.a, g.b))
		t.own.place(&p, s.face, u)
		g.at(&p, s.xi.X, s.xi.Y)
		stretch *= r3.Norm(r3.Cross(g.a, g.b)) // of area
		area := s.w / t.weight * stretch
		press := 0.0
		if h.t > 0 && stretch > 0 {
			press = h.t / stretch
			c.AreaMM2 += area
			c.MaxPressureMPa = max(c.MaxPressureMPa, press)
			if h.sliding || s.limit == 0 {
				slides += area
			}
		}
		for a, v := range t.own.corners(s.face) {
			w := sum[v]
			sum[v] = [2]float64{w[0] + s.l[a]*area*press, w[1] + s.l[a]*area}
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

// touchBytes is the memory of a point and its hit.
const touchBytes = int64(unsafe.Sizeof(touch{}) + unsafe.Sizeof(hit{}) + 1)

// contactBytes estimates the memory of contacts and ties: for pieces, as many
// points again for other places of the surfaces.
func (s *system) contactBytes() (n int64) {
	for _, tm := range s.terms {
		switch t := tm.(type) {
		case *contactTerm:
			n += int64(len(t.pts))*touchBytes + int64(len(t.memory)+len(t.u0))*8
			if t.cut {
				n += int64(len(t.pts)) * touchBytes
			}
			for _, l := range t.pairs {
				n += int64(len(l)) * 4
			}
		case *tieTerm:
			n += int64(len(t.pts))*int64(unsafe.Sizeof(tiePoint{})) + int64(len(t.memory))*8
			for i := range t.groups {
				n += int64(len(t.groups[i].nodes))*4 + int64(len(t.groups[i].k))*8
			}
		}
	}
	return n
}
