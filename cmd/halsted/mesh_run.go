package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/internal/atomicfile"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/mesh/meshio"
	"halsted/mesh/spatial"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// subject is what `halsted mesh` works on: labels, a mesh, or both.
type subject struct {
	labels  *imaging.Labels
	names   map[imaging.Label]string
	tets    *mesh.TetMesh
	surface *mesh.Surface // a surface file, or the voxel-fine surface of labels
	made    *tetra.Report // when the tets were made here
	curved  *tetra.CurveReport
	notes   []string
}

func (s *subject) name(l imaging.Label) string {
	if n := s.names[l]; n != "" {
		return n
	}
	return l.String()
}

// run does the job.
func (j *meshJob) run(ctx context.Context, b *bar) (*meshResult, error) {
	s := &subject{names: map[imaging.Label]string{}}
	var fine *mesh.Surface // voxel-fine, smoothed, of the labels
	if j.maskFile != "" || j.labelFile != "" {
		b.set("read labels", 0)
		if err := j.readLabels(ctx, s); err != nil {
			return nil, err
		}
		b.set("surface", 0)
		var err error
		if fine, err = contour.Extract(ctx, s.labels, contour.Options{SmoothPasses: 20}); err != nil {
			return nil, refuse(err, j.source())
		}
	}
	if j.meshFile != "" {
		b.set("read mesh", 0)
		if err := j.readMesh(ctx, s); err != nil {
			return nil, err
		}
	} else if err := j.makeTets(ctx, s, b); err != nil {
		return nil, err
	}
	if s.surface == nil {
		s.surface = fine
	}
	if j.quadratic {
		b.set("second order", 0)
		if err := s.curve(ctx, fine); err != nil {
			return nil, err
		}
	}
	b.set("report", 0)
	r, err := j.describe(ctx, s, fine)
	if err != nil {
		return nil, err
	}
	return r, j.write(ctx, s, r, b)
}

// source is the name of the file that the labels come from.
func (j *meshJob) source() string {
	if j.maskFile != "" {
		return filepath.Base(j.maskFile)
	}
	return filepath.Base(j.labelFile)
}

// curve gives the tetrahedra mid-edge nodes, on the labels' smooth surface where
// they belong to an interface; without labels the sides are straight.
func (s *subject) curve(ctx context.Context, fine *mesh.Surface) error {
	s.tets = s.tets.Quadratic()
	if fine == nil {
		return nil
	}
	trees := map[mesh.Sides]*spatial.BVH{}
	var failed error
	rep, err := tetra.Curve(ctx, s.tets, func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) {
		pair := mesh.Sides{Inside: a, Outside: b}
		tree, known := trees[pair]
		if !known && failed == nil {
			part := &mesh.Surface{Verts: fine.Verts}
			for t, r := range fine.Region {
				if r == pair {
					part.Tris, part.Region = append(part.Tris, fine.Tris[t]), append(part.Region, r)
				}
			}
			if len(part.Tris) > 0 {
				tree, failed = spatial.New(ctx, part)
			}
			trees[pair] = tree
		}
		if tree == nil {
			return p, false
		}
		return tree.Closest(p).At, true
	})
	if err == nil {
		err = failed
	}
	s.curved = &rep
	return err
}

// find gives the label that a name or number on the command line means.
func (s *subject) find(name string) (imaging.Label, bool) {
	for _, l := range slices.Sorted(maps.Keys(s.names)) {
		if s.names[l] == name {
			return l, true
		}
	}
	if n, err := strconv.ParseUint(name, 10, 8); err == nil {
		return imaging.Label(n), true
	}
	return parseLabel(name)
}

