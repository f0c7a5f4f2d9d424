package phantom

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// The vessel trees. minRadiusMM is the smallest branch (2 mm diameter);
// clearMM the least gap between a portal and a hepatic branch, two voxels of
// the coarsest axis of Grid; ownClearMM the least gap between branches of one
// system that share no node; insideMM the least parenchyma outside a branch;
// tipMM the extra room around the open tips of the other system.
const (
	minRadiusMM = 1.0
	clearMM     = 4.0
	ownClearMM  = 2.0
	insideMM    = 1.0
	tipMM       = 4.0
)

// Checks are made at points half a segment apart; slackMM covers what the
// distance may fall between two of them (segment ≤ stepMM, curvature of the
// distance ≤ 1/radius: (stepMM/4)²/2 ≈ 0.2 mm for the thinnest).
const (
	stepMM  = 2.4
	slackMM = 0.2
)

// Branch is one vessel between two nodes of its tree: the union of balls of
// one radius along the polyline Line.
type Branch struct {
	System   imaging.Label // LabelPortalVein or LabelHepaticVein
	Parent   int           // index of the parent among Branches, −1 for a trunk
	Order    int           // 0 for a trunk, one more at each bifurcation
	RadiusMM float64
	Line     []r3.Vec // centreline in LPS mm, the trunk's side first
}

// grower adds branches one bifurcation at a time. Sample points of the liver
// stand for the tissue to be supplied: a branch that supplies n points has a
// flow proportional to n, and Murray's law r³ ∝ flow gives the radii.
type grower struct {
	liver    field
	tumours  []tumour
	points   []r3.Vec
	rng      *rand.Rand
	branches []Branch
	caps     []capsule
	owner    []int32 // the branch of each capsule
	tail     []bool  // whether it is near the end of its branch
	open     []bool  // whether a branch may still bifurcate
	near     *bins
}

// tip is a branch end that may still bifurcate and the points it supplies.
type tip struct {
	branch int
	points []int32
}

// growTrees makes the portal and the hepatic tree of a liver with tumours. An
// early branch can leave a later one no way to go on; a tree in which a thick
// branch ends like that is dropped as soon as it shows (the thickest tips come
// first) and grown anew, with patience for ever thicker stumps. It returns nil
// when even that fails: the tumours leave a main branch no way.
func growTrees(a *anatomy, ts []tumour, seed uint64) []Branch {
	const tries = 12
	points := samples(a.liver, liverBox(a.scale), 7.5, 3, rand.New(rand.NewPCG(seed, streamTrees)))
	for try := uint64(1); try <= tries; try++ {
		rng := rand.New(rand.NewPCG(seed, streamTrees+try<<8))
		if g := grow(a, ts, points, rng, 2.4+0.13*float64(try)); g != nil {
			return g.branches
		}
	}
	return nil
}

// grow makes both trees, the thickest tips first, so that the two systems
// interlock. It returns nil when a branch thicker than stumpMM cannot go on.
func grow(a *anatomy, ts []tumour, points []r3.Vec, rng *rand.Rand, stumpMM float64) *grower {
	box := liverBox(a.scale)
	g := &grower{liver: a.liver, tumours: ts, points: points, rng: rng, near: newBins(box[0], box[1], 15)}
	j := jitter{g.rng}

	all := make([]int32, len(g.points))
	for n := range all {
		all[n] = int32(n)
	}
	portalR, hepaticR := j.about(6.4, 0.05), j.about(6.7, 0.05)
	g.add(g.portalTrunk(a, portalR))
	tips := append(g.hepaticTrunks(a, hepaticR, all), tip{0, all})
	if len(tips) < 4 {
		return nil
	}
	for len(tips) > 0 {
		top := 0
		for n := range tips {
			if g.branches[tips[n].branch].RadiusMM > g.branches[tips[top].branch].RadiusMM {
				top = n
			}
		}
		t := tips[top]
		tips = slices.Delete(tips, top, top+1)
		kids := g.bifurcate(t)
		g.open[t.branch] = false
		if kids == nil && g.branches[t.branch].RadiusMM > stumpMM {
			return nil
		}
		tips = append(tips, kids...)
	}
	return g
}

