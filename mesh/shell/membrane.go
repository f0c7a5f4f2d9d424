package shell

import (
	"context"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Shell is a surface of triangles on the nodes of a tetrahedral mesh, with a
// thickness: membrane elements for a solver.
type Shell struct {
	Nodes       [][3]int32 // of the mesh; counter-clockwise seen from the tissue
	ThicknessMM []float64  // one per triangle
	Label       imaging.Label
}

// VolumeMM3 is the sum of area times thickness on the nodes of m.
func (s *Shell) VolumeMM3(m *mesh.TetMesh) float64 {
	var sum float64
	for i, v := range s.Nodes {
		a, b, c := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]]
		sum += r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2 * s.ThicknessMM[i]
	}
	return sum
}

// Membrane returns the faces between lumen and tissue as membrane elements, in
// order of tetrahedron and face. It reads Lumen, Tissue, Where, Wall and the
// thickness of opt. Here Tissue may hold LabelBackground: the capsule of an
// organ is the Membrane with the organ's regions as Lumen and LabelBackground as
// Tissue, turned outward. The thickness of a triangle is the mean of its three
// nodes. Tet10 meshes give their corners.
//
// Errors: *NoLumenError, *ThicknessError, those of mesh.TetMesh.Check,
// ctx.Err(), or a plain error naming the field of opt or m that is wrong.
func Membrane(ctx context.Context, m *mesh.TetMesh, opt Options) (*Shell, error) {
	opt.Into = IntoTissue
	s, err := opt.labels()
	if err != nil {
		return nil, err
	}
	if err := opt.constant(); err != nil {
		return nil, err
	}
	if err := usable(&mesh.TetMesh{Nodes: m.Nodes, Tets: m.Tets, Region: m.Region}); err != nil {
		return nil, err
	}
	next, err := link(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &Shell{Label: opt.Wall}
	for t, v := range m.Tets {
		if t&0x3fff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for f, o := range next[t] {
			in, l := m.Region[t], imaging.LabelBackground
			if o >= 0 {
				if int(o) < t {
					continue // met already
				}
				l = m.Region[o]
			}
			c := mesh.TetFaces[f]
			face := [3]int32{v[c[0]], v[c[1]], v[c[2]]} // outward of t
			switch {
			case s.keep[in] && s.room[l]:
			case s.room[in] && s.keep[l]:
				face[1], face[2] = face[2], face[1]
			default:
				continue
			}
			p := [3]r3.Vec{m.Nodes[face[0]], m.Nodes[face[1]], m.Nodes[face[2]]}
			if opt.Where != nil && !opt.Where(r3.Scale(1.0/3, r3.Add(p[0], r3.Add(p[1], p[2])))) {
				continue
			}
			thick := opt.ThicknessMM
			if opt.ThicknessAt != nil {
				thick = 0
				for i := range p {
					x := opt.ThicknessAt(p[i])
					if !goodThickness(x) {
						return nil, &ThicknessError{Node: face[i], AtMM: p[i], ThicknessMM: x}
					}
					thick += x / 3
				}
			}
			out.Nodes = append(out.Nodes, face)
			out.ThicknessMM = append(out.ThicknessMM, thick)
		}
	}
	if len(out.Nodes) == 0 {
		return nil, &NoLumenError{Lumen: opt.Lumen, Found: regions(m)}
	}
	return out, nil
}
