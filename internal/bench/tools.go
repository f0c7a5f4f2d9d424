package main

import (
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
	junction          int
}

func (z *sizes) flags(fs *flag.FlagSet) {
	z.label = map[imaging.Label]float64{}
	fs.Float64Var(&z.edgeMM, "edge", meshS256.edgeMM, "edge of the tets, mm")
	fs.Float64Var(&z.maxEdgeMM, "max", 0, "longest edge inside, mm; 0: the mesher's choice")
	fs.IntVar(&z.junction, "junction", 0, "see tetra.Options.JunctionLevels")
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
	out := []string{"-edge", fmt.Sprint(z.edgeMM), "-max", fmt.Sprint(z.maxEdgeMM), "-junction", fmt.Sprint(z.junction)}
	for _, l := range slices.Sorted(maps.Keys(z.label)) {
		out = append(out, "-label", fmt.Sprintf("%d=%v", uint8(l), z.label[l]))
	}
	return out
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
