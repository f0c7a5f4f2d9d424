package window_test

import (
	"fmt"

	"halsted/viewer/window"
)

// Sizes are refused before a display is looked for.
func ExampleOpen() {
	_, err := window.Open(window.Options{Width: 9000, Height: 100})
	fmt.Println(err)
	// Output: window: 9000 by 100 pixels, want 1 to 4096 each
}
