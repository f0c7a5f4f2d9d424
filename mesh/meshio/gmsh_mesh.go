package meshio

import (
	"fmt"

	"gonum.org/v1/gonum/spatial/r3"
)

// entities takes the physical group of each volume.
func (g *gmshReader) entities() error {
	var n [4]int64
	if err := several(g.size, &n[0], &n[1], &n[2], &n[3]); err != nil {
		return err
	}
	for dim, count := range n {
		for range count {
			var tag, groups, around int64
			if err := several(g.int, &tag); err != nil {
				return err
			}
			numbers := 6 // a box
			if dim == 0 {
				numbers = 3
			}
			for range numbers {
				if _, err := g.float(); err != nil {
					return err
				}
			}
			if err := several(g.size, &groups); err != nil {
				return err
			}
			for i := range groups {
				var group int64
				if err := several(g.int, &group); err != nil {
					return err
				}
				if dim == 3 && i == 0 {
					g.groups[tag] = group
				}
			}
			if dim == 0 {
				continue
			}
			if err := several(g.size, &around); err != nil {
				return err
			}
			for range around {
				if _, err := g.int(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// addNode reads the coordinates of one node.
func (g *gmshReader) addNode(tag int64) error {
	var x [3]float64
	for i := range x {
		var err error
		if x[i], err = g.float(); err != nil {
			return err
		}
	}
	return g.b.node(&g.cursor, &g.node, tag, r3.Vec{X: x[0], Y: x[1], Z: x[2]})
}

func (g *gmshReader) nodes2() error {
	n, err := g.count2()
	if err != nil {
		return err
	}
	g.b.nodes = make([]r3.Vec, 0, g.within(n, 8))
	for range n {
		tag, err := g.int()
		if err != nil {
			return err
		}
		if err := g.addNode(tag); err != nil {
			return err
		}
	}
	return nil
}

// count2 reads the count at the head of a section of version 2, a line of text
// in binary files too.
func (g *gmshReader) count2() (int64, error) {
	b, _ := g.nextLine()
	n, ok := parseInt(b)
	if !ok || n < 0 {
		return 0, g.bad("", "%s is no count", quote(b))
	}
	return n, nil
}

func (g *gmshReader) nodes4() error {
	var blocks, n, lowest, highest int64
	if err := several(g.size, &blocks, &n, &lowest, &highest); err != nil {
		return err
	}
	g.b.nodes = make([]r3.Vec, 0, g.within(n, 8))
	var tags []int64
	for range blocks {
		var dim, entity, parametric, count int64
		if err := several(g.int, &dim, &entity, &parametric); err != nil {
			return err
		}
		if err := several(g.size, &count); err != nil {
			return err
		}
		tags = tags[:0]
		for range count {
			tag, err := g.size()
			if err != nil {
				return err
			}
			tags = append(tags, tag)
		}
		for _, tag := range tags {
			if err := g.addNode(tag); err != nil {
				return err
			}
			if parametric == 0 {
				continue
			}
			for range min(max(dim, 0), 3) {
				if _, err := g.float(); err != nil {
					return err
				}
			}
		}
	}
	if int64(len(g.b.nodes)) != n {
		return g.bad("check the counts of the section", "the blocks hold %d nodes, the section says %d", len(g.b.nodes), n)
	}
	return nil
}

// element reads the nodes of one element of a kind with read.
func (g *gmshReader) element(tag, kind int64, key func() int32, read func() (int64, error)) error {
	k, known := gmshKinds[kind]
	if !known {
		return g.bad("export with tetrahedra only", "element %d is of the unknown type %d", tag, kind)
	}
	tet := kind == gmshTet4 || kind == gmshTet10
	if !tet && k.dim == 3 && !g.in.opt.SkipUnknown {
		return g.bad(remedyTypes, "element %d is a %s (type %d)", tag, k.name, kind)
	}
	var q [10]int32
	for i := range k.nodes {
		n, err := read()
		if err != nil {
			return err
		}
		if !tet {
			continue
		}
		node, ok := g.node.get(n)
		if !ok {
			return g.bad("", "element %d names node %d, which is not given", tag, n)
		}
		q[i] = node
	}
	if !tet {
		g.b.skipped(fmt.Sprintf("%s (type %d)", k.name, kind), tag)
		return nil
	}
	if kind == gmshTet10 {
		mid := [6]int32(q[4:])
		for i, at := range gmshTet10Order {
			q[4+at] = mid[i]
		}
	}
	if !g.b.add(q[:k.nodes], key(), tag) {
		return g.bad(remedyMixed, "%s, at element %d", whatMixed, tag)
	}
	return nil
}

// region is the key of a physical group, or of an entity without one.
func (g *gmshReader) region(group, entity int64) int32 {
	if group != 0 {
		return g.b.region(regionKey{tag: group, name: g.names[group]})
	}
	return g.b.region(regionKey{tag: entity})
}

func (g *gmshReader) elements2() error {
	n, err := g.count2()
	if err != nil {
		return err
	}
	for done := int64(0); done < n; {
		var tag, kind, block, tags int64
		if g.bin {
			err = several(g.int, &kind, &block, &tags)
		} else {
			block = 1
			err = several(g.int, &tag, &kind, &tags)
		}
		if err != nil {
			return err
		}
		if block < 1 || block > n-done {
			return g.bad("check the counts of the section", "a block of %d elements where %d are left", block, n-done)
		}
		for range block {
			if g.bin {
				if tag, err = g.int(); err != nil {
					return err
				}
			}
			var group, entity int64
			for i := range tags {
				x, err := g.int()
				if err != nil {
					return err
				}
				switch i {
				case 0:
					group = x
				case 1:
					entity = x
				}
			}
			if err := g.element(tag, kind, func() int32 { return g.region(group, entity) }, g.int); err != nil {
				return err
			}
		}
		done += block
	}
	return nil
}

func (g *gmshReader) elements4() error {
	var blocks, n, lowest, highest int64
	if err := several(g.size, &blocks, &n, &lowest, &highest); err != nil {
		return err
	}
	done := int64(0)
	for range blocks {
		var dim, entity, kind, count int64
		if err := several(g.int, &dim, &entity, &kind); err != nil {
			return err
		}
		if err := several(g.size, &count); err != nil {
			return err
		}
		key := int32(-1)
		for range count {
			tag, err := g.size()
			if err != nil {
				return err
			}
			err = g.element(tag, kind, func() int32 {
				if key < 0 {
					key = g.region(g.groups[entity], entity)
				}
				return key
			}, g.size)
			if err != nil {
				return err
			}
		}
		done += count
	}
	if done != n {
		return g.bad("check the counts of the section", "the blocks hold %d elements, the section says %d", done, n)
	}
	return nil
}
