package sparse

import (
	"cmp"
	"runtime"
	"slices"

	"halsted/internal/dense"
)

// treeShare is the part of the work above which a subtree is cut: 1/treeShare.
// It is part of no result.
const treeShare = 24

// plan is where the parts of a factor lie and in which order they are made. It
// depends on the pattern, the type of number and the height of the kernels'
// strips.
type plan struct {
	kernel string // dense.Kernel at the time
	size   int    // bytes of a number
	sym    *symbolic

	trees [][2]int32 // ranges of supernodes that run concurrently, most work first
	top   []int32    // the others, in order

	at       []int   // offset of the columns of every supernode
	values   int     // numbers in the factor
	rowAt    []int   // offset of the rows of every supernode in the lists below
	relative []int32 // block row of the parent's front that each row is
	updateAt []span  // where the update of a supernode waits: in the slab, below a tree's root in the worker's part
	inTree   []bool  // below a tree's root

	kept      int        // numbers in the updates of the trees' roots, at the beginning of the slab
	treeRoom  int        // most numbers in the other updates of a tree
	topRoom   int        // most numbers of the slab in use by the end
	treeFront dense.Need // of the fronts of the trees
	topFront  dense.Need // and of the top
	height    int        // largest front, rows
}

func newPlan(s *symbolic, config CholeskyConfig) *plan {
	if config.Precision == Single {
		return makePlan[float32](s, 4)
	}
	return makePlan[float64](s, 8)
}

func makePlan[T dense.Float](s *symbolic, size int) *plan {
	p := &plan{kernel: dense.Kernel(), size: size, sym: s}
	n := len(s.nodes)
	p.at, p.rowAt = make([]int, n+1), make([]int, n+1)
	p.updateAt, p.inTree = make([]span, n), make([]bool, n)
	for k := range s.nodes {
		v := &s.nodes[k]
		p.at[k+1] = p.at[k] + dense.ColumnsLen(3*int(v.cols), 3*len(v.rows))
		p.rowAt[k+1] = p.rowAt[k] + len(v.rows)
		p.height = max(p.height, 3*int(v.cols)+3*len(v.rows))
	}
	p.values = p.at[n]
	p.relative = make([]int32, p.rowAt[n])
	for k := range s.nodes {
		v := &s.nodes[k]
		if v.parent < 0 {
			continue
		}
		w := &s.nodes[v.parent]
		next := 0 // place in w.rows, which contains the rest of v.rows
		for i, r := range v.rows {
			if r < w.first+w.cols {
				p.relative[p.rowAt[k]+i] = r - w.first
				continue
			}
			for w.rows[next] != r {
				next++
			}
			p.relative[p.rowAt[k]+i] = w.cols + int32(next)
		}
	}
	p.split()
	update := func(k int32) int { return dense.UpdateLen[T](3 * len(s.nodes[k].rows)) }
	front := func(k int32) dense.Need {
		return dense.NeedOf[T](3*int(s.nodes[k].cols), 3*len(s.nodes[k].rows))
	}
	// Every update has its place from the beginning: nothing is moved.
	var slab shelf
	roots := make([]int32, 0, len(p.trees))
	for _, t := range p.trees {
		roots = append(roots, t[1]-1)
	}
	slices.Sort(roots) // what the top frees together lies together
	for _, k := range roots {
		p.updateAt[k] = slab.take(update(k))
	}
	p.kept = slab.extent
	for _, t := range p.trees {
		var a shelf
		for k := t[0]; k < t[1]; k++ {
			p.treeFront = p.treeFront.Max(front(k))
			if k+1 < t[1] {
				p.inTree[k] = true
				p.updateAt[k] = a.take(update(k))
			}
			for _, kid := range s.nodes[k].kids {
				a.give(p.updateAt[kid])
			}
		}
		p.treeRoom = max(p.treeRoom, a.extent)
	}
	for _, k := range p.top {
		p.topFront = p.topFront.Max(front(k))
		p.updateAt[k] = slab.take(update(k))
		for _, kid := range s.nodes[k].kids {
			slab.give(p.updateAt[kid])
		}
	}
	p.topRoom = slab.extent
	return p
}

// split cuts the forest in subtrees of bounded work, which run concurrently,
// and the rest, which runs after them with concurrent dense tiles.
func (p *plan) split() {
	s := p.sym
	sum := make([]int64, len(s.nodes))
	size := make([]int32, len(s.nodes))
	for k := range s.nodes {
		sum[k] += s.nodes[k].work
		size[k]++
		if up := s.nodes[k].parent; up >= 0 {
			sum[up] += sum[k]
			size[up] += size[k]
		}
	}
	limit := s.work / treeShare
	for k := range s.nodes {
		up := s.nodes[k].parent
		switch {
		case sum[k] > limit:
			p.top = append(p.top, int32(k))
		case up < 0 || sum[up] > limit:
			p.trees = append(p.trees, [2]int32{int32(k) - size[k] + 1, int32(k) + 1})
		}
	}
	slices.SortFunc(p.trees, func(a, b [2]int32) int {
		return cmp.Or(cmp.Compare(sum[b[1]-1], sum[a[1]-1]), cmp.Compare(a[0], b[0]))
	})
}

// workers is how many subtrees run at once.
func (p *plan) workers() int { return max(1, min(runtime.GOMAXPROCS(0), len(p.trees))) }

// slab is the numbers in updates that wait: of the trees' roots, then the
// parts of the workers, which the top uses after them.
func (p *plan) slab() int { return max(p.kept+p.workers()*p.treeRoom, p.topRoom) }

// span is a piece of the slab.
type span struct{ lo, hi int }

// shelf finds places for updates whose lifetimes are known.
type shelf struct {
	used   []span // ascending, none empty
	extent int
}

// take finds the smallest gap for n numbers, or room at the end.
func (a *shelf) take(n int) span {
	if n == 0 {
		return span{}
	}
	at, best, end := len(a.used), -1, 0
	for i, u := range a.used {
		if gap := u.lo - end; gap >= n && (best < 0 || gap < best) {
			at, best = i, gap
		}
		end = u.hi
	}
	lo := end
	if at < len(a.used) {
		lo = 0
		if at > 0 {
			lo = a.used[at-1].hi
		}
	}
	s := span{lo, lo + n}
	a.used = slices.Insert(a.used, at, s)
	a.extent = max(a.extent, s.hi)
	return s
}

func (a *shelf) give(s span) {
	if i := slices.Index(a.used, s); i >= 0 {
		a.used = slices.Delete(a.used, i, i+1)
	}
}

func (p *plan) bytes() int64 {
	w := int64(p.workers())
	n := int64(p.values) + int64(p.slab()) + (w-1)*int64(p.treeFront.Len()) + int64(p.treeFront.Max(p.topFront).Len())
	n += int64(3*p.sym.n) + int64(3*p.rowAt[len(p.sym.nodes)]) + int64(len(p.trees)+1)*int64(p.height)
	return n*int64(p.size) + 4*(int64(len(p.relative))+w*int64(p.sym.n)) + 48*int64(len(p.at))
}
