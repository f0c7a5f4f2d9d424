package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// femCase is a liver of the peers' meshes: gravity as dead nodal loads,
// E = 10 kPa, ν = 0.45. The neo-Hookean law is W = μ/2(Ī1−3) + κ/2(J−1)².
type femCase struct {
	name, mesh string
	nonlinear  bool
	umax       float64 // mm, of FEniCS and FEBio; 0: nobody ran it
	cpuS, mb   float64 // targets
	quoted     string  // peers' figures on another machine, CPU seconds
	ccx        bool    // quick enough to run CalculiX
	fenics     string  // solver of FEniCS to run, if quick enough
	runs       int
}

var femCases = []femCase{
	{"30k linear", "liver_T10_30k", false, 107.13463, 0.9, 0, "2.5 FEniCS, 2.5 FEBio", true, "mumps", 3},
	{"110k linear", "liver_T10_100k", false, 99.20994, 4.5, 800, "13.3 FEniCS, 16.0 FEBio", true, "mumps", 3},
	{"356k linear", "liver_T10_300k", false, 97.27819, 15, 1200, "47.0 FEniCS with GAMG", false, "cgamg", 2},
	{"1.28M linear", "liver_T10_1M", false, 0, 60, 4000, "none ran", false, "", 1},
	{"30k neo-Hookean, 5 increments", "liver_T10_30k", true, 66.393869, 2.5, 0, "26.0 FEBio", true, "mumps", 3},
	{"110k neo-Hookean, 5 increments", "liver_T10_100k", true, 62.79397, 18, 0, "202 FEBio", false, "", 2},
}

