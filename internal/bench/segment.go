package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"
	"halsted/imaging/series"
)

// segmentBench measures the "Must show" figures of segmentation and vessel
// trees.
//
// Parts may be named: case, speed, clicks, refine, aorta, trees, territories,
// phantoms.
func segmentBench(names []string) ([]Row, error) {
	ctx := context.Background()
	var rows []Row
	for _, part := range []struct {
		name string
		rows func(context.Context) ([]Row, error)
	}{
		{"case", segmentCase}, {"speed", segmentSpeed}, {"phantoms", segmentPhantoms},
		{"territories", segmentTerritories},
		{"trees", segmentTrees}, {"aorta", segmentAorta},
		{"clicks", segmentClicks}, {"refine", segmentRefine},
	} {
		if len(names) > 0 && !slices.Contains(names, part.name) {
			continue
		}
		start := time.Now()
		r, err := part.rows(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%-12s measured in %.0f s\n", part.name, time.Since(start).Seconds())
		rows = append(rows, r...)
	}
	if rows == nil {
		return nil, fmt.Errorf("no part of the segment bench is named %v", names)
	}
	return rows, nil
}

// patient is a case with its manual outlines.
type patient struct {
	v     *imaging.Volume
	truth *imaging.Segments
}

// ircadPatient reads 3D-IRCADb-01 patient 17.
func ircadPatient(ctx context.Context) (*patient, error) {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		return nil, &missingError{"HALSTED_DATA is not set"}
	}
	dir := filepath.Join(data, "cases", "ircad01_17_liver_ct")
	all, err := series.ReadDir(ctx, filepath.Join(dir, "dicom"), series.Options{})
	if err != nil {
		return nil, err
	}
	v, err := all[0].Volume(ctx, nil)
	if err != nil {
		return nil, err
	}
	truth, err := nifti.ReadSegments(filepath.Join(dir, "masks_bits.nii.gz"), v.Grid, nifti.IRCADBits())
	if err != nil {
		return nil, err
	}
	return &patient{v, truth}, nil
}

// auto segments a volume by the recipe for the abdomen.
func auto(ctx context.Context, v *imaging.Volume, seeds ...segment.Seed) (*imaging.Segments, *segment.Report, error) {
	r, err := segment.Builtin(segment.AbdomenPortal)
	if err != nil {
		return nil, nil, err
	}
	return segment.Run(ctx, v, r, segment.Options{Seeds: seeds})
}

// in is membership in any of some structures.
func in(s *imaging.Segments, ls ...imaging.Label) func(n int) bool {
	bits := uint32(0)
	for _, l := range ls {
		bits |= s.Bit(l)
	}
	return func(n int) bool { return s.Bits[n]&bits != 0 }
}

// segmentCase is the automatic segmentation against the manual outlines.
func segmentCase(ctx context.Context) ([]Row, error) {
	p, err := ircadPatient(ctx)
	if err != nil {
		return []Row{failedRow("ircad01_17 against manual outlines", "1", "see the parts", err)}, nil
	}
	got, _, err := auto(ctx, p.v)
	if err != nil {
		return nil, err
	}
	liver, err := segment.Compare(ctx, got, p.truth, imaging.LabelLiver)
	if err != nil {
		return nil, err
	}
	bone, err := segment.Compare(ctx, got, p.truth, imaging.LabelBone)
	if err != nil {
		return nil, err
	}
	organ, known := in(p.truth, imaging.LabelLiver), in(p.truth, imaging.LabelPortalVein, imaging.LabelHepaticVein)
	ourLiver, ourVessels := in(got, imaging.LabelLiver), in(got, imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel)
	ours := func(n int) bool { return ourLiver(n) && ourVessels(n) }
	theirs := func(n int) bool { return organ(n) && known(n) }
	cl, err := segment.ClDice(ctx, p.v.Grid, ours, theirs)
	if err != nil {
		return nil, err
	}
	rows := []Row{
		atLeast("liver, automatic: Dice", liver.Dice, "1", 0.94, "threshold baseline with the true centre and HU 0.847 (quoted)"),
		atMost("liver, automatic: surface mean", liver.MeanMM, "mm", 1.3, "baseline 2.96, truth to result (quoted)"),
		atMost("liver, automatic: surface p95", liver.P95MM, "mm", 5, "baseline 12.6, truth to result (quoted)"),
		atLeast("vessels in the liver: Dice", segment.Dice(p.v.Grid.Len(), ours, theirs), "1", 0.72, "threshold in the true liver 0.553 (quoted)"),
		atLeast("vessels in the liver: clDice", cl.ClDice, "1", 0.75, "–"),
		atLeast("bone: Dice", bone.Dice, "1", 0.90, "–"),
	}
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		system, mine := in(p.truth, l), in(got, l)
		d := segment.Dice(p.v.Grid.Len(), func(n int) bool { return ourLiver(n) && mine(n) }, func(n int) bool { return organ(n) && system(n) })
		rows = append(rows, Row{fmt.Sprintf("%v in the liver, told apart automatically: Dice", l), &d, "1", "none", "–", true})
	}
	return rows, nil
}

// segmentSpeed runs the binary as a user would: DICOM folder to every label.
func segmentSpeed(context.Context) ([]Row, error) {
	const item = "all labels, DICOM folder to masks, 512×512×119, 2 cores"
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		return []Row{notMeasured(item+": wall", "s", "≤ 12", "HALSTED_DATA is not set")}, nil
	}
	least, peak := time.Duration(0), 0.0
	for n := range trialRuns {
		p, err := halsted(2, "segment", filepath.Join(data, "cases", "ircad01_17_liver_ct", "dicom"), "--json")
		if err != nil {
			return nil, err
		}
		if n == 0 || p.wall < least {
			least = p.wall
		}
		peak = max(peak, p.peakGiB)
	}
	return []Row{
		atMost(item+": wall", least.Seconds(), "s", 12, "–"),
		atMost(item+": peak memory", peak, "GiB", 2, "–"),
	}, nil
}
