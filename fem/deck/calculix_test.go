package deck

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"halsted/fem"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// bar10 is a bar of n×2×2 cubes of edge h, six C3D10 each, along x, as an input
// file: sets ALL, EALL, ROOT (x = 0), TIP and the surface ENDFACE at the end,
// TOPFACE (z largest).
func bar10(n int, h float64) string {
	m := &mesh.TetMesh{}
	at := func(i, j, k int) int32 { return int32(i + (n+1)*(j+3*k)) }
	for k := range 3 {
		for j := range 3 {
			for i := range n + 1 {
				m.Nodes = append(m.Nodes, r3.Vec{X: h * float64(i), Y: h * float64(j), Z: h * float64(k)})
			}
		}
	}
	for k := range 2 {
		for j := range 2 {
			for i := range n {
				c := [8]int32{at(i, j, k), at(i+1, j, k), at(i+1, j+1, k), at(i, j+1, k), at(i, j, k+1), at(i+1, j, k+1), at(i+1, j+1, k+1), at(i, j+1, k+1)}
				for _, q := range [6][4]int{{0, 1, 2, 6}, {0, 2, 3, 6}, {0, 3, 7, 6}, {0, 7, 4, 6}, {0, 4, 5, 6}, {0, 5, 1, 6}} {
					m.Tets = append(m.Tets, [4]int32{c[q[0]], c[q[1]], c[q[2]], c[q[3]]})
				}
			}
		}
	}
	m = m.Quadratic()
	var b strings.Builder
	fmt.Fprintln(&b, "*NODE, NSET=ALL")
	sets := map[string][]int{}
	end := float64(n) * h
	for i, x := range m.Nodes {
		fmt.Fprintf(&b, "%d, %.12g, %.12g, %.12g\n", i+1, x.X, x.Y, x.Z)
		if x.X == 0 {
			sets["ROOT"] = append(sets["ROOT"], i+1)
		}
		if x.X == end {
			sets["TIP"] = append(sets["TIP"], i+1)
		}
	}
	fmt.Fprintln(&b, "*ELEMENT, TYPE=C3D10, ELSET=EALL")
	var surfaces [2]strings.Builder
	for t, v := range m.Tets {
		fmt.Fprintf(&b, "%d", t+1)
		for _, q := range v {
			fmt.Fprintf(&b, ", %d", q+1)
		}
		for _, q := range m.Mid[t] {
			fmt.Fprintf(&b, ", %d", q+1)
		}
		fmt.Fprintln(&b)
		for f, c := range abaqusFaces {
			in := [2]bool{true, true}
			for _, q := range c {
				x := m.Nodes[v[q]]
				in[0] = in[0] && x.X == end
				in[1] = in[1] && x.Z == 2*h
			}
			for s, on := range in {
				if on {
					fmt.Fprintf(&surfaces[s], "%d, S%d\n", t+1, f+1)
				}
			}
		}
	}
	for _, s := range []string{"ROOT", "TIP"} {
		fmt.Fprintf(&b, "*NSET, NSET=%s\n", s)
		for _, n := range sets[s] {
			fmt.Fprintf(&b, "%d,\n", n)
		}
	}
	fmt.Fprintf(&b, "*SURFACE, NAME=ENDFACE, TYPE=ELEMENT\n%s*SURFACE, NAME=TOPFACE, TYPE=ELEMENT\n%s", surfaces[0].String(), surfaces[1].String())
	return b.String()
}

