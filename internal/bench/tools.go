package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// meshQuality measures a dumped mesh: FILE.bin LABELS.raw SCENE.json.
func meshQuality(args []string) error {
	if len(args) != 3 {
		return errors.New(usage)
	}
	s, err := readScene(args[2])
	if err != nil {
		return err
	}
	labels, err := readLabels(args[1], s.grid())
	if err != nil {
		return err
	}
	m, err := readDump(args[0])
	if err != nil {
		return err
	}
	f := measureMesh(m, labels, s)
	f.print(os.Stdout)
	return nil
}

// sizes are the lengths that tetra.Mesh is asked for.
type sizes struct {
	edgeMM, maxEdgeMM float64
	label             map[imaging.Label]float64
}

func (z *sizes) flags(fs *flag.FlagSet) {
	z.label = map[imaging.Label]float64{}
	fs.Float64Var(&z.edgeMM, "edge", 2.8, "edge of the tets, mm")
	fs.Float64Var(&z.maxEdgeMM, "max", 0, "longest edge inside, mm; 0: the mesher's choice")
	fs.Func("label", "LABEL=MM, edge of one label (may be repeated)", func(v string) error {
		name, mm, ok := strings.Cut(v, "=")
		l, err := strconv.ParseUint(name, 10, 8)
		if err != nil || !ok {
			return errors.New("want LABEL=MM")
		}
		z.label[imaging.Label(l)], err = strconv.ParseFloat(mm, 64)
		return err
	})
}

// args is z as flags again, for a child.
func (z *sizes) args() []string {
	out := []string{"-edge", fmt.Sprint(z.edgeMM), "-max", fmt.Sprint(z.maxEdgeMM)}
	for _, l := range slices.Sorted(maps.Keys(z.label)) {
		out = append(out, "-label", fmt.Sprintf("%d=%v", uint8(l), z.label[l]))
	}
	return out
}

// tetraMesh is the mesher under test. The second result is its report.
var tetraMesh = func(ctx context.Context, l *imaging.Labels, z sizes) (*mesh.TetMesh, any, error) {
	phi, err := distance.Signed(ctx, l.Grid, func(n int) bool { return l.ID[n] != 0 })
	if err != nil {
		return nil, nil, err
	}
	at := func(p r3.Vec) imaging.Label {
		x, y, z := l.Grid.Voxel(p)
		i, j, k := max(0, min(l.Grid.Size[0]-1, int(x+.5))), max(0, min(l.Grid.Size[1]-1, int(y+.5))), max(0, min(l.Grid.Size[2]-1, int(z+.5)))
		return l.ID[l.Grid.Index(i, j, k)]
	}
	m, rep, err := tetra.Fill(ctx, tetra.Domain{Grid: l.Grid, Phi: phi, Label: at}, tetra.Options{EdgeMM: z.edgeMM})
	return m, rep, err
}

// trialTets meshes an input and dumps the mesh: BASE DUMP flags.
func trialTets(args []string) (run func() error, done func() (any, error), err error) {
	var z sizes
	fs := flag.NewFlagSet("tets", flag.ContinueOnError)
	z.flags(fs)
	if err := fs.Parse(args[2:]); err != nil {
		return nil, nil, err
	}
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	var m *mesh.TetMesh
	var report any
	run = func() (err error) {
		m, report, err = tetraMesh(context.Background(), labels, z)
		return err
	}
	done = func() (any, error) { return report, writeDump(args[1], m) }
	return run, done, nil
}

// tets meshes an input in a fresh process and measures time, memory and mesh.
func tets(args []string) error {
	fs := flag.NewFlagSet("tets", flag.ContinueOnError)
	var z sizes
	z.flags(fs)
	in := fs.String("in", "s256", "input: "+strings.Join(slices.Sorted(maps.Keys(volumes)), ", ")+", aal6, cranium")
	keep := fs.String("keep", "", "keep the dump of the mesh here")
	best := fs.Int("best", 1, "runs, of which the fastest counts")
	quick := fs.Bool("quick", false, "no distances")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := fs.Parse(args); err != nil {
		return err
	}
	base, err := input(*in)
	if err != nil {
		return err
	}
	dump := *keep
	if dump == "" {
		dir, err := os.MkdirTemp("", "halsted-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		dump = filepath.Join(dir, "tets.bin")
	}
	took, f, err := measureTets(base, dump, z, *best, !*quick)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"cpu_s": took.CPUS, "peak_mb": took.PeakMB, "report": took.Result, "mesh": f})
	}
	printTets(os.Stdout, took, f)
	return nil
}

// measureTets runs the trial and measures the mesh of its last run.
func measureTets(base, dump string, z sizes, runs int, distances bool) (spent, figures, error) {
	var took spent
	for n := range runs {
		t, err := try("tets", append([]string{base, dump}, z.args()...)...)
		if err != nil {
			return took, figures{}, err
		}
		if n == 0 {
			took = t
		}
		took.CPUS, took.PeakMB = min(took.CPUS, t.CPUS), max(took.PeakMB, t.PeakMB)
	}
	labels, s, err := load(base)
	if err != nil {
		return took, figures{}, err
	}
	m, err := readDump(dump)
	if err != nil {
		return took, figures{}, err
	}
	if !distances {
		s = nil
	}
	return took, measureMesh(m, labels, s), nil
}

func printTets(w io.Writer, took spent, f figures) {
	fmt.Fprintf(w, "CPU %.3f s, peak %.0f MB\n", took.CPUS, took.PeakMB)
	f.print(w)
	report := string(took.Result)
	if len(report) > 2000 {
		report = report[:2000] + "…"
	}
	fmt.Fprintln(w, "report:", report)
}
