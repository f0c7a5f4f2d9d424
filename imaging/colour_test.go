package imaging

import "testing"

func TestColoursDiffer(t *testing.T) {
	seen := map[[3]uint8]Label{}
	for l := LabelBody; l < LabelTumour+MaxTumours; l++ {
		if l.Code().Meaning == "Background" {
			continue
		}
		if o, twice := seen[l.Colour()]; twice {
			t.Errorf("%v and %v have one colour", l, o)
		}
		seen[l.Colour()] = l
	}
}
