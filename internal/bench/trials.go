package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/mesh/meshio"
	"halsted/mesh/remesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// counts is what a trial on surfaces reports.
type counts struct {
	Triangles         int       `json:"triangles"`
	From              int       `json:"from,omitempty"` // before decimation
	NonManifold       int       `json:"non_manifold_edges"`
	NonManifoldBefore int       `json:"non_manifold_edges_before,omitempty"`
	MinAngleDeg       float64   `json:"min_angle_deg"`
	Hausdorff         deviation `json:"hausdorff"` // voxels, the larger way
}

// trialNet finds the surface net of an input: BASE.
func trialNet(args []string) (run func() error, done func() (any, error), err error) {
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	var net *contour.Net
	run = func() (err error) {
		net, err = contour.NewNet(context.Background(), labels, contour.Options{})
		return err
	}
	return run, func() (any, error) { return counts{Triangles: 2 * len(net.Quads)}, nil }, nil
}

// trialSurface is trialNet to the end: triangles in mm with their labels.
func trialSurface(args []string) (run func() error, done func() (any, error), err error) {
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	var s *mesh.Surface
	run = func() error {
		net, err := contour.NewNet(context.Background(), labels, contour.Options{})
		if err == nil {
			s = net.Surface()
		}
		return err
	}
	return run, func() (any, error) { return counts{Triangles: len(s.Tris)}, nil }, nil
}

// trialSmooth runs 20 constrained passes over the net of an input: BASE.
func trialSmooth(args []string) (run func() error, done func() (any, error), err error) {
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	net, err := contour.NewNet(context.Background(), labels, contour.Options{})
	if err != nil {
		return nil, nil, err
	}
	return func() error { return net.Smooth(context.Background(), 20) }, func() (any, error) { return counts{Triangles: 2 * len(net.Quads)}, nil }, nil
}

// outerSurface is the smoothed surface of all labels of an input together: the
// surface that the peers decimate.
func outerSurface(base string, apart bool) (*mesh.Surface, float64, error) {
	labels, s, err := load(base)
	if err != nil {
		return nil, 0, err
	}
	if !apart {
		for n, l := range labels.ID {
			labels.ID[n] = min(l, 1)
		}
	}
	surface, err := contour.Extract(context.Background(), labels, contour.Options{SmoothPasses: 20, Manifold: true})
	return surface, s.voxelMM(), err
}

// trialDecimate takes nine tenths of a surface away: BASE outer|labels, and
// "measure" for what takes long to find out.
func trialDecimate(args []string) (run func() error, done func() (any, error), err error) {
	in, voxelMM, err := outerSurface(args[0], args[1] == "labels")
	if err != nil {
		return nil, nil, err
	}
	var out *mesh.Surface
	run = func() (err error) {
		out, _, err = remesh.Decimate(context.Background(), in, remesh.Options{Ratio: 0.1, MaxDistMM: voxelMM / 2})
		return err
	}
	done = func() (any, error) {
		if len(args) < 3 {
			return counts{Triangles: len(out.Tris)}, nil
		}
		c, before := surfaceCounts(out), surfaceCounts(in)
		c.From, c.NonManifoldBefore = before.Triangles, before.NonManifold
		c.Hausdorff = hausdorff(in, out, voxelMM)
		return c, nil
	}
	return run, done, nil
}

// trialDistance takes the signed distance of one label: BASE LABEL.
func trialDistance(args []string) (run func() error, done func() (any, error), err error) {
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	n, err := strconv.ParseUint(args[1], 10, 8)
	if err != nil {
		return nil, nil, err
	}
	l := imaging.Label(n)
	run = func() error {
		_, err := distance.Signed(context.Background(), labels.Grid, func(n int) bool { return labels.ID[n] == l })
		return err
	}
	return run, nil, nil
}

// ball is a sphere of 2·around·(rings−1) triangles, radius 100 mm.
func ball(around, rings int) *mesh.Surface {
	s := &mesh.Surface{Verts: []r3.Vec{{Z: 100}}}
	for i := 1; i < rings; i++ {
		sin, cos := math.Sincos(math.Pi * float64(i) / float64(rings))
		for j := range around {
			y, x := math.Sincos(2 * math.Pi * float64(j) / float64(around))
			s.Verts = append(s.Verts, r3.Vec{X: 100 * sin * x, Y: 100 * sin * y, Z: 100 * cos})
		}
	}
	s.Verts = append(s.Verts, r3.Vec{Z: -100})
	last := int32(len(s.Verts) - 1)
	at := func(i, j int) int32 { // i from 1
		return 1 + int32((i-1)*around+j%around)
	}
	for j := range around {
		s.Tris = append(s.Tris, [3]int32{0, at(1, j), at(1, j+1)}, [3]int32{last, at(rings-1, j+1), at(rings-1, j)})
		for i := 1; i < rings-1; i++ {
			s.Tris = append(s.Tris, [3]int32{at(i, j), at(i+1, j), at(i+1, j+1)}, [3]int32{at(i, j), at(i+1, j+1), at(i, j+1)})
		}
	}
	s.Region = make([]mesh.Sides, len(s.Tris))
	for t := range s.Region {
		s.Region[t].Inside = imaging.LabelLiver
	}
	return s
}

