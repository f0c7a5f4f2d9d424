package nrrd

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"halsted/imaging"
)

// unu is the tool of Teem, the library that defines the format.
func unu(t *testing.T, args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("unu")
	if err != nil {
		if tool, err = exec.LookPath("teem-unu"); err != nil {
			if os.Getenv("HALSTED_REQUIRE_PEERS") != "" {
				t.Fatal("unu is missing; install teem-apps")
			}
			t.Skip("NOT TESTED: unu is missing; install teem-apps")
		}
	}
	var out, log bytes.Buffer
	cmd := exec.Command(tool, args...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("unu %v: %v: %s", args, err, log.String())
	}
	return out.String()
}

// TestPeerReadsAndWrites passes images through Teem: raw, compressed, detached,
// with another type, with the axes in another order.
func TestPeerReadsAndWrites(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	v := randomVolume(turned(), 3)
	if err := WriteVolume(at("v.nrrd"), v, Options{RAS: true}); err != nil {
		t.Fatal(err)
	}
	unu(t, "save", "-f", "nrrd", "-e", "raw", "-i", at("v.nrrd"), "-o", at("raw.nrrd"))
	unu(t, "save", "-f", "nrrd", "-e", "gzip", "-i", at("v.nrrd"), "-o", at("gz.nrrd"))
	unu(t, "save", "-f", "nrrd", "-e", "raw", "-i", at("v.nrrd"), "-o", at("apart.nhdr"))
	unu(t, "convert", "-t", "double", "-i", at("v.nrrd"), "-o", at("double.nrrd"))
	for _, name := range []string{"v.nrrd", "raw.nrrd", "gz.nrrd", "apart.nhdr", "double.nrrd"} {
		got, err := ReadVolume(at(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !got.Grid.Matches(v.Grid, 1e-9) {
			t.Errorf("%s: grid %v", name, got.Grid)
		}
		for n := range v.Data {
			if got.Data[n] != v.Data[n] {
				t.Fatalf("%s: sample %d is %d, want %d", name, n, got.Data[n], v.Data[n])
			}
		}
	}
	unu(t, "permute", "-p", "2", "0", "1", "-i", at("v.nrrd"), "-o", at("turned.nrrd"))
	got, err := ReadVolume(at("turned.nrrd"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range v.Data { // every voxel keeps its place
		i, j, k := v.Grid.IJK(n)
		x, y, z := got.Grid.Voxel(v.Grid.Point(float64(i), float64(j), float64(k)))
		m := got.Grid.Index(int(math.Round(x)), int(math.Round(y)), int(math.Round(z)))
		if got.Data[m] != v.Data[n] {
			t.Fatalf("turned: voxel %d,%d,%d", i, j, k)
		}
	}
	s := overlapping(turned())
	if err := WriteSegments(at("s.seg.nrrd"), s, Options{}); err != nil {
		t.Fatal(err)
	}
	unu(t, "permute", "-p", "1", "2", "3", "0", "-i", at("s.seg.nrrd"), "-o", at("last.seg.nrrd")) // layers last
	for _, name := range []string{"s.seg.nrrd", "last.seg.nrrd"} {
		back, err := ReadSegmentation(at(name))
		if err != nil {
			t.Fatal(err)
		}
		for n := range s.Of {
			for m, in := range back.Mask(n) {
				if in != (s.Bits[m]>>n&1 != 0) {
					t.Fatalf("%s: segment %d, voxel %d", name, n, m)
				}
			}
		}
	}
	// The peer counts the liver: number 1 of layer 0.
	unu(t, "slice", "-a", "0", "-p", "0", "-i", at("s.seg.nrrd"), "-o", at("layer.nrrd"))
	unu(t, "histo", "-b", "256", "-min", "0", "-max", "255", "-t", "uint", "-i", at("layer.nrrd"), "-o", at("hist.nrrd"))
	unu(t, "crop", "-min", "1", "-max", "1", "-i", at("hist.nrrd"), "-o", at("one.nrrd"))
	text := strings.Fields(unu(t, "save", "-f", "text", "-i", at("one.nrrd"), "-o", "-"))
	if n, err := strconv.Atoi(text[len(text)-1]); err != nil || n != s.Count(imaging.LabelLiver) {
		t.Errorf("the peer counts %v voxels of the liver, we %d", text, s.Count(imaging.LabelLiver))
	}
}
