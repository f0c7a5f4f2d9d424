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

// NameBranches names the main branches of a portal or hepatic venous tree by
// topology and direction in LPS, and of an aorta its trunk. A name holds for a
// vessel up to its next division into two main branches; side branches on the
// way have none. Confidence is how well the territories on both sides of each
// decision are apart, times that of the decisions before; a name below 0.6 is
// left empty, for anatomy varies (29 % of patients have the standard one).
//
// Portal: "portal trunk"; "right portal vein", "left portal vein" by x; "right
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
		if root := t.mainRoot(); root >= 0 {
			t.namePortal(root)
		}
	case imaging.LabelHepaticVein:
		t.nameHepatic()
	case imaging.LabelAorta:
		if root := t.mainRoot(); root >= 0 {
			t.trunk(root, "aorta", 1)
		}
	}
}

// counts reports whether branch n leads to the organ.
func (t *Tree) counts(n int) bool { return t.beyond == nil || !t.beyond[n] }

// mainRoot is the root whose tree holds the most volume.
func (t *Tree) mainRoot() int {
	best, most := -1, 0.0
	for _, r := range t.Roots() {
		v := 0.0
		for _, n := range t.Subtree(r) {
			if t.counts(n) {
				v += t.Branches[n].VolumeMM3()
			}
		}
		if v > most {
			best, most = r, v
		}
	}
	return best
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

func (t *Tree) namePortal(root int) {
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
	main := t.trunk(root, "portal trunk", 1)
	l, r, c := split(main, left, [2]string{"left portal vein", "right portal vein"}, 1)
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
