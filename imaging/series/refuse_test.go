package series

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"halsted/imaging/dicomfile"
)

// TestDefectsAreRefusedByName gives each defect to one slice of ten and wants
// the typed error that names it. Errors are compared whole where every field
// is known, else by type and file.
func TestDefectsAreRefusedByName(t *testing.T) {
	at := func(k int, edit func(d *dicomfile.Dataset)) func(int, *dicomfile.Dataset) {
		return func(n int, d *dicomfile.Dataset) {
			if n == k {
				edit(d)
			}
		}
	}
	move := func(x, y, z float64) func(d *dicomfile.Dataset) {
		return func(d *dicomfile.Dataset) { set(t, d, dicomfile.ImagePositionPatient, x, y, z) }
	}
	value := func(tag dicomfile.Tag, v ...any) func(d *dicomfile.Dataset) {
		return func(d *dicomfile.Dataset) { set(t, d, tag, v...) }
	}
	frame := dicomfile.HashUID("another frame")
	for name, c := range map[string]struct {
		edit func(int, *dicomfile.Dataset)
		want error
	}{
		"one step too far": {func(k int, d *dicomfile.Dataset) {
			if k > 3 {
				move(-10, 20, -30+2.5*float64(k+1))(d)
			}
		}, &GapError{"003.dcm", "004.dcm", -22.5, 2.5, 5, 1}},
		"spacing changes": {func(k int, d *dicomfile.Dataset) {
			if k > 7 {
				move(-10, 20, -30+2.5*7+1.25*float64(k-7))(d)
			}
		}, &GapError{"007.dcm", "008.dcm", -12.5, 2.5, 1.25, 0}},
		"slice half a step off": {at(5, move(-10, 20, -16.25)), &GapError{"004.dcm", "005.dcm", -20, 2.5, 3.75, 0}},
		"gantry tilt": {func(k int, d *dicomfile.Dataset) {
			move(-10, 20+2.5*float64(k), -30+2.5*float64(k))(d)
		}, &TiltError{"000.dcm", "001.dcm", 2.5, 45}},
		"two phases at one place": {at(5, move(-10, 20, -20)), &DuplicateError{"005.dcm", "004.dcm", -20, false}},
		"turned slice": {at(6, value(dicomfile.ImageOrientationPatient, []float64{0.6, 0.8, 0, -0.8, 0.6, 0})),
			&OrientationError{"006.dcm", "000.dcm", math.Acos(0.6) * 180 / math.Pi}},
		"turned first slice": {at(0, value(dicomfile.ImageOrientationPatient, []float64{1, 0, 0, 0, -1, 0})),
			&OrientationError{"000.dcm", "001.dcm", 180}},
		"smaller matrix": {at(2, func(d *dicomfile.Dataset) { set(t, d, dicomfile.Rows, 4) }),
			&MixedSizeError{"002.dcm", "000.dcm", [2]int{7, 4}, [2]int{7, 5}}},
		"other pixel spacing": {at(2, value(dicomfile.PixelSpacing, []float64{0.75, 0.501})), &MixedError{"PixelSpacing", "002.dcm", "000.dcm"}},
		"other patient":       {at(9, value(dicomfile.PatientID, "P2")), &MixedError{"PatientID", "009.dcm", "000.dcm"}},
		"other name":          {at(9, value(dicomfile.PatientName, "Q")), &MixedError{"PatientName", "009.dcm", "000.dcm"}},
		"other frame":         {at(1, value(dicomfile.FrameOfReferenceUID, frame)), &MixedError{"FrameOfReferenceUID", "001.dcm", "000.dcm"}},
		"pixels short": {at(4, func(d *dicomfile.Dataset) { set(t, d, dicomfile.PixelData, make([]byte, 60)) }),
			&TruncatedError{"004.dcm", 70, 60}},
		"no pixels": {at(4, func(d *dicomfile.Dataset) { d.Delete(dicomfile.PixelData) }),
			&AttributeError{"PixelData", "004.dcm", "is missing"}},
		"compressed": {at(4, func(d *dicomfile.Dataset) { d.SetFragments("1.2.840.10008.1.2.4.70", []byte{1, 2}) }),
			&UnsupportedSyntaxError{"004.dcm", "1.2.840.10008.1.2.4.70", "JPEG", "dcmdjpeg IN OUT (dcmtk)"}},
		"multi-frame": {at(4, func(d *dicomfile.Dataset) {
			set(t, d, dicomfile.NumberOfFrames, 2)
			set(t, d, dicomfile.PixelData, make([]byte, 140))
		}), &MultiFrameError{"004.dcm", 2}},
		"enhanced":         {at(4, value(dicomfile.SOPClassUID, dicomfile.EnhancedCTStorage)), &MultiFrameError{"004.dcm", 1}},
		"inverted grey":    {at(4, value(dicomfile.PhotometricInterpretation, "MONOCHROME1")), &UnsupportedPixelError{"004.dcm", "MONOCHROME1 (inverted grey) is not read; invert it to MONOCHROME2 first"}},
		"high bit":         {at(4, value(dicomfile.HighBit, 31)), &UnsupportedPixelError{"004.dcm", "BitsStored 16 and HighBit 31 do not fit 16 bits; fetch the file again"}},
		"no position":      {at(4, func(d *dicomfile.Dataset) { d.Delete(dicomfile.ImagePositionPatient) }), &AttributeError{"ImagePositionPatient", "004.dcm", "is missing"}},
		"orientation of 5": {at(4, value(dicomfile.ImageOrientationPatient, []float64{1, 0, 0, 0, 1})), &AttributeError{"ImageOrientationPatient", "004.dcm", "has 5 values, 6 are needed"}},
		"orientation of 0": {at(4, value(dicomfile.ImageOrientationPatient, make([]float64, 6))), &AttributeError{"ImageOrientationPatient", "004.dcm", "is not made of unit vectors"}},
		"slanted":          {at(4, value(dicomfile.ImageOrientationPatient, []float64{1, 0, 0, 0.6, 0.8, 0})), &AttributeError{"ImageOrientationPatient", "004.dcm", "is not orthogonal"}},
		"no spacing":       {at(4, func(d *dicomfile.Dataset) { set(t, d, dicomfile.PixelSpacing) }), &AttributeError{"PixelSpacing", "004.dcm", "is missing"}},
		"negative spacing": {at(4, value(dicomfile.PixelSpacing, []float64{-1, 1})), &AttributeError{"PixelSpacing", "004.dcm", "is -1 mm"}},
		"no rescale":       {at(4, func(d *dicomfile.Dataset) { d.Delete(dicomfile.RescaleIntercept) }), &RescaleError{"004.dcm", "RescaleIntercept is missing, so its values are not known to be HU"}},
		"slope zero":       {at(4, value(dicomfile.RescaleSlope, 0)), &RescaleError{"004.dcm", "RescaleSlope is 0, all values would be the same"}},
		"everything is a scout": {func(_ int, d *dicomfile.Dataset) {
			set(t, d, dicomfile.ImageType, "ORIGINAL", "PRIMARY", "LOCALIZER")
		}, &TooFewSlicesError{0, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(10)
			s.edit = c.edit
			sr := one(t, s.fs(t))
			v, err := sr.Volume(context.Background(), nil)
			if v != nil || err == nil {
				t.Fatal("accepted")
			}
			if !near(err, c.want) {
				t.Fatalf("got %T %v\nwant %v", err, err, c.want)
			}
			if !strings.HasPrefix(err.Error(), "series: ") || strings.Contains(err.Error(), "Phantom") {
				t.Fatalf("text %q", err)
			}
			if sr.Check() != err || sr.Digest() != "" {
				t.Fatal("Check and Volume disagree")
			}
		})
	}
}

