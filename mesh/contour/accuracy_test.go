package contour

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// peerScene is the analytic truth of the peers' volumes, in mm: three
// ellipsoids, each inside the one before (labels 1 to 3), and a tree of
// capsules with a wall of thickness W (4) around a lumen of radius R (5).
type peerScene struct {
	Dims [3]int
	Sp   [3]float64
	Ell  []struct{ C, R [3]float64 }
	Seg  []struct {
		A, B [3]float64
		R, W float64
	}
}

// distance is how far p is outside the shape of a label, to first order for
// ellipsoids.
func (s *peerScene) distance(label imaging.Label, p r3.Vec) float64 {
	if label <= 3 {
		e := &s.Ell[label-1]
		var k0, k1 float64
		for a, x := range [3]float64{p.X, p.Y, p.Z} {
			q := (x - e.C[a]) / e.R[a]
			k0 += q * q
			k1 += q * q / (e.R[a] * e.R[a])
		}
		return math.Sqrt(k0) * (math.Sqrt(k0) - 1) / math.Sqrt(k1)
	}
	best := math.Inf(1)
	for i := range s.Seg {
		g := &s.Seg[i]
		r := g.R
		if label == 4 {
			r += g.W
		}
		a, b := r3.Vec{X: g.A[0], Y: g.A[1], Z: g.A[2]}, r3.Vec{X: g.B[0], Y: g.B[1], Z: g.B[2]}
		ab := r3.Sub(b, a)
		u := min(max(r3.Dot(r3.Sub(p, a), ab)/r3.Norm2(ab), 0), 1)
		best = min(best, r3.Norm(r3.Sub(p, r3.Add(a, r3.Scale(u, ab))))-r)
	}
	return best
}

// The net of the peers' phantom against its analytic truth: |distance| in
// voxels of every third vertex of one sheet, of the middles of faces, and of junctions
// to the uppermost label; the border of the grid is left out.
func TestPeerPhantom(t *testing.T) {
	l, scene := peer(t, "s256")
	size := l.Grid.Size
	for _, passes := range []int{0, 5, 20} {
		n, err := NewNet(context.Background(), l, Options{})
		if err == nil {
			err = n.Smooth(context.Background(), passes)
		}
		if err == nil {
			err = n.Restore(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		off := map[string][]float64{}
		names := [6]string{"", "organ", "inner", "tumour", "wall", "lumen"}
		for v := range int32(n.Len()) {
			i, j, k := n.Cell(v)
			if v%3 > 0 || min(i, j, k) < 0 || i == size[0]-1 || j == size[1]-1 || k == size[2]-1 {
				continue
			}
			top := imaging.Label(n.pair[v][1])
			d := math.Abs(scene.distance(top, n.Point(v))) / scene.Sp[0]
			if n.Meet[v] > 2 {
				off["junction"] = append(off["junction"], d)
				continue
			}
			off["all"] = append(off["all"], d)
			off[names[top]] = append(off[names[top]], d)
		}
		for q := 0; q < len(n.Quads); q += 11 {
			var mid r3.Vec
			inside := true
			for _, v := range n.Quads[q] {
				mid = r3.Add(mid, r3.Scale(0.25, n.Point(v)))
				inside = inside && n.Meet[v] == 2 && n.held[v] == 0
			}
			if inside {
				top := max(n.Sides[q][0], n.Sides[q][1])
				off["faces"] = append(off["faces"], math.Abs(scene.distance(top, mid))/scene.Sp[0])
			}
		}
		for _, name := range []string{"all", "faces", "organ", "inner", "tumour", "wall", "lumen", "junction"} {
			d := off[name]
			slices.Sort(d)
			mean := 0.0
			for _, x := range d {
				mean += x / float64(len(d))
			}
			t.Logf("%2d passes, %-8s mean %.4f p99 %.3f max %.3f voxels (%d)", passes, name, mean, d[len(d)*99/100], d[len(d)-1], len(d))
			if passes > 0 && (mean > 0.08 && name != "junction" || d[len(d)-1] > 0.75) {
				t.Errorf("%d passes: %s is %g voxels off, at most %g", passes, name, mean, d[len(d)-1])
			}
		}
		s, count := n.Surface(), n.VoxelCounts()
		for x := imaging.Label(1); x < 6; x++ {
			if e := volume(s, x)/(float64(count[x])*l.Grid.VoxelMM3()) - 1; math.Abs(e) > 5e-4 {
				t.Errorf("%d passes: volume of %s is %.3f %% off", passes, names[x], 100*e)
			}
		}
	}
}
