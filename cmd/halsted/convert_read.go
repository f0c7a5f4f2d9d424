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

// carried are structures with the names of those that are none of ours.
type carried struct {
	segs    *imaging.Segments
	foreign map[imaging.Label]nrrd.Segment
	report  *series.StructureReport
}

// bitOf is the bit of a structure in the masks, −1 for none.
func (c *carried) bitOf(l imaging.Label) int {
	for b, o := range c.segs.Of {
		if o == l && l != imaging.LabelBackground {
			return b
		}
	}
	return -1
}

// convertTarget is the grid that structures are brought onto.
type convertTarget struct {
	grid   imaging.Grid
	asIs   bool           // that of the source
	series *series.Series // when it is that of a DICOM folder
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

// carrySegments takes all segments of a file, ours or not.
func carrySegments(s *nrrd.Segmentation) (*carried, []string) {
	c := &carried{segs: imaging.NewSegments(s.Grid), foreign: map[imaging.Label]nrrd.Segment{}}
	notes := append([]string{}, s.Notes...)
	for n := range s.Segments {
		l, known := s.Segments[n].Structure()
		l, why := c.claim(l, known, s.Segments[n])
		if why != "" {
			notes = append(notes, fmt.Sprintf("segment %d %s", n, why))
		}
		if l != imaging.LabelBackground {
			c.add(l, s.Mask(n))
		}
	}
	return c, notes
}

// claim finds the label under which a structure is carried; why says what is
// odd about it, with LabelBackground when there is no room.
func (c *carried) claim(l imaging.Label, known bool, about nrrd.Segment) (_ imaging.Label, why string) {
	switch {
	case !known:
		l = firstForeign + imaging.Label(len(c.foreign))
	case l == imaging.LabelTumour:
		for l.IsTumour() && c.segs.Bit(l) != 0 {
			l++
		}
		if !l.IsTumour() {
			return imaging.LabelBackground, fmt.Sprintf("is a tumour beyond the first %d; it is left out", imaging.MaxTumours)
		}
	}
	if c.segs.Bit(l) != 0 {
		return l, fmt.Sprintf("is a further part of %v; the parts are united", l)
	}
	if len(c.segs.Of) == maxCarried {
		return imaging.LabelBackground, fmt.Sprintf("is beyond the first %d structures; it is left out", maxCarried)
	}
	if !known {
		c.foreign[l] = about
	}
	c.segs.Of = append(c.segs.Of, l)
	return l, ""
}

func (c *carried) add(l imaging.Label, mask []bool) {
	bit := c.segs.Bit(l)
	for n, in := range mask {
		if in {
			c.segs.Bits[n] |= bit
		}
	}
}

// target finds the grid for structures.
func (j *convertJob) target(ctx context.Context, src *convertSource, to format, b *bar) (*convertTarget, error) {
	if j.onto == "" {
		switch {
		case to == formatDICOM:
			return nil, usagef("a DICOM segmentation refers to the images it was made from: give the folder of the series with --onto")
		case src.object != nil && src.ownSEG == nil:
			return nil, usagef("a structure set has no voxels of its own: give the folder of its series with --onto")
		}
		return &convertTarget{asIs: true}, nil
	}
	b.set("read the grid", 0)
	st, err := os.Stat(j.onto)
	if err != nil {
		return nil, refusedError{err}
	}
	if !st.IsDir() {
		if to == formatDICOM {
			return nil, usagef("a DICOM segmentation refers to the images it was made from: give the folder of the series with --onto")
		}
		g, err := gridOf(j.onto)
		if err != nil {
			return nil, err
		}
		return &convertTarget{grid: g}, nil
	}
	all, err := series.ReadDir(ctx, j.onto, series.Options{})
	if err != nil {
		return nil, refusedUnlessCancelled(err)
	}
	s, err := chooseSeries(all, src.object)
	if err != nil {
		return nil, err
	}
	g, err := s.Grid()
	if err != nil {
		return nil, refusedError{err}
	}
	return &convertTarget{grid: g, series: s}, nil
}

// gridOf is the grid of a volume file.
func gridOf(path string) (imaging.Grid, error) {
	switch formatOf(path) {
	case formatNIfTI:
		m, err := nifti.ReadFile(path)
		if err != nil {
			return imaging.Grid{}, refusedError{err}
		}
		return m.Grid, nil
	case formatNRRD, formatSegNRRD:
		m, err := nrrd.ReadFile(path)
		if err != nil {
			return imaging.Grid{}, refusedError{err}
		}
		return m.Grid, nil
	}
	return imaging.Grid{}, usagef("--onto %s: want the folder of a DICOM series, a NIfTI or a NRRD file", path)
}

// chooseSeries takes the series that the object refers to, else the one with
// the most slices.
func chooseSeries(all []*series.Series, o series.StructureObject) (*series.Series, error) {
	var best *series.Series
	tie := false
	rank := func(s *series.Series) int {
		n := s.Len()
		if s.Check() != nil {
			n -= 1 << 30
		}
		if o != nil && o.Refers(s) {
			n += 1 << 31
		}
		return n
	}
	for _, s := range all {
		switch {
		case best == nil || rank(s) > rank(best):
			best, tie = s, false
		case rank(s) == rank(best):
			tie = true
		}
	}
	if tie {
		return nil, refusedError{fmt.Errorf("--onto: the folder holds %d series, several with %d slices; name the folder of one", len(all), best.Len())}
	}
	return best, nil
}

// structures brings what was read onto the target.
func (src *convertSource) structures(ctx context.Context, to *convertTarget, anyFrame bool) (*carried, error) {
	if src.object == nil {
		if to.asIs {
			to.grid = src.masks.segs.Grid
		}
		segs, report, err := series.Resample(ctx, src.masks.segs, to.grid)
		if err != nil {
			return nil, err
		}
		for n := range report.Placed {
			if about, ok := src.masks.foreign[report.Placed[n].Structure]; ok {
				report.Placed[n].Name, report.Placed[n].Code = about.Name, about.Type
			}
		}
		if to.series != nil {
			report.Notes = append(report.Notes, "the file names no frame of reference; that of the series was taken")
		}
		return &carried{segs, src.masks.foreign, report}, nil
	}
	var segs *imaging.Segments
	var report *series.StructureReport
	var err error
	switch {
	case to.series != nil:
		segs, report, err = src.object.Onto(ctx, to.series, series.StructureOptions{AnyFrame: anyFrame})
	case to.asIs:
		to.grid = src.ownSEG.Grid
		segs, report, err = src.object.OnGrid(ctx, to.grid)
	case !anyFrame:
		err = errors.New("the file of --onto names no frame of reference to compare with; give the DICOM folder, or allow it with --any-frame")
	default:
		segs, report, err = src.object.OnGrid(ctx, to.grid)
	}
	if err != nil {
		return nil, err
	}
	c := &carried{segs, map[imaging.Label]nrrd.Segment{}, report}
	for n := range report.Placed {
		p := &report.Placed[n]
		if p.Structure != imaging.LabelBackground || p.OnGrid == 0 {
			continue
		}
		l, why := c.claim(0, false, describeObject(src.object, p))
		if why != "" {
			report.Notes = append(report.Notes, fmt.Sprintf("entry %d %s", p.Number, why))
			continue
		}
		mask, err := src.object.MaskOn(ctx, to.grid, p.Index)
		if err != nil {
			return nil, err
		}
		c.add(l, mask)
		p.Structure = l
	}
	return c, nil
}

// describeObject is what a DICOM object says of one of its structures.
func describeObject(o series.StructureObject, p *series.PlacedStructure) nrrd.Segment {
	out := nrrd.Segment{Name: p.Name, Type: p.Code}
	switch o := o.(type) {
	case *series.SEG:
		g := &o.Segments[p.Index]
		out.Category, out.TypeModifiers, out.Region = g.Category, g.TypeModifiers, g.Region
	case *series.RTStruct:
		out.Colour, out.HasColour = o.ROIs[p.Index].Colour, o.ROIs[p.Index].HasColour
	}
	return out
}
