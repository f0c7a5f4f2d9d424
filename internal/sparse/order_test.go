package sparse

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// pattern makes the CSR pattern of n nodes with the given edges, diagonal
// included, as BSR3 has it.
func pattern(n int, edges [][2]int32) (ptr, col []int32) {
	rows := make([][]int32, n)
	for i := range rows {
		rows[i] = []int32{int32(i)}
	}
	for _, e := range edges {
		rows[e[0]], rows[e[1]] = append(rows[e[0]], e[1]), append(rows[e[1]], e[0])
	}
	ptr = make([]int32, n+1)
	for i, r := range rows {
		slices.Sort(r)
		col = append(col, slices.Compact(r)...)
		ptr[i+1] = int32(len(col))
	}
	return ptr, col
}

// gridEdges joins the points of an a×b×c grid with their neighbours, and with
// the diagonal ones if wide.
func gridEdges(a, b, c int, wide bool) (n int, edges [][2]int32) {
	id := func(i, j, k int) int32 { return int32(i + a*(j+b*k)) }
	for k := range c {
		for j := range b {
			for i := range a {
				for d := 1; d < 8; d++ {
					if !wide && d&(d-1) != 0 {
						continue
					}
					x, y, z := i+d&1, j+d>>1&1, k+d>>2
					if x < a && y < b && z < c {
						edges = append(edges, [2]int32{id(i, j, k), id(x, y, z)})
					}
				}
			}
		}
	}
	return a * b * c, edges
}

// tet10Edges is the node graph of quadratic tetrahedra that fill an m×m×m grid
// of cells, six each.
func tet10Edges(m int) (n int, edges [][2]int32) {
	id := func(p [3]int) int32 { return int32(p[0] + (2*m+1)*(p[1]+(2*m+1)*p[2])) }
	used := map[int32]int32{}
	number := func(v int32) int32 {
		k, ok := used[v]
		if !ok {
			k = int32(len(used))
			used[v] = k
		}
		return k
	}
	perms := [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}}
	for cell := range m * m * m {
		for _, perm := range perms {
			at := [3]int{2 * (cell % m), 2 * (cell / m % m), 2 * (cell / m / m)}
			corner := [4][3]int{at}
			for s, axis := range perm {
				at[axis] += 2
				corner[s+1] = at
			}
			var nodes []int32
			for i := range 4 {
				for j := range i + 1 {
					var mid [3]int
					for k := range mid {
						mid[k] = (corner[i][k] + corner[j][k]) / 2
					}
					nodes = append(nodes, number(id(mid)))
				}
			}
			for i, v := range nodes {
				for _, u := range nodes[:i] {
					edges = append(edges, [2]int32{u, v})
				}
			}
		}
	}
	return len(used), edges
}

type namedGraph struct {
	name     string
	ptr, col []int32
}

