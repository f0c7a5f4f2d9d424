package fem

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// fillStress puts a stress field at the quadrature points, for tests that do without a
// solve.
func fillStress(s *system, rc *recovery, field func(region int32, x r3.Vec) sym6) {
	for e := range s.elems {
		for i := e * s.nq; i < (e+1)*s.nq; i++ {
			rc.stress[i] = field(s.regOf[e], rc.sample[i])
		}
	}
}

// A field that the patch represents (quadratic for a Tet10, linear for a Tet4)
// is found exactly at every node, and across a border between regions each side
// keeps its own.
func TestRecoveryIsExactForItsPolynomials(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(4, 4, 4, 4, 4, 4)
		for e, v := range m.Tets {
			if m.Nodes[v[0]].X+m.Nodes[v[1]].X+m.Nodes[v[2]].X+m.Nodes[v[3]].X > 8 {
				m.Region[e] = 2
			}
		}
		shake(m, 4, 4, 4, 0.15, 3)
		if quadratic {
			m = m.Quadratic()
		}
		law := must(material.NewLinear(1, 0.3))
		mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: law}, {Label: 2, Law: law}}, Prescribed: prescribe(m, onBox(4), still)}
		s := must(newSystem(mod, must(Settings{}.withDefaults())))
		field := func(r int32, p r3.Vec) (t sym6) {
			for k := range t {
				c := float64(k+1) * (1 - 3*float64(r))
				t[k] = c + p.X - 2*c*p.Y + p.Z
				if quadratic {
					t[k] += c*p.X*p.X - p.Y*p.Y + p.X*p.Z - c*p.Y*p.Z
				}
			}
			return t
		}
		rc := s.recoveryOf()
		fillStress(s, rc, field)
		rc.run(s)
		two := 0
		for v := range s.n {
			if rc.slotPtr[v+1]-rc.slotPtr[v] == 2 {
				two++
			}
		}
		if two == 0 {
			t.Fatal("no node between the regions")
		}
		var worst float64
		for i, slot := range rc.slotOf {
			want := field(s.regOf[i/s.k], s.x[rc.node[slot]])
			for k := range want {
				worst = max(worst, math.Abs(rc.slot[slot][k]-want[k]))
			}
		}
		if worst > 1e-9 { // of values up to about 300
			t.Errorf("%s: off by %g", isTet10(m), worst)
		}
	}
}

// On any mesh, however small or flat, recovery bounds what it makes of the
// samples: leverageLimit at vertices, and so about that at mid-edge nodes.
func TestRecoveryOnBadPatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	law := must(material.NewLinear(1, 0.3))
	thin := brickMesh(4, 4, 1, 40, 40, 0.4)
	shake(thin, 40, 40, -1, 3, 2) // no inner node in z: stays flat
	slivers := brickMesh(4, 4, 4, 4, 4, 4)
	shake(slivers, 4, 4, 4, 0.28, 12)
	for i, p := range slivers.Nodes {
		slivers.Nodes[i].Z = p.Z * 0.05
	}
	single := brickMesh(1, 1, 1, 1, 1, 1)
	single.Tets, single.Region = single.Tets[:1], single.Region[:1]
	for name, m := range map[string]*mesh.TetMesh{"one element": single, "six elements": brickMesh(1, 1, 1, 1, 1, 1), "plate": thin, "slivers": slivers} {
		for _, m := range []*mesh.TetMesh{m, m.Quadratic()} {
			s := must(newSystem(&Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, everywhere, still)}, must(Settings{}.withDefaults())))
			rc := s.recoveryOf()
			fillStress(s, rc, func(int32, r3.Vec) (t sym6) {
				for k := range t {
					t[k] = 2*rng.Float64() - 1
				}
				return t
			})
			rc.run(s)
			var most float64
			for _, t := range rc.slot {
				for _, v := range t {
					most = max(most, math.Abs(v))
					if math.IsNaN(v) {
						most = math.Inf(1)
					}
				}
			}
			if !(most <= 10) {
				t.Errorf("%s %s: %g made of samples up to 1", name, isTet10(m), most)
			}
			fillStress(s, rc, func(int32, r3.Vec) sym6 { return sym6{1, 2, 3, 4, 5, 6} })
			rc.run(s)
			for i, t6 := range rc.slot {
				for k, v := range t6 {
					if math.Abs(v-float64(k+1)) > 1e-9 {
						t.Fatalf("%s %s: slot %d has %v of a uniform field", name, isTet10(m), i, t6)
					}
				}
			}
		}
	}
}

