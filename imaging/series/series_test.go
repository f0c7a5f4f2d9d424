package series

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

func TestStackKeepsValuesAndPlace(t *testing.T) {
	s := plain(6)
	v := volume(t, s.fs(t))
	s.same(t, v)
	if v.Kind != imaging.KindHU || v.Slope != 1 || v.Intercept != 0 {
		t.Fatalf("kind %v slope %v intercept %v", v.Kind, v.Slope, v.Intercept)
	}
	want := imaging.Grid{Size: [3]int{7, 5, 6}, Origin: r3.Vec{X: -10, Y: 20, Z: -30},
		Axes: [3]r3.Vec{{X: 0.5}, {Y: 0.75}, {Z: 2.5}}} // PixelSpacing is row spacing first
	if v.Grid != want {
		t.Fatalf("grid %v, want %v", v.Grid, want)
	}
}

func TestStoredFormsGiveTheSameHU(t *testing.T) {
	for name, edit := range map[string]func(*stack){
		"signed 12 of 16":             func(s *stack) { s.stored = 12 },
		"unsigned 12 of 16":           func(s *stack) { s.stored, s.signed, s.intercept = 12, false, -1024 },
		"unsigned 16":                 func(s *stack) { s.signed, s.intercept = false, -1024 },
		"unsigned 16 above int16":     func(s *stack) { s.signed, s.intercept = false, -40000 },
		"signed 12 in the high bits":  func(s *stack) { s.stored, s.high = 12, 15 },
		"unsigned 10 in the middle":   func(s *stack) { s.stored, s.high, s.signed, s.intercept = 10, 12, false, -900 },
		"slope 2":                     func(s *stack) { even(s); s.slope = 2 },
		"slope one half":              func(s *stack) { s.slope = 0.5 },
		"negative slope":              func(s *stack) { s.slope = -1 },
		"8 bits unsigned":             func(s *stack) { s.allocated, s.stored, s.signed, s.intercept, s.slope = 8, 8, false, -800, 4; even(s) },
		"8 bits signed, 7 stored":     func(s *stack) { s.allocated, s.stored, s.slope, s.intercept = 8, 7, 8, -360; eighths(s) },
		"every slice its own rescale": func(s *stack) { s.edit = rescaleEach(t, *s) },
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(4)
			edit(&s)
			v := volume(t, s.fs(t))
			s.same(t, v)
			if v.Slope != 1 || v.Intercept != 0 {
				t.Fatalf("slope %v intercept %v, want HU directly", v.Slope, v.Intercept)
			}
		})
	}
}

func even(s *stack) { s.hu = func(i, j, k int) int { return 8*i - 64*j + 4*k - 400 } }
func eighths(s *stack) {
	s.hu = func(i, j, k int) int { return 8*i - 80*j + 8*k - 200 }
}

// rescaleEach gives slice k an intercept of its own, and stored values to match.
func rescaleEach(t *testing.T, s stack) func(int, *dicomfile.Dataset) {
	return func(k int, d *dicomfile.Dataset) {
		other := s
		other.edit, other.intercept = nil, float64(-50*k)
		from := other.dataset(t, k)
		b, _ := from.PixelBytes()
		set(t, d, dicomfile.PixelData, b)
		set(t, d, dicomfile.RescaleIntercept, other.intercept)
	}
}

func TestValuesThatAreNoWholeHUKeepTheirRescale(t *testing.T) {
	s := plain(3)
	s.edit = func(_ int, d *dicomfile.Dataset) { set(t, d, dicomfile.RescaleSlope, 0.3) }
	v := volume(t, s.fs(t))
	if v.Slope != 0.3 || v.Intercept != 0 || int(v.Data[3]) != s.hu(3, 0, 0) {
		t.Fatalf("slope %v intercept %v first values %v", v.Slope, v.Intercept, v.Data[:4])
	}

	// Extended CT scale: unsigned values beyond int16 even after the intercept.
	s = plain(3)
	s.signed, s.intercept = false, -1024
	s.hu = func(i, j, k int) int { return 9000*i + j + k - 1024 }
	v = volume(t, s.fs(t))
	s.same(t, v)
	if v.Intercept == 0 {
		t.Fatal("values up to 52 982 HU cannot be int16")
	}
}

