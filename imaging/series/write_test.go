package series

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"testing/fstest"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// stack makes DICOM files of a small series in memory.
type stack struct {
	cols, rows, n     int
	step              float64
	signed            bool
	allocated, stored int
	high              int // HighBit; 0 means stored-1
	slope, intercept  float64
	// hu is the true value of voxel (i,j,k); slope and intercept must give it
	// whole stored values.
	hu func(i, j, k int) int
	// edit changes slice k before it is written; nil leaves it.
	edit func(k int, d *dicomfile.Dataset)
	// name of the file of slice k.
	name func(k int) string
}

func plain(n int) stack {
	return stack{
		cols: 7, rows: 5, n: n, step: 2.5, signed: true, allocated: 16, stored: 16, slope: 1,
		hu:   func(i, j, k int) int { return 10*i - 100*j + 7*k - 300 },
		name: func(k int) string { return fmt.Sprintf("%03d.dcm", k) },
	}
}

func set(t testing.TB, d *dicomfile.Dataset, tag dicomfile.Tag, v ...any) {
	t.Helper()
	if err := d.Set(tag, v...); err != nil {
		t.Fatal(err)
	}
}

// dataset is slice k.
func (s stack) dataset(t testing.TB, k int) *dicomfile.Dataset {
	t.Helper()
	d := dicomfile.New()
	rep := 0
	if s.signed {
		rep = 1
	}
	high := s.high
	if high == 0 {
		high = s.stored - 1
	}
	for _, e := range []struct {
		t dicomfile.Tag
		v any
	}{
		{dicomfile.ImageType, []string{"ORIGINAL", "PRIMARY", "AXIAL"}},
		{dicomfile.SOPClassUID, dicomfile.CTImageStorage}, {dicomfile.SOPInstanceUID, dicomfile.HashUID("instance", fmt.Sprint(k))},
		{dicomfile.Modality, "CT"}, {dicomfile.PatientName, "Phantom"}, {dicomfile.PatientID, "P1"},
		{dicomfile.StudyInstanceUID, dicomfile.HashUID("study")}, {dicomfile.SeriesInstanceUID, dicomfile.HashUID("series")},
		{dicomfile.FrameOfReferenceUID, dicomfile.HashUID("frame")}, {dicomfile.InstanceNumber, s.n - k},
		{dicomfile.ImagePositionPatient, []float64{-10, 20, -30 + s.step*float64(k)}},
		{dicomfile.ImageOrientationPatient, []float64{1, 0, 0, 0, 1, 0}},
		{dicomfile.SamplesPerPixel, 1}, {dicomfile.PhotometricInterpretation, "MONOCHROME2"},
		{dicomfile.Rows, s.rows}, {dicomfile.Columns, s.cols}, {dicomfile.PixelSpacing, []float64{0.75, 0.5}},
		{dicomfile.BitsAllocated, s.allocated}, {dicomfile.BitsStored, s.stored}, {dicomfile.HighBit, high},
		{dicomfile.PixelRepresentation, rep},
		{dicomfile.RescaleIntercept, s.intercept}, {dicomfile.RescaleSlope, s.slope},
	} {
		set(t, d, e.t, e.v)
	}
	var b []byte
	for j := range s.rows {
		for i := range s.cols {
			v := int(math.Round((float64(s.hu(i, j, k)) - s.intercept) / s.slope))
			v &= 1<<s.stored - 1
			v <<= high + 1 - s.stored
			// Bits outside the stored ones are overlay: set some.
			junk := 0xA5A5 &^ ((1<<s.stored - 1) << (high + 1 - s.stored))
			if s.allocated == 8 {
				b = append(b, byte(v|junk))
			} else {
				b = binary.LittleEndian.AppendUint16(b, uint16(v|junk))
			}
		}
	}
	set(t, d, dicomfile.PixelData, b)
	if s.edit != nil {
		s.edit(k, d)
	}
	return d
}

func encode(t testing.TB, d *dicomfile.Dataset) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := dicomfile.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (s stack) fs(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for k := range s.n {
		out[s.name(k)] = &fstest.MapFile{Data: encode(t, s.dataset(t, k))}
	}
	return out
}

// one reads a file system that holds one series.
func one(t testing.TB, fsys fstest.MapFS) *Series {
	t.Helper()
	list, err := Read(context.Background(), fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("%d series, want 1", len(list))
	}
	return list[0]
}

func volume(t testing.TB, fsys fstest.MapFS) *imaging.Volume {
	t.Helper()
	v, err := one(t, fsys).Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(); err != nil {
		t.Fatal(err)
	}
	return v
}

// same checks every voxel against the stack's truth.
func (s stack) same(t testing.TB, v *imaging.Volume) {
	t.Helper()
	if v.Grid.Size != [3]int{s.cols, s.rows, s.n} {
		t.Fatalf("size %v", v.Grid.Size)
	}
	for n := range v.Data {
		i, j, k := v.Grid.IJK(n)
		if got := v.Value(n); got != float64(s.hu(i, j, k)) {
			t.Fatalf("voxel (%d,%d,%d) is %v, want %d", i, j, k, got, s.hu(i, j, k))
		}
	}
}
