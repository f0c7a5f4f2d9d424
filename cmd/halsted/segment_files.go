package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"
	"halsted/imaging/series"
)

// checkMaskName refuses, before the work, a name whose format is not written.
func checkMaskName(path string) error {
	if f := formatOf(path); path == "" || f == formatDICOM || f == formatNIfTI || (f == formatNRRD || f == formatSegNRRD) && !strings.HasSuffix(strings.ToLower(path), ".nhdr") {
		return nil
	}
	return usagef("--out %s: want .dcm (DICOM SEG), .seg.nrrd (3D Slicer), .nii or .nii.gz (bit masks)", path)
}

// checkMaskSource refuses a DICOM segmentation of what did not come from DICOM.
func checkMaskSource(path string, in *scan) error {
	if formatOf(path) == formatDICOM && in.series == nil {
		return refusedError{fmt.Errorf("%s: a DICOM segmentation refers to the images it was made from; segment the DICOM series, or write .seg.nrrd or .nii.gz", filepath.Base(path))}
	}
	return nil
}

// writeSegments writes masks in the format of the file's name.
func writeSegments(ctx context.Context, path string, segs *imaging.Segments, in *scan) error {
	return writeStructures(ctx, path, formatOf(path), &carried{segs: segs}, in.series, series.SEGBinary)
}

// readTruth reads the masks to compare with, with what is to be said of them.
func readTruth(ctx context.Context, path, bits string, g imaging.Grid, in *scan) (*imaging.Segments, []string, error) {
	switch formatOf(path) {
	case formatDICOM:
		return readTruthObject(ctx, path, in)
	case formatNRRD, formatSegNRRD:
		return readTruthNRRD(ctx, path, bits, g)
	}
	ls, err := parseBits(bits)
	if err != nil {
		return nil, nil, err
	}
	s, err := nifti.ReadSegments(path, g, ls)
	if err != nil {
		return nil, nil, refusedError{err}
	}
	return s, nil, nil
}

// readTruthObject reads a DICOM segmentation or structure set of the series.
func readTruthObject(ctx context.Context, path string, in *scan) (*imaging.Segments, []string, error) {
	if in.series == nil {
		return nil, nil, refusedError{fmt.Errorf("%s: a DICOM object of structures belongs to a DICOM series; segment that series", filepath.Base(path))}
	}
	o, err := series.ReadStructuresFile(path, dicomfile.Limits{})
	if err != nil {
		return nil, nil, refusedError{err}
	}
	s, rep, err := o.Onto(ctx, in.series, series.StructureOptions{})
	if err != nil {
		return nil, nil, refusedUnlessCancelled(err)
	}
	return s, rep.Notes, nil
}

// readTruthNRRD reads a segmentation of 3D Slicer, or bit masks, and brings
// them onto the grid.
func readTruthNRRD(ctx context.Context, path, bits string, g imaging.Grid) (*imaging.Segments, []string, error) {
	src, err := (&convertJob{bits: bits}).openNRRD(path)
	if is[*usageError](err) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, refusedUnlessCancelled(err)
	}
	if src.masks == nil {
		return nil, nil, usagef("--against %s: the file names no segments; name the structures of its bits with --bits", filepath.Base(path))
	}
	s, rep, err := series.Resample(ctx, src.masks.segs, g)
	if err != nil {
		return nil, nil, refusedUnlessCancelled(err)
	}
	return s, append(src.notes, rep.Notes...), nil
}

// compare measures every structure that both sides have.
func compare(ctx context.Context, segs *imaging.Segments, in *scan, path, bits string, b *bar) (map[string]segment.Comparison, []string, error) {
	b.set("compare", 0)
	truth, notes, err := readTruth(ctx, path, bits, segs.Grid, in)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]segment.Comparison{}
	for n, l := range truth.Of {
		if segs.Bit(l) == 0 || truth.Count(l) == 0 {
			continue
		}
		c, err := segment.Compare(ctx, segs, truth, l)
		if err != nil {
			return nil, nil, err
		}
		if l.IsVessel() {
			d, err := segment.CompareCentrelines(ctx, segs, truth, l)
			if err != nil {
				return nil, nil, err
			}
			c.ClDice = &d.ClDice
		}
		out[l.String()] = c
		b.set("compare", float64(n+1)/float64(len(truth.Of)))
	}
	return out, notes, nil
}
