package segment

import (
	"context"
	"errors"
	"math"

	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// The wall of the trunk is skin, fat and muscle, with the ribs in it. Under the
// fat its thickness changes slowly from place to place, and the liver shows it
// wherever it lies against the wall; a tumour beside it lies as deep.
const (
	// wallGapMM is half the width of the widest gap in the muscle, bridged to
	// keep the fat of the belly apart from that under the skin.
	wallGapMM = 8.0
	// wallNearMM is how far around a place the liver tells the thickness there.
	wallNearMM = 35.0
	// wallMostMM is the thickest wall: a surface deeper below the fat faces
	// something else.
	wallMostMM = 30.0
	// wallSpreadMM is how much the depth of the liver's surface varies there;
	// what lies deeper by more counts little.
	wallSpreadMM = 3.0
)

// findWall marks the wall of the trunk around the liver: what lies less deep
// below the fat under the skin than the liver's surface nearby does.
func (l *liverShape) findWall(ctx context.Context) error {
	g := l.c.Grid
	l.wall = make(filter.Mask, g.Len())
	depth, err := l.depth(ctx)
	if err != nil || depth == nil {
		return err
	}
	step := float32(l.stepMM()) / 2
	num, den := make([]float32, g.Len()), make([]float32, g.Len())
	for n, in := range l.liver {
		if !in || depth[n] <= 0 || depth[n] > wallMostMM {
			continue
		}
		facing := false
		filter.Neighbours(g, n, func(o int) { facing = facing || !l.liver[o] && depth[o] < depth[n]-step })
		if facing {
			num[n], den[n] = float32(math.Exp(-float64(depth[n])/wallSpreadMM)), 1
		}
	}
	r := filter.Radius(g, wallNearMM)
	if num, err = filter.BoxMean(ctx, g, num, r); err != nil {
		return err
	}
	if den, err = filter.BoxMean(ctx, g, den, r); err != nil {
		return err
	}
	const some = 1e-6 // far less than one voxel of the box
	l.wall = filter.Where(g.Len(), func(n int) bool {
		return den[n] > some && l.body[n] && depth[n] < float32(-wallSpreadMM*math.Log(float64(num[n]/den[n])))
	})
	return l.show("wall of the trunk", g, l.wall)
}

// depth is how far each voxel lies below the fat under the skin, mm; nil where
// no fat or air surrounds the trunk.
func (l *liverShape) depth(ctx context.Context) ([]float32, error) {
	g := l.c.Grid
	flesh := filter.Where(g.Len(), func(n int) bool { return l.body[n] && l.c.HU[n] > wallFatHU })
	near, err := filter.Dilate(ctx, g, flesh, wallGapMM)
	if err != nil {
		return nil, err
	}
	// what the border of the slices reaches
	border := filter.Where(g.Len(), func(n int) bool {
		i, j, _ := g.IJK(n)
		return !near[n] && (i == 0 || j == 0 || i == g.Size[0]-1 || j == g.Size[1]-1)
	})
	outside := filter.Reach(g, border, filter.Where(g.Len(), func(n int) bool { return !near[n] }))
	d, err := distance.Unsigned(ctx, g, func(n int) bool { return outside[n] })
	if errors.Is(err, distance.ErrEmptySet) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for n := range d {
		d[n] -= wallGapMM
	}
	return d, nil
}

// wallFatHU separates fat from muscle with some fat in it.
const wallFatHU = -30
