package spatial

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// DistanceOptions says where a distance between surfaces is taken.
type DistanceOptions struct {
	// StepMM bounds how far apart the samples of a face are: a face whose
	// longest side is k steps is cut into k² equal triangles, and the middle of
	// each is a sample. 0 takes the middle of each face. Corners are samples
	// for the maximum alone.
	StepMM float64
	// Skip leaves out faces, such as those on the border of the scanned volume,
	// on both surfaces. nil leaves out none.
	Skip func(a, b, c r3.Vec) bool
}

// maxSamples bounds the samples of one distance: about 1 GB.
const maxSamples = 1 << 25

// LimitError says that a distance would need too many samples.
type LimitError struct {
	Samples, Limit int64
	StepMM         float64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("spatial: samples %g mm apart are %d, more than %d: take a StepMM of %.2g mm or more",
		e.StepMM, e.Samples, e.Limit, e.StepMM*math.Sqrt(float64(e.Samples)/float64(e.Limit)))
}

// Distance measures from the faces of s to the nearest faces of ref. Mean and
// 95th percentile are by area; the maximum is over all samples, corners
// included. It is one-sided. All is NaN when either has no face left.
//
// Errors: those of New for either surface, *LimitError before samples are made,
// an error for a StepMM that is negative or not finite, or ctx.Err().
func Distance(ctx context.Context, s, ref *mesh.Surface, o DistanceOptions) (mesh.Deviation, error) {
	if !(o.StepMM >= 0) || math.IsInf(o.StepMM, 1) {
		return noDeviation(), fmt.Errorf("spatial: samples %g mm apart: give a finite step of 0 or more", o.StepMM)
	}
	return distance(ctx, o.pick(s, all), o.pick(ref, all), o.StepMM)
}

