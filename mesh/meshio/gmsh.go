package meshio

import (
	"halsted/imaging"
	"halsted/mesh"
)

// gmsh element types (Gmsh reference manual, MSH file format).
const (
	gmshTet4  = 4
	gmshTet10 = 11
)

// gmshTet10Order lists, for each mid-edge node in gmsh's order, its place in
// ours: gmsh has the last two, on edges 23 and 13, the other way round. The
// same list turns either order into the other.
var gmshTet10Order = [6]int{0, 1, 2, 3, 5, 4}

// gmshBackground stands for label 0: gmsh has no tag 0.
const gmshBackground = 256

// writeGmsh writes MSH 4.1 or 2.2, binary (little endian) or text. Each region
// is a volume entity in a physical group of the same tag, with its name.
func writeGmsh(o *output, m *mesh.TetMesh, opt *WriteOptions) error {
	g := &gmshWriter{o: o, m: m, opt: opt, regions: byRegion(m), kind: gmshTet4}
	if m.Mid != nil {
		g.kind = gmshTet10
	}
	switch opt.Version {
	case "", "4.1":
		g.start("4.1")
		g.entities()
		g.nodes4()
		g.elements4()
	case "2.2":
		g.start("2.2")
		g.nodes2()
		g.elements2()
	default:
		return fail("gmsh", "use 4.1 or 2.2", "unknown version %q", opt.Version)
	}
	return o.err
}

type gmshWriter struct {
	o       *output
	m       *mesh.TetMesh
	opt     *WriteOptions
	regions []regionElements
	kind    int64
}

// tag is the entity and the physical group of a region; a mesh without regions
// has the entity 1.
func (g *gmshWriter) tag(l imaging.Label) int64 {
	switch {
	case g.m.Region == nil:
		return 1
	case l == imaging.LabelBackground:
		return gmshBackground
	}
	return int64(l)
}

// num writes a number as text or as int32; size as text or as uint64.
func (g *gmshWriter) num(n ...int64) {
	for _, x := range n {
		if g.opt.Text {
			g.o.int(" ", x)
		} else {
			g.o.i32(int32(x))
		}
	}
}

func (g *gmshWriter) size(n ...int64) {
	for _, x := range n {
		if g.opt.Text {
			g.o.int(" ", x)
		} else {
			g.o.u64(uint64(x))
		}
	}
}

func (g *gmshWriter) float(x ...float64) {
	for _, v := range x {
		if g.opt.Text {
			g.o.float(" ", v)
		} else {
			g.o.f64(v)
		}
	}
}

// line ends a line of text.
func (g *gmshWriter) line() {
	if g.opt.Text {
		g.o.str("\n")
	}
}

func (g *gmshWriter) start(version string) {
	if g.opt.Text {
		g.o.str("$MeshFormat\n", version, " 0 8\n$EndMeshFormat\n")
	} else {
		g.o.str("$MeshFormat\n", version, " 1 8\n")
		g.o.i32(1)
		g.o.str("\n$EndMeshFormat\n")
	}
	g.o.str("$Comments\nhalsted SPACE=LPS ", unitMark, g.opt.Unit.String(), "\n$EndComments\n")
	if g.m.Region != nil {
		g.o.int("$PhysicalNames\n", int64(len(g.regions)))
		for _, r := range g.regions {
			g.o.int("\n3 ", g.tag(r.label))
			g.o.str(" \"", oneWord(g.opt.name(r.label)), "\"")
		}
		g.o.str("\n$EndPhysicalNames\n")
	}
}

func (g *gmshWriter) coordinates(n int) {
	u := g.opt.Unit.mm(Millimetre)
	p := g.m.Nodes[n]
	g.float(p.X/u, p.Y/u, p.Z/u)
}

// element writes the node numbers of element t with put.
func (g *gmshWriter) element(t int, put func(...int64)) {
	for _, n := range g.m.Tets[t] {
		put(int64(n) + 1)
	}
	if g.m.Mid != nil {
		for _, i := range gmshTet10Order {
			put(int64(g.m.Mid[t][i]) + 1)
		}
	}
	g.line()
}

func (g *gmshWriter) entities() {
	g.o.str("$Entities\n")
	g.size(0, 0, 0, int64(len(g.regions)))
	g.line()
	u := g.opt.Unit.mm(Millimetre)
	lo, hi := mesh.Bounds(g.m.Nodes)
	for _, r := range g.regions {
		g.num(g.tag(r.label))
		g.float(lo.X/u, lo.Y/u, lo.Z/u, hi.X/u, hi.Y/u, hi.Z/u)
		if g.m.Region != nil {
			g.size(1)
			g.num(g.tag(r.label))
		} else {
			g.size(0)
		}
		g.size(0) // surfaces around it
		g.line()
	}
	g.end("Entities")
}

func (g *gmshWriter) end(section string) {
	if !g.opt.Text {
		g.o.str("\n")
	}
	g.o.str("$End", section, "\n")
}

func (g *gmshWriter) nodes4() {
	n := int64(len(g.m.Nodes))
	g.o.str("$Nodes\n")
	g.size(1, n, min(1, n), n)
	g.line()
	entity := int64(1)
	if len(g.regions) > 0 {
		entity = g.tag(g.regions[0].label)
	}
	g.num(3, entity, 0)
	g.size(n)
	g.line()
	for i := range n {
		g.size(i + 1)
		g.line()
	}
	for i := range g.m.Nodes {
		g.coordinates(i)
		g.line()
	}
	g.end("Nodes")
}

// elements4 writes one block a region; element numbers tell their order.
func (g *gmshWriter) elements4() {
	n := int64(len(g.m.Tets))
	g.o.str("$Elements\n")
	g.size(int64(len(g.regions)), n, min(1, n), n)
	g.line()
	for _, r := range g.regions {
		g.num(3, g.tag(r.label), g.kind)
		g.size(int64(len(r.elements)))
		g.line()
		for _, t := range r.elements {
			g.size(int64(t) + 1)
			g.element(int(t), g.size)
		}
	}
	g.end("Elements")
}

func (g *gmshWriter) nodes2() {
	g.o.int("$Nodes\n", int64(len(g.m.Nodes)))
	g.o.str("\n")
	for i := range g.m.Nodes {
		g.num(int64(i) + 1)
		g.coordinates(i)
		g.line()
	}
	g.end("Nodes")
}

func (g *gmshWriter) elements2() {
	g.o.int("$Elements\n", int64(len(g.m.Tets)))
	g.o.str("\n")
	const tags = 2 // physical group, entity
	if !g.opt.Text && len(g.m.Tets) > 0 {
		g.num(g.kind, int64(len(g.m.Tets)), tags)
	}
	for t := range g.m.Tets {
		entity, group := int64(1), int64(0)
		if g.m.Region != nil {
			entity = g.tag(g.m.Region[t])
			group = entity
		}
		if g.opt.Text {
			g.num(int64(t)+1, g.kind, tags)
		} else {
			g.num(int64(t) + 1)
		}
		g.num(group, entity)
		g.element(t, g.num)
	}
	g.end("Elements")
}
