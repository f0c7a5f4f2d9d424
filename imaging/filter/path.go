package filter

import (
	"container/heap"
	"context"
	"math"

	"halsted/imaging"
)

// PathCost is the least cost of a path inside m from any voxel of from to each
// voxel: the sum over its steps, across faces, edges and corners, of the length
// in mm times the mean price ≥ 0 of the two voxels. It is +Inf outside m and
// where no path leads (Dijkstra, Numerische Mathematik 1 (1959) 269). Time
// grows as n log n in the voxels of m; memory is 4 bytes a voxel of g and 16 a
// voxel of the front.
func PathCost(ctx context.Context, g imaging.Grid, m, from Mask, price func(n int) float32) ([]float32, error) {
	cost := make([]float32, len(m))
	var q frontier
	for n := range cost {
		cost[n] = float32(math.Inf(1))
		if from[n] && m[n] {
			cost[n] = 0
			q = append(q, visit{0, n})
		}
	}
	heap.Init(&q)
	h := g.SpacingMM()
	var mm [27]float32
	for s := range mm {
		x, y, z := float64(s%3-1)*h[0], float64(s/3%3-1)*h[1], float64(s/9-1)*h[2]
		mm[s] = float32(math.Sqrt(x*x + y*y + z*z))
	}
	for turns := 0; len(q) > 0; turns++ {
		if turns%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		v := heap.Pop(&q).(visit)
		if v.cost > cost[v.n] {
			continue
		}
		i, j, k := g.IJK(v.n)
		here := price(v.n)
		for s, d := range mm {
			x, y, z := i+s%3-1, j+s/3%3-1, k+s/9-1
			if s == 13 || !g.Contains(x, y, z) {
				continue
			}
			o := g.Index(x, y, z)
			if !m[o] {
				continue
			}
			if c := v.cost + d*(here+price(o))/2; c < cost[o] {
				cost[o] = c
				heap.Push(&q, visit{c, o})
			}
		}
	}
	return cost, nil
}

// visit is a voxel of the front and the cost of a path to it.
type visit struct {
	cost float32
	n    int
}

// frontier is a heap of visits, the cheapest first.
type frontier []visit

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(a, b int) bool {
	return f[a].cost < f[b].cost || f[a].cost == f[b].cost && f[a].n < f[b].n
}
func (f frontier) Swap(a, b int) { f[a], f[b] = f[b], f[a] }
func (f *frontier) Push(x any)   { *f = append(*f, x.(visit)) }
func (f *frontier) Pop() any {
	old := *f
	v := old[len(old)-1]
	*f = old[:len(old)-1]
	return v
}
