package dense

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// problem is a random symmetric matrix of a front, column-major, and its
// exact shape.
type problem[T Float] struct {
	np, nr int
	a      []T
}

// newProblem makes a matrix that is positive definite, or has some negative
// diagonal entries of dominant size.
func newProblem[T Float](rng *rand.Rand, np, nr int, negative bool) *problem[T] {
	m := np + nr
	p := &problem[T]{np, nr, random[T](rng, m*m)}
	for j := range m {
		for i := range j {
			p.a[j*m+i] = p.a[i*m+j]
		}
		p.a[j*m+j] = T(3*m) + p.a[j*m+j]
		if negative && rng.IntN(3) == 0 {
			p.a[j*m+j] = -p.a[j*m+j]
		}
	}
	return p
}

// load fills a front through the two ways there are: pivot columns by Put, the
// rest as the update of a child.
func (p *problem[T]) load(f *Front[T]) {
	m := p.np + p.nr
	f.Reset(p.np, p.nr, make([]T, UpdateLen[T](p.nr)), false)
	for c := 0; c < p.np; c += 3 {
		for i := c; i < m; i += 3 {
			var v [9]float64
			for q := range 3 {
				for r := range 3 {
					v[3*q+r] = float64(p.a[(c+q)*m+i+r])
				}
			}
			f.Put(i, c, &v)
		}
	}
	u := make([]T, UpdateLen[T](p.nr))
	mr := f.ker.mr
	rows := make([]int32, p.nr/3)
	for i := range rows {
		rows[i] = int32(p.np/3 + i)
	}
	for j := range p.nr {
		for i := j; i < p.nr; i++ {
			t := i / mr
			u[mr*mr*t*(t+1)/2+j*mr+i%mr] = p.a[(p.np+j)*m+p.np+i]
		}
	}
	f.Add(u, rows, false)
}

// entry is entry i ≥ j of the update.
func (f *Front[T]) entry(i, j int) T {
	mr := f.ker.mr
	t := i / mr
	return f.u[mr*mr*t*(t+1)/2+j*mr+i%mr]
}

var frontShapes = [][2]int{{3, 0}, {3, 3}, {9, 30}, {12, 0}, {24, 24}, {51, 75}, {192, 12}, {195, 9}, {201, 60}, {399, 201}}

func TestFrontIsAPartialFactor(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		frontContract[float64](t, 1e-13)
		frontContract[float32](t, 1e-4)
	})
}

