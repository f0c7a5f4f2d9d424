package sparse

import (
	"context"
	"errors"
	"sync"

	"halsted/internal/dense"
	"halsted/internal/par"
)

// engine is a factor in one type of number.
type engine[T dense.Float] struct {
	*plan
	form dense.Form
	l    []T // columns of the supernodes, see dense.Front.Columns
	slab []T // updates that wait

	free    chan *worker[T]
	workers []*worker[T]
	minus   []int // negative pivots of every supernode

	y   []T // right sides in elimination order
	out []T // what supernodes owe to the rows below them
	buf sync.Pool
}

// worker is the memory of one that runs subtrees.
type worker[T dense.Float] struct {
	front dense.Front[T]
	local []int32 // elimination order → block row in the front
	room  []T     // updates of the tree in turn
	least []T
}

// zeroPivot is the size of a pivot, relative to the diagonal entry of the
// matrix, at which it is taken for rounding: some hundred units in the last
// place.
func zeroPivot[T dense.Float]() T {
	if isDouble[T]() {
		return 1e-14
	}
	return T(5e-6)
}

func isDouble[T dense.Float]() bool {
	var x T
	_, ok := any(x).(float64)
	return ok
}

func newEngine[T dense.Float](s *symbolic, p *plan, config CholeskyConfig) *engine[T] {
	e := &engine[T]{plan: p, l: make([]T, p.values), slab: make([]T, p.slab())}
	if config.Indefinite {
		e.form = dense.LDL
	}
	e.minus = make([]int, len(s.nodes))
	return e
}

func (e *engine[T]) negative() int {
	n := 0
	for _, m := range e.minus {
		n += m
	}
	return n
}

// staff makes one worker for every core.
func (e *engine[T]) staff() {
	n := e.plan.workers()
	if len(e.slab) < e.plan.slab() {
		e.slab = make([]T, e.plan.slab())
	}
	for len(e.workers) < n {
		w := &worker[T]{local: make([]int32, e.sym.n)}
		if len(e.workers) == 0 { // makes the top too
			w.front.Grow(e.treeFront.Max(e.topFront))
		} else {
			w.front.Grow(e.treeFront)
		}
		e.workers = append(e.workers, w)
	}
	e.free = make(chan *worker[T], n)
	for i, w := range e.workers[:n] {
		w.room = e.slab[e.kept+i*e.treeRoom:][:e.treeRoom]
		e.free <- w
	}
}

func (e *engine[T]) factor(ctx context.Context, a *BSR3) (int, error) {
	e.staff()
	err := par.ChunksCtx(ctx, len(e.trees), 1, func(lo, _ int) error {
		w := <-e.free
		defer func() { e.free <- w }()
		return e.tree(ctx, a, w, e.trees[lo])
	})
	if err != nil {
		return 0, err
	}
	if err := e.crown(ctx, a, e.workers[0]); err != nil {
		return 0, err
	}
	return e.negative(), nil
}

// tree makes the supernodes of a subtree.
func (e *engine[T]) tree(ctx context.Context, a *BSR3, w *worker[T], t [2]int32) error {
	for k := t[0]; k < t[1]; k++ {
		if err := e.supernode(ctx, a, w, int(k), false); err != nil {
			return err
		}
	}
	return nil
}

// crown makes the supernodes above the subtrees, one after the other, each on
// all cores.
func (e *engine[T]) crown(ctx context.Context, a *BSR3, w *worker[T]) error {
	for _, k := range e.top {
		if err := e.supernode(ctx, a, w, int(k), true); err != nil {
			return err
		}
	}
	return nil
}

// update is the memory of the update of supernode k.
func (e *engine[T]) update(w *worker[T], k int) []T {
	at := e.updateAt[k]
	if e.inTree[k] {
		return w.room[at.lo:at.hi]
	}
	return e.slab[at.lo:at.hi]
}

// supernode assembles the front of supernode k from the matrix and the updates
// of its children, eliminates its columns and leaves its own update.
func (e *engine[T]) supernode(ctx context.Context, a *BSR3, w *worker[T], k int, wide bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.begin(a, w, k, e.update(w, k), wide)
	for _, kid := range e.sym.nodes[k].kids {
		rows := e.relative[e.rowAt[kid]:e.rowAt[kid+1]]
		w.front.Add(e.update(w, int(kid)), rows, wide)
	}
	return e.finish(ctx, w, k, wide)
}

// begin puts the values of the matrix into the front of supernode k.
func (e *engine[T]) begin(a *BSR3, w *worker[T], k int, u []T, wide bool) {
	s := e.sym
	v := &s.nodes[k]
	np := 3 * int(v.cols)
	w.front.Reset(np, 3*len(v.rows), u, wide)
	for i, r := range v.rows {
		w.local[r] = v.cols + int32(i)
	}
	for i := range v.cols {
		w.local[v.first+i] = i
	}
	if e.form == dense.LDL {
		w.least = w.least[:0]
		for j := v.first; j < v.first+v.cols; j++ {
			d := a.Val[9*a.Diag[s.order[j]]:]
			for r := range 3 {
				w.least = append(w.least, zeroPivot[T]()*T(max(d[4*r], -d[4*r])))
			}
		}
	}
	for j := v.first; j < v.first+v.cols; j++ {
		node := s.order[j]
		for b := a.RowPtr[node]; b < a.RowPtr[node+1]; b++ {
			if i := s.place[a.Col[b]]; i >= j {
				// block (node, col) transposed stands at (i, j)
				w.front.Put(3*int(w.local[i]), 3*int(j-v.first), (*[9]float64)(a.Val[9*b:]))
			}
		}
	}
}

// finish eliminates the columns of supernode k.
func (e *engine[T]) finish(ctx context.Context, w *worker[T], k int, wide bool) error {
	var least []T
	if e.form == dense.LDL {
		least = w.least
	}
	negative, err := w.front.Factor(ctx, e.form, least, wide)
	if p, ok := errors.AsType[*dense.PivotError](err); ok {
		node := e.sym.order[int(e.sym.nodes[k].first)+p.Column/3]
		if e.form == dense.LDL {
			return &ZeroPivotError{Node: node, Axis: p.Column % 3, Pivot: p.Pivot}
		}
		return &NotPositiveError{Node: node, Axis: p.Column % 3, Pivot: p.Pivot}
	}
	if err != nil {
		return err
	}
	e.minus[k] = negative
	w.front.Columns(e.l[e.at[k]:e.at[k+1]], wide)
	return nil
}
