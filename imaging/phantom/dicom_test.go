package phantom

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/series"
)

// small is a scan of the sample patient that is quick to make.
func small(t testing.TB) *imaging.Volume {
	t.Helper()
	l := sample()
	v, err := l.Volume(context.Background(), l.GridAt([3]float64{6, 6, 12}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run starts an external program and returns what it printed.
func run(t *testing.T, apt, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install %s", name, apt)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	// dciodvfy exits non-zero for warnings too; its words are what counts.
	if err != nil && name != "dciodvfy" {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestWrittenSlicesPassDciodvfyAndDcmdump(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ct")
	v := small(t)
	if err := WriteSeries(context.Background(), dir, v, sample().SeriesID()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CT00001.dcm", "CT00020.dcm"} {
		out := run(t, "dicom3tools", "dciodvfy", filepath.Join(dir, name))
		if !strings.Contains(out, "CTImage") {
			t.Errorf("%s: dciodvfy did not take the file for a CT image:\n%s", name, out)
		}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "Error") {
				t.Errorf("%s: dciodvfy: %s", name, line)
			}
		}
	}
	out := run(t, "dcmtk", "dcmdump", filepath.Join(dir, "CT00001.dcm"))
	for _, want := range []string{"[HALSTED^SAMPLE]", "[SAMPLE-1]", "=CTImageStorage", `[6\6]`, `[1\0\0\0\1\0]`, "=LittleEndianExplicit"} {
		if !strings.Contains(out, want) {
			t.Errorf("dcmdump does not show %s:\n%s", want, out)
		}
	}
}

func TestWrittenSeriesComesBackExactly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "ct")
	v := small(t)
	if err := WriteSeries(context.Background(), dir, v, SeriesID{PatientID: "X"}); err != nil {
		t.Fatal(err)
	}
	all, err := series.ReadDir(context.Background(), dir, series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d series", len(all))
	}
	got, err := all[0].Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Grid.Matches(v.Grid, 1e-6) {
		t.Errorf("grid %+v, want %+v", got.Grid, v.Grid)
	}
	if got.Slope != 1 || got.Intercept != 0 || got.Kind != imaging.KindHU || !slices.Equal(got.Data, v.Data) {
		t.Error("voxels changed on the way through DICOM")
	}
}

func TestUIDsFollowFromContent(t *testing.T) {
	v := small(t)
	uids := func(v *imaging.Volume, id SeriesID, k int) [4]string {
		ds, err := sliceObject(v, k, id, contentHash(v))
		if err != nil {
			t.Fatal(err)
		}
		var out [4]string
		for n, tag := range []dicomfile.Tag{dicomfile.StudyInstanceUID, dicomfile.SeriesInstanceUID, dicomfile.FrameOfReferenceUID, dicomfile.SOPInstanceUID} {
			out[n], _ = ds.String(tag)
			if !strings.HasPrefix(out[n], "2.25.") || len(out[n]) > 64 {
				t.Errorf("UID %q", out[n])
			}
		}
		return out
	}
	id := SeriesID{PatientID: "A"}
	a := uids(v, id, 3)
	if b := uids(v, id, 3); a != b {
		t.Error("same content, other UIDs")
	}
	if b := uids(v, id, 4); a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[3] == b[3] {
		t.Errorf("slices 3 and 4 of one series: %v %v", a, b)
	}
	w := *v
	w.Data = slices.Clone(v.Data)
	w.Data[len(w.Data)-1]++
	for n, b := range [][4]string{uids(v, SeriesID{PatientID: "B"}, 3), uids(&w, id, 3)} {
		for m := range a {
			if a[m] == b[m] {
				t.Errorf("change %d kept UID %d", n, m)
			}
		}
	}
}

func TestWriteSeriesLeavesNothingBehindOnFailure(t *testing.T) {
	root := t.TempDir()
	v := small(t)
	left := func() []string {
		var names []string
		es, err := os.ReadDir(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			names = append(names, e.Name())
		}
		return names
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := WriteSeries(ctx, filepath.Join(root, "ct"), v, SeriesID{}); !errors.Is(err, context.Canceled) || len(left()) != 0 {
		t.Errorf("cancelled: error %v, left %v", err, left())
	}
	if err := WriteSeries(context.Background(), filepath.Join(root, "ct"), v, SeriesID{PatientName: "LONG^NAME", PatientSex: strings.Repeat("X", 20)}); err == nil || len(left()) != 0 {
		t.Errorf("bad name: error %v, left %v", err, left())
	} else if strings.Contains(err.Error(), "LONG") || strings.Contains(err.Error(), "XX") {
		t.Errorf("error shows the patient's name: %v", err)
	}
	other := *v
	other.Kind = imaging.KindMR
	if err := WriteSeries(context.Background(), filepath.Join(root, "ct"), &other, SeriesID{}); err == nil || len(left()) != 0 {
		t.Errorf("MR: error %v, left %v", err, left())
	}
	if err := os.WriteFile(filepath.Join(root, "note"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteSeries(context.Background(), root, v, SeriesID{}); err == nil || !slices.Equal(left(), []string{"note"}) {
		t.Errorf("full folder: error %v, left %v", err, left())
	}
}

func TestSeriesIDStaysOutOfLogs(t *testing.T) {
	if s := sample().SeriesID().LogValue().String(); bytes.Contains([]byte(s), []byte("SAMPLE")) {
		t.Errorf("log value %q", s)
	}
}