// Two bars of different stiffness side by side, stretched together: stress is
// uniform in each, and nothing is smoothed across. At the nodes between them a
// frame has the mean by volume.
func TestStressJumpsBetweenMaterials(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		m := brickMesh(3, 4, 3, 3, 4, 3)
		for e, v := range m.Tets {
			if m.Nodes[v[0]].Y+m.Nodes[v[1]].Y+m.Nodes[v[2]].Y+m.Nodes[v[3]].Y > 8 {
				m.Region[e] = 2
			}
		}
		if quadratic {
			m = m.Quadratic()
		}
		mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: must(material.NewLinear(1, 0))}, {Label: 2, Law: must(material.NewLinear(10, 0))}}}
		mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 || p.X == 3 }, func(p r3.Vec) r3.Vec { return r3.Vec{X: 0.01 * p.X} })
		f, _ := solve(t, mod, Settings{Steps: 1, ResidualTol: 1e-12})
		for v, x := range m.Nodes {
			want := 0.01
			switch {
			case x.Y > 2:
				want = 0.1
			case x.Y == 2:
				if got := f.Stress[v][0]; got < 0.02 || got > 0.09 {
					t.Errorf("%s: node at %v between the bars has %g MPa", isTet10(m), x, got)
				}
				continue
			}
			if math.Abs(f.Stress[v][0]-want) > 1e-9 {
				t.Errorf("%s: node at %v has σxx %g, want %g", isTet10(m), x, f.Stress[v][0], want)
			}
		}
		if f.ErrorRel > 1e-8 {
			t.Errorf("%s: estimated error %g of a solution that is exact", isTet10(m), f.ErrorRel)
		}
	}
}

// relaxingLaw is a law with a memory for tests: linear, its stress fading as
// exp(−t) (one value of history, the stress's part that is left).
type relaxingLaw struct{ material.Linear }

func (relaxingLaw) HistorySize() int        { return 1 }
func (relaxingLaw) InitHistory(h []float64) { h[0] = 1 }
func (l relaxingLaw) Respond(p *material.Mat3, a *[9][9]float64, f *material.Mat3, old, next []float64, dt float64) bool {
	next[0] = old[0] * math.Exp(-dt)
	l.Stress(p, f)
	for i := range p {
		p[i] = r3.Scale(next[0], p[i])
	}
	if a != nil {
		l.Tangent(a, f)
		for i := range a {
			for j := range a[i] {
				a[i][j] *= next[0]
			}
		}
	}
	return true
}

// The stress of a frame is that which balances its reactions, for a law with a
// memory too: reading it is not a step in time.
func TestStressOfALawWithHistoryBalancesTheReaction(t *testing.T) {
	m := brickMesh(2, 2, 2, 1, 1, 1).Quadratic()
	mod := &Model{Mesh: m, Regions: one(relaxingLaw{must(material.NewLinear(1, 0))})}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 || p.X == 1 }, func(p r3.Vec) r3.Vec { return r3.Vec{X: 0.01 * p.X} })
	f, _ := solve(t, mod, Settings{Steps: 2, ResidualTol: 1e-12})
	var pull float64
	for v, p := range m.Nodes {
		if p.X == 1 {
			pull += f.ReactionN[v].X
		}
	}
	for v := range m.Nodes {
		if math.Abs(f.Stress[v][0]-pull) > 1e-9 || math.Abs(pull-0.01*math.Exp(-1)) > 1e-9 {
			t.Fatalf("node %d: σ = %g MPa, reaction %g N over 1 mm²", v, f.Stress[v][0], pull)
		}
	}
}

// A region taken out has no stress, and what stays is not averaged with it.
func TestRecoveryWithoutARemovedRegion(t *testing.T) {
	m := brickMesh(3, 4, 3, 3, 4, 3)
	for e, v := range m.Tets {
		if m.Nodes[v[0]].Y+m.Nodes[v[1]].Y+m.Nodes[v[2]].Y+m.Nodes[v[3]].Y > 8 {
			m.Region[e] = 2
		}
	}
	m = m.Quadratic()
	law := must(material.NewLinear(1, 0))
	mod := &Model{Mesh: m, Regions: []Region{{Label: liver, Law: law}, {Label: 2, Law: law}}}
	mod.Prescribed = prescribe(m, func(p r3.Vec) bool { return p.X == 0 || p.X == 3 }, func(p r3.Vec) r3.Vec { return r3.Vec{X: 0.01 * p.X} })
	mod.Stages = []Stage{{Name: "stretch", Steps: 1}, {Name: "resect", Steps: 1, Remove: []imaging.Label{2}}}
	f, _ := solve(t, mod, Settings{ResidualTol: 1e-12})
	for v, x := range m.Nodes {
		want := 0.01
		if x.Y > 2 {
			want = 0
		}
		if math.Abs(f.Stress[v][0]-want) > 1e-9 {
			t.Fatalf("node at %v: %g MPa, want %g", x, f.Stress[v][0], want)
		}
	}
}

func TestRecoverySameBitsForAnyCoreCount(t *testing.T) {
	sys := must(newSystem(pull(5, 0.45), must(Settings{}.withDefaults())))
	u := make([]float64, 3*sys.n)
	for i, x := range sys.x {
		u[3*i], u[3*i+2] = 0.05*x.X*x.X/160, 0.1*x.X*x.Y/100
	}
	run := func(procs int) recovered {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		sys.rec = nil
		return sys.recover(u)
	}
	want := run(1)
	if want.errorRel == 0 {
		t.Error("no error at all")
	}
	for _, procs := range []int{2, 7} {
		got := run(procs)
		if got.errorRel != want.errorRel {
			t.Errorf("GOMAXPROCS %d: error %v, want %v", procs, got.errorRel, want.errorRel)
		}
		for v := range want.stress {
			if got.stress[v] != want.stress[v] || got.strain[v] != want.strain[v] || got.errorMPa[v] != want.errorMPa[v] {
				t.Fatalf("GOMAXPROCS %d: node %d differs", procs, v)
			}
		}
	}
}
