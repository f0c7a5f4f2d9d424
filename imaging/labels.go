package imaging

import (
	"fmt"
	"strings"
)

// Label names one structure. The zero Label is background.
type Label uint8

// The structures this module knows. Tumours are numbered from LabelTumour: the
// n-th tumour (from 0) is LabelTumour+n, up to MaxTumours.
const (
	LabelBackground Label = iota
	LabelBody
	LabelBone
	LabelLiver
	LabelPortalVein
	LabelHepaticVein
	LabelVessel // a vessel whose system is not known
	LabelArtery
	LabelResected // what a plan takes out; on display only
	LabelLung     // both lungs
	LabelSpleen
	LabelKidneyLeft
	LabelKidneyRight
	LabelAorta
	LabelVenaCava // inferior
	LabelBrain    // the brain cavity on CT, the brain on MR
	LabelVesselWall
	LabelGallbladder
	LabelHeart
	LabelStomach
	LabelRenalArtery
	LabelTumour Label = 32
)

// MaxTumours bounds the number of separately labelled tumours.
const MaxTumours = 16

// Code is a coded concept: SNOMED CT unless Scheme says otherwise (PS3.16).
type Code struct{ Value, Scheme, Meaning string }

// IsTumour reports whether l is one of the numbered tumours.
func (l Label) IsTumour() bool { return l >= LabelTumour && l < LabelTumour+MaxTumours }

// IsVessel reports whether l is a vessel of any system.
func (l Label) IsVessel() bool {
	return l == LabelPortalVein || l == LabelHepaticVein || l == LabelVessel || l == LabelArtery
}

// names are the names and codes of the structures that are neither numbered nor
// background.
var names = [...]struct {
	label Label
	name  string
	code  Code
}{
	{LabelBody, "body", Code{"123037004", "SCT", "Body structure"}},
	{LabelBone, "bone", Code{"272673000", "SCT", "Bone"}},
	{LabelLiver, "liver", Code{"10200004", "SCT", "Liver"}},
	{LabelPortalVein, "portal_vein", Code{"32764006", "SCT", "Portal vein"}},
	{LabelHepaticVein, "hepatic_vein", Code{"8993003", "SCT", "Hepatic vein"}},
	{LabelVessel, "vessel", Code{"59820001", "SCT", "Blood vessel"}},
	{LabelArtery, "artery", Code{"51114001", "SCT", "Artery"}},
	{LabelResected, "resected", Code{"RESECTED", "99HALSTED", "Part to be resected"}},
	{LabelLung, "lung", Code{"39607008", "SCT", "Lung"}},
	{LabelSpleen, "spleen", Code{"78961009", "SCT", "Spleen"}},
	{LabelKidneyLeft, "kidney_left", Code{"18639004", "SCT", "Left kidney"}},
	{LabelKidneyRight, "kidney_right", Code{"9846003", "SCT", "Right kidney"}},
	{LabelAorta, "aorta", Code{"15825003", "SCT", "Aorta"}},
	{LabelVenaCava, "vena_cava", Code{"64131007", "SCT", "Inferior vena cava"}},
	{LabelBrain, "brain", Code{"12738006", "SCT", "Brain"}},
	{LabelVesselWall, "vessel_wall", Code{"42586003", "SCT", "Wall of blood vessel"}},
	{LabelGallbladder, "gallbladder", Code{"28231008", "SCT", "Gallbladder"}},
	{LabelHeart, "heart", Code{"80891009", "SCT", "Heart"}},
	{LabelStomach, "stomach", Code{"69695003", "SCT", "Stomach"}},
	{LabelRenalArtery, "renal_artery", Code{"2841007", "SCT", "Renal artery"}},
}

// InOrgan reports whether l counts as liver: parenchyma, the tumours and the
// vessels inside. Vessel voxels outside the organ must not carry such a label
// when organ volume is taken from a Labels map.
func (l Label) InOrgan() bool { return l == LabelLiver || l.IsTumour() || l.IsVessel() }

