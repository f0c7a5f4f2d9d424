package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"halsted/fem"
	"halsted/fem/deck"
	"halsted/fem/material"
	"halsted/internal/dense"
	"halsted/mesh"
	"halsted/mesh/meshio"

	"gonum.org/v1/gonum/spatial/r3"
)

// solveFlags are the options of `halsted solve` as typed.
type solveFlags struct {
	unit, formulation, out, kernels string
	steps, threads                  int
	tol, memory                     float64
	anyUnits, approximate           bool
}

func solveCommand() *command {
	var f solveFlags
	return &command{
		name: "solve", args: "MODEL", summary: "Solve a model file: Abaqus or CalculiX .inp, FEBio .feb, or our own .json",
		example: "halsted solve liver.inp --out liver.vtu\n" +
			"halsted solve cylinder.inp --length-unit m --steps 10 --tol 1e-8\n" +
			"halsted solve model.json --formulation mean-dilatation --json --out result.json",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&f.unit, "length-unit", "", "`UNIT` of length of an .inp or .feb file, with what goes with it: mm (N, MPa, tonne), cm (dyn, 0.1 Pa, gram), m (N, Pa, kg); default: what the file says, else mm")
			fs.IntVar(&f.steps, "steps", 0, "equal load steps of every stage (default: what the file says)")
			fs.StringVar(&f.formulation, "formulation", "", "how a Tet10 treats volume: displacement or mean-dilatation (default: what the file says, else displacement)")
			fs.Float64Var(&f.tol, "tol", 1e-8, "largest residual, relative to the forces")
			fs.StringVar(&f.kernels, "kernels", "auto", "`SET` of inner loops: auto, or portable")
			fs.StringVar(&f.out, "out", "", "`FILE` for the last frame: .vtu, .csv (a line per node), or .json (a line per frame)")
			fs.IntVar(&f.threads, "threads", 0, "processors to use (default all)")
			fs.Float64Var(&f.memory, "memory", 0, "refuse a solve that needs more than `GIB` (default no limit)")
			fs.BoolVar(&f.anyUnits, "any-units", false, "solve though the size or stiffness looks like a mistake in units")
			fs.BoolVar(&f.approximate, "approximate", false, "solve though the file asks for something that is done here in nearly the same way; what it is is told")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			j, err := f.job(args)
			if err != nil {
				return nil, err
			}
			if f.threads > 0 {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(f.threads))
			}
			defer j.restore()
			b := newBar(o.log)
			r, err := j.run(ctx, b, o)
			if err != nil {
				b.abandon()
				return nil, solveRefusal(err)
			}
			return r, nil
		},
	}
}

// solveJob is a checked call of `halsted solve`.
type solveJob struct {
	file, out string
	opt       deck.Options
	steps     int
	form      *fem.Formulation
	tol       float64
	memory    int64
	anyUnits  bool
	restore   func()
}

var resultFormats = []string{".vtu", ".csv", ".json"}

// job checks everything that can be checked before a file is read.
func (f *solveFlags) job(args []string) (*solveJob, error) {
	j := &solveJob{out: f.out, steps: f.steps, tol: f.tol, anyUnits: f.anyUnits, restore: func() {}}
	if len(args) != 1 {
		return nil, usagef("want one model file (.inp .feb .json), not %d", len(args))
	}
	j.file = args[0]
	if !hasFormat(j.file, []string{".inp", ".feb", ".json"}) {
		return nil, usagef("%s is no model file: want .inp, .feb or .json", filepath.Base(j.file))
	}
	j.opt.Approximate = f.approximate
	if f.unit != "" {
		u, err := meshio.ParseUnit(f.unit)
		if err != nil {
			return nil, usagef("--length-unit: %v", err)
		}
		j.opt.Units = deck.UnitsOf(u)
	}
	switch f.formulation {
	case "":
	case "displacement", "mean-dilatation":
		form := fem.Displacement
		if f.formulation == "mean-dilatation" {
			form = fem.MeanDilatation
		}
		j.form = &form
	default:
		return nil, usagef("--formulation %s: want displacement or mean-dilatation", f.formulation)
	}
	switch {
	case f.steps < 0 || f.steps > 100000:
		return nil, usagef("--steps: want a number from 1 to 100000, not %d", f.steps)
	case !(f.tol > 0 && f.tol < 0.1):
		return nil, usagef("--tol: want a number above 0 and below 0.1, not %g", f.tol)
	case f.threads < 0 || f.threads > 1024:
		return nil, usagef("--threads: want a number from 1 to 1024, not %d", f.threads)
	case !(f.memory >= 0) || f.memory > 1<<20:
		return nil, usagef("--memory: want a number of GiB, not %g", f.memory)
	case f.out != "" && !hasFormat(f.out, resultFormats):
		return nil, usagef("--out %s: want one of %s", filepath.Base(f.out), strings.Join(resultFormats, " "))
	}
	j.memory = int64(f.memory * (1 << 30))
	var err error
	if j.restore, err = useKernels(f.kernels); err != nil {
		return nil, err
	}
	return j, nil
}

