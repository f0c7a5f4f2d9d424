package meshio

import (
	"halsted/imaging"
	"halsted/mesh"
)

// writeFEBio writes the mesh sections of a FEBio file: the nodes, one block of
// elements per region, and the domain and material name of each, which is the
// name of the region (FEBio User's Manual 4.0, chapter 3, The Free Format
// Input). Materials, loads and steps are the business of the model that
// includes it.
func writeFEBio(o *output, m *mesh.TetMesh, opt *WriteOptions) error {
	version := opt.Version
	switch version {
	case "":
		version = "4.0"
	case "4.0", "3.0":
	default:
		return fail("FEBio", "use 4.0 or 3.0", "unknown version %q", version)
	}
	o.str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- halsted SPACE=LPS ", unitMark, opt.Unit.String(), " -->\n<febio_spec version=\"", version, "\">\n")
	o.str("\t<Module type=\"solid\"/>\n\t<Mesh>\n\t\t<Nodes name=\"all\">\n")
	u := opt.Unit.mm(Millimetre)
	for n, p := range m.Nodes {
		o.int("\t\t\t<node id=\"", int64(n)+1)
		o.float("\">", p.X/u)
		o.float(",", p.Y/u)
		o.float(",", p.Z/u)
		o.str("</node>\n")
	}
	o.str("\t\t</Nodes>\n")
	kind := "tet4"
	if m.Mid != nil {
		kind = "tet10"
	}
	regions := byRegion(m)
	name := func(l imaging.Label) string {
		if m.Region == nil {
			return febioDomain
		}
		return oneWord(opt.name(l))
	}
	for _, r := range regions {
		o.str("\t\t<Elements type=\"", kind, "\" name=\"", name(r.label), "\">\n")
		for _, t := range r.elements {
			o.int("\t\t\t<elem id=\"", int64(t)+1)
			sep := "\">"
			var q [10]int32
			for _, n := range q[:corners(m, int(t), &q)] {
				o.int(sep, int64(n)+1)
				sep = ","
			}
			o.str("</elem>\n")
		}
		o.str("\t\t</Elements>\n")
	}
	o.str("\t</Mesh>\n\t<MeshDomains>\n")
	for _, r := range regions {
		o.str("\t\t<SolidDomain name=\"", name(r.label), "\" mat=\"", name(r.label), "\"/>\n")
	}
	o.str("\t</MeshDomains>\n</febio_spec>\n")
	return o.err
}

// febioDomain names the one domain of a mesh without regions.
const febioDomain = "domain"
