package series

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

func TestReadStructuresTellsTheKinds(t *testing.T) {
	src := one(t, plain(4).fs(t))
	g, _ := src.Grid()
	segs := randomMasks(g, true, imaging.LabelLiver, imaging.LabelHeart)
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"seg.dcm": writeSEG(t, segs, src, SEGOptions{}),
		"rt.dcm":  encode(t, rtSet(t, rtROI{name: "Liver", contours: []contour{ring(g.Point(3, 2, 1), ex, ey, 1.2, 20)}})),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := ReadStructuresFile(path, dicomfile.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, r, err := o.Onto(context.Background(), src, StructureOptions{})
		if err != nil || got.Count(imaging.LabelLiver) == 0 || !o.Refers(src) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range r.Placed {
			mask, err := o.MaskOn(context.Background(), g, p.Index)
			if err != nil {
				t.Fatal(err)
			}
			for n, in := range mask {
				if in != (got.Bits[n]&got.Bit(p.Structure) != 0) {
					t.Fatalf("%s: %v at voxel %d", name, p.Structure, n)
				}
			}
		}
	}
	s := plain(2)
	_, err := ReadStructures(bytes.NewReader(encode(t, s.dataset(t, 0))), -1, dicomfile.Limits{})
	if _, ok := errors.AsType[*ObjectError](err); !ok {
		t.Errorf("an image: %v", err)
	}
	if o, err := ReadStructuresFile(filepath.Join(dir, "none.dcm"), dicomfile.Limits{}); !errors.Is(err, os.ErrNotExist) || o != nil {
		t.Errorf("a missing file: %v", err)
	}
}

func TestResampleMasks(t *testing.T) {
	ctx := context.Background()
	from := cube(2)
	segs := imaging.NewSegments(from, imaging.LabelLiver, imaging.LabelTumour)
	for n, in := range ball(from) {
		i, _, _ := from.IJK(n)
		if in {
			segs.Bits[n] = 1
		}
		if in && i > 16 {
			segs.Bits[n] |= 2
		}
	}
	same, r, err := Resample(ctx, segs, from)
	if err != nil || same != segs || r.Resampled || r.Placed[0].AfterML != segs.VolumeMM3(imaging.LabelLiver)/1000 {
		t.Fatalf("%v %+v", err, r)
	}
	reorder := imaging.Reorder{Axis: [3]int{1, 2, 0}, Flip: [3]bool{true, false, true}}
	turned, r, err := Resample(ctx, segs, reorder.Grid(from))
	if err != nil || r.Resampled {
		t.Fatal(err)
	}
	back, _, err := Resample(ctx, turned, from)
	if err != nil || !slices.Equal(back.Bits, segs.Bits) || slices.Equal(turned.Bits, segs.Bits) {
		t.Fatalf("turned and back it differs: %v", err)
	}
	fine, r, err := Resample(ctx, segs, cube(1))
	if err != nil || !r.Resampled || len(r.Notes) != 1 {
		t.Fatalf("%v %+v", err, r)
	}
	for _, p := range r.Placed {
		if math.Abs(p.AfterML/p.BeforeML-1) > 0.02 || fine.Count(p.Structure) != p.OnGrid {
			t.Errorf("%+v", p)
		}
	}
	half := cube(2)
	half.Size[0] = 12
	if _, r, err = Resample(ctx, segs, half); err != nil || r.Placed[1].OnGrid != 0 || r.Placed[0].Cut == 0 || len(r.Notes) != 2 {
		t.Errorf("cut: %v %+v", err, r)
	}
	if _, _, err := Resample(ctx, &imaging.Segments{Grid: from}, half); err == nil {
		t.Error("masks without voxels pass")
	}
}
