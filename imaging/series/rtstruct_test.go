package series

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// rtROI is an ROI to be written for a test.
type rtROI struct {
	name, kind string // kind of contour; CLOSED_PLANAR when empty
	frame      string // of reference; that of plain stacks when empty
	typ        string // interpreted type
	code       imaging.Code
	contours   []contour
}

// rtSet is a structure set of the given ROIs that refers to plain stacks.
func rtSet(t testing.TB, rois ...rtROI) *dicomfile.Dataset {
	t.Helper()
	b := newItem()
	b.set(dicomfile.SOPClassUID, dicomfile.RTStructureSetStorage)
	b.set(dicomfile.SOPInstanceUID, dicomfile.HashUID("structure set"))
	b.set(dicomfile.Modality, "RTSTRUCT")
	b.set(dicomfile.PatientName, "Phantom")
	frame, study, ser := newItem(), newItem(), newItem()
	ser.set(dicomfile.SeriesInstanceUID, dicomfile.HashUID("series"))
	study.nest(dicomfile.RTReferencedSeriesSequence, ser)
	frame.set(dicomfile.FrameOfReferenceUID, dicomfile.HashUID("frame"))
	frame.nest(dicomfile.RTReferencedStudySequence, study)
	b.nest(dicomfile.ReferencedFrameOfReferenceSequence, frame)
	var list, contours, observations []*builder
	for n, r := range rois {
		if r.kind == "" {
			r.kind = "CLOSED_PLANAR"
		}
		if r.frame == "" {
			r.frame = dicomfile.HashUID("frame")
		}
		roi, drawn, seen := newItem(), newItem(), newItem()
		roi.set(dicomfile.ROINumber, n+1)
		roi.set(dicomfile.ROIName, r.name)
		roi.set(dicomfile.ReferencedFrameOfReferenceUID, r.frame)
		roi.set(dicomfile.ROIGenerationAlgorithm, "MANUAL")
		drawn.set(dicomfile.ReferencedROINumber, n+1)
		drawn.set(dicomfile.ROIDisplayColor, 10, 20, 30+n)
		var items []*builder
		for _, c := range r.contours {
			item := newItem()
			item.set(dicomfile.ContourGeometricType, r.kind)
			item.set(dicomfile.NumberOfContourPoints, len(c))
			var v []float64
			for _, p := range c {
				v = append(v, p.X, p.Y, p.Z)
			}
			item.set(dicomfile.ContourData, v)
			items = append(items, item)
		}
		drawn.nest(dicomfile.ContourSequence, items...)
		seen.set(dicomfile.ReferencedROINumber, n+1)
		seen.set(dicomfile.RTROIInterpretedType, r.typ)
		if r.code.Value != "" {
			seen.nest(dicomfile.RTROIIdentificationCodeSequence, codeItem(r.code))
		}
		list, contours, observations = append(list, roi), append(contours, drawn), append(observations, seen)
	}
	b.nest(dicomfile.StructureSetROISequence, list...)
	b.nest(dicomfile.ROIContourSequence, contours...)
	b.nest(dicomfile.RTROIObservationsSequence, observations...)
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.Dataset
}

// TestContoursDoNotAskForTheOrderOfAxes fills one ball on a grid and on the same
// grid with its axes in every other order.
func TestContoursDoNotAskForTheOrderOfAxes(t *testing.T) {
	g := imaging.NewGrid([3]int{30, 26, 22}, r3.Vec{X: 1, Y: 2, Z: 3}, [3]float64{1, 1.2, 2})
	s := rtRead(t, rtROI{name: "Liver", contours: sphere(r3.Vec{X: 14.3, Y: 16.1, Z: 23.4}, ex, ey, 9, every(4, -8.4, 9)...)})
	want, _, err := s.OnGrid(context.Background(), g)
	if err != nil || want.Count(imaging.LabelLiver) == 0 {
		t.Fatal(err)
	}
	for _, axis := range [][3]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for flip := range 8 {
			r := imaging.Reorder{Axis: axis, Flip: [3]bool{flip&1 != 0, flip&2 != 0, flip&4 != 0}}
			got, rep, err := s.OnGrid(context.Background(), r.Grid(g))
			if err != nil || rep.Resampled {
				t.Fatal(err)
			}
			at := r.Index(g)
			for n := range got.Bits {
				if got.Bits[n] != want.Bits[at(n)] {
					t.Fatalf("%+v: voxel %d", r, n)
				}
			}
		}
	}
}