// graphs is the set every ordering must handle.
func graphs() (list []namedGraph) {
	add := func(name string, n int, edges [][2]int32) {
		ptr, col := pattern(n, edges)
		list = append(list, namedGraph{name, ptr, col})
	}
	named := func(name string) func(n int, edges [][2]int32) {
		return func(n int, edges [][2]int32) { add(name, n, edges) }
	}
	add("none", 0, nil)
	add("one", 1, nil)
	add("empty rows", 700, nil)
	named("grid 60×60")(gridEdges(60, 60, 1, false))
	named("grid 300×20")(gridEdges(300, 20, 1, false))
	named("wide grid 70×70")(gridEdges(70, 70, 1, true))
	named("grid 16×16×16")(gridEdges(16, 16, 16, false))
	named("wide grid 40×9×9")(gridEdges(40, 9, 9, true))
	named("tet10 7³")(tet10Edges(7))
	var path, star, hubs, complete, two, random, ring [][2]int32
	for i := range int32(5000) {
		if i > 0 {
			path = append(path, [2]int32{i - 1, i})
			star = append(star, [2]int32{0, i})
		}
		ring = append(ring, [2]int32{i, (i + 1) % 5000})
		if i > 1 {
			hubs = append(hubs, [2]int32{0, i}, [2]int32{1, i})
		}
	}
	for i := range int32(300) {
		for j := range i {
			complete = append(complete, [2]int32{j, i})
		}
	}
	n, cube := gridEdges(9, 9, 9, true)
	for c := range int32(6) {
		for _, e := range cube {
			two = append(two, [2]int32{e[0] + c*int32(n), e[1] + c*int32(n)})
		}
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for range 6000 {
		random = append(random, [2]int32{rng.Int32N(3000), rng.Int32N(3000)})
	}
	add("path", 5000, path)
	add("ring", 5000, ring)
	add("star", 5000, star)
	add("two hubs", 5000, hubs)
	add("complete", 300, complete)
	add("six cubes and 50 empty rows", 6*n+50, two)
	add("random", 3000, random)
	return list
}

// referenceColumns finds the rows of every column of the factor by elimination
// on sets, diagonal included.
func referenceColumns(ptr, col, order []int32) [][]int32 {
	n := len(order)
	place := make([]int32, n)
	for k, v := range order {
		place[v] = int32(k)
	}
	cols := make([][]int32, n)
	for k, v := range order {
		cols[k] = append(cols[k], int32(k))
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if place[u] > int32(k) {
				cols[k] = append(cols[k], place[u])
			}
		}
	}
	for k := range cols {
		slices.Sort(cols[k])
		cols[k] = slices.Compact(cols[k])
		if len(cols[k]) > 1 { // the fill goes to the parent
			p := cols[k][1]
			cols[p] = append(cols[p], cols[k][1:]...)
		}
	}
	return cols
}

// work is the sum over the columns of half their squared lengths.
func work(ptr, col, order []int32) (sum float64) {
	for _, c := range referenceColumns(ptr, col, order) {
		sum += float64(len(c)) * float64(len(c)) / 2
	}
	return sum
}

// whole is the graph of a pattern without compression.
func whole(ptr, col []int32) *graph {
	n := len(ptr) - 1
	g := &graph{n: int32(n), total: int32(n), ptr: make([]int32, n+1), vw: make([]int32, n)}
	for v := range n {
		g.vw[v] = 1
		for _, u := range col[ptr[v]:ptr[v+1]] {
			if int(u) != v {
				g.adj = append(g.adj, u)
			}
		}
		g.ptr[v+1] = int32(len(g.adj))
	}
	return g
}

func TestOrderIsAPermutationAndNeverMuchWorseThanMinimumDegree(t *testing.T) {
	for _, g := range graphs() {
		n := len(g.ptr) - 1
		order := fillOrder(context.Background(), n, g.ptr, g.col)
		if !slices.Equal(sorted(order), iota32(n)) {
			t.Errorf("%s: not a permutation", g.name)
			continue
		}
		md := minimumDegree(whole(g.ptr, g.col))
		if !slices.Equal(sorted(md), iota32(n)) {
			t.Errorf("%s: minimum degree is not a permutation", g.name)
			continue
		}
		ours, theirs := work(g.ptr, g.col, order), work(g.ptr, g.col, md)
		t.Logf("%-30s %6d nodes: work %.4g, minimum degree %.4g (%.3f)", g.name, n, ours, theirs, ours/max(1, theirs))
		if ours > 1.05*theirs {
			t.Errorf("%s: work %g, minimum degree %g", g.name, ours, theirs)
		}
	}
}

// With no halo left out, minimum degree on trees brings no fill at all.
func TestMinimumDegreeOfATreeBringsNoFill(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var edges [][2]int32
	for i := int32(1); i < 2000; i++ {
		edges = append(edges, [2]int32{rng.Int32N(i), i})
	}
	ptr, col := pattern(2000, edges)
	for name, order := range map[string][]int32{"minimum degree": minimumDegree(whole(ptr, col)), "fill order": fillOrder(context.Background(), 2000, ptr, col)} {
		entries := 0
		for _, c := range referenceColumns(ptr, col, order) {
			entries += len(c) - 1
		}
		if entries != 1999 {
			t.Errorf("%s: %d entries below the diagonal, want 1999", name, entries)
		}
	}
}

