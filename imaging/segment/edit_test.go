package segment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// someEdits are one of each kind.
func someEdits() []segment.Edit {
	return []segment.Edit{
		{Do: segment.EditRefine, Label: "liver", Inside: segment.Points(inCap), Outside: segment.Points(inLump)},
		{Do: segment.EditPaint, Label: "tumour_2", Path: segment.Points(r3.Vec{Z: 4}, r3.Vec{Y: 10, Z: 4}), RadiusMM: 5},
		{Do: segment.EditErase, Label: "liver", Path: segment.Points(r3.Vec{}), RadiusMM: 4},
		{Do: segment.EditFill, Label: "liver"},
		{Do: segment.EditRelabel, Label: "tumour_2", To: "spleen", Path: segment.Points(r3.Vec{Y: 3, Z: 4})},
	}
}

func history(t *testing.T) (*segment.History, *imaging.Segments) {
	t.Helper()
	v, s, _ := bump(8)
	h, err := segment.NewHistory(t.Context(), v, s, abdomen())
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

// Undo and redo, to every state and back, restore the masks bit by bit and the
// structures with them.
func TestUndoAndRedoRestoreEveryBit(t *testing.T) {
	h, s := history(t)
	type state struct {
		hash string
		bits []uint32
		of   []imaging.Label
	}
	now := func() state { return state{h.Hash(), slices.Clone(s.Bits), slices.Clone(s.Of)} }
	states := []state{now()}
	for _, e := range someEdits() {
		p, err := h.Do(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if p.Voxels == 0 && e.Do != segment.EditFill {
			t.Errorf("%s changed nothing", e.Do)
		}
		states = append(states, now())
	}
	same := func(want state) {
		t.Helper()
		if h.Hash() != want.hash || !slices.Equal(s.Bits, want.bits) || !slices.Equal(s.Of, want.of) {
			t.Fatalf("the state %.8s is not as it was", want.hash)
		}
	}
	if slices.Equal(states[3].bits, states[2].bits) {
		t.Error("erasing changed nothing")
	}
	for n := len(states) - 2; n >= 0; n-- {
		if _, err := h.Undo(); err != nil {
			t.Fatal(err)
		}
		same(states[n])
	}
	if _, err := h.Undo(); !errors.Is(err, segment.ErrNothing) {
		t.Errorf("undo at the root: %v", err)
	}
	for n := 1; n < len(states); n++ {
		if _, err := h.Redo(); err != nil {
			t.Fatal(err)
		}
		same(states[n])
	}
	if _, err := h.Redo(); !errors.Is(err, segment.ErrNothing) {
		t.Errorf("redo at the end: %v", err)
	}
	// a branch from the second state, and over to the first branch again
	if err := h.Goto(states[2].hash); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Do(t.Context(), segment.Edit{Do: segment.EditErase, Label: "bone", Path: segment.Points(r3.Vec{Z: -42}), RadiusMM: 6}); err != nil {
		t.Fatal(err)
	}
	branch := now()
	if err := h.Goto(states[5].hash); err != nil {
		t.Fatal(err)
	}
	same(states[5])
	if err := h.Goto(branch.hash); err != nil {
		t.Fatal(err)
	}
	same(branch)
	if ends := h.Ends(); !slices.Equal(ends, []string{states[5].hash, branch.hash}) {
		t.Errorf("ends %v", ends)
	}
	if got := len(h.Edits()); got != 3 {
		t.Errorf("%d edits on the branch, want 3", got)
	}
	if h.Goto("no") == nil {
		t.Error("a state that is not there was found")
	}
	if most := len(s.Bits); h.Bytes() > most {
		t.Errorf("the history takes %d bytes for masks of %d", h.Bytes(), 4*most)
	}
}

// Edits made again on the same masks, by way of their file, lead to the same
// state; on other masks, another scan, recipe or order they are refused and
// change nothing.
func TestApplyEditsReplaysAndRefuses(t *testing.T) {
	h, done := history(t)
	for _, e := range someEdits() {
		if _, err := h.Do(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := segment.WriteEdits(&file, h.Edits()); err != nil {
		t.Fatal(err)
	}
	edits, err := segment.ReadEdits(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	v, s, _ := bump(8)
	again, err := segment.ApplyEdits(t.Context(), v, s, abdomen(), edits)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != h.Hash() || !slices.Equal(s.Bits, done.Bits) || !slices.Equal(s.Of, done.Of) {
		t.Error("the edits lead elsewhere the second time")
	}
	refused := func(name string, number int, v *imaging.Volume, s *imaging.Segments, r segment.Recipe, edits []segment.Edit) {
		t.Helper()
		before := slices.Clone(s.Bits)
		_, err := segment.ApplyEdits(t.Context(), v, s, r, edits)
		parent, ok := errors.AsType[*segment.ParentError](err)
		e, _ := errors.AsType[*segment.EditError](err)
		if !ok || parent.Want == parent.Have || e == nil || e.Number != number {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(s.Bits, before) {
			t.Errorf("%s: the masks changed", name)
		}
	}
	v, s, _ = bump(8)
	s.Bits[12345] ^= 1
	refused("one voxel differs", 1, v, s, abdomen(), edits)
	v, s, _ = bump(8)
	v.Data[777]++
	refused("one sample differs", 1, v, s, abdomen(), edits)
	v, s, _ = bump(8)
	refused("another recipe", 1, v, s, with(abdomen(), "liver", "OpenMM", 7), edits)
	refused("one left out", 3, v, s, abdomen(), slices.Delete(slices.Clone(edits), 2, 3))
	changed := slices.Clone(edits)
	changed[1].RadiusMM = 6
	refused("one changed", 3, v, s, abdomen(), changed)
	// an edit that fails on its own
	bad := slices.Clone(edits[:1])
	bad = append(bad, segment.Edit{Version: 1, Parent: edits[1].Parent, Do: segment.EditErase, Label: "brain", Path: segment.Points(r3.Vec{}), RadiusMM: 3})
	before := slices.Clone(s.Bits)
	_, err = segment.ApplyEdits(t.Context(), v, s, abdomen(), bad)
	if none, ok := errors.AsType[*segment.NotFoundError](err); !ok || none.Label != imaging.LabelBrain || !slices.Equal(s.Bits, before) {
		t.Errorf("erasing what is not there: %v", err)
	}
}

// A brush is the ball it says: the volume of a capsule of radius 8 over 20 mm
// and of its erasure; and it paints nothing outside the body.
func TestBrushIsABall(t *testing.T) {
	h, s := history(t)
	if _, err := h.Do(t.Context(), segment.Edit{Do: segment.EditPaint, Label: "tumour_1", Path: segment.Points(r3.Vec{X: -10}, r3.Vec{X: 10}), RadiusMM: 8}); err != nil {
		t.Fatal(err)
	}
	want := math.Pi * 64 * (20 + 8*4.0/3)
	if got := s.VolumeMM3(imaging.LabelTumour); math.Abs(got/want-1) > 0.02 {
		t.Errorf("painted %.0f mm³, want %.0f", got, want)
	}
	p, err := h.Do(t.Context(), segment.Edit{Do: segment.EditErase, Label: "tumour_1", Path: segment.Points(r3.Vec{X: 10}, r3.Vec{X: -10}), RadiusMM: 8})
	if err != nil || s.Count(imaging.LabelTumour) != 0 || p.Removed != p.Voxels {
		t.Errorf("%d voxels are left after erasing: %v", s.Count(imaging.LabelTumour), err)
	}
	if _, err := h.Do(t.Context(), segment.Edit{Do: segment.EditPaint, Label: "tumour_1", Path: segment.Points(r3.Vec{X: 44}), RadiusMM: 8}); err != nil {
		t.Fatal(err)
	}
	for n, b := range s.Bits {
		if b&s.Bit(imaging.LabelTumour) != 0 && b&s.Bit(imaging.LabelBody) == 0 {
			t.Fatalf("voxel %d was painted outside the body", n)
		}
	}
}

func TestEditsAreChecked(t *testing.T) {
	good := segment.Edit{Version: 1, Parent: strings.Repeat("0a", 32), Do: segment.EditRefine, Label: "liver", Inside: segment.Points(r3.Vec{})}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(e *segment.Edit){
		"version": func(e *segment.Edit) { e.Version = 2 },
		"parent":  func(e *segment.Edit) { e.Parent = "0a" },
		"do":      func(e *segment.Edit) { e.Do, e.Inside = "guess", nil },
		"label":   func(e *segment.Edit) { e.Label = "soul" },
		"to":      func(e *segment.Edit) { e.To = "spleen" },
		"inside":  func(e *segment.Edit) { e.Inside = nil },
		"outside": func(e *segment.Edit) { e.Outside = [][3]float64{{0, 1e9, 0}} },
		"path":    func(e *segment.Edit) { e.Path = e.Inside },
		"radius_mm": func(e *segment.Edit) {
			e.Do, e.Path, e.Inside, e.RadiusMM = segment.EditPaint, e.Inside, nil, math.NaN()
		},
		"reach_mm": func(e *segment.Edit) { e.ReachMM = -1 },
	} {
		e := good
		change(&e)
		bad, ok := errors.AsType[*segment.EditError](e.Validate())
		if !ok || bad.Field != field {
			t.Errorf("%s: %v", field, e.Validate())
		}
	}
}

// The report follows the edits: a painted structure has a line with its volume,
// an emptied one is missing and not in the masks.
func TestReportFollowsEdits(t *testing.T) {
	v, s, _ := bump(8)
	h, err := segment.NewHistory(t.Context(), v, s, abdomen())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []segment.Edit{
		{Do: segment.EditRelabel, Label: "bone", To: "spleen"},
		{Do: segment.EditPaint, Label: "tumour_1", Path: segment.Points(r3.Vec{}), RadiusMM: 6},
	} {
		if _, err := h.Do(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	rep := &segment.Report{Recipe: abdomen(), Structures: []segment.Structure{{Label: imaging.LabelBone, VolumeML: 1, Confidence: 1}}}
	bits := slices.Clone(s.Bits)
	out, err := rep.Edited(t.Context(), v, s, h.Edits())
	if err != nil {
		t.Fatal(err)
	}
	if out.Bit(imaging.LabelBone) != 0 || rep.Of(imaging.LabelBone).Missing == "" {
		t.Errorf("an empty structure is left: %v, %+v", out.Of, rep.Of(imaging.LabelBone))
	}
	if got := rep.Of(imaging.LabelTumour); got.Origin != segment.ByEdit || got.Missing != "" || math.Abs(got.VolumeML-out.VolumeMM3(imaging.LabelTumour)/1000) > 1e-9 || got.VolumeML == 0 {
		t.Errorf("painted: %+v", got)
	}
	if !slices.Equal(s.Bits, bits) {
		t.Error("the masks of the history changed")
	}
	if _, err := h.Undo(); err != nil {
		t.Fatal(err)
	}
}

// What an edit is refused for reads as one sentence: its number, the point, the
// place and what there is instead.
func TestRefusedEditsReadWell(t *testing.T) {
	v, s, _ := bump(8)
	parent, err := segment.StateHash(t.Context(), v, s, abdomen())
	if err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]segment.Edit{
		"segment: edit 1: erase liver: path point 2 at 800.0,0.0,0.0 mm lies outside the volume, which runs from -50.0,-50.0,-45.0 to 48.8,48.8,43.5 mm": {Do: segment.EditErase, Label: "liver", Path: segment.Points(r3.Vec{}, r3.Vec{X: 800}), RadiusMM: 5},
		"segment: edit 1: relabel liver: path point 1 at 40.0,0.0,0.0 mm does not lie in liver":                                                          {Do: segment.EditRelabel, Label: "liver", To: "spleen", Path: segment.Points(r3.Vec{X: 40})},
	} {
		e.Version, e.Parent = segment.EditVersion, parent
		if _, err := segment.ApplyEdits(t.Context(), v, s, abdomen(), []segment.Edit{e}); fmt.Sprint(err) != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// What can be told of edits before the masks are there is told then, with the
// number of the edit, and what can be replayed passes.
func TestEditsAreCheckedBeforeTheMasks(t *testing.T) {
	h, _ := history(t)
	for _, e := range someEdits() {
		if _, err := h.Do(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	v, _, _ := bump(8)
	edits := h.Edits()
	if err := segment.CheckEdits(v.Grid, abdomen(), edits); err != nil {
		t.Error(err)
	}
	if err := segment.CheckEdits(v.Grid, abdomen(), nil); err != nil {
		t.Error(err)
	}
	err := segment.CheckEdits(v.Grid, abdomen(), slices.Delete(slices.Clone(edits), 2, 3))
	if e, _ := errors.AsType[*segment.EditError](err); e == nil || e.Number != 3 {
		t.Errorf("one left out: %v", err)
	}
	if _, ok := errors.AsType[*segment.ParentError](err); !ok {
		t.Errorf("one left out: %v", err)
	}
	far, near := segment.Points(r3.Vec{}, r3.Vec{X: 800}), segment.Points(r3.Vec{X: 0.1}) // 0.1 mm: within a voxel
	const beyond = "point 2 at 800.0,0.0,0.0 mm lies outside the volume, which runs from -50.0,-50.0,-45.0 to 48.8,48.8,43.5 mm"
	for want, e := range map[string]segment.Edit{
		"segment: edit 2: erase liver: path " + beyond:     {Do: segment.EditErase, Label: "liver", Path: far, RadiusMM: 5},
		"segment: edit 2: paint spleen: path " + beyond:    {Do: segment.EditPaint, Label: "spleen", Path: far, RadiusMM: 5},
		"segment: edit 2: relabel liver: path " + beyond:   {Do: segment.EditRelabel, Label: "liver", To: "spleen", Path: far},
		"segment: edit 2: refine liver: inside " + beyond:  {Do: segment.EditRefine, Label: "liver", Inside: far},
		"segment: edit 2: refine liver: outside " + beyond: {Do: segment.EditRefine, Label: "liver", Outside: far},
		"segment: edit 2: refine liver: outside point 1 at 0.0,0.0,0.0 mm shares its voxel with an inside point; remove one of them":                {Do: segment.EditRefine, Label: "liver", Inside: near, Outside: far[:1]},
		"segment: edit 2: fill brain: brain not found: the recipe does not look for it and no edit before makes it; paint it with a brush first":    {Do: segment.EditFill, Label: "brain"},
		"segment: edit 2: label \"limb\" is not a structure":                                                                                        {Do: segment.EditFill, Label: "limb"},
		"segment: edit 2: relabel brain: brain not found: the recipe does not look for it and no edit before makes it; paint it with a brush first": {Do: segment.EditRelabel, Label: "brain", To: "liver"},
	} {
		e.Version, e.Parent = segment.EditVersion, edits[0].Hash()
		if err := segment.CheckEdits(v.Grid, abdomen(), []segment.Edit{edits[0], e}); fmt.Sprint(err) != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// FuzzReadEdits: whatever is read can be written and read again as the same.
func FuzzReadEdits(f *testing.F) {
	var b bytes.Buffer
	parent := strings.Repeat("5f", 32)
	var all []segment.Edit
	for _, e := range someEdits() {
		e.Version, e.Parent = 1, parent
		all = append(all, e)
		parent = e.Hash()
	}
	if err := segment.WriteEdits(&b, all); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"halsted.edits","edits":[]}`))
	f.Add([]byte(`{"format":"halsted.edits","edits":[{"version":1,"do":"fill","label":"liver","parent":""}]} {}`))
	f.Add([]byte(`{"format":"halsted.edits","edits":null,"more":1e999}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		edits, err := segment.ReadEdits(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := segment.WriteEdits(&out, edits); err != nil {
			t.Fatal(err)
		}
		again, err := segment.ReadEdits(&out)
		if err != nil || len(again) != len(edits) {
			t.Fatal(err)
		}
		for n := range edits {
			x, _ := json.Marshal(edits[n])
			y, _ := json.Marshal(again[n])
			if !bytes.Equal(x, y) || edits[n].Hash() != again[n].Hash() {
				t.Fatalf("%s came back as %s", x, y)
			}
		}
	})
}

func ExampleHistory() {
	v, s, _ := bump(8)
	h, err := segment.NewHistory(context.Background(), v, s, abdomen())
	if err != nil {
		fmt.Println(err)
		return
	}
	before := s.Count(imaging.LabelLiver)
	p, err := h.Do(context.Background(), segment.Edit{Do: segment.EditErase, Label: "liver", Path: segment.Points(r3.Vec{}), RadiusMM: 5})
	fmt.Println(before-s.Count(imaging.LabelLiver) == p.Removed, err)
	_, err = h.Undo()
	fmt.Println(s.Count(imaging.LabelLiver) == before, err)
	// Output:
	// true <nil>
	// true <nil>
}
