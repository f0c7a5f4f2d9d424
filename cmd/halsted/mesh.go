package main

import (
	"context"
	"errors"
	"flag"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/meshio"
	"halsted/mesh/tetra"
)

// meshFlags are the options of `halsted mesh` as typed.
type meshFlags struct {
	labels, bits, structure, out, unit string
	label, edgeOf                      listFlag
	edge, minComponent                 float64
	report, quadratic                  bool
}

// listFlag is an option that may be repeated.
type listFlag []string

func (f *listFlag) String() string     { return strings.Join(*f, " ") }
func (f *listFlag) Set(v string) error { *f = append(*f, v); return nil }

func meshCommand() *command {
	var f meshFlags
	return &command{
		name: "mesh", args: "[FILE]", summary: "Mesh a label map or mask file with tetrahedra, or judge and convert a mesh file",
		example: "halsted mesh --labels organ.nii.gz --edge 4 --edge-of 2=1 --report --out organ.vtu\n" +
			"halsted mesh --labels atlas.nii.gz --label 4=wall --label 5=lumen --edge 2 --out vessels.msh\n" +
			"halsted mesh masks.nii.gz --bits body,bone,liver --structure liver --edge 8 --out out\n" +
			"halsted mesh organ.msh --labels organ.nii.gz --report",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&f.labels, "labels", "", "NIfTI label map `FILE`: whole numbers, 0 is background; with a mesh file, what to compare it with")
			fs.Var(&f.label, "label", "a `LABEL` to mesh: its number, a known name, or NUMBER=NAME (may be repeated; default all)")
			fs.StringVar(&f.bits, "bits", "", "FILE holds bit masks of these structures, `NAMES` from the lowest bit")
			fs.StringVar(&f.structure, "structure", "liver", "with --bits: `NAME` of the structure to mesh, when no --label is given")
			fs.Float64Var(&f.edge, "edge", 10, "edge of the tetrahedra at surfaces, `MM`")
			fs.Var(&f.edgeOf, "edge-of", "edge at the surface of one label, `LABEL=MM` (may be repeated)")
			fs.Float64Var(&f.minComponent, "min-component", 0, "leave out separate parts of a label smaller than `MM3` cubic mm; 0 keeps all")
			fs.BoolVar(&f.quadratic, "quadratic", false, "tetrahedra of second order (ten nodes), their sides bent onto the surface of the labels")
			fs.BoolVar(&f.report, "report", false, "print the quality of the mesh and how well it fits the labels")
			fs.StringVar(&f.out, "out", "", "what to write: `FILE` (.vtu .msh .inp .feb; surface only: .stl .ply .glb) or folder (default the folder out; nothing with --report)")
			fs.StringVar(&f.unit, "length-unit", "", "`UNIT` of length of mesh files, read and written: mm, cm, m, … (default mm; read: what the file says)")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			j, err := f.job(args)
			if err != nil {
				return nil, err
			}
			b := newBar(o.log)
			r, err := j.run(ctx, b)
			if err != nil {
				b.abandon()
				return nil, meshRefusal(err)
			}
			r.Stages = b.finish()
			if !o.json {
				r.print(o.out)
			}
			return r, nil
		},
	}
}

// meshJob is a checked call of `halsted mesh`.
type meshJob struct {
	maskFile, labelFile, meshFile string // masks, or labels, or a mesh (labels to compare with)
	bits                          []imaging.Label
	pick                          []picked
	edgeOf                        map[string]float64
	opt                           tetra.Options
	report, quadratic             bool
	out                           string
	folder                        bool
	unit                          meshio.Unit
}

// picked is a label that --label asks for; name is empty when only its number
// was given.
type picked struct {
	label imaging.Label
	name  string
}

// isNIfTI goes by the file's name.
func isNIfTI(path string) bool {
	p := strings.ToLower(path)
	return strings.HasSuffix(p, ".nii") || strings.HasSuffix(p, ".nii.gz")
}

var (
	tetFormats     = []string{".vtu", ".msh", ".inp", ".feb"}
	surfaceFormats = []string{".stl", ".ply", ".glb"}
)

func hasFormat(path string, formats []string) bool {
	return slices.Contains(formats, strings.ToLower(filepath.Ext(path)))
}

