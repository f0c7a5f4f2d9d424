package series_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing/fstest"

	"halsted/imaging/dicomfile"
	"halsted/imaging/series"
)

// Three slices of one pixel, named out of order, become a volume ordered from
// feet to head.
func Example() {
	fsys := fstest.MapFS{}
	for k, name := range []string{"c", "a", "b"} {
		d := dicomfile.New()
		for _, e := range []struct {
			tag   dicomfile.Tag
			value any
		}{
			{dicomfile.SOPClassUID, dicomfile.CTImageStorage},
			{dicomfile.SOPInstanceUID, dicomfile.HashUID("example", name)},
			{dicomfile.Modality, "CT"},
			{dicomfile.ImagePositionPatient, []float64{0, 0, 2.5 * float64(k)}},
			{dicomfile.ImageOrientationPatient, []int{1, 0, 0, 0, 1, 0}},
			{dicomfile.PixelSpacing, []float64{0.7, 0.7}},
			{dicomfile.SamplesPerPixel, 1}, {dicomfile.PhotometricInterpretation, "MONOCHROME2"},
			{dicomfile.Rows, 1}, {dicomfile.Columns, 1},
			{dicomfile.BitsAllocated, 16}, {dicomfile.BitsStored, 12}, {dicomfile.HighBit, 11}, {dicomfile.PixelRepresentation, 0},
			{dicomfile.RescaleIntercept, -1024}, {dicomfile.RescaleSlope, 1},
			{dicomfile.PixelData, binary.LittleEndian.AppendUint16(nil, uint16(1024+50*k))},
		} {
			if err := d.Set(e.tag, e.value); err != nil {
				fmt.Println(err)
			}
		}
		var b bytes.Buffer
		if err := dicomfile.Write(&b, d); err != nil {
			fmt.Println(err)
		}
		fsys[name] = &fstest.MapFile{Data: b.Bytes()}
	}
	list, err := series.Read(context.Background(), fsys, series.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := list[0].Volume(context.Background(), nil)
	fmt.Println(list[0].Files(), v.Data, v.Kind, v.Grid.SpacingMM(), err)
	// Output: [c a b] [0 50 100] HU [0.7 0.7 2.5] <nil>
}
