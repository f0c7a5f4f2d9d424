package vessel

import (
	"cmp"
	"math"
	"slices"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// A child counts as one of two main branches when it carries at least
// mainShare of the flow at its branching (r³ after Murray); names less certain
// than sureName stay empty, and so do those below them.
const (
	mainShare = 0.15
	sureName  = 0.6
)

// A piece of the lumen is the tree of the portal trunk when it holds at least
// trunkShare of the volume of all pieces. Where none does, two that hold pairShare
// between them are its right and left branch, the trunk unseen.
const (
	trunkShare = 0.7
	pairShare  = 0.85
)

// LoosePortal is the name of a portal vessel at the root of a piece of the lumen
// that is not connected to the tree of the trunk, and looseConfidence the
// confidence in it: nothing but the label of the lumen says what the piece is.
const (
	LoosePortal     = "portal branch, not connected"
	looseConfidence = 0.3
)

// NameBranches names the main branches of a portal or hepatic venous tree by
// topology and direction in LPS, and of an aorta its trunk. A name holds for a
// vessel up to its next division into two main branches; side branches on the
// way have none. Confidence is how well the territories on both sides of each
// decision are apart, times that of the decisions before; a name below 0.6 is
// left empty, for anatomy varies (29 % of patients have the standard one).
//
// Portal: one "portal trunk" in the piece that holds most of the system, with
// that share as its confidence, and none where no piece does; the roots of other
// pieces are "portal branch, not connected" with a confidence of 0.3, but where
// two pieces share the system between them "right" and "left portal vein".
//
// Below the trunk: "right portal vein", "left portal vein" by x; "right
// anterior", "right posterior" by y; "segment VIII" above "segment V", "segment
// VII" above "segment VI"; "left lateral" to the left of "left medial" (IV);
// "segment II" above and behind "segment III". Hepatic: "right hepatic vein",
// "middle hepatic vein", "left hepatic vein" by their angle around the vena
// cava; middle and left may share a trunk. Other systems are left alone.
func (t *Tree) NameBranches() { t.NameBranchesIn(nil) }

// NameBranchesIn names as NameBranches does what leads to tips inside an organ,
// and nothing else: the splenic vein is no branch of the portal vein, nor is the
// vena cava below the liver a hepatic vein. inside tells whether a point, LPS mm,
// lies in or near the organ; nil means that everything does.
func (t *Tree) NameBranchesIn(inside func(p r3.Vec) bool) {
	if inside != nil {
		t.beyond = make([]bool, len(t.Branches))
		for n := len(t.Branches) - 1; n >= 0; n-- {
			b := &t.Branches[n]
			t.beyond[n] = len(b.Children) > 0 || !inside(b.Points[len(b.Points)-1])
			for _, c := range b.Children {
				t.beyond[n] = t.beyond[n] && t.beyond[c]
			}
		}
		defer func() { t.beyond = nil }()
	}
	for n := range t.Branches {
		t.Branches[n].Name, t.Branches[n].Confidence = "", 0
	}
	switch t.System {
	case imaging.LabelPortalVein:
		t.namePortal()
	case imaging.LabelHepaticVein:
		t.nameHepatic()
	case imaging.LabelAorta:
		if roots, _ := t.pieces(); len(roots) > 0 {
			t.trunk(roots[0], "aorta", 1)
		}
	}
}

// counts reports whether branch n leads to the organ.
func (t *Tree) counts(n int) bool { return t.beyond == nil || !t.beyond[n] }

// pieces are the roots of the trees that lead to the organ, the one that holds
// the most volume first, with the shares of the volume.
func (t *Tree) pieces() (roots []int, share map[int]float64) {
	share = map[int]float64{}
	all := 0.0
	for _, r := range t.Roots() {
		v := 0.0
		for _, n := range t.Subtree(r) {
			if t.counts(n) {
				v += t.Branches[n].VolumeMM3()
			}
		}
		if v > 0 {
			roots, share[r], all = append(roots, r), v, all+v
		}
	}
	for _, r := range roots {
		share[r] /= all
	}
	slices.SortStableFunc(roots, func(x, y int) int { return cmp.Compare(share[y], share[x]) })
	return roots, share
}

// trunk names the vessel that starts with branch n and returns its two main
// branches, or none.
func (t *Tree) trunk(n int, name string, conf float64) []int {
	for {
		b := &t.Branches[n]
		if name != "" {
			b.Name, b.Confidence = name, conf
		}
		kids := slices.DeleteFunc(slices.Clone(b.Children), func(k int) bool { return !t.counts(k) })
		if len(kids) == 0 {
			return nil
		}
		flow := func(k int) float64 { return math.Pow(t.Branches[k].MeanRadiusMM(), 3) }
		slices.SortStableFunc(kids, func(x, y int) int { return cmp.Compare(flow(y), flow(x)) })
		sum := 0.0
		for _, k := range kids {
			sum += flow(k)
		}
		if len(kids) > 1 && flow(kids[1]) >= mainShare*sum {
			return kids[:2]
		}
		n = kids[0]
	}
}

// cloud is the mean and the spread of the tips of a subtree along a direction,
// weighted by their flow.
func (t *Tree) cloud(n int, d r3.Vec) (mean, sd float64) {
	w, sum, sum2 := 0.0, 0.0, 0.0
	for _, m := range t.Subtree(n) {
		b := &t.Branches[m]
		if len(b.Children) > 0 || !t.counts(m) {
			continue
		}
		f := math.Pow(b.MeanRadiusMM(), 3)
		x := r3.Dot(b.Points[len(b.Points)-1], d)
		w, sum, sum2 = w+f, sum+f*x, sum2+f*x*x
	}
	mean = sum / w
	return mean, math.Sqrt(max(sum2/w-mean*mean, 0))
}

// part decides which of two branches lies farther along d: first is that one,
// conf the chance that a point of one territory is told from the other's.
func (t *Tree) part(pair []int, d r3.Vec) (first, second int, conf float64) {
	a, sa := t.cloud(pair[0], d)
	b, sb := t.cloud(pair[1], d)
	first, second = pair[0], pair[1]
	if b > a {
		first, second = second, first
	}
	spread := math.Sqrt(sa*sa+sb*sb) + 3 // mm: a tip alone has no spread
	return first, second, 0.5 + 0.5*math.Erf(math.Abs(a-b)/spread)
}

func (t *Tree) namePortal() {
	roots, share := t.pieces()
	if len(roots) == 0 {
		return
	}
	up, left, front := r3.Vec{Z: 1}, r3.Vec{X: 1}, r3.Vec{Y: -1}
	// split names the two main branches of a vessel and returns theirs.
	split := func(pair []int, d r3.Vec, names [2]string, conf float64) (a, b []int, c float64) {
		if len(pair) < 2 {
			return nil, nil, 0
		}
		x, y, p := t.part(pair, r3.Unit(d))
		if c = conf * p; c < sureName {
			return nil, nil, 0
		}
		return t.trunk(x, names[0], c), t.trunk(y, names[1], c), c
	}
	var pair []int // the right and the left branch, in any order
	sure := share[roots[0]]
	named := 0
	switch {
	case sure >= trunkShare:
		pair, named = t.trunk(roots[0], "portal trunk", sure), 1
	case len(roots) > 1 && share[roots[1]] >= mainShare && sure+share[roots[1]] >= pairShare:
		sure += share[roots[1]]
		pair = roots[:2]
	}
	l, r, c := split(pair, left, [2]string{"left portal vein", "right portal vein"}, sure)
	if named == 0 && c > 0 {
		named = 2
	}
	for _, n := range roots[named:] {
		t.trunk(n, LoosePortal, looseConfidence)
	}
	ra, rp, cr := split(r, r3.Add(front, r3.Scale(0.3, left)), [2]string{"right anterior", "right posterior"}, c)
	split(ra, up, [2]string{"segment VIII", "segment V"}, cr)
	split(rp, up, [2]string{"segment VII", "segment VI"}, cr)
	ll, _, cl := split(l, left, [2]string{"left lateral", "left medial"}, c)
	split(ll, r3.Sub(up, r3.Scale(0.5, front)), [2]string{"segment II", "segment III"}, cl)
}

// nameHepatic finds the three main veins: the roots, and where they are fewer
// than three the branches of the thickest, and orders them around the vena cava.
func (t *Tree) nameHepatic() {
	flow := func(n int) float64 { return math.Pow(t.Branches[n].MeanRadiusMM(), 3) }
	stems := slices.DeleteFunc(t.Roots(), func(n int) bool { return !t.counts(n) })
	slices.SortStableFunc(stems, func(x, y int) int { return cmp.Compare(flow(y), flow(x)) })
	var hub r3.Vec
	for k, n := range stems {
		if flow(n) < mainShare*flow(stems[0]) {
			stems = stems[:k]
			break
		}
	}
	if len(stems) == 0 {
		return
	}
	for _, n := range stems {
		hub = r3.Add(hub, r3.Scale(1/float64(len(stems)), t.Branches[n].Points[0]))
	}
	for len(stems) < 3 {
		best, share := -1, 0.0
		for k, n := range stems {
			if kids := t.trunk(n, "", 0); len(kids) == 2 && flow(n) > share {
				best, share = k, flow(n)
			}
		}
		if best < 0 {
			return
		}
		kids := t.trunk(stems[best], "", 0)
		stems = append(slices.Delete(stems, best, best+1), kids...)
	}
	// Angle around the cava: 0 behind on the right, over the front to the left.
	angle := func(n int) float64 {
		x, _ := t.cloud(n, r3.Vec{X: 1})
		y, _ := t.cloud(n, r3.Vec{Y: 1})
		return math.Mod(math.Atan2(x-hub.X, hub.Y-y)+0.9*math.Pi+2*math.Pi, 2*math.Pi)
	}
	slices.SortStableFunc(stems, func(x, y int) int { return cmp.Compare(angle(x), angle(y)) })
	if len(stems) > 3 {
		return // an accessory vein: which is which is not clear
	}
	for k, name := range [3]string{"right hepatic vein", "middle hepatic vein", "left hepatic vein"} {
		gap := math.Pi
		for _, o := range [2]int{k - 1, k + 1} {
			if o >= 0 && o < 3 {
				gap = min(gap, math.Abs(angle(stems[o])-angle(stems[k])))
			}
		}
		// Territories of neighbours are about 60° apart; half of that is even odds.
		if c := 0.5 + 0.5*math.Erf(gap/0.6-0.3); c >= sureName {
			t.trunk(stems[k], name, c)
		}
	}
}
