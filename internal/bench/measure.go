package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// figures is what the bench measures of a tetrahedral mesh of a label map. It
// shares no code with mesh.Quality. Distances are in voxels (the shortest
// spacing), places in mm.
type figures struct {
	Tets        int     `json:"tets"`
	Nodes       int     `json:"nodes"`
	Defect      string  `json:"defect,omitempty"` // what mesh.Check says
	Inverted    int     `json:"inverted"`
	MinDihedral float64 `json:"min_dihedral_deg"`
	MaxDihedral float64 `json:"max_dihedral_deg"`
	MinAt       r3.Vec  `json:"min_dihedral_at_mm"`
	MaxAt       r3.Vec  `json:"max_dihedral_at_mm"`
	// Tets by smallest angle: [n, n+1)° for n < 15.
	Small  [15]int       `json:"tets_by_smallest_angle_deg"`
	Above  [4]int        `json:"tets_with_an_angle_over_150_155_160_165_deg"`
	Labels []labelFigure `json:"labels"`
	// Over the borders of all labels, each measured against its own; zero without
	// a truth.
	ToTruth   deviation `json:"mesh_to_truth"`
	FromTruth deviation `json:"truth_to_mesh"`
	// The same with an interface counting whatever labels it separates.
	ToAny      deviation  `json:"mesh_to_truth_any_label"`
	FromAny    deviation  `json:"truth_to_mesh_any_label"`
	Components int        `json:"components"`
	Lost       []lostPart `json:"lost,omitempty"`
}

type labelFigure struct {
	Label     imaging.Label `json:"label"`
	Tets      int           `json:"tets"`
	VoxelMM3  float64       `json:"voxel_mm3"`
	TetMM3    float64       `json:"tet_mm3"`
	Percent   float64       `json:"volume_error_percent"`
	ToTruth   deviation     `json:"mesh_to_truth"`
	FromTruth deviation     `json:"truth_to_mesh"`
}

// lostPart is a component of a label that no tetrahedron stands for.
type lostPart struct {
	Label  imaging.Label `json:"label"`
	Voxels int           `json:"voxels"`
	AtMM   r3.Vec        `json:"at_mm"`
}

// measureMesh measures m against the labels it was made of and, when s is an
// analytic scene, against its exact surfaces. s may be nil. The grid must be
// axis-aligned when s is given.
func measureMesh(m *mesh.TetMesh, labels *imaging.Labels, s *scene) figures {
	f := figures{Tets: len(m.Tets), Nodes: len(m.Nodes)}
	if err := m.Check(); err != nil {
		f.Defect = err.Error()
	}
	f.angles(m)
	f.volumes(m, labels)
	f.components(m, labels)
	if s != nil && s.analytic() {
		f.distances(m, newTruth(s))
	}
	return f
}

// angles takes each dihedral angle at its edge, from the two faces' heights.
func (f *figures) angles(m *mesh.TetMesh) {
	f.MinDihedral, f.MaxDihedral = 180, 0
	for _, v := range m.Tets {
		p := [4]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]}
		if !(r3.Dot(r3.Sub(p[1], p[0]), r3.Cross(r3.Sub(p[2], p[0]), r3.Sub(p[3], p[0]))) > 0) {
			f.Inverted++
		}
		small, large := 180.0, 0.0
		for _, e := range [6][4]int{{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}, {1, 2, 0, 3}, {1, 3, 0, 2}, {2, 3, 0, 1}} {
			axis := r3.Sub(p[e[1]], p[e[0]])
			u, w := r3.Cross(axis, r3.Sub(p[e[2]], p[e[0]])), r3.Cross(axis, r3.Sub(p[e[3]], p[e[0]]))
			a := math.Atan2(length(r3.Cross(u, w)), r3.Dot(u, w)) * 180 / math.Pi
			small, large = min(small, a), max(large, a)
		}
		at := func() r3.Vec { return r3.Scale(.25, r3.Add(r3.Add(p[0], p[1]), r3.Add(p[2], p[3]))) }
		if small < f.MinDihedral {
			f.MinDihedral, f.MinAt = small, at()
		}
		if large > f.MaxDihedral {
			f.MaxDihedral, f.MaxAt = large, at()
		}
		if small < 15 {
			f.Small[int(small)]++
		}
		for n := range f.Above {
			if large > 150+5*float64(n) {
				f.Above[n]++
			}
		}
	}
}

func (f *figures) volumes(m *mesh.TetMesh, labels *imaging.Labels) {
	var voxels, tets [256]int
	var vol [256]float64
	for _, l := range labels.ID {
		voxels[l]++
	}
	for t, v := range m.Tets {
		a, b, c, d := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]
		vol[m.Region[t]] += r3.Dot(r3.Sub(b, a), r3.Cross(r3.Sub(c, a), r3.Sub(d, a))) / 6
		tets[m.Region[t]]++
	}
	for l := 1; l < 256; l++ {
		if voxels[l] == 0 && tets[l] == 0 {
			continue
		}
		want := float64(voxels[l]) * labels.Grid.VoxelMM3()
		f.Labels = append(f.Labels, labelFigure{Label: imaging.Label(l), Tets: tets[l], VoxelMM3: want, TetMM3: vol[l], Percent: 100 * (vol[l] - want) / want})
	}
}

