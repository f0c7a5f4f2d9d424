package deck

import (
	"slices"
	"strings"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

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
