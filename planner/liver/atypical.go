package liver

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"halsted/planner"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/spatial/r3"
)

// The search for a curved cut. Heights are optimised for
//
//	area/cm² + resected/volumePerArea + flow cut/flowPerArea
//
// by CMA-ES (Krause, Arbonès and Igel, NIPS 2016) with the margin as a penalty,
// on columns of the organ along the sheet's normal.
const (
	columnMM       = 6.0
	volumePerArea  = 2.5  // ml of tissue worth 1 cm² of cut
	flowPerArea    = 25.0 // ml/min worth 1 cm²
	marginPenalty  = 2.0  // cm² per mm² of a point's lack of margin
	shellPoints    = 300
	generations    = 60
	heightUnitMM   = 8.0
	sheetOverMM    = 20.0 // how far a sheet's rectangle reaches beyond the tumours
	marginRounds   = 6
	vesselSampleMM = 1.0
)

// shells are at most about count points of the named tumours' borders.
func (a *Anatomy) shells(tumours []int, count int) []r3.Vec {
	var all []r3.Vec
	for _, t := range tumours {
		all = append(all, a.Tumours[t].shell...)
	}
	step := max(1, len(all)/count)
	var out []r3.Vec
	for n := 0; n < len(all); n += step {
		out = append(out, all[n])
	}
	return out
}

// outward are the directions in which the named tumours are nearest to the
// organ's surface, at most count of them and well apart.
func (a *Anatomy) outward(tumours []int, count int) []r3.Vec {
	var c r3.Vec
	for _, t := range tumours {
		c = r3.Add(c, r3.Scale(1/float64(len(tumours)), a.Tumours[t].Centre))
	}
	type way struct {
		d  r3.Vec
		mm float64
	}
	var ways []way
	for _, d := range sphere(60) {
		mm := 0.0
		for ; mm < 300; mm += 2 {
			x, y, z := a.Grid.Voxel(r3.Add(c, r3.Scale(mm, d)))
			i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
			if !a.Grid.Contains(i, j, k) || a.Phi[a.Grid.Index(i, j, k)] >= 0 {
				break
			}
		}
		ways = append(ways, way{d, mm})
	}
	slices.SortStableFunc(ways, func(x, y way) int { return cmp.Compare(x.mm, y.mm) })
	var out []r3.Vec
	for _, w := range ways {
		const apart = 0.85 // cosine of about 32 degrees
		const deepest = 60 // mm further than the shortest way out
		if len(out) < count && w.mm <= ways[0].mm+deepest && !slices.ContainsFunc(out, func(d r3.Vec) bool { return r3.Dot(d, w.d) > apart }) {
			out = append(out, w.d)
		}
	}
	return out
}

// bowl is the search for one sheet.
type bowl struct {
	sheet  planner.Sheet
	margin float64
	bu, bv [][4]float64 // Bernstein values of the columns along U and V
	du, dv [][4]float64 // their derivatives, per mm
	over   [][]float64  // per column, volume of the organ above each bin of height, ml
	low    float64      // height of the first bin
	shell  [][3][16]float64
	height []float64 // of each of shell
	h      []float64 // heights of the columns
	vessel []bowlVessel
	penal  float64
}

type bowlVessel struct {
	column int
	z      float64
	flow   float64 // of the branch; 0 where a new branch starts
}

const binMM = 3.0

// derivative3 are the derivatives of the Bernstein polynomials at −1 ≤ x ≤ 1 by
// x; 0 beyond.
func derivative3(x float64) (d [4]float64) {
	if x < -1 || x > 1 {
		return d
	}
	t := (x + 1) / 2
	u := 1 - t
	return [4]float64{-1.5 * u * u, 1.5*u*u - 3*t*u, 3*t*u - 1.5*t*t, 1.5 * t * t}
}

