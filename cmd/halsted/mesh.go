package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/nifti"
	"halsted/internal/atomicfile"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/mesh/meshio"
	"halsted/mesh/tetra"
)

// meshResult is what `halsted mesh --json` prints.
type meshResult struct {
	VoxelML        float64     `json:"voxel_ml"`
	SurfaceML      float64     `json:"surface_ml"`
	Triangles      int         `json:"triangles"`
	TetML          float64     `json:"tet_ml"`
	Tets           int         `json:"tets"`
	MinDihedralDeg float64     `json:"min_dihedral_deg"`
	MaxDihedralDeg float64     `json:"max_dihedral_deg"`
	Dropped        int         `json:"components_dropped"`
	Artefacts      []string    `json:"artefacts"`
	Stages         []stageTime `json:"stages"`
}

func meshCommand() *command {
	var bits, structure, out string
	var edge float64
	return &command{
		name: "mesh", args: "MASKS.nii.gz", summary: "Mesh one structure of a mask file: surface (STL) and tetrahedra (VTU)",
		example: "halsted mesh masks.nii.gz --bits body,bone,liver --structure liver --edge 8 --out out",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&bits, "bits", "", "structures of the mask bits, lowest first")
			fs.StringVar(&structure, "structure", "liver", "which structure to mesh")
			fs.Float64Var(&edge, "edge", 10, "edge of the tetrahedra, mm")
			fs.StringVar(&out, "out", "out", "folder for the artefacts")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one NIfTI file of bit masks")
			}
			of, err := parseBits(bits)
			if err != nil {
				return nil, err
			}
			l, ok := parseLabel(structure)
			if !ok {
				return nil, usagef("--structure: no structure %q; known: %s", structure, labelNames())
			}
			b := newBar(o.log)
			r, err := meshMasks(ctx, args[0], of, l, edge, out, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				fmt.Fprintf(o.out, "%s: voxels %.2f ml; surface %d triangles, %.2f ml; %d tetrahedra, %.2f ml, dihedral angles %.1f° to %.1f°\nWritten to %s: %v\n",
					l, r.VoxelML, r.Triangles, r.SurfaceML, r.Tets, r.TetML, r.MinDihedralDeg, r.MaxDihedralDeg, out, r.Artefacts)
			}
			return r, nil
		},
	}
}

func meshMasks(ctx context.Context, path string, bits []imaging.Label, l imaging.Label, edge float64, out string, b *bar) (*meshResult, error) {
	b.set("read masks", 0)
	img, err := nifti.ReadFile(path)
	if err != nil {
		return nil, refusedError{err}
	}
	segs, err := img.Segments(img.Grid, bits)
	if err != nil {
		return nil, refusedError{err}
	}
	bit := segs.Bit(l)
	box := segs.Grid.Bounds(func(n int) bool { return bit != 0 && segs.Bits[n]&bit != 0 })
	if box.Empty() {
		return nil, refusedError{fmt.Errorf("the structure %s is empty in the masks: check --bits and --structure", l)}
	}
	crop := segs.Crop(box.Grow(segs.Grid, edge+5))
	labels := crop.Flatten(imaging.LabelBackground, l)
	r := &meshResult{VoxelML: crop.VolumeMM3(l) / 1000}
	b.set("surface", 0)
	surface, err := contour.Extract(ctx, labels, contour.Options{SmoothPasses: 10})
	if err != nil {
		return nil, err
	}
	r.Triangles, r.SurfaceML = len(surface.Tris), surface.VolumeMM3(func(o imaging.Label) bool { return o == l })/1000
	b.set("tetrahedra", 0)
	phi, err := distance.Signed(ctx, crop.Grid, func(n int) bool { return labels.ID[n] == l })
	if err != nil {
		return nil, err
	}
	tets, rep, err := tetra.Fill(ctx, tetra.Domain{Grid: crop.Grid, Phi: phi, Label: nil, TargetMM3: crop.VolumeMM3(l)}, tetra.Options{EdgeMM: edge, Progress: func(d float64) { b.set("tetrahedra", d) }})
	if err != nil {
		return nil, refusedError{err}
	}
	q := mesh.Quality(tets)
	r.Tets, r.TetML, r.MinDihedralDeg, r.MaxDihedralDeg, r.Dropped = q.Tets, q.VolumeMM3/1000, q.MinDihedralDeg, q.MaxDihedralDeg, len(rep.Dropped)
	r.Artefacts = []string{l.String() + ".stl", l.String() + ".vtu"}
	return r, writeArtefacts(out, []atomicfile.File{
		{Name: r.Artefacts[0], Write: func(w io.Writer) error { return meshio.WriteSTL(w, surface) }},
		{Name: r.Artefacts[1], Write: func(w io.Writer) error { return meshio.WriteVTU(w, tets, nil) }},
	})
}
