package needle

import (
	"context"
	"fmt"
	"sync"

	"halsted/imaging"
	"halsted/planner"
)

const (
	// nearMM is how far structures are measured from a plan's needles: what is
	// further away counts as this far.
	nearMM = 20
	// strayMM is added for needles that stray.
	strayMM = 6
	// nearBytes bounds the fields that are kept.
	nearBytes = 400 << 20
)

// nearby holds the distances to the structures around the needles of a plan.
type nearby struct {
	box    imaging.Box
	fields []*Field // by obstacle; nil: none within nearMM
	bytes  int
}

// nearCache keeps the fields of the plans that were simulated last.
type nearCache struct {
	mu   sync.Mutex // guards list
	list []*nearby  // oldest first
}

// near measures the structures around needles.
func (c *Case) near(ctx context.Context, needles []planner.Needle) (*nearby, error) {
	var box imaging.Box
	for n, d := range needles {
		for m, p := range [2][3]float64{c.voxel(d), c.voxelTip(d)} {
			for a, v := range p {
				lo, hi := int(v), int(v)+2
				if n+m == 0 {
					box.Lo[a], box.Hi[a] = lo, hi
				}
				box.Lo[a], box.Hi[a] = min(box.Lo[a], lo), max(box.Hi[a], hi)
			}
		}
	}
	box = box.Grow(c.Grid, nearMM+strayMM+c.errors.FreeMM/2).Clip(c.Grid)
	for a, n := range box.Size() {
		if n < 2 {
			return nil, fmt.Errorf("needle: the plan's needles lie outside the scan along %c", "ijk"[a])
		}
	}
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	for _, n := range c.cache.list {
		if n.box == box {
			return n, nil
		}
	}
	near := &nearby{box: box}
	sub := c.Grid.Crop(box)
	for n := range c.obst {
		in := c.obst[n].in
		row := func(v int) bool {
			i, j, k := sub.IJK(v)
			return in(c.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]))
		}
		if sub.Bounds(row).Empty() {
			near.fields = append(near.fields, nil)
			continue
		}
		d, err := signedBand(ctx, sub, row, nearMM)
		if err != nil {
			return nil, fmt.Errorf("needle: %s: %w", c.obst[n].Name, err)
		}
		f, err := newField(sub, box.Lo, d)
		if err != nil {
			return nil, err
		}
		near.fields = append(near.fields, f)
		near.bytes += 4 * len(d)
	}
	c.cache.list = append(c.cache.list, near)
	total := 0
	for _, n := range c.cache.list {
		total += n.bytes
	}
	for len(c.cache.list) > 1 && total > nearBytes {
		total -= c.cache.list[0].bytes
		c.cache.list = c.cache.list[1:]
	}
	return near, nil
}

func (c *Case) voxel(d planner.Needle) [3]float64 {
	i, j, k := c.Grid.Voxel(d.Entry)
	return [3]float64{i, j, k}
}

func (c *Case) voxelTip(d planner.Needle) [3]float64 {
	i, j, k := c.Grid.Voxel(d.Tip)
	return [3]float64{i, j, k}
}
