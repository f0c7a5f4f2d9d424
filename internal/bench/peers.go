package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// The peers' sources are in internal/bench/peers; they are measured in the same
// run as ours, in turns.

// runOnOneCore runs a peer and decodes what it prints.
func runOnOneCore(result any, name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return cmd, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(errs.Bytes()))
	}
	return cmd, json.Unmarshal(out, result)
}

// vtkTimes is what peers/surfaces.py prints.
type vtkTimes struct {
	CPUS      float64 `json:"cpu_s"`
	Triangles int     `json:"triangles"`
}

// vtk runs one task of peers/surfaces.py.
func vtk(base, task string) (t vtkTimes, err error) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import vtk, numpy").Run(); err != nil {
		return t, &missingError{"install python3-vtk9 python3-numpy"}
	}
	_, err = runOnOneCore(&t, python, filepath.Join("internal", "bench", "peers", "surfaces.py"), base, task)
	return t, err
}

// cgalTimes is what peers/cgal.cpp prints.
type cgalTimes struct {
	RefineS float64 `json:"refine_s"`
	CPUS    float64 `json:"cpu_s"` // slivers removed
	peakMB  float64
}

// cgalSliverSeconds caps each of CGAL's two sliver removers, wall time; without
// a cap they run for minutes.
const cgalSliverSeconds = 6

// cgalSizes are CGAL's facet size, facet distance and cell size, mm.
type cgalSizes [3]float64

// cgal meshes an input and dumps the mesh.
func cgal(base, dump string, z cgalSizes) (t cgalTimes, err error) {
	program, err := cgalProgram()
	if err != nil {
		return t, err
	}
	s, err := readScene(base + ".json")
	if err != nil {
		return t, err
	}
	args := []string{base + ".raw"}
	for _, v := range []any{s.Dims[0], s.Dims[1], s.Dims[2], s.Sp[0], s.Sp[1], s.Sp[2], z[0], z[1], z[2], cgalSliverSeconds, dump} {
		args = append(args, fmt.Sprint(v))
	}
	cmd, err := runOnOneCore(&t, program, args...)
	if err == nil {
		t.peakMB = peakMB(cmd)
	}
	return t, err
}

// cgalProgram compiles the driver once.
var cgalProgram = sync.OnceValues(func() (string, error) {
	source := filepath.Join("internal", "bench", "peers", "cgal.cpp")
	program := filepath.Join(inputDir, "cgal")
	if newer(program, source) {
		return program, nil
	}
	if _, err := exec.LookPath("g++"); err != nil || !exists("/usr/include/CGAL/Labeled_mesh_domain_3.h") {
		return "", &missingError{"install g++ libcgal-dev libgmp-dev libmpfr-dev libboost-dev"}
	}
	if err := os.MkdirAll(inputDir, 0o755); err != nil {
		return "", err
	}
	out, err := exec.Command("g++", "-O3", "-DNDEBUG", "-o", program, source, "-lgmp", "-lmpfr").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("g++ %s: %w: %s", source, err, out[:min(len(out), 2000)])
	}
	return program, nil
})

// newer reports whether a exists and is not older than b.
func newer(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && !ia.ModTime().Before(ib.ModTime())
}

// peerText is what a peer reached, or why it could not be measured.
func peerText(err error, format string, args ...any) string {
	if missing, ok := errors.AsType[*missingError](err); ok {
		return "not measured: " + missing.remedy
	}
	if err != nil {
		return "not measured: " + err.Error()
	}
	return fmt.Sprintf(format, args...)
}
