package needle

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/spatial"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// What holds the organ stands here, in one place, since every shift depends on
// it.
const (
	coarseEdgeMM = 20 // of the mesh that samples are solved on
	fineEdgeMM   = 15 // of the one that tells its error
	cavaMM       = 8  // nodes this close to the vena cava are held
	backMM       = 25 // without it: this close to the hindmost, uppermost point
	leastHeld    = 12 // nodes
)

// bedsMM are the thicknesses of the fat that the organ lies in, by the level of
// the input.
var bedsMM = [3]float64{5, 10, 20}

// organMesh is the organ as quadratic tetrahedra with straight sides.
type organMesh struct {
	m      *mesh.TetMesh
	find   *spatial.Tets
	held   []fem.Prescribed
	skin   [][3]int32 // outer faces, corner nodes
	target []float64  // share of each element that lies in the target
	mean   []float64  // per node: the mean over the target is Σ mean·value
	// capsule is Glisson's capsule; nil for other organs.
	capsule *material.BilinearMembrane
}

// organBox is the crop that the organ's field covers.
func (f *Field) cropOf(g imaging.Grid) (imaging.Grid, imaging.Box) {
	var b imaging.Box
	for a := range b.Lo {
		b.Lo[a] = int(f.lo[a])
		b.Hi[a] = b.Lo[a] + f.size[a]
	}
	return g.Crop(b), b
}

func (c *Case) newOrganMesh(ctx context.Context, edge float64) (*organMesh, error) {
	sub, box := c.organField.cropOf(c.Grid)
	lin, _, err := tetra.Fill(ctx, tetra.Domain{Grid: sub, Phi: c.organField.MM}, tetra.Options{EdgeMM: edge, MaxEdgeMM: edge, MinComponentMM3: edge * edge * edge})
	if err != nil {
		return nil, fmt.Errorf("needle: mesh of the organ: %w", err)
	}
	lin = largest(lin)
	o := &organMesh{m: lin.Quadratic()}
	if o.find, err = spatial.NewTets(ctx, o.m); err != nil {
		return nil, err
	}
	next := lin.Neighbours()
	outer := make([]bool, len(o.m.Nodes))
	for t, v := range lin.Tets {
		for f, k := range mesh.TetFaces {
			if next[t][f] < 0 {
				o.skin = append(o.skin, [3]int32{v[k[0]], v[k[1]], v[k[2]]})
				for _, n := range k {
					outer[v[n]] = true
				}
			}
		}
	}
	o.share(c)
	if c.organ == imaging.LabelLiver {
		if o.capsule, err = capsule(); err != nil {
			return nil, err
		}
	}
	return o, c.hold(ctx, o, outer, sub, box)
}

// capsule carries tension with the small-strain modulus of the record (Umale et
// al. 2011) beyond a short toe, and next to nothing below it, where so thin a
// sheet wrinkles.
func capsule() (*material.BilinearMembrane, error) {
	const toe, slack = 0.04, 0.01
	t, err := material.Lookup(capsuleTissue)
	if err != nil {
		return nil, err
	}
	e, ok := t.Param("E_small_Pa")
	h, ok2 := t.Param("thickness_m")
	if !ok || !ok2 {
		return nil, fmt.Errorf("needle: tissue record %s has no modulus or no thickness", t.ID)
	}
	law, err := material.NewBilinearMembrane(slack*e/1e6, e/1e6, toe, 0, h*1e3)
	return &law, err
}

// largest keeps the largest connected part.
func largest(m *mesh.TetMesh) *mesh.TetMesh {
	part, count := m.Parts()
	if count < 2 {
		return m
	}
	vol := make([]float64, count)
	for t, v := range m.Tets {
		vol[part[t]] += mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]])
	}
	best := 0
	for p, v := range vol {
		if v > vol[best] {
			best = p
		}
	}
	return m.Keep(func(t int) bool { return int(part[t]) == best })
}

// latticeOrder is the order of the lattice of points that an element's share of
// the target is counted on.
const latticeOrder = 6

// share fills target and mean.
func (o *organMesh) share(c *Case) {
	o.target, o.mean = make([]float64, len(o.m.Tets)), make([]float64, len(o.m.Nodes))
	sum := 0.0
	for t, v := range o.m.Tets {
		a, b, d, e := o.m.Nodes[v[0]], o.m.Nodes[v[1]], o.m.Nodes[v[2]], o.m.Nodes[v[3]]
		mid := r3.Scale(0.25, r3.Add(r3.Add(a, b), r3.Add(d, e)))
		far := max(dist(mid, a), dist(mid, b), dist(mid, d), dist(mid, e))
		x, y, z := c.Grid.Voxel(mid)
		if c.tumour.at(x, y, z) > 1.8*far+c.blur {
			continue // L(u) ≤ √3: no point of the element lies in the target
		}
		w := mesh.Signed6(a, b, d, e)
		in, all := 0, 0
		for i := range latticeOrder {
			for j := range latticeOrder - i {
				for k := range latticeOrder - i - j {
					const n = float64(latticeOrder)
					l := [4]float64{(float64(i) + 0.25) / n, (float64(j) + 0.25) / n, (float64(k) + 0.25) / n, 0}
					l[3] = 1 - l[0] - l[1] - l[2]
					p := r3.Add(r3.Add(r3.Scale(l[0], a), r3.Scale(l[1], b)), r3.Add(r3.Scale(l[2], d), r3.Scale(l[3], e)))
					all++
					if c.tumour.point(&c.Grid, p) >= 0 {
						continue
					}
					in++
					for n, s := range o.shape(int32(t), l) {
						o.mean[o.node(int32(t), n)] += w * s
					}
					sum += w
				}
			}
		}
		o.target[t] = float64(in) / float64(all)
	}
	if sum > 0 {
		for n := range o.mean {
			o.mean[n] /= sum
		}
	}
}