// Code is the SNOMED CT concept of l (PS3.16 CID 7150, 7201 and SNOMED CT); what
// a plan takes out has a code of this project.
func (l Label) Code() Code {
	if l.IsTumour() {
		return Code{"108369006", "SCT", "Neoplasm"}
	}
	for _, n := range names {
		if n.label == l {
			return n.code
		}
	}
	return Code{"", "", "Background"}
}

// String is a short lower-case name for tables and file names.
func (l Label) String() string {
	switch {
	case l == LabelBackground:
		return "background"
	case l.IsTumour():
		return fmt.Sprintf("tumour_%d", l-LabelTumour+1)
	}
	for _, n := range names {
		if n.label == l {
			return n.name
		}
	}
	return fmt.Sprintf("label_%d", uint8(l))
}

// Words is String as it reads in a sentence: "portal vein", "tumour 1".
func (l Label) Words() string { return strings.ReplaceAll(l.String(), "_", " ") }

// Structures are the labels that name a structure, tumours apart, in order.
func Structures() []Label {
	out := make([]Label, len(names))
	for n := range names {
		out[n] = names[n].label
	}
	return out
}

// ParseLabel is the inverse of String for structures and tumours.
func ParseLabel(name string) (Label, error) {
	for _, n := range names {
		if n.name == name {
			return n.label, nil
		}
	}
	for l := LabelTumour; l.IsTumour(); l++ {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("imaging: no structure is called %q", name)
}

// Segments holds overlapping structures: bit b of Bits[n] says that voxel n
// belongs to the structure Of[b]. At most 32 structures.
type Segments struct {
	Grid Grid
	Bits []uint32
	Of   []Label // Of[b] is the structure of bit b
}

// NewSegments allocates empty masks for the given structures.
func NewSegments(g Grid, of ...Label) *Segments {
	if len(of) > 32 {
		panic("imaging: more than 32 segments")
	}
	return &Segments{Grid: g, Bits: make([]uint32, g.Len()), Of: of}
}

// Bit is the mask bit of a structure, or 0 when it is absent.
func (s *Segments) Bit(l Label) uint32 {
	for b, o := range s.Of {
		if o == l {
			return 1 << b
		}
	}
	return 0
}

// Count is the number of voxels of a structure.
func (s *Segments) Count(l Label) int {
	bit, n := s.Bit(l), 0
	if bit == 0 {
		return 0
	}
	for _, b := range s.Bits {
		if b&bit != 0 {
			n++
		}
	}
	return n
}

// VolumeMM3 is the voxel-count volume of a structure.
func (s *Segments) VolumeMM3(l Label) float64 { return float64(s.Count(l)) * s.Grid.VoxelMM3() }

// Labels is one Label per voxel, with no overlap.
type Labels struct {
	Grid Grid
	ID   []Label
}

// Count is the number of voxels for which keep is true.
func (l *Labels) Count(keep func(Label) bool) int {
	var per [256]int
	for _, id := range l.ID {
		per[id]++
	}
	n := 0
	for id, c := range per {
		if c > 0 && keep(Label(id)) {
			n += c
		}
	}
	return n
}

// Flatten gives each voxel the label of the structure that stands last in
// order among those covering it; structures not named in order are ignored.
// When organ is not LabelBackground, vessels and tumours outside the organ
// mask are left out, so that the union of InOrgan labels is the organ.
func (s *Segments) Flatten(organ Label, order ...Label) *Labels {
	out := &Labels{Grid: s.Grid, ID: make([]Label, len(s.Bits))}
	inside := s.Bit(organ)
	bits := make([]uint32, len(order))
	for n, l := range order {
		bits[n] = s.Bit(l)
	}
	for n, b := range s.Bits {
		if b == 0 {
			continue
		}
		for m := len(order) - 1; m >= 0; m-- {
			if b&bits[m] == 0 || inside != 0 && b&inside == 0 && order[m].InOrgan() {
				continue
			}
			out.ID[n] = order[m]
			break
		}
	}
	return out
}
