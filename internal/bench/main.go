// Command bench measures what the issues promise and prints one table per
// bench: item, ours, unit, target, peer, holds. The same rows go to
// out/bench/NAME.json.
//
//	go run ./internal/bench walk
//	go run ./internal/bench mesh
//	go run ./internal/bench fem
//	go run ./internal/bench segment
//	go run ./internal/bench planner
//
// walk runs bin/halsted as a user would, as whole processes. Real data comes
// from $HALSTED_DATA; without it the rows that need it say so.
//
// mesh calls the rooms in child processes of its own on one core, in turns with
// the peers, whose sources are in internal/bench/peers; figures of peers that
// are not run here say "quoted". Meshes are judged by code of this package
// alone: against the label map (volumes, lost components) and against the
// analytic surfaces of a synthetic scene (distances both ways, own border of
// each label, where the scene really shows it). Two more sub-commands do that
// for one mesh:
//
//	go run ./internal/bench meshquality FILE.bin LABELS.raw SCENE.json
//	go run ./internal/bench tets -in s256 -edge 3.9
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// Row is one line of a bench.
type Row struct {
	Item   string   `json:"item"`
	Ours   *float64 `json:"ours"` // null: not measured, see Peer
	Unit   string   `json:"unit"`
	Target string   `json:"target"`
	Peer   string   `json:"peer"`
	Holds  bool     `json:"holds"`
}

// noLimit is for figures that no issue sets a target for.
var noLimit, noFloor = math.Inf(1), math.Inf(-1)

// atMost and atLeast make a row with its verdict.
func atMost(item string, ours float64, unit string, limit float64, peer string) Row {
	if math.IsInf(limit, 1) {
		return Row{item, &ours, unit, "none", peer, true}
	}
	return Row{item, &ours, unit, fmt.Sprintf("≤ %g", limit), peer, ours <= limit}
}

func atLeast(item string, ours float64, unit string, limit float64, peer string) Row {
	if math.IsInf(limit, -1) {
		return Row{item, &ours, unit, "none", peer, true}
	}
	return Row{item, &ours, unit, fmt.Sprintf("≥ %g", limit), peer, ours >= limit}
}

func notMeasured(item, unit, target, why string) Row {
	return Row{Item: item, Unit: unit, Target: target, Peer: "not measured: " + why}
}

// publish prints the table and writes out/bench/NAME.json unless only some
// parts were asked for.
func publish(name string, parts []string, rows []Row) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "item\tours\tunit\ttarget\tpeer\tholds")
	for _, r := range rows {
		ours := "–"
		if r.Ours != nil {
			ours = fmt.Sprintf("%.4g", *r.Ours)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%t\n", r.Item, ours, r.Unit, r.Target, r.Peer, r.Holds)
	}
	if err := t.Flush(); err != nil || len(parts) > 0 {
		return err
	}
	b, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		return err
	}
	dir := filepath.Join("out", "bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o644)
}

// tools are the other sub-commands; they print for themselves.
var tools = map[string]func(args []string) error{"meshquality": meshQuality, "tets": tets, trialCommand: runTrial}

// trials are what a child process can be asked to do and time.
var trials = map[string]trial{
	"net": trialNet, "surface": trialSurface, "smooth": trialSmooth, "decimate": trialDecimate,
	"tets": trialTets, "cut": trialCut, "distance": trialDistance, "stl": trialSTL, "warm": trialWarm, "bound": trialBound,
}

const usage = `usage: go run ./internal/bench walk
       go run ./internal/bench mesh [PART …]
       go run ./internal/bench fem [PART …]
       go run ./internal/bench segment [PART …]
       go run ./internal/bench planner [PART …]
       go run ./internal/bench meshquality FILE.bin LABELS.raw SCENE.json
       go run ./internal/bench tets [-in s256] [-edge 3.9] [-label 4=2 …] [-keep FILE.bin]`

var benches = map[string]func(parts []string) ([]Row, error){"walk": walk, "mesh": meshBench, "fem": femBench, "segment": segmentBench, "planner": plannerBench}

func main() {
	if len(os.Args) < 2 || benches[os.Args[1]] == nil && tools[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	if tool := tools[os.Args[1]]; tool != nil {
		err = tool(os.Args[2:])
	} else {
		var rows []Row
		if rows, err = benches[os.Args[1]](os.Args[2:]); err == nil {
			err = publish(os.Args[1], os.Args[2:], rows)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
