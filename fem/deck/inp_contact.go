package deck

import (
	"strconv"
	"strings"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// inpPair is a *CONTACT PAIR.
type inpPair struct {
	place
	interaction  string
	slave, other string
}

// inpTie is a *TIE.
type inpTie struct {
	place
	name          string
	slave, master string
	search        float64
}

func (r *inp) tie(k *inpKey) error {
	if err := k.allow("NAME", "POSITIONTOLERANCE", "ADJUST", "TYPE"); err != nil {
		return err
	}
	t := inpTie{name: k.params["NAME"]}
	if a := k.params["ADJUST"]; a != "" && !strings.EqualFold(a, "NO") {
		r.rep.note(k.place, true, "nodes of the slave surface are not moved onto the master surface: what lies apart is tied apart")
	}
	if w := k.params["POSITIONTOLERANCE"]; w != "" {
		var ok bool
		if t.search, ok = parseFloat([]byte(w)); !ok || t.search < 0 {
			return k.bad("", "%s is no distance", quote(w))
		}
	}
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		t.place = r.here(k)
		f := r.src.fields()
		if len(f) < 2 {
			return t.bad("write slave surface, master surface", "names no two surfaces")
		}
		t.slave, t.master = string(f[0]), string(f[1])
		r.ties = append(r.ties, t)
	}
}

// inpInteraction is a *SURFACE INTERACTION.
type inpInteraction struct {
	place
	friction float64
}

func (r *inp) contactPair(k *inpKey) error {
	if err := k.allow("INTERACTION", "TYPE", "SMALLSLIDING", "ADJUST"); err != nil {
		return err
	}
	if k.has("ADJUST") {
		return k.bad("remove ADJUST and mend the mesh", "nodes are not moved before the solve")
	}
	if r.step != nil {
		return k.bad("put it before the first *STEP", "stands inside a step")
	}
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		p := r.here(k)
		f := r.src.fields()
		if len(f) < 2 {
			return p.bad("write slave surface, master surface", "names no two surfaces")
		}
		r.pairs = append(r.pairs, inpPair{p, k.params["INTERACTION"], string(f[0]), string(f[1])})
	}
}

func (r *inp) interaction(k *inpKey) error {
	switch k.name {
	case "SURFACEINTERACTION":
		r.behaviour = &inpInteraction{place: k.place}
		r.interactions[upper(k.params["NAME"])] = r.behaviour
		return r.skipData()
	case "FRICTION":
		rows, err := r.rows(k)
		if err != nil {
			return err
		}
		if r.behaviour == nil || len(rows) != 1 || len(rows[0]) < 1 {
			return k.bad("put one line with μ behind *SURFACE INTERACTION", "is not understood")
		}
		r.behaviour.friction = rows[0][0]
		return nil
	}
	// *SURFACE BEHAVIOR: how hard the surfaces are
	if o := upper(k.params["PRESSURE-OVERCLOSURE"]); o != "" && o != "HARD" && o != "LINEAR" {
		return k.bad("use HARD", "PRESSURE-OVERCLOSURE=%s is not available", o)
	}
	return r.skipData()
}

// sides are the faces of two surfaces.
func (b *inpBuild) sides(p place, names ...string) (side [2][][3]int32, err error) {
	for i, name := range names {
		s := b.surfaces[upper(name)]
		if s == nil {
			return side, p.bad("define the surface", "there is no surface %s", quote(name))
		}
		list, err := b.facesOf(s)
		if err != nil {
			return side, err
		}
		for _, f := range list {
			t := b.tet(f.elem)
			if t < 0 {
				return side, p.bad("use faces of tetrahedra", "the surface %s has an element that is no tetrahedron", quote(name))
			}
			c, q := b.mesh.Tets[t], abaqusFaces[f.face]
			side[i] = append(side[i], [3]int32{c[q[0]], c[q[1]], c[q[2]]})
		}
		if len(side[i]) == 0 {
			return side, p.bad("list its faces", "the surface %s has no face", quote(name))
		}
	}
	return side, nil
}

// longest is the longest first edge of faces, mm.
func (t *table) longest(faces [][3]int32) (size float64) {
	for _, f := range faces {
		size = max(size, r3.Norm(r3.Sub(t.mesh.Nodes[f[0]], t.mesh.Nodes[f[1]])))
	}
	return size
}

// contacts makes *CONTACT PAIR and *TIE; the slave surface carries the points at
// which contact is looked for.
func (b *inpBuild) contacts() error {
	for n, p := range b.pairs {
		side, err := b.sides(p.place, p.slave, p.other)
		if err != nil {
			return err
		}
		in := b.interactions[upper(p.interaction)]
		if in == nil {
			return p.bad("define *SURFACE INTERACTION", "there is no interaction %s", quote(p.interaction))
		}
		gap := contactGap * b.longest(side[0])
		b.m.Contacts = append(b.m.Contacts, fem.Contact{Name: "pair " + strconv.Itoa(n+1), Faces: side[0], Against: side[1], Friction: in.friction, GapToleranceMM: gap})
		b.rep.note(p.place, true, "contact of %s and %s is hard, to %.3g mm", strings.TrimSpace(p.slave), strings.TrimSpace(p.other), gap)
	}
	for _, t := range b.ties {
		side, err := b.sides(t.place, t.slave, t.master)
		if err != nil {
			return err
		}
		b.m.Ties = append(b.m.Ties, fem.Tie{Name: t.name, Faces: side[0], Against: side[1], SearchMM: t.search * b.u.LengthMM, JumpToleranceMM: tieJump * b.longest(side[0])})
	}
	return nil
}

// contactGap is the penetration left to hard contact, relative to the longest
// edge of the surface.
const contactGap = 0.01

// tieJump is the same for ties, which the other programs hold exactly.
const tieJump = 1e-4
