package contour

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/imaging"
)

func ExampleNewNet() {
	ctx := context.Background()
	n, err := NewNet(ctx, ballLabels(40, 15), Options{})
	if err == nil {
		err = n.Smooth(ctx, 20)
	}
	if err == nil {
		err = n.Restore(ctx)
	}
	if err != nil {
		panic(err)
	}
	q := len(n.Quads) / 2
	i, j, k, axis := n.Crosses(q)
	fmt.Printf("%d vertices, %d faces\n", n.Len(), len(n.Quads))
	fmt.Printf("face %d: %v at voxel (%d,%d,%d), %v one step along %c\n", q, n.Sides[q][0], i, j, k, n.Sides[q][1], "ijk"[axis])
	// Output:
	// 4974 vertices, 4970 faces
	// face 2485: background at voxel (9,9,20), liver one step along i
}

// plainNet finds the net cell by cell, as its definition reads.
func plainNet(l *imaging.Labels, keep func(imaging.Label) bool) (pos []float32, meet []uint8, quads [][4]int32, axis []uint8, sides [][2]imaging.Label) {
	g := l.Grid
	at := func(p [3]int) imaging.Label {
		if !g.Contains(p[0], p[1], p[2]) || keep != nil && !keep(l.ID[g.Index(p[0], p[1], p[2])]) {
			return 0
		}
		return l.ID[g.Index(p[0], p[1], p[2])]
	}
	vert := map[[3]int]int32{}
	for k := -1; k < g.Size[2]; k++ {
		for j := -1; j < g.Size[1]; j++ {
			for i := -1; i < g.Size[0]; i++ {
				cell := [3]int{i, j, k}
				corner := func(c int) [3]int { return [3]int{i + c&1, j + c>>1&1, k + c>>2} }
				kinds := map[imaging.Label]bool{}
				for c := range 8 {
					kinds[at(corner(c))] = true
				}
				if len(kinds) < 2 {
					continue
				}
				// mean of the crossings; a cell that leads out of the grid takes
				// those along its outermost voxels, if there are any
				var leads [3]bool
				for a := range 3 {
					leads[a] = cell[a] < 0 || cell[a] == g.Size[a]-1
				}
				var sum [3]float64
				m := 0.0
				for pass := 0; pass < 2 && m == 0; pass++ {
					for a := range 3 {
						if pass == 0 && leads[a] {
							continue
						}
						for c := range 8 {
							if c>>a&1 == 1 || at(corner(c)) == at(corner(c|1<<a)) {
								continue
							}
							for b := range 3 {
								sum[b] += float64(c>>b&1)/2 + float64((c|1<<a)>>b&1)/2
							}
							m++
						}
					}
				}
				for a := range 3 {
					x := sum[a] / m
					if leads[a] {
						x = 0.5
					}
					pos = append(pos, float32(cell[a])+float32(min(max(x, 0.5-CellLimit), 0.5+CellLimit)))
				}
				id := int32(len(meet))
				vert[cell] = id
				meet = append(meet, uint8(len(kinds)))
				for a := range 3 {
					b, c := (a+1)%3, (a+2)%3
					up, db, dc := cell, cell, cell
					up[a]++
					db[b]--
					dc[c]--
					d := db
					d[c]--
					if at(cell) != at(up) {
						quads = append(quads, [4]int32{vert[d], vert[dc], id, vert[db]})
						axis = append(axis, uint8(a))
						sides = append(sides, [2]imaging.Label{at(cell), at(up)})
					}
				}
			}
		}
	}
	return
}

func noise(r *rand.Rand, size [3]int, labels int, share float64) *imaging.Labels {
	return labelsOf(size, func(_, _, _ int) imaging.Label {
		if r.Float64() < share {
			return imaging.Label(r.IntN(labels))
		}
		return 0
	})
}

func labelsOf(size [3]int, at func(i, j, k int) imaging.Label) *imaging.Labels {
	return labels(size, [3]float64{1, 1, 1}, at)
}

