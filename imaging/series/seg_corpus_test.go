package series

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// manifest is what the corpus says of its files.
func manifest(t testing.TB) map[string]manifestEntry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data(t, "corpus"), "MANIFEST.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []manifestEntry
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]manifestEntry{}
	for _, e := range list {
		out[e.File] = e
	}
	return out
}

type manifestEntry struct {
	File, Modality string
	PixelsSHA      string `json:"pixels_sha256"`
}

// stored is the sample array of all frames, a byte a sample.
func (s *SEG) stored() []byte {
	area := s.Grid.Size[0] * s.Grid.Size[1]
	var out []byte
	for _, f := range s.frames {
		if s.Type != SEGBinary {
			out = append(out, f.data[:area]...)
			continue
		}
		for p := f.bits; p < f.bits+area; p++ {
			out = append(out, f.data[p>>3]>>(p&7)&1)
		}
	}
	return out
}

// TestCorpusSegmentations reads every file of the dcmqi set: segmentations to
// the exact samples, anything else refused with a reason.
func TestCorpusSegmentations(t *testing.T) {
	want := map[string]struct {
		size   [3]int
		voxels []int // of each segment
	}{
		"segmentations/23x38x3/seg/label.seg":     {[3]int{23, 38, 3}, []int{322}},
		"segmentations/24x38x3/seg/label.seg":     {[3]int{24, 38, 3}, []int{315}},
		"segmentations/liver.dcm":                 {[3]int{512, 512, 3}, []int{107098}},
		"segmentations/partial_overlaps.dcm":      {[3]int{512, 512, 3}, []int{9602, 11888, 10743, 6693, 4713}},
		"segmentations/sparse-labelmap-noppv.dcm": {[3]int{24, 38, 3}, []int{1194, 630}},
		"segmentations/sparse-labelmap-ppv5.dcm":  {[3]int{24, 38, 3}, []int{1194, 630}},
		"sr-example/seg.dcm":                      {[3]int{128, 128, 13}, []int{795}},
	}
	read, refused := 0, 0
	for name, e := range manifest(t) {
		rest, ok := strings.CutPrefix(name, "dcmqi/")
		if !ok {
			continue
		}
		s, err := ReadSEGFile(filepath.Join(data(t, "corpus"), name), dicomfile.Limits{})
		if e.Modality != "SEG" {
			if _, ok := errors.AsType[*ObjectError](err); !ok {
				t.Errorf("%s: %v", name, err)
			}
			refused++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		read++
		sum := sha256.Sum256(s.stored())
		if hex.EncodeToString(sum[:]) != e.PixelsSHA {
			t.Errorf("%s: other samples than the manifest says", name)
		}
		w := want[rest]
		if s.Grid.Size != w.size || len(s.Segments) != len(w.voxels) {
			t.Fatalf("%s: %v, %d segments", name, s.Grid.Size, len(s.Segments))
		}
		for n := range s.Segments {
			count := 0
			for _, m := range s.Mask(n) {
				if m {
					count++
				}
			}
			if count != w.voxels[n] {
				t.Errorf("%s: segment %d has %d voxels, want %d", name, n, count, w.voxels[n])
			}
		}
	}
	if read != 7 || refused != 14 {
		t.Errorf("%d segmentations, %d other objects", read, refused)
	}
}

// TestCorpusOfAnArchive reads every file of the set of pydicom: two
// segmentations without NumberOfFrames, whose pixels are those of one frame, in
// both byte orders; anything else is refused.
func TestCorpusOfAnArchive(t *testing.T) {
	root := data(t, "corpus")
	read, refused := 0, 0
	for name, e := range manifest(t) {
		rest, ok := strings.CutPrefix(name, "pydicom/test_files/")
		if !ok {
			continue
		}
		s, err := ReadSEGFile(filepath.Join(root, name), dicomfile.Limits{})
		if e.Modality != "SEG" {
			if refused++; err == nil {
				t.Errorf("%s, which is %s, passes", rest, e.Modality)
			}
			continue
		}
		read++
		if err != nil {
			t.Errorf("%s: %v", rest, err)
			continue
		}
		sum := sha256.Sum256(s.stored())
		if hex.EncodeToString(sum[:]) != e.PixelsSHA || s.Frames() != 1 || s.Grid.Size != [3]int{512, 512, 1} || len(s.Notes) < 2 {
			t.Errorf("%s: %v on %v, %v", rest, s, s.Grid.Size, s.Notes)
		}
		_, rep, err := s.OnGrid(context.Background(), s.Grid)
		if err != nil || len(rep.Placed) != 1 || rep.Placed[0].Structure != imaging.LabelLiver || rep.Placed[0].OnGrid != 36233 {
			t.Errorf("%s: %v %+v", rest, err, rep)
		}
	}
	if read != 2 || refused < 70 {
		t.Errorf("%d segmentations, %d other objects", read, refused)
	}
}

// TestCorpusSegmentationsOnTheirSeries brings segmentations of other programs
// onto the images they were drawn on, writes them again and compares.
func TestCorpusSegmentationsOnTheirSeries(t *testing.T) {
	root := data(t, "corpus", "dcmqi", "segmentations")
	ctx := context.Background()
	for _, c := range []struct {
		seg, images string
		structures  []imaging.Label
		unknown     int
	}{
		{"23x38x3/seg/label.seg", "23x38x3/image", []imaging.Label{imaging.LabelLiver}, 0},
		{"24x38x3/seg/label.seg", "24x38x3/image", []imaging.Label{imaging.LabelLiver}, 0},
		{"liver.dcm", "ct-3slice", []imaging.Label{imaging.LabelLiver}, 0},
		{"partial_overlaps.dcm", "ct-3slice", []imaging.Label{imaging.LabelArtery}, 4},
		{"sparse-labelmap-ppv5.dcm", "24x38x3/image", []imaging.Label{imaging.LabelLiver}, 0},
	} {
		src := readDir(t, filepath.Join(root, c.images))[0]
		s, err := ReadSEGFile(filepath.Join(root, c.seg), dicomfile.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		segs, r, err := s.Onto(ctx, src, StructureOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.seg, err)
		}
		if r.Resampled || !slices.Equal(segs.Of, c.structures) || len(r.Unknown()) != c.unknown {
			t.Fatalf("%s: %+v", c.seg, r)
		}
		for n := range s.Segments {
			if s.Segments[n].Background {
				continue
			}
			mask, err := s.MaskOn(ctx, segs.Grid, n)
			if err != nil || !slices.Equal(mask, s.Mask(n)) {
				t.Errorf("%s: segment %d differs on the grid of its series: %v", c.seg, n, err)
			}
		}
		back, _, err := readSEG(t, writeSEG(t, segs, src, SEGOptions{})).Onto(ctx, src, StructureOptions{})
		if err != nil || !slices.Equal(back.Bits, segs.Bits) {
			t.Errorf("%s: written and read again it differs: %v", c.seg, err)
		}
	}
	// A segmentation of the other phantom's images: another frame of reference.
	s, err := ReadSEGFile(filepath.Join(root, "liver.dcm"), dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Onto(ctx, readDir(t, filepath.Join(root, "24x38x3/image"))[0], StructureOptions{})
	if _, ok := errors.AsType[*FrameOfReferenceError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// FuzzSEG reads foreign bytes: an error, or segments that can be unpacked.
func FuzzSEG(f *testing.F) {
	s := plain(3)
	fsys := s.fs(f)
	src := one(f, fsys)
	g, _ := src.Grid()
	for _, opt := range []SEGOptions{{}, {Type: SEGFractional, RLE: true}, {Type: SEGLabelmap}, {Type: SEGLabelmap, RLE: true}} {
		f.Add(writeSEG(f, randomMasks(g, opt.Type != SEGLabelmap, imaging.LabelLiver, imaging.LabelTumour), src, opt))
	}
	if root := os.Getenv("HALSTED_DATA"); root != "" {
		for _, name := range []string{"sparse-labelmap-ppv5.dcm", "23x38x3/seg/label.seg"} {
			if b, err := os.ReadFile(filepath.Join(root, "corpus", "dcmqi", "segmentations", name)); err == nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSEG(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{FileBytes: 1 << 20, InflatedBytes: 1 << 20})
		if err != nil {
			return
		}
		if err := s.Grid.Validate(); err != nil {
			t.Fatal(err)
		}
		if s.Grid.Len() > 1<<20 {
			return
		}
		if _, _, err := s.OnGrid(context.Background(), g); err != nil {
			t.Fatal(err)
		}
		if _, r, err := s.Onto(context.Background(), src, StructureOptions{AnyFrame: true}); err != nil || len(r.Placed) > len(s.Segments) {
			t.Fatal(err)
		}
		for n := range s.Segments[:min(len(s.Segments), 4)] {
			s.Mask(n)
			s.Fraction(n)
		}
	})
}

// TestRLEIsUndone packs and unpacks random runs, and wants an error for every
// cut of the result.
func TestRLEIsUndone(t *testing.T) {
	for width := 1; width <= 2; width++ {
		for n := range 40 {
			b := make([]byte, width*(7*n+1))
			for i := range b {
				if b[i] = byte(n * i / 9); i%13 > 6 {
					b[i] = 3
				}
			}
			packed := packRLE(b, width, 7)
			got, err := unRLE(packed, len(b), width)
			if err != nil || !bytes.Equal(got, b) {
				t.Fatalf("width %d, %d bytes: %v", width, len(b), err)
			}
			for cut := range len(packed) - 1 {
				if got, err := unRLE(packed[:cut], len(b), width); err == nil && !bytes.Equal(got, b) {
					t.Fatalf("cut to %d bytes it passes", cut)
				}
			}
		}
	}
}
