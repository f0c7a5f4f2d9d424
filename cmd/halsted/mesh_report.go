package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// meshResult is what `halsted mesh --json` prints. Places are LPS mm.
type meshResult struct {
	VoxelML   float64 `json:"voxel_ml,omitempty"`
	SurfaceML float64 `json:"surface_ml,omitempty"`
	Triangles int     `json:"triangles,omitempty"` // of the voxel-fine surface, or of the file
	TetML     float64 `json:"tet_ml"`
	Tets      int     `json:"tets"`
	Nodes     int     `json:"nodes"`
	Quadratic bool    `json:"quadratic,omitempty"`

	MinDihedralDeg float64      `json:"min_dihedral_deg"`
	MaxDihedralDeg float64      `json:"max_dihedral_deg"`
	Shape          *shapeResult `json:"shape,omitempty"` // with --report
	Inverted       int          `json:"inverted"`
	Fault          string       `json:"fault,omitempty"`

	Labels     []labelResult   `json:"labels"`
	Components int             `json:"components,omitempty"`
	Dropped    int             `json:"components_dropped"`
	DroppedAt  []droppedResult `json:"dropped,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	Artefacts  []string        `json:"artefacts"`
	Stages     []stageTime     `json:"stages"`
}

// labelResult is one label of the mesh against the labels it was made of.
type labelResult struct {
	Number       int             `json:"number"`
	Name         string          `json:"name"`
	Tets         int             `json:"tets"`
	TetML        float64         `json:"tet_ml"`
	VoxelML      *float64        `json:"voxel_ml,omitempty"`
	ErrorPercent *float64        `json:"volume_error_percent,omitempty"`
	Distance     *distanceResult `json:"distance,omitempty"`
}

type droppedResult struct {
	Label  string     `json:"label"`
	Voxels int        `json:"voxels"`
	ML     float64    `json:"ml"`
	AtMM   [3]float64 `json:"at_mm"`
}

func point(p r3.Vec) [3]float64 { return [3]float64{p.X, p.Y, p.Z} }

// describe measures what there is; fine is the voxel-fine surface of the labels,
// nil without labels.
func (j *meshJob) describe(ctx context.Context, s *subject, fine *mesh.Surface) (*meshResult, error) {
	r := &meshResult{Notes: s.notes, Artefacts: []string{}, Labels: []labelResult{}}
	if s.surface != nil {
		r.Triangles = len(s.surface.Tris)
		r.SurfaceML = s.surface.VolumeMM3(func(l imaging.Label) bool { return l != imaging.LabelBackground }) / 1000
	}
	if s.tets != nil {
		q := mesh.Quality(s.tets)
		r.sum(&q, s.tets)
		if j.report {
			r.Shape = shapeOf(&q, s.tets)
		}
	} else if s.surface != nil {
		if d := s.surface.Defects(); !d.Sound() {
			r.Fault = d.String()
		}
	}
	r.perLabel(s)
	if c := s.curved; c != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("second order: %d of %d edges at surfaces bent, by up to %.2f mm; %d held back for the Jacobian", c.Moved, c.Edges, c.LargestMM, c.BackedOff))
	}
	if s.made != nil {
		r.Components, r.Dropped = s.made.Components, len(s.made.Dropped)
		for _, d := range s.made.Dropped {
			r.DroppedAt = append(r.DroppedAt, droppedResult{s.name(d.Label), d.Voxels, d.VolumeMM3 / 1000, point(d.AtMM)})
		}
	}
	if !j.report || fine == nil {
		return r, nil
	}
	h := s.labels.Grid.SpacingMM()
	step := min(h[0], h[1], h[2])
	own := s.surface
	if s.tets != nil {
		own = s.tets.Interfaces()
	}
	distances, err := labelDistances(ctx, own, fine, step)
	if err != nil {
		return nil, refusedError{err}
	}
	for n := range r.Labels {
		r.Labels[n].Distance = distances[imaging.Label(r.Labels[n].Number)]
	}
	return r, nil
}

// sum takes the figures that every run prints.
func (r *meshResult) sum(q *mesh.Report, m *mesh.TetMesh) {
	r.Tets, r.Nodes, r.Quadratic, r.TetML = q.Tets, q.Nodes, m.Mid != nil, q.VolumeMM3/1000
	r.MinDihedralDeg, r.MaxDihedralDeg, r.Inverted = q.MinDihedralDeg, q.MaxDihedralDeg, q.Inverted
	if err := m.Check(); err != nil {
		r.Fault = err.Error()
	}
}

// perLabel lists the labels of mesh and voxels, lowest first.
func (r *meshResult) perLabel(s *subject) {
	var tets, voxels [256]int
	var volume [256]float64
	if s.tets != nil {
		for t, v := range s.tets.Tets {
			l, n := imaging.LabelBackground, s.tets.Nodes
			if s.tets.Region != nil {
				l = s.tets.Region[t]
			}
			tets[l]++
			volume[l] += mesh.Signed6(n[v[0]], n[v[1]], n[v[2]], n[v[3]]) / 6
		}
	} else if s.surface != nil {
		for _, l := range s.surface.Labels() {
			volume[l] = s.surface.VolumeMM3(func(o imaging.Label) bool { return o == l })
		}
	}
	if s.labels != nil {
		for _, l := range s.labels.ID {
			voxels[l]++
		}
	}
	for l := range 256 {
		if tets[l] == 0 && volume[l] == 0 && (voxels[l] == 0 || l == 0) {
			continue
		}
		x := labelResult{Number: l, Name: s.name(imaging.Label(l)), Tets: tets[l], TetML: volume[l] / 1000}
		if s.labels != nil && l > 0 {
			ml := float64(voxels[l]) * s.labels.Grid.VoxelMM3() / 1000
			x.VoxelML = &ml
			r.VoxelML += ml
			if ml > 0 {
				e := 100 * (x.TetML - ml) / ml
				x.ErrorPercent = &e
			}
		}
		r.Labels = append(r.Labels, x)
	}
}

// print writes the result for a person.
func (r *meshResult) print(w io.Writer) {
	fmt.Fprintln(w)
	if r.Tets > 0 {
		order := ""
		if r.Quadratic {
			order = " of second order"
		}
		fmt.Fprintf(w, "%d tetrahedra%s, %d nodes, %.2f ml, dihedral angles %.1f° to %.1f°\n", r.Tets, order, r.Nodes, r.TetML, r.MinDihedralDeg, r.MaxDihedralDeg)
	}
	if r.Triangles > 0 {
		fmt.Fprintf(w, "surface: %d triangles, %.2f ml\n", r.Triangles, r.SurfaceML)
	}
	if r.Fault != "" {
		fmt.Fprintln(w, "FAULT:", r.Fault)
	}
	r.printLabels(w)
	if r.Components > 0 {
		fmt.Fprintf(w, "%d connected parts, %d left out", r.Components, r.Dropped)
		for n, d := range r.DroppedAt {
			if n == 10 {
				fmt.Fprint(w, ", …")
				break
			}
			fmt.Fprintf(w, "%s %s of %d voxels at %s mm", map[bool]string{true: ":", false: ","}[n == 0], d.Label, d.Voxels, placeMM(d.AtMM))
		}
		fmt.Fprintln(w)
	}
	if r.Shape != nil {
		r.Shape.print(w)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	if len(r.Artefacts) > 0 {
		fmt.Fprintln(w, "written:", strings.Join(r.Artefacts, ", "))
	}
}

func (r *meshResult) printLabels(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head, voxels, distances := "no.\tlabel\tmesh ml\t", false, false
	if r.Tets > 0 {
		head += "tets\t"
	}
	for _, l := range r.Labels {
		voxels, distances = voxels || l.VoxelML != nil, distances || l.Distance != nil
	}
	if voxels {
		head += "voxels ml\terror %\t"
	}
	if distances {
		head += "mean mm off\tmax mm off\tat mm\t"
	}
	fmt.Fprintln(t, head)
	for _, l := range r.Labels {
		fmt.Fprintf(t, "%d\t%s\t%.3f\t", l.Number, l.Name, l.TetML)
		if r.Tets > 0 {
			fmt.Fprintf(t, "%d\t", l.Tets)
		}
		if voxels {
			if l.VoxelML == nil {
				fmt.Fprint(t, "–\t–\t")
			} else if l.ErrorPercent == nil {
				fmt.Fprintf(t, "%.3f\t–\t", *l.VoxelML)
			} else {
				fmt.Fprintf(t, "%.3f\t%+.3f\t", *l.VoxelML, *l.ErrorPercent)
			}
		}
		if distances {
			if l.Distance == nil {
				fmt.Fprint(t, "–\t–\t–\t")
			} else {
				d := l.Distance
				fmt.Fprintf(t, "%.3f\t%.3f\t%s\t", d.MeanMM, d.MaxMM, placeMM(d.MaxAtMM))
			}
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush()
	if distances {
		fmt.Fprintln(w, "mm off: between the mesh and the smoothed surface of the labels, the larger way")
	}
}

func placeMM(p [3]float64) string { return fmt.Sprintf("(%.1f, %.1f, %.1f)", p[0], p[1], p[2]) }
