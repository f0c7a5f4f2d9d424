package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/mesh/meshio"
)

// solveDeck is a cube of 20 mm in six C3D4, E = 10 kPa, ν = 0.45, on three planes
// of symmetry, drawn by 1 kPa.
const solveDeck = `*NODE
1, 0, 0, 0
2, 20, 0, 0
3, 20, 20, 0
4, 0, 20, 0
5, 0, 0, 20
6, 20, 0, 20
7, 20, 20, 20
8, 0, 20, 20
*ELEMENT, TYPE=C3D4, ELSET=block
1, 1, 2, 3, 7
2, 1, 3, 4, 7
3, 1, 4, 8, 7
4, 1, 8, 5, 7
5, 1, 5, 6, 7
6, 1, 6, 2, 7
*SURFACE, NAME=TOP
4, S3
5, S3
*MATERIAL, NAME=M
*ELASTIC
0.01, 0.45
*SOLID SECTION, ELSET=block, MATERIAL=M
*BOUNDARY
1, 1, 3
2, 2, 3
3, 3
4, 1
4, 3
5, 1, 2
6, 2
8, 1
*STEP
*STATIC
*DSLOAD
TOP, P, -1e-3
*NODE PRINT
U
*END STEP
`

// solveFile writes a model file and returns its path.
func solveFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Hooke's law: the top rises by 2 mm, the sides come in by 0.9 mm.
func TestSolveCommand(t *testing.T) {
	file := solveFile(t, "cube.inp", solveDeck)
	want := math.Sqrt(4 + 2*.81)
	var out, log bytes.Buffer
	vtu := filepath.Join(t.TempDir(), "new", "cube.vtu")
	if code := run(t.Context(), []string{"solve", file, "--out", vtu}, &out, &log); code != exitOK {
		t.Fatal(log.String())
	}
	for _, want := range []string{"umax 2.3706539 mm at node 7", "max |u| mm", "block: Hooke, E 0.01 MPa", "NODE PRINT is left out", "memory about"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	m, err := meshio.ReadTetMeshFile(t.Context(), vtu, meshio.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.PointFields) < 7 || m.PointFields[0].Name != "displacement_mm" || math.Abs(m.PointFields[0].Vectors[6].Z-2) > 1e-9 || math.Abs(m.PointFields[1].Scalars[0]-1e-3) > 1e-12 {
		t.Errorf("%+v", m.PointFields)
	}
	csv := filepath.Join(filepath.Dir(vtu), "cube.csv")
	js := filepath.Join(filepath.Dir(vtu), "cube.json")
	for _, args := range [][]string{{"--out", csv, "--kernels", "portable", "--threads", "1"}, {"--out", js, "--json", "--steps", "2", "--formulation", "displacement"}} {
		out.Reset()
		if code := run(t.Context(), append([]string{"solve", file}, args...), &out, &log); code != exitOK {
			t.Fatal(log.String())
		}
	}
	text, err := os.ReadFile(csv)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 10 || !strings.HasPrefix(lines[0], "node,x_mm,y_mm,z_mm,displacement_x_mm,") || !strings.HasPrefix(lines[7], "7,20,20,20,-0.9") {
		t.Errorf("%s", text)
	}
	for _, b := range [][]byte{out.Bytes(), mustReadFile(t, js)} {
		var r solveResult
		if err := json.Unmarshal(b, &r); err != nil || len(r.Frames) != 2 || math.Abs(r.UMaxMM-want) > 1e-8 || r.Frames[1].UMaxNode != 7 || r.Elements != 6 {
			t.Errorf("%v %+v", err, r)
		}
	}
}

func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSolveRefusesInOneSentence(t *testing.T) {
	file := solveFile(t, "cube.inp", solveDeck)
	change := func(old, new string) string { return solveFile(t, "cube.inp", strings.Replace(solveDeck, old, new, 1)) }
	for _, c := range []struct {
		want int
		word string
		args []string
	}{
		{exitUsage, "one model file", nil},
		{exitUsage, "no model file", []string{"cube.stl"}},
		{exitUsage, "--length-unit", []string{file, "--length-unit", "furlong"}},
		{exitUsage, "--formulation", []string{file, "--formulation", "hybrid"}},
		{exitUsage, "--tol", []string{file, "--tol", "1"}},
		{exitUsage, "--kernels", []string{file, "--kernels", "mine"}},
		{exitUsage, "--steps", []string{file, "--steps", "-1"}},
		{exitUsage, "--out", []string{file, "--out", "a.docx"}},
		{exitRefused, "no such file", []string{filepath.Join(t.TempDir(), "gone.inp")}},
		{exitRefused, "line 33: *EQUATION", []string{change("*STEP", "*EQUATION\n*STEP")}},
		{exitRefused, "20 m across", []string{file, "--length-unit", "m"}},
		{exitRefused, "10 GPa", []string{change("0.01, 0.45", "10e3, 0.45")}},
		{exitRefused, "not held", []string{change("1, 1, 3\n2, 2, 3\n3, 3\n4, 1\n4, 3\n5, 1, 2\n6, 2\n8, 1\n", "1, 1, 3\n")}},
		{exitRefused, "inverted", []string{change("1, 1, 2, 3, 7", "1, 2, 1, 3, 7")}},
		{exitRefused, "Poisson", []string{change("0.01, 0.45", "0.01, 0.5")}},
		{exitRefused, "MiB", []string{file, "--memory", "1e-6"}},
	} {
		var out, log bytes.Buffer
		if code := run(t.Context(), append([]string{"solve"}, c.args...), &out, &log); code != c.want {
			t.Errorf("solve %v exits %d, want %d: %s", c.args, code, c.want, log.String())
		}
		at := strings.Index(log.String(), "halsted solve:")
		first, _, _ := strings.Cut(log.String()[max(at, 0):], "\n")
		if at < 0 || !strings.Contains(first, c.word) {
			t.Errorf("solve %v said %q, without %q", c.args, first, c.word)
		}
	}
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"solve", change("0.01, 0.45", "10e3, 0.45"), "--any-units"}, &out, &log); code != exitOK {
		t.Errorf("--any-units: %s", log.String())
	}
}

func TestSolveCanBeCancelled(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log bytes.Buffer
	out := filepath.Join(t.TempDir(), "a.vtu")
	if code := run(ctx, []string{"solve", solveFile(t, "cube.inp", solveDeck), "--out", out}, &log, &log); code != exitCancelled {
		t.Errorf("exits %d: %s", code, log.String())
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a cancelled solve wrote something")
	}
}