// newBowl prepares the search around the named tumours with the sheet's normal
// along d.
func (a *Anatomy) newBowl(t *Trees, tumours []int, d r3.Vec, margin float64) *bowl {
	shell := a.shells(tumours, shellPoints)
	frame := planeSheet(planner.Plane{Normal: d})
	u, v := frame.U, frame.V
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	base := math.Inf(1)
	for _, q := range shell {
		for n, x := range [2]float64{r3.Dot(q, u), r3.Dot(q, v)} {
			lo[n], hi[n] = min(lo[n], x), max(hi[n], x)
		}
		base = min(base, r3.Dot(q, d))
	}
	base -= margin
	half := [2]float64{(hi[0]-lo[0])/2 + margin + sheetOverMM, (hi[1]-lo[1])/2 + margin + sheetOverMM}
	origin := r3.Add(r3.Scale((lo[0]+hi[0])/2, u), r3.Add(r3.Scale((lo[1]+hi[1])/2, v), r3.Scale(base, d)))
	w := &bowl{sheet: planner.Sheet{Origin: origin, U: r3.Scale(half[0], u), V: r3.Scale(half[1], v)}, margin: margin}
	w.columns(a, t, u, v, d, half)
	for _, q := range shell {
		r := r3.Sub(q, origin)
		x, y := r3.Dot(r, u)/half[0], r3.Dot(r, v)/half[1]
		bu, bv, du, dv := bernstein(x), bernstein(y), derivative3(x), derivative3(y)
		var row [3][16]float64
		for i := range 4 {
			for j := range 4 {
				row[0][4*i+j] = bu[i] * bv[j]
				row[1][4*i+j] = du[i] * bv[j] / half[0]
				row[2][4*i+j] = bu[i] * dv[j] / half[1]
			}
		}
		w.shell = append(w.shell, row)
		w.height = append(w.height, r3.Dot(r, d)-a.halfVoxelMM(d))
	}
	return w
}

// columns fills what the cost of the sheet needs of the organ.
func (w *bowl) columns(a *Anatomy, t *Trees, u, v, d r3.Vec, half [2]float64) {
	b := t.blocks
	lo, hi := r3.Vec{X: math.Inf(1), Y: math.Inf(1), Z: math.Inf(1)}, r3.Vec{X: math.Inf(-1), Y: math.Inf(-1), Z: math.Inf(-1)}
	at := func(p r3.Vec) r3.Vec {
		r := r3.Sub(p, w.sheet.Origin)
		return r3.Vec{X: r3.Dot(r, u), Y: r3.Dot(r, v), Z: r3.Dot(r, d)}
	}
	for _, c := range b.centre {
		q := at(c)
		lo = r3.Vec{X: min(lo.X, q.X), Y: min(lo.Y, q.Y), Z: min(lo.Z, q.Z)}
		hi = r3.Vec{X: max(hi.X, q.X), Y: max(hi.Y, q.Y), Z: max(hi.Z, q.Z)}
	}
	nu, nv := int((hi.X-lo.X)/columnMM)+1, int((hi.Y-lo.Y)/columnMM)+1
	w.low = lo.Z
	bins := int((hi.Z-lo.Z)/binMM) + 2
	w.over = make([][]float64, nu*nv)
	column := func(q r3.Vec) int {
		return min(nu-1, max(0, int((q.X-lo.X)/columnMM))) + nu*min(nv-1, max(0, int((q.Y-lo.Y)/columnMM)))
	}
	for n, c := range b.centre {
		q := at(c)
		m := column(q)
		if w.over[m] == nil {
			w.over[m] = make([]float64, bins)
		}
		w.over[m][int((q.Z-lo.Z)/binMM)] += b.ml[n]
	}
	for _, o := range w.over {
		for n := len(o) - 2; n >= 0; n-- {
			o[n] += o[n+1]
		}
	}
	w.h = make([]float64, nu*nv)
	for x := range nu {
		s := (lo.X + (float64(x)+0.5)*columnMM) / half[0]
		w.bu = append(w.bu, bernstein(s))
		ds := derivative3(s)
		for n := range ds {
			ds[n] /= half[0]
		}
		w.du = append(w.du, ds)
	}
	for y := range nv {
		s := (lo.Y + (float64(y)+0.5)*columnMM) / half[1]
		w.bv = append(w.bv, bernstein(s))
		ds := derivative3(s)
		for n := range ds {
			ds[n] /= half[1]
		}
		w.dv = append(w.dv, ds)
	}
	for _, s := range t.Systems() {
		for m := range s.Tree.Branches {
			flow, last := 0.0, r3.Vec{X: math.Inf(1)}
			for n := s.first[m]; n < s.first[m+1]; n++ {
				p := &s.points[n]
				if !p.inside || p.radius < minVesselMM {
					flow = 0
					continue
				}
				if flow > 0 && r3.Norm(r3.Sub(p.p, last)) < vesselSampleMM && n+1 < s.first[m+1] {
					continue
				}
				q := at(p.p)
				w.vessel = append(w.vessel, bowlVessel{column(q), q.Z, flow})
				flow, last = math.Abs(s.FlowMLMin[m]), p.p
			}
		}
	}
}