// add enters a finished branch and returns its index.
func (g *grower) add(b Branch) int {
	n := len(g.branches)
	g.branches = append(g.branches, b)
	g.open = append(g.open, true)
	for m, c := range chain(b.Line, b.RadiusMM) {
		g.tail = append(g.tail, float64(len(b.Line)-1-m)*stepMM < 2*b.RadiusMM)
		g.near.add(&c, int32(len(g.caps)))
		g.caps = append(g.caps, c)
		g.owner = append(g.owner, int32(n))
	}
	return n
}

// portalTrunk runs from below through the hilum to the first bifurcation, just
// deep enough for the right and left branch to stay inside the liver.
func (g *grower) portalTrunk(a *anatomy, r float64) Branch {
	end := a.hilum
	for d := 0.0; d < 45; d += 0.5 {
		end = r3.Add(a.hilum, r3.Scale(d, a.inward))
		if f, _ := g.liver(end); f < -(r + insideMM + 2*slackMM) {
			break
		}
	}
	return Branch{System: imaging.LabelPortalVein, Parent: -1, RadiusMM: r, Line: even(spline(12, append(slices.Clone(a.below), end)...))}
}

// hepaticTrunks deals the liver to the right, middle and left hepatic vein by
// the angle around the vena cava and starts each at the cava. It returns fewer
// than three when one finds no way.
func (g *grower) hepaticTrunks(a *anatomy, r float64, all []int32) []tip {
	hub := r3.Scale(1.0/3, r3.Add(a.outflow[0], r3.Add(a.outflow[1], a.outflow[2])))
	angle := func(p r3.Vec) float64 { // 0 behind on the right, growing over the front to the left
		t := math.Atan2(p.X-hub.X, -(p.Y-hub.Y)) + 0.9*math.Pi
		return math.Mod(t+2*math.Pi, 2*math.Pi)
	}
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(m, n int32) int {
		if x, y := angle(g.points[m]), angle(g.points[n]); x < y {
			return -1
		} else if x > y {
			return 1
		}
		return 0
	})
	n := len(order)
	right := int((0.44 + 0.04*(2*g.rng.Float64()-1)) * float64(n))
	middle := int((0.74 + 0.04*(2*g.rng.Float64()-1)) * float64(n))
	var out []tip
	for m, pts := range [3][]int32{order[:right], order[right:middle], order[middle:]} {
		b := Branch{System: imaging.LabelHepaticVein, Parent: -1, RadiusMM: r * math.Cbrt(float64(len(pts))/float64(n))}
		root := a.outflow[m]
		dir := flat(r3.Sub(root, hub))
		for _, lambda := range []float64{0.5, 0.42, 0.58, 0.34, 0.26} {
			end := r3.Add(root, r3.Scale(lambda, r3.Sub(g.centroid(pts), root)))
			b.Line = g.relax(&b, curve(root, dir, end))
			if g.valid(&b) {
				out = append(out, tip{g.add(b), pts})
				break
			}
		}
	}
	return out
}

func (g *grower) centroid(pts []int32) r3.Vec {
	var c r3.Vec
	for _, n := range pts {
		c = r3.Add(c, g.points[n])
	}
	return r3.Scale(1/float64(len(pts)), c)
}

