package deck

import (
	"math"
	"slices"
	"strings"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// selection is a named part of the mesh: what meets all of its conditions.
type selection struct {
	o      *object
	nodes  []bool // of a node set of the mesh file; nil: no condition
	faces  [][3]int32
	listed bool // faces come from the mesh file
	border [][2]imaging.Label
	region []imaging.Label
	inside []func(r3.Vec) bool
	facing r3.Vec
	cosine float64
	used   bool
}

// selection reads one entry of "selections".
func (r *modelReader) selection(o *object) (*selection, error) {
	s := &selection{o: o}
	var err error
	var name string
	if name, err = o.text("nodes"); err != nil {
		return nil, err
	} else if name != "" {
		list, ok := r.nodeSet(name)
		if !ok {
			return nil, o.bad("nodes", "node sets are read from .inp, .feb and text .msh meshes; else select by place or border", "the mesh file has no node set %s", quote(name))
		}
		s.nodes = make([]bool, len(r.mesh.Nodes))
		for _, n := range list {
			s.nodes[n] = true
		}
	}
	if name, err = o.text("faces"); err != nil {
		return nil, err
	} else if name != "" {
		if s.faces, s.listed, err = r.faceSet(o, name); err != nil {
			return nil, err
		}
	}
	if names, err := o.texts("border"); err != nil {
		return nil, err
	} else if names != nil {
		if len(names) != 2 {
			return nil, o.bad("border", "", "want two regions, as in [\"liver\", \"background\"]")
		}
		var pair [2]imaging.Label
		for i, n := range names {
			l, ok := r.label(n)
			if n == "background" {
				l, ok = imaging.LabelBackground, true
			}
			if !ok {
				return nil, o.bad("border", "the mesh has "+r.regionNames(), "there is no region %s", quote(n))
			}
			pair[i] = l
		}
		s.border = append(s.border, pair)
	}
	if s.region, err = r.labelsOf(o, "region"); err != nil {
		return nil, err
	}
	if err := s.geometry(o); err != nil {
		return nil, err
	}
	return s, o.done()
}

// part takes an object whose vectors and lengths are in mm.
func (s *selection) part(o *object, key string, read func(*object) error) error {
	g, err := o.object(key)
	if err != nil || g == nil {
		return err
	}
	if err := read(g); err != nil {
		return err
	}
	return g.done()
}

// want takes a vector that must be there.
func want(o *object, key string) (r3.Vec, error) {
	v, given, err := o.vector(key, nil)
	if err == nil && !given {
		err = o.bad("", "add "+key+": [x, y, z]", "there is no %s", key)
	}
	return v, err
}

func (s *selection) geometry(o *object) error {
	add := func(f func(r3.Vec) bool) { s.inside = append(s.inside, f) }
	for _, err := range []error{
		s.part(o, "box_mm", func(g *object) error {
			lo, err := want(g, "min")
			if err != nil {
				return err
			}
			hi, err := want(g, "max")
			add(func(x r3.Vec) bool {
				return x.X >= lo.X && x.X <= hi.X && x.Y >= lo.Y && x.Y <= hi.Y && x.Z >= lo.Z && x.Z <= hi.Z
			})
			return err
		}),
		s.part(o, "sphere_mm", func(g *object) error {
			c, err := want(g, "centre")
			if err != nil {
				return err
			}
			r, _, err := g.number("radius")
			add(func(x r3.Vec) bool { return r3.Norm(r3.Sub(x, c)) <= r })
			return err
		}),
		s.part(o, "cylinder_mm", func(g *object) error {
			c, err := want(g, "point")
			if err != nil {
				return err
			}
			axis, given, err := g.direction("axis")
			if err == nil && !given {
				err = g.bad("", "add axis: [x, y, z]", "there is no axis")
			}
			if err != nil {
				return err
			}
			r, _, err := g.number("radius")
			if err != nil {
				return err
			}
			w, thin, err := g.number("within")
			add(func(x r3.Vec) bool {
				d := r3.Sub(x, c)
				d = r3.Sub(d, r3.Scale(r3.Dot(d, axis), axis))
				if thin {
					return math.Abs(r3.Norm(d)-r) <= w
				}
				return r3.Norm(d) <= r
			})
			return err
		}),
		s.part(o, "plane_mm", func(g *object) error {
			c, err := want(g, "point")
			if err != nil {
				return err
			}
			n, given, err := g.direction("normal")
			if err == nil && !given {
				err = g.bad("", "add normal: [x, y, z]", "there is no normal")
			}
			if err != nil {
				return err
			}
			w, thin, err := g.number("within")
			add(func(x r3.Vec) bool {
				d := r3.Dot(r3.Sub(x, c), n)
				return d >= 0 && !thin || math.Abs(d) <= w && thin
			})
			return err
		}),
		s.part(o, "facing", func(g *object) error {
			n, given, err := g.direction("direction")
			if err == nil && !given {
				err = g.bad("", "add direction: [x, y, z]", "there is no direction")
			}
			if err != nil {
				return err
			}
			a, err := g.need("within", angleUnits)
			s.facing, s.cosine = n, math.Cos(a)
			return err
		}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *selection) holds(x r3.Vec) bool {
	for _, in := range s.inside {
		if !in(x) {
			return false
		}
	}
	return true
}

// byFaces says that the selection speaks of faces.
func (s *selection) byFaces() bool { return s.listed || s.border != nil || s.facing != (r3.Vec{}) }

// facesOf lists the faces of a selection, outward or from the first region of
// its border, by corner nodes. Without a border or a set they are on the outside
// of the mesh.
func (r *modelReader) facesOf(s *selection) [][3]int32 {
	s.used = true
	all := s.faces
	if !s.listed {
		all = r.borderFaces(s)
	}
	var out [][3]int32
	for _, f := range all {
		keep := true
		for _, n := range f {
			keep = keep && s.holds(r.mesh.Nodes[n]) && (s.nodes == nil || s.nodes[n])
		}
		if keep && s.facing != (r3.Vec{}) {
			a, b, c := r.mesh.Nodes[f[0]], r.mesh.Nodes[f[1]], r.mesh.Nodes[f[2]]
			n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a))
			keep = r3.Dot(n, s.facing) >= s.cosine*r3.Norm(n)
		}
		if keep {
			out = append(out, f)
		}
	}
	return out
}

// borderFaces are the faces between the two regions of the border, or the
// outer faces of the mesh (of the regions, if some are given).
func (r *modelReader) borderFaces(s *selection) [][3]int32 {
	if r.next == nil {
		r.next = r.mesh.Neighbours()
	}
	var out [][3]int32
	for t, v := range r.mesh.Tets {
		own := r.mesh.Region[t]
		for f, c := range mesh.TetFaces {
			other := imaging.LabelBackground
			o := r.next[t][f]
			if o >= 0 {
				other = r.mesh.Region[o]
			}
			take := false
			switch {
			case s.border == nil:
				take = o < 0 && (s.region == nil || slices.Contains(s.region, own))
			case own == s.border[0][0]:
				take = other == s.border[0][1] && (o < 0 || own != other)
			case own == s.border[0][1] && s.border[0][0] == imaging.LabelBackground:
				take = o < 0
			}
			if take {
				out = append(out, [3]int32{v[c[0]], v[c[1]], v[c[2]]})
			}
		}
	}
	return out
}

// nodesIn lists the nodes of a selection in ascending order, mid-edge nodes
// too.
func (r *modelReader) nodesIn(s *selection) []int32 {
	s.used = true
	on := make([]bool, len(r.mesh.Nodes))
	switch {
	case s.byFaces():
		faces := map[[2]int32]bool{}
		for _, f := range r.facesOf(s) {
			for i, n := range f {
				on[n] = true
				a, b := f[i], f[(i+1)%3]
				faces[[2]int32{min(a, b), max(a, b)}] = true
			}
		}
		for t, m := range r.mesh.Mid {
			for e, c := range mesh.TetEdges {
				a, b := r.mesh.Tets[t][c[0]], r.mesh.Tets[t][c[1]]
				if on[a] && on[b] && faces[[2]int32{min(a, b), max(a, b)}] {
					on[m[e]] = true
				}
			}
		}
	default:
		for t, v := range r.mesh.Tets {
			if s.region != nil && !slices.Contains(s.region, r.mesh.Region[t]) {
				continue
			}
			for _, n := range v {
				on[n] = true
			}
			if r.mesh.Mid != nil {
				for _, n := range r.mesh.Mid[t] {
					on[n] = true
				}
			}
		}
		for n, x := range r.mesh.Nodes {
			on[n] = on[n] && s.holds(x) && (s.nodes == nil || s.nodes[n])
		}
	}
	var out []int32
	for n, yes := range on {
		if yes {
			out = append(out, int32(n))
		}
	}
	return out
}

// at finds the selection that an entry names.
func (r *modelReader) at(o *object, key string) (*selection, error) {
	name, err := o.text(key)
	if err != nil {
		return nil, err
	}
	s := r.selections[name]
	if s == nil {
		names := make([]string, 0, len(r.selections))
		for n := range r.selections {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, o.bad(key, "define it under selections; there are: "+strings.Join(names, " "), "there is no selection %s", quote(name))
	}
	return s, nil
}

// someNodes are the nodes an entry acts on; none is an error.
func (r *modelReader) someNodes(o *object, key string) ([]int32, error) {
	s, err := r.at(o, key)
	if err != nil {
		return nil, err
	}
	list := r.nodesIn(s)
	if len(list) == 0 {
		return nil, o.bad(key, "check its places (mm) and regions", "the selection holds no node")
	}
	return list, r.spend(o, len(list))
}

// someFaces are the faces an entry acts on; none is an error.
func (r *modelReader) someFaces(o *object, key string) ([][3]int32, error) {
	s, err := r.at(o, key)
	if err != nil {
		return nil, err
	}
	list := r.facesOf(s)
	if len(list) == 0 {
		return nil, o.bad(key, "a face is chosen when all its corners are; check places (mm) and regions", "the selection holds no face")
	}
	return list, r.spend(o, len(list))
}

func (r *modelReader) spend(o *object, n int) error {
	if r.work += n + len(r.mesh.Nodes)/16; r.work > maxWork {
		return o.bad("", "join entries", "the entries name more than %d nodes", maxWork)
	}
	return r.ctx.Err()
}