// cost of 16 heights in units of heightUnitMM over the sheet's origin.
func (w *bowl) cost(x []float64) float64 {
	nu := len(w.bu)
	area, ml := 0.0, 0.0
	for b, bv := range w.bv {
		dv := w.dv[b]
		var c, e [4]float64
		for i := range 4 {
			for j := range 4 {
				h := x[4*i+j] * heightUnitMM
				c[i] += h * bv[j]
				e[i] += h * dv[j]
			}
		}
		for a := range nu {
			over := w.over[a+nu*b]
			bu, du := &w.bu[a], &w.du[a]
			h := bu[0]*c[0] + bu[1]*c[1] + bu[2]*c[2] + bu[3]*c[3]
			w.h[a+nu*b] = h
			if over == nil {
				continue
			}
			z := (h - w.low) / binMM
			switch {
			case z <= 0:
				ml += over[0]
			case z < float64(len(over)-1):
				n := int(z)
				f := z - float64(n)
				ml += over[n]*(1-f) + over[n+1]*f
				if dens := over[n] - over[n+1]; dens > 0 {
					hu := du[0]*c[0] + du[1]*c[1] + du[2]*c[2] + du[3]*c[3]
					hv := bu[0]*e[0] + bu[1]*e[1] + bu[2]*e[2] + bu[3]*e[3]
					area += dens * 1000 / binMM * math.Sqrt(1+hu*hu+hv*hv)
				}
			}
		}
	}
	flow, was := 0.0, 0.0
	for _, v := range w.vessel {
		s := v.z - w.h[v.column]
		if v.flow > 0 && (s > 0) != (was > 0) {
			flow += v.flow
		}
		was = s
	}
	w.penal = 0
	for n := range w.shell {
		row := &w.shell[n]
		var h, hu, hv float64
		for m := range 16 {
			h += row[0][m] * x[m]
			hu += row[1][m] * x[m]
			hv += row[2][m] * x[m]
		}
		h, hu, hv = h*heightUnitMM, hu*heightUnitMM, hv*heightUnitMM
		if lack := w.margin - (w.height[n]-h)/math.Sqrt(1+hu*hu+hv*hv); lack > 0 {
			w.penal += lack * lack
		}
	}
	return area/100 + ml/volumePerArea + flow/flowPerArea + marginPenalty*w.penal
}

// optimise finds the heights. The same seed gives the same sheet.
func (w *bowl) optimise(ctx context.Context, seed, stream uint64) (*planner.Sheet, float64, error) {
	start := make([]float64, 16)
	for n := range start {
		if i, j := n/4, n%4; i == 0 || i == 3 || j == 0 || j == 3 {
			start[n] = 2 // the rim rises
		} else {
			start[n] = -1
		}
	}
	const population = 12
	evals := 0
	p := optimize.Problem{Func: w.cost, Status: func() (optimize.Status, error) {
		if evals++; evals%16 == 0 && ctx.Err() != nil {
			return optimize.Failure, ctx.Err()
		}
		return optimize.NotTerminated, nil
	}}
	method := &optimize.CmaEsChol{InitStepSize: 0.6, Population: population, Src: rand.NewPCG(seed, stream)}
	r, err := optimize.Minimize(p, start, &optimize.Settings{FuncEvaluations: population * generations, Converger: optimize.NeverTerminate{}}, method)
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	if r == nil {
		return nil, 0, err
	}
	s := w.sheet
	for n, h := range r.X {
		s.HeightsMM[n/4][n%4] = h * heightUnitMM
	}
	return &s, r.F, nil
}

// sheet is an optimised sheet that takes the named tumours with their margin;
// nil when none is found.
func (a *Anatomy) sheet(ctx context.Context, t *Trees, tumours []int, d r3.Vec, margin float64, seed, stream uint64) (*planner.Sheet, float64, error) {
	w := a.newBowl(t, tumours, d, margin)
	s, cost, err := w.optimise(ctx, seed, stream)
	if err != nil || s == nil {
		return nil, 0, err
	}
	for range marginRounds { // the penalty leaves a little; lower the sheet by it
		lack := margin - a.sheetMargin(t, s, tumours)
		if lack <= 0 {
			return s, cost, nil
		}
		for i := range s.HeightsMM {
			for j := range s.HeightsMM[i] {
				s.HeightsMM[i][j] -= 1.1*lack + 0.05
			}
		}
	}
	return nil, 0, nil
}

// sheetMargin is the least distance of a sheet from the named tumours' voxels,
// at most nearMM; negative when a part of them is left.
func (a *Anatomy) sheetMargin(t *Trees, s *planner.Sheet, tumours []int) float64 {
	r := t.blocks.newRaster(s)
	least := nearMM
	for _, q := range a.shells(tumours, 4*shellPoints) {
		if z := r.above(q); z <= 0 {
			least = min(least, z)
		}
	}
	for y := range r.nv {
		for x := range r.nu {
			p, _ := r.node(x, y)
			if d, ok := t.near.nearest(p, tumours); ok {
				least = min(least, d)
			}
		}
	}
	return least
}
