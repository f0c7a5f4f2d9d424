package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/planner"
	"halsted/planner/pipeline"
	"halsted/planner/report"

	"gonum.org/v1/gonum/spatial/r3"
)

// caseFlags are what a person says about a case.
type caseFlags struct {
	masks, bits, condition string
	seeds                  seedFlag
}

func (f *caseFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.masks, "masks", "", "NIfTI bit masks to use instead of our own segmentation")
	fs.StringVar(&f.bits, "bits", "", "structures of the mask bits, lowest first, e.g. body,bone,liver,portal_vein")
	fs.StringVar(&f.condition, "condition", "normal", "condition of the organ: normal, chemotherapy, cirrhosis")
	fs.Var(&f.seeds, "seed", "a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)")
}

// seedFlag parses NAME=x,y,z.
type seedFlag []planner.Seed

func (s *seedFlag) String() string { return fmt.Sprint(len(*s), " seeds") }

func (s *seedFlag) Set(v string) error {
	name, at, ok := strings.Cut(v, "=")
	l, known := parseLabel(name)
	xyz := strings.Split(at, ",")
	if !ok || !known || len(xyz) != 3 {
		return fmt.Errorf("want STRUCTURE=x,y,z in LPS mm, structures: %s", labelNames())
	}
	var p [3]float64
	for n, c := range xyz {
		f, err := strconv.ParseFloat(c, 64)
		if err != nil {
			return fmt.Errorf("coordinate %q: want a number of mm", c)
		}
		p[n] = f
	}
	*s = append(*s, planner.Seed{Label: l, LPS: r3.Vec{X: p[0], Y: p[1], Z: p[2]}})
	return nil
}

// parseLabel is the structure of a name.
func parseLabel(name string) (imaging.Label, bool) {
	l, err := imaging.ParseLabel(name)
	return l, err == nil
}

// labelNames lists the names parseLabel knows.
func labelNames() string {
	var s []string
	for _, l := range imaging.Structures() {
		s = append(s, l.String())
	}
	return strings.Join(append(s, imaging.LabelTumour.String()), ", ") + " …"
}

func parseBits(list string) ([]imaging.Label, error) {
	if list == "" {
		return nil, usagef("--masks needs --bits, the structures of its bits, lowest first: %s", labelNames())
	}
	var out []imaging.Label
	for _, name := range strings.Split(list, ",") {
		l, ok := parseLabel(strings.TrimSpace(name))
		if !ok {
			return nil, usagef("--bits: no structure %q; known: %s", name, labelNames())
		}
		out = append(out, l)
	}
	return out, nil
}

// segments gives the case's masks: imported when asked, else by our recipe.
func (f *caseFlags) segments(ctx context.Context, v *imaging.Volume, c planner.Case, p pipeline.Progress) (*imaging.Segments, []string, error) {
	if f.masks == "" {
		segs, rep, err := pipeline.Segment(ctx, v, c, p)
		if err != nil {
			return nil, nil, err
		}
		return segs, rep.Notes(), nil
	}
	bits, err := parseBits(f.bits)
	if err != nil {
		return nil, nil, err
	}
	if p != nil {
		p("import masks", 0)
	}
	segs, err := nifti.ReadSegments(f.masks, v.Grid, bits)
	if err != nil {
		return nil, nil, refusedError{err}
	}
	return segs, []string{"structures imported from masks"}, nil
}

// planResult is what `halsted plan --json` prints.
type planResult struct {
	Study       planner.Study        `json:"study"`
	Case        planner.Case         `json:"case"`
	Organ       organFigures         `json:"organ"`
	Remnants    []remnantFigures     `json:"remnants"`
	Plans       []planner.Plan       `json:"plans"`
	Evaluations []planner.Evaluation `json:"evaluations"`
	Artefacts   []string             `json:"artefacts"`
	Stages      []stageTime          `json:"stages"`
	Notice      string               `json:"notice"`
}

type organFigures struct {
	VoxelML        float64 `json:"voxel_ml"`
	SurfaceML      float64 `json:"surface_ml"`
	TetML          float64 `json:"tet_ml"`
	Tets           int     `json:"tets"`
	MinDihedralDeg float64 `json:"min_dihedral_deg"`
	MaxDihedralDeg float64 `json:"max_dihedral_deg"`
}

type remnantFigures struct {
	Plan           string  `json:"plan"`
	Tets           int     `json:"tets"`
	DOF            int     `json:"dof"`
	MinDihedralDeg float64 `json:"min_dihedral_deg"`
	Newton         int     `json:"newton_iterations"`
}

func planCommand() *command {
	var f caseFlags
	var out string
	var s pipeline.Settings
	var most int
	return &command{
		name: "plan", args: "DICOM-FOLDER", summary: "Take a series to ranked, simulated resection plans, without a server",
		example: "halsted plan study/ --seed tumour_1=-62,-8,1210 --out out\nhalsted plan study/ --masks masks.nii.gz --bits body,bone,liver,portal_vein,hepatic_vein,artery,tumour_1",
		flags: func(fs *flag.FlagSet) {
			f.register(fs)
			fs.StringVar(&out, "out", "out", "folder for the artefacts")
			fs.Float64Var(&s.EdgeMM, "edge", 10, "edge of the tetrahedra, mm")
			fs.IntVar(&s.Steps, "steps", 5, "load steps of a simulation")
			fs.IntVar(&most, "plans", 2, "plans to simulate")
			fs.Float64Var(&s.Retract, "retract", 30, "prescribed pull on the remnant, mm")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one folder with a DICOM series")
			}
			b := newBar(o.log)
			r, err := plan(ctx, args[0], out, f, s, most, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				fmt.Fprintln(o.out)
				if err := report.Table(o.out, items(r.Plans, r.Evaluations)); err != nil {
					return nil, err
				}
				fmt.Fprintf(o.out, "\nWritten to %s: %s\n", out, strings.Join(r.Artefacts, ", "))
			}
			return r, nil
		},
	}
}

// plan runs the whole walk in this process.
func plan(ctx context.Context, folder, out string, f caseFlags, s pipeline.Settings, most int, b *bar) (*planResult, error) {
	v, study, err := pipeline.Open(ctx, folder, b.set)
	if err != nil {
		return nil, err
	}
	c := planner.Case{Study: study.ID, Procedure: "liver.resection", Condition: f.condition, Seeds: f.seeds}
	if f.masks != "" {
		if c.Masks, err = fileHash(f.masks); err != nil {
			return nil, err
		}
	}
	c = c.Sealed()
	segs, notes, err := f.segments(ctx, v, c, b.set)
	if err != nil {
		return nil, err
	}
	v = nil // the labels are enough from here on
	prep, err := pipeline.Prepare(ctx, c, segs, s, b.set)
	if err != nil {
		return nil, err
	}
	prep.Notes = notes
	plans, _, err := prep.Propose(ctx, most, b.set)
	if err != nil {
		return nil, err
	}
	var sims []*pipeline.Simulated
	var es []planner.Evaluation
	for n, p := range plans {
		sim, err := prep.Simulate(ctx, p, pipeline.Sink{}, func(stage string, done float64) {
			b.set(fmt.Sprintf("%s %d/%d", stage, n+1, len(plans)), done)
		})
		if err != nil {
			return nil, err
		}
		sims = append(sims, sim)
		es = append(es, sim.Evaluation)
	}
	if err := prep.Rank(es); err != nil {
		return nil, err
	}
	d := dossier{prepared: prep, study: study, sims: sims, evaluations: es}
	names, err := d.write(ctx, out, b.set)
	if err != nil {
		return nil, err
	}
	return d.result(names), nil
}