// LabelDistance measures, for every label of s or ref in ascending order, the
// distance between the boundaries of its regions, both ways. A label that is in
// one of them only has NaN. Errors are those of Distance.
func LabelDistance(ctx context.Context, s, ref *mesh.Surface, o DistanceOptions) ([]mesh.LabelDeviation, error) {
	if !(o.StepMM >= 0) || math.IsInf(o.StepMM, 1) {
		return nil, fmt.Errorf("spatial: samples %g mm apart: give a finite step of 0 or more", o.StepMM)
	}
	for _, x := range []*mesh.Surface{s, ref} {
		if len(x.Region) != len(x.Tris) {
			return nil, fmt.Errorf("spatial: %d regions for %d faces", len(x.Region), len(x.Tris))
		}
	}
	labels := append(s.Labels(), ref.Labels()...)
	slices.Sort(labels)
	var out []mesh.LabelDeviation
	for _, l := range slices.Compact(labels) {
		bounds := func(r mesh.Sides) bool { return (r.Inside == l) != (r.Outside == l) }
		x, y := o.pick(s, bounds), o.pick(ref, bounds)
		d := mesh.LabelDeviation{Label: l}
		var err error
		if d.There, err = distance(ctx, x, y, o.StepMM); err != nil {
			return nil, fmt.Errorf("%v: %w", l, err)
		}
		if d.Back, err = distance(ctx, y, x, o.StepMM); err != nil {
			return nil, fmt.Errorf("%v: %w", l, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func all(mesh.Sides) bool { return true }

func noDeviation() mesh.Deviation {
	return mesh.Deviation{MeanMM: math.NaN(), P95MM: math.NaN(), MaxMM: math.NaN()}
}

// pick is the surface of the faces with keep, without those to be skipped.
func (o *DistanceOptions) pick(s *mesh.Surface, keep func(mesh.Sides) bool) *mesh.Surface {
	out := &mesh.Surface{Verts: s.Verts}
	for t, v := range s.Tris {
		if t < len(s.Region) && !keep(s.Region[t]) {
			continue
		}
		if o.Skip != nil && exists(v, len(s.Verts)) && o.Skip(s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]) {
			continue
		}
		out.Tris = append(out.Tris, v)
	}
	return out
}

// exists reports whether the vertices of a face do; check returns the error
// where they do not.
func exists(v [3]int32, n int) bool {
	return min(v[0], v[1], v[2]) >= 0 && int(max(v[0], v[1], v[2])) < n
}

// distanceChunk is how many faces one worker samples at a time.
const distanceChunk = 1024

func distance(ctx context.Context, s, ref *mesh.Surface, stepMM float64) (mesh.Deviation, error) {
	if len(s.Tris) == 0 || len(ref.Tris) == 0 {
		return noDeviation(), ctx.Err()
	}
	if err := check(s); err != nil {
		return noDeviation(), err
	}
	first := make([]int32, len(s.Verts)) // one more than the face that looks at a vertex
	// cuts of each face, and where its samples begin
	cuts, start := make([]int32, len(s.Tris)), make([]int64, len(s.Tris)+1)
	for t, v := range s.Tris {
		a, b, c := s.Verts[v[0]], s.Verts[v[1]], s.Verts[v[2]]
		for _, n := range v {
			if first[n] == 0 {
				first[n] = int32(t) + 1
			}
		}
		cuts[t] = 1
		if stepMM > 0 {
			long := math.Sqrt(max(r3.Norm2(r3.Sub(b, a)), r3.Norm2(r3.Sub(c, b)), r3.Norm2(r3.Sub(a, c))))
			cuts[t] = int32(min(max(1, math.Ceil(long/stepMM)), 1<<20))
		}
		start[t+1] = start[t] + int64(cuts[t])*int64(cuts[t])
	}
	n := start[len(s.Tris)]
	if n > maxSamples {
		return noDeviation(), &LimitError{Samples: n, Limit: maxSamples, StepMM: stepMM}
	}
	b, err := New(ctx, ref)
	if err != nil {
		return noDeviation(), err
	}
	dist, area := make([]float64, n), make([]float64, len(s.Tris)) // area of a sample, by face
	type peak struct {
		mm float64
		at r3.Vec
	}
	peaks := make([]peak, (len(s.Tris)+distanceChunk-1)/distanceChunk)
	err = par.ChunksCtx(ctx, len(s.Tris), distanceChunk, func(lo, hi int) error {
		most := peak{mm: -1}
		place := int32(-1)
		look := func(p r3.Vec) float64 {
			var h Hit
			if h, place = b.closest(p, inf, place); h.DistMM > most.mm {
				most = peak{h.DistMM, p}
			}
			return h.DistMM
		}
		for t := lo; t < hi; t++ {
			v := s.Tris[t]
			a := s.Verts[v[0]]
			k := int(cuts[t])
			f := 1 / float64(k)
			u, w := r3.Scale(f, r3.Sub(s.Verts[v[1]], a)), r3.Scale(f, r3.Sub(s.Verts[v[2]], a))
			area[t] = r3.Norm(r3.Cross(u, w)) / 2
			out := dist[start[t]:start[t+1]]
			for i := range k {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				for j := range 2*(k-i) - 1 { // triangles upright and upside down by turns
					x, y := float64(i)+1./3, float64(j/2)+1./3
					if j&1 == 1 {
						x, y = x+1./3, y+1./3
					}
					out[0] = look(r3.Add(a, r3.Add(r3.Scale(x, u), r3.Scale(y, w))))
					out = out[1:]
				}
			}
			for _, n := range v {
				if first[n] == int32(t)+1 {
					look(s.Verts[n])
				}
			}
		}
		peaks[lo/distanceChunk] = most
		return nil
	})
	if err != nil {
		return noDeviation(), err
	}
	d := mesh.Deviation{MaxMM: -1}
	for _, p := range peaks {
		if p.mm > d.MaxMM {
			d.MaxMM, d.MaxAt = p.mm, p.at
		}
	}
	d.MeanMM, d.P95MM, err = byArea(ctx, dist, area, start)
	return d, err
}

// byArea is the mean and the 95th percentile of the samples, those of face t
// from start[t] on each with area[t]. A surface without area counts its samples
// alike.
func byArea(ctx context.Context, dist, area []float64, start []int64) (mean, p95 float64, err error) {
	var total float64
	for t, a := range area {
		total += a * float64(start[t+1]-start[t])
	}
	weight := func(t int32) float64 { return area[t] }
	if !(total > 0) {
		total = float64(len(dist))
		weight = func(int32) float64 { return 1 }
	}
	keys, face := make([]uint64, len(dist)), make([]int32, len(dist))
	for t := range area {
		for i := start[t]; i < start[t+1]; i++ {
			mean += dist[i] * weight(int32(t))
			keys[i], face[i] = math.Float64bits(dist[i]), int32(t) // in the order of the distances
		}
	}
	if keys, face, err = radixSort(ctx, keys, face); err != nil {
		return 0, 0, err
	}
	var below float64
	for i, k := range keys {
		if p95 = math.Float64frombits(k); below+weight(face[i]) >= 0.95*total {
			break
		}
		below += weight(face[i])
	}
	return mean / total, p95, nil
}