// femBench measures the solver beside CalculiX and FEniCS: CPU seconds of whole
// processes on one core, reading included, in turns. Parts may be named: the
// meshes (liver_T10_30k, …), dgemm, threads, warm, random.
//
// The peers' meshes are read from $HALSTED_PEERS/fem (default
// ../shared/peers/fem).
func femBench(names []string) ([]Row, error) {
	want := func(n string) bool { return len(names) == 0 || slices.Contains(names, n) }
	dir, err := femMeshes()
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, c := range femCases {
		if !want(c.mesh) {
			continue
		}
		r, err := c.rows(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		rows = append(rows, r...)
	}
	for _, part := range []struct {
		name string
		rows func(dir string) ([]Row, error)
	}{{"dgemm", dgemmRows}, {"threads", threadRows}, {"warm", warmRows}, {"random", randomRows}} {
		if !want(part.name) {
			continue
		}
		r, err := part.rows(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		rows = append(rows, r...)
	}
	if rows == nil {
		return nil, fmt.Errorf("no part of the fem bench is named %v", names)
	}
	return rows, nil
}

func peersDir() string {
	if d := os.Getenv("HALSTED_PEERS"); d != "" {
		return d
	}
	return filepath.Join("..", "shared", "peers")
}

// femMeshes unpacks the peers' meshes into build/bench/fem and returns it.
func femMeshes() (string, error) {
	dir, err := filepath.Abs(filepath.Join(inputDir, "fem"))
	if err != nil {
		return "", err
	}
	if exists(filepath.Join(dir, "liver_T10_300k.inp")) {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	archive := filepath.Join(peersDir(), "fem", "meshes.tar.xz")
	if out, err := exec.Command("tar", "xJf", archive, "-C", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack %s (set HALSTED_PEERS to its parent's parent): %w: %s", archive, err, bytes.TrimSpace(out))
	}
	return dir, nil
}

// makeLargest makes the mesh that nobody ships, with the peers' own mesher.
func makeLargest(dir string) error {
	if exists(filepath.Join(dir, "liver_T10_1M_cload.inp")) {
		return nil
	}
	surface := filepath.Join(os.Getenv("HALSTED_DATA"), "meshes", "sofa", "liver-smooth.obj")
	if !exists(surface) {
		return &missingError{"set HALSTED_DATA: the surface of the largest liver is in meshes/sofa"}
	}
	script, err := filepath.Abs(filepath.Join(peersDir(), "fem", "make_liver.py"))
	if err != nil {
		return err
	}
	cmd := exec.Command("/usr/bin/python3", script, "2", "2.3", "liver_T10_1M")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LIVER_OBJ="+surface)
	if out, err := cmd.CombinedOutput(); err != nil {
		return &missingError{fmt.Sprintf("make_liver.py: %v: %s", err, bytes.TrimSpace(out))}
	}
	return nil
}

// deck writes the input file that CalculiX and we both read.
func (c *femCase) deck(dir string) (string, error) {
	const e, nu = 0.01, 0.45
	mu, kappa := e/2/(1+nu), e/3/(1-2*nu)
	var b strings.Builder
	fmt.Fprintf(&b, "*INCLUDE,INPUT=%s/%s.inp\n*MATERIAL,NAME=M\n", dir, c.mesh)
	kind := "lin"
	if c.nonlinear {
		kind = "nh"
		fmt.Fprintf(&b, "*HYPERELASTIC,NEO HOOKE\n%.12g,%.12g\n", mu/2, 2/kappa)
	} else {
		fmt.Fprintf(&b, "*ELASTIC\n%g,%g\n", e, nu)
	}
	b.WriteString("*SOLID SECTION,ELSET=EALL,MATERIAL=M\n")
	if c.nonlinear {
		b.WriteString("*STEP,NLGEOM,INC=1000\n*STATIC,SOLVER=SPOOLES,DIRECT\n0.2,1.\n")
	} else {
		b.WriteString("*STEP\n*STATIC,SOLVER=SPOOLES\n")
	}
	fmt.Fprintf(&b, "*INCLUDE,INPUT=%s/%s_cload.inp\n*NODE PRINT,NSET=NALL,FREQUENCY=1000\nU\n*END STEP\n", dir, c.mesh)
	base := filepath.Join(dir, kind+"_"+c.mesh)
	return base, os.WriteFile(base+".inp", []byte(b.String()), 0o644)
}

// whole is what a process took.
type whole struct{ cpuS, wallS, mb, umax float64 }

func (w *whole) better(o whole) {
	if w.cpuS == 0 || o.cpuS < w.cpuS {
		*w = o
	}
}

// runWhole runs a process and measures it.
func runWhole(cmd *exec.Cmd) (whole, []byte, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return whole{}, nil, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(errs.Bytes()))
	}
	s := cmd.ProcessState
	return whole{cpuS: (s.UserTime() + s.SystemTime()).Seconds(), wallS: time.Since(start).Seconds(), mb: peakMB(cmd)}, out.Bytes(), nil
}

// solveOurs runs halsted solve on a deck.
func solveOurs(base, threads string) (whole, error) {
	cmd := exec.Command(filepath.Join("bin", "halsted"), "solve", base+".inp", "--threads", threads, "--tol", "1e-8", "--json", "--any-units")
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+threads)
	w, out, err := runWhole(cmd)
	if err != nil {
		return w, err
	}
	var r struct {
		UmaxMM float64 `json:"umax_mm"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return w, fmt.Errorf("halsted solve --json: %w", err)
	}
	w.umax = r.UmaxMM
	return w, nil
}

// solveCalculiX runs ccx on the same deck.
func solveCalculiX(base string) (whole, error) {
	ccx, err := exec.LookPath("ccx")
	if err != nil {
		return whole{}, &missingError{"install calculix-ccx"}
	}
	cmd := exec.Command(ccx, "-i", filepath.Base(base))
	cmd.Dir = filepath.Dir(base)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	w, _, err := runWhole(cmd)
	if err != nil {
		return w, err
	}
	w.umax, err = ccxUmax(base + ".dat")
	return w, err
}

// ccxUmax is the largest displacement in the last block of a .dat file.
func ccxUmax(path string) (float64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	var most float64
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 0 && f[0] == "displacements" {
			most = 0 // a later time
		}
		var id int
		var u [3]float64
		if len(f) == 4 {
			if n, _ := fmt.Sscan(line, &id, &u[0], &u[1], &u[2]); n == 4 {
				most = max(most, math.Hypot(math.Hypot(u[0], u[1]), u[2]))
			}
		}
	}
	return most, nil
}

// solveFEniCS runs the peers' own driver.
func solveFEniCS(dir string, c *femCase) (whole, error) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import dolfin, scipy").Run(); err != nil {
		return whole{}, &missingError{"install python3-dolfin python3-scipy"}
	}
	mode, increments := "lin", "1"
	if c.nonlinear {
		mode, increments = "nh", "5"
	}
	cmd := exec.Command(python, filepath.Join(peersDir(), "fem", "fenics_run.py"), c.mesh, mode, c.fenics, increments)
	cmd.Env = append(os.Environ(), "MESHES="+dir, "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	w, out, err := runWhole(cmd)
	if err != nil {
		return w, err
	}
	_, tail, ok := strings.Cut(string(out), "umax=")
	if !ok {
		return w, fmt.Errorf("fenics_run.py printed no umax")
	}
	_, err = fmt.Sscan(tail, &w.umax)
	return w, err
}

// rows measures one case in turns with the peers that are quick enough.
func (c *femCase) rows(dir string) ([]Row, error) {
	if c.umax == 0 {
		if err := makeLargest(dir); err != nil {
			return []Row{notMeasured(c.name, "CPU s", fmt.Sprintf("≤ %g", c.cpuS), err.Error())}, nil
		}
	}
	base, err := c.deck(dir)
	if err != nil {
		return nil, err
	}
	var ours, ccx, fenics whole
	peer := "quoted: " + c.quoted
	for run := range c.runs {
		w, err := solveOurs(base, "1")
		if err != nil {
			return nil, err
		}
		ours.better(w)
		if run > 0 {
			continue // a peer takes far longer than the noise
		}
		if c.ccx {
			if ccx, err = solveCalculiX(base); err == nil {
				peer += fmt.Sprintf("; run: CalculiX %.1f (umax %.6g)", ccx.cpuS, ccx.umax)
			} else {
				peer += "; " + err.Error()
			}
		}
		if c.fenics != "" {
			if fenics, err = solveFEniCS(dir, c); err == nil {
				peer += fmt.Sprintf("; run: FEniCS %s %.1f, %.0f MB (umax %.8g)", c.fenics, fenics.cpuS, fenics.mb, fenics.umax)
			} else {
				peer += "; " + err.Error()
			}
		}
		fmt.Fprintf(os.Stderr, "%-32s ours %.2f s, %s\n", c.name, ours.cpuS, peer)
	}
	rows := []Row{atMost(c.name, ours.cpuS, "CPU s", c.cpuS, peer)}
	if c.mb > 0 {
		rows = append(rows, atMost(c.name+", peak memory", ours.mb, "MB", c.mb, ""))
	}
	limit := 1e-6
	if c.nonlinear {
		limit = 1e-5
	}
	if c.umax > 0 {
		rows = append(rows, atMost(c.name+", umax off the peers'", math.Abs(ours.umax/c.umax-1), "1", limit, fmt.Sprintf("%.8g mm; ours %.8g", c.umax, ours.umax)))
	}
	return rows, nil
}