// near compares two errors of one type, floats within 1e-9.
func near(a, b error) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Type() != y.Type() {
		return false
	}
	x, y = x.Elem(), y.Elem()
	for n := range x.NumField() {
		f, g := x.Field(n), y.Field(n)
		if f.CanFloat() {
			if math.Abs(f.Float()-g.Float()) > 1e-9 {
				return false
			}
		} else if f.Interface() != g.Interface() {
			return false
		}
	}
	return true
}

func TestSingleSliceIsNoVolume(t *testing.T) {
	err := one(t, plain(1).fs(t)).Check()
	if e, ok := errors.AsType[*TooFewSlicesError](err); !ok || e.Slices != 1 {
		t.Fatalf("got %v", err)
	}
}

func TestJitterOfRoundedPositionsIsAccepted(t *testing.T) {
	s := plain(10)
	s.edit = func(k int, d *dicomfile.Dataset) {
		set(t, d, dicomfile.ImagePositionPatient, -10.0, 20.0, -30+2.5*float64(k)+0.004*float64(k%3-1))
	}
	s.same(t, volume(t, s.fs(t)))
}

func TestDriftThatAddsUpIsRefused(t *testing.T) {
	s := plain(40)
	s.edit = func(k int, d *dicomfile.Dataset) {
		z := 2.5 * float64(k)
		if k > 20 {
			z += 0.02 * float64(k-20) // each step within the tolerance
		}
		set(t, d, dicomfile.ImagePositionPatient, -10.0, 20.0, z)
	}
	if _, ok := errors.AsType[*GapError](one(t, s.fs(t)).Check()); !ok {
		t.Fatal("accepted")
	}
}