// trialSTL writes, reads or validates a million triangles in memory:
// write|read|validate.
func trialSTL(args []string) (run func() error, done func() (any, error), err error) {
	s := ball(1000, 501)
	var buf bytes.Buffer
	buf.Grow(84 + 50*len(s.Tris) + 4096)
	switch args[0] {
	case "write":
		run = func() error { return meshio.WriteSTL(&buf, s) }
		done = func() (any, error) {
			if buf.Len() != 84+50*len(s.Tris) {
				return nil, fmt.Errorf("wrote %d bytes", buf.Len())
			}
			return counts{Triangles: len(s.Tris)}, nil
		}
	case "read":
		if err := meshio.WriteSTL(&buf, s); err != nil {
			return nil, nil, err
		}
		var back *mesh.Surface
		run = func() (err error) {
			f, err := meshio.ReadSurface(context.Background(), bytes.NewReader(buf.Bytes()), "ball.stl", meshio.ReadOptions{})
			if err == nil {
				back = f.Surface
			}
			return err
		}
		done = func() (any, error) { return counts{Triangles: len(back.Tris)}, nil }
	case "validate":
		var d mesh.Defects
		run = func() error {
			d = s.Defects()
			return nil
		}
		done = func() (any, error) {
			if !d.Sound() {
				return nil, errors.New(d.String())
			}
			return counts{Triangles: len(s.Tris)}, nil
		}
	default:
		return nil, nil, fmt.Errorf("no such trial %q", args[0])
	}
	return run, done, nil
}

// surfaceCounts looks at the triangles of s with code of its own.
func surfaceCounts(s *mesh.Surface) counts {
	c := counts{Triangles: len(s.Tris), MinAngleDeg: 180}
	type edge struct {
		a, b int32
		l    imaging.Label
	}
	along := map[edge]int{}
	for t, v := range s.Tris {
		for i := range v {
			a, b, o := v[i], v[(i+1)%3], v[(i+2)%3]
			u, w := r3.Sub(s.Verts[b], s.Verts[a]), r3.Sub(s.Verts[o], s.Verts[a])
			c.MinAngleDeg = min(c.MinAngleDeg, math.Atan2(length(r3.Cross(u, w)), r3.Dot(u, w))*180/math.Pi)
			for _, l := range [2]imaging.Label{s.Region[t].Inside, s.Region[t].Outside} {
				if l != imaging.LabelBackground {
					along[edge{min(a, b), max(a, b), l}]++
				}
			}
		}
	}
	for _, n := range along {
		if n != 2 {
			c.NonManifold++
		}
	}
	return c
}

// sampleVoxels is how far apart surfaces are sampled for their distance.
const sampleVoxels = 0.7

// hausdorff samples both surfaces and gives the distances of the worse way.
func hausdorff(a, b *mesh.Surface, voxelMM float64) deviation {
	x, y := oneWay(a, b, voxelMM), oneWay(b, a, voxelMM)
	if y.Max > x.Max {
		x, y = y, x
	}
	x.Mean = max(x.Mean, y.Mean)
	x.Far = nil
	return x
}

func oneWay(a, b *mesh.Surface, voxelMM float64) deviation {
	grid := newBins(len(b.Tris), 3*voxelMM, func(n int) (lo, hi r3.Vec) {
		v := b.Tris[n]
		return mesh.Bounds([]r3.Vec{b.Verts[v[0]], b.Verts[v[1]], b.Verts[v[2]]})
	})
	var t tally
	for _, v := range a.Tris {
		spread(a.Verts[v[0]], a.Verts[v[1]], a.Verts[v[2]], sampleVoxels*voxelMM, func(p r3.Vec, area float64) {
			_, d := grid.nearest(p, math.Inf(1), func(n int32) float64 {
				w := b.Tris[n]
				return toTriangle(p, b.Verts[w[0]], b.Verts[w[1]], b.Verts[w[2]])
			})
			t.add(d/voxelMM, area, p)
		})
	}
	return t.summary()
}
