package series_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing/fstest"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/series"
)

// exampleSeries is a CT of the given number of slices of 4×4 pixels of
// 0.5 × 0.5 mm, 2 mm apart, in files named out of order.
func exampleSeries(slices int) (*series.Series, error) {
	fsys := fstest.MapFS{}
	for k := range slices {
		d := dicomfile.New()
		for _, e := range []struct {
			tag   dicomfile.Tag
			value any
		}{
			{dicomfile.SOPClassUID, dicomfile.CTImageStorage},
			{dicomfile.SOPInstanceUID, dicomfile.HashUID("example", fmt.Sprint(k))},
			{dicomfile.StudyInstanceUID, dicomfile.HashUID("example study")},
			{dicomfile.SeriesInstanceUID, dicomfile.HashUID("example series")},
			{dicomfile.FrameOfReferenceUID, dicomfile.HashUID("example frame")},
			{dicomfile.Modality, "CT"},
			{dicomfile.ImagePositionPatient, []float64{0, 0, 2 * float64(k)}},
			{dicomfile.ImageOrientationPatient, []int{1, 0, 0, 0, 1, 0}},
			{dicomfile.PixelSpacing, []float64{0.5, 0.5}},
			{dicomfile.SamplesPerPixel, 1}, {dicomfile.PhotometricInterpretation, "MONOCHROME2"},
			{dicomfile.Rows, 4}, {dicomfile.Columns, 4},
			{dicomfile.BitsAllocated, 16}, {dicomfile.BitsStored, 16}, {dicomfile.HighBit, 15}, {dicomfile.PixelRepresentation, 1},
			{dicomfile.RescaleIntercept, 0}, {dicomfile.RescaleSlope, 1},
			{dicomfile.PixelData, make([]byte, 2*4*4)},
		} {
			if err := d.Set(e.tag, e.value); err != nil {
				return nil, err
			}
		}
		var b bytes.Buffer
		if err := dicomfile.Write(&b, d); err != nil {
			return nil, err
		}
		fsys[fmt.Sprint(slices-k)] = &fstest.MapFile{Data: b.Bytes()}
	}
	list, err := series.Read(context.Background(), fsys, series.Options{})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// A liver of 20 voxels with a tumour of 4 inside goes into a DICOM segmentation
// and comes back: 20 × 0.5 mm³, and the overlap is kept.
func ExampleWriteSEG() {
	ctx := context.Background()
	src, err := exampleSeries(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := src.Grid()
	if err != nil {
		fmt.Println(err)
		return
	}
	segs := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour)
	for n := range 20 {
		segs.Bits[n] = 1
	}
	for n := range 4 {
		segs.Bits[n] = 3
	}
	var b bytes.Buffer
	if err := series.WriteSEG(ctx, &b, segs, src, series.SEGOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	seg, err := series.ReadSEG(&b, -1, dicomfile.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	back, report, err := seg.Onto(ctx, src, series.StructureOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(seg, "resampled:", report.Resampled)
	for _, p := range report.Placed {
		fmt.Printf("%v %s %d voxels %.3f ml\n", p.Structure, p.Code.Value, back.Count(p.Structure), p.AfterML)
	}
	// Output:
	// BINARY segmentation of 2 segments in 3 frames resampled: false
	// liver 10200004 20 voxels 0.010 ml
	// tumour_1 108369006 4 voxels 0.002 ml
}

// A square of 1 × 1 mm drawn on two planes 2 mm apart, with a name of AAPM TG-263,
// fills the left kidney: 2 × 2 pixels of 0.5 mm on each plane.
func ExampleReadRTStruct() {
	item := func(values map[dicomfile.Tag]any) *dicomfile.Dataset {
		d := dicomfile.New()
		for tag, v := range values {
			if err := d.Set(tag, v); err != nil {
				fmt.Println(err)
			}
		}
		return d
	}
	var contours []*dicomfile.Dataset
	for _, z := range []float64{2, 4} {
		contours = append(contours, item(map[dicomfile.Tag]any{
			dicomfile.ContourGeometricType: "CLOSED_PLANAR", dicomfile.NumberOfContourPoints: 4,
			dicomfile.ContourData: []float64{0.25, 0.25, z, 1.25, 0.25, z, 1.25, 1.25, z, 0.25, 1.25, z},
		}))
	}
	var b bytes.Buffer
	if err := dicomfile.Write(&b, item(map[dicomfile.Tag]any{
		dicomfile.SOPClassUID: dicomfile.RTStructureSetStorage, dicomfile.SOPInstanceUID: dicomfile.HashUID("example set"),
		dicomfile.StructureSetROISequence: []*dicomfile.Dataset{item(map[dicomfile.Tag]any{
			dicomfile.ROINumber: 1, dicomfile.ROIName: "Kidney_L", dicomfile.ReferencedFrameOfReferenceUID: dicomfile.HashUID("example frame")})},
		dicomfile.ROIContourSequence: []*dicomfile.Dataset{item(map[dicomfile.Tag]any{
			dicomfile.ReferencedROINumber: 1, dicomfile.ContourSequence: contours})},
	})); err != nil {
		fmt.Println(err)
		return
	}
	set, err := series.ReadRTStruct(&b, -1, dicomfile.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := exampleSeries(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, report, err := set.Onto(context.Background(), src, series.StructureOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := report.Placed[0]
	fmt.Printf("%v: %v, %d voxels, %.3f ml in contours, %.3f ml on the grid\n", set, p.Structure, p.OnGrid, p.BeforeML, p.AfterML)
	// Output: structure set of 1 ROIs with 2 closed contours: kidney_left, 8 voxels, 0.004 ml in contours, 0.004 ml on the grid
}

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
