package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// RandomProblem is a nonlinear problem drawn from a seed: a distorted block
// with slivers down to 5°, one or two tissues of random law and stiffness
// (0.5 to 50 kPa, ν from 0.3 to 0.4999), clamped at one end, and loaded by one
// of: a pull, a push up to and beyond buckling, a twist, a bend, gravity, a
// pressure that follows, a traction.
func RandomProblem(seed uint64) (*fem.Model, fem.Settings, string, error) {
	rng := rand.New(rand.NewPCG(seed, 4))
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	n := [3]int{2 + rng.IntN(3), 2 + rng.IntN(2), 2 + rng.IntN(5)}
	h := between(3, 12)
	size := [3]float64{h * float64(n[0]) * between(0.6, 1.4), h * float64(n[1]) * between(0.6, 1.4), h * float64(n[2]) * between(0.6, 1.8)}
	m := brick(n[0], n[1], n[2], size[0], size[1], size[2])
	inner := func(p r3.Vec) bool {
		return p.X > 0 && p.X < size[0] && p.Y > 0 && p.Y < size[1] && p.Z > 0 && p.Z < size[2]
	}
	for i, p := range m.Nodes {
		d := r3.Vec{X: between(-1, 1), Y: between(-1, 1), Z: between(-1, 1)}
		if inner(p) {
			m.Nodes[i] = r3.Add(p, r3.Scale(0.15*h*0.6, d))
		}
	}
	slivers := 0
	for range rng.IntN(4) {
		slivers += flatten(m, rng, inner)
	}
	regions := 1 + rng.IntN(2)
	if regions == 2 {
		for e, t := range m.Tets {
			if m.Nodes[t[0]].X+m.Nodes[t[1]].X+m.Nodes[t[2]].X+m.Nodes[t[3]].X > 2*size[0] {
				m.Region[e] = tissue + 1
			}
		}
	}
	quadratic := rng.IntN(4) > 0
	if quadratic {
		m = m.Quadratic()
	}
	mod := &fem.Model{Mesh: m}
	var s fem.Settings
	what := fmt.Sprintf("%d×%d×%d", n[0], n[1], n[2])
	stiff := 0.0
	for r := range regions {
		e := 5e-4 * math.Pow(100, rng.Float64()) // MPa
		nu := []float64{between(0.3, 0.45), 0.45, 0.49, 0.499, 0.4999}[rng.IntN(5)]
		law, name, err := randomLaw(rng, e, nu)
		if err != nil {
			return nil, s, "", err
		}
		mod.Regions = append(mod.Regions, fem.Region{Label: tissue, Law: law, DensityTPerMM3: 1.06e-9})
		mod.Regions[r].Label += imaging.Label(r)
		if _, fibres := law.(material.HolzapfelGasserOgden); fibres {
			nu = max(nu, 0.49) // see randomLaw
		}
		if nu > 0.46 || !quadratic && nu > 0.4 {
			s.Formulation = fem.MeanDilatation
		}
		stiff = max(stiff, e)
		what += fmt.Sprintf(", %s %.2g kPa ν %.4g", name, 1e3*e, nu)
	}
	length := size[2]
	hold := func(z float64, u func(r3.Vec) r3.Vec) {
		for i, p := range m.Nodes {
			if p.Z == z {
				d := u(p)
				v := int32(i)
				mod.Prescribed = append(mod.Prescribed, fem.Prescribed{Node: v, Axis: 0, ValueMM: d.X}, fem.Prescribed{Node: v, Axis: 1, ValueMM: d.Y}, fem.Prescribed{Node: v, Axis: 2, ValueMM: d.Z})
			}
		}
	}
	hold(0, func(r3.Vec) r3.Vec { return r3.Vec{} })
	kind := rng.IntN(7)
	f := rng.Float64()
	switch kind {
	case 0:
		hold(length, func(r3.Vec) r3.Vec { return r3.Vec{Z: 0.6 * f * length} })
	case 1: // up to a third shorter: slender blocks buckle at a few per cent
		hold(length, func(r3.Vec) r3.Vec { return r3.Vec{X: 0.01 * length, Z: -0.35 * f * length} })
	case 2:
		mid := r3.Vec{X: size[0] / 2, Y: size[1] / 2, Z: length}
		turn := r3.NewRotation(f*math.Pi/2, r3.Vec{Z: 1})
		hold(length, func(p r3.Vec) r3.Vec { return r3.Sub(turn.Rotate(r3.Sub(p, mid)), r3.Sub(p, mid)) })
	case 3:
		turn := r3.NewRotation(f, r3.Vec{X: 1})
		mid := r3.Vec{Y: size[1] / 2, Z: length / 2}
		hold(length, func(p r3.Vec) r3.Vec { return r3.Sub(turn.Rotate(r3.Sub(p, mid)), r3.Sub(p, mid)) })
	case 4:
		mod.GravityChange = r3.Scale(9810*2*f, r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}))
	default:
		for _, t := range boundaryFaces(m) {
			on := true
			for _, v := range t {
				on = on && m.Nodes[v].X == size[0]
			}
			if !on {
				continue
			}
			l := fem.FaceLoad{Face: t}
			if kind == 5 {
				l.PressureMPa, l.Follows = 0.3*f*stiff*h/length, true
			} else {
				l.TractionMPa = r3.Vec{X: 0.1 * f * stiff, Z: -0.2 * f * stiff}
			}
			mod.Loads = append(mod.Loads, l)
		}
	}
	what += fmt.Sprintf(", %s %.2f, %d slivers", [...]string{"pull", "push", "twist", "bend", "gravity", "pressure", "traction"}[kind], f, slivers)
	return mod, s, what, nil
}

