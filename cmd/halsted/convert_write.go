package main

import (
	"context"
	"io"
	"strings"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/series"
	"halsted/internal/atomicfile"
)

// writeVolume writes a volume in the format of the file's name.
func writeVolume(path string, to format, v *imaging.Volume) error {
	if to == formatNIfTI {
		return nifti.WriteVolume(path, v)
	}
	return nrrd.WriteVolume(path, v, nrrd.Options{})
}

// writeStructures writes structures in the format of the file's name.
func writeStructures(ctx context.Context, path string, to format, c *carried, src *series.Series, typ series.SEGType) error {
	switch to {
	case formatNIfTI:
		return nifti.WriteSegments(path, c.segs)
	case formatDICOM:
		opt := series.SEGOptions{Type: typ, Describe: map[imaging.Label]series.SEGSegment{}}
		for l, about := range c.foreign {
			opt.Describe[l] = foreignSegment(about)
		}
		return atomicfile.Write(path, func(w io.Writer) error {
			return series.WriteSEG(ctx, w, c.segs, src, opt)
		})
	}
	describe := map[imaging.Label]nrrd.Segment{}
	for l, about := range c.foreign {
		if about.Type.Value == "" {
			about.Type = tissue
		}
		if about.Category.Value == "" {
			about.Category = anatomical
		}
		about.ID = strings.TrimSpace(about.ID)
		describe[l] = about
	}
	return nrrd.WriteSegments(path, c.segs, nrrd.Options{Describe: describe})
}

// Concepts for structures without a code of their own.
var (
	tissue     = imaging.Code{Value: "85756007", Scheme: "SCT", Meaning: "Tissue"}
	anatomical = imaging.Code{Value: "123037004", Scheme: "SCT", Meaning: "Anatomical Structure"}
)

// foreignSegment is a structure that is none of ours in a DICOM segmentation.
func foreignSegment(about nrrd.Segment) series.SEGSegment {
	code := func(c imaging.Code) imaging.Code {
		return imaging.Code{Value: shortText(c.Value, 64), Scheme: shortText(c.Scheme, 16), Meaning: shortText(c.Meaning, 64)}
	}
	g := series.SEGSegment{Label: shortText(about.Name, 64), Type: code(about.Type), Category: code(about.Category), Region: code(about.Region)}
	for _, m := range about.TypeModifiers {
		g.TypeModifiers = append(g.TypeModifiers, code(m))
	}
	if g.Label == "" {
		g.Label = "unnamed"
	}
	if g.Type.Value == "" {
		g.Type = tissue
	}
	if g.Category.Value == "" {
		g.Category = anatomical
	}
	return g
}

// shortText is what fits an attribute of so many characters (PS3.5 section
// 6.2, LO): no backslash, no control characters.
func shortText(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == '\\' || r < ' ' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return strings.TrimSpace(s)
}