// solved reads and solves a model and returns the last frame.
func solved(t *testing.T, name string, f files, opt Options) (*fem.Frame, Report) {
	t.Helper()
	opt.Open = f.open
	m, s, rep, err := Read(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	s.ResidualTol = 1e-10
	var last *fem.Frame
	if _, err := fem.Solve(t.Context(), m, s, func(f *fem.Frame) error { last = f; return nil }); err != nil {
		t.Fatal(err)
	}
	return last, rep
}

// The same files give the same displacements as CalculiX 2.20, to the tolerance
// it converges to. Without the program the test is skipped, or fails under
// HALSTED_REQUIRE_PEERS=1 as in .ci/run.
func TestCalculiX(t *testing.T) {
	ccx, err := exec.LookPath("ccx")
	if err != nil {
		if os.Getenv("HALSTED_REQUIRE_PEERS") != "" {
			t.Fatal("ccx is missing; install calculix-ccx (.ci/setup test)")
		}
		t.Skip("NOT TESTED: ccx is missing; install calculix-ccx (.ci/setup test)")
	}
	bar := bar10(4, 5)
	const section = "*SOLID SECTION, ELSET=EALL, MATERIAL=M\n*BOUNDARY\nROOT, 1, 3\n"
	const out = "*NODE PRINT, NSET=ALL\nU\n*END STEP\n"
	for _, c := range []struct{ name, material, steps string }{
		{"linear, gravity and pressure", "*ELASTIC\n0.01, 0.3\n*DENSITY\n1e-9\n",
			"*STEP\n*STATIC\n*DLOAD\nEALL, GRAV, 9810., 0., 0., -2.\n*DSLOAD\nENDFACE, P, 2e-5\n*CLOAD\nTIP, 2, 1e-5\n" + out},
		{"St. Venant–Kirchhoff, pressure follows", "*ELASTIC\n0.01, 0.3\n",
			"*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*DSLOAD\nTOPFACE, P, 1e-4\n" + out},
		{"neo-Hooke, forces of two steps", "*HYPERELASTIC, NEO HOOKE\n0.0017, 60.\n",
			"*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*CLOAD\nTIP, 3, 2e-4\nTIP, 3, 1e-4\n" + out +
				"*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*CLOAD\nTIP, 3, 1e-4\n*BOUNDARY\nTIP, 2, 2, 1.5\n" + out},
		{"Mooney–Rivlin", "*HYPERELASTIC, MOONEY-RIVLIN\n0.001, 0.0007, 60.\n", "*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*BOUNDARY\nTIP, 1, 1, 8.\n" + out},
		{"Yeoh", "*HYPERELASTIC, YEOH\n0.0017, 0.001, 0.0005, 60., 0., 0.\n", "*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*BOUNDARY\nTIP, 1, 1, 8.\n" + out},
		{"Ogden", "*HYPERELASTIC, OGDEN, N=2\n0.002, 3., 0.0014, -2., 60., 0.\n", "*STEP, NLGEOM\n*STATIC, DIRECT\n0.5, 1.\n*BOUNDARY\nTIP, 1, 1, 8.\n" + out},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := bar + "*MATERIAL, NAME=M\n" + c.material + section + c.steps
			last, rep := solved(t, "bar.inp", files{"bar.inp": text}, Options{})
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "bar.inp"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), ccx, "-i", "bar")
			run.Dir, run.Env = dir, append(os.Environ(), "OMP_NUM_THREADS=1")
			if log, err := run.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			theirs := lastDisplacements(t, filepath.Join(dir, "bar.dat"))
			worst, largest := 0.0, 0.0
			for n, u := range last.U {
				v, ok := theirs[rep.NodeNumbers[n]]
				if !ok {
					t.Fatalf("CalculiX prints no node %d", rep.NodeNumbers[n])
				}
				worst, largest = max(worst, r3.Norm(r3.Sub(u, v))), max(largest, r3.Norm(v))
			}
			t.Logf("umax %.6g mm, difference %.2g", largest, worst)
			if !(worst < 5e-4*largest) || largest < .01 {
				t.Errorf("displacements differ by %.3g of %.3g mm", worst, largest)
			}
		})
	}
}

// lastDisplacements reads the last block of displacements of a .dat file.
func lastDisplacements(t *testing.T, path string) map[int64]r3.Vec {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out map[int64]r3.Vec
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if len(w) > 0 && w[0] == "displacements" {
			out = map[int64]r3.Vec{}
		}
		if len(w) != 4 {
			continue
		}
		n, err := strconv.ParseInt(w[0], 10, 64)
		if err != nil {
			continue
		}
		var x [3]float64
		for i := range x {
			if x[i], err = strconv.ParseFloat(w[i+1], 64); err != nil || math.IsNaN(x[i]) {
				t.Fatal(s.Text())
			}
		}
		out[n] = r3.Vec{X: x[0], Y: x[1], Z: x[2]}
	}
	return out
}
