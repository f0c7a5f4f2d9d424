package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	program = "bin/halsted"
	// The bits of the case's mask file, in order.
	ircadBits = "body,bone,liver,portal_vein,hepatic_vein,artery,tumour_1,tumour_2"
)

// process is a finished run of the binary.
type process struct {
	wall    time.Duration
	peakGiB float64
	out     []byte
}

// halsted runs the binary with the given number of Go threads.
func halsted(procs int, args ...string) (process, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), fmt.Sprint("GOMAXPROCS=", procs))
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	p := process{wall: time.Since(start), out: out}
	if err != nil {
		return p, fmt.Errorf("halsted %v: %w", args, err)
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.peakGiB = float64(u.Maxrss) / (1 << 20) // KiB on Linux
	}
	return p, nil
}

// planOutput is what `halsted simulate --json` prints, as far as the bench reads it.
type planOutput struct {
	Organ struct {
		VoxelML     float64 `json:"voxel_ml"`
		SurfaceML   float64 `json:"surface_ml"`
		TetML       float64 `json:"tet_ml"`
		MinDihedral float64 `json:"min_dihedral_deg"`
	} `json:"organ"`
	Remnants []struct {
		MinDihedral float64 `json:"min_dihedral_deg"`
	} `json:"remnants"`
}

// walk measures the "Must show" figures of the first walk through the house.
func walk([]string) ([]Row, error) {
	tmp, err := os.MkdirTemp("", "halsted-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	rows, err := realCase(tmp)
	if err != nil {
		return nil, err
	}
	sample, err := sampleCase(tmp)
	return append(rows, sample...), err
}

func percentOff(have, want float64) float64 {
	d := 100 * (have - want) / want
	return max(d, -d)
}

// realCase runs ircad01_17: DICOM and imported masks to two simulated plans,
// and the liver by our own recipe against the manual truth.
func realCase(tmp string) ([]Row, error) {
	const (
		surface  = "organ volume of the surfaces, ircad01_17: error"
		tets     = "organ volume of the tet mesh, ircad01_17: error"
		dihedral = "smallest dihedral of all tet meshes, ircad01_17"
		wall     = "two-plan run, DICOM to ranked plans, ircad01_17, 2 cores: wall"
		memory   = "two-plan run, DICOM to ranked plans, ircad01_17, 2 cores: peak memory"
		dice     = "liver Dice, own segmentation, ircad01_17"
		bits     = "artefacts that differ between two runs, GOMAXPROCS 1 and 2, ircad01_17"
	)
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		why := "HALSTED_DATA is not set"
		return []Row{notMeasured(surface, "%", "≤ 0.3", why), notMeasured(tets, "%", "≤ 1", why), notMeasured(dihedral, "deg", "≥ 5", why),
			notMeasured(wall, "s", "≤ 120", why), notMeasured(memory, "GiB", "≤ 4", why), notMeasured(dice, "1", "≥ 0.85", why), notMeasured(bits, "files", "≤ 0", why)}, nil
	}
	study := filepath.Join(data, "cases", "ircad01_17_liver_ct")
	masks := filepath.Join(study, "masks_bits.nii.gz")
	var runs [2]process
	for n := range runs {
		var err error
		runs[n], err = halsted(2-n, "simulate", filepath.Join(study, "dicom"), "--masks", masks, "--bits", ircadBits, "--out", filepath.Join(tmp, fmt.Sprint("ircad", n)), "--json")
		if err != nil {
			return nil, err
		}
	}
	var out planOutput
	if err := json.Unmarshal(runs[0].out, &out); err != nil {
		return nil, err
	}
	smallest := out.Organ.MinDihedral
	for _, r := range out.Remnants {
		smallest = min(smallest, r.MinDihedral)
	}
	differ, err := differing(filepath.Join(tmp, "ircad0"), filepath.Join(tmp, "ircad1"))
	if err != nil {
		return nil, err
	}
	seg, err := halsted(2, "segment", filepath.Join(study, "dicom"), "--against", masks, "--bits", ircadBits, "--json")
	if err != nil {
		return nil, err
	}
	var against struct {
		Against map[string]struct {
			Dice float64 `json:"dice"`
		} `json:"against"`
	}
	if err := json.Unmarshal(seg.out, &against); err != nil {
		return nil, err
	}
	// 2,106,497 voxels of the mask: 1860.62 ml.
	const organML = 1860.62
	return []Row{
		atMost(surface, percentOff(out.Organ.SurfaceML, organML), "%", 0.3, "marching cubes 0.009 (1860.46 ml)"),
		atMost(tets, percentOff(out.Organ.TetML, organML), "%", 1, "–"),
		atLeast(dihedral, smallest, "deg", 5, "CGAL 1.8 to 4.0 on its cases"),
		atMost(wall, runs[0].wall.Seconds(), "s", 120, "–"),
		atMost(memory, runs[0].peakGiB, "GiB", 4, "–"),
		atLeast(dice, against.Against["liver"].Dice, "1", 0.85, "threshold baseline 0.847"),
		atMost(bits, float64(differ), "files", 0, "–"),
	}, nil
}

// sampleCase runs the demo on the sample patient twice.
func sampleCase(tmp string) ([]Row, error) {
	var runs [2]process
	for n := range runs {
		var err error
		if runs[n], err = halsted(2-n, "demo", "--out", filepath.Join(tmp, fmt.Sprint("demo", n)), "--json"); err != nil {
			return nil, err
		}
	}
	differ, err := differing(filepath.Join(tmp, "demo0"), filepath.Join(tmp, "demo1"))
	if err != nil {
		return nil, err
	}
	return []Row{
		atMost("demo on the sample patient, after the build, 2 cores: wall", runs[0].wall.Seconds(), "s", 60, "–"),
		atMost("demo on the sample patient: peak memory", runs[0].peakGiB, "GiB", 4, "–"),
		atMost("artefacts that differ between two runs, GOMAXPROCS 1 and 2, sample patient", float64(differ), "files", 0, "–"),
	}, nil
}

// differing counts the files that are not the same in two folders.
func differing(a, b string) (int, error) {
	ha, err := hashes(a)
	if err != nil {
		return 0, err
	}
	hb, err := hashes(b)
	if err != nil {
		return 0, err
	}
	if len(ha) == 0 {
		return 0, fmt.Errorf("%s holds no artefact", a)
	}
	n := 0
	for name, h := range ha {
		if hb[name] != h {
			n++
		}
	}
	for name := range hb {
		if _, ok := ha[name]; !ok {
			n++
		}
	}
	return n, nil
}

func hashes(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		s := sha256.Sum256(b)
		out[rel] = hex.EncodeToString(s[:])
		return nil
	})
	return out, err
}
