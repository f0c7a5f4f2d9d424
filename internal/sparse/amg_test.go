package sparse

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
)

// stiffness assembles linear elasticity on linear tetrahedra (mm, MPa, N).
func stiffness(xyz []float64, tets []int32, young, nu float64) *BSR3 {
	n := len(xyz) / 3
	a := NewBSR3(n, tets, 4)
	a.Zero()
	mu, lambda := young/(2*(1+nu)), young*nu/((1+nu)*(1-2*nu))
	for e := 0; e < len(tets); e += 4 {
		var x [4][3]float64
		for i := range 4 {
			copy(x[i][:], xyz[3*tets[e+i]:])
		}
		grad, vol := gradients(x)
		for i := range 4 {
			for j := range 4 {
				var dotij float64
				for k := range 3 {
					dotij += grad[i][k] * grad[j][k]
				}
				v := a.Val[9*a.Index(tets[e+i], tets[e+j]):]
				for r := range 3 {
					for c := range 3 {
						k := lambda*grad[i][r]*grad[j][c] + mu*grad[i][c]*grad[j][r]
						if r == c {
							k += mu * dotij
						}
						v[3*r+c] += vol * k
					}
				}
			}
		}
	}
	return a
}

// gradients of the four shape functions, and the volume.
func gradients(x [4][3]float64) (g [4][3]float64, vol float64) {
	var d [3][3]float64
	for i := range 3 {
		for k := range 3 {
			d[i][k] = x[i+1][k] - x[0][k]
		}
	}
	cross := func(a, b [3]float64) [3]float64 {
		return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
	}
	c := [3][3]float64{cross(d[1], d[2]), cross(d[2], d[0]), cross(d[0], d[1])}
	det := d[0][0]*c[0][0] + d[0][1]*c[0][1] + d[0][2]*c[0][2]
	for i := range 3 {
		for k := range 3 {
			g[i+1][k] = c[i][k] / det
			g[0][k] -= c[i][k] / det
		}
	}
	return g, math.Abs(det) / 6
}

// kuhn fills a box of a×b×c cells of the given edge (mm) with six tetrahedra each.
func kuhn(a, b, c int, edge float64) (xyz []float64, tets []int32) {
	id := func(p [3]int) int32 { return int32(p[0] + (a+1)*(p[1]+(b+1)*p[2])) }
	for k := range c + 1 {
		for j := range b + 1 {
			for i := range a + 1 {
				xyz = append(xyz, edge*float64(i), edge*float64(j), edge*float64(k))
			}
		}
	}
	for cell := range a * b * c {
		for _, perm := range [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}} {
			at := [3]int{cell % a, cell / a % b, cell / a / b}
			tets = append(tets, id(at))
			for _, axis := range perm {
				at[axis]++
				tets = append(tets, id(at))
			}
		}
	}
	return xyz, tets
}

// cantilever is a box of 2m×m×m cells, 1 mm thick, held at x = 0 and pulled
// down by its weight; E = 10 kPa.
func cantilever(m int, nu float64) (a *BSR3, xyz []float64, fixed []bool, load []float64) {
	xyz, tets := kuhn(2*m, m, m, 1/float64(m))
	a = stiffness(xyz, tets, 0.01, nu)
	fixed, load = make([]bool, len(xyz)), make([]float64, len(xyz))
	for i := 0; i < len(xyz); i += 3 {
		if xyz[i] == 0 {
			fixed[i], fixed[i+1], fixed[i+2] = true, true, true
		} else {
			load[i+1] = -1e-5
		}
	}
	a.Constrain(fixed)
	return a, xyz, fixed, load
}

func solveAMG(t *testing.T, a *BSR3, m *AMG, b []float64) ([]float64, Result) {
	t.Helper()
	x := make([]float64, len(b))
	var cg CG
	res, err := cg.Solve(context.Background(), a, m, x, b, Settings{Tol: 1e-8})
	if err != nil || res.Stop != Converged {
		t.Fatalf("%+v, %v", res, err)
	}
	r := make([]float64, len(b))
	a.MulVec(r, x)
	if e := distance(r, b); e > 2e-8 {
		t.Errorf("true residual %g", e)
	}
	return x, res
}

