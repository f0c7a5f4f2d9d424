package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"halsted/planner"
	"halsted/planner/pipeline"
	"halsted/planner/report"
)

// simulateResult is what `halsted simulate --json` prints.
type simulateResult struct {
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

func simulateCommand() *command {
	var f caseFlags
	var out string
	var s pipeline.Settings
	var most int
	return &command{
		name: "simulate", args: "DICOM-FOLDER", summary: "Take a series to a few simulated liver resections by planes, with meshes and pictures",
		example: "halsted simulate study/ --seed tumour_1=-62,-8,1210 --out out\nhalsted simulate study/ --masks masks.nii.gz --bits body,bone,liver,portal_vein,hepatic_vein,artery,tumour_1",
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
			r, err := simulate(ctx, args[0], out, f, s, most, b)
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

// simulate runs the whole walk in this process.
func simulate(ctx context.Context, folder, out string, f caseFlags, s pipeline.Settings, most int, b *bar) (*simulateResult, error) {
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
