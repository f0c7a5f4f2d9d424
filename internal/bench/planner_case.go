package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"halsted/planner"
	"halsted/planner/bundle"
	"halsted/planner/liver"
)

// decided is what `halsted plan --json` prints, as far as the bench reads it.
type decided struct {
	Decision planner.Decision `json:"decision"`
}

// plannerIRCAD plans a real case as a user would: one whole process.
func plannerIRCAD(context.Context) ([]Row, error) {
	const item = "liver.resection on ircad01_17 from masks, front at L2 with degree-2 chaos, 2 cores: "
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		return []Row{notMeasured(item+"wall", "s", "≤ 300", "HALSTED_DATA is not set")}, nil
	}
	tmp, err := os.MkdirTemp("", "halsted-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	study := filepath.Join(data, "cases", "ircad01_17_liver_ct")
	p, err := halsted(2, "plan", filepath.Join(study, "dicom"), "--procedure", "liver.resection", "--structures", filepath.Join(study, "masks_bits.nii.gz"),
		"--bits", ircadBits, "--level", "L2", "--method", "chaos", "--out", tmp, "--json")
	if err != nil {
		return nil, err
	}
	var out decided
	if err := json.Unmarshal(p.out, &out); err != nil {
		return nil, err
	}
	d := &out.Decision
	have, lack := meshErrors(d)
	plans := float64(len(d.Evaluations))
	return []Row{
		atMost(item+"wall, DICOM folder to report", p.wall.Seconds(), "s", 300, "–"),
		atLeast("the same: candidates searched at L0", float64(d.Searched), "1", 200, "–"),
		atMost("the same: of these without a veto", float64(d.Feasible), "1", noLimit, "–"),
		{"the same: plans quantified", &plans, "1", "1 to 7", "–", plans >= 1 && plans <= 7},
		atLeast("the same: mechanical quantities with a mesh error", float64(have), "1", plans, "–"),
		atMost("the same: mechanical quantities without one", float64(lack), "1", 0, "–"),
		atMost("the same: plans that do not state their mesh", float64(meshesNotStated(d)), "1", 0, "–"),
		atMost("the same: peak memory", p.peakGiB, "GiB", noLimit, "–"),
	}, nil
}

// meshErrors counts the mechanical quantities of the plans with a mesh error
// and those without one; a quantity that a plan lacks has none. What is exactly
// zero has none to state: a remnant that no change of gravity moves lies where
// it lay, on every mesh.
func meshErrors(d *planner.Decision) (have, lack int) {
	for n := range d.Evaluations {
		for _, o := range liver.MechanicalOutputs() {
			if q, ok := d.Evaluations[n].Quantity(o.ID); ok && q.Solution != nil && (q.Solution.MeshError > 0 || q.Value == 0) {
				have++
			} else {
				lack++
			}
		}
	}
	return have, lack
}

// meshesNotStated counts the plans whose warnings do not tell the mesh.
func meshesNotStated(d *planner.Decision) (lack int) {
	for _, e := range d.Evaluations {
		if !strings.Contains(strings.Join(e.Warnings, "\n"), "degrees of freedom") {
			lack++
		}
	}
	return lack
}

