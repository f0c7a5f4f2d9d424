package series

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"

	"halsted/imaging/dicomfile"
)

// raised is a file moved up by one millimetre under an instance UID of its own.
func raised(t testing.TB, b []byte) []byte {
	t.Helper()
	d, err := dicomfile.Read(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := d.Floats(dicomfile.ImagePositionPatient)
	if !ok {
		t.Fatal("no position")
	}
	set(t, d, dicomfile.ImagePositionPatient, p[0], p[1], p[2]+1)
	set(t, d, dicomfile.SOPInstanceUID, dicomfile.HashUID("raised"))
	return encode(t, d)
}

// FuzzVolume stacks a foreign file with two sound slices: whatever it is, the
// answer is an error or a volume on a valid grid.
func FuzzVolume(f *testing.F) {
	s := plain(3)
	sound := [2][]byte{encode(f, s.dataset(f, 0)), encode(f, s.dataset(f, 1))}
	f.Add(encode(f, s.dataset(f, 2)))
	s.stored, s.signed = 12, false
	f.Add(encode(f, s.dataset(f, 2)))
	s.edit = func(_ int, d *dicomfile.Dataset) {
		set(f, d, dicomfile.PixelPaddingValue, 3)
		set(f, d, dicomfile.RescaleSlope, 0.5)
	}
	f.Add(encode(f, s.dataset(f, 2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := fstest.MapFS{"0": {Data: sound[0]}, "1": {Data: sound[1]}, "2": {Data: b}}
		list, err := Read(context.Background(), fsys, Options{Limits: dicomfile.Limits{FileBytes: 1 << 20, InflatedBytes: 1 << 20}})
		if err != nil {
			return
		}
		for _, s := range list {
			v, err := s.Volume(context.Background(), nil)
			if err != nil {
				continue
			}
			if err := v.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