func randomLaw(rng *rand.Rand, e, nu float64) (material.Law, string, error) {
	mu := e / (2 * (1 + nu))
	switch rng.IntN(7) {
	case 0:
		l, err := material.NewMooneyRivlin(0.4*mu, 0.1*mu, nu)
		return l, "Mooney–Rivlin", err
	case 1:
		l, err := material.NewYeoh(0.5*mu, 0.2*mu, 0.02*mu, nu)
		return l, "Yeoh", err
	case 2:
		l, err := material.NewRaghavanVorp(0.5*mu, 3*mu, nu)
		return l, "Raghavan–Vorp", err
	case 3:
		a, b := r3.Vec{X: 0.6, Z: 0.8}, r3.Vec{X: -0.6, Z: 0.8}
		l, err := material.NewHolzapfelGasserOgden(mu, 0.8*mu, 0.8, max(nu, 0.49), a, b) // its split is for nearly incompressible walls
		return l, "Holzapfel–Gasser–Ogden", err
	default:
		l, err := material.NewNeoHookean(mu, nu)
		return l, "neo-Hookean", err
	}
}

// boundaryFaces lists the corner nodes of the faces that one element has.
func boundaryFaces(m *mesh.TetMesh) [][3]int32 {
	type face struct {
		key, as [3]int32
	}
	var all []face
	for _, t := range m.Tets {
		for _, f := range mesh.TetFaces {
			v := [3]int32{t[f[0]], t[f[1]], t[f[2]]}
			k := v
			slices.Sort(k[:])
			all = append(all, face{k, v})
		}
	}
	slices.SortStableFunc(all, func(a, b face) int { return slices.Compare(a.key[:], b.key[:]) })
	var out [][3]int32
	for i, f := range all {
		if (i == 0 || all[i-1].key != f.key) && (i+1 == len(all) || all[i+1].key != f.key) {
			out = append(out, f.as)
		}
	}
	return out
}

// flatten moves an inner node of a random element towards the opposite face
// until the element's height leaves about 5° at its edges, if its neighbours
// stay of positive volume.
func flatten(m *mesh.TetMesh, rng *rand.Rand, inner func(r3.Vec) bool) int {
	for range 20 {
		t := m.Tets[rng.IntN(len(m.Tets))]
		k := rng.IntN(4)
		v := t[k]
		p := m.Nodes[v]
		if !inner(p) {
			continue
		}
		f := mesh.TetFaces[k]
		for i := range 4 { // the face without corner k
			if g := mesh.TetFaces[i]; g[0] != k && g[1] != k && g[2] != k {
				f = g
			}
		}
		a, b, c := m.Nodes[t[f[0]]], m.Nodes[t[f[1]]], m.Nodes[t[f[2]]]
		normal := r3.Unit(r3.Cross(r3.Sub(b, a), r3.Sub(c, a)))
		height := r3.Dot(r3.Sub(p, a), normal)
		edge := r3.Norm(r3.Sub(b, a))
		want := math.Copysign(0.3*edge*math.Tan(5*math.Pi/180), height)
		m.Nodes[v] = r3.Sub(p, r3.Scale(height-want, normal))
		good := true
		for _, o := range m.Tets {
			if slices.Contains(o[:], v) {
				x := m.Nodes[o[0]]
				vol := r3.Dot(r3.Sub(m.Nodes[o[1]], x), r3.Cross(r3.Sub(m.Nodes[o[2]], x), r3.Sub(m.Nodes[o[3]], x)))
				good = good && vol > 1e-3*edge*edge*edge
			}
		}
		if good {
			return 1
		}
		m.Nodes[v] = p
	}
	return 0
}

// Outcome is how a random problem ended.
type Outcome uint8

// The outcomes.
const (
	Converged Outcome = iota
	Missed            // ended with a typed reason, and ten times finer steps converge
	Unsolved          // ended with a typed reason, with ten times finer steps too
	Broken            // an untyped error, a number that is not finite
)

// SolveRandom solves the problem of a seed in five steps, and in fifty if that
// fails. detail says what went wrong.
func SolveRandom(ctx context.Context, seed uint64) (out Outcome, detail string, err error) {
	m, s, what, err := RandomProblem(seed)
	if err != nil {
		return Broken, "", err
	}
	attempt := func(steps int) (fault string, bad bool) {
		s.Steps = steps
		_, err := fem.Solve(ctx, m, s, func(f *fem.Frame) error {
			for _, u := range f.U {
				if math.IsNaN(u.X + u.Y + u.Z) {
					bad = true
				}
			}
			return nil
		})
		if err == nil {
			return "", bad
		}
		_, typed := errors.AsType[*fem.NotConvergedError](err)
		return err.Error(), bad || !typed
	}
	fault, bad := attempt(5)
	switch {
	case bad:
		return Broken, fmt.Sprintf("seed %d (%s): %s", seed, what, fault), ctx.Err()
	case fault == "":
		return Converged, what, nil
	}
	fine, bad := attempt(50)
	switch {
	case bad:
		out = Broken
	case fine == "":
		out = Missed
	default:
		out = Unsolved
	}
	return out, fmt.Sprintf("seed %d (%s): %s", seed, what, fault), ctx.Err()
}
