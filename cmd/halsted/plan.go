package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"halsted/planner"
	"halsted/planner/bundle"
	"halsted/planner/pipeline"
	"halsted/planner/report"
	"halsted/planner/rules"
	"halsted/planner/uncertainty"
)

// planSettings are what a person chooses for a run. They are part of its
// bundle, so that it can be run again.
type planSettings struct {
	Procedure string           `json:"procedure"`
	Condition string           `json:"condition"`
	Patient   *planner.Patient `json:"patient,omitempty"`
	Seeds     []planner.Seed   `json:"seeds,omitempty"`
	Bits      string           `json:"bits,omitempty"`
	Level     planner.Level    `json:"level"`
	Method    uncertainty.Kind `json:"method"`
	Runs      int              `json:"runs"`
	Shown     int              `json:"shown"`
	Seed      uint64           `json:"random_seed"`
}

// planJob is one call of `halsted plan`.
type planJob struct {
	planSettings
	structures, rules, out, replay string
	level, method, family          string
	patient                        planner.Patient
	seeds                          seedFlag
	link
}

// planResult is what `halsted plan --json` prints.
type planResult struct {
	Decision  *planner.Decision `json:"decision"`
	Bundle    string            `json:"bundle"` // id of the run
	Replay    *replayed         `json:"replay,omitempty"`
	Artefacts []string          `json:"artefacts,omitempty"`
	Stages    []stageTime       `json:"stages"`
	// Names are those of the plans at the service that decided.
	Names []string `json:"names,omitempty"`
	items []report.Item
}

func planCommand() *command {
	var j planJob
	return &command{
		name: "plan", args: "CASE", summary: "Search, quantify and rank the plans of a procedure for a case: a DICOM folder, a volume file, or what a service has",
		example: "halsted plan study/ --procedure liver.resection --structures masks.seg.nrrd --out out\nhalsted plan ct.nii.gz --procedure needle.trajectory --structures masks.nii.gz --bits body,bone,liver,tumour_1\nhalsted plan study/ --structures masks.seg.nrrd --replay out/bundle\nhalsted plan studies/S --server 127.0.0.1:8142 --token-file data/token    # the service decides",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&j.Procedure, "procedure", "liver.resection", "what to plan: "+strings.Join(pipeline.Procedures(), ", "))
			fs.StringVar(&j.structures, "structures", "", "structures to plan on instead of our own segmentation: SEG, RTSTRUCT, .seg.nrrd or NIfTI bit masks")
			fs.StringVar(&j.Bits, "bits", "", "structures of the mask bits of a NIfTI file, lowest first, e.g. body,bone,liver,portal_vein")
			fs.Var(&j.seeds, "seed", "a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)")
			fs.StringVar(&j.Condition, "condition", "", "condition of the organ or the purpose, as the rules know it: normal, cirrhosis; biopsy, ablation")
			fs.Float64Var(&j.patient.HeightCM, "height", 0, "height of the patient, cm; 0: not known")
			fs.Float64Var(&j.patient.WeightKG, "weight", 0, "weight of the patient, kg; 0: not known")
			fs.StringVar(&j.patient.Sex, "sex", "", "F or M; empty: not known")
			fs.Float64Var(&j.patient.MeanMmHg, "mean-pressure", 0, "mean arterial pressure at imaging, mmHg; 0: not known")
			fs.Float64Var(&j.patient.SystolicMmHg, "systolic-pressure", 0, "usual systolic pressure, mmHg; 0: not known")
			fs.StringVar(&j.family, "family-history", "", "yes or no; empty: not known")
			fs.StringVar(&j.level, "level", "L1", "how faithfully plans are simulated: L0 geometry, L1 coarse mesh, L2 nonlinear")
			fs.StringVar(&j.method, "method", "chaos", "how uncertain inputs are spread over the mechanics: random, latin-hypercube, sobol, chaos")
			fs.IntVar(&j.Runs, "runs", 0, "simulations of a plan; 0: the method's own number")
			fs.IntVar(&j.Shown, "shown", 7, "plans that are quantified and shown")
			fs.Uint64Var(&j.Seed, "random-seed", 1, "of the search and the samples")
			fs.StringVar(&j.rules, "rules", "", "a hospital's changes to the rules, JSON")
			fs.StringVar(&j.out, "out", "out", "folder for the report and the bundle; a run that was stopped goes on there")
			j.register(fs, "", "host:port of a service that decides; empty: decide here", "file with the service's token, for --server")
			fs.StringVar(&j.replay, "replay", "", "run a bundle again and compare the result byte for byte")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one case: a DICOM folder or a volume file")
			}
			if err := j.settle(); err != nil {
				return nil, err
			}
			if err := j.checkLink(args[0]); err != nil {
				return nil, err
			}
			b := newBar(o.log)
			work := j.run
			switch {
			case j.replay != "":
				work = j.again
			case j.server != "":
				work = j.remote
			}
			r, err := work(ctx, args[0], b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			r.Stages = b.finish()
			if !o.json {
				return r, j.print(o, r)
			}
			return r, nil
		},
	}
}

