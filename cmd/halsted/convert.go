package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"halsted/imaging"
	"halsted/imaging/series"
)

// convertJob is what `halsted convert` was asked to do.
type convertJob struct {
	onto, bits, values, segType string
	anyFrame                    bool
}

// convertResult is what `halsted convert --json` prints.
type convertResult struct {
	From       string          `json:"from"` // kind of the input
	To         string          `json:"to"`   // kind of the output
	Out        string          `json:"out"`
	Size       [3]int          `json:"size"`
	SpacingMM  [3]float64      `json:"spacing_mm"`
	Resampled  bool            `json:"resampled"`
	OffMM      float64         `json:"off_mm"` // of the voxels from those of the grid at worst
	Structures []convertedLine `json:"structures,omitempty"`
	Notes      []string        `json:"notes"`
	Stages     []stageTime     `json:"stages"`
}

// convertedLine is one structure and what arrived of it.
type convertedLine struct {
	Name     string  `json:"name"` // as in the output
	Known    bool    `json:"known"`
	Code     string  `json:"code,omitempty"`
	Bit      int     `json:"bit"` // in a mask of bits; its place in the list otherwise
	BeforeML float64 `json:"before_ml"`
	AfterML  float64 `json:"after_ml"`
	Cut      int     `json:"voxels_outside"`
}