// rtRead writes and reads a structure set.
func rtRead(t testing.TB, rois ...rtROI) *RTStruct {
	t.Helper()
	b := encode(t, rtSet(t, rois...))
	s, err := ReadRTStruct(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ring is a circle of n points around c in the plane of the unit vectors u, v,
// backwards when r < 0.
func ring(c, u, v r3.Vec, r float64, n int) contour {
	out := make(contour, n)
	for m := range out {
		a := 2 * math.Pi * float64(m) / float64(n)
		out[m] = r3.Add(c, r3.Add(r3.Scale(math.Abs(r)*math.Cos(a), u), r3.Scale(r*math.Sin(a), v)))
	}
	return out
}

// sphere is a ball's contours on planes along n = u × v, at the given distances
// from its centre.
func sphere(c, u, v r3.Vec, r float64, at ...float64) []contour {
	n := r3.Cross(u, v)
	var out []contour
	for _, t := range at {
		if r*r > t*t {
			out = append(out, ring(r3.Add(c, r3.Scale(t, n)), u, v, math.Sqrt(r*r-t*t), 180))
		}
	}
	return out
}

func every(step, from, to float64) []float64 {
	var out []float64
	for n := 0; from+step*float64(n) < to; n++ {
		out = append(out, from+step*float64(n))
	}
	return out
}

var (
	ex, ey, ez = r3.Vec{X: 1}, r3.Vec{Y: 1}, r3.Vec{Z: 1}
	middle     = r3.Vec{X: 32, Y: 32, Z: 32}
)

// TestSpheresOfContours fills spheres drawn in several ways. The areas of the
// contours times their distance are a midpoint rule, which for r² − z² is off
// by no more than π·h²·r/6 and what the two ends leave; the voxels count
// points, which for a circle of radius r is off by far less than its rim.
func TestSpheresOfContours(t *testing.T) {
	const r = 20.0
	exact := 4. / 3 * math.Pi * r * r * r / 1000
	tilted := r3.Unit(r3.Vec{X: 0.3, Y: -0.2, Z: 1})
	tu := r3.Unit(r3.Cross(ey, tilted))
	turned := cube(1)
	c, s := math.Cos(0.4), math.Sin(0.4)
	turned.Axes[0], turned.Axes[2] = r3.Vec{X: c, Z: s}, r3.Vec{X: -s, Z: c}
	turned.Origin = r3.Vec{X: 13.5, Y: 0.5, Z: -10.5}
	for _, x := range []struct {
		name      string
		to        imaging.Grid
		contours  []contour
		tol       float64
		note      string
		resampled bool
	}{
		{"every slice", cube(1), sphere(middle, ex, ey, r, every(1, -19.5, 20)...), 0.005, "", false},
		{"every second slice", cube(1), sphere(middle, ex, ey, r, every(2, -19.5, 20)...), 0.015, "every 2 mm", false},
		{"thick contours on a fine grid", cube(1), sphere(middle, ex, ey, r, every(4.3, -19.2, 20)...), 0.02, "every 4.3 mm", false},
		{"fine contours on a coarse grid", cube(2), sphere(middle, ex, ey, r, every(0.5, -19.75, 20)...), 0.015, "", false},
		{"sagittal contours", cube(1), sphere(middle, ey, ez, r, every(1, -19.5, 20)...), 0.005, "", false},
		{"sagittal contours, sparse", cube(1), sphere(middle, ey, ez, r, every(3, -19.5, 20)...), 0.02, "every 3 mm", false},
		{"tilted contours", cube(1), sphere(middle, tu, r3.Cross(tilted, tu), r, every(1.5, -19.3, 20)...), 0.01, "other planes", true},
		{"contours on a turned grid", turned, sphere(middle, r3.Vec{X: c, Z: s}, ey, r, every(1, -19.5, 20)...), 0.005, "between the planes of the grid", false},
	} {
		set := rtRead(t, rtROI{name: "Liver", contours: x.contours})
		segs, rep, err := set.OnGrid(context.Background(), x.to)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(segs.Of, []imaging.Label{imaging.LabelLiver}) || rep.Resampled != x.resampled {
			t.Fatalf("%s: %v %+v", x.name, segs.Of, rep)
		}
		p := rep.Placed[0]
		got := segs.VolumeMM3(imaging.LabelLiver) / 1000
		if p.OnGrid != segs.Count(imaging.LabelLiver) || math.Abs(p.AfterML/got-1) > 1e-9 {
			t.Errorf("%s: %+v does not say %.3f ml", x.name, p, got)
		}
		if math.Abs(got/exact-1) > x.tol || math.Abs(p.BeforeML/exact-1) > x.tol {
			t.Errorf("%s: %.3f ml of voxels, %.3f ml of contours, the sphere has %.3f", x.name, got, p.BeforeML, exact)
		}
		if x.note == "" && len(rep.Notes) > 0 || !strings.Contains(strings.Join(rep.Notes, "\n"), x.note) {
			t.Errorf("%s: notes %v", x.name, rep.Notes)
		}
		// Every voxel well inside is in, every one well outside is out.
		for n, b := range segs.Bits {
			i, j, k := x.to.IJK(n)
			d := r3.Norm(r3.Sub(x.to.Point(float64(i), float64(j), float64(k)), middle)) - r
			if h := x.to.SpacingMM()[0]; d < -1.5*h && b == 0 || d > 3*h && b != 0 {
				t.Fatalf("%s: voxel %d,%d,%d at %.2f mm from the sphere", x.name, i, j, k, d)
			}
		}
	}
}

// TestHolesAgreeHoweverTheyAreDrawn draws a tube as nested contours, as
// exclusive-or contours and as one contour with a keyhole.
func TestHolesAgreeHoweverTheyAreDrawn(t *testing.T) {
	g := cube(1)
	var nested, keyhole []contour
	for _, z := range every(1, 12.5, 52) {
		c := r3.Vec{X: 32.2, Y: 31.7, Z: z}
		outer, inner := ring(c, ex, ey, 20, 200), ring(c, ex, ey, -8, 200)
		nested = append(nested, inner, outer)
		key := append(slices.Clone(outer), outer[0])
		key = append(append(key, inner...), inner[0])
		keyhole = append(keyhole, key)
	}
	want := math.Pi * (20*20 - 8*8) * 40 / 1000
	var first []uint32
	for name, roi := range map[string]rtROI{
		"nested": {contours: nested}, "xor": {contours: nested, kind: "CLOSEDPLANAR_XOR"}, "keyhole": {contours: keyhole},
	} {
		roi.name = "Spleen"
		segs, rep, err := rtRead(t, roi).OnGrid(context.Background(), g)
		if err != nil {
			t.Fatal(err)
		}
		p := rep.Placed[0]
		if math.Abs(p.AfterML/want-1) > 0.005 || math.Abs(p.BeforeML/want-1) > 0.001 {
			t.Errorf("%s: %.3f ml of voxels, %.3f of contours, want %.3f", name, p.AfterML, p.BeforeML, want)
		}
		if first == nil {
			first = segs.Bits
		}
		if !slices.Equal(first, segs.Bits) {
			t.Errorf("%s gives other voxels", name)
		}
		if name != "keyhole" && (len(rep.Notes) != 1 || !strings.Contains(rep.Notes[0], "40 planes")) {
			t.Errorf("%s: notes %v", name, rep.Notes)
		}
	}
}

// TestContoursGiveBackTheMaskTheyWereDrawnAround draws the outlines of the
// voxels of a random mask on a turned grid.
func TestContoursGiveBackTheMaskTheyWereDrawnAround(t *testing.T) {
	src := one(t, obliqueStack(t, 6).fs(t))
	g, err := src.Grid()
	if err != nil {
		t.Fatal(err)
	}
	want := randomMasks(g, true, imaging.LabelLiver, imaging.LabelHeart)
	var rois []rtROI
	for b, l := range want.Of {
		r := rtROI{name: strings.ToUpper(l.String())}
		for n, bits := range want.Bits {
			if bits>>b&1 == 0 {
				continue
			}
			i, j, k := g.IJK(n)
			x, y, z := float64(i), float64(j), float64(k)
			r.contours = append(r.contours, contour{g.Point(x-.5, y-.5, z), g.Point(x+.5, y-.5, z), g.Point(x+.5, y+.5, z), g.Point(x-.5, y+.5, z)})
		}
		rois = append(rois, r)
	}
	s := rtRead(t, rois...)
	for _, procs := range []int{1, 3} {
		old := runtime.GOMAXPROCS(procs)
		got, rep, err := s.Onto(context.Background(), src, StructureOptions{})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Of, want.Of) {
			t.Fatalf("structures %v", got.Of)
		}
		for n := range got.Bits {
			if _, _, k := g.IJK(n); got.Bits[n] != want.Bits[n] {
				t.Fatalf("voxel %d on plane %d: %b, want %b; %v", n, k, got.Bits[n], want.Bits[n], rep.Notes)
			}
		}
	}
}

func TestContoursWithGapsAndBeyondTheGrid(t *testing.T) {
	g := cube(1)
	at := slices.DeleteFunc(every(1, -19.5, 20), func(z float64) bool { return z == 0.5 || z == 4.5 || z == 5.5 })
	s := rtRead(t, rtROI{name: "Liver", contours: sphere(middle, ex, ey, 20, at...)},
		rtROI{name: "Spleen", contours: sphere(r3.Vec{X: 60, Y: 32, Z: 32}, ex, ey, 10, every(1, -9.5, 10)...)},
		rtROI{name: "Heart", contours: sphere(r3.Vec{X: 600, Y: 32, Z: 32}, ex, ey, 10, every(1, -9.5, 10)...)},
		rtROI{name: "Stomach"},
		rtROI{name: "Isocentre", kind: "POINT", contours: []contour{{middle}}})
	segs, rep, err := s.OnGrid(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{32, 36, 37} {
		for n := k * 64 * 64; n < (k+1)*64*64; n++ {
			if segs.Bits[n]&1 != 0 {
				t.Fatalf("plane %d without a contour was filled", k)
			}
		}
	}
	notes := strings.Join(rep.Notes, "\n")
	for _, want := range []string{"ROI 1: 3 mm between", "ROI 2 reaches outside", "ROI 3 reaches outside the grid: 4.", "0.00 ml on the grid", "ROI 5: 1 points"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is missing in\n%s", want, notes)
		}
	}
	if len(rep.Placed) != 5 || rep.Placed[2].OnGrid != 0 || rep.Placed[3].OnGrid != 0 || s.ROIs[4].Open != 1 {
		t.Errorf("%+v", rep.Placed)
	}
}

func TestRTStructNamesAndCodes(t *testing.T) {
	c := sphere(middle, ex, ey, 5, 0.5)
	s := rtRead(t,
		rtROI{name: "liver", contours: c},
		rtROI{name: "Kidney_L", contours: c},
		rtROI{name: "structure 7", contours: c, code: imaging.Code{Value: "78961009", Scheme: "SCT", Meaning: "Spleen"}},
		rtROI{name: "outline", contours: c, typ: "EXTERNAL"},
		rtROI{name: "boost", contours: c, typ: "GTV"},
		rtROI{name: "Tumor 1", contours: c},
		rtROI{name: "PTV_John_Doe", contours: c, typ: "PTV"},
		rtROI{name: "portal_vein", contours: c})
	segs, rep, err := s.OnGrid(context.Background(), cube(1))
	if err != nil {
		t.Fatal(err)
	}
	want := []imaging.Label{imaging.LabelLiver, imaging.LabelKidneyLeft, imaging.LabelSpleen, imaging.LabelBody, imaging.LabelTumour, imaging.LabelTumour + 1, imaging.LabelPortalVein}
	if !slices.Equal(segs.Of, want) {
		t.Fatalf("structures %v, want %v", segs.Of, want)
	}
	if u := rep.Unknown(); len(u) != 1 || u[0].Number != 7 || u[0].OnGrid == 0 {
		t.Errorf("unknown: %d", len(u))
	}
	if !s.ROIs[0].HasColour || s.ROIs[1].Colour != [3]uint8{10, 20, 31} || s.ROIs[0].Algorithm != "MANUAL" {
		t.Errorf("ROI 1 and 2: %v %v", s.ROIs[0].Colour, s.ROIs[1].Colour)
	}
	if told := fmt.Sprintf("%v %+v %s", s, s, strings.Join(rep.Notes, " ")); strings.Contains(told, "John") {
		t.Errorf("a name is told: %s", told)
	}
	mask, err := s.MaskOn(context.Background(), cube(1), 6)
	if err != nil || !slices.Contains(mask, true) {
		t.Error(err)
	}
}

func TestRTStructFrames(t *testing.T) {
	ctx := context.Background()
	src := one(t, plain(4).fs(t))
	c := []contour{ring(r3.Vec{X: -8, Y: 21, Z: -27.5}, ex, ey, 1.2, 40)}
	other := dicomfile.HashUID("elsewhere")
	_, _, err := rtRead(t, rtROI{name: "Liver", frame: other, contours: c}).Onto(ctx, src, StructureOptions{})
	if e, ok := errors.AsType[*FrameOfReferenceError](err); !ok || e.Missing {
		t.Fatalf("got %v", err)
	}
	s := rtRead(t, rtROI{name: "Liver", frame: other, contours: c}, rtROI{name: "Heart", frame: other, contours: c}, rtROI{name: "Spleen", contours: c})
	segs, rep, err := s.Onto(ctx, src, StructureOptions{})
	if err != nil || !slices.Equal(segs.Of, []imaging.Label{imaging.LabelSpleen}) || len(rep.Placed) != 3 || len(rep.Notes) != 2 {
		t.Fatalf("%v %+v", err, rep)
	}
	segs, _, err = s.Onto(ctx, src, StructureOptions{AnyFrame: true})
	if err != nil || len(segs.Of) != 3 || segs.Count(imaging.LabelLiver) == 0 {
		t.Fatalf("%v", err)
	}
	if !s.Refers(src) {
		t.Error("the set names the series")
	}
}

func TestRTStructRefusals(t *testing.T) {
	c := sphere(middle, ex, ey, 5, 0.5)
	for name, edit := range map[string]func(d *dicomfile.Dataset){
		"another kind": func(d *dicomfile.Dataset) { set(t, d, dicomfile.SOPClassUID, dicomfile.CTImageStorage) },
		"a count that lies": func(d *dicomfile.Dataset) {
			set(t, d.Items(dicomfile.ROIContourSequence)[0].Items(dicomfile.ContourSequence)[0], dicomfile.NumberOfContourPoints, 7)
		},
		"a number too many": func(d *dicomfile.Dataset) {
			set(t, d.Items(dicomfile.ROIContourSequence)[0].Items(dicomfile.ContourSequence)[0], dicomfile.ContourData, []float64{1, 2, 3, 4})
		},
		"a point far away": func(d *dicomfile.Dataset) {
			item := d.Items(dicomfile.ROIContourSequence)[0].Items(dicomfile.ContourSequence)[0]
			set(t, item, dicomfile.ContourData, []float64{1e12, 2, 3})
			set(t, item, dicomfile.NumberOfContourPoints, 1)
		},
		"no type of contour": func(d *dicomfile.Dataset) {
			d.Items(dicomfile.ROIContourSequence)[0].Items(dicomfile.ContourSequence)[0].Delete(dicomfile.ContourGeometricType)
		},
		"a number given twice": func(d *dicomfile.Dataset) {
			set(t, d.Items(dicomfile.StructureSetROISequence)[1], dicomfile.ROINumber, 1)
		},
		"no number": func(d *dicomfile.Dataset) { d.Items(dicomfile.StructureSetROISequence)[1].Delete(dicomfile.ROINumber) },
	} {
		d := rtSet(t, rtROI{name: "Jane^Doe", contours: c}, rtROI{name: "Heart"})
		edit(d)
		b := encode(t, d)
		_, err := ReadRTStruct(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{})
		if _, ok := errors.AsType[*ObjectError](err); !ok || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Contours that are not planar, or in two directions: listed, not placed.
	bent := ring(middle, ex, ey, 10, 40)
	bent[3].Z += 4
	s := rtRead(t, rtROI{name: "Liver", contours: []contour{bent}}, rtROI{name: "Heart", contours: append(sphere(middle, ex, ey, 5, 0.5), sphere(middle, ey, ez, 5, 0.5)...)})
	segs, rep, err := s.OnGrid(context.Background(), cube(1))
	if err != nil || len(segs.Of) != 0 || len(rep.Notes) != 2 || !strings.Contains(rep.Notes[0], "2.00 mm off") {
		t.Fatalf("%v %+v", err, rep)
	}
	if _, err := s.MaskOn(context.Background(), cube(1), 0); err == nil {
		t.Error("a bent contour gives a mask")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s = rtRead(t, rtROI{name: "Liver", contours: c})
	if _, _, err := s.OnGrid(ctx, cube(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
