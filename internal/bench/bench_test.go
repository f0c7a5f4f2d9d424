package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestVerdicts(t *testing.T) {
	if !atMost("i", 2, "s", 2, "").Holds || atMost("i", 2.1, "s", 2, "").Holds || !atLeast("i", 5, "deg", 5, "").Holds || atLeast("i", 4.9, "deg", 5, "").Holds {
		t.Error("a verdict is wrong")
	}
	if r := notMeasured("i", "s", "≤ 1", "no data"); r.Holds || r.Ours != nil {
		t.Error("what was not measured cannot hold")
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	err := fmt.Errorf("aal6: %w", &missingError{"install mricron-data"})
	if r := failedRow("i", "s", "≤ 1", err); r.Holds || r.Ours != nil || r.Peer != "not measured: install mricron-data" {
		t.Errorf("%+v", r)
	}
	if got := peerText(err, "%d", 7); got != "not measured: install mricron-data" {
		t.Error(got)
	}
	if got := peerText(nil, "%d", 7); got != "7" {
		t.Error(got)
	}
	if r := timed("i", spent{CPUS: 3}, nil, noLimit, ""); !r.Holds || r.Target != "none" {
		t.Errorf("%+v", r)
	}
}

func TestDifferingCountsChangedAndMissingFiles(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for name, in := range map[string][2]string{"same": {"x", "x"}, "changed": {"x", "y"}, "only-a": {"x", ""}, "only-b": {"", "x"}} {
		for n, dir := range []string{a, b} {
			if in[n] != "" {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(in[n]), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if n, err := differing(a, b); err != nil || n != 3 {
		t.Errorf("%d differ (%v), want 3", n, err)
	}
	if _, err := differing(t.TempDir(), b); err == nil {
		t.Error("no artefacts at all passed")
	}
}
