package imaging

import "testing"

func TestEveryStructureIsFoundByItsCodes(t *testing.T) {
	for l := LabelBody; l < LabelTumour+MaxTumours; l++ {
		if l.Code().Meaning == "Background" {
			continue
		}
		want := l
		if l.IsTumour() {
			want = LabelTumour
		}
		if got, ok := LabelOf(l.Code()); !ok || got != want {
			t.Errorf("%v by its code: %v %v", l, got, ok)
		}
		category, typ, modifiers := l.Property()
		if got, ok := LabelOf(typ, modifiers...); !ok || got != want || category.Value == "" {
			t.Errorf("%v by its property: %v %v", l, got, ok)
		}
	}
}

func TestOldCodesAndSides(t *testing.T) {
	left, right := Code{"G-A101", "SRT", "Left"}, Code{"24028007", "SCT", "Right"}
	for _, c := range []struct {
		code      Code
		modifiers []Code
		want      Label
		ok        bool
	}{
		{Code{"T-62000", "SRT", "Liver"}, nil, LabelLiver, true},
		{Code{"T-71000", "SRT", "Kidney"}, []Code{left}, LabelKidneyLeft, true},
		{Code{"64033007", "SCT", "Kidney"}, []Code{right}, LabelKidneyRight, true},
		{Code{"64033007", "SCT", "Kidney"}, nil, 0, false},
		{Code{"64033007", "SCT", "Kidney"}, []Code{left, right}, 0, false},
		{Code{"M-80003", "SRT", "Neoplasm, Primary"}, nil, LabelTumour, true},
		{Code{"85756007", "SCT", "Tissue"}, nil, 0, false},
		{Code{"10200004", "99X", "Liver"}, nil, 0, false},
		{Code{}, nil, 0, false},
	} {
		if got, ok := LabelOf(c.code, c.modifiers...); got != c.want || ok != c.ok {
			t.Errorf("%v: %v %v", c.code, got, ok)
		}
	}
}

func TestNamesInCommonUse(t *testing.T) {
	for name, want := range map[string]Label{"Liver": LabelLiver, "Kidney_L": LabelKidneyLeft, "right kidney": LabelKidneyRight,
		"Vena-Cava": LabelVenaCava, "Tumor 3": LabelTumour + 2, "tumour_16": LabelTumour + 15, "tumor": LabelTumour, "External": LabelBody} {
		if got, ok := LabelNamed(name); !ok || got != want {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "liver2", "tumour_17", "background", "label 21", "kidney"} {
		if got, ok := LabelNamed(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
}
