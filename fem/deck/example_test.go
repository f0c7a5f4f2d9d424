package deck_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"halsted/fem"
	"halsted/fem/deck"
)

// bar is a unit cube of six tetrahedra, pulled by a prescribed motion.
const bar = `*HEADING
a cube under tension
*NODE, NSET=ALL
1,0,0,0
2,1,0,0
3,1,1,0
4,0,1,0
5,0,0,1
6,1,0,1
7,1,1,1
8,0,1,1
*ELEMENT, TYPE=C3D4, ELSET=SOFT
1,1,2,3,7
2,1,3,4,7
3,1,4,8,7
4,1,8,5,7
5,1,5,6,7
6,1,6,2,7
*NSET, NSET=TOP, GENERATE
5,8,1
*MATERIAL, NAME=M
*ELASTIC
0.02, 0.25
*SOLID SECTION, ELSET=SOFT, MATERIAL=M
*BOUNDARY
1,1,3
2,2,3
3,3
4,1
4,3
5,1,2
6,2
8,1
*STEP
*STATIC
*BOUNDARY
TOP,3,3,0.1
*END STEP
`

func Example() {
	opt := deck.Options{Open: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(bar)), nil }}
	m, s, rep, err := deck.Read(context.Background(), "bar.inp", opt)
	if err != nil {
		log.Fatal(err)
	}
	var last *fem.Frame
	if _, err := fem.Solve(context.Background(), m, s, func(f *fem.Frame) error { last = f; return nil }); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rep.Title, rep.Materials[m.Regions[0].Label])
	fmt.Printf("sideways %.5f mm, force %.5f N\n", last.U[6].X, last.ReactionN[4].Z+last.ReactionN[5].Z+last.ReactionN[6].Z+last.ReactionN[7].Z)
	// Output:
	// a cube under tension Hooke, E 0.02 MPa, ν 0.25
	// sideways -0.02500 mm, force 0.00200 N
}
