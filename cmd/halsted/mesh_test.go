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

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// twoBalls writes a label map: a ball of label 4 in a ball of label 1, and one
// voxel of label 9 beside them.
func twoBalls(t *testing.T) string {
	t.Helper()
	g := imaging.NewGrid([3]int{48, 40, 40}, r3.Vec{X: -10, Y: 5, Z: 100}, [3]float64{1, 1, 1.2})
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	for n := range l.ID {
		i, j, k := g.IJK(n)
		d := r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), g.Point(20, 19.5, 19.5)))
		switch {
		case d < 7:
			l.ID[n] = 4
		case d < 15:
			l.ID[n] = 1
		}
	}
	l.ID[g.Index(44, 20, 20)] = 9
	path := filepath.Join(t.TempDir(), "balls.nii.gz")
	if err := nifti.WriteLabels(path, l); err != nil {
		t.Fatal(err)
	}
	return path
}

// meshCall runs `halsted mesh … --json`.
func meshCall(t *testing.T, want int, args ...string) (r meshResult, said string) {
	t.Helper()
	var out, log bytes.Buffer
	if code := run(t.Context(), append([]string{"mesh", "--json"}, args...), &out, &log); code != want {
		t.Fatalf("mesh %v exits %d, want %d: %s", args, code, want, log.String())
	}
	if want != exitOK {
		return r, log.String()
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return r, log.String()
}

func TestMeshOfALabelMap(t *testing.T) {
	balls := twoBalls(t)
	file := filepath.Join(t.TempDir(), "balls.msh")
	r, _ := meshCall(t, exitOK, "--labels", balls, "--edge", "4", "--label", "1=shell", "--label", "4=core", "--edge-of", "core=2", "--report", "--out", file)
	if len(r.Labels) != 2 || r.Labels[0].Name != "shell" || r.Labels[1].Name != "core" || r.Tets == 0 || r.Inverted != 0 || r.Fault != "" {
		t.Fatalf("%+v", r)
	}
	for _, l := range r.Labels {
		if l.ErrorPercent == nil || math.Abs(*l.ErrorPercent) > 2 || l.Distance == nil || l.Distance.MeanMM > 0.5 || l.Distance.MaxMM > 3 {
			t.Errorf("%+v", l)
		}
	}
	if r.MinDihedralDeg < 10 || r.MaxDihedralDeg > 160 || r.Components != 2 || r.Dropped != 0 {
		t.Errorf("%+v", r)
	}
	// the file says the same, compared with the same labels
	back, _ := meshCall(t, exitOK, file, "--labels", balls, "--label", "1", "--label", "4")
	if back.Tets != r.Tets || back.Nodes != r.Nodes || math.Abs(back.TetML-r.TetML) > 1e-6*r.TetML || back.Labels[1].Name != "core" ||
		math.Abs(*back.Labels[1].ErrorPercent-*r.Labels[1].ErrorPercent) > 1e-3 {
		t.Errorf("read back %+v, wrote %+v", back, r)
	}
	// and again by way of another unit and format
	cm := filepath.Join(t.TempDir(), "balls.inp")
	meshCall(t, exitOK, file, "--length-unit", "mm", "--out", cm)
	if far, _ := meshCall(t, exitOK, cm, "--length-unit", "cm"); math.Abs(far.TetML-1000*r.TetML) > 1e-3*far.TetML {
		t.Errorf("read as cm: %v ml, want 1000 × %v", far.TetML, r.TetML)
	}
}

func TestSmallPartsAreKeptOrListed(t *testing.T) {
	balls := twoBalls(t)
	r, _ := meshCall(t, exitOK, "--labels", balls, "--edge", "5", "--report")
	if r.Components != 3 || r.Dropped != 0 || len(r.Labels) != 3 || r.Labels[2].Tets == 0 {
		t.Errorf("%+v", r)
	}
	r, _ = meshCall(t, exitOK, "--labels", balls, "--edge", "5", "--report", "--min-component", "5")
	if r.Dropped != 1 || r.DroppedAt[0].Label != "label_9" || r.DroppedAt[0].Voxels != 1 {
		t.Errorf("%+v", r)
	}
}

func TestMeshWritesEveryFormat(t *testing.T) {
	balls, dir := twoBalls(t), t.TempDir()
	first := filepath.Join(dir, "balls.vtu")
	want, _ := meshCall(t, exitOK, "--labels", balls, "--label", "1", "--label", "4", "--edge", "5", "--out", first)
	for _, ext := range []string{".msh", ".inp", ".feb", ".stl", ".ply", ".glb"} {
		file := filepath.Join(dir, "balls"+ext)
		r, _ := meshCall(t, exitOK, first, "--out", file)
		if len(r.Artefacts) != 1 || r.Artefacts[0] != file || (ext == ".stl") != (len(r.Notes) > 0) {
			t.Fatalf("%s: %+v", ext, r)
		}
		back, _ := meshCall(t, exitOK, file)
		ml := back.TetML
		if back.Tets == 0 {
			ml = back.SurfaceML
		} else if back.Tets != want.Tets {
			t.Errorf("%s: %d tets, want %d", ext, back.Tets, want.Tets)
		}
		if math.Abs(ml-want.TetML) > 2e-3*want.TetML { // GLB is quantised
			t.Errorf("%s: %v ml, want %v", ext, ml, want.TetML)
		}
	}
	out := filepath.Join(dir, "both")
	if r, _ := meshCall(t, exitOK, "--labels", balls, "--label", "4=core", "--edge", "5", "--out", out); len(r.Artefacts) != 2 {
		t.Errorf("%+v", r.Artefacts)
	}
	for _, name := range []string{"core.stl", "core.vtu"} {
		if st, err := os.Stat(filepath.Join(out, name)); err != nil || st.Size() == 0 {
			t.Error(name, err)
		}
	}
}

func TestMeshOfSecondOrder(t *testing.T) {
	balls := twoBalls(t)
	file := filepath.Join(t.TempDir(), "balls.inp")
	r, _ := meshCall(t, exitOK, "--labels", balls, "--label", "4=core", "--edge", "4", "--quadratic", "--out", file)
	back, _ := meshCall(t, exitOK, file)
	if !r.Quadratic || !back.Quadratic || back.Tets != r.Tets || back.Nodes != r.Nodes || back.Fault != "" || len(r.Notes) != 1 {
		t.Errorf("wrote %+v, read %+v", r, back)
	}
}

func TestMeshOfMasks(t *testing.T) {
	g := imaging.NewGrid([3]int{30, 30, 30}, r3.Vec{}, [3]float64{1, 1, 1})
	s := imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver)
	for n := range s.Bits {
		i, j, k := g.IJK(n)
		if d := r3.Norm(r3.Vec{X: float64(i) - 14, Y: float64(j) - 14, Z: float64(k) - 14}); d < 12 {
			s.Bits[n] |= 1
			if d < 8 {
				s.Bits[n] |= 2
			}
		}
	}
	dir := t.TempDir()
	masks := filepath.Join(dir, "masks.nii.gz")
	if err := nifti.WriteSegments(masks, s); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	r, _ := meshCall(t, exitOK, masks, "--bits", "body,liver", "--edge", "4", "--out", out)
	if len(r.Labels) != 1 || r.Labels[0].Name != "liver" || math.Abs(*r.Labels[0].ErrorPercent) > 1 || math.Abs(r.SurfaceML-r.VoxelML) > .01*r.VoxelML {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"liver.stl", "liver.vtu"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	r, _ = meshCall(t, exitOK, masks, "--bits", "body,liver", "--label", "body", "--label", "liver", "--edge", "4", "--report")
	if len(r.Labels) != 2 || len(r.Artefacts) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestMeshRefusesInOneSentence(t *testing.T) {
	balls, dir := twoBalls(t), t.TempDir()
	g := imaging.NewGrid([3]int{4, 4, 4}, r3.Vec{}, [3]float64{1, 1, 1})
	empty := filepath.Join(dir, "empty.nii")
	if err := nifti.WriteLabels(empty, &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}); err != nil {
		t.Fatal(err)
	}
	ct := filepath.Join(dir, "ct.nii")
	v := &imaging.Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1}
	v.Data[5] = -1000
	if err := nifti.WriteVolume(ct, v); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.msh")
	if err := os.WriteFile(broken, []byte("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want int
		word string
		args []string
	}{
		{exitRefused, "every voxel is 0", []string{"--labels", empty}},
		{exitRefused, "mm is no label", []string{"--labels", ct}},
		{exitRefused, "it holds 1, 4, 9", []string{"--labels", balls, "--label", "7"}},
		{exitRefused, "edge", []string{"--labels", balls, "--edge", "0.001"}},
		{exitRefused, "no such file", []string{"--labels", filepath.Join(dir, "gone.nii.gz")}},
		{exitRefused, "broken.msh", []string{broken, "--report"}},
		{exitRefused, "no such file", []string{filepath.Join(dir, "gone.stl")}},
		{exitUsage, "want --labels", nil},
		{exitUsage, "LABEL=MM", []string{"--labels", balls, "--edge-of", "4"}},
		{exitUsage, "no such label", []string{"--labels", balls, "--edge-of", "heart=2"}},
		{exitUsage, "above 0", []string{"--labels", balls, "--edge", "-1"}},
		{exitUsage, "--length-unit", []string{"--labels", balls, "--length-unit", "furlong"}},
		{exitUsage, "want a folder or one of", []string{"--labels", balls, "--out", "x.docx"}},
		{exitUsage, "--bits needs", []string{"--bits", "liver", "--labels", balls}},
		{exitUsage, "leave out /", []string{"--labels", balls, "--label", "4=../x"}},
	} {
		args := c.args
		if c.want == exitRefused {
			args = append(args, "--out", filepath.Join(dir, "out"))
		}
		_, said := meshCall(t, c.want, args...)
		first, _, _ := strings.Cut(said[strings.Index(said, "halsted mesh:"):], "\n")
		if !strings.Contains(first, c.word) {
			t.Errorf("mesh %v said %q, without %q", c.args, first, c.word)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a refused run left a folder behind")
	}
}

func TestMeshCanBeCancelled(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log bytes.Buffer
	out := filepath.Join(t.TempDir(), "out")
	if code := run(ctx, []string{"mesh", "--labels", twoBalls(t), "--edge", "2", "--out", out}, &log, &log); code != exitCancelled {
		t.Errorf("exits %d: %s", code, log.String())
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a cancelled run wrote something")
	}
}

func TestShapeNamesItsPlaces(t *testing.T) {
	m := &mesh.TetMesh{
		Nodes: []r3.Vec{{X: 1, Y: 1, Z: 1}, {X: 1, Y: -1, Z: -1}, {X: -1, Y: 1, Z: -1}, {X: -1, Y: -1, Z: 1}, {X: 10}, {X: 11}, {X: 10, Y: 1}, {X: 10, Z: 1}},
		Tets:  [][4]int32{{0, 1, 3, 2}, {4, 5, 6, 7}},
	}
	q := mesh.Quality(m)
	s := shapeOf(&q, m)
	// the corner of a cube: r = 1/(3+√3), R = √3/2; right angles at three edges
	want := 3 / (3 + math.Sqrt(3)) * 2 / math.Sqrt(3)
	if math.Abs(s.RadiusRatio.Worst.Value-want) > 1e-9 || s.RadiusRatio.Worst.AtMM != [3]float64{10.25, .25, .25} ||
		math.Abs(s.MaxDihedral.Value-90) > 1e-9 || s.MaxDihedral.AtMM[0] != 10.25 {
		t.Errorf("corner: %+v, want a radius ratio of %v", s, want)
	}
	empty := mesh.Quality(&mesh.TetMesh{})
	if shapeOf(&empty, &mesh.TetMesh{}) != nil {
		t.Error("an empty mesh has a shape")
	}
}

func TestMeshReportForAPerson(t *testing.T) {
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"mesh", "--labels", twoBalls(t), "--label", "1=shell", "--label", "4=core", "--edge", "4", "--report"}, &out, &log); code != exitOK {
		t.Fatal(log.String())
	}
	for _, want := range []string{"tetrahedra", "shell", "core", "voxels ml", "error %", "max mm off", "all dihedral angles", "radius ratio", "scaled Jacobian", "2 connected parts, 0 left out", "°"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}
