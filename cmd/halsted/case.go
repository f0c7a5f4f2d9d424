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
