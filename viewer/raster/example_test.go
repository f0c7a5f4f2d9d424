package raster_test

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/viewer/raster"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

// A plate that fills the view, seen from the front: the share of the light
// that faces the viewer on a bone-coloured surface.
func Example() {
	sc := scene.New()
	verts := []r3.Vec{{X: -90, Z: -90}, {X: 90, Z: -90}, {X: 90, Z: 90}, {X: -90, Z: 90}}
	if _, err := sc.AddStructure("plate", imaging.LabelBone, verts, [][3]int32{{0, 1, 2}, {0, 2, 3}}); err != nil {
		fmt.Println(err)
		return
	}
	sc.Show(scene.Anterior, 1)
	img, err := raster.Render(context.Background(), sc, raster.Options{Width: 99, Height: 99, Plain: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := img.RGBAAt(49, 49)
	fmt.Println(c.R > c.B, c.A)
	// Output: true 255
}
