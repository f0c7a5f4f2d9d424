package imaging

import (
	"slices"
	"strings"
	"unicode"
)

// Laterality modifiers (PS3.16 CID 244).
var (
	CodeLeft  = Code{"7771000", "SCT", "Left"}
	CodeRight = Code{"24028007", "SCT", "Right"}
)

// codeKidney is the organ of either side; the side is a modifier.
var codeKidney = Code{"64033007", "SCT", "Kidney"}

// fromSRT maps the SNOMED-RT style codes that objects carried before 2019 to
// SNOMED CT (PS3.16 annex O), as far as a structure of this module, a category
// or a modifier is concerned.
var fromSRT = map[string]string{
	"T-62000": "10200004", "T-48810": "32764006", "T-48720": "8993003", "T-40000": "59820001",
	"T-41000": "51114001", "T-D016E": "272673000", "T-28000": "39607008", "T-C3000": "78961009",
	"T-71000": "64033007", "T-42000": "15825003", "T-48710": "64131007", "T-A0100": "12738006",
	"T-63000": "28231008", "T-32000": "80891009", "T-57000": "69695003", "T-D0010": "38266002",
	"T-D000A": "123037004", "T-D0050": "85756007", "M-01000": "49755003", "M-03000": "4147007",
	"M-03010": "27925004", "M-8FFFF": "108369006", "M-80003": "86049000", "M-80006": "14799000",
	"G-A100": "24028007", "G-A101": "7771000", "G-A102": "51440002",
}

// SCT is c with a SNOMED-RT value (scheme SRT, SNM3 or 99SDM) replaced by its
// SNOMED CT value where it is known here; the meaning stays.
func (c Code) SCT() Code {
	if c.Scheme == "SRT" || c.Scheme == "SNM3" || c.Scheme == "99SDM" {
		if v, ok := fromSRT[c.Value]; ok {
			return Code{v, "SCT", c.Meaning}
		}
	}
	return c
}

// Same reports whether two codes mean the same concept: value and scheme after
// SCT; the meaning is only text.
func (c Code) Same(o Code) bool {
	a, b := c.SCT(), o.SCT()
	return a.Value == b.Value && a.Scheme == b.Scheme
}

// neoplasms are the concepts read as a tumour: neoplasm, neoplasm primary,
// neoplasm secondary, neoplasm of liver, hepatocellular carcinoma. A lesion, a
// mass, a nodule or a cyst is not known to be one.
var neoplasms = []string{"108369006", "86049000", "14799000", "126851005", "109841003", "25370001"}

// synonyms are further concepts that are one of the structures: entire body,
// left and right lung, entire liver.
var synonyms = map[string]Label{
	"38266002": LabelBody, "44029006": LabelLung, "3341006": LabelLung, "181268008": LabelLiver,
}

// LabelOf is the structure that a coded concept with its modifiers names. A
// neoplasm is LabelTumour: the caller numbers them. ok is false for a concept
// that is none of ours, and for a kidney without its side.
func LabelOf(c Code, modifiers ...Code) (l Label, ok bool) {
	c = c.SCT()
	if c.Scheme == "99HALSTED" && c.Value == LabelResected.Code().Value {
		return LabelResected, true
	}
	if c.Scheme != "SCT" {
		return 0, false
	}
	has := func(m Code) bool { return slices.ContainsFunc(modifiers, m.Same) }
	switch {
	case c.Value == codeKidney.Value && has(CodeLeft) && !has(CodeRight):
		return LabelKidneyLeft, true
	case c.Value == codeKidney.Value && has(CodeRight) && !has(CodeLeft):
		return LabelKidneyRight, true
	case slices.Contains(neoplasms, c.Value):
		return LabelTumour, true
	}
	if l, ok := synonyms[c.Value]; ok {
		return l, true
	}
	for _, n := range names {
		if n.code.Scheme == "SCT" && n.code.Value == c.Value {
			return n.label, true
		}
	}
	return 0, false
}

// Property is how l is coded in an object that keeps category, type and side
// apart (PS3.16 CID 7150): the kidneys are Kidney with a modifier.
func (l Label) Property() (category, typ Code, modifiers []Code) {
	category, typ = Code{"123037004", "SCT", "Anatomical Structure"}, l.Code()
	switch {
	case l == LabelKidneyLeft:
		typ, modifiers = codeKidney, []Code{CodeLeft}
	case l == LabelKidneyRight:
		typ, modifiers = codeKidney, []Code{CodeRight}
	case l.IsTumour():
		category = Code{"49755003", "SCT", "Morphologically Altered Structure"}
	case l == LabelResected:
		category = Code{"309825002", "SCT", "Spatial and Relational Concept"}
	}
	return category, typ, modifiers
}

// byName are further names of the structures, as structure sets and editors
// write them (AAPM TG-263 names and plain English), lower case with spaces,
// hyphens and underscores left out.
var byName = map[string]Label{
	"external": LabelBody, "skin": LabelBody, "bones": LabelBone, "lungs": LabelLung, "lungl": LabelLung, "lungr": LabelLung,
	"leftlung": LabelLung, "rightlung": LabelLung, "lungleft": LabelLung, "lungright": LabelLung,
	"kidneyl": LabelKidneyLeft, "leftkidney": LabelKidneyLeft, "kidneyr": LabelKidneyRight, "rightkidney": LabelKidneyRight,
	"aaorta": LabelAorta, "vvenacavai": LabelVenaCava, "inferiorvenacava": LabelVenaCava, "ivc": LabelVenaCava,
	"vportal": LabelPortalVein, "portalveins": LabelPortalVein, "hepaticveins": LabelHepaticVein,
	"vhepatic": LabelHepaticVein, "vessels": LabelVessel, "bloodvessel": LabelVessel, "arteries": LabelArtery,
}

// LabelNamed is the structure with this name: its String in any case and
// spelling of the gaps, or one of the names in common use. A tumour with a
// number is that tumour, one without is LabelTumour.
func LabelNamed(name string) (l Label, ok bool) {
	flat := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
	if l, ok := byName[flat]; ok {
		return l, true
	}
	if flat == "tumour" || flat == "tumor" {
		return LabelTumour, true
	}
	flat = strings.Replace(flat, "tumor", "tumour", 1)
	for l := LabelBody; l < LabelTumour+MaxTumours; l++ {
		if flat != "" && flat == strings.ReplaceAll(l.String(), "_", "") && l.Code().Meaning != "Background" {
			return l, true
		}
	}
	return 0, false
}
