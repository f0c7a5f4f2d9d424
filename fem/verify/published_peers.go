package verify

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// peer is a model that other codes were run on.
type peer struct {
	mesh     string
	neo      bool
	maxMM    float64 // largest displacement of a node
	relative float64
	by       string
}

var peers = []peer{
	{"liver_T10_30k", false, 107.13463, 1e-6, "CalculiX, FEniCS, FEBio, getfem, sfepy"},
	{"liver_T10_100k", false, 99.20994, 1e-6, "CalculiX, FEniCS, FEBio"},
	{"beam_T10_100k", false, 30.344452, 1e-6, "FEniCS"},
	{"tube_T10_100k", false, 4.08871, 1e-6, "FEniCS"},
	{"cook_T10_100k", false, 24.884163, 1e-6, "FEniCS"},
	{"liver_T10_30k", true, 66.393869, 1e-5, "CalculiX, FEniCS, FEBio, getfem"},
}

func init() {
	register(Case{
		Name: "peers", Title: "Other codes on the same meshes", Group: Published,
		Text: "Straight-sided Tet10 meshes with supports and dead nodal forces as files; E = 0.01 MPa, ν = 0.45, linear, and neo-Hookean with W = μ/2·(Ī1 − 3) + κ/2·(J − 1)² in five increments; the displacement form, no treatment of locking. " +
			"The largest displacement of a node. The meshes (*.inp, *_cload.inp) are read from $HALSTED_PEERS/fem (default ../shared/peers/fem) or build/bench/fem, where meshes.tar.xz is to be unpacked.",
		Source: "[R] the table of peer figures beside the meshes: CalculiX 2.20, FEniCS 2019, FEBio 4.11, getfem, sfepy run on them",
		Run:    runPeers,
	})
}

// peerFolder finds the folder that has the file.
func peerFolder(file string) (string, error) {
	root := os.Getenv("HALSTED_PEERS")
	if root == "" {
		root = filepath.Join("..", "shared", "peers")
	}
	for _, dir := range []string{filepath.Join(root, "fem"), filepath.Join("build", "bench", "fem")} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir, nil
		}
	}
	return "", notRun(fmt.Sprintf("%s is neither in %s nor in build/bench/fem: unpack meshes.tar.xz there, or set HALSTED_PEERS", file, filepath.Join(root, "fem")))
}

func runPeers(ctx context.Context, l Level) (rows []Row, err error) {
	if l == Quick {
		return nil, notRun("30 000 to 110 000 unknowns: on the stated meshes only")
	}
	for _, p := range peers { // all or nothing, so that no row is missing unseen
		if _, err := peerFolder(p.mesh + ".inp"); err != nil {
			return nil, err
		}
	}
	const young, nu = 0.01, 0.45
	for _, p := range peers {
		dir, err := peerFolder(p.mesh + ".inp")
		if err != nil {
			return rows, err
		}
		mod := &fem.Model{Mesh: &mesh.TetMesh{}}
		for _, name := range []string{p.mesh + ".inp", p.mesh + "_cload.inp"} {
			if err := readPeer(filepath.Join(dir, name), mod); err != nil {
				return rows, err
			}
		}
		quantity, s := "max |u|, linear", fem.Settings{Steps: 1, ResidualTol: 1e-10}
		var law material.Law = must(material.NewLinear(young, nu))
		if p.neo {
			law = must(material.NewNeoHookeanWith(young/(2*(1+nu)), young/(3*(1-2*nu)), material.VolumetricQuadratic))
			quantity, s = "max |u|, neo-Hookean", fem.Settings{Steps: 5, ResidualTol: 1e-8}
		}
		mod.Regions = one(law)
		f, _, err := last(ctx, mod, s)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", p.mesh, err)
		}
		var far float64
		for _, u := range f.U {
			far = max(far, r3.Norm(u))
		}
		rows = append(rows, relative(quantity, described(p.mesh, mod.Mesh), "mm", far, p.maxMM, p.relative).because("ran on it: "+p.by))
	}
	return rows, nil
}

// readPeer adds what a file has to the model: *NODE and *ELEMENT with numbers
// from 1 up without gaps, corner nodes in any place, *BOUNDARY and *CLOAD line
// by line. The ten nodes are in the order of package mesh.
func readPeer(path string, mod *fem.Model) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	m := mod.Mesh
	part := ""
	sc := bufio.NewScanner(f)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(text, "*") {
			part, _, _ = strings.Cut(strings.ToUpper(text), ",")
			continue
		}
		bad := func(err error) error { return fmt.Errorf("%s, line %d: %w", path, line, err) }
		var w []float64
		for _, c := range strings.Split(text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(c), 64)
			if err != nil {
				return bad(err)
			}
			w = append(w, v)
		}
		node := func(v float64) (int32, error) {
			if v != math.Trunc(v) || v < 1 || v > float64(len(m.Nodes)) {
				return 0, bad(fmt.Errorf("no node %v", v))
			}
			return int32(v) - 1, nil
		}
		switch {
		case part == "*NODE" && len(w) == 4 && w[0] == float64(len(m.Nodes)+1):
			m.Nodes = append(m.Nodes, r3.Vec{X: w[1], Y: w[2], Z: w[3]})
		case part == "*ELEMENT" && len(w) == 11:
			var t [10]int32
			for a := range t {
				if t[a], err = node(w[a+1]); err != nil {
					return err
				}
			}
			m.Tets, m.Mid, m.Region = append(m.Tets, [4]int32(t[:4])), append(m.Mid, [6]int32(t[4:])), append(m.Region, tissue)
		case part == "*BOUNDARY" && (len(w) == 3 || len(w) == 4) && w[1] >= 1 && w[2] <= 3:
			v, err := node(w[0])
			if err != nil {
				return err
			}
			for a := w[1]; a <= w[2]; a++ {
				mod.Prescribed = append(mod.Prescribed, fem.Prescribed{Node: v, Axis: int8(a) - 1})
			}
		case part == "*CLOAD" && len(w) == 3 && w[1] >= 1 && w[1] <= 3:
			v, err := node(w[0])
			if err != nil {
				return err
			}
			var force [3]float64
			force[int(w[1])-1] = w[2]
			mod.Forces = append(mod.Forces, fem.NodalForce{Node: v, ForceN: r3.Vec{X: force[0], Y: force[1], Z: force[2]}})
		default:
			return bad(fmt.Errorf("%d numbers under %q", len(w), part))
		}
	}
	return sc.Err()
}
