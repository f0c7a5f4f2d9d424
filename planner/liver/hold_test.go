package liver

import (
	"math"
	"testing"

	"halsted/planner"
)

// The groove and the grasp keep their area whatever the mesh, so that what holds
// the organ does not change with it.
func TestPatchesKeepTheirArea(t *testing.T) {
	a, p := anatomy(t, [3]float64{3, 3, 3}), pulled(20, 30)
	for _, n := range []int{3000, 6000, 12_000} {
		d := body(t, a, p, planner.L2, n)
		faces := d.skinFaces()
		area := map[[3]int32]float64{}
		for i, f := range faces {
			area[d.skin[i]] = f.area
		}
		got, whole := 0.0, 0
		for _, g := range d.groove {
			if !(g.share > 0 && g.share <= 1) {
				t.Errorf("a face has a share of %g", g.share)
			}
			if g.share == 1 {
				whole++
			}
			got += g.share * area[g.face]
		}
		if want := math.Pi * fixedRadiusMM * fixedRadiusMM; math.Abs(got-want) > 1e-6*want {
			t.Errorf("%d degrees of freedom: a groove of %g mm², want %g", d.dof(), got, want)
		}
		if whole == len(d.groove) {
			t.Errorf("%d degrees of freedom: every face lies whole in the groove", d.dof())
		}
		node := make([]float64, len(d.Nodes))
		for i, f := range faces {
			for k, n := range d.faceNodes(i) {
				node[n] += f.area / [...]float64{12, 12, 12, 4, 4, 4}[k]
			}
		}
		got, most := 0.0, 0.0
		for _, n := range d.grasp {
			got, most = got+node[n], max(most, node[n])
		}
		// Nodes at the edge of the cut have part of their faces on the other side.
		if want := math.Pi * graspRadiusMM * graspRadiusMM; len(d.grasp) < leastGrasped || len(d.grasp) > leastGrasped && math.Abs(got-want) > most {
			t.Errorf("%d degrees of freedom: %d nodes with %g mm² are grasped, want %g to half a node of at most %g", d.dof(), len(d.grasp), got, want, most)
		}
	}
}
