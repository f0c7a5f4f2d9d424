package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/series"
)

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
