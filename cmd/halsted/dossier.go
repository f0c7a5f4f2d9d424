package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"halsted/imaging"
	"halsted/internal/atomicfile"
	"halsted/mesh"
	"halsted/mesh/meshio"
	"halsted/planner"
	"halsted/planner/pipeline"
	"halsted/planner/report"
	"halsted/viewer/scene"
)

// dossier is a finished walk, ready to be written down.
type dossier struct {
	prepared    *pipeline.Prepared
	study       planner.Study
	sims        []*pipeline.Simulated
	evaluations []planner.Evaluation // ranked
	// stress, if set, gives the scene of a plan's last frame, e.g. as it came
	// over the wire; else it is drawn from sims.
	stress map[string]*scene.Scene
}

// items pairs evaluations with their plans, in the order of the evaluations.
func items(plans []planner.Plan, es []planner.Evaluation) []report.Item {
	var out []report.Item
	for _, e := range es {
		n := slices.IndexFunc(plans, func(p planner.Plan) bool { return p.ID == e.Plan })
		out = append(out, report.Item{Plan: plans[n], Evaluation: e})
	}
	return out
}

// ranked orders the simulations like the evaluations.
func (d *dossier) ranked() []*pipeline.Simulated {
	var out []*pipeline.Simulated
	for _, e := range d.evaluations {
		n := slices.IndexFunc(d.sims, func(s *pipeline.Simulated) bool { return s.Plan.ID == e.Plan })
		out = append(out, d.sims[n])
	}
	return out
}

func (d *dossier) plans() []planner.Plan {
	var out []planner.Plan
	for _, s := range d.ranked() {
		out = append(out, s.Plan)
	}
	return out
}

// method says how the numbers came about, for people.
func (d *dossier) method() []string {
	s := d.prepared.Settings
	return []string{
		fmt.Sprintf("Tetrahedra of %g mm edge, quadratic (Tet10) with mean dilatation; nearly incompressible neo-Hookean parenchyma; %d load steps.", s.EdgeMM, s.Steps),
		"The organ is simulated as imaged, so only the change of gravity since the scan would load it; none was applied.",
		fmt.Sprintf("The remnant is held where the hepatic veins leave it and its lower front edge is moved %g mm to the front and the head.", s.Retract),
		"Capsule, vessel walls and ligaments are not modelled; territories and blood loss are not computed.",
	}
}

// write renders and writes all artefacts; it returns their names.
func (d *dossier) write(ctx context.Context, out string, progress pipeline.Progress) ([]string, error) {
	progress("write", 0)
	anatomy, err := anatomyScene(d.prepared.Surface, len(d.prepared.Anatomy.Tumours))
	if err != nil {
		return nil, err
	}
	png, err := pictureOf(ctx, anatomy, "case "+d.prepared.Case.ID)
	if err != nil {
		return nil, err
	}
	pictures := []report.Picture{{Caption: "The liver seen from the front, with vessels and tumours inside.", PNG: png}}
	files := []atomicfile.File{{Name: "anatomy.png", Write: bytesOf(png)}}
	top := d.topStressKPa()
	for n, s := range d.ranked() {
		sc := d.stress[s.Plan.ID]
		if sc == nil {
			if sc, err = stateScene(s.Topology, s.Last); err != nil {
				return nil, err
			}
		}
		dress(sc, "von_mises", fmt.Sprintf("Plan %d: %s", n+1, s.Plan.Name), fmt.Sprintf("remnant under a prescribed pull of %g mm", s.Plan.RetractionMM))
		if err := sc.LockRange("von_mises", 0, top); err != nil {
			return nil, err
		}
		if png, err = pictureOf(ctx, sc, "plan "+s.Plan.ID); err != nil {
			return nil, err
		}
		pictures = append(pictures, report.Picture{Caption: fmt.Sprintf("Plan %d, %s: von Mises stress in the remnant under retraction, on one scale for all plans; beyond it at the rims of the two grips. The resected part is shown faintly at rest.", n+1, s.Plan.Name), PNG: png})
		files = append(files,
			atomicfile.File{Name: fmt.Sprintf("stress-%d.png", n+1), Write: bytesOf(png)},
			atomicfile.File{Name: fmt.Sprintf("remnant-%d.vtu", n+1), Write: func(w io.Writer) error { return writeRemnant(w, s) }})
		progress("write", float64(n+1)/float64(len(d.sims)+1))
	}
	organ, _ := d.prepared.Surface.Bounding(imaging.Label.InOrgan)
	its := items(d.plans(), d.evaluations)
	page := report.Dossier{Case: d.prepared.Case, Study: d.study, RulePack: pipeline.RulePack(d.prepared.Case.Procedure), Found: d.found(), Items: its, Method: d.method(), Pictures: pictures}
	files = append(files,
		atomicfile.File{Name: "organ.stl", Write: func(w io.Writer) error { return meshio.WriteSTL(w, organ) }},
		atomicfile.File{Name: "scene.glb", Write: func(w io.Writer) error { return d.writeGLB(w) }},
		atomicfile.File{Name: "plans.txt", Write: func(w io.Writer) error { return report.Table(w, its) }},
		atomicfile.File{Name: "plans.json", Write: d.writeJSON},
		atomicfile.File{Name: "report.html", Write: func(w io.Writer) error { return report.Write(w, page) }},
	)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := writeArtefacts(out, files); err != nil {
		return nil, err
	}
	progress("write", 1)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names, nil
}

