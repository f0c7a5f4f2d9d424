package vessel

import (
	"cmp"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/nifti"
)

// manual is the manual segmentation of patient 17 of 3D-IRCADb-01.
func manual(t *testing.T) *imaging.Segments {
	t.Helper()
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(root, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	v, err := nifti.ReadVolume(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nifti.ReadSegments(path, v.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRealVessels extracts the portal and venous masks of a manual segmentation:
// sound trees, the mask explained, nothing said about their truth.
func TestRealVessels(t *testing.T) {
	s := manual(t)
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		start := time.Now()
		tr, rep, err := Extract(context.Background(), s.Grid, MaskOf(s, l), Options{System: l, Organ: MaskOf(s, imaging.LabelLiver)})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Validate(); err != nil {
			t.Error(err)
		}
		names := map[string]bool{}
		longest := 0.0
		for _, b := range tr.Branches {
			if b.Name != "" {
				names[b.Name] = true
			}
			longest = max(longest, b.LengthMM())
		}
		t.Logf("%v: %d branches, %d roots, %d loops, %d pieces (%d dropped), stray %.1f of %.1f ml, root radius %.1f mm, longest %.0f mm, names %v, %v",
			l, len(tr.Branches), len(tr.Roots()), rep.Loops, rep.Pieces, rep.Dropped, rep.StrayMM3/1000, rep.LumenMM3/1000, tr.Branches[0].MeanRadiusMM(), longest, names, time.Since(start))
		if rep.StrayMM3 > 0.2*rep.LumenMM3 || len(tr.Branches) < 5 {
			t.Errorf("%v: %d branches, %.0f %% of the lumen unexplained", l, len(tr.Branches), 100*rep.StrayMM3/rep.LumenMM3)
		}
		// No root was given. The portal trunk is the thickest portal vessel and
		// divides into right and left.
		if l == imaging.LabelPortalVein {
			thick := slices.MaxFunc(tr.Branches, func(a, b Branch) int { return cmp.Compare(a.MeanRadiusMM(), b.MeanRadiusMM()) })
			right, left := tr.Find("right portal vein"), tr.Find("left portal vein")
			if thick.Name != "portal trunk" || right < 0 || left < 0 {
				t.Fatalf("the thickest portal vessel is called %q, right %d, left %d", thick.Name, right, left)
			}
			xr, _ := tr.cloud(right, r3.Vec{X: 1})
			xl, _ := tr.cloud(left, r3.Vec{X: 1})
			if xr > xl-20 || tr.Branches[tr.Branches[right].Parent].Name != "portal trunk" {
				t.Errorf("right portal territory at x %.0f, left at %.0f", xr, xl)
			}
		}
	}
}

// metaImage reads a float .mha with zlib data as far as the peer files need it:
// the level set of an aorta in the frame of its centreline file.
func metaImage(t *testing.T, path string) (size [3]int, data []float32) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "ElementDataFile = LOCAL\n"
	for n := 0; n+len(mark) < len(raw); n++ {
		if string(raw[n:n+len(mark)]) == mark {
			z, err := zlib.NewReader(newBytes(raw[n+len(mark):]))
			if err != nil {
				t.Fatal(err)
			}
			size = [3]int{157, 393, 34}
			data = make([]float32, size[0]*size[1]*size[2])
			if err := binary.Read(z, binary.LittleEndian, data); err != nil {
				t.Fatal(err)
			}
			return size, data
		}
	}
	t.Fatal("no image data")
	return
}

// TestPeerCentreline compares with the maximal inscribed spheres of a VMTK
// centreline of the same level set.
func TestPeerCentreline(t *testing.T) {
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	dir := filepath.Join(root, "meshes", "vmtk_aorta")
	size, level := metaImage(t, filepath.Join(dir, "aorta-final-levelset.mha"))
	points, radii := vtpLine(t, filepath.Join(dir, "aorta-centerline.vtp"))
	// VMTK works in voxel steps from the file's offset without its direction.
	var best imaging.Grid
	var bestIn int
	in := func(g imaging.Grid) int {
		n := 0
		for _, p := range points {
			i, j, k := g.Voxel(p)
			if a, b, c := int(math.Round(i)), int(math.Round(j)), int(math.Round(k)); g.Contains(a, b, c) && level[g.Index(a, b, c)] < 0 {
				n++
			}
		}
		return n
	}
	sp := [3]float64{0.878906, 0.878906, 1.50009}
	for _, o := range []r3.Vec{{X: -156.445, Y: -24.6094}, {X: 156.445, Y: 24.6094}, {}} {
		for c := range 4 {
			g := imaging.NewGrid(size, o, sp)
			if c&1 == 1 {
				g.Axes[0] = r3.Scale(-1, g.Axes[0])
			}
			if c&2 == 2 {
				g.Axes[1] = r3.Scale(-1, g.Axes[1])
			}
			if n := in(g); n > bestIn {
				best, bestIn = g, n
			}
		}
	}
	t.Logf("%d of %d points of the peer inside, origin %v", bestIn, len(points), best.Origin)
	if bestIn < len(points)*9/10 {
		t.Fatal("the frame of the peer's files was not recognised")
	}
	mask := filter.Where(best.Len(), func(n int) bool { return level[n] < 0 })
	tr, rep, err := Extract(context.Background(), best, mask, Options{System: imaging.LabelAorta})
	if err != nil {
		t.Fatal(err)
	}
	sum, worst, ratio, n := 0.0, 0.0, 0.0, 0
	for m, p := range points {
		d, r := math.Inf(1), 0.0
		for _, b := range tr.Branches {
			for k, q := range b.Points {
				if x := r3.Norm(r3.Sub(p, q)); x < d {
					d, r = x, b.RadiusMM[k]
				}
			}
		}
		if d < 4 { // the peer's line runs on to the open ends
			sum, worst, ratio, n = sum+d, max(worst, d), ratio+r/radii[m], n+1
		}
	}
	t.Logf("%d branches, %d loops; %d of %d points compared: %.2f mm apart (max %.2f), our equal-area radius over its inscribed %.2f", len(tr.Branches), rep.Loops, n, len(points), sum/float64(n), worst, ratio/float64(n))
	if n < len(points)*8/10 || sum/float64(n) > 1.5 {
		t.Errorf("%d of %d points near, %.2f mm apart", n, len(points), sum/float64(n))
	}
}