func frontContract[T Float](t *testing.T, tol float64) {
	rng := rand.New(rand.NewPCG(8, 9))
	var f Front[T]
	for _, form := range []Form{LLT, LDL} {
		for _, shape := range frontShapes {
			p := newProblem[T](rng, shape[0], shape[1], form == LDL)
			m := p.np + p.nr
			p.load(&f)
			got, err := f.Factor(context.Background(), form, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			l := make([]T, ColumnsLen(p.np, p.nr))
			f.Columns(l, false)
			negative := 0
			// Rebuild A: column c of L with its diagonal, times D.
			full, d := make([]float64, p.np*m), make([]float64, p.np)
			for c := range p.np {
				g := quadAt(p.np, p.nr, c/4*4)
				q := c - g.j
				d[c] = 1 / float64(l[g.pivot(q)])
				full[c*m+c] = 1
				if form == LLT {
					full[c*m+c], d[c] = d[c], 1
				}
				if d[c] < 0 {
					negative++
				}
				for i := c + 1; i < m; i++ {
					o := g.pivot(i-g.j) - i + c // in the triangle
					switch {
					case i >= g.k1:
						o = g.below + inChunks[T](g.n, m-g.k1, q, i-g.k1)
					case i >= g.j+g.n:
						o = g.body() + inChunks[T](g.n, g.k1-g.j-g.n, q, i-g.j-g.n)
					}
					full[c*m+i] = float64(l[o])
				}
			}
			if form == LDL && got != negative {
				t.Errorf("%v: %d negative pivots reported, %d in D", shape, got, negative)
			}
			worst := 0.0
			for j := range m {
				for i := j; i < m; i++ {
					var s float64
					for c := range min(j+1, p.np) {
						s += full[c*m+i] * d[c] * full[c*m+j]
					}
					if j >= p.np {
						s += float64(f.entry(i-p.np, j-p.np))
					}
					worst = max(worst, math.Abs(s-float64(p.a[j*m+i])))
				}
			}
			if worst > tol*float64(3*m) {
				t.Errorf("%T form %d, %v: A is missed by %g", l[0], form, shape, worst)
			}
			substituteContract(t, rng, form, p, full, d, l, tol)
		}
	}
}

// substituteContract solves with the columns against plain sums.
func substituteContract[T Float](t *testing.T, rng *rand.Rand, form Form, p *problem[T], full, d []float64, l []T, tol float64) {
	const count = 3
	m := p.np + p.nr
	ld := m + 2
	y := random[T](rng, count*ld)
	want := make([]float64, len(y))
	for i, v := range y {
		want[i] = float64(v)
	}
	single := slices.Clone(y[:m])
	Forward(form, p.np, p.nr, l, y, ld, count, false)
	Forward(form, p.np, p.nr, l, single, m, 1, true)
	Backward(form, p.np, p.nr, l, y, ld, count, false)
	Backward(form, p.np, p.nr, l, single, m, 1, true)
	if !slices.Equal(single, y[:m]) {
		t.Errorf("%T form %d, %d+%d: one vector gives other bits than three", l[0], form, p.np, p.nr)
	}
	for r := range count {
		v := want[r*ld : r*ld+m]
		for c := range p.np {
			v[c] /= full[c*m+c]
			for i := c + 1; i < m; i++ {
				v[i] -= full[c*m+i] * v[c]
			}
		}
		for c := p.np - 1; c >= 0; c-- {
			v[c] /= d[c]
			for i := c + 1; i < m; i++ {
				v[c] -= full[c*m+i] * v[i]
			}
			v[c] /= full[c*m+c]
		}
	}
	for i, v := range y {
		if math.Abs(float64(v)-want[i]) > 100*tol {
			t.Fatalf("%T form %d, %d+%d: solution %d is %g, want %g", l[0], form, p.np, p.nr, i, v, want[i])
		}
	}
}

func TestFrontHasTheSameBitsEverywhere(t *testing.T) {
	frontBits[float64](t)
	frontBits[float32](t)
}

func frontBits[T Float](t *testing.T) {
	for _, form := range []Form{LLT, LDL} {
		for i, shape := range frontShapes {
			var want []T
			withKernels(t, func(t *testing.T) {
				for _, wide := range []bool{false, true} {
					rng := rand.New(rand.NewPCG(4, uint64(i)))
					p := newProblem[T](rng, shape[0], shape[1], form == LDL)
					var f Front[T]
					p.load(&f)
					if _, err := f.Factor(context.Background(), form, nil, wide); err != nil {
						t.Fatal(err)
					}
					n := ColumnsLen(p.np, p.nr)
					got := make([]T, n)
					f.Columns(got, wide)
					for r := range p.nr {
						for c := range r + 1 {
							got = append(got, f.entry(r, c))
						}
					}
					x := random[T](rng, p.np+p.nr)
					Forward(form, p.np, p.nr, got[:n], x, len(x), 1, wide)
					Backward(form, p.np, p.nr, got[:n], x, len(x), 1, wide)
					got = append(got, x...)
					if want == nil {
						want = got
					}
					if !slices.Equal(got, want) {
						t.Errorf("%T form %d, %v, wide %v: other bits", got[0], form, shape, wide)
					}
				}
			})
		}
	}
}

func TestFrontNamesABadPivot(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var f Front[float64]
	for _, at := range []int{0, 7, 8, 100, 205} {
		p := newProblem[float64](rng, 210, 30, false)
		m := p.np + p.nr
		p.a[at*m+at] = -1
		p.load(&f)
		_, err := f.Factor(context.Background(), LLT, nil, false)
		e, ok := errors.AsType[*PivotError](err)
		if !ok || e.Column != at || !(e.Pivot < 0) {
			t.Errorf("LLT, column %d: %v", at, err)
		}
		// a row of zeros is a zero pivot
		for i := range m {
			p.a[at*m+i], p.a[i*m+at] = 0, 0
		}
		p.load(&f)
		_, err = f.Factor(context.Background(), LDL, nil, false)
		if e, ok := errors.AsType[*PivotError](err); !ok || e.Column != at || e.Pivot != 0 {
			t.Errorf("LDL, column %d: %v", at, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	newProblem[float64](rng, 30, 30, false).load(&f)
	if _, err := f.Factor(ctx, LLT, nil, false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAddPutsAChildInItsPlace(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		const np, nr = 201, 150
		rng := rand.New(rand.NewPCG(6, 1))
		var f Front[float64]
		f.Reset(np, nr, make([]float64, UpdateLen[float64](nr)), true)
		var rows []int32
		for i := range int32((np + nr) / 3) {
			if rng.IntN(3) > 0 {
				rows = append(rows, i)
			}
		}
		u := random[float64](rng, UpdateLen[float64](3*len(rows)))
		f.Add(u, rows, false)
		f.Add(u, rows, true)
		mr := f.ker.mr
		for i, r := range rows {
			for j, c := range rows[:i+1] {
				for a := range 3 {
					for b := range 3 {
						if i == j && b > a {
							continue
						}
						t0 := (3*i + a) / mr
						x := u[mr*mr*t0*(t0+1)/2+(3*j+b)*mr+(3*i+a)%mr]
						var got float64
						if int(3*c) < np {
							blk := &f.blocks[int(3*c)/blockWidth]
							got = f.cols[f.in(blk, f.row(int(3*r)+a))+(int(3*c)+b-blk.k0)*mr]
						} else {
							got = f.entry(int(3*r)+a-np, int(3*c)+b-np)
						}
						if got != 2*x {
							t.Fatalf("block %d, %d: %g, want %g", r, c, got, 2*x)
						}
					}
				}
			}
		}
	})
}
