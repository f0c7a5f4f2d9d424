package series

import (
	"bytes"
	"context"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// BenchmarkSEG writes, reads and places ten overlapping balls on 512×512×119
// voxels, 36 million voxels in all.
func BenchmarkSEG(b *testing.B) {
	s := plain(119)
	s.cols, s.rows = 512, 512
	s.hu = func(i, j, k int) int { return 0 }
	src := one(b, s.fs(b))
	g, err := src.Grid()
	if err != nil {
		b.Fatal(err)
	}
	segs := imaging.NewSegments(g, imaging.Structures()[:10]...)
	for n := range segs.Bits {
		i, j, k := g.IJK(n)
		for m := range segs.Of {
			c, r := r3.Vec{X: float64(120 + 30*m), Y: float64(150 + 25*m), Z: float64(40 + 18*m)}, float64(200-15*m)
			if r3.Norm2(r3.Sub(r3.Vec{X: float64(i), Y: float64(j), Z: 2 * float64(k)}, c)) < r*r {
				segs.Bits[n] |= 1 << m
			}
		}
	}
	var file bytes.Buffer
	write := func(b *testing.B) {
		file.Reset()
		if err := WriteSEG(context.Background(), &file, segs, src, SEGOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			write(b)
		}
	})
	b.Run("read and place", func(b *testing.B) {
		if file.Len() == 0 {
			write(b)
		}
		for b.Loop() {
			o, err := ReadSEG(bytes.NewReader(file.Bytes()), int64(file.Len()), dicomfile.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := o.Onto(context.Background(), src, StructureOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