// node is node n of element t: corners, then mid-edge nodes.
func (o *organMesh) node(t int32, n int) int32 {
	if n < 4 {
		return o.m.Tets[t][n]
	}
	return o.m.Mid[t][n-4]
}

// shape are the quadratic shape functions at barycentric coordinates l
// (Zienkiewicz & Taylor, vol. 1, §8.8).
func (o *organMesh) shape(_ int32, l [4]float64) (n [10]float64) {
	for a, x := range l {
		n[a] = x * (2*x - 1)
	}
	for e, v := range mesh.TetEdges {
		n[4+e] = 4 * l[v[0]] * l[v[1]]
	}
	return n
}

// hold fixes the nodes near the vena cava or, without one, at the back.
func (c *Case) hold(ctx context.Context, o *organMesh, outer []bool, sub imaging.Grid, box imaging.Box) error {
	var fixed []int32
	if bit := c.segs.Bit(imaging.LabelVenaCava); bit != 0 {
		d, err := signedBand(ctx, sub, func(v int) bool {
			i, j, k := sub.IJK(v)
			return c.segs.Bits[c.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])]&bit != 0
		}, 3*cavaMM)
		if err != nil {
			return err
		}
		f, err := newField(sub, box.Lo, d)
		if err != nil {
			return err
		}
		for n, is := range outer {
			if is && f.point(&c.Grid, o.m.Nodes[n]) < cavaMM {
				fixed = append(fixed, int32(n))
			}
		}
	}
	if len(fixed) < leastHeld {
		back, best := r3.Vec{}, math.Inf(-1)
		for n, is := range outer {
			if p := o.m.Nodes[n]; is && p.Y+p.Z > best {
				back, best = p, p.Y+p.Z
			}
		}
		for reach := float64(backMM); len(fixed) < leastHeld; reach *= 1.3 {
			fixed = fixed[:0]
			for n, is := range outer {
				if is && dist(o.m.Nodes[n], back) <= reach {
					fixed = append(fixed, int32(n))
				}
			}
			if reach > 1e4 {
				return fmt.Errorf("needle: the organ's mesh has %d nodes on its surface, too few to hold it", len(fixed))
			}
		}
	}
	for _, n := range fixed {
		for a := range int8(3) {
			o.held = append(o.held, fem.Prescribed{Node: n, Axis: a})
		}
	}
	return nil
}

// model is the organ with the shear modulus mu (MPa), the target ratio times as
// stiff, in a bed of fat of the given thickness (mm; +Inf: none).
func (o *organMesh) model(mu, ratio, bed float64) (*fem.Model, error) {
	const nu = 0.49 // liver.parenchyma.normal
	law, err := material.NewNeoHookean(mu, nu)
	if err != nil {
		return nil, err
	}
	m := &fem.Model{Mesh: o.m, Prescribed: o.held, Regions: []fem.Region{{Label: imaging.LabelLiver, Law: law, DensityTPerMM3: 1.079e-9}}}
	for _, s := range o.target {
		m.Stiffness = append(m.Stiffness, 1+(ratio-1)*s)
	}
	if o.capsule != nil {
		m.Membranes = []fem.Membrane{{Name: "capsule", Faces: o.skin, Law: *o.capsule}}
	}
	if !math.IsInf(bed, 1) {
		fat, err := material.Lookup(bedTissue)
		if err != nil {
			return nil, err
		}
		g, ok := fat.ShearMPa()
		if !ok {
			return nil, fmt.Errorf("needle: tissue record %s has no shear modulus", bedTissue)
		}
		m.Foundations = []fem.Foundation{{Name: "bed", Faces: o.skin, NormalMPaPerMM: 3 * g / bed, TangentMPaPerMM: g / bed}}
	}
	return m, nil
}

// load adds a force at p to the nodes around it, by the shape functions; it
// reports whether p lies in the mesh.
func (o *organMesh) load(l *fem.LoadCase, p, force r3.Vec) bool {
	t, bary := o.find.At(p)
	if t < 0 {
		return false
	}
	for n, s := range o.shape(t, bary) {
		l.Forces = append(l.Forces, fem.NodalForce{Node: o.node(t, n), ForceN: r3.Scale(s, force)})
	}
	return true
}

// moved is the mean displacement of the target.
func (o *organMesh) moved(u []r3.Vec) (s r3.Vec) {
	for n, w := range o.mean {
		if w != 0 {
			s = r3.Add(s, r3.Scale(w, u[n]))
		}
	}
	return s
}