func TestSeparatorsSeparate(t *testing.T) {
	for _, g := range graphs() {
		w := whole(g.ptr, g.col)
		if w.n < 100 || g.name == "complete" {
			continue
		}
		s := &dissectSpace{ctx: context.Background()}
		p := separation{where: s.bytes(int(w.n))}
		s.bisectMany(w, &p, 1)
		var sum [3]int32
		for v := range w.n {
			sum[p.where[v]]++
			for _, u := range w.edges(v) {
				if p.where[v]+p.where[u] == 1 {
					t.Fatalf("%s: edge %d–%d crosses", g.name, v, u)
				}
			}
		}
		if sum != p.w {
			t.Errorf("%s: weights %v, counted %v", g.name, p.w, sum)
		}
		if g.name != "random" && max(sum[0], sum[1]) > sideLimit(w)+w.n/20 {
			t.Errorf("%s: unequal sides %v", g.name, sum)
		}
	}
}

// A cube is cut by about one layer of its points.
func TestCubeIsCutAcross(t *testing.T) {
	n, edges := gridEdges(20, 20, 20, true)
	w := whole(pattern(n, edges))
	s := &dissectSpace{ctx: context.Background()}
	p := separation{where: s.bytes(n)}
	s.bisectMany(w, &p, 1)
	if p.w[2] > 440 {
		t.Errorf("separator of %d points, one layer has 400", p.w[2])
	}
}

func TestOrderHasTheSameBitsForAnyCoreCount(t *testing.T) {
	n, edges := gridEdges(24, 24, 24, true)
	ptr, col := pattern(n, edges)
	var want []int32
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		got := fillOrder(context.Background(), n, ptr, col)
		runtime.GOMAXPROCS(old)
		if want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("GOMAXPROCS %d gives another order than 1", procs)
		}
	}
}

// Column counts, supernodes and rows agree with elimination on sets.
func TestSymbolicAgreesWithElimination(t *testing.T) {
	for _, g := range graphs() {
		n := len(g.ptr) - 1
		s := analyse(n, g.ptr, g.col)
		if !slices.Equal(sorted(s.order), iota32(n)) {
			t.Errorf("%s: not a permutation", g.name)
			continue
		}
		cols := referenceColumns(g.ptr, g.col, s.order)
		parent := etree(n, g.ptr, g.col, s.order)
		if post := postorder(parent); g.name != "none" {
			order, count := make([]int32, n), columnCounts(g.ptr, g.col, nil, reorder(s.order, post), relabel(parent, post))
			for k, p := range post {
				order[k] = p
				if int(count[k]) != len(cols[p]) {
					t.Fatalf("%s: column %d has %d rows, counted %d", g.name, p, len(cols[p]), count[k])
				}
			}
		}
		next, zeros, entries := int32(0), 0, 0
		for k, v := range s.nodes {
			if v.first != next {
				t.Fatalf("%s: supernode %d starts at %d, want %d", g.name, k, v.first, next)
			}
			next += v.cols
			for c := v.first; c < next; c++ {
				full := append(iota32(int(next))[c:], v.rows...)
				for _, i := range cols[c] {
					if _, ok := slices.BinarySearch(full, i); !ok {
						t.Fatalf("%s: row %d of column %d is not in supernode %d", g.name, i, c, k)
					}
				}
				entries += len(cols[c])
				zeros += len(full) - len(cols[c])
			}
			for _, kid := range v.kids {
				if s.nodes[kid].parent != int32(k) || kid >= int32(k) {
					t.Fatalf("%s: kid %d of %d", g.name, kid, k)
				}
			}
		}
		if int(next) != n {
			t.Errorf("%s: %d columns in supernodes", g.name, next)
		}
		t.Logf("%-30s %5d supernodes, %.2g %% zeros", g.name, len(s.nodes), 100*float64(zeros)/float64(max(1, entries)))
	}
}

func reorder(order, post []int32) []int32 {
	out := make([]int32, len(order))
	for k, p := range post {
		out[k] = order[p]
	}
	return out
}

// A done context ends the analysis at once, one that is done on the way soon.
func TestAnalysisStops(t *testing.T) {
	n, edges := gridEdges(30, 30, 30, true)
	ptr, col := pattern(n, edges)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := analyseCtx(ctx, n, ptr, col); s != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", s, err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if s, err := analyseCtx(ctx, n, ptr, col); s != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timed out: %v, %v", s, err)
	}
}