func convertCommand() *command {
	var j convertJob
	return &command{
		name: "convert", args: "IN OUT", summary: "Convert volumes and structures between DICOM, NIfTI and NRRD, by the names of the files",
		example: "halsted convert study/ ct.nrrd\nhalsted convert labels.dcm labels.seg.nrrd\nhalsted convert plan.dcm organs.nii.gz --onto study/\nhalsted convert edited.seg.nrrd labels.dcm --onto study/\nhalsted convert masks.nii.gz labels.seg.nrrd --bits body,bone,liver",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&j.onto, "onto", "", "bring structures onto the grid of this DICOM folder, NIfTI or NRRD file")
			fs.StringVar(&j.bits, "bits", "", "IN holds masks: the structures of its bits, lowest first")
			fs.StringVar(&j.values, "values", "", "IN holds a label map: the structures of its values, 1=liver,2=tumour_1")
			fs.StringVar(&j.segType, "type", "binary", "of a DICOM segmentation: binary, fractional or labelmap")
			fs.BoolVar(&j.anyFrame, "any-frame", false, "accept another or an unknown frame of reference")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 2 {
				return nil, usagef("want an input and an output")
			}
			b := newBar(o.log)
			r, err := j.run(ctx, args[0], args[1], b)
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

// format is that of a file by its name.
type format uint8

const (
	formatUnknown format = iota
	formatFolder
	formatDICOM
	formatNIfTI
	formatNRRD
	formatSegNRRD // a name that promises a segmentation
)

func formatOf(path string) format {
	name := strings.ToLower(path)
	for _, f := range []struct {
		suffix string
		is     format
	}{{".seg.nrrd", formatSegNRRD}, {".seg.nhdr", formatSegNRRD}, {".nrrd", formatNRRD}, {".nhdr", formatNRRD},
		{".nii", formatNIfTI}, {".nii.gz", formatNIfTI}, {".dcm", formatDICOM}} {
		if strings.HasSuffix(name, f.suffix) {
			return f.is
		}
	}
	return formatUnknown
}

var segTypes = map[string]series.SEGType{"binary": series.SEGBinary, "fractional": series.SEGFractional, "labelmap": series.SEGLabelmap}

func (j *convertJob) run(ctx context.Context, in, out string, b *bar) (*convertResult, error) {
	to := formatOf(out)
	if to == formatUnknown || strings.HasSuffix(strings.ToLower(out), ".nhdr") {
		return nil, usagef("%s: want .nii.gz, .nii, .nrrd, .seg.nrrd or .dcm", out)
	}
	if _, ok := segTypes[j.segType]; !ok {
		return nil, usagef("--type %s: want binary, fractional or labelmap", j.segType)
	}
	if j.bits != "" && j.values != "" {
		return nil, usagef("--bits and --values: a file holds masks or a label map, not both")
	}
	if in == out {
		return nil, usagef("IN and OUT are one file")
	}
	src, err := j.open(ctx, in, b)
	if err != nil {
		return nil, err
	}
	if src.volume != nil {
		return j.convertVolume(src, out, to, b)
	}
	return j.convertStructures(ctx, src, out, to, b)
}

func (j *convertJob) convertVolume(src *convertSource, out string, to format, b *bar) (*convertResult, error) {
	switch {
	case to == formatDICOM || to == formatSegNRRD:
		return nil, usagef("the input is a volume and %s would hold structures; name the structures of its values with --bits or --values, or write .nii.gz or .nrrd", out)
	case j.onto != "":
		return nil, usagef("--onto is for structures; volumes are not resampled")
	}
	b.set("write", 0)
	if err := writeVolume(out, to, src.volume); err != nil {
		return nil, err
	}
	return &convertResult{From: src.kind, To: "volume, " + formatNames[to], Out: out, Size: src.volume.Grid.Size,
		SpacingMM: src.volume.Grid.SpacingMM(), Notes: src.notes}, nil
}

func (j *convertJob) convertStructures(ctx context.Context, src *convertSource, out string, to format, b *bar) (*convertResult, error) {
	target, err := j.target(ctx, src, to, b)
	if err != nil {
		return nil, err
	}
	b.set("place", 0)
	s, err := src.structures(ctx, target, j.anyFrame)
	if err != nil {
		return nil, refusedUnlessCancelled(err)
	}
	r := &convertResult{From: src.kind, To: "structures, " + formatNames[to], Out: out, Size: s.segs.Grid.Size, SpacingMM: s.segs.Grid.SpacingMM(),
		Resampled: s.report.Resampled, OffMM: s.report.OffMM, Notes: append(append([]string{}, src.notes...), s.report.Notes...)}
	arrived := false
	for _, p := range s.report.Placed {
		bit := s.bitOf(p.Structure)
		line := convertedLine{Name: p.Name, Known: p.Structure != imaging.LabelBackground && p.Structure < firstForeign, Bit: bit,
			BeforeML: p.BeforeML, AfterML: p.AfterML, Cut: p.Cut}
		if line.Known {
			line.Name = p.Structure.String()
		}
		if p.Code.Value != "" {
			line.Code = p.Code.Scheme + " " + p.Code.Value
		}
		arrived = arrived || bit >= 0 && p.OnGrid > 0
		r.Structures = append(r.Structures, line)
	}
	if !arrived {
		return nil, refusedError{fmt.Errorf("none of the %d structures has a voxel on the grid", len(r.Structures))}
	}
	b.set("write", 0)
	if err := writeStructures(ctx, out, to, s, target.series, segTypes[j.segType]); err != nil {
		return nil, refusedUnlessCancelled(err)
	}
	return r, nil
}

var formatNames = map[format]string{formatDICOM: "DICOM segmentation", formatNIfTI: "NIfTI", formatNRRD: "NRRD", formatSegNRRD: "NRRD"}

func (r *convertResult) print(w io.Writer) {
	h := r.SpacingMM
	fmt.Fprintf(w, "%s → %s: %d×%d×%d voxels of %.4g×%.4g×%.4g mm\n", r.From, r.To, r.Size[0], r.Size[1], r.Size[2], h[0], h[1], h[2])
	if len(r.Structures) > 0 {
		fmt.Fprintf(w, "\n%4s %-24s %-18s %10s %10s %9s\n", "bit", "structure", "code", "before ml", "after ml", "outside")
	}
	for _, s := range r.Structures {
		bit := fmt.Sprint(s.Bit)
		if s.Bit < 0 {
			bit = "–"
		}
		fmt.Fprintf(w, "%4s %-24s %-18s %10.2f %10.2f %9d\n", bit, s.Name, s.Code, s.BeforeML, s.AfterML, s.Cut)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	fmt.Fprintln(w, "written:", r.Out)
}
