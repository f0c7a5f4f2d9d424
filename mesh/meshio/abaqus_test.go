package meshio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// foreignINP has what other writers do: a heading, mixed case, blanks left out
// for zeros, Fortran exponents, elements over two lines, keywords over two
// lines, sets of sets and ranges, shells, and a step that is passed over.
const foreignINP = `*Heading
  Job 7, written elsewhere
** a comment
*Preprint, echo=NO
*Part, name="PART 1"
*Node, nset=N
  1, 0., 0, 0
  2, 1.0D0
  3, , 1.,
  4, 0, 0, 1e0
  7, 1, 1, 1
 99, 5, 5, 5
*Element, type=c3d4,
 elset=Block
 12, 1, 2,
 3, 4
 3, 2, 3, 4, 7
*ELEMENT, TYPE=S3, ELSET=Skin
 50, 1, 2, 3
*Elset, elset=Odd, generate
 1, 13, 2
*Elset, elset=Some
 12, Odd
*NSET, NSET=All, GENERATE
 1, 99
*Solid Section, elset=Some, material=Tissue
,
*End Part
*Instance, name=a, part="PART 1"
*End Instance
*Material, name=Tissue
*Elastic
 1., 0.3
*Step
*Static
 0.1, 1.
*End Step
`

func TestForeignAbaqus(t *testing.T) {
	f := readTetBytes(t, "a.inp", []byte(foreignINP), ReadOptions{})
	m := f.Mesh
	if len(m.Tets) != 2 || m.Tets[0] != [4]int32{1, 2, 3, 4} || m.Tets[1] != [4]int32{0, 1, 2, 3} || m.Nodes[1] != (r3.Vec{X: 1}) || m.Nodes[2] != (r3.Vec{Y: 1}) || m.Check() != nil {
		t.Fatalf("%+v", m)
	}
	if f.Names[m.Region[0]] != "Some" || m.Region[0] != 64 || m.Region[1] != 64 || f.Unused != 1 || len(f.Skipped) != 1 || f.Skipped[0] != (Skipped{"S3", 1, 50}) {
		t.Fatalf("%+v", f)
	}
	// a name that is known wins over the section
	f = readTetBytes(t, "a.inp", []byte(strings.ReplaceAll(foreignINP, "Odd", "LIVER")), ReadOptions{})
	if f.Mesh.Region[0] != imaging.LabelLiver || f.Mesh.Region[1] != 64 {
		t.Fatalf("%v %v", f.Mesh.Region, f.Names)
	}
	f = readTetBytes(t, "a.inp", []byte(foreignINP), ReadOptions{Labels: map[string]imaging.Label{"Block": 9}})
	if f.Mesh.Region[0] != 9 || f.Mesh.Region[1] != 9 {
		t.Fatalf("%v %v", f.Mesh.Region, f.Names)
	}
	// without a section the set of *ELEMENT, without that the first *ELSET
	noSection := strings.Replace(foreignINP, "*Solid Section", "*Shell Section", 1)
	f = readTetBytes(t, "a.inp", []byte(noSection), ReadOptions{})
	if f.Names[f.Mesh.Region[0]] != "Block" {
		t.Fatalf("%v", f.Names)
	}
	f = readTetBytes(t, "a.inp", []byte(strings.Replace(noSection, "c3d4,\n elset=Block", "C3D4", 1)), ReadOptions{})
	if f.Names[f.Mesh.Region[0]] != "Odd" || f.Names[f.Mesh.Region[1]] != "Some" {
		t.Fatalf("%v %v", f.Mesh.Region, f.Names)
	}
	for name, c := range map[string]struct {
		from, to string
		line     int
	}{
		"include":         {"*Preprint, echo=NO", "*INCLUDE, INPUT=other.inp", 4},
		"node file":       {"*Node, nset=N", "*NODE, INPUT=other.inp", 6},
		"element file":    {"TYPE=S3, ", "TYPE=S3, INPUT=x, ", 18},
		"cylinder":        {"*Node, nset=N", "*NODE, SYSTEM=C", 6},
		"generated nodes": {"*NSET, NSET=All, GENERATE", "*NGEN", 24},
		"NaN":             {"  4, 0, 0, 1e0", "  4, 0, 0, NaN", 10},
		"Inf":             {"  4, 0, 0, 1e0", "  4, 0, 0, 1e999", 10},
		"node number":     {"  4, 0, 0, 1e0", "  four, 0, 0, 1e0", 10},
		"node twice":      {" 99, 5", " 7, 5", 12},
		"no node":         {" 3, 2, 3, 4, 7", " 3, 2, 3, 4, 8", 17},
		"five nodes":      {" 3, 2, 3, 4, 7", " 3, 2, 3, 4, 7, 1", 17},
		"three nodes":     {" 3, 2, 3, 4, 7", " 3, 2, 3, 4", 18},
		"hexahedron":      {"type=c3d4", "type=C3D8R", 15},
		"continuum shell": {"TYPE=S3", "TYPE=SC6R", 19},
		"element number":  {" 12, 1, 2", " x, 1, 2", 15},
		"range":           {" 1, 13, 2", " 1, 13, 0", 21},
		"no range":        {" 1, 13, 2", " 1", 21},
		"second part":     {"*End Part\n", "*End Part\n*PART, NAME=b\n", 29},
		"moved":           {"*End Instance", "0, 0, 5\n*End Instance", 30},
		"mixed":           {" 3, 2, 3, 4, 7\n", " 3, 2, 3, 4, 7\n*ELEMENT, TYPE=C3D10\n5, 1,2,3,4,7,99,1,2,3,4\n", 19},
	} {
		if !strings.Contains(foreignINP, c.from) {
			t.Fatal(name)
		}
		_, err := ReadTetMesh(bg, strings.NewReader(strings.Replace(foreignINP, c.from, c.to, 1)), "a.inp", ReadOptions{})
		if bad := refuses(t, name, err); bad.Line != c.line {
			t.Errorf("%s: line %d, not %d", name, bad.Line, c.line)
		}
	}
	f = readTetBytes(t, "a.inp", []byte(strings.Replace(foreignINP, "TYPE=S3", "TYPE=C3D6", 1)), ReadOptions{SkipUnknown: true})
	if len(f.Skipped) != 1 || f.Skipped[0].Type != "C3D6" {
		t.Fatalf("%+v", f.Skipped)
	}
}