func TestDifferentInexactRescalesAreRefused(t *testing.T) {
	s := plain(4)
	s.edit = func(k int, d *dicomfile.Dataset) { set(t, d, dicomfile.RescaleSlope, 1+0.001*float64(k)) }
	_, err := one(t, s.fs(t)).Volume(context.Background(), nil)
	e, ok := errors.AsType[*RescaleError](err)
	if !ok || e.File != "001.dcm" {
		t.Fatalf("got %v", err)
	}
}

func TestPaddingBelowAirBecomesAir(t *testing.T) {
	s := plain(3)
	s.hu = func(i, j, k int) int {
		if i == 0 {
			return -2000
		}
		return 40
	}
	s.edit = func(_ int, d *dicomfile.Dataset) { set(t, d, dicomfile.PixelPaddingValue, -2000) }
	sr := one(t, s.fs(t))
	v, err := sr.Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Data[0] != -1024 || v.Data[1] != 40 || len(sr.Notes) != 1 {
		t.Fatalf("values %v, notes %v", v.Data[:2], sr.Notes)
	}
	// A padding value that is also tissue stays what it is.
	s.edit = func(_ int, d *dicomfile.Dataset) { set(t, d, dicomfile.PixelPaddingValue, 40) }
	if v := volume(t, s.fs(t)); v.Data[0] != -2000 || v.Data[1] != 40 {
		t.Fatalf("values %v", v.Data[:2])
	}
}

