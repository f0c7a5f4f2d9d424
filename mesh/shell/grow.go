package shell

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Grow opens the mesh along the lumen surface and puts a wall of prisms, each
// cut into three tetrahedra, in the gap. The other side makes room: nodes of the
// surface move along its normals by the thickness, those behind them give way.
// The result conforms, and every new or changed tetrahedron is within the
// dihedral bounds (or no worse than it was). Where the wanted thickness does not
// fit the wall gets thinner, down to nothing; Report.Thinner lists the nodes and
// Report.Rest the faces left bare. The wall also ends at the border of the mesh,
// flush with it, and thins out to nothing where the lumen meets a region that is
// neither Lumen nor Tissue.
//
// m is not changed. The new mesh shares nothing with it.
//
// Errors: *NoLumenError, *NoRoomError when the wall fits nowhere,
// *ThicknessError, *LimitError, those of mesh.TetMesh.Check, ctx.Err(), or a
// plain error naming the field of opt or m that is wrong.
func Grow(ctx context.Context, m *mesh.TetMesh, opt Options) (*mesh.TetMesh, Report, error) {
	rep := Report{OldNodes: len(m.Nodes), OldTets: len(m.Tets)}
	s, err := opt.sides()
	if err != nil {
		return nil, rep, err
	}
	if err := usable(m); err != nil {
		return nil, rep, err
	}
	if err := opt.room(m); err != nil {
		return nil, rep, err
	}
	g := &growth{ctx: ctx, m: m, sides: s, layers: max(1, opt.Layers)}
	lo, hi := opt.bounds()
	g.q, g.qw = newBound(lo, hi), newBound(lo, hi)
	if opt.WallMinDihedralDeg > 0 {
		g.qw = newBound(opt.WallMinDihedralDeg, hi)
	}
	if g.next, err = link(ctx, m); err != nil {
		return nil, rep, err
	}
	for _, step := range []func() error{
		func() error { return g.open(opt) }, g.directions, g.combFolds, g.fit, g.makeRoom,
	} {
		if err := step(); err != nil {
			return nil, rep, err
		}
	}
	rep.Faces = len(g.faces)
	rep.SteinerMM3 = g.steiner()
	out := g.assemble(opt.Wall, &rep)
	if rep.Bare == rep.Faces {
		return nil, rep, g.noRoom()
	}
	return out, rep, ctx.Err()
}

// usable names the first reason for which a wall cannot be grown on m.
func usable(m *mesh.TetMesh) error {
	switch {
	case len(m.Tets) == 0:
		return errors.New("shell: the mesh has no element")
	case m.Mid != nil:
		return errors.New("shell: the mesh has mid-edge nodes: grow the wall first, then call Quadratic")
	case len(m.Region) != len(m.Tets):
		return fmt.Errorf("shell: %d regions for %d elements", len(m.Region), len(m.Tets))
	}
	for n, p := range m.Nodes {
		if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("shell: node %d is at %v", n, p)
		}
	}
	return nil
}

// steiner is Σ over the faces of t·A + t²/2·Σ over the edges of l·θ +
// t³/3·Σ over the nodes of the angle defect, with the thickness t taken where
// each term stands: the volume between a polyhedral surface and its parallel
// surface at the distance t (J. Steiner, Über parallele Flächen, 1840). θ is
// the angle between the normals of two faces, positive where the surface is
// convex seen from the tissue.
func (g *growth) steiner() float64 {
	var sum float64
	defect := make([]float64, len(g.base))
	for c := range defect {
		defect[c] = 2 * math.Pi
	}
	for f, v := range g.faces {
		a, b, c := g.orig[g.node(v[0])], g.orig[g.node(v[1])], g.orig[g.node(v[2])]
		area := r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
		t := (g.wanted[v[0]] + g.wanted[v[1]] + g.wanted[v[2]]) / 3
		sum += t * area
		for i, p := range v {
			defect[p] -= g.angleAt(int32(f), p, g.orig[g.node(p)])
			// the edge from p to q, met once: from the face with the lower number
			q := v[(i+1)%3]
			o := g.across(int32(f), q, p)
			if o < 0 {
				defect[p], defect[q] = math.Inf(-1), math.Inf(-1) // a rim has no defect
			}
			if o < int32(f) {
				continue
			}
			d := r3.Sub(g.orig[g.node(q)], g.orig[g.node(p)])
			l := r3.Norm(d)
			n1, n2 := g.faceNormal(int32(f)), g.faceNormal(o)
			angle := math.Atan2(r3.Dot(r3.Cross(n1, n2), d)/l, r3.Dot(n1, n2))
			t := (g.wanted[p] + g.wanted[q]) / 2
			sum += t * t / 2 * l * angle
		}
	}
	for c, d := range defect {
		if !math.IsInf(d, -1) {
			t := g.wanted[c]
			sum += t * t * t / 3 * d
		}
	}
	return sum
}