// settle reads the flags that are words.
func (j *planJob) settle() error {
	switch strings.ToUpper(j.level) {
	case "L0":
		j.Level = planner.L0
	case "L1":
		j.Level = planner.L1
	case "L2":
		j.Level = planner.L2
	default:
		return usagef("--level %s: want L0, L1 or L2", j.level)
	}
	if err := j.Method.UnmarshalText([]byte(j.method)); err != nil {
		return usagef("--method: %v", err)
	}
	switch j.family {
	case "":
	case "yes", "no":
		yes := j.family == "yes"
		j.patient.FamilyHistory = &yes
	default:
		return usagef("--family-history %s: want yes or no", j.family)
	}
	if j.patient != (planner.Patient{}) {
		if err := j.patient.Validate(); err != nil {
			return usagef("%v", err)
		}
		j.Patient = &j.patient
	}
	if j.Shown < 1 || j.Shown > 64 {
		return usagef("--shown %d: want 1 to 64", j.Shown)
	}
	j.Seeds = j.seeds
	if j.Condition == "" {
		j.Condition = pipeline.Condition(j.Procedure)
	}
	return nil
}

// checkLink refuses what does not go with a service, or needs one.
func (j *planJob) checkLink(name string) error {
	stored := strings.HasPrefix(name, "cases/") || strings.HasPrefix(name, "studies/")
	switch {
	case j.server == "":
		return nil
	case !stored:
		return usagef("with --server, name what the service has: studies/STUDY or cases/CASE")
	case j.token == "":
		return usagef("--server needs --token-file")
	case j.structures != "" || j.rules != "" || j.replay != "":
		return usagef("--structures, --rules and --replay do not go with --server")
	}
	return nil
}

// pack is the rules of the procedure with the hospital's changes.
func (j *planJob) pack() (*rules.Pack, error) {
	p, err := rules.Shipped(j.Procedure)
	if err != nil {
		return nil, usagef("--procedure %s: want one of %s", j.Procedure, strings.Join(pipeline.Procedures(), ", "))
	}
	if j.rules == "" {
		return p, nil
	}
	f, err := os.Open(j.rules)
	if err != nil {
		return nil, refusedError{err}
	}
	defer f.Close()
	if p, err = rules.Override(p, f); err != nil {
		return nil, refusedError{err}
	}
	return p, nil
}

// open takes the case up to its procedure.
func (j *planJob) open(ctx context.Context, path string, pack *rules.Pack, b *bar) (*pipeline.Subject, planner.Procedure, *scan, error) {
	in, err := openScan(ctx, path, "CT", b)
	if err != nil {
		return nil, nil, nil, err
	}
	s := &pipeline.Subject{Volume: in.v, Pack: pack, Case: planner.Case{Procedure: j.Procedure, Condition: j.Condition, Seeds: j.Seeds, Patient: j.Patient}}
	if in.study != nil {
		s.Case.Study = in.study.ID
	} else if s.Case.Study, err = bundle.HashFile(path); err != nil {
		return nil, nil, nil, refusedError{err}
	}
	if j.structures != "" {
		b.set("read structures", 0)
		if s.Segments, s.Notes, err = readTruth(ctx, j.structures, j.Bits, in.v.Grid, in); err != nil {
			return nil, nil, nil, err
		}
		if s.Case.Masks, err = bundle.HashFile(j.structures); err != nil {
			return nil, nil, nil, refusedError{err}
		}
	}
	s.Case = s.Case.Sealed()
	p, err := s.Open(ctx, b.set)
	if err != nil {
		return nil, nil, nil, refusedUnlessCancelled(err)
	}
	return s, p, in, nil
}

// question is what is asked of the procedure.
func (j *planJob) question(s *pipeline.Subject) pipeline.Question {
	m := uncertainty.Method{Kind: j.Method, Runs: j.Runs}
	return pipeline.Question{Pack: s.Pack, Lost: s.Lost, Seed: j.Seed, Shown: j.Shown, Level: j.Level, Mechanics: m}
}

// manifest is what the run is made of.
func (j *planJob) manifest(s *pipeline.Subject) (bundle.Manifest, error) {
	settings, err := json.Marshal(j.planSettings)
	if err != nil {
		return bundle.Manifest{}, err
	}
	k, err := bundle.ThisProgram()
	return bundle.Manifest{
		Procedure: j.Procedure, Case: s.Case, Inputs: []bundle.Input{{Name: "study", SHA256: s.Case.Study}, {Name: "structures", SHA256: s.SegmentsHash()}},
		RulePack: s.Pack.ID + "@" + s.Pack.Version, RulesHash: planner.ContentID("rules", s.Pack), Settings: settings, Seed: j.Seed, Kernels: k,
	}, err
}

func (j *planJob) print(o output, r *planResult) error {
	fmt.Fprintln(o.out)
	its := r.items
	if its == nil {
		its = items(r.Decision.Plans, r.Decision.Evaluations)
	}
	if err := printDecision(o.out, r.Decision, its); err != nil {
		return err
	}
	for n, name := range r.Names {
		fmt.Fprintf(o.out, "plan %d is %s\n", n+1, name)
	}
	if p := r.Replay; p != nil {
		fmt.Fprintln(o.out, "\n"+p.String())
	}
	if len(r.Artefacts) > 0 {
		fmt.Fprintf(o.out, "\nWritten to %s: %s\n", j.out, strings.Join(r.Artefacts, ", "))
	}
	return nil
}
