package remesh

import (
	"context"
	"math"
	"slices"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// angleMarginDeg is how much larger than asked the angles are kept while
	// vertices are removed and moved; half of it remains after repairs.
	angleMarginDeg = 2
	// misfitShare is the root mean squared distance from the gathered planes
	// that a removal may reach, in MaxDistMM: the largest distance is about
	// twice as much.
	misfitShare = 0.5
	// measuredShare: a part of MaxDistMM is kept back for places between those
	// that are measured; distances a quarter larger have been seen there.
	measuredShare = 0.8
	// passShare is the quantile of costs that bounds a pass: some of these
	// vertices cannot go, so that a good half of all are left.
	passShare = 0.6
	// needShare is how many more vertices than must go a last pass considers;
	// doubled when a pass falls short.
	needShare = 2.0
	// slowShare and worthShare: a pass that removes less than one face in this
	// many makes the next one reach for costlier vertices, or ends the round.
	slowShare, worthShare = 20, 5000
	// sampleCount is the number of vertices the quantile is taken from.
	sampleCount = 2000
	// maxTries bounds the neighbours tried for one vertex in a pass.
	maxTries = 3
	// maxPasses bounds the passes of a round.
	maxPasses = 100
	// maxLevel is the level of strictness from which on a vertex stays; each
	// level before halves the distance it may take.
	maxLevel = 4
	// jumpRound is the round after which places too far are fixed at once,
	// lastRound the one after which everything is.
	jumpRound, lastRound = 5, 12
	// checkEvery is the number of vertices or faces between looks at the
	// context.
	checkEvery = 1 << 14
)

// job is one call of Decimate.
type job struct {
	ctx          context.Context
	in           *mesh.Surface
	opt          Options
	target       int     // faces
	limit        float32 // mean squared misfit of a removal, mm²
	sin2, floor2 float32 // sin² of the angles kept by removals and by repairs
	want         [256]float64
	closed       []int // labels with a closed boundary
	level        []uint8
	report       Report

	r       ring // scratch
	ends    [2]int32
	endCost [2]float32
	sampled []float32
}

func newJob(ctx context.Context, s *mesh.Surface, opt Options) *job {
	j := &job{ctx: ctx, in: s, opt: opt, target: opt.TargetTris}
	if j.target == 0 {
		j.target = int(math.Round(opt.Ratio * float64(len(s.Tris))))
	}
	square := func(deg float64) float32 {
		x := math.Sin(deg * math.Pi / 180)
		return float32(x * x)
	}
	j.sin2, j.floor2 = square(opt.MinAngleDeg+angleMarginDeg), square(opt.MinAngleDeg+angleMarginDeg/2)
	m := misfitShare * opt.MaxDistMM
	j.limit = float32(min(m*m, math.MaxFloat32/8)) // 8: see repairShare
	return j
}

// solve decimates, measures, and begins again with more care around the places
// that went too far, until there are none.
func (j *job) solve() (*work, error) {
	for {
		j.report.Rounds++
		w, first, err := j.begin()
		if err != nil {
			return nil, err
		}
		if err := j.run(w); err != nil {
			return nil, err
		}
		if err := j.repair(w); err != nil {
			return nil, err
		}
		if !j.opt.KeepVerts {
			if err := j.place(w); err != nil {
				return nil, err
			}
			if err := j.restore(w); err != nil {
				return nil, err
			}
		}
		if j.report.Rounds > lastRound { // every vertex stayed
			return w, nil
		}
		d, err := w.distances(j.ctx, first, measuredShare*j.opt.MaxDistMM)
		if err != nil {
			return nil, err
		}
		if !d.far {
			j.report.DistMM, j.report.MeanDistMM = d.maxMM, d.meanMM
			return w, nil
		}
		j.stricter(w, d)
	}
}

// stricter raises the level of the input vertices that went to where d is too
// far.
func (j *job) stricter(w *work, d *distances) {
	if j.level == nil {
		j.level = make([]uint8, len(w.owner))
	}
	for a, o := range w.owner {
		if d.bad[o] || j.report.Rounds >= lastRound {
			j.level[a]++
			if j.report.Rounds >= jumpRound {
				j.level[a] = maxLevel
			}
		}
	}
}

// begin sets up the work and keeps what distances needs of the input.
func (j *job) begin() (*work, *work, error) {
	w, err := newWork(j.ctx, j.in, j.opt.KeepBorders)
	if err != nil {
		return nil, nil, err
	}
	if j.report.Rounds == 1 {
		j.report.TrisBefore = len(w.tri)
		for u := range w.pos {
			if w.start[u] < w.start[u+1] {
				j.report.VertsBefore++
			}
		}
		w.volumes(&j.want)
		j.closed = w.closed()
	}
	first := &work{pos: j.in.Verts, tri: j.in.Tris}
	split := 0
	if j.opt.SplitSheets {
		split = w.separate(j.opt.KeepBorders)
	}
	if split > 0 {
		first.pos = slices.Clone(w.pos)
	}
	if split > 0 || w.turned {
		first.tri = slices.Clone(w.tri)
	}
	first.side, first.kind, first.start, first.list = slices.Clone(w.side), slices.Clone(w.kind), w.start, w.list
	for v := range w.owner {
		w.owner[v] = int32(v)
	}
	copy(w.level, j.level)
	j.report.SplitVerts, j.report.FixedVerts = split, 0
	for u, k := range w.kind {
		if k >= corner && w.start[u] < w.start[u+1] {
			j.report.FixedVerts++
		}
	}
	return w, first, w.quadrics(j.ctx, j.floor2)
}

