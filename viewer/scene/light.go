package scene

import (
	"gonum.org/v1/gonum/spatial/r3"
)

// Lighting, in view space (x right, y up, z to the viewer). Both drawers use
// these figures. A surface that faces the key light shows its own colour; the
// ambient share is high so that a quantity's colours stay readable against
// the legend on the far side too.
const (
	Ambient   = 0.42
	Headlight = 0.20
	Key       = 0.36
	Fill      = 0.10
	Specular  = 0.14
	// Shininess is the exponent of the highlight, a power of two.
	Shininess = 32
	// BackShade darkens the inner side of a surface, which is seen only through
	// a cut or a transparent front, and BackGrey is the share of grey in it.
	BackShade = 0.8
	BackGrey  = 0.3
	// QuantityShade is how much of the shading a surface keeps that wears the
	// colours of a quantity: enough to show its form, little enough to compare
	// it with the legend.
	QuantityShade = 0.55
)

// Directions towards the lights, unit vectors in view space.
var (
	KeyDirection  = r3.Unit(r3.Vec{X: -0.45, Y: 0.65, Z: 0.62})
	FillDirection = r3.Unit(r3.Vec{X: 0.80, Y: -0.25, Z: 0.45})
)

// Shade is the factor on the colour and the highlight added to it, for a unit
// normal n facing the viewer and the unit direction v to the eye, both in view
// space.
func Shade(n, v r3.Vec) (diffuse, highlight float64) {
	diffuse = Ambient + Headlight*max(0, r3.Dot(n, v)) + Key*max(0, r3.Dot(n, KeyDirection)) + Fill*max(0, r3.Dot(n, FillDirection))
	h := r3.Unit(r3.Add(KeyDirection, v))
	s := max(0, r3.Dot(n, h))
	for e := 1; e < Shininess; e *= 2 {
		s *= s
	}
	return diffuse, Specular * s
}

// Flatten is the factor on the colour of a quantity, given that of Shade.
func Flatten(diffuse float64) float64 { return 1 - QuantityShade*(1-diffuse) }

// RimOpacity is the opacity of a surface of opacity a seen at the cosine c
// between normal and viewing direction: a where it faces the viewer, more at
// the rim, where the line of sight runs longer through a thin shell.
func RimOpacity(a, c float64) float64 {
	k := 1 - c
	return a + a*(1-a)*k*k
}

// BackColour is the colour of the inner side of a surface of colour (r, g, b).
func BackColour(r, g, b float64) (float64, float64, float64) {
	grey := BackGrey * (r + g + b) / 3
	return BackShade * (r*(1-BackGrey) + grey), BackShade * (g*(1-BackGrey) + grey), BackShade * (b*(1-BackGrey) + grey)
}