// Sets that hold each other, or the same ranges again and again, take no time
// beyond their size.
func TestAbaqusSets(t *testing.T) {
	var b strings.Builder
	b.WriteString("*NODE\n1\n2, 1\n3, 0, 1\n4, 0, 0, 1\n*ELEMENT, TYPE=C3D4\n")
	for e := range 20000 {
		fmt.Fprintf(&b, "%d, 1, 2, 3, 4\n", 3*e+1)
	}
	for s := range 2000 {
		fmt.Fprintf(&b, "*ELSET, ELSET=S%d\nS%d, S%d, S%d\n*ELSET, ELSET=S%d, GENERATE\n1, 60000\n1, 60000, 1\n", s, s, s-1, s-1, s)
	}
	b.WriteString("*ELSET, ELSET=S0\nS1999\n")
	f := readTetBytes(t, "a.inp", []byte(b.String()), ReadOptions{})
	if f.Names[64] != "S0" || len(f.Names) != 1 || len(f.Mesh.Tets) != 20000 {
		t.Fatalf("%v", f.Names)
	}
}

// Numbers take at most 20 characters, what the solvers read of them.
func TestFloat20(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	check := func(x float64) {
		b := appendFloat20(nil, x)
		y, err := strconv.ParseFloat(string(b), 64)
		if err != nil || len(b) > abaqusWidth {
			t.Fatalf("%v becomes %s", x, b)
		}
		switch a := math.Abs(x); {
		case a == 0 || a >= 0.1 && a < 1e16:
			if y != x {
				t.Fatalf("%v becomes %s", x, b)
			}
		case a < 1:
			if math.Abs(y-x) > 1e-18 {
				t.Fatalf("%v becomes %s, off by %g", x, b, y-x)
			}
		case math.Abs(y/x-1) > 1e-12:
			t.Fatalf("%v becomes %s", x, b)
		}
	}
	for range 20000 {
		check((rng.Float64() - 0.5) * math.Pow(10, float64(rng.IntN(40)-20)))
	}
	for _, x := range []float64{0, 1, -1, 0.1, -1. / 3, -123.45678901234567, 1e300, -math.MaxFloat64, math.SmallestNonzeroFloat64, -1.2345678901234567e-5} {
		check(x)
	}
}