// frameResult is one line of the table. Without stages, time is the load
// factor.
type frameResult struct {
	Frame    int     `json:"frame"`
	Stage    int     `json:"stage"`
	TimeS    float64 `json:"time_s"`
	Newton   int     `json:"newton_iterations"`
	Residual float64 `json:"residual"`
	UMaxMM   float64 `json:"umax_mm"`
	VonMises float64 `json:"von_mises_max_mpa"`
	UMaxNode int64   `json:"umax_node"` // as the file numbers it
	ErrorRel float64 `json:"stress_error_rel"`
	LoadPart float64 `json:"load_factor"` // of the stage
}

// solveResult is what `halsted solve --json` prints.
type solveResult struct {
	File      string        `json:"file"`
	Format    string        `json:"format"`
	Title     string        `json:"title,omitempty"`
	Units     string        `json:"units"`
	Nodes     int           `json:"nodes"`
	Elements  int           `json:"elements"`
	Quadratic bool          `json:"quadratic"`
	DOF       int           `json:"dof"`
	Materials []string      `json:"materials"`
	Notes     []string      `json:"notes,omitempty"`
	Frames    []frameResult `json:"frames"`
	UMaxMM    float64       `json:"umax_mm"`

	Newton           int     `json:"newton_iterations"`
	LinearIterations int     `json:"linear_iterations"`
	MemoryMiB        float64 `json:"memory_estimate_mib"`
	Kernels          string  `json:"kernels"`
	ReadS            float64 `json:"read_s"`
	SolveS           float64 `json:"solve_s"`
	Artefact         string  `json:"artefact,omitempty"`
}

func (j *solveJob) run(ctx context.Context, b *bar, o output) (*solveResult, error) {
	began := time.Now()
	b.set("read", 0)
	m, s, rep, err := deck.Read(ctx, j.file, j.opt)
	if err != nil {
		return nil, err
	}
	if !j.anyUnits {
		if err := deck.CheckUnits(m, &rep); err != nil {
			return nil, err
		}
	}
	r := &solveResult{File: filepath.Base(j.file), Format: rep.Format, Title: rep.Title, Units: rep.Units.String(), Nodes: len(m.Mesh.Nodes),
		Elements: len(m.Mesh.Tets), Quadratic: m.Mesh.Mid != nil, ReadS: time.Since(began).Seconds(), Kernels: dense.Kernel(), Frames: []frameResult{}}
	for _, l := range m.Regions {
		name := rep.Names[l.Label]
		if name == "" {
			name = l.Label.String()
		}
		r.Materials = append(r.Materials, name+": "+rep.Materials[l.Label])
	}
	for _, n := range rep.Notes {
		text := n.String()
		if n.Warning {
			text = "warning: " + text
		}
		r.Notes = append(r.Notes, text)
	}
	j.settings(m, &s)
	const stage = "solve"
	s.Progress = func(done float64) { b.set(stage, done) }
	began = time.Now()
	b.set(stage, 0)
	if !o.json {
		r.header(o, b)
	}
	var last *fem.Frame
	res, err := fem.Solve(ctx, m, s, func(f *fem.Frame) error {
		last = f
		if f.Step == 0 {
			return nil
		}
		line := frameLine(f, &rep)
		r.Frames = append(r.Frames, line)
		if !o.json {
			b.line(func() { line.print(o.out) })
		}
		return nil
	})
	r.DOF, r.Newton, r.LinearIterations, r.MemoryMiB = res.DOF, res.Newton, res.LinearIterations, float64(res.MemoryEstimate)/(1<<20)
	if err != nil {
		return nil, err
	}
	r.SolveS = time.Since(began).Seconds()
	if n := len(r.Frames); n > 0 {
		r.UMaxMM = r.Frames[n-1].UMaxMM
	}
	if j.out != "" {
		b.set("write", 0)
		if err := j.write(ctx, m, last, &rep, r); err != nil {
			return nil, err
		}
		r.Artefact = j.out
	}
	b.finish()
	if !o.json {
		r.footer(o.out)
	}
	return r, nil
}

