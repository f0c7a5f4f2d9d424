package frame_test

import (
	"fmt"

	"halsted/proto/frame"

	"gonum.org/v1/gonum/spatial/r3"
)

func Example() {
	pos := []r3.Vec{{X: 0}, {X: 65.535}, {X: 12.3454, Y: 1, Z: 2}}
	stress := [][]float32{{0, 5, 2}} // kPa
	f := frame.Format{Position: frame.PositionUint16Box, Field: frame.FieldFloat32, Compression: frame.CompressionNone}
	p, err := frame.Encode(f, pos, stress)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, gotStress := make([]r3.Vec, 3), [][]float32{make([]float32, 3)}
	if err := frame.Decode(f, p, got, gotStress); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d bytes, step %.3f mm\n", len(p.Bytes), p.StepMM)
	fmt.Printf("x = %.3f mm, %g kPa\n", got[2].X, gotStress[0][2])
	// Output:
	// 30 bytes, step 0.001 mm
	// x = 12.345 mm, 2 kPa
}