func TestTruncatedHeaderIsAnErrorOfTheFolder(t *testing.T) {
	fsys := plain(4).fs(t)
	whole := fsys["002.dcm"].Data
	fsys["002.dcm"] = &fstest.MapFile{Data: whole[:700]}
	_, err := Read(context.Background(), fsys, Options{})
	if _, ok := errors.AsType[*dicomfile.TruncatedError](err); !ok || !strings.Contains(err.Error(), "002.dcm") {
		t.Fatalf("got %v", err)
	}
	// Cut within the pixels, the file still says which series it hurts.
	fsys["002.dcm"] = &fstest.MapFile{Data: whole[:len(whole)-9]}
	_, err = one(t, fsys).Volume(context.Background(), nil)
	if e, ok := errors.AsType[*TruncatedError](err); !ok || *e != (TruncatedError{"002.dcm", 70, 61}) {
		t.Fatalf("got %v", err)
	}
}

func TestOtherSeriesSurviveABadOne(t *testing.T) {
	fsys := plain(4).fs(t)
	bad := plain(4)
	bad.edit = func(k int, d *dicomfile.Dataset) {
		set(t, d, dicomfile.SeriesInstanceUID, dicomfile.HashUID("bad"))
		if k == 1 {
			set(t, d, dicomfile.Rows, 6)
		}
	}
	for name, f := range bad.fs(t) {
		fsys["bad/"+name] = f
	}
	list, err := Read(context.Background(), fsys, Options{})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d series, %v", len(list), err)
	}
	good := 0
	for _, s := range list {
		if s.Check() == nil {
			good++
		} else if e, ok := errors.AsType[*TruncatedError](s.Check()); !ok || e.File != "001.dcm" {
			t.Fatalf("got %v", s.Check())
		}
	}
	if good != 1 {
		t.Fatalf("%d good series", good)
	}
}

func TestFrameOfReferencePerFileIsNoted(t *testing.T) {
	s := plain(4)
	s.edit = func(k int, d *dicomfile.Dataset) {
		set(t, d, dicomfile.FrameOfReferenceUID, dicomfile.HashUID("frame", string(rune('a'+k))))
	}
	sr := one(t, s.fs(t))
	if sr.Check() != nil || len(sr.Notes) != 1 {
		t.Fatalf("%v, notes %v", sr.Check(), sr.Notes)
	}
	s.n = 2 // with two slices it may just as well be a patient who moved
	if _, ok := errors.AsType[*MixedError](one(t, s.fs(t)).Check()); !ok {
		t.Fatal("accepted")
	}
}
