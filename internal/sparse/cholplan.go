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
	keptAt   []int   // offset of the update of a tree's root in the kept updates, or −1

	kept      int        // numbers in the updates of the trees' roots
	treeStack int        // most numbers in the updates of a tree
	topStack  int        // most numbers in the updates of the top
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
	p.at, p.rowAt, p.keptAt = make([]int, n+1), make([]int, n+1), make([]int, n)
	for k := range s.nodes {
		v := &s.nodes[k]
		p.at[k+1] = p.at[k] + dense.ColumnsLen(3*int(v.cols), 3*len(v.rows))
		p.rowAt[k+1] = p.rowAt[k] + len(v.rows)
		p.keptAt[k] = -1
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
	for _, t := range p.trees {
		at := 0
		for k := t[0]; k < t[1]; k++ {
			p.treeStack = max(p.treeStack, at+update(k))
			p.treeFront = p.treeFront.Max(front(k))
			for _, kid := range s.nodes[k].kids {
				at -= update(kid)
			}
			at += update(k)
		}
		p.keptAt[t[1]-1] = p.kept
		p.kept += at
	}
	at := 0
	for _, k := range p.top {
		p.topStack = max(p.topStack, at+update(k))
		p.topFront = p.topFront.Max(front(k))
		for _, kid := range s.nodes[k].kids {
			if p.keptAt[kid] < 0 {
				at -= update(kid)
			}
		}
		at += update(k)
	}
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

// slab is the numbers in the updates that wait: the stacks of the trees, and
// after them of the top, in the same memory.
func (p *plan) slab() int { return max(p.workers()*p.treeStack, p.topStack) }

func (p *plan) bytes() int64 {
	w := int64(p.workers())
	n := int64(p.values) + int64(p.kept) + int64(p.slab()) + (w-1)*int64(p.treeFront.Len()) + int64(p.treeFront.Max(p.topFront).Len())
	n += int64(3*p.sym.n) + int64(3*p.rowAt[len(p.sym.nodes)]) + int64(len(p.trees)+1)*int64(p.height)
	return n*int64(p.size) + 4*(int64(len(p.relative))+w*int64(p.sym.n)) + 24*int64(len(p.at))
}
