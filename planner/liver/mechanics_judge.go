package liver

import (
	"cmp"
	"math"
	"slices"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// awayFromEdges lists the nodes at which stress and strain are judged: those of
// parenchyma alone, further than awayMM from the held patches, their nodes, and
// from where the opened part of the cut ends: at rims the exact stress has no
// bound.
func (d *discretised) awayFromEdges() []int32 {
	out := make([]bool, len(d.Nodes))
	for t, l := range d.Region {
		if tumourRegion(l) {
			for _, n := range d.Tets[t] {
				out[n] = true
			}
			for _, n := range d.Mid[t] {
				out[n] = true
			}
		}
	}
	var rim []r3.Vec // and nodes that are held
	for _, n := range d.rim {
		rim = append(rim, d.Nodes[n])
	}
	for _, n := range d.grasp {
		rim = append(rim, d.Nodes[n])
	}
	for _, g := range d.groove {
		for _, n := range g.face {
			rim = append(rim, d.Nodes[n])
		}
	}
	var list []int32
	for n, p := range d.Nodes {
		if out[n] || r3.Norm(r3.Sub(p, d.grooveAt)) < fixedRadiusMM+awayMM || r3.Norm(r3.Sub(p, d.graspAt)) < graspRadiusMM+awayMM {
			continue
		}
		near := false
		for _, q := range rim {
			near = near || r3.Norm2(r3.Sub(p, q)) < awayMM*awayMM
		}
		if !near {
			list = append(list, int32(n))
		}
	}
	return list
}

// peakMM3 of parenchyma have the peak value or more. The largest value at a
// point grows with every finer mesh, at corners of the surface and between soft
// and stiff; what a millilitre bears does not, and is what tears.
const peakMM3 = 1000

// peak is the value that peakMM3 of the judged parenchyma reach.
func (d *discretised) peak(v []float64) float64 {
	order := slices.Clone(d.judged)
	slices.SortFunc(order, func(x, y int32) int { return cmp.Or(-cmp.Compare(v[x], v[y]), cmp.Compare(x, y)) })
	sum := 0.0
	for _, n := range order {
		if sum += d.share[n]; sum >= peakMM3 {
			return v[n]
		}
	}
	return 0
}

// nodeShares are the volumes of the elements divided evenly among their nodes,
// mm³.
func (o *organMesh) nodeShares() []float64 {
	out := make([]float64, len(o.Nodes))
	for t, v := range o.Tets {
		part := tetMM3(o, v) / 10
		for _, n := range v {
			out[n] += part
		}
		for _, n := range o.Mid[t] {
			out[n] += part
		}
	}
	return out
}

// judge gathers the outputs over the frames of a solve.
type judge struct {
	d                       *discretised
	x                       MechanicalSample
	move, stress, strain    float64
	force, forceCut, tumour float64
	opening, relaxed        float64
}

// take looks at the state at the end of a stage.
func (j *judge) take(stage string, f *fem.Frame) {
	d := j.d
	if stage == stageRelax {
		for n, u := range f.U {
			if d.stays[n] {
				j.relaxed = max(j.relaxed, r3.Norm(u))
			}
		}
		return
	}
	if stage == stageGravity {
		return
	}
	for _, u := range f.U {
		j.move = max(j.move, r3.Norm(u))
	}
	j.stress = max(j.stress, d.peak(f.VonMisesMPa)*kPaPerMPa)
	j.strain = max(j.strain, d.peak(f.StrainMax))
	var force r3.Vec
	for _, n := range d.grasp {
		force = r3.Add(force, f.ReactionN[n])
	}
	if stage == stageCut {
		j.forceCut = r3.Norm(force)
		for i, p := range d.openPairs {
			j.opening = max(j.opening, r3.Dot(r3.Sub(f.U[p[1]], f.U[p[0]]), d.openNormal[i]))
		}
		return
	}
	j.force, j.forceCut = r3.Norm(force), r3.Norm(force)
	at := make([]r3.Vec, d.tumours.Len())
	d.tumours.Apply(at, f.U)
	for _, u := range at {
		j.tumour = max(j.tumour, r3.Norm(u))
	}
}

// values are the outputs in the order of MechanicalOutputs.
func (j *judge) values() []float64 {
	engineering := math.Sqrt(1+2*max(0, j.strain)) - 1
	return []float64{
		j.move, j.force, j.stress, 100 * j.strain, j.tumour, 100 * (j.x.FailureStrain - engineering),
		j.opening, j.forceCut, j.relaxed,
	}
}
