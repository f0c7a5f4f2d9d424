package needle

import (
	"context"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// What trajectories are compared by in the search, smaller is better, each in
// steps of its resolution: two trajectories that differ by less are alike.
//
//	length    1 mm
//	reserve   0.1 mm, more than 10 mm is not better; turned: 100 − reserve/0.1
//	angle     1°, from the capsule's normal; less than 30° is not better
//	track     1 mm of parenchyma before the target, more than 20 mm is not better; turned
//	scan      1°, from the scan plane; less than 20° is not better (±20°, clinical.md §3)
const (
	costLength = iota
	costReserve
	costAngle
	costTrack
	costScan
	costs
)

const (
	reserveCapMM  = 10
	reserveStepMM = 0.1
	angleBestDeg  = 30
	trackBestMM   = 20
	scanBestDeg   = 20
	// leastReserveMM keeps what is found within the limits when the coordinates
	// of a plan are rounded.
	leastReserveMM = 0.05
	nearSkinMM     = 3  // the shaft may graze the skin this far from the entry
	outsideMM      = 60 // that much of the needle comes straight through the air
)

// candidate is a trajectory that keeps all hard limits.
type candidate struct {
	skin, point int32
	cost        [costs]uint16
}

// Trajectory is one straight way found by the search. Its figures are scores:
// what a person sees is simulated again, with its spread.
type Trajectory struct {
	Entry, Tip r3.Vec // LPS mm
	Point      r3.Vec // the target point: the tip, or the zone's centre
	LengthMM   float64
	// ReserveMM is the least, over hard structures, of clearance less what the
	// rule asks; 10 mm at most.
	ReserveMM  float64
	CapsuleDeg float64 // between shaft and capsule normal; 0 without the organ
	TrackMM    float64 // parenchyma before the target
	ScanDeg    float64 // between shaft and scan plane
	// OverMM is how far it is from keeping all hard limits by leastReserveMM
	// (0.05 mm), mm; 0 if it does.
	OverMM float64
	skin   int32
	cost   [costs]uint16
}

// Found is what a search found.
type Found struct {
	Pairs    int // of skin and target points that were looked at
	InReach  int // of these, not longer than the device
	Feasible int // of these, within all hard limits
	// Front is the exact set of non-dominated trajectories over the objectives
	// of the search, one for each combination of them, by length.
	Front []Trajectory
	// Least are the trajectories that come closest to keeping the limits, when
	// none does.
	Least []Trajectory
}

// chunkSkin is how many skin points a core takes at a time.
const chunkSkin = 256

// Mismatches counts the differences between two findings: counts that differ
// and trajectories of the fronts that are not the same to the bit.
func Mismatches(a, b *Found) int {
	n := 0
	for _, v := range [][2]int{{a.Pairs, b.Pairs}, {a.InReach, b.InReach}, {a.Feasible, b.Feasible}, {len(a.Front), len(b.Front)}} {
		if v[0] != v[1] {
			n++
		}
	}
	for i := range min(len(a.Front), len(b.Front)) {
		if a.Front[i] != b.Front[i] {
			n++
		}
	}
	return n
}

// Search looks at every skin point and every target point. The front is that
// of BruteForce, to the bit. The error is that of ctx.
func (c *Case) Search(ctx context.Context) (*Found, error) { return c.search(ctx, false) }

// BruteForce is Search with every point of every shaft looked at and every pair
// of trajectories compared: the reference that Search is checked against.
func BruteForce(ctx context.Context, c *Case) (*Found, error) { return c.search(ctx, true) }

func (c *Case) search(ctx context.Context, brute bool) (*Found, error) {
	f := &Found{Pairs: len(c.skin) * len(c.points)}
	type part struct {
		reach int
		ok    []candidate
	}
	parts := make([]part, (len(c.skin)+chunkSkin-1)/chunkSkin)
	err := par.ChunksCtx(ctx, len(c.skin), chunkSkin, func(lo, hi int) error {
		p := &parts[lo/chunkSkin]
		in := judge{c: c, brute: brute}
		for s := lo; s < hi; s++ {
			if s&15 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for t := range c.points {
				tip, over := c.tip(c.skin[s], c.points[t])
				if over > 0 {
					continue
				}
				p.reach++
				sh := newShaft(&c.Grid, tip, c.skin[s])
				if cost, ok := in.costs(&sh); ok {
					p.ok = append(p.ok, candidate{int32(s), int32(t), cost})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []candidate
	for n := range parts {
		f.InReach += parts[n].reach
		f.Feasible += len(parts[n].ok)
	}
	all = make([]candidate, 0, f.Feasible)
	for n := range parts {
		all = append(all, parts[n].ok...)
	}
	var keep []int
	if brute {
		keep, err = naiveFront(ctx, all)
	} else {
		keep, err = sweepFront(ctx, all)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range keep {
		f.Front = append(f.Front, c.trajectory(all[n]))
	}
	if f.Feasible == 0 {
		f.Least, err = c.leastViolating(ctx)
	}
	return f, err
}

// tip is where the tip goes on the way from skin point to target point: beyond
// it by what the device asks; over is how much longer than the device the way
// is, mm.
func (c *Case) tip(entry, point r3.Vec) (tip r3.Vec, over float64) {
	d := r3.Sub(point, entry)
	l := r3.Norm(d)
	tip = point
	if c.beyond != 0 && l > 0 {
		tip = r3.Add(point, r3.Scale(c.beyond/l, d))
	}
	return tip, max(0, l+c.beyond-(c.length-leastReserveMM))
}

// judge looks at one shaft after another.
type judge struct {
	c     *Case
	brute bool
	// blocked is where the last shaft met an obstacle, in points from the skin:
	// its neighbours meet it there as well.
	blocked int
}

// costs gives the costs of a shaft within reach; ok is false when it breaks a
// hard limit or does not come straight through the air.
func (j *judge) costs(s *shaft) (cost [costs]uint16, ok bool) {
	c, least, first := j.c, s.least, s.first
	if j.brute {
		least = func(f *Field, lo, hi int, best, floor, _ float64) (float64, int) {
			return s.leastOfAll(f, lo, hi, best, floor)
		}
		first = s.firstOfAll
	}
	if !s.within(c) {
		return cost, false
	}
	reserve := float64(reserveCapMM)
	if c.clear != nil {
		if !j.brute {
			if i := max(0, s.n-j.blocked); c.clear.at(s.where(i)) < leastReserveMM {
				return cost, false
			}
		}
		var at int
		if reserve, at = least(c.clear, 0, s.n, reserveCapMM, leastReserveMM, c.blur); reserve < leastReserveMM {
			j.blocked = s.n - at
			return cost, false
		}
	}
	// inside the body from the tip to the skin, outside from there on
	skin := s.n - int(nearSkinMM/StepMM)
	if first(c.body, 0, skin, false) <= skin {
		return cost, false
	}
	from, to := s.n+int(nearSkinMM/StepMM), s.reach(&c.Grid, s.n+int(outsideMM/StepMM))
	if first(c.body, from, to, true) <= to {
		return cost, false
	}
	cost[costLength] = uint16(s.mm)
	cost[costReserve] = uint16(reserveCapMM/reserveStepMM) - uint16(reserve/reserveStepMM)
	cost[costScan] = uint16(max(scanBestDeg, c.scanDeg(s)))
	if c.organField != nil {
		enter, track := c.organWay(s, first)
		cost[costAngle] = uint16(max(angleBestDeg, c.capsuleDeg(s, enter)))
		cost[costTrack] = trackBestMM - uint16(min(trackBestMM, track))
	}
	return cost, true
}

// within reports whether the tip lies between voxel centres.
func (s *shaft) within(c *Case) bool {
	for a, v := range s.from {
		if !(v >= 0 && v <= float64(c.Grid.Size[a]-1)) {
			return false
		}
	}
	return true
}

// scanDeg is the angle between shaft and slices.
func (c *Case) scanDeg(s *shaft) float64 {
	return deg(math.Asin(min(1, math.Abs(r3.Dot(s.out, r3.Unit(c.Grid.Axes[2]))))))
}

func deg(rad float64) float64 { return rad * 180 / math.Pi }

// organWay is the point at which the shaft enters the organ for good on its way
// to the target, and the length within the organ and outside the target, mm;
// −1 when the target point is not in the organ.
func (c *Case) organWay(s *shaft, first func(f *Field, lo, hi int, inside bool) int) (enter int, track float64) {
	// from the tip to where it leaves the target, and from there the organ
	start := 0
	if in := first(c.tumour, 0, s.n, true); in <= s.n {
		start = first(c.tumour, in, s.n, false)
	}
	leave := first(c.organField, start, s.n, false)
	return leave, float64(leave-start) * StepMM
}

// capsuleDeg is the angle between the shaft and the normal of the organ's
// surface at point i.
func (c *Case) capsuleDeg(s *shaft, i int) float64 {
	x, y, z := s.where(i)
	n := c.organField.gradient(&c.Grid, c.Grid.Point(x, y, z))
	return deg(math.Acos(max(-1, min(1, r3.Dot(n, s.out)))))
}

// trajectory works out a candidate in full.
func (c *Case) trajectory(k candidate) Trajectory {
	tip, _ := c.tip(c.skin[k.skin], c.points[k.point])
	s := newShaft(&c.Grid, tip, c.skin[k.skin])
	t := Trajectory{Entry: c.skin[k.skin], Tip: tip, Point: c.points[k.point], LengthMM: s.mm, skin: k.skin, cost: k.cost, ReserveMM: reserveCapMM, ScanDeg: c.scanDeg(&s)}
	if c.clear != nil {
		t.ReserveMM, _ = s.least(c.clear, 0, s.n, reserveCapMM, math.Inf(-1), c.blur)
	}
	if c.organField != nil {
		var enter int
		enter, t.TrackMM = c.organWay(&s, s.first)
		t.CapsuleDeg = c.capsuleDeg(&s, enter)
	}
	return t
}