func (j *meshJob) makeTets(ctx context.Context, s *subject, b *bar) error {
	j.opt.LabelEdgeMM = map[imaging.Label]float64{}
	for _, name := range slices.Sorted(maps.Keys(j.edgeOf)) {
		l, ok := s.find(name)
		if !ok || !slices.Contains(s.labels.ID, l) {
			return usagef("--edge-of %s: no such label is meshed; there are %s", name, strings.Join(s.list(), ", "))
		}
		j.opt.LabelEdgeMM[l] = j.edgeOf[name]
	}
	const stage = "tetrahedra"
	b.set(stage, 0)
	j.opt.Progress = func(done float64) { b.set(stage, done) }
	m, rep, err := tetra.Mesh(ctx, s.labels, j.opt)
	if err != nil {
		return err
	}
	s.tets, s.made = m, &rep
	return s.missed(j.opt.EdgeMM)
}

// missed refuses a mesh in which a label has no tetrahedron though none of its
// parts was left out on request.
func (s *subject) missed(edgeMM float64) error {
	var voxels, tets [256]int
	for _, l := range s.labels.ID {
		voxels[l]++
	}
	for _, l := range s.tets.Region {
		tets[l]++
	}
	for _, d := range s.made.Dropped {
		voxels[d.Label] -= d.Voxels
	}
	for l := 1; l < 256; l++ {
		if voxels[l] > 0 && tets[l] == 0 {
			n := slices.Index(s.labels.ID, imaging.Label(l))
			i, j, k := s.labels.Grid.IJK(n)
			p := s.labels.Grid.Point(float64(i), float64(j), float64(k))
			return refusedError{fmt.Errorf("%s, %.3g ml near (%.1f, %.1f, %.1f) mm, is lost at an edge of %g mm: use a smaller --edge, or --edge-of for this label",
				s.name(imaging.Label(l)), float64(voxels[l])*s.labels.Grid.VoxelMM3()/1000, p.X, p.Y, p.Z, edgeMM)}
		}
	}
	return nil
}

// list names the labels, lowest first.
func (s *subject) list() (out []string) {
	var seen [256]bool
	for _, l := range s.labels.ID {
		seen[l] = true
	}
	for l := 1; l < 256; l++ {
		if seen[l] {
			out = append(out, s.name(imaging.Label(l)))
		}
	}
	return out
}

// write writes the artefacts, all or none.
func (j *meshJob) write(ctx context.Context, s *subject, r *meshResult, b *bar) error {
	if j.out == "" {
		return nil
	}
	b.set("write", 0)
	opt := meshio.WriteOptions{Unit: j.unit, Names: s.names}
	tets := func(name string) atomicfile.File {
		return atomicfile.File{Name: name, Write: func(w io.Writer) error { return meshio.WriteTetMesh(ctx, w, name, s.tets, opt) }}
	}
	surface := func(name string, of *mesh.Surface) atomicfile.File {
		if strings.EqualFold(filepath.Ext(name), ".stl") && len(of.Labels()) > 1 {
			of, _ = of.Bounding(func(l imaging.Label) bool { return l != imaging.LabelBackground })
			r.Notes = append(r.Notes, name+" is the outer surface of all labels: STL cannot tell them apart; give one --label, or write .ply or .glb")
		}
		return atomicfile.File{Name: name, Write: func(w io.Writer) error { return meshio.WriteSurface(ctx, w, name, of, opt) }}
	}
	dir, files := j.out, []atomicfile.File(nil)
	if j.folder {
		base := "mesh"
		if len(j.pick) == 1 {
			base = s.name(j.pick[0].label)
		}
		if s.surface != nil {
			files = append(files, surface(base+".stl", s.surface))
		}
		if s.tets != nil {
			files = append(files, tets(base+".vtu"))
		}
	} else {
		dir = filepath.Dir(j.out)
		name := filepath.Base(j.out)
		switch {
		case hasFormat(name, tetFormats):
			files = append(files, tets(name))
		case s.tets != nil:
			files = append(files, surface(name, s.tets.Interfaces()))
		default:
			files = append(files, surface(name, s.surface))
		}
	}
	for _, f := range files {
		r.Artefacts = append(r.Artefacts, filepath.Join(dir, f.Name))
	}
	return writeArtefacts(dir, files)
}
