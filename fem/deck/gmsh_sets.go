package deck

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
)

func (g *gmshSets) physicalNames() error {
	n, err := g.whole(1 << 20)
	if err != nil {
		return err
	}
	for range n {
		var v [2]int64
		if err := g.wholes(v[:]); err != nil {
			return err
		}
		end := bytes.IndexByte(g.data[g.pos:], '\n')
		if end < 0 {
			end = len(g.data) - g.pos
		}
		g.names[v] = strings.Trim(strings.TrimSpace(string(g.data[g.pos:g.pos+end])), `"`)
		g.pos += end
	}
	return nil
}

func (g *gmshSets) entities() error {
	var count [4]int64
	if err := g.wholes(count[:]); err != nil {
		return err
	}
	for dim, n := range count {
		for range n {
			tag, err := g.whole(maxNumber)
			if err != nil {
				return err
			}
			box := int64(6)
			if dim == 0 {
				box = 3
			}
			if err := g.skip(box); err != nil {
				return err
			}
			k, err := g.whole(64)
			if err != nil {
				return err
			}
			for range k {
				w := g.word()
				p, ok := parseInt(w) // a negative tag means the other direction
				if !ok {
					return g.place().bad("", "%s is no physical tag", quote(w))
				}
				key := [2]int64{int64(dim), tag}
				g.physical[key] = append(g.physical[key], max(p, -p))
			}
			if dim > 0 {
				k, err := g.whole(maxNumber)
				if err != nil {
					return err
				}
				if err := g.skip(k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keys are the groups in order of dimension and tag.
func (g *gmshSets) keys() [][2]int64 {
	out := make([][2]int64, 0, len(g.groups))
	for key := range g.groups {
		out = append(out, key)
	}
	slices.SortFunc(out, func(a, b [2]int64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return out
}

// name is that of a group, or its tag when it has none.
func (g *gmshSets) name(key [2]int64) string {
	if n := g.names[key]; n != "" {
		return n
	}
	return strconv.FormatInt(key[1], 10)
}

// nodeSets are the groups by name; of two of one name that of the higher
// dimension.
func (g *gmshSets) nodeSets() map[string]*set {
	out := map[string]*set{}
	for _, key := range g.keys() {
		out[g.name(key)] = &g.groups[key].nodes
	}
	return out
}

// faces are the triangles of a physical surface, by model nodes.
func (g *gmshSets) faces(p place, name string) ([][3]int32, error) {
	var group *gmshGroup
	for _, key := range g.keys() {
		if key[0] == 2 && g.name(key) == name {
			group = g.groups[key]
			break
		}
	}
	if group == nil {
		return nil, p.bad("give a border or a place instead", "the mesh file has no physical surface %s", quote(name))
	}
	out := make([][3]int32, len(group.tris))
	for i, t := range group.tris {
		for j, n := range t {
			at := g.node.get(int64(n))
			if at < 0 || g.final[at] < 0 {
				return nil, p.bad("mesh the volume behind the surface", "node %d of the surface %s belongs to no tetrahedron", n, quote(name))
			}
			out[i][j] = g.final[at]
		}
	}
	return out, nil
}