// From 7 thousand to 92 thousand unknowns the iterations stay nearly the same.
func TestAMGDoesNotSeeTheSize(t *testing.T) {
	var iters []int
	for _, size := range []int{10, 15, 24} {
		a, xyz, fixed, load := cantilever(size, 0.3)
		m := NewAMG(a, xyz, fixed)
		if err := m.Factor(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, res := solveAMG(t, a, m, load)
		t.Logf("%d unknowns: %d iterations, levels %v", 3*a.N, res.Iter, m.Levels())
		iters = append(iters, res.Iter)
	}
	if iters[2] > iters[0]+6 || iters[2] > 25 {
		t.Errorf("iterations %v", iters)
	}
}

// A matrix with soft and stiff parts, half-fixed nodes, a node without element
// and a loose second body held by one face: the result is that of Cholesky.
func TestAMGAgreesWithCholeskyOnAnAwkwardBody(t *testing.T) {
	xyz, tets := kuhn(14, 8, 8, 1)
	one := int32(len(xyz) / 3)
	other, more := kuhn(9, 8, 8, 1)
	for i := 0; i < len(other); i += 3 {
		xyz = append(xyz, other[i]+40, other[i+1], other[i+2])
	}
	for _, v := range more {
		tets = append(tets, v+one)
	}
	xyz = append(xyz, 99, 99, 99) // no element
	soft, stiff := stiffness(xyz, tets, 0.01, 0.45), stiffness(xyz, tets[:len(tets)/3], 5, 0.3)
	for i := range stiff.N { // the pattern of stiff lies in that of soft
		for b := stiff.RowPtr[i]; b < stiff.RowPtr[i+1]; b++ {
			at := soft.Index(int32(i), stiff.Col[b])
			for q := range int32(9) {
				soft.Val[9*at+q] += stiff.Val[9*b+q]
			}
		}
	}
	fixed, load := make([]bool, len(xyz)), make([]float64, len(xyz))
	for i := 0; i < len(xyz); i += 3 {
		load[i+1], load[i+2] = -1e-5, 1e-5
		switch x := xyz[i]; {
		case x == 0 || x == 99:
			fixed[i], fixed[i+1], fixed[i+2] = true, true, true
		case x == 40:
			fixed[i], fixed[i+1] = true, true
			fixed[i+2] = xyz[i+1] == 0
		}
		for k := range 3 {
			if fixed[i+k] {
				load[i+k] = 0
			}
		}
	}
	soft.Constrain(fixed)
	m := NewAMG(soft, xyz, fixed)
	m.Update() // before Factor: nothing happens
	if err := m.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(m.Levels()) < 2 {
		t.Fatalf("levels %v: the test shows nothing", m.Levels())
	}
	x, res := solveAMG(t, soft, m, load)
	t.Logf("%d iterations, levels %v", res.Iter, m.Levels())
	c := NewCholesky(soft)
	if err := c.Factor(context.Background(), soft); err != nil {
		t.Fatal(err)
	}
	y := make([]float64, len(load))
	c.Solve(y, load)
	if e := distance(x, y); e > 1e-5 {
		t.Errorf("relative distance %g from Cholesky", e)
	}
	if res.Iter > 60 {
		t.Errorf("%d iterations", res.Iter)
	}
}

// New values: the stale hierarchy still serves, Factor makes it as good as a
// new one, and Bytes is not far from what was said before.
func TestAMGTakesNewValues(t *testing.T) {
	a, xyz, fixed, load := cantilever(9, 0.3)
	m := NewAMG(a, xyz, fixed)
	before := m.Bytes()
	if err := m.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := m.Bytes(); got > 4*before || before > 4*got {
		t.Errorf("%d bytes, %d were estimated", got, before)
	}
	_, first := solveAMG(t, a, m, load)
	b, _, _, _ := cantilever(9, 0.45)
	copy(a.Val, b.Val)
	m.Update()
	_, stale := solveAMG(t, a, m, load)
	if err := m.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, again := solveAMG(t, a, m, load)
	n := NewAMG(b, xyz, fixed)
	if err := n.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, fresh := solveAMG(t, b, n, load)
	t.Logf("ν 0.3: %d, ν 0.45: stale %d, again %d, fresh %d", first.Iter, stale.Iter, again.Iter, fresh.Iter)
	if again.Iter > fresh.Iter+2 || stale.Iter > 4*fresh.Iter {
		t.Errorf("iterations: stale %d, again %d, fresh %d", stale.Iter, again.Iter, fresh.Iter)
	}
}

func TestAMGIsSymmetricAndPositive(t *testing.T) {
	a, xyz, fixed, _ := cantilever(9, 0.45)
	m := NewAMG(a, xyz, fixed)
	if err := m.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	mx, my := make([]float64, 3*a.N), make([]float64, 3*a.N)
	for seed := range uint64(5) {
		x, y := random(3*a.N, seed), random(3*a.N, seed+100)
		m.Apply(mx, x)
		m.Apply(my, y)
		xmy, ymx, xmx := Dot(x, my), Dot(y, mx), Dot(x, mx)
		if !(math.Abs(xmy-ymx) < 1e-4*xmx) { // float32
			t.Errorf("x·My = %v, y·Mx = %v, x·Mx = %v", xmy, ymx, xmx)
		}
	}
}

// The prolongator carries rigid motions over exactly where nothing is held:
// P·R = B away from fixed nodes, and the Galerkin matrix is Pᵀ·A·P.
func TestAMGTransfersRigidMotionsAndGalerkin(t *testing.T) {
	a, xyz, fixed, _ := cantilever(8, 0.3)
	idle := make([]bool, a.N)
	for i := range idle {
		idle[i] = fixed[3*i]
	}
	group, nc := aggregate(a, 1, idle)
	l := &amgLevel{chebyshev: chebyshev{a: a}, g: 1, group: group, nc: int(nc), modes: modesOf(xyz, fixed)}
	r := l.orthonormalise()
	l.findPattern()
	l.update()
	l.smoothProlongator()
	if err := l.galerkin(context.Background()); err != nil {
		t.Fatal(err)
	}
	for k := range 6 {
		v := make([]float32, 6*nc)
		for c := range int(nc) {
			for j := range 6 {
				v[6*c+j] = float32(r[36*c+6*j+k])
			}
		}
		clear(l.x)
		l.prolong(v)
		for i := range a.N {
			if xyz[3*i] < 0.3 { // feels the held nodes
				continue
			}
			for q := range 3 {
				if got, want := float64(l.x[3*i+q]), l.modes[18*i+6*q+k]; math.Abs(got-want) > 1e-4 {
					t.Fatalf("mode %d, node %d, axis %d: %v, want %v", k, i, q, got, want)
				}
			}
		}
	}
	// x·(Pᵀ·A·P)·y against (P·x)·A·(P·y).
	x, y := random(6*int(nc), 1), random(6*int(nc), 2)
	fine := func(v []float64) []float64 {
		s := make([]float32, len(v))
		for i, x := range v {
			s[i] = float32(x)
		}
		clear(l.x)
		l.prolong(s)
		out := make([]float64, 3*a.N)
		for i, x := range l.x {
			out[i] = float64(x)
		}
		return out
	}
	ay, cy := make([]float64, 3*a.N), make([]float64, 6*nc)
	a.MulVec(ay, fine(y))
	l.coarse.MulVec(cy, y)
	want, got := Dot(fine(x), ay), Dot(x, cy)
	if math.Abs(got-want) > 1e-5*math.Sqrt(Dot(ay, ay)) {
		t.Errorf("x·Ac·y = %v, want %v", got, want)
	}
	// restrict is the transpose of prolong
	down := make([]float32, 6*nc)
	for i := range l.r {
		l.r[i] = float32(ay[i])
	}
	l.restrict(down)
	var sum float64
	for i, v := range down {
		sum += float64(v) * x[i]
	}
	if math.Abs(sum-want) > 1e-5*math.Sqrt(Dot(ay, ay)) {
		t.Errorf("x·Pᵀ·Ay = %v, want %v", sum, want)
	}
}

func TestAMGRefusesAndStops(t *testing.T) {
	a, xyz, fixed, _ := cantilever(9, 0.3)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := NewAMG(a, xyz, fixed)
	if err := m.Factor(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := m.Factor(context.Background()); err != nil {
		t.Errorf("after a cancelled Factor: %v", err)
	}
	for i := range a.Val {
		a.Val[i] = -a.Val[i]
	}
	err := m.Factor(context.Background())
	if _, ok := errors.AsType[*NotPositiveError](err); !ok {
		t.Errorf("negative matrix: %v", err)
	}
}

func TestAMGSameBitsForAnyCoreCount(t *testing.T) {
	run := func(procs int) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		a, xyz, fixed, load := cantilever(10, 0.45)
		m := NewAMG(a, xyz, fixed)
		if err := m.Factor(context.Background()); err != nil {
			t.Fatal(err)
		}
		y := make([]float64, len(load))
		m.Apply(y, load)
		return y
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if !slices.Equal(run(procs), want) {
			t.Errorf("GOMAXPROCS %d gives other bits than 1", procs)
		}
	}
}

// The Lanczos estimate comes within a tenth of the largest eigenvalue, which
// a long power iteration finds; the smoother relies on that.
func TestAMGEstimatesTheLargestEigenvalue(t *testing.T) {
	a, _, _, _ := cantilever(9, 0.45)
	s := &chebyshev{a: a}
	s.update()
	j := NewJacobi(a.N)
	j.Update(a)
	x, y := random(3*a.N, 1), make([]float64, 3*a.N)
	lambda := 0.0
	for range 2000 {
		a.MulVec(y, x)
		j.Apply(x, y)
		lambda = math.Sqrt(Dot(x, x))
		for i := range x {
			x[i] /= lambda
		}
	}
	if !(s.lambda > lambda/amgMargin && s.lambda < lambda*1.001) {
		t.Errorf("estimate %v, largest eigenvalue %v", s.lambda, lambda)
	}
	if got, want := largestTridiagonal([]float64{2, 2, 2}, []float64{-1, -1}), 2+math.Sqrt2; math.Abs(got-want) > 1e-9 {
		t.Errorf("tridiagonal: %v, want %v", got, want)
	}
}