// run makes passes until the target is met or nothing more can go.
func (j *job) run(w *work) error {
	reach, boost := passShare, needShare
	for j.report.Passes = 0; w.alive > j.target && j.report.Passes < maxPasses; {
		need := boost * float64(w.alive-j.target) / 2 / float64(len(w.pos))
		bound, ok := j.quantile(w, min(reach, need, 1))
		if !ok {
			return nil
		}
		if reach > 1 && need > 1 {
			bound = math.MaxFloat32 // whatever it costs
		}
		before := w.alive
		if err := j.sweep(w, bound); err != nil {
			return err
		}
		w.compact()
		if j.report.Passes == 0 { // the lists of the input are needed again at the end
			w.start, w.list = make([]int32, len(w.pos)+1), make([]int32, 3*len(w.tri))
		}
		w.index()
		j.report.Passes++
		removed := before - w.alive
		if bound == math.MaxFloat32 && removed*worthShare <= before {
			return nil
		}
		if need < reach {
			boost *= 2
		} else if need >= reach && removed*slowShare < before {
			reach += 0.2
		}
	}
	return nil
}

// quantile is the cost that the given share of a sample of vertices is under;
// false when no vertex can go anywhere.
func (j *job) quantile(w *work, share float64) (float32, bool) {
	j.sampled = j.sampled[:0]
	stride := max(1, len(w.pos)/sampleCount)
	for u := stride / 2; u < len(w.pos); u += stride {
		if w.kind[u] >= corner || !w.gather(int32(u), &j.r) {
			continue
		}
		if _, c := j.costs(w, int32(u)); c < math.MaxFloat32 {
			j.sampled = append(j.sampled, c)
		}
	}
	if len(j.sampled) == 0 {
		return math.MaxFloat32, stride > 1
	}
	slices.Sort(j.sampled)
	return j.sampled[int(share*float64(len(j.sampled)-1))], true
}

// sweep removes the vertices whose cost is at most bound, as far as the target.
func (j *job) sweep(w *work, bound float32) error {
	r := &j.r
	for u := range int32(len(w.pos)) {
		if u%checkEvery == 0 && j.ctx.Err() != nil {
			return j.ctx.Err()
		}
		if w.kind[u] >= corner || w.home[u] != u || w.last[u] > bound || !w.gather(u, r) {
			continue
		}
		i, c := j.costs(w, u)
		w.last[u] = c
		for try := 0; c <= bound && c < math.MaxFloat32 && (try < maxTries || bound == math.MaxFloat32); try++ {
			v, other := r.x[i], int32(-1)
			if w.kind[u] == line {
				v, other = j.ends[i], j.ends[1-i]
			}
			// the cost is more than the misfit
			if (c <= j.limit && w.level[u]|w.level[v] == 0 || w.misfit(u, v) <= j.strict(w, u, v)) &&
				w.fair(u, v, w.pos[v], r, j.sin2) && w.link(u, v, other, r) {
				w.collapse(u, v, r)
				if w.alive <= j.target {
					return nil
				}
				break
			}
			if w.kind[u] == inner {
				r.cost[i] = math.MaxFloat32
				i, c = r.cheapest()
			} else {
				j.endCost[i] = math.MaxFloat32
				i = 1 - i
				c = j.endCost[i]
			}
		}
	}
	return nil
}

// costs is work.costs with r.cost in j.r; a vertex of a feature line may go to
// the next ones on the line only, which are then left in j.ends with their
// costs.
func (j *job) costs(w *work, u int32) (best int, least float32) {
	if w.kind[u] == inner {
		return w.costs(u, &j.r)
	}
	least = math.MaxFloat32
	var f [3]int32
	if w.features(&j.r, &f) != 2 {
		return 0, least
	}
	for i, v := range f[:2] {
		c := w.misfit(u, v) + lengthShare*float32(r3.Norm2(r3.Sub(w.pos[u], w.pos[v])))
		j.ends[i], j.endCost[i] = v, c
		if c < least {
			best, least = i, c
		}
	}
	return best, least
}

// strict is the mean squared misfit allowed when u goes to v.
func (j *job) strict(w *work, u, v int32) float32 { return j.atLevel(max(w.level[u], w.level[v])) }

func (j *job) atLevel(l uint8) float32 {
	if l >= maxLevel {
		return -1
	}
	return j.limit / float32(int(1)<<(2*l))
}

func (r *ring) cheapest() (best int, least float32) {
	least = math.MaxFloat32
	for i, c := range r.cost[:r.n] {
		if c < least {
			best, least = i, c
		}
	}
	return best, least
}