// across is the face of the lumen surface other than f with the edge from p to
// q, or −1.
func (g *growth) across(f, p, q int32) int32 {
	for _, o := range g.fan.of(p) {
		v := &g.faces[o]
		if o != f && (v[0] == p && v[1] == q || v[1] == p && v[2] == q || v[2] == p && v[0] == q) {
			return o
		}
	}
	return -1
}

func (g *growth) assemble(wall imaging.Label, rep *Report) *mesh.TetMesh {
	m := g.m
	out := &mesh.TetMesh{Nodes: append([]r3.Vec(nil), g.pos[:len(m.Nodes)]...)}
	first := make([]int32, len(g.base)) // number of the first layer's node
	for c, b := range g.base {
		first[c] = b
		if g.height[c] == 0 {
			continue
		}
		first[c] = int32(len(out.Nodes))
		for l := 1; l <= g.layers; l++ {
			out.Nodes = append(out.Nodes, between(m.Nodes[b], g.pos[g.node(int32(c))], float64(l)/float64(g.layers)))
			rep.From = append(rep.From, b)
			rep.Layer = append(rep.Layer, uint8(l))
		}
	}
	number := func(c int32, layer int) int32 {
		if layer == 0 || g.height[c] == 0 {
			return g.base[c]
		}
		return first[c] + int32(layer) - 1
	}
	for n := range m.Nodes {
		if out.Nodes[n] != m.Nodes[n] {
			rep.Moved = append(rep.Moved, int32(n))
		}
	}
	least, most := math.Inf(1), math.Inf(-1) // cosines
	track := func(v [4]int32) {
		a, b, _ := cosines(out.Nodes[v[0]], out.Nodes[v[1]], out.Nodes[v[2]], out.Nodes[v[3]])
		most, least = max(most, a), min(least, b)
	}
	out.Tets = append([][4]int32(nil), g.tets...)
	out.Region = append([]imaging.Label(nil), m.Region...)
	for t := range out.Tets {
		v := &out.Tets[t]
		changed := false
		for i, n := range v {
			if c := g.copyAt(n); c >= 0 {
				v[i] = number(c, g.layers)
			}
			changed = changed || v[i] != m.Tets[t][i] || out.Nodes[v[i]] != m.Nodes[v[i]]
		}
		if changed {
			rep.Changed = append(rep.Changed, int32(t))
			track(*v)
		}
	}
	rep.Rest = &Shell{Label: wall}
	for _, face := range g.faces {
		v, odd := sorted3(face)
		h := [3]float64{g.height[v[0]], g.height[v[1]], g.height[v[2]]}
		full, bare := true, true
		for i, c := range v {
			full = full && h[i] == g.wanted[c]
			bare = bare && h[i] == 0
		}
		if full {
			rep.Full++
		}
		if bare {
			rep.Bare++
			rep.Rest.Nodes = append(rep.Rest.Nodes, [3]int32{g.base[face[0]], g.base[face[1]], g.base[face[2]]})
			rep.Rest.ThicknessMM = append(rep.Rest.ThicknessMM, (g.wanted[v[0]]+g.wanted[v[1]]+g.wanted[v[2]])/3)
			continue
		}
		for l := 1; l <= g.layers; l++ {
			var p [6]int32
			for i, c := range v {
				p[i], p[i+3] = number(c, l-1), number(c, l)
			}
			for _, t := range prismTets[odd] {
				if drops(&t, &h) {
					continue
				}
				x := [4]int32{p[t[0]], p[t[1]], p[t[2]], p[t[3]]}
				out.Tets = append(out.Tets, x)
				out.Region = append(out.Region, wall)
				track(x)
				rep.WallMM3 += mesh.Signed6(out.Nodes[x[0]], out.Nodes[x[1]], out.Nodes[x[2]], out.Nodes[x[3]]) / 6
			}
		}
	}
	rep.MinDihedralDeg = math.Acos(min(1, most)) * 180 / math.Pi
	rep.MaxDihedralDeg = math.Acos(max(-1, least)) * 180 / math.Pi
	for c, b := range g.base {
		if g.height[c] < g.wanted[c] {
			rep.Thinner = append(rep.Thinner, Place{b, m.Nodes[b], g.wanted[c], g.height[c], g.reason[c]})
		}
	}
	return out
}

func (g *growth) noRoom() error {
	e := &NoRoomError{Faces: len(g.faces)}
	thin := 0
	for c, t := range g.wanted {
		e.WantedMM += t / float64(len(g.wanted))
		if g.reason[c] == ReasonThin {
			thin++
		}
	}
	e.Thin = 2*thin > len(g.wanted)
	for _, v := range g.faces {
		for i, p := range v {
			e.EdgeMM += r3.Norm(r3.Sub(g.orig[g.node(p)], g.orig[g.node(v[(i+1)%3])])) / float64(3*len(g.faces))
		}
	}
	return e
}
