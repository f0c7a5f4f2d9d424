package layers

import "fmt"

func Example() {
	bad := violations([]use{{pkg: "imaging", file: "imaging/grid.go", target: "halsted/planner"}})
	fmt.Println(len(bad), bad[0])
	// Output: 1 imaging/grid.go: imaging may not import planner
}
