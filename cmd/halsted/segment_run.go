package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/segment"
	"halsted/imaging/series"
	"halsted/planner"
	"halsted/planner/pipeline"
)

// scan is a volume and where it came from.
type scan struct {
	v      *imaging.Volume
	series *series.Series // nil unless it came from DICOM
	study  *planner.Study // likewise
}

// run segments a study. failed says that the result stands but lacks what the
// recipe or a seed asked for.
func (j *segmentJob) run(ctx context.Context, study string, b *bar) (r *segmentResult, failed, err error) {
	recipe, err := j.chosen()
	if err != nil {
		return nil, nil, err
	}
	if err := checkMaskName(j.out); err != nil {
		return nil, nil, err
	}
	edits, err := readEdits(j.edit)
	if err != nil {
		return nil, nil, err
	}
	in, err := openScan(ctx, study, recipe.Modality, b)
	if err != nil {
		return nil, nil, err
	}
	if err := j.check(in, recipe, edits); err != nil {
		return nil, nil, err
	}
	o := segment.Options{Progress: func(done float64) { b.set("segment", done) }}
	for _, s := range j.seeds {
		o.Seeds = append(o.Seeds, segment.Seed{Label: s.Label, LPS: s.LPS})
	}
	if j.inspect != "" {
		if err := os.MkdirAll(j.inspect, 0o755); err != nil {
			return nil, nil, err
		}
		o.Inspect = writeStages(j.inspect)
	}
	segs, rep, err := segment.Run(ctx, in.v, recipe, o)
	if err != nil {
		return nil, nil, refusedUnlessCancelled(err)
	}
	state := ""
	if j.edit != "" || j.out != "" { // what is stored can be edited later
		if segs, state, err = edited(ctx, in.v, segs, rep, edits, b); err != nil {
			return nil, nil, err
		}
	}
	r = &segmentResult{
		Study: in.study, Recipe: recipe.Name, Version: recipe.Version, Hash: recipe.Hash(),
		Structures: structureLines(rep), Checks: rep.Checks, Notes: rep.Notes(), State: state, Out: j.out,
	}
	if j.against != "" {
		against, notes, err := compare(ctx, segs, in, j.against, j.bits, b)
		if err != nil {
			return nil, nil, err
		}
		r.Against, r.Notes = against, append(r.Notes, notes...)
	}
	if j.out != "" {
		b.set("write", 0)
		if err := writeSegments(ctx, j.out, segs, in); err != nil {
			return nil, nil, err
		}
	}
	if j.pictures != "" && len(segs.Of) > 0 {
		b.set("pictures", 0)
		if err := writePictures(ctx, j.pictures, in.v, segs, rep); err != nil {
			return nil, nil, err
		}
	}
	return r, rep.Failed(), nil
}

// check refuses before the work what the work cannot mend.
func (j *segmentJob) check(in *scan, recipe segment.Recipe, edits []segment.Edit) error {
	if err := segment.CheckEdits(in.v.Grid, recipe, edits); err != nil {
		return refusedError{err}
	}
	if err := checkMaskSource(j.out, in); err != nil {
		return err
	}
	if j.against == "" {
		return nil
	}
	if _, err := os.Stat(j.against); err != nil {
		return refusedError{err}
	}
	if f := formatOf(j.against); f == formatDICOM || f == formatNRRD || f == formatSegNRRD {
		return nil
	}
	_, err := parseBits(j.bits)
	return err
}

func refusedUnlessCancelled(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return refusedError{err}
}

// chosen is the recipe with the numbers that were changed.
func (j *segmentJob) chosen() (segment.Recipe, error) {
	r, err := segment.Builtin(j.recipe)
	if strings.HasSuffix(j.recipe, ".json") {
		f, openErr := os.Open(j.recipe)
		if openErr != nil {
			return r, refusedError{openErr}
		}
		defer f.Close()
		if r, err = segment.ReadRecipe(f); err != nil {
			return r, refusedError{err}
		}
	}
	if err != nil {
		return r, usagef("--recipe: %v", err)
	}
	for _, s := range j.set {
		if r, err = r.With(s.do, s.name, s.value); err != nil {
			return r, usagef("--set: %v", err)
		}
	}
	return r, nil
}

// openScan reads the folder of a DICOM series, or a volume file.
func openScan(ctx context.Context, path, modality string, b *bar) (*scan, error) {
	st, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, refusedError{err}
		}
		return nil, err
	}
	if st.IsDir() {
		s, v, study, err := pipeline.OpenSeries(ctx, os.DirFS(path), b.set)
		if err != nil {
			return nil, err
		}
		return &scan{v, s, &study}, nil
	}
	b.set("read", 0)
	read := nifti.ReadVolume
	if f := formatOf(path); f == formatNRRD || f == formatSegNRRD {
		read = nrrd.ReadVolume
	}
	v, err := read(path)
	if err != nil {
		return nil, refusedError{err}
	}
	if v.Kind = imaging.KindHU; modality == "MR" { // a file does not say what its values are
		v.Kind = imaging.KindMR
	}
	return &scan{v: v}, nil
}

// writeStages writes what steps hand out as NIfTI, numbered in order.
func writeStages(dir string) func(segment.Stage) error {
	n := 0
	return func(s segment.Stage) error {
		n++
		name := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, s.Name)
		path := filepath.Join(dir, fmt.Sprintf("%02d_%s_%s.nii.gz", n, s.Step, name))
		v := imaging.NewVolume(s.Grid, imaging.KindUnknown)
		for m := range v.Data {
			switch {
			case s.Mask != nil && s.Mask[m]:
				v.Data[m] = 1
			case s.Field != nil:
				v.Data[m] = int16(min(max(s.Field[m], -32768), 32767))
			}
		}
		return nifti.WriteVolume(path, v)
	}
}