// plannerReplay runs a bundle again in a second checkout: the commit is cloned
// into two folders, each builds its own binary by its Makefile, the first one
// plans on the sample patient with two cores, the second one replays with one.
func plannerReplay(context.Context) ([]Row, error) {
	tmp, err := os.MkdirTemp("", "halsted-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	var checkout [2]string
	for n, name := range []string{"first", "second"} {
		checkout[n] = filepath.Join(tmp, name)
		if err := buildClone(checkout[n]); err != nil {
			return nil, err
		}
	}
	patient, out := filepath.Join(tmp, "patient"), filepath.Join(tmp, "out")
	made, err := runIn(checkout[0], 2, "phantom", patient, "--json")
	if err != nil {
		return nil, err
	}
	args := []string{"plan", patient, "--level", "L1", "--method", "latin-hypercube", "--runs", "12", "--shown", "3", "--json"}
	seeds, err := seedFlags(made)
	if err != nil {
		return nil, err
	}
	args = append(args, seeds...)
	if _, err := runIn(checkout[0], 2, append(args, "--out", out)...); err != nil {
		return nil, err
	}
	differ, bytesAll, err := replayed(checkout[1], patient, out, args, filepath.Join(tmp, "again"))
	if err != nil {
		return nil, err
	}
	var sums [2]string
	for n := range sums {
		if sums[n], err = bundle.HashFile(filepath.Join(checkout[n], program)); err != nil {
			return nil, err
		}
	}
	other := 0.0
	if sums[0] != sums[1] {
		other = 1
	}
	const item = "replay of a bundle in a second clean checkout: "
	return []Row{
		atMost(item+"bytes of the result that differ", float64(differ), "bytes", 0, "2 cores against 1"),
		atMost(item+"kernel sets that differ", other, "1", 0, "SHA-256 of the two binaries"),
		atLeast(item+"bytes of the result", float64(bytesAll), "bytes", 1, "–"),
	}, nil
}

// replayed replays the bundle of out in a checkout and counts the bytes of the
// result that differ.
func replayed(checkout, patient, out string, args []string, again string) (differ, all int, err error) {
	result := filepath.Join("bundle", "result.json")
	was, err := os.ReadFile(filepath.Join(out, result))
	if err != nil {
		return 0, 0, err
	}
	printed, failed := runIn(checkout, 1, "plan", patient, "--replay", filepath.Join(out, "bundle"), "--json")
	if failed == nil {
		var r struct {
			Replay struct {
				Identical   bool `json:"identical"`
				SameProgram bool `json:"same_program"`
			} `json:"replay"`
		}
		if err := json.Unmarshal(printed, &r); err != nil {
			return 0, 0, err
		}
		if r.Replay.Identical && r.Replay.SameProgram {
			return 0, len(was), nil
		}
		failed = errors.New("the replay ended well and does not say that the result is the same")
	}
	// It refused: run anew to see by how much.
	if _, err := runIn(checkout, 1, append(args, "--out", again)...); err != nil {
		return 0, 0, errors.Join(failed, err)
	}
	is, err := os.ReadFile(filepath.Join(again, result))
	if err != nil {
		return 0, 0, err
	}
	if differ = differingBytes(was, is); differ == 0 {
		return 0, 0, failed
	}
	return differ, len(was), nil
}

// differingBytes counts the places where two files differ; what one has beyond
// the other counts.
func differingBytes(a, b []byte) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// buildClone clones the current commit into dir and builds the binary there.
func buildClone(dir string) error {
	git, err := command("", "git", "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return &missingError{"not a checkout of the repository: " + err.Error()}
	}
	head, err := command("", "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	for _, c := range [][]string{
		{"git", "clone", "-q", "--no-checkout", git, dir}, {"git", "-C", dir, "checkout", "-q", "--detach", head}, {"make", "-s", "-C", dir, program},
	} {
		if _, err := command("", c...); err != nil {
			return err
		}
	}
	return nil
}

// command runs a program and returns what it prints.
func command(dir string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w: %s", args, err, bytes.TrimSpace(errs.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// runIn runs the binary of a checkout, in that folder, on so many cores.
func runIn(checkout string, cores int, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(checkout, program), args...)
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), fmt.Sprint("GOMAXPROCS=", cores))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		last := bytes.TrimSpace(errs.Bytes())
		return out, fmt.Errorf("halsted %s: %w: %s", args[0], err, last[max(0, len(last)-2000):])
	}
	return out, nil
}

// seedFlags are the flags for the points that `halsted phantom --json` names.
func seedFlags(printed []byte) (flags []string, err error) {
	var p struct {
		Seeds []planner.Seed `json:"seeds"`
	}
	if err := json.Unmarshal(printed, &p); err != nil {
		return nil, err
	}
	for _, s := range p.Seeds {
		flags = append(flags, "--seed", fmt.Sprintf("%v=%g,%g,%g", s.Label, s.LPS.X, s.LPS.Y, s.LPS.Z))
	}
	return flags, nil
}
