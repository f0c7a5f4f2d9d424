package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/mesh/meshio"
)

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
