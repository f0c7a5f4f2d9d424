package dicomfile_test

import (
	"bytes"
	"fmt"

	"halsted/imaging/dicomfile"
)

// An object is made, written as a Part 10 file and read back.
func Example() {
	d := dicomfile.New()
	for _, e := range []struct {
		tag   dicomfile.Tag
		value any
	}{
		{dicomfile.SOPClassUID, dicomfile.CTImageStorage},
		{dicomfile.SOPInstanceUID, dicomfile.HashUID("example")},
		{dicomfile.Rows, 2}, {dicomfile.Columns, 2}, {dicomfile.BitsAllocated, 16},
		{dicomfile.PixelSpacing, []float64{0.743, 0.743}},
		{dicomfile.PixelData, []byte{1, 0, 2, 0, 3, 0, 4, 0}},
	} {
		if err := d.Set(e.tag, e.value); err != nil {
			fmt.Println(err)
		}
	}
	var b bytes.Buffer
	if err := dicomfile.Write(&b, d); err != nil {
		fmt.Println(err)
	}
	got, err := dicomfile.Read(&b, int64(b.Len()), dicomfile.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	spacing, _ := got.Floats(dicomfile.PixelSpacing)
	pixels, _ := got.PixelBytes()
	fmt.Println(spacing, pixels, got.TransferSyntax())
	// Output: [0.743 0.743] [1 0 2 0 3 0 4 0] 1.2.840.10008.1.2.1
}

func ExampleHashUID() {
	fmt.Println(dicomfile.HashUID("phantom", "seed 1", "slice 42"))
	// Output: 2.25.225105851951827162478781935757053313594
}