// settings puts what was typed over what the file says.
func (j *solveJob) settings(m *fem.Model, s *fem.Settings) {
	s.ResidualTol, s.MemoryLimit = j.tol, j.memory
	if j.form != nil {
		s.Formulation = *j.form
	}
	if j.steps > 0 {
		s.Steps = j.steps
		m.Stages = slices.Clone(m.Stages)
		for i := range m.Stages {
			m.Stages[i].Steps = j.steps
		}
	}
}

func frameLine(f *fem.Frame, rep *deck.Report) frameResult {
	l := frameResult{Frame: f.Step, Stage: f.Stage, TimeS: f.TimeS, Newton: f.Newton, Residual: f.Residual, ErrorRel: f.ErrorRel, LoadPart: f.LoadFactor}
	at := 0
	for n, u := range f.U {
		if d := r3.Norm(u); d > l.UMaxMM {
			l.UMaxMM, at = d, n
		}
	}
	for _, v := range f.VonMisesMPa {
		l.VonMises = math.Max(l.VonMises, v)
	}
	l.UMaxNode = int64(at)
	if rep.NodeNumbers != nil {
		l.UMaxNode = rep.NodeNumbers[at]
	}
	return l
}

// solveRefusal marks what the rooms refuse as refused input; a cancelled run,
// a solve that does not converge and wrong usage stay what they are.
func solveRefusal(err error) error {
	if errors.Is(err, context.Canceled) || is[*usageError](err) || is[refusedError](err) || is[*fem.NotConvergedError](err) {
		return err
	}
	if is[*deck.Error](err) || is[*deck.UnitsError](err) || is[*material.ParameterError](err) || is[*material.RecordError](err) ||
		is[*material.MissingModelError](err) || is[*fem.InputError](err) || is[*fem.InvertedError](err) || is[*fem.UnconstrainedError](err) ||
		is[*fem.MemoryError](err) || is[*meshio.FormatError](err) || is[*meshio.UnknownFormatError](err) || is[*mesh.InvertedError](err) || is[*fem.ContactError](err) || is[*mesh.ConformityError](err) {
		return refusedError{err}
	}
	return err
}

// useKernels picks the inner loops; restore brings the others back.
func useKernels(name string) (restore func(), err error) {
	before := dense.Kernel()
	switch name {
	case "auto":
		return func() {}, nil
	case "portable":
		if err := dense.Use(name); err != nil {
			return nil, err
		}
		return func() { _ = dense.Use(before) }, nil
	}
	return nil, usagef("--kernels %s: want auto or portable", name)
}

func (r *solveResult) header(o output, b *bar) {
	b.line(func() {
		kind := "Tet4"
		if r.Quadratic {
			kind = "Tet10"
		}
		fmt.Fprintf(o.out, "%s: %s, %d nodes, %d %s (units: %s)\n", r.File, r.Format, r.Nodes, r.Elements, kind, r.Units)
		if r.Title != "" {
			fmt.Fprintln(o.out, r.Title)
		}
		for _, m := range r.Materials {
			fmt.Fprintln(o.out, "  "+m)
		}
		for _, n := range r.Notes {
			fmt.Fprintln(o.out, "  note: "+n)
		}
		fmt.Fprintf(o.out, "%6s %5s %11s %5s %10s %14s %16s %8s\n", "frame", "stage", "time s", "iter", "residual", "max |u| mm", "von Mises kPa", "error %")
	})
}
