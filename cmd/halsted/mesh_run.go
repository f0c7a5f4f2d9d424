package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/nifti"
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

// readLabels reads masks or a label map and keeps what was picked.
func (j *meshJob) readLabels(ctx context.Context, s *subject) error {
	path, file := j.labelFile, j.source()
	if j.maskFile != "" {
		path = j.maskFile
	}
	img, err := nifti.ReadFile(path)
	if err != nil {
		return refusedError{err}
	}
	if j.maskFile != "" {
		segs, err := img.Segments(img.Grid, j.bits)
		if err != nil {
			return refusedError{err}
		}
		var order []imaging.Label
		for _, p := range j.pick {
			if segs.Count(p.label) == 0 {
				return refusedError{fmt.Errorf("the structure %s is empty in the masks of %s: check --bits and --structure", p.label, file)}
			}
			order = append(order, p.label)
		}
		s.labels = segs.Flatten(imaging.LabelBackground, order...)
	} else if s.labels, err = labelMap(ctx, img, file); err != nil {
		return err
	}
	return j.pickLabels(s, file)
}

// labelMap takes the values of img as labels.
func labelMap(ctx context.Context, img *nifti.Image, file string) (*imaging.Labels, error) {
	l := &imaging.Labels{Grid: img.Grid, ID: make([]imaging.Label, img.Grid.Len())}
	for n := range l.ID {
		if n&(1<<20-1) == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		v := img.Value(n)
		if !(v >= 0 && v <= math.MaxUint8 && v == math.Trunc(v)) {
			i, jj, k := img.Grid.IJK(n)
			p := img.Grid.Point(float64(i), float64(jj), float64(k))
			why := "renumber the labels"
			if v != math.Trunc(v) {
				why = "this looks like an image, not a label map"
			}
			return nil, refusedError{fmt.Errorf("%s: the value %g at (%.1f, %.1f, %.1f) mm is no label: labels are whole numbers from 0 to 255; %s", file, v, p.X, p.Y, p.Z, why)}
		}
		l.ID[n] = imaging.Label(v)
	}
	return l, nil
}

// pickLabels drops what was not asked for, crops, and names what is left.
func (j *meshJob) pickLabels(s *subject, file string) error {
	var count [256]int
	for _, l := range s.labels.ID {
		count[l]++
	}
	var held []string
	for l := 1; l < 256; l++ {
		if count[l] > 0 {
			held = append(held, strconv.Itoa(l))
			if j.labelFile != "" {
				s.names[imaging.Label(l)] = fmt.Sprintf("label_%d", l)
			}
		}
	}
	if held == nil {
		return refusedError{fmt.Errorf("%s holds no label: every voxel is 0; give a label map", file)}
	}
	var keep [256]bool
	for l := range keep {
		keep[l] = len(j.pick) == 0
	}
	for _, p := range j.pick {
		if count[p.label] == 0 {
			return refusedError{fmt.Errorf("no voxel of %s has the label %s; it holds %s", file, p, strings.Join(held, ", "))}
		}
		keep[p.label] = true
		if p.name != "" {
			s.names[p.label] = p.name
		}
	}
	for n, l := range s.labels.ID {
		if !keep[l] {
			s.labels.ID[n] = imaging.LabelBackground
		}
	}
	g := s.labels.Grid
	// two voxels of background around: the surface is the same, memory is less
	spacing := g.SpacingMM()
	box := g.Bounds(func(n int) bool { return s.labels.ID[n] != imaging.LabelBackground })
	s.labels = s.labels.Crop(box.Grow(g, 2*max(spacing[0], spacing[1], spacing[2])))
	return nil
}

func (p picked) String() string {
	if p.name != "" {
		return fmt.Sprintf("%d (%s)", uint8(p.label), p.name)
	}
	return strconv.Itoa(int(p.label))
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

func (j *meshJob) readMesh(ctx context.Context, s *subject) error {
	opt := meshio.ReadOptions{Unit: j.unit, Label: 1}
	skipped := func(list []meshio.Skipped) {
		for _, k := range list {
			s.notes = append(s.notes, fmt.Sprintf("left out %d elements of type %s", k.Count, k.Type))
		}
	}
	file := filepath.Base(j.meshFile)
	if hasFormat(j.meshFile, surfaceFormats) {
		f, err := meshio.ReadSurfaceFile(ctx, j.meshFile, opt)
		if err != nil {
			return refuse(err, file)
		}
		s.surface = f.Surface
		maps.Copy(s.names, f.Names)
		if strings.EqualFold(filepath.Ext(file), ".stl") {
			s.names[opt.Label] = "surface" // the format has no names
		}
		skipped(f.Skipped)
		if f.Repeated > 0 {
			s.notes = append(s.notes, fmt.Sprintf("left out %d triangles without area", f.Repeated))
		}
		return nil
	}
	f, err := meshio.ReadTetMeshFile(ctx, j.meshFile, opt)
	if err != nil {
		return refuse(err, file)
	}
	s.tets = f.Mesh
	maps.Copy(s.names, f.Names)
	skipped(f.Skipped)
	if f.Unused > 0 {
		s.notes = append(s.notes, fmt.Sprintf("left out %d nodes of no element", f.Unused))
	}
	return nil
}

// refuse names the file unless a cancelled run is behind err.
func refuse(err error, file string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return refusedError{fmt.Errorf("%s: %w", file, err)}
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
			files = append(files, surface(name, interfaces(s.tets)))
		default:
			files = append(files, surface(name, s.surface))
		}
	}
	for _, f := range files {
		r.Artefacts = append(r.Artefacts, filepath.Join(dir, f.Name))
	}
	return writeArtefacts(dir, files)
}

// interfaces are the faces of m between different labels or to the outside,
// counter-clockwise seen from the smaller label.
func interfaces(m *mesh.TetMesh) *mesh.Surface {
	next := m.Neighbours()
	s := &mesh.Surface{}
	vertex := make([]int32, len(m.Nodes)) // plus one
	for t, v := range m.Tets {
		for f, c := range mesh.TetFaces {
			out := imaging.LabelBackground
			if o := next[t][f]; o >= 0 {
				out = m.Region[o]
			}
			if out >= m.Region[t] {
				continue // the other side's turn, or none
			}
			var tri [3]int32
			for i, k := range c {
				n := v[k]
				if vertex[n] == 0 {
					s.Verts = append(s.Verts, m.Nodes[n])
					vertex[n] = int32(len(s.Verts))
				}
				tri[i] = vertex[n] - 1
			}
			s.Tris = append(s.Tris, tri)
			s.Region = append(s.Region, mesh.Sides{Inside: m.Region[t], Outside: out})
		}
	}
	return s
}