// job checks everything that can be checked before a file is read.
func (f *meshFlags) job(args []string) (*meshJob, error) {
	j := &meshJob{labelFile: f.labels, report: f.report, quadratic: f.quadratic, out: f.out, edgeOf: map[string]float64{}}
	if len(args) > 1 {
		return nil, usagef("want one file, not %d: %s", len(args), strings.Join(args, " "))
	}
	if len(args) == 1 {
		switch file := args[0]; {
		case hasFormat(file, tetFormats) || hasFormat(file, surfaceFormats):
			j.meshFile = file
		case !isNIfTI(file):
			return nil, usagef("%s is neither a NIfTI file (.nii .nii.gz) nor a mesh (%s)", filepath.Base(file), strings.Join(slices.Concat(tetFormats, surfaceFormats), " "))
		case f.bits != "":
			j.maskFile = file
		case f.labels != "":
			return nil, usagef("two label maps: give %s alone, or --bits when it holds masks", filepath.Base(file))
		default:
			j.labelFile = file
		}
	}
	switch {
	case j.maskFile != "" && f.labels != "":
		return nil, usagef("give a mask file or --labels, not both")
	case j.maskFile == "" && f.bits != "":
		return nil, usagef("--bits needs a mask file")
	case j.maskFile == "" && j.labelFile == "" && j.meshFile == "":
		return nil, usagef("want --labels FILE, a mask file with --bits, or a mesh file")
	}
	var err error
	if j.maskFile != "" {
		if j.bits, err = parseBits(f.bits); err != nil {
			return nil, err
		}
	}
	list := f.label
	if j.maskFile != "" && len(list) == 0 {
		list = listFlag{f.structure}
	}
	for _, s := range list {
		p, err := parsePicked(s)
		if err != nil {
			return nil, err
		}
		j.pick = append(j.pick, p)
	}
	for _, s := range f.edgeOf {
		name, mm, ok := strings.Cut(s, "=")
		v, err := strconv.ParseFloat(mm, 64)
		if !ok || err != nil || !(v > 0) || math.IsInf(v, 0) {
			return nil, usagef("--edge-of %s: want LABEL=MM, as in 4=1.5", s)
		}
		j.edgeOf[name] = v
	}
	if !(f.edge > 0) || math.IsInf(f.edge, 0) {
		return nil, usagef("--edge: want a length in mm above 0, not %g", f.edge)
	}
	if !(f.minComponent >= 0) || math.IsInf(f.minComponent, 0) {
		return nil, usagef("--min-component: want a volume in mm³, not %g", f.minComponent)
	}
	j.opt = tetra.Options{EdgeMM: f.edge, MinComponentMM3: f.minComponent}
	if f.unit != "" {
		if j.unit, err = meshio.ParseUnit(f.unit); err != nil {
			return nil, usagef("--length-unit: %v", err)
		}
	}
	return j, j.checkOut()
}

// checkOut decides what is written.
func (j *meshJob) checkOut() error {
	if j.meshFile != "" {
		j.report = true
	}
	if j.quadratic && hasFormat(j.meshFile, surfaceFormats) {
		return usagef("--quadratic: %s is a surface, which holds no tetrahedra", filepath.Base(j.meshFile))
	}
	if j.out == "" && !j.report {
		j.out = "out"
	}
	if j.out == "" {
		return nil
	}
	switch {
	case hasFormat(j.out, tetFormats):
		if hasFormat(j.meshFile, surfaceFormats) {
			return usagef("--out %s: %s is a surface, which holds no tetrahedra", filepath.Base(j.out), filepath.Base(j.meshFile))
		}
	case hasFormat(j.out, surfaceFormats):
	case filepath.Ext(j.out) == "" || strings.HasSuffix(j.out, "/") || j.out == "." || j.out == "..":
		j.folder = true
	default:
		return usagef("--out %s: want a folder or one of %s", filepath.Base(j.out), strings.Join(slices.Concat(tetFormats, surfaceFormats), " "))
	}
	return nil
}

// parsePicked reads "4", "liver" or "4=wall".
func parsePicked(s string) (picked, error) {
	number, name, named := strings.Cut(s, "=")
	if strings.ContainsAny(name, `/\`) {
		return picked{}, usagef("--label %s: a name is used for files; leave out / and \\", s)
	}
	if n, err := strconv.ParseUint(number, 10, 8); err == nil && n > 0 && (!named || name != "") {
		return picked{imaging.Label(n), name}, nil
	}
	if l, ok := parseLabel(s); ok {
		return picked{l, s}, nil
	}
	return picked{}, usagef("--label %s: want a number from 1 to 255, NUMBER=NAME, or a known name: %s", s, labelNames())
}

// meshRefusal marks what the rooms refuse as refused input; a cancelled run and
// wrong usage stay what they are.
func meshRefusal(err error) error {
	if errors.Is(err, context.Canceled) || is[*usageError](err) || is[refusedError](err) {
		return err
	}
	if is[*tetra.EmptyError](err) || is[*tetra.LimitError](err) || is[*meshio.FormatError](err) || is[*meshio.UnknownFormatError](err) ||
		is[*mesh.InvertedError](err) || is[*mesh.ConformityError](err) {
		return refusedError{err}
	}
	return err
}
