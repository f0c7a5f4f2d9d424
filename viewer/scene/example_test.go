package scene_test

import (
	"fmt"

	"halsted/imaging"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

// A triangle 100 mm to the patient's left appears on the right of the screen
// in the anterior view.
func Example() {
	sc := scene.New()
	verts := []r3.Vec{{X: 90}, {X: 110}, {X: 100, Z: 20}, {X: -100}}
	if _, err := sc.AddStructure("liver", imaging.LabelLiver, verts, [][3]int32{{0, 1, 2}}); err != nil {
		fmt.Println(err)
		return
	}
	sc.Show(scene.Anterior, 1.6)
	left, right, _, _ := sc.Camera.Letters()
	x, _, _ := sc.Camera.Project(verts[2], 1280, 800)
	fmt.Println(left, right, x > 640)
	fmt.Println(len(scene.Scale{Min: 0, Max: 12.3}.Ticks(7)), "ticks")
	// Output:
	// R L true
	// 7 ticks
}