// topStressKPa is the upper end of the colour scale, the same for all plans so
// that their pictures compare: the largest peak away from the grips. What lies
// above it, at the rims of the grips, gets the colour beyond the scale.
func (d *dossier) topStressKPa() float64 {
	top := 0.0
	for _, e := range d.evaluations {
		if q, ok := e.Quantity("peak_stress_kpa"); ok {
			top = max(top, q.Value)
		}
	}
	if top == 0 {
		top = 1 // nothing moved: any range shows it
	}
	return top
}

func bytesOf(b []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(b); return err }
}

// found are the volumes of the organ, for the report.
func (d *dossier) found() []planner.Quantity {
	a := d.prepared.Anatomy
	half := "organ border moved by half a voxel; segmentation error not included"
	qs := []planner.Quantity{{ID: "organ_ml", Label: "Organ (parenchyma, tumours and vessels inside)", Unit: "mL", Value: a.OrganML, Spread: planner.Around(a.OrganLowML, a.OrganML, a.OrganHighML), Basis: half}}
	for n, t := range a.Tumours {
		qs = append(qs, planner.Quantity{ID: t.Label.String() + "_ml", Label: fmt.Sprint("Tumour ", n+1), Unit: "mL", Value: t.ML, Spread: planner.Around(t.LowML, t.ML, t.HighML), Basis: half})
	}
	return qs
}

// writeRemnant writes the simulated remnant with its fields.
func writeRemnant(w io.Writer, s *pipeline.Simulated) error {
	kPa, strain := make([]float64, len(s.Mesh.Nodes)), make([]float64, len(s.Mesh.Nodes))
	for n := range kPa {
		kPa[n], strain[n] = s.State.VonMisesMPa[n]*1000, s.State.StrainMax[n]*100
	}
	return meshio.WriteVTU(w, s.Mesh, []meshio.PointField{
		{Name: "displacement_mm", Vectors: s.State.U},
		{Name: "von_mises_kpa", Scalars: kPa},
		{Name: "strain_max_percent", Scalars: strain},
	})
}

// writeGLB writes the organ, its vessels and tumours, one named node each.
func (d *dossier) writeGLB(w io.Writer) error {
	var parts []meshio.Part
	add := func(name string, l imaging.Label, inside func(imaging.Label) bool) {
		s, _ := d.prepared.Surface.Bounding(inside)
		if len(s.Tris) > 0 {
			parts = append(parts, part(name, l, s))
		}
	}
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel} {
		add(l.String(), l, func(o imaging.Label) bool { return o == l })
	}
	for _, t := range d.prepared.Anatomy.Tumours {
		add(t.Label.String(), t.Label, func(o imaging.Label) bool { return o == t.Label })
	}
	add("liver", imaging.LabelLiver, imaging.Label.InOrgan)
	return meshio.WriteGLB(w, parts)
}

func part(name string, l imaging.Label, s *mesh.Surface) meshio.Part {
	c, opacity := scene.Style(l)
	c.A = uint8(opacity * 255)
	return meshio.Part{Name: name, Surface: s, Colour: c}
}

// result is the machine-readable summary, without times.
func (d *dossier) result(names []string) *simulateResult {
	a := d.prepared
	q := mesh.Quality(a.Organ)
	r := &simulateResult{Study: d.study, Case: a.Case, Plans: d.plans(), Evaluations: d.evaluations, Artefacts: names, Notice: planner.Notice,
		Organ: organFigures{VoxelML: a.Anatomy.OrganML, SurfaceML: a.Surface.VolumeMM3(imaging.Label.InOrgan) / 1000, TetML: a.Organ.VolumeMM3(nil) / 1000,
			Tets: len(a.Organ.Tets), MinDihedralDeg: q.MinDihedralDeg, MaxDihedralDeg: q.MaxDihedralDeg}}
	for _, s := range d.ranked() {
		r.Remnants = append(r.Remnants, remnantFigures{Plan: s.Plan.ID, Tets: len(s.Mesh.Tets), DOF: s.Result.DOF, MinDihedralDeg: mesh.Quality(s.Mesh).MinDihedralDeg, Newton: s.Result.Newton})
	}
	return r
}

func (d *dossier) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(d.result(nil))
}

// fileHash is the SHA-256 of a file's bytes, hex.
func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", refusedError{err}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