// components counts the parts (6-neighbourhood) of every label, and lists those
// of which no voxel is within a voxel of the centroid of a tetrahedron of the
// same label.
func (f *figures) components(m *mesh.TetMesh, labels *imaging.Labels) {
	g := labels.Grid
	part := make([]int32, len(labels.ID)) // from 1; 0 is background
	parent := []int32{0}
	find := func(a int32) int32 {
		for parent[a] != a {
			parent[a] = parent[parent[a]]
			a = parent[a]
		}
		return a
	}
	step := [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	for n, l := range labels.ID {
		if l == imaging.LabelBackground {
			continue
		}
		i, j, k := g.IJK(n)
		for a, at := range [3]int{i, j, k} {
			if at == 0 || labels.ID[n-step[a]] != l {
				continue
			}
			o := find(part[n-step[a]])
			if part[n] == 0 {
				part[n] = o
			} else if c := find(part[n]); c != o {
				parent[max(c, o)] = min(c, o)
				part[n] = min(c, o)
			}
		}
		if part[n] == 0 {
			part[n] = int32(len(parent))
			parent = append(parent, part[n])
		}
	}
	size, first := make([]int, len(parent)), make([]int, len(parent))
	for n, c := range part {
		if c == 0 {
			continue
		}
		part[n] = find(c)
		if size[part[n]]++; size[part[n]] == 1 {
			first[part[n]] = n
		}
	}
	kept := make([]bool, len(parent))
	for t, v := range m.Tets {
		p := r3.Scale(.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]])))
		x, y, z := g.Voxel(p)
		ci, cj, ck := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
		for k := ck - 1; k <= ck+1; k++ {
			for j := cj - 1; j <= cj+1; j++ {
				for i := ci - 1; i <= ci+1; i++ {
					dx, dy, dz := float64(i)-x, float64(j)-y, float64(k)-z
					if g.Contains(i, j, k) && dx*dx+dy*dy+dz*dz <= 1 && labels.ID[g.Index(i, j, k)] == m.Region[t] {
						kept[part[g.Index(i, j, k)]] = true
					}
				}
			}
		}
	}
	for c := 1; c < len(parent); c++ {
		if size[c] == 0 {
			continue
		}
		f.Components++
		if !kept[c] {
			i, j, k := g.IJK(first[c])
			f.Lost = append(f.Lost, lostPart{labels.ID[first[c]], size[c], g.Point(float64(i), float64(j), float64(k))})
		}
	}
	slices.SortStableFunc(f.Lost, func(a, b lostPart) int { return b.Voxels - a.Voxels })
}

// print writes the figures for a person to read.
func (f *figures) print(w io.Writer) {
	fmt.Fprintf(w, "%d tets, %d nodes, %d inverted\n", f.Tets, f.Nodes, f.Inverted)
	if f.Defect != "" {
		fmt.Fprintln(w, "DEFECT:", f.Defect)
	}
	fmt.Fprintf(w, "dihedral angles %.2f° at %s to %.2f° at %s\n", f.MinDihedral, place(f.MinAt), f.MaxDihedral, place(f.MaxAt))
	fmt.Fprintf(w, "tets by smallest angle:")
	for n, c := range f.Small {
		if c > 0 {
			fmt.Fprintf(w, " [%d,%d)°:%d", n, n+1, c)
		}
	}
	fmt.Fprintf(w, "\ntets with an angle over 150°:%d 155°:%d 160°:%d 165°:%d\n", f.Above[0], f.Above[1], f.Above[2], f.Above[3])
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "label\ttets\tvoxels ml\ttets ml\terror %\tmesh→truth mean\tp99\tmax\tat mm\ttruth→mesh mean\tp99\tmax\tat mm")
	row := func(name string, l labelFigure) {
		fmt.Fprintf(tab, "%s\t%d\t%.3f\t%.3f\t%+.3f\t%s\t%s\n", name, l.Tets, l.VoxelMM3/1000, l.TetMM3/1000, l.Percent, l.ToTruth.cells(), l.FromTruth.cells())
	}
	all := labelFigure{Tets: f.Tets, ToTruth: f.ToTruth, FromTruth: f.FromTruth}
	for _, l := range f.Labels {
		row(fmt.Sprint(uint8(l.Label)), l)
		all.VoxelMM3 += l.VoxelMM3
		all.TetMM3 += l.TetMM3
	}
	all.Percent = 100 * (all.TetMM3 - all.VoxelMM3) / all.VoxelMM3
	row("all", all)
	all.ToTruth, all.FromTruth = f.ToAny, f.FromAny
	row("any", all)
	_ = tab.Flush()
	for _, l := range f.Labels {
		l.ToTruth.printFar(w, l.Label, "mesh→truth")
		l.FromTruth.printFar(w, l.Label, "truth→mesh")
	}
	fmt.Fprintf(w, "components: %d, lost %d", f.Components, len(f.Lost))
	for n, c := range f.Lost {
		if n == 5 {
			fmt.Fprint(w, ", …")
			break
		}
		fmt.Fprintf(w, ", label %d: %d voxels at %s", c.Label, c.Voxels, place(c.AtMM))
	}
	fmt.Fprintln(w)
}

// cells are the columns of a distance.
func (d *deviation) cells() string {
	if d.area == 0 {
		return "–\t–\t–\t–"
	}
	return fmt.Sprintf("%.4f\t%.3f\t%.3f\t%s", d.Mean, d.P99, d.Max, place(d.MaxAt))
}

func place(p r3.Vec) string { return fmt.Sprintf("(%.1f,%.1f,%.1f)", p.X, p.Y, p.Z) }
