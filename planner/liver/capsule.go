package liver

import (
	"context"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// The tissue records of what stiffens the parenchyma.
const (
	CapsuleTissue = "liver.capsule"
	VeinTissue    = "liver.vein"
	TumourTissue  = "liver.tumour.malignant.mre"
)

// capsule is Glisson's capsule on all of the organ's own surface: a sheet that
// carries tension with the small-strain modulus of the record (Umale et al.
// 2011) beyond a short toe. Next to nothing acts below it: on tissue ten thousand
// times softer so thin a sheet wrinkles at wave lengths far below an element
// (h·2π·(E_sheet/3E_tissue)^⅓, 4 mm; H. G. Allen, Structural Sandwich Panels,
// 1969, §8.2) instead of bearing compression. The record's second, steeper slope
// has no strain at which it starts, and is left out. The faces follow the doubled
// nodes, so that the opened part of the cut severs the capsule too.
func (o *organMesh) capsule(smallMPa, thicknessMM float64) (fem.Membrane, error) {
	law, err := material.NewBilinearMembrane(slackShare*smallMPa, smallMPa, toeStrain, 0, thicknessMM)
	return fem.Membrane{Name: "capsule", Faces: o.skin, Law: law}, err
}

const (
	slackShare = 0.01 // of the modulus, below the toe
	toeStrain  = 0.04 // where the slack is taken up, ± a quarter
)

// walls is the share of the walls and of the lumen of vessels in each element.
// A lumen voxel at distance d from the wall belongs to a tube whose radius is the
// largest d near it; a tube of radius r has 2h/r of wall for each volume of lumen.
type walls struct{ wall, lumen []float64 }

// randomFibres is the share of Young's modulus that thin members in all
// directions give to what they are spread in: 1/6 (H. L. Cox, Brit. J. Appl.
// Phys. 3 (1952) 72, eq. 34, in space).
const randomFibres = 1.0 / 6

// vesselWalls spreads the walls of the portal and hepatic veins over the
// elements of o that hold them.
func (a *Anatomy) vesselWalls(ctx context.Context, o *organMesh, thicknessMM float64) (walls, error) {
	w := walls{make([]float64, len(o.Tets)), make([]float64, len(o.Tets))}
	vox := a.Grid.VoxelMM3()
	find, err := spatial.NewTets(ctx, o.TetMesh)
	if err != nil {
		return w, err
	}
	for _, n := range a.vessels {
		r := float64(a.tubeRadius(n))
		if r < minVesselMM {
			continue
		}
		if t, _ := find.At(a.at(n)); t >= 0 {
			w.lumen[t] += vox
			w.wall[t] += vox * 2 * thicknessMM / r
		}
	}
	for t, v := range o.Tets {
		vol := tetMM3(o, v)
		w.lumen[t] = min(1, w.lumen[t]/vol)
		w.wall[t] = min(maxWall, w.wall[t]/vol)
	}
	return w, ctx.Err()
}

// maxWall bounds the share of walls: a tube of 2 mm radius alone.
const maxWall = 0.4

func tetMM3(o *organMesh, v [4]int32) float64 {
	p := o.Nodes
	return r3.Dot(r3.Sub(p[v[1]], p[v[0]]), r3.Cross(r3.Sub(p[v[2]], p[v[0]]), r3.Sub(p[v[3]], p[v[0]]))) / 6
}

// tubeRadius is the largest distance to the wall in the voxels around vessel
// voxel n, as far as n is from the wall: about the radius of its tube.
func (a *Anatomy) tubeRadius(n int) float32 {
	best := a.radius[n]
	for range maxClimb { // up the distance field to the middle of the tube
		i, j, k := a.Grid.IJK(n)
		at := n
		for _, d := range faceNeighbours {
			u, v, w := i+d[0], j+d[1], k+d[2]
			if !a.Grid.Contains(u, v, w) {
				continue
			}
			if m := a.Grid.Index(u, v, w); a.radius[m] > best {
				best, at = a.radius[m], m
			}
		}
		if at == n {
			break
		}
		n = at
	}
	return best
}

// maxClimb voxels lead from the wall of the widest vessel to its middle.
const maxClimb = 24

// multiplier is the stiffness of element t over that of its tissue of shear
// modulus mu: the lumen carries no shear, the walls act as fibres in all
// directions.
func (w *walls) multiplier(t int, muMPa, veinMPa float64) float64 {
	e := 3 * muMPa
	return math.Max(leastStiffness, 1-w.lumen[t]+randomFibres*w.wall[t]*veinMPa/e)
}

// leastStiffness keeps an element inside a wide vein solvable.
const leastStiffness = 0.1
