package planner

import "testing"

func TestOutputsReadAsWords(t *testing.T) {
	for want, o := range map[string]Output{
		"resection margin in mm": {Label: "Resection margin", Unit: "mm"},
		"FLR in %":               {Label: "FLR", Unit: "%"},
		"P(tip inside) in %":     {Label: "P(tip inside)", Unit: "%"},
		"vessels cut":            {Label: "Vessels cut", Unit: "1"},
		"volume killed in ml":    {Label: "Volume killed", Unit: "mL"},
		"énergie in N":           {Label: "Énergie", Unit: "N"},
		"angle of the neck in °": {Label: "Angle of the neck", Unit: "deg"},
		"x":                      {Label: "x", Unit: "1"},
		"":                       {Unit: "1"},
	} {
		if got := o.Words(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
