package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/segment"
	"halsted/planner"
)

// segmentJob is what `halsted segment` was asked to do.
type segmentJob struct {
	recipe, against, bits, out, inspect, pictures, edit string
	seeds                                               seedFlag
	set                                                 setFlag
	list                                                bool
}

// segmentResult is what `halsted segment --json` prints.
type segmentResult struct {
	Study      *planner.Study                `json:"study,omitempty"`
	Recipe     string                        `json:"recipe"`
	Version    string                        `json:"version"`
	Hash       string                        `json:"recipe_sha256"`
	Structures []structureLine               `json:"structures"`
	Checks     []segment.Check               `json:"checks"`
	Notes      []string                      `json:"notes"`
	Against    map[string]segment.Comparison `json:"against,omitempty"`
	State      string                        `json:"state,omitempty"` // hash of the masks: the parent of the next edit
	Out        string                        `json:"out,omitempty"`
	Stages     []stageTime                   `json:"stages"`
}

// structureLine is a structure that was looked for.
type structureLine struct {
	Name       string   `json:"name"`
	Code       string   `json:"code"` // SNOMED CT unless it says otherwise
	ML         float64  `json:"ml"`
	MeanHU     float64  `json:"mean_hu"`
	Origin     string   `json:"origin,omitempty"`
	Confidence float64  `json:"confidence"`
	Doubts     []string `json:"doubts,omitempty"`
	Missing    string   `json:"missing,omitempty"`
}

func segmentCommand() *command {
	var j segmentJob
	return &command{
		name: "segment", args: "STUDY", summary: "Segment a CT or MR by a recipe: the folder of a DICOM series, or a NIfTI or NRRD file",
		example: "halsted segment study/ --out labels.dcm\nhalsted segment study/ --seed tumour_1=-40,20,110 --against truth.nii.gz --bits body,bone,liver\nhalsted segment brain.nii.gz --recipe mr.brain.t1 --inspect steps/\nhalsted segment --recipes",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&j.recipe, "recipe", segment.AbdomenPortal, "a built-in recipe or a recipe file (.json)")
			fs.BoolVar(&j.list, "recipes", false, "list the built-in recipes, their steps and every number")
			fs.Var(&j.set, "set", "change one number of the recipe: liver.OpenMM=7 (may be repeated)")
			fs.Var(&j.seeds, "seed", "a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)")
			fs.StringVar(&j.out, "out", "", "write the structures: .dcm (DICOM SEG), .seg.nrrd (3D Slicer) or .nii.gz (bit masks)")
			fs.StringVar(&j.edit, "edit", "", "make these edits on the result (.json); refused when they were made on another one")
			fs.StringVar(&j.inspect, "inspect", "", "write what each step finds on its way into this folder (NIfTI)")
			fs.StringVar(&j.pictures, "pictures", "", "write slices with outlines and a 3-D picture into this folder (PNG)")
			fs.StringVar(&j.against, "against", "", "masks to compare with: DICOM SEG or RTSTRUCT, .seg.nrrd, NIfTI (with --bits)")
			fs.StringVar(&j.bits, "bits", "", "structures of the NIfTI mask bits, lowest first")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if j.list {
				return listRecipes(o)
			}
			if len(args) != 1 {
				return nil, usagef("want one study: the folder of a DICOM series, or a NIfTI or NRRD file")
			}
			b := newBar(o.log)
			r, failed, err := j.run(ctx, args[0], b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				r.print(o.out)
			}
			if failed != nil {
				return nil, &partialError{failed, r}
			}
			return r, nil
		},
	}
}

// setFlag collects STEP.NUMBER=VALUE.
type setFlag []struct {
	do, name string
	value    float64
}

func (s *setFlag) String() string { return fmt.Sprint(len(*s), " numbers") }

func (s *setFlag) Set(v string) error {
	what, value, ok := strings.Cut(v, "=")
	do, name, dot := strings.Cut(what, ".")
	f, err := strconv.ParseFloat(value, 64)
	if !ok || !dot || err != nil {
		return fmt.Errorf("want STEP.NUMBER=VALUE, for example liver.OpenMM=7")
	}
	*s = append(*s, struct {
		do, name string
		value    float64
	}{do, name, f})
	return nil
}

// lines of the report, as printed.
func structureLines(rep *segment.Report) []structureLine {
	var out []structureLine
	for _, s := range rep.Structures {
		c := s.Label.Code()
		if s.Label == imaging.LabelVessel && s.VolumeML == 0 {
			continue // every vessel has a system
		}
		out = append(out, structureLine{
			Name: s.Label.String(), Code: c.Scheme + " " + c.Value, ML: s.VolumeML, MeanHU: s.MeanHU,
			Origin: string(s.Origin), Confidence: s.Confidence, Doubts: s.Doubts, Missing: s.Missing,
		})
	}
	return out
}

func (r *segmentResult) print(w io.Writer) {
	fmt.Fprintf(w, "\nrecipe %s, version %s\n\n", r.Recipe, r.Version)
	fmt.Fprintf(w, "%-14s %10s %8s  %-11s %s\n", "structure", "ml", "mean", "confidence", "from")
	for _, s := range r.Structures {
		if s.Missing != "" {
			fmt.Fprintf(w, "%-14s %10s\n", s.Name, "not found")
			continue
		}
		fmt.Fprintf(w, "%-14s %10.1f %8.0f  %-11.2f %s", s.Name, s.ML, s.MeanHU, s.Confidence, s.Origin)
		if c, ok := r.Against[s.Name]; ok {
			fmt.Fprintf(w, "   Dice %.3f, volume %+.1f %%, surface mean %.2f, p95 %.2f, max %.2f mm", c.Dice, c.VolumePercent, c.MeanMM, c.P95MM, c.MaxMM)
			if c.ClDice != nil {
				fmt.Fprintf(w, ", clDice %.3f", *c.ClDice)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\nVolumes count voxels and means are over them; both were measured once, in this scan, and have no interval. A confidence is a score, no chance.")
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	if r.State != "" {
		fmt.Fprintln(w, "state:", r.State)
	}
	if r.Out != "" {
		fmt.Fprintln(w, "written:", r.Out)
	}
	fmt.Fprintln(w, planner.Notice)
}

// listRecipes prints every built-in recipe with its steps and numbers.
func listRecipes(o output) (any, error) {
	if o.json {
		return segment.Recipes(), nil
	}
	doc := map[string]string{}
	for _, op := range segment.Operations() {
		doc[op.Name] = op.Doc
	}
	for _, r := range segment.Recipes() {
		fmt.Fprintf(o.out, "%s, version %s (%s)\n  %s\n", r.Name, r.Version, r.Modality, r.Use)
		for _, s := range r.Steps {
			fmt.Fprintf(o.out, "  %s: %s\n", s.Do, doc[s.Do])
			for _, op := range segment.Operations() {
				if op.Name != s.Do {
					continue
				}
				for _, p := range op.Parameters {
					fmt.Fprintf(o.out, "    %-16s %8g %-4s %g to %g: %s\n", p.Name, s.Set[p.Name], p.Unit, p.Least, p.Most, p.Meaning)
				}
			}
		}
		fmt.Fprintln(o.out)
	}
	return nil, nil
}
