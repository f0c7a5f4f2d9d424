package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"
	"halsted/imaging/series"
	"halsted/internal/atomicfile"
)

// isDICOM reports whether a file of masks is named as a DICOM SEG.
func isDICOM(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".dcm") }

// checkMaskName refuses, before the work, a name whose format is not written.
func checkMaskName(path string) error {
	if name := strings.ToLower(path); path == "" || isDICOM(path) || strings.HasSuffix(name, ".nii") || strings.HasSuffix(name, ".nii.gz") {
		return nil
	}
	return usagef("--out %s: want .dcm (DICOM SEG), .nii or .nii.gz (bit masks)", path)
}

// writeSegments writes masks in the format of the file's name.
func writeSegments(ctx context.Context, path string, segs *imaging.Segments, in *scan) error {
	if !isDICOM(path) {
		return nifti.WriteSegments(path, segs)
	}
	if in.series == nil {
		return refusedError{fmt.Errorf("%s: a DICOM segmentation refers to the images it was made from; segment the DICOM series, or write .nii.gz", path)}
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return series.WriteSEG(ctx, w, segs, in.series, series.SEGOptions{})
	})
}

// readTruth reads the masks to compare with, with what is to be said of them.
func readTruth(ctx context.Context, path, bits string, g imaging.Grid, in *scan) (*imaging.Segments, []string, error) {
	if !isDICOM(path) {
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
	if in.series == nil {
		return nil, nil, refusedError{fmt.Errorf("%s: a DICOM segmentation belongs to a DICOM series; segment that series", path)}
	}
	seg, err := series.ReadSEGFile(path, dicomfile.Limits{})
	if err != nil {
		return nil, nil, refusedError{err}
	}
	s, rep, err := seg.Onto(ctx, in.series, series.StructureOptions{})
	if err != nil {
		return nil, nil, refusedUnlessCancelled(err)
	}
	return s, rep.Notes, nil
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
