package verify

import (
	"context"
	"strings"
	"testing"
)

// A case that cannot be run is listed as such, in the text and in the document.
func TestNotRun(t *testing.T) {
	absent := Case{Name: "absent", Run: func(context.Context, Level) ([]Row, error) { return nil, notRun("the files are not there") }}
	r, err := Run(context.Background(), []Case{absent}, Quick, nil, nil)
	if err != nil || r[0].NotRun == "" || r[0].Failure != "" || !r[0].Holds() {
		t.Fatalf("%+v, %v", r, err)
	}
	var b strings.Builder
	if err := WriteText(&b, &r[0]); err != nil || !strings.Contains(b.String(), "NOT RUN: the files") {
		t.Error(b.String(), err)
	}
	if text, _ := Document(r, "images"); !strings.Contains(text, "| not run |") || !strings.Contains(text, "**Not run:** the files") {
		t.Error(text)
	}
	// With rows it is a failure like any other.
	half := Case{Name: "half", Run: func(context.Context, Level) ([]Row, error) {
		return []Row{shown("q", "", "", 1, 1)}, notRun("gone")
	}}
	if r, err = Run(context.Background(), []Case{half}, Quick, nil, nil); err != nil || r[0].Holds() {
		t.Fatalf("%+v, %v", r, err)
	}
}