func TestOrderComesFromGeometryAlone(t *testing.T) {
	s := plain(9)
	want := volume(t, s.fs(t))
	s.name = func(k int) string { return fmt.Sprintf("sub%d/%03d", k%2, k*7%9) }
	got := volume(t, s.fs(t))
	if !reflect.DeepEqual(want, got) {
		t.Fatal("shuffled names change the volume")
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	fsys := plain(12).fs(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want, digest := volume(t, fsys), one(t, fsys).Digest()
	for _, procs := range []int{2, 7} {
		runtime.GOMAXPROCS(procs)
		if !reflect.DeepEqual(want, volume(t, fsys)) || one(t, fsys).Digest() != digest {
			t.Fatalf("GOMAXPROCS %d gives another volume", procs)
		}
	}
}

func TestDigestFollowsContentNotIdentity(t *testing.T) {
	s := plain(4)
	base := one(t, s.fs(t)).Digest()
	s.edit = func(_ int, d *dicomfile.Dataset) {
		set(t, d, dicomfile.PatientID, "SOMEONE ELSE")
		set(t, d, dicomfile.SeriesInstanceUID, dicomfile.HashUID("other"))
	}
	if one(t, s.fs(t)).Digest() != base {
		t.Fatal("identity changes the digest")
	}
	s.edit = func(k int, d *dicomfile.Dataset) {
		b, _ := d.PixelBytes()
		b = slices.Clone(b)
		b[0] ^= byte(k / 3)
		set(t, d, dicomfile.PixelData, b)
	}
	if one(t, s.fs(t)).Digest() == base {
		t.Fatal("one changed bit keeps the digest")
	}
}

func TestObliqueGridIsRightHanded(t *testing.T) {
	s := plain(4)
	s.edit = func(k int, d *dicomfile.Dataset) {
		set(t, d, dicomfile.ImageOrientationPatient, []float64{-1, 0, 0, 0, 0, 1}) // mirrored coronal
		set(t, d, dicomfile.ImagePositionPatient, []float64{1, 2.5 * float64(k), 3})
	}
	v := volume(t, s.fs(t))
	if !v.Grid.RightHanded() || v.Grid.Point(1, 1, 1) != (r3.Vec{X: 0.5, Y: 2.5, Z: 3.75}) {
		t.Fatalf("grid %+v", v.Grid)
	}
	s.same(t, v)
}

func TestCopiesAndLocalisersAreLeftOutAndNoted(t *testing.T) {
	s := plain(5)
	want := volume(t, s.fs(t))
	fsys := s.fs(t)
	fsys["zz copy"] = fsys[s.name(2)]
	scout := s.dataset(t, 0)
	set(t, scout, dicomfile.ImageType, "ORIGINAL", "PRIMARY", "LOCALIZER")
	set(t, scout, dicomfile.ImageOrientationPatient, []float64{1, 0, 0, 0, 0, -1})
	set(t, scout, dicomfile.SOPInstanceUID, dicomfile.HashUID("scout"))
	fsys["scout"] = &fstest.MapFile{Data: encode(t, scout)}
	report := dicomfile.New()
	set(t, report, dicomfile.SOPClassUID, "1.2.840.10008.5.1.4.1.1.88.11")
	set(t, report, dicomfile.SOPInstanceUID, dicomfile.HashUID("report"))
	set(t, report, dicomfile.Modality, "SR")
	fsys["report.dcm"] = &fstest.MapFile{Data: encode(t, report)}
	fsys["readme.txt"] = &fstest.MapFile{Data: []byte("not an image")}
	sr := one(t, fsys)
	v, err := sr.Volume(context.Background(), nil)
	if err != nil || !reflect.DeepEqual(v, want) {
		t.Fatalf("%v", err)
	}
	if len(sr.Notes) != 2 || len(sr.Ignored) != 2 {
		t.Fatalf("notes %v, ignored %v", sr.Notes, sr.Ignored)
	}
}

func TestCancelAndProgress(t *testing.T) {
	fsys := plain(20).fs(t)
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Read(ctx, fsys, Options{Progress: func(done float64) {
		if done > 0.2 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	sr := one(t, fsys)
	if _, err := sr.Volume(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	last := 0.0
	if _, err := sr.Volume(context.Background(), func(done float64) {
		if done <= last {
			t.Errorf("progress %v after %v", done, last)
		}
		last = done
	}); err != nil || last != 1 {
		t.Fatalf("%v, progress ends at %v", err, last)
	}
}

func TestChangedFileIsNoticed(t *testing.T) {
	s := plain(4)
	fsys := s.fs(t)
	sr := one(t, fsys)
	s.hu = func(i, j, k int) int { return 0 }
	fsys["002.dcm"] = &fstest.MapFile{Data: encode(t, s.dataset(t, 2))}
	_, err := sr.Volume(context.Background(), nil)
	if e, ok := errors.AsType[*ChangedError](err); !ok || e.File != "002.dcm" {
		t.Fatalf("got %v", err)
	}
}

func TestReadDirNamesWhatIsWrongWithTheFolder(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadDir(context.Background(), dir, Options{})
	if e, ok := errors.AsType[*NoDICOMError](err); !ok || e.Files != 0 {
		t.Fatalf("empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(strings.Repeat("text ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadDir(context.Background(), dir, Options{})
	if e, ok := errors.AsType[*NoDICOMError](err); !ok || e.Files != 1 {
		t.Fatalf("text only: %v", err)
	}
	if _, err = ReadDir(context.Background(), filepath.Join(dir, "a.txt"), Options{}); err == nil || !strings.Contains(err.Error(), "a.txt is a file") {
		t.Fatalf("file for a folder: %v", err)
	}
	if _, err = ReadDir(context.Background(), filepath.Join(dir, "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("missing folder: %v", err)
	}
	if _, err = Read(context.Background(), plain(4).fs(t), Options{MaxFiles: 3}); err == nil {
		t.Fatal("4 files pass MaxFiles 3")
	}
}

func TestIdentityStaysOutOfLogsAndVerbs(t *testing.T) {
	s := one(t, plain(2).fs(t))
	if s.ID.Modality != "CT" || s.ID.StudyInstanceUID != dicomfile.HashUID("study") || s.ID.SeriesInstanceUID != dicomfile.HashUID("series") {
		t.Fatal("wrong identity")
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("read", "series", s.ID, "object", plain(2).dataset(t, 0))
	slog.New(slog.NewJSONHandler(&b, nil)).Info("read", "series", s.ID)
	fmt.Fprintf(&b, "%v %+v %#v %s %q %d", s.ID, s.ID, s.ID, s.ID, s.ID, s.ID)
	fmt.Fprintf(&b, "%v %+v %#v", plain(2).dataset(t, 0), plain(2).dataset(t, 0), plain(2).dataset(t, 0))
	for _, secret := range []string{s.ID.StudyInstanceUID, s.ID.SeriesInstanceUID, "2.25.", "Phantom", "P1"} {
		if strings.Contains(b.String(), secret) {
			t.Fatalf("%q in %s", secret, b.String())
		}
	}
	if !strings.Contains(b.String(), "modality=CT") {
		t.Fatalf("no modality in %s", b.String())
	}
}
