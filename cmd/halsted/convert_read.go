package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/series"
	"halsted/planner/pipeline"
)

// firstForeign is the label of the first structure that none of ours stands
// for; such structures are carried along under their own names and codes.
const firstForeign imaging.Label = 200

// maxCarried is how many structures imaging.Segments holds.
const maxCarried = 32

// convertSource is what was read: one of the three.
type convertSource struct {
	kind   string
	notes  []string
	volume *imaging.Volume
	masks  *carried               // on a lattice of their own
	object series.StructureObject // DICOM structures
	ownSEG *series.SEG            // the object, when it has a lattice of its own
}

// open reads the input, whatever it is.
func (j *convertJob) open(ctx context.Context, path string, b *bar) (*convertSource, error) {
	st, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, refusedError{err}
		}
		return nil, err
	}
	named := j.bits != "" || j.values != ""
	if st.IsDir() {
		if named {
			return nil, usagef("--bits and --values are for NIfTI and NRRD files")
		}
		_, v, _, err := pipeline.OpenSeries(ctx, os.DirFS(path), b.set)
		if err != nil {
			return nil, err
		}
		return &convertSource{kind: "volume, DICOM series", volume: v}, nil
	}
	b.set("read", 0)
	var src *convertSource
	switch formatOf(path) {
	case formatNIfTI:
		src, err = j.openNIfTI(path)
	case formatNRRD, formatSegNRRD:
		src, err = j.openNRRD(path)
	case formatDICOM, formatUnknown: // DICOM files often have no extension
		if named {
			return nil, usagef("--bits and --values are for NIfTI and NRRD files")
		}
		src, err = openObject(path)
	}
	if is[*usageError](err) {
		return nil, err
	}
	if err != nil {
		return nil, refusedUnlessCancelled(err)
	}
	return src, nil
}

func openObject(path string) (*convertSource, error) {
	o, err := series.ReadStructuresFile(path, dicomfile.Limits{})
	if err != nil {
		return nil, err
	}
	if seg, ok := o.(*series.SEG); ok {
		return &convertSource{kind: "structures, DICOM segmentation", object: o, ownSEG: seg}, nil
	}
	return &convertSource{kind: "structures, DICOM structure set", object: o}, nil
}

// sampled is an image of NIfTI or NRRD.
type sampled interface {
	Volume() (*imaging.Volume, error)
}

// volumeOf takes an image as a volume and says how far its values were rounded.
func volumeOf(kind string, m sampled, value func(n int) float64) (*convertSource, error) {
	v, err := m.Volume()
	if err != nil {
		return nil, err
	}
	worst := 0.0
	for n := range v.Data {
		worst = max(worst, math.Abs(v.Value(n)-value(n)))
	}
	src := &convertSource{kind: kind, volume: v}
	if worst > 1e-9*math.Abs(v.Slope) {
		src.notes = append(src.notes, fmt.Sprintf("volumes keep 16 bits a voxel: values are rounded by up to %.3g", worst))
	}
	return src, nil
}

func (j *convertJob) openNIfTI(path string) (*convertSource, error) {
	m, err := nifti.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var segs *imaging.Segments
	switch {
	case j.bits != "":
		of, err := parseBits(j.bits)
		if err != nil {
			return nil, err
		}
		if segs, err = m.Segments(m.Grid, of); err != nil {
			return nil, err
		}
	case j.values != "":
		if segs, err = j.labelMap(m.Grid, m.Value); err != nil {
			return nil, err
		}
	default:
		return volumeOf("volume, NIfTI", m, m.Value)
	}
	return &convertSource{kind: "structures, NIfTI", masks: &carried{segs: segs}}, nil
}

func (j *convertJob) openNRRD(path string) (*convertSource, error) {
	m, err := nrrd.ReadFile(path)
	if err != nil {
		return nil, err
	}
	value := func(n int) float64 { return m.Sample(0, n) }
	switch {
	case j.bits != "" || j.values != "":
		if m.Layers != 1 {
			return nil, usagef("--bits and --values: the file has %d layers; a segmentation of 3D Slicer names its structures itself", m.Layers)
		}
		var segs *imaging.Segments
		if j.values != "" {
			segs, err = j.labelMap(m.Grid, value)
		} else {
			segs, err = j.bitMasks(m.Grid, value)
		}
		if err != nil {
			return nil, err
		}
		return &convertSource{kind: "structures, NRRD", masks: &carried{segs: segs}}, nil
	case !m.HasSegments():
		return volumeOf("volume, NRRD", m, value)
	}
	s, err := m.Segmentation()
	if err != nil {
		return nil, err
	}
	c, notes := carrySegments(s)
	return &convertSource{kind: "structures, NRRD", masks: c, notes: notes}, nil
}

// bitMasks reads values as bits of the structures of --bits.
func (j *convertJob) bitMasks(g imaging.Grid, value func(n int) float64) (*imaging.Segments, error) {
	of, err := parseBits(j.bits)
	if err != nil {
		return nil, err
	}
	segs := imaging.NewSegments(g, of...)
	for n := range segs.Bits {
		v := value(n)
		if v != math.Trunc(v) || v < 0 || v >= float64(uint64(1)<<len(of)) {
			x, y, z := g.IJK(n)
			return nil, fmt.Errorf("value %v at voxel %d,%d,%d is no mask of the %d named structures", v, x, y, z, len(of))
		}
		segs.Bits[n] = uint32(v)
	}
	return segs, nil
}

// labelMap reads values as the numbers of --values.
func (j *convertJob) labelMap(g imaging.Grid, value func(n int) float64) (*imaging.Segments, error) {
	bit := map[float64]uint32{0: 0}
	segs := imaging.NewSegments(g)
	for _, part := range strings.Split(j.values, ",") {
		number, name, ok := strings.Cut(part, "=")
		v, err := strconv.Atoi(strings.TrimSpace(number))
		if !ok || err != nil || v < 1 {
			return nil, usagef("--values %s: want NUMBER=STRUCTURE, for example 1=liver,2=tumour_1", part)
		}
		l, known := parseLabel(strings.TrimSpace(name))
		if !known {
			return nil, usagef("--values: no structure %q; known: %s", name, labelNames())
		}
		if _, twice := bit[float64(v)]; twice || len(segs.Of) == maxCarried {
			return nil, usagef("--values: %d is named twice, or there are more than %d structures", v, maxCarried)
		}
		if segs.Bit(l) == 0 {
			segs.Of = append(segs.Of, l)
		}
		bit[float64(v)] = segs.Bit(l)
	}
	for n := range segs.Bits {
		b, known := bit[value(n)]
		if !known {
			x, y, z := g.IJK(n)
			return nil, fmt.Errorf("label %v at voxel %d,%d,%d has no named structure; name it with --values", value(n), x, y, z)
		}
		segs.Bits[n] = b
	}
	return segs, nil
}
