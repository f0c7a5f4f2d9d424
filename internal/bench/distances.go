package main

import (
	"math"

	"halsted/imaging"
	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// side is a face between two labels.
type side struct {
	v    [3]int32
	a, b imaging.Label
}

func interfaces(m *mesh.TetMesh) (out []side) {
	next := m.Neighbours()
	for t, v := range m.Tets {
		for f, c := range mesh.TetFaces {
			o := next[t][f]
			l := imaging.LabelBackground
			if o >= 0 {
				l = m.Region[o]
			}
			if (o < 0 || int32(t) < o) && l != m.Region[t] {
				out = append(out, side{[3]int32{v[c[0]], v[c[1]], v[c[2]]}, m.Region[t], l})
			}
		}
	}
	return out
}

// distances measures both ways between the border of each label in the mesh
// and in the truth, away from the border of the domain.
func (f *figures) distances(m *mesh.TetMesh, t *truth) {
	faces := interfaces(m)
	to, from := distancesTo(m, faces, t), distancesFrom(m, faces, t, f.Labels)
	for n := range f.Labels {
		l := &f.Labels[n]
		l.ToTruth, l.FromTruth = to[l.Label].summary(), from[l.Label].summary()
		f.ToTruth.pool(l.ToTruth, to[l.Label])
		f.FromTruth.pool(l.FromTruth, from[l.Label])
	}
	f.ToTruth.Mean /= f.ToTruth.area
	f.FromTruth.Mean /= f.FromTruth.area
	f.ToAny, f.FromAny = to[anyLabel].summary(), from[anyLabel].summary()
}

// distancesTo samples the faces about a voxel apart.
func distancesTo(m *mesh.TetMesh, faces []side, t *truth) tallies {
	h := t.s.voxelMM()
	const chunk = 1024
	parts := make([]tallies, (len(faces)+chunk-1)/chunk)
	par.Chunks(len(faces), chunk, func(lo, hi int) {
		ask := t.prober()
		sum := tallies{}
		for _, s := range faces[lo:hi] {
			take := func(p r3.Vec, area float64) {
				if !t.inBox(p) {
					return
				}
				ask.look(p)
				for _, l := range [3]imaging.Label{s.a, s.b, anyLabel} {
					if l != imaging.LabelBackground {
						sum.of(l).add(ask.distance(p, l)/h, area, p)
					}
				}
			}
			spread(m.Nodes[s.v[0]], m.Nodes[s.v[1]], m.Nodes[s.v[2]], h, take)
		}
		parts[lo/chunk] = sum
	})
	return merge(parts)
}

// spread visits points of a triangle at most about step apart: the middles of
// equal pieces, with the area of each, and the corners with none.
func spread(a, b, c r3.Vec, step float64, visit func(p r3.Vec, area float64)) {
	u, w := r3.Sub(b, a), r3.Sub(c, a)
	area := length(r3.Cross(u, w)) / 2
	k := int(math.Ceil(max(length(u), length(w), length(r3.Sub(c, b))) / step))
	f := 1 / float64(k)
	at := func(i, j float64) r3.Vec { return r3.Add(a, r3.Add(r3.Scale(i*f, u), r3.Scale(j*f, w))) }
	for i := range k {
		for j := range k - i {
			x, y := float64(i), float64(j)
			visit(at(x+1./3, y+1./3), area*f*f)
			if i+j < k-1 {
				visit(at(x+2./3, y+2./3), area*f*f)
			}
		}
	}
	for _, p := range [3]r3.Vec{a, b, c} {
		visit(p, 0)
	}
}

// distancesFrom asks every sample of the true interface for the nearest face.
func distancesFrom(m *mesh.TetMesh, faces []side, t *truth, labels []labelFigure) tallies {
	h := t.s.voxelMM()
	var edge float64
	for _, s := range faces {
		edge += length(r3.Sub(m.Nodes[s.v[0]], m.Nodes[s.v[1]]))
	}
	edge = max(edge/float64(max(1, len(faces))), .5*h)
	var own [256][]side
	var grid [256]*bins
	list := []imaging.Label{anyLabel}
	for _, l := range labels {
		list = append(list, l.Label)
	}
	par.Chunks(len(list), 1, func(lo, _ int) {
		l := list[lo]
		for _, s := range faces {
			if l == anyLabel || s.a == l || s.b == l {
				own[l] = append(own[l], s)
			}
		}
		grid[l] = newBins(len(own[l]), edge, func(n int) (lo, hi r3.Vec) {
			v := own[l][n].v
			return mesh.Bounds([]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]]})
		})
	})
	far := length(r3.Sub(t.hi, t.lo)) // for a label without any face
	const chunk = 4096
	parts := make([]tallies, (len(t.sample)+chunk-1)/chunk)
	par.Chunks(len(t.sample), chunk, func(lo, hi int) {
		sum := tallies{}
		for n := lo; n < hi; n++ {
			s := &t.sample[n]
			for _, l := range [3]imaging.Label{s.in, s.out, anyLabel} {
				if l == imaging.LabelBackground || grid[l] == nil {
					continue
				}
				_, d := grid[l].nearest(s.p, far, func(n int32) float64 {
					v := own[l][n].v
					return toTriangle(s.p, m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]])
				})
				sum.of(l).add(d/h, s.areaMM2, s.p)
			}
		}
		parts[lo/chunk] = sum
	})
	return merge(parts)
}
