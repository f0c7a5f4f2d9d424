package nrrd

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"halsted/imaging"
)

// Segment is one structure of a segmentation.
type Segment struct {
	ID, Name      string // may hold anything, also a name
	Layer         int
	Value         int // of its voxels in the layer
	Colour        [3]uint8
	HasColour     bool
	Category      imaging.Code
	Type          imaging.Code
	TypeModifiers []imaging.Code
	Region        imaging.Code
}

// Structure is the structure of this module that the segment is: by its code
// and modifier, or by its name where the code only says "tissue" or
// "anatomical structure", or names a kidney without its side. The ID counts
// only without a name: it stays when a user renames a segment. ok is false for
// anything else.
func (s *Segment) Structure() (l imaging.Label, ok bool) {
	if l, ok = imaging.LabelOf(s.Type, s.TypeModifiers...); ok && l != imaging.LabelBody {
		return l, true
	}
	switch s.Type.SCT().Value {
	case "", "85756007", "123037004", "64033007", "49755003": // tissue, body structure, kidney, altered structure
		if l, ok = imaging.LabelNamed(cmp.Or(s.Name, s.ID)); ok {
			return l, true
		}
		return imaging.LabelBackground, false
	}
	return l, ok
}

// Segmentation is an image of segments as 3D Slicer writes it.
type Segmentation struct {
	Grid     imaging.Grid // LPS mm, voxels in stored order
	Segments []Segment
	Notes    []string // what was odd but harmless

	m *Image
}

// maxSegments bounds the segments of one file.
const maxSegments = 1 << 12

// HasSegments reports whether m has the keys of a segmentation.
func (m *Image) HasSegments() bool {
	for k := range m.Keys {
		if strings.HasPrefix(k, "Segment0_") {
			return true
		}
	}
	return false
}

// Segmentation reads the segments of m by its keys.
func (m *Image) Segmentation() (*Segmentation, error) {
	for _, k := range []string{"Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation"} {
		if v := m.Keys[k]; v != "" && v != "Binary labelmap" {
			return nil, refuse("the segmentation is no binary label map; export it as one")
		}
	}
	s := &Segmentation{Grid: m.Grid, m: m}
	for n := 0; m.has(n); n++ {
		if n == maxSegments {
			return nil, refuse("more than %d segments", maxSegments)
		}
		seg, err := m.segment(n)
		if err != nil {
			return nil, err
		}
		s.Segments = append(s.Segments, seg)
	}
	if len(s.Segments) == 0 {
		return nil, refuse("it holds no segments (no key Segment0_Name): a label map without names")
	}
	if m.Grid.Len() == 1 {
		s.Notes = append(s.Notes, "a single voxel: the segments are empty")
	}
	return s, nil
}

// has reports whether any key describes segment n.
func (m *Image) has(n int) bool {
	for _, k := range []string{"Name", "ID", "LabelValue"} {
		if _, ok := m.Keys[fmt.Sprintf("Segment%d_%s", n, k)]; ok {
			return true
		}
	}
	return false
}

func (m *Image) segment(n int) (Segment, error) {
	key := func(name string) string { return m.Keys[fmt.Sprintf("Segment%d_%s", n, name)] }
	s := Segment{ID: key("ID"), Name: key("Name"), Value: 1}
	if m.Layers > 1 {
		s.Layer = n // before layers could be shared
	}
	for _, f := range []struct {
		name string
		dst  *int
	}{{"LabelValue", &s.Value}, {"Layer", &s.Layer}} {
		v := key(f.name)
		if v == "" {
			continue
		}
		i, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil || i < 0 || i > math.MaxInt32 {
			return s, refuse("Segment%d_%s is no number", n, f.name)
		}
		*f.dst = i
	}
	if s.Layer >= m.Layers {
		return s, refuse("segment %d is in layer %d of %d", n, s.Layer, m.Layers)
	}
	if s.Value == 0 {
		return s, refuse("segment %d has the number 0, which is background", n)
	}
	if c := strings.Fields(key("Color")); len(c) == 3 {
		s.HasColour = true
		for a, v := range c {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || !(f >= 0 && f <= 1) {
				s.HasColour = false
				continue
			}
			s.Colour[a] = uint8(math.Round(255 * f))
		}
	}
	entry := key("TerminologyEntry")
	for _, tag := range strings.Split(key("Tags"), "|") {
		if v, ok := strings.CutPrefix(tag, "TerminologyEntry:"); ok {
			entry = v
		}
	}
	s.terms(entry)
	return s, nil
}

// terms reads a terminology entry: context, category, type, modifier, context of
// the region, region, its modifier; each concept as scheme^value^meaning.
func (s *Segment) terms(entry string) {
	parts := strings.Split(entry, "~")
	code := func(n int) imaging.Code {
		if n >= len(parts) {
			return imaging.Code{}
		}
		c := strings.SplitN(parts[n], "^", 3)
		if len(c) != 3 || c[1] == "" {
			return imaging.Code{}
		}
		return imaging.Code{Value: c[1], Scheme: c[0], Meaning: c[2]}
	}
	s.Category, s.Type, s.Region = code(1), code(2), code(5)
	if c := code(3); c.Value != "" {
		s.TypeModifiers = []imaging.Code{c}
	}
}

// Mask is segment n (an index into Segments) on Grid.
func (s *Segmentation) Mask(n int) []bool {
	out := make([]bool, s.Grid.Len())
	if s.Grid.Len() == 1 { // stands for no voxels at all
		return out
	}
	layer, value := s.Segments[n].Layer, float64(s.Segments[n].Value)
	if m := s.m; m.Type == Uint8 {
		if value > math.MaxUint8 {
			return out
		}
		v, at := byte(value), layer*m.layer
		for i := range out {
			out[i] = m.raw[at] == v
			at += m.voxel
		}
		return out
	}
	for i := range out {
		out[i] = s.m.Sample(layer, i) == value
	}
	return out
}

// ReadSegmentation reads a segmentation file.
func ReadSegmentation(path string) (*Segmentation, error) {
	m, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := m.Segmentation()
	if err != nil {
		return nil, named(path, err)
	}
	return s, nil
}
