package tetra

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Domain is one structure to fill, given by its signed distance.
type Domain struct {
	Grid imaging.Grid
	Phi  []float32 // signed distance at the voxel centres, mm, negative inside
	// Label names the structure at a point (LPS mm); it is asked at the
	// centroid of every tetrahedron. nil: LabelLiver everywhere.
	Label func(p r3.Vec) imaging.Label
	// TargetMM3 > 0: move the faces until the mesh has this volume.
	TargetMM3 float64
}

// Fill meshes {Phi < 0}. Only the outside is followed; Domain.Label names the
// tetrahedra afterwards. The mesh ends on the outer faces of the grid's voxels.
// Parts are those of the voxels that are inside.
//
// Errors: as Mesh.
func Fill(ctx context.Context, d Domain, opt Options) (*mesh.TetMesh, Report, error) {
	var rep Report
	if err := d.Grid.Validate(); err != nil {
		return nil, rep, fmt.Errorf("tetra: Domain.Grid: %w", err)
	}
	if len(d.Phi) != d.Grid.Len() {
		return nil, rep, fmt.Errorf("tetra: Domain.Phi has %d samples for %d voxels", len(d.Phi), d.Grid.Len())
	}
	if !(d.TargetMM3 >= 0) || math.IsInf(d.TargetMM3, 0) {
		return nil, rep, fmt.Errorf("tetra: Domain.TargetMM3 is %g", d.TargetMM3)
	}
	if err := opt.check(); err != nil {
		return nil, rep, err
	}
	inside := &imaging.Labels{Grid: d.Grid, ID: make([]imaging.Label, len(d.Phi))}
	const in = imaging.LabelLiver
	for n, v := range d.Phi {
		if v != v || math.IsInf(float64(v), 0) {
			i, j, k := d.Grid.IJK(n)
			return nil, rep, fmt.Errorf("tetra: Domain.Phi is %g at voxel (%d,%d,%d)", v, i, j, k)
		}
		if v < 0 {
			inside.ID[n] = in
		}
	}
	p, err := findParts(ctx, inside)
	if err != nil {
		return nil, rep, err
	}
	rep.Components = len(p.size)
	phi := d.Phi
	if opt.MinComponentMM3 > 0 {
		kept, dropped := p.drop(inside, opt.MinComponentMM3)
		if rep.Dropped = dropped; len(dropped) > 0 {
			phi = append([]float32(nil), phi...)
			for n, v := range phi {
				if v < 0 && kept.ID[n] == 0 {
					phi[n] = -v
				}
			}
			if p, err = findParts(ctx, kept); err != nil {
				return nil, rep, err
			}
		}
	}
	if len(p.size) == 0 {
		return nil, rep, &EmptyError{Dropped: len(rep.Dropped)}
	}
	f, sd, err := fieldOfPhi(ctx, d.Grid, phi, uint8(in))
	if err != nil {
		return nil, rep, err
	}
	opt.progress(0.2)
	opt.shorten(d.Grid)
	z := newSizing(&opt)
	fine := make([]uint8, sd.len())
	for s := range fine {
		fine[s] = z.level[in]
	}
	var want [256]float64
	want[in] = d.TargetMM3
	m, err := stuff(ctx, f, sd, fine, &z, p, &want, &opt, &rep)
	if err != nil || d.Label == nil {
		return m, rep, err
	}
	for t, v := range m.Tets {
		if t&4095 == 0 && ctx.Err() != nil {
			return nil, rep, ctx.Err()
		}
		m.Region[t] = d.Label(r3.Scale(0.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]]))))
	}
	return m, rep, nil
}