// The net is what its definition says, at every length of row, and with labels
// left out.
func TestNetAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for n := range 120 {
		size := [3]int{1 + r.IntN(20), 1 + r.IntN(9), 1 + r.IntN(20)}
		if n%3 == 0 {
			size[0] = []int{62, 63, 64, 65, 126, 127, 128, 129}[r.IntN(8)]
		}
		l := noise(r, size, 2+r.IntN(4), []float64{0.02, 0.3, 1}[r.IntN(3)])
		var keep func(imaging.Label) bool
		if n%4 == 1 {
			keep = func(x imaging.Label) bool { return x != 2 }
		}
		got, err := NewNet(context.Background(), l, Options{Keep: keep})
		pos, meet, quads, axis, sides := plainNet(l, keep)
		if len(quads) == 0 {
			if !errors.Is(err, ErrEmpty) {
				t.Fatal(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Meet, meet) || !slices.Equal(got.Quads, quads) || !slices.Equal(got.Axis, axis) || !slices.Equal(got.Sides, sides) {
			t.Fatalf("size %v: another net: %d vertices for %d, %d faces for %d", size, len(got.Meet), len(meet), len(got.Quads), len(quads))
		}
		for v, x := range got.Pos {
			if math.Abs(float64(x-pos[v])) > 1e-5 {
				t.Fatalf("size %v: vertex %d at %v, want %v", size, v/3, got.Pos[v/3*3:v/3*3+3], pos[v/3*3:v/3*3+3])
			}
		}
		want := [256]int{}
		for _, x := range l.ID {
			if x != 0 && (keep == nil || keep(x)) {
				want[x]++
			}
		}
		if c := got.VoxelCounts(); c != want {
			t.Fatalf("size %v: counts %v, want %v", size, c[:5], want[:5])
		}
		for q, v := range got.Quads {
			i, j, k, a := got.Crosses(q)
			ci, cj, ck := got.Cell(v[2])
			if [3]int{i, j, k} != [3]int{ci, cj, ck} || a != int(axis[q]) {
				t.Fatalf("face %d crosses from %v, corner 2 in %v", q, [3]int{i, j, k}, [3]int{ci, cj, ck})
			}
		}
	}
}

// The assembly and its portable twin write the same words.
func TestScanTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for n := range 400 {
		words := 1 + r.IntN(5)
		var row [4][]byte
		for i := range row {
			row[i] = make([]byte, 64*words+1)
			for t := range row[i] {
				if i > 0 {
					row[i][t] = row[0][t]
				}
				if r.IntN(1+n) == 0 {
					row[i][t] = byte(r.IntN(256))
				}
			}
		}
		wide, plain := make([]scanWords, words), make([]scanWords, words)
		scanWide(row[0], row[1], row[2], row[3], wide)
		scanPortable(row[0], row[1], row[2], row[3], plain)
		if !slices.Equal(wide, plain) {
			t.Fatalf("%d words:\n%x\n%x", words, wide, plain)
		}
	}
}

// The kernels in assembly and their portable twins give the same bits.
func TestKernelTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 20 {
		verts, faces := 1+r.IntN(300), 1+r.IntN(300)
		nb := make([]near, verts)
		for v := range nb {
			for s := range nb[v] {
				nb[v][s] = int32(4 * r.IntN(verts))
			}
		}
		floats := func(n int, lo, hi float64) []float32 {
			f := make([]float32, n)
			for i := range f {
				f[i] = float32(lo + (hi-lo)*r.Float64())
			}
			return f
		}
		at, before := floats(4*verts, -0.99, 80), floats(4*verts, -0.99, 80)
		quads, sides := make([][4]int32, faces), make([][2]imaging.Label, faces)
		for m := range quads {
			for c, v := range r.Perm(max(verts, 4))[:4] {
				quads[m][c] = int32(min(v, verts-1))
			}
			sides[m] = [2]imaging.Label{imaging.Label(r.IntN(256)), imaging.Label(r.IntN(256))}
		}
		lo := r.IntN(verts)
		hi := lo + 1 + r.IntN(verts-lo)
		same := func(name string, stride int, f, g func(dst []float32)) {
			t.Helper()
			a := floats(stride*verts, -1, 1)
			b := slices.Clone(a)
			f(a)
			g(b)
			for i := range a {
				if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (stride == 1 || i%4 < 3) {
					t.Fatalf("%s: float %d is %v and %v", name, i, a[i], b[i])
				}
			}
		}
		same("relax", 4, func(d []float32) { relaxWide(nb, at, d, lo, hi) }, func(d []float32) { relaxPortable(nb, at, d, lo, hi) })
		same("spread", 1, func(d []float32) { spreadWide(nb, before, d, lo, hi, 0.3) }, func(d []float32) { spreadPortable(nb, before, d, lo, hi, 0.3) })
		if verts >= 4 {
			same("normals", 4, func(d []float32) { normalsWide(quads, sides, at, d) }, func(d []float32) { normalsPortable(quads, sides, at, d) })
		}
		normal := floats(4*verts, -2, 2)
		clear(normal[4*lo : 4*lo+4])
		other := slices.Clone(normal)
		same("shrink", 1, func(d []float32) { shrinkWide(before, at, normal, d, lo, hi) }, func(d []float32) { shrinkPortable(before, at, other, d, lo, hi) })
		if !slices.Equal(normal, other) {
			t.Fatal("shrink: another length")
		}
		same("grow", 4, func(d []float32) {
			copy(d, at)
			growWide(d, normal, before, lo, hi)
		}, func(d []float32) {
			copy(d, at)
			growPortable(d, normal, before, lo, hi)
		})
	}
}