// bifurcate splits the points of t by a plane along the branch and grows a
// branch towards the middle of each half (after Tawhai, Pullan & Hunter, Ann
// Biomed Eng 28:793, 2000). Planes and lengths are tried until both children
// keep every clearance; none left, or children below minRadiusMM: t is an end.
func (g *grower) bifurcate(t tip) []tip {
	parent := g.branches[t.branch]
	if parent.RadiusMM*math.Cbrt(0.5) < minRadiusMM || len(t.points) < 2 {
		return nil
	}
	end, dir := parent.Line[len(parent.Line)-1], tangent(parent.Line)
	mid := g.centroid(t.points)
	_, v, w := basis(r3.Add(dir, r3.Scale(0.5/max(norm(r3.Sub(mid, end)), 1), r3.Sub(mid, end))))
	// The first plane cuts across the direction in which the points spread most.
	var vv, vw, ww float64
	for _, n := range t.points {
		d := r3.Sub(g.points[n], mid)
		x, y := r3.Dot(d, v), r3.Dot(d, w)
		vv, vw, ww = vv+x*x, vw+x*y, ww+y*y
	}
	first := 0.5*math.Atan2(2*vw, vv-ww) + 0.5*(2*g.rng.Float64()-1)
	const turns = 10
	shifts := []float64{0, 0.3, -0.3} // of the plane, in standard deviations of the points along its normal
	halves := [2][]int32{make([]int32, 0, len(t.points)), make([]int32, 0, len(t.points))}
	for try := range turns * len(shifts) {
		turn, shift := try%turns, shifts[try/turns]
		// 0, +1, −1, +2, −2 … steps away from the first plane.
		s, c := math.Sincos(first + math.Pi/turns*float64((turn+1)/2)*float64(1-2*(turn%2)))
		normal := r3.Add(r3.Scale(c, v), r3.Scale(s, w))
		cut := shift * math.Sqrt(max(0, c*c*vv+2*c*s*vw+s*s*ww)/float64(len(t.points)))
		halves[0], halves[1] = halves[0][:0], halves[1][:0]
		for _, n := range t.points {
			h := 0
			if r3.Dot(r3.Sub(g.points[n], mid), normal) > cut {
				h = 1
			}
			halves[h] = append(halves[h], n)
		}
		var kids [2]Branch
		fits := true
		for h := range kids {
			r := parent.RadiusMM * math.Cbrt(float64(len(halves[h]))/float64(len(t.points)))
			fits = fits && r >= minRadiusMM
			kids[h] = Branch{System: parent.System, Parent: t.branch, Order: parent.Order + 1, RadiusMM: r}
		}
		if !fits || !g.reach(&kids[0], end, dir, g.centroid(halves[0])) || !g.reach(&kids[1], end, dir, g.centroid(halves[1])) {
			continue
		}
		if !g.leaves(&kids[0], kids[1].Line) || !g.leaves(&kids[1], kids[0].Line) {
			continue
		}
		var out []tip
		for h := range kids {
			out = append(out, tip{g.add(kids[h]), slices.Clone(halves[h])})
		}
		return out
	}
	return nil
}

// reach draws b from start towards the target, at one of several lengths.
func (g *grower) reach(b *Branch, start, dir, target r3.Vec) bool {
	d := r3.Sub(target, start)
	for _, part := range []float64{0.55, 0.42, 0.7, 0.3, 0.85, 0.2} {
		if part*norm(d) < max(2.5*b.RadiusMM, 4) {
			continue
		}
		b.Line = g.relax(b, curve(start, dir, r3.Add(start, r3.Scale(part, d))))
		if g.valid(b) && g.leaves(b, g.branches[b.Parent].Line) {
			return true
		}
	}
	return false
}

// tangent is the unit direction in which a line ends.
func tangent(line []r3.Vec) r3.Vec {
	n := len(line)
	return unit(r3.Sub(line[n-1], line[n-2]))
}

// curve is a cubic that leaves start between dir and the straight way and
// arrives at end straight.
func curve(start, dir, end r3.Vec) []r3.Vec {
	d := r3.Sub(end, start)
	l := norm(d)
	out := unit(r3.Add(r3.Scale(0.8, unit(dir)), r3.Scale(1/l, d)))
	b1, b2 := r3.Add(start, r3.Scale(l/3, out)), r3.Sub(end, r3.Scale(1.0/3, d))
	n := max(3, int(math.Ceil(l/stepMM)))
	line := make([]r3.Vec, n+1)
	for m := range line {
		t := float64(m) / float64(n)
		s := 1 - t
		line[m] = r3.Add(r3.Add(r3.Scale(s*s*s, start), r3.Scale(3*s*s*t, b1)), r3.Add(r3.Scale(3*s*t*t, b2), r3.Scale(t*t*t, end)))
	}
	return even(line)
}

// even places points along a polyline at equal arc length of at most stepMM.
func even(line []r3.Vec) []r3.Vec {
	var total float64
	for n := 1; n < len(line); n++ {
		total += norm(r3.Sub(line[n], line[n-1]))
	}
	m := max(2, int(math.Ceil(total/stepMM)))
	out := []r3.Vec{line[0]}
	at, n := 0.0, 1
	for k := 1; k < m; k++ {
		want := total * float64(k) / float64(m)
		for n < len(line)-1 && at+norm(r3.Sub(line[n], line[n-1])) < want {
			at += norm(r3.Sub(line[n], line[n-1]))
			n++
		}
		t := (want - at) / norm(r3.Sub(line[n], line[n-1]))
		out = append(out, r3.Add(line[n-1], r3.Scale(t, r3.Sub(line[n], line[n-1]))))
	}
	return append(out, line[len(line)-1])
}
