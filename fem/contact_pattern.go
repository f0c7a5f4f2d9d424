package fem

import "slices"

// pattern brings the couplings up to date; it says whether they are others.
func (t *contactTerm) pattern() (changed bool) {
	if t.other == nil {
		return false
	}
	missing := len(t.wanted) > 0
	for i := range t.pts {
		s := &t.pts[i]
		f := s.face
		if s.faces && s.base >= 0 && s.near < t.reach(f, s.base)/2 && !slices.Contains(t.pairs[f], s.base) {
			missing = true
			break
		}
	}
	if !missing {
		return false
	}
	for f := range t.pairs {
		t.pairs[f] = t.pairs[f][:0]
	}
	for i := range t.pts {
		s := &t.pts[i]
		f := s.face
		if s.faces && s.base >= 0 && s.near < t.reach(f, s.base) {
			t.pairs[f] = append(append(t.pairs[f], s.base), t.other.ring[s.base]...)
		}
	}
	for _, w := range t.wanted {
		t.pairs[w[0]] = append(append(t.pairs[w[0]], w[1]), t.other.ring[w[1]]...)
	}
	t.wanted = t.wanted[:0]
	for f := range t.pairs {
		slices.Sort(t.pairs[f])
		t.pairs[f] = slices.DeleteFunc(slices.Compact(t.pairs[f]), func(o int32) bool { return t.other.alone[o] })
	}
	return true
}

// reach is the gap below which two faces are coupled.
func (t *contactTerm) reach(f, other int32) float64 {
	return 0.5 * (t.own.long[f] + t.other.long[other])
}

// prune forgets the couplings of faces that were taken out.
func (t *contactTerm) prune() (changed bool) {
	for f, list := range t.pairs {
		keep := slices.DeleteFunc(list, func(o int32) bool { return t.own.alone[f] || t.other.alone[o] })
		changed = changed || len(keep) < len(list)
		t.pairs[f] = keep
	}
	t.wanted = t.wanted[:0]
	return changed
}

// drop forgets the couplings.
func (t *contactTerm) drop() (changed bool) {
	for f := range t.pairs {
		changed = changed || len(t.pairs[f]) > 0
		t.pairs[f] = nil
	}
	t.wanted = t.wanted[:0]
	return changed
}

func (t *contactTerm) couple(add func(nodes ...int32)) {
	var buf []int32
	for f, list := range t.pairs {
		for _, o := range list {
			buf = append(append(buf[:0], t.own.of(int32(f))...), t.other.of(o)...)
			add(buf...)
		}
	}
}
