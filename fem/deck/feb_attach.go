package deck

import (
	"fmt"
	"slices"
	"strings"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// attach makes contacts, ties and springs. What stands in a step acts in that
// step alone.
func (b *febBuild) attach() error {
	for _, e := range b.global.contact {
		if _, err := b.contact(e); err != nil {
			return err
		}
	}
	for i, s := range b.steps {
		for _, e := range s.contact {
			name, err := b.contact(e)
			if err != nil {
				return err
			}
			b.inStep[i] = append(b.inStep[i], name)
		}
	}
	return b.discreteElements()
}

// pair finds the faces of the two surfaces of a contact.
func (b *febBuild) pair(e *element) (primary, secondary [][3]int32, err error) {
	p := b.typed(e)
	s := b.pairs[e.attr("surface_pair")]
	if s == nil {
		return nil, nil, p.bad("define the SurfacePair", "there is no surface pair %s", quote(e.attr("surface_pair")))
	}
	name := func(keys ...string) string {
		for _, k := range keys {
			if q := s.kid(k); q != nil {
				if q.text != "" {
					return q.text
				}
				return q.attr("surface")
			}
		}
		return ""
	}
	if primary, err = b.corners(p, name("primary", "slave")); err != nil {
		return nil, nil, err
	}
	secondary, err = b.corners(p, name("secondary", "master"))
	return primary, secondary, err
}

// number reads a plain number of a child; missing is 0.
func (b *febBuild) number(e *element, name string) (float64, error) {
	k := e.kid(name)
	if k == nil {
		return 0, nil
	}
	var v [1]float64
	if n, ok := numbers(k.text, v[:]); n != 1 || !ok || k.attr("lc") != "" {
		return 0, b.at(k).bad("give a number without a load curve", "%s is no finite number", quote(k.text))
	}
	return v[0], nil
}

// contact files a <contact> and returns its name.
func (b *febBuild) contact(e *element) (string, error) {
	p := b.typed(e)
	name := e.attr("name")
	taken := func(n string) bool {
		return slices.ContainsFunc(b.m.Contacts, func(c fem.Contact) bool { return c.Name == n }) || slices.ContainsFunc(b.m.Ties, func(t fem.Tie) bool { return t.Name == n })
	}
	for n := 1; name == "" || taken(name); n++ {
		name = fmt.Sprintf("contact %d", n)
	}
	switch typ := e.attr("type"); typ {
	case "sliding-elastic", "sliding-node-on-facet", "sliding-facet-on-facet":
		friction, err := b.number(e, "fric_coeff")
		if err != nil {
			return "", err
		}
		for _, n := range []string{"tension", "node_reloc", "offset", "shell_bottom_primary", "shell_bottom_secondary", "flip_primary", "flip_secondary"} {
			if v, err := b.number(e, n); err != nil {
				return "", err
			} else if v != 0 {
				return "", b.at(e.kid(n)).bad("write 0", "is not available")
			}
		}
		two, err := b.number(e, "two_pass")
		if err != nil {
			return "", err
		}
		one, other, err := b.pair(e)
		if err != nil {
			return "", err
		}
		gap := contactGap * b.longest(one)
		b.m.Contacts = append(b.m.Contacts, fem.Contact{Name: name, Faces: one, Against: other, Friction: friction, GapToleranceMM: gap, TwoPass: two != 0})
		b.rep.note(p, true, "the contact is hard, to %.3g mm, in place of FEBio's penalty", gap)
	case "tied-elastic", "tied-node-on-facet", "tied-facet-on-facet":
		one, other, err := b.pair(e)
		if err != nil {
			return "", err
		}
		b.m.Ties = append(b.m.Ties, fem.Tie{Name: name, Faces: one, Against: other, JumpToleranceMM: tieJump * b.longest(one)})
		b.rep.note(p, true, "the tie is held to %.3g mm, in place of FEBio's penalty", tieJump*b.longest(one))
	default:
		return "", p.bad("use sliding-elastic, sliding-node-on-facet, sliding-facet-on-facet or tied-elastic", "this contact is not available")
	}
	return name, nil
}

// discreteElements makes linear springs of <Discrete>.
func (b *febBuild) discreteElements() error {
	mats := map[string]*element{}
	for _, e := range b.springs {
		p := b.typed(e)
		switch e.name {
		case "discrete_material":
			if t := e.attr("type"); t != "linear spring" && t != "tension only linear spring" {
				return p.bad("use linear spring", "this spring is not available")
			}
			mats[e.attr("id")] = e
		case "discrete", "discrete_element":
			m, s := mats[e.attr("dmat")], b.discrete[e.attr("discrete_set")]
			if m == nil || s == nil {
				return p.bad("define both above", "there is no discrete material %s or no discrete set %s", quote(e.attr("dmat")), quote(e.attr("discrete_set")))
			}
			k, err := b.number(m, "E")
			if err != nil {
				return err
			}
			for _, d := range s.kids {
				var ends []int64
				if !wholes(d.text, func(n int64) {
					if len(ends) < 3 {
						ends = append(ends, n)
					}
				}, nil) || len(ends) != 2 {
					return b.at(d).bad("", "%s are no two node numbers", quote(d.text))
				}
				q := fem.Spring{StiffnessNPerMM: k * b.u.stiffness(), TensionOnly: strings.HasPrefix(m.attr("type"), "tension")}
				for i, n := range ends {
					at := b.node.get(n)
					if at < 0 || b.final[at] < 0 {
						return b.at(d).bad("hang springs on nodes of elements", "node %d belongs to no element", n)
					}
					q.Nodes[i] = b.final[at]
				}
				if r3.Norm(r3.Sub(b.mesh.Nodes[q.Nodes[0]], b.mesh.Nodes[q.Nodes[1]])) == 0 {
					return b.at(d).bad("use a tie", "a spring between two nodes at one place")
				}
				b.m.Springs = append(b.m.Springs, q)
			}
		default:
			return p.bad("", "is not understood")
		}
	}
	return nil
}
