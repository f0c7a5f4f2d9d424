package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"
	"halsted/planner"
	"halsted/planner/pipeline"
)

// segmentResult is what `halsted segment --json` prints.
type segmentResult struct {
	Study   planner.Study                 `json:"study"`
	ML      map[string]float64            `json:"ml"`
	Notes   []string                      `json:"notes"`
	Against map[string]segment.Comparison `json:"against,omitempty"`
	Out     string                        `json:"out,omitempty"`
	Stages  []stageTime                   `json:"stages"`
}

func segmentCommand() *command {
	var f caseFlags
	var against, out string
	return &command{
		name: "segment", args: "DICOM-FOLDER", summary: "Segment a contrast CT of the abdomen: body, bone, liver, vessels, tumours",
		example: "halsted segment study/ --out labels.nii.gz\nhalsted segment study/ --against truth.nii.gz --bits body,bone,liver",
		flags: func(fs *flag.FlagSet) {
			fs.Var(&f.seeds, "seed", "a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)")
			fs.StringVar(&against, "against", "", "NIfTI bit masks to compare with (Dice, surface distance)")
			fs.StringVar(&f.bits, "bits", "", "structures of the mask bits, lowest first")
			fs.StringVar(&out, "out", "", "write the structures as bit masks (.nii.gz)")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one folder with a DICOM series")
			}
			b := newBar(o.log)
			r, err := segmentFolder(ctx, args[0], f, against, out, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				r.print(o.out)
			}
			return r, nil
		},
	}
}

func segmentFolder(ctx context.Context, folder string, f caseFlags, against, out string, b *bar) (*segmentResult, error) {
	v, study, err := pipeline.Open(ctx, folder, b.set)
	if err != nil {
		return nil, err
	}
	segs, rep, err := pipeline.Segment(ctx, v, planner.Case{Seeds: f.seeds}, b.set)
	if err != nil {
		return nil, err
	}
	r := &segmentResult{Study: study, ML: map[string]float64{}, Notes: rep.Notes(), Out: out}
	for _, l := range segs.Of {
		r.ML[l.String()] = segs.VolumeMM3(l) / 1000
	}
	if against != "" {
		if r.Against, err = compare(ctx, segs, against, f.bits, b); err != nil {
			return nil, err
		}
	}
	if out != "" {
		if err := nifti.WriteSegments(out, segs); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// compare measures every structure that both sides have.
func compare(ctx context.Context, segs *imaging.Segments, path, bits string, b *bar) (map[string]segment.Comparison, error) {
	ls, err := parseBits(bits)
	if err != nil {
		return nil, err
	}
	b.set("compare", 0)
	truth, err := nifti.ReadSegments(path, segs.Grid, ls)
	if err != nil {
		return nil, refusedError{err}
	}
	out := map[string]segment.Comparison{}
	for n, l := range ls {
		if segs.Bit(l) == 0 || segs.Count(l) == 0 || truth.Count(l) == 0 {
			continue
		}
		if out[l.String()], err = segment.Compare(ctx, segs, truth, l); err != nil {
			return nil, err
		}
		b.set("compare", float64(n+1)/float64(len(ls)))
	}
	return out, nil
}

func (r *segmentResult) print(w io.Writer) {
	var names []string
	for n := range r.ML {
		names = append(names, n)
	}
	slices.Sort(names)
	fmt.Fprintln(w)
	for _, n := range names {
		fmt.Fprintf(w, "%-14s %9.1f ml", n, r.ML[n])
		if c, ok := r.Against[n]; ok {
			fmt.Fprintf(w, "   Dice %.3f, surface mean %.2f, p95 %.2f, max %.2f mm", c.Dice, c.MeanMM, c.P95MM, c.MaxMM)
		}
		fmt.Fprintln(w)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	fmt.Fprintln(w, planner.Notice)
}
