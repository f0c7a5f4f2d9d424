package main

import (
	"fmt"
	"math"
	"path/filepath"

	"halsted/imaging"
)

// pair is a mesh of ours and one of CGAL's of the same input.
type pair struct {
	base      string
	ours      spent
	mesh      figures
	err       error
	cgal      cgalTimes
	cgalMesh  figures
	cgalError error
}

// meshPair meshes an input with ours and with CGAL, in turns.
func meshPair(tmp, name string, z sizes, peer cgalSizes, runs int) (pair, error) {
	base, err := input(name)
	if err != nil {
		return pair{err: err, cgalError: err}, nil
	}
	p := pair{base: base}
	labels, s, err := load(base)
	if err != nil {
		return p, err
	}
	dump, peerDump := filepath.Join(tmp, name+".bin"), filepath.Join(tmp, name+"-cgal.bin")
	for n := range runs {
		var t spent
		if t, p.err = try("tets", append([]string{base, dump}, z.args()...)...); p.err != nil {
			break
		}
		peak := max(t.PeakMB, p.ours.PeakMB)
		if n == 0 || t.CPUS < p.ours.CPUS {
			p.ours = t
		}
		p.ours.PeakMB = peak
		if n == 0 {
			p.cgal, p.cgalError = cgal(base, peerDump, peer)
		}
	}
	if p.err == nil {
		m, err := readDump(dump)
		if err != nil {
			return p, err
		}
		p.mesh = measureMesh(m, labels, s)
	}
	if p.cgalError == nil {
		m, err := readDump(peerDump)
		if err != nil {
			return p, err
		}
		p.cgalMesh = measureMesh(m, labels, s)
	}
	return p, nil
}

// peer is what CGAL reached.
func (p *pair) peer(format string, args ...any) string {
	return peerText(p.cgalError, "CGAL "+format, args...)
}

// angleRows are the worst angles of an input's mesh.
func (p *pair) angleRows(name string) []Row {
	low, high := "smallest dihedral, "+name, "largest dihedral, "+name
	if p.err != nil {
		return []Row{failedRow(low, "deg", "≥ 10", p.err), failedRow(high, "deg", "≤ 160", p.err)}
	}
	return []Row{
		atLeast(low, p.mesh.MinDihedral, "deg", 10, p.peer("%.3g", p.cgalMesh.MinDihedral)),
		atMost(high, p.mesh.MaxDihedral, "deg", 160, p.peer("%.4g", p.cgalMesh.MaxDihedral)),
	}
}

// soundRows are what must be zero for any input.
func (p *pair) soundRows(name string) []Row {
	lost, faults := "lost components, "+name, "faults of the mesh (orientation, shared faces), "+name
	if p.err != nil {
		return []Row{failedRow(lost, "parts", "≤ 0", p.err), failedRow(faults, "faults", "≤ 0", p.err)}
	}
	worst := 0
	if len(p.cgalMesh.Lost) > 0 {
		worst = p.cgalMesh.Lost[0].Voxels
	}
	fault, text := 0.0, "–"
	if p.mesh.Defect != "" {
		fault, text = 1, "the first: "+p.mesh.Defect
	}
	return []Row{
		atMost(lost, float64(len(p.mesh.Lost)), fmt.Sprintf("of %d", p.mesh.Components), 0, p.peer("%d, the largest of %d voxels", len(p.cgalMesh.Lost), worst)),
		atMost(faults, fault, "faults", 0, text),
	}
}

// volumeRows compare the volume of each label with its voxels.
func (p *pair) volumeRows(name string, limit func(imaging.Label) float64) (rows []Row) {
	for _, l := range p.mesh.Labels {
		text := p.peer("lost it")
		for _, c := range p.cgalMesh.Labels {
			if c.Label == l.Label {
				text = p.peer("%+.3g", c.Percent)
			}
		}
		rows = append(rows, atMost(fmt.Sprintf("volume error of label %d, %s", uint8(l.Label), name), math.Abs(l.Percent), "%", limit(l.Label), text))
	}
	return rows
}

func s256Rows(tmp string) ([]Row, error) {
	p, err := meshPair(tmp, "s256", meshS256, cgalS256, trialRuns)
	if err != nil {
		return nil, err
	}
	const cpu, tets, memory = "labels to tets with fields and Improve, s256", "tets, s256", "peak memory, s256"
	if p.err != nil {
		return []Row{failedRow(cpu, "CPU s", "≤ 0.8", p.err)}, nil
	}
	rows := []Row{
		atMost(cpu, p.ours.CPUS, "CPU s", 0.8, p.peer("%.3g s refined, %.3g s with slivers removed", p.cgal.RefineS, p.cgal.CPUS)),
		within(tets, float64(p.mesh.Tets), "tets", 342000, 418000, p.peer("%d", p.cgalMesh.Tets)),
		atMost(memory, p.ours.PeakMB, "MB", 150, p.peer("%.0f", p.cgal.peakMB)),
	}
	rows = append(rows, p.angleRows("s256")...)
	rows = append(rows, p.volumeRows("s256", func(l imaging.Label) float64 {
		if l == wall || l == lumen {
			return 1
		}
		return 0.5
	})...)
	o, c := &p.mesh, &p.cgalMesh
	rows = append(rows,
		atMost("distance mesh to truth, own border of each label, s256: mean", o.ToTruth.Mean, "voxels", 0.08, p.peer("%.3f", c.ToTruth.Mean)),
		atMost("distance truth to mesh, own border of each label, s256: mean", o.FromTruth.Mean, "voxels", 0.08, p.peer("%.3f", c.FromTruth.Mean)),
		atMost("distance mesh to truth, own border of each label, s256: max", o.ToTruth.Max, "voxels", farVoxels, p.peer("%.3g", c.ToTruth.Max)),
		atMost("distance truth to mesh, own border of each label, s256: max", o.FromTruth.Max, "voxels", farVoxels, p.peer("%.3g; the label map itself 1.14", c.FromTruth.Max)),
		atMost("distance mesh to truth, border of any label, s256: max", o.ToAny.Max, "voxels", farVoxels, p.peer("%.3g", c.ToAny.Max)),
		atMost("distance truth to mesh, border of any label, s256: max", o.FromAny.Max, "voxels", farVoxels, p.peer("%.3g", c.FromAny.Max)),
	)
	return append(rows, p.soundRows("s256")...), nil
}

func realRows(tmp, name string, z sizes) ([]Row, error) {
	p, err := meshPair(tmp, name, z, cgalReal, 1)
	if err != nil {
		return nil, err
	}
	rows := append(p.angleRows(name), p.soundRows(name)...)
	if p.err != nil {
		return rows, nil
	}
	rows = append(rows, p.volumeRows(name, func(imaging.Label) float64 { return noLimit })...)
	return append(rows, atMost("labels to tets, "+name, p.ours.CPUS, "CPU s", noLimit,
		p.peer("%.3g s refined, %.3g s with slivers removed; %d tets (ours %d)", p.cgal.RefineS, p.cgal.CPUS, p.cgalMesh.Tets, p.mesh.Tets))), nil
}
