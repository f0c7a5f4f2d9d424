package segment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// spine is where the vertebral column runs, on the working grid: one centre
// per slice, in voxels along i and j.
type spine struct {
	I, J  []float64 // centre of the vertebral body, arch included
	Front []float64 // j of its front
	Bone  float64   // mean part of bone around the centre, 0 to 1

	First, Last int // slices between which there is a spine: none below the sacrum
}

// The box in which bone is counted around a point of the column. It is wider
// than a rib and lower than a vertebra and its disc.
const (
	spineBoxMM  = 15.0
	spineTallMM = 22.0
)

// How far, mm, the column may lie from the middle of the body before it weighs
// less, and the spread of the weight beyond: in the pelvis the wings of the ilium
// are thicker than the sacrum.
const spineFreeMM, spineAcrossMM = 20.0, 25.0

// findSpine follows the place with most bone around it through the slices. It
// looks in the middle third of the body's width, behind its front third, the
// more the nearer to the middle. Bone is 0 when there is none.
func findSpine(ctx context.Context, g imaging.Grid, body, bone filter.Mask) (*spine, error) {
	density := make([]float32, g.Len())
	for n, in := range bone {
		if in {
			density[n] = 1
		}
	}
	h := g.SpacingMM()
	r := filter.Radius(g, spineBoxMM)
	r[2] = int(math.Round(spineTallMM / h[2]))
	density, err := filter.BoxMean(ctx, g, density, r)
	if err != nil {
		return nil, err
	}
	b := filter.Bounds(g, body)
	if b.Empty() {
		return &spine{I: make([]float64, g.Size[2]), J: make([]float64, g.Size[2]), Front: make([]float64, g.Size[2])}, nil
	}
	w, d := b.Hi[0]-b.Lo[0], b.Hi[1]-b.Lo[1]
	box := imaging.Box{Lo: [3]int{b.Lo[0] + w/3, b.Lo[1] + d/3, 0}, Hi: [3]int{b.Hi[0] - w/3, b.Hi[1], g.Size[2]}}
	mid := middle(g, body)
	// a column may lean 1:1, no more
	p := bestPath(g, box, func(i, j, k int) float64 {
		return float64(density[g.Index(i, j, k)]) * bell((float64(i)-mid)*h[0], spineFreeMM, spineAcrossMM)
	}, 1, math.Inf(-1))
	s := &spine{I: make([]float64, g.Size[2]), J: make([]float64, g.Size[2]), Front: make([]float64, g.Size[2])}
	for k := range g.Size[2] {
		s.I[k], s.J[k] = float64(p.At[k][0]), float64(p.At[k][1])
		s.Bone += float64(density[g.Index(p.At[k][0], p.At[k][1], k)]) / float64(g.Size[2])
	}
	part := make([]float64, g.Size[2])
	for k := range part {
		part[k] = float64(density[g.Index(p.At[k][0], p.At[k][1], k)])
	}
	s.First, s.Last = longest(part, leastSpine/2)
	smoothLine(s.I, int(10/h[2]))
	smoothLine(s.J, int(10/h[2]))
	// the front: where the density of bone in front of the centre halves
	for k := range g.Size[2] {
		i, j := int(math.Round(s.I[k])), int(math.Round(s.J[k]))
		half := density[g.Index(i, j, k)] / 2
		f := j
		for f > b.Lo[1] && density[g.Index(i, f, k)] > half {
			f--
		}
		s.Front[k] = float64(f)
	}
	smoothLine(s.Front, int(10/h[2]))
	return s, nil
}

// middle is where along i the middle of the body lies: the median over the rows
// that hold body of the middle between its first and its last voxel there.
func middle(g imaging.Grid, body filter.Mask) float64 {
	var mid []float64
	for r := 0; r < g.Len(); r += g.Size[0] {
		row := body[r : r+g.Size[0]]
		if first := slices.Index(row, true); first >= 0 {
			last := len(row) - 1
			for !row[last] {
				last--
			}
			mid = append(mid, float64(first+last)/2)
		}
	}
	return median(mid)
}

// smoothLine replaces x by its mean over 2r+1 neighbours, cut off at the ends.
func smoothLine(x []float64, r int) {
	in := append([]float64(nil), x...)
	for n := range x {
		lo, hi := max(0, n-r), min(len(x), n+r+1)
		var s float64
		for _, v := range in[lo:hi] {
			s += v
		}
		x[n] = s / float64(hi-lo)
	}
}

// slicePath is one voxel per slice from First to Last.
type slicePath struct {
	First, Last int // slices
	At          [][2]int
	Score       float64 // sum
}

// bestPath is the path through the slices of box with the largest sum of
// score, which may move at most lean mm sideways per mm of height. With cut =
// −Inf it passes every slice; otherwise it starts and ends where the sum of
// score−cut is largest (dynamic programming, Bellman 1954). score is called
// concurrently.
func bestPath(g imaging.Grid, box imaging.Box, score func(i, j, k int) float64, lean, cut float64) slicePath {
	box = box.Clip(g)
	nx, ny, nz := box.Hi[0]-box.Lo[0], box.Hi[1]-box.Lo[1], box.Hi[2]-box.Lo[2]
	p := slicePath{First: box.Lo[2], Last: box.Lo[2] - 1, At: make([][2]int, g.Size[2])}
	if nx < 1 || ny < 1 || nz < 1 {
		return p
	}
	h := g.SpacingMM()
	ri, rj := max(1, int(math.Round(lean*h[2]/h[0]))), max(1, int(math.Round(lean*h[2]/h[1])))
	whole := math.IsInf(cut, -1)
	if whole {
		cut = 0
	}
	// a small price on every step keeps the path straight where the score is flat
	wide := 2*ri + 1
	price := make([]float64, wide*(2*rj+1))
	for n := range price {
		price[n] = stepPrice * math.Hypot(float64(n%wide-ri), float64(n/wide-rj))
	}
	sum, next := make([]float64, nx*ny), make([]float64, nx*ny)
	from := make([]int32, nx*ny*nz)
	bestAt, best := -1, math.Inf(-1)
	for k := range nz {
		par.Chunks(ny, 8, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				for i := range nx {
					at := i + nx*j
					prev, src := 0.0, int32(-1)
					if k > 0 {
						if whole {
							prev = math.Inf(-1)
						}
						for b := max(0, j-rj); b <= min(ny-1, j+rj); b++ {
							away := price[(b-j+rj)*wide:][:wide]
							for a := max(0, i-ri); a <= min(nx-1, i+ri); a++ {
								if s := sum[a+nx*b] - away[a-i+ri]; s > prev {
									prev, src = s, int32(a+nx*b)
								}
							}
						}
					}
					next[at] = prev + score(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]) - cut
					from[at+nx*ny*k] = src
				}
			}
		})
		if !whole || k == nz-1 {
			for at, s := range next {
				if s > best {
					best, bestAt = s, at+nx*ny*k
				}
			}
		}
		sum, next = next, sum
	}
	p.Score = best
	p.Last = bestAt/(nx*ny) + box.Lo[2]
	for at := bestAt; ; {
		k := at / (nx * ny)
		p.At[k+box.Lo[2]] = [2]int{at%nx + box.Lo[0], at/nx%ny + box.Lo[1]}
		p.First = k + box.Lo[2]
		src := from[at]
		if src < 0 || k == 0 {
			break
		}
		at = int(src) + nx*ny*(k-1)
	}
	return p
}

// stepPrice is what a path pays for one voxel sideways, in units of the score.
const stepPrice = 0.02

// median of x, which it sorts.
func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// landmarks are what organs are looked for from: the spine, the value of muscle,
// and what has been found so far, all on the working grid. Masks are nil until
// their step has run.
type landmarks struct {
	spine  *spine
	muscle float64 // HU

	aorta, cava, lung, spleen, kidneyR, kidneyL filter.Mask
	aortaLine                                   *column
}

// find is the landmarks with spine and muscle measured, once.
func (w *work) find(ctx context.Context, want imaging.Label) (*landmarks, error) {
	l := &w.marks
	if l.spine == nil {
		s, err := findSpine(ctx, w.c.Grid, w.body, w.bone)
		if err != nil {
			return nil, err
		}
		l.spine = s
		if l.muscle, err = muscleHU(ctx, w.c.Grid, w.smooth, w.body, w.bone, s); err != nil {
			return nil, err
		}
	}
	if l.spine.Bone < leastSpine {
		return nil, &NotFoundError{want, fmt.Sprintf("it is looked for from the spine, and only %.0f %% of the box around the thickest bone is bone (at least %.0f %%): is the spine in the field?", 100*l.spine.Bone, 100*leastSpine)}
	}
	if math.IsNaN(l.muscle) {
		return nil, &NotFoundError{want, "no muscle beside the spine to compare its density with: are the values HU?"}
	}
	return l, nil
}

// leastSpine is the part of bone around the middle of a column of vertebrae and
// discs, at least; around a rib or the sternum it is below 0.2.
const leastSpine = 0.3

// others is everything found so far that the next organ is not, bone included.
func (w *work) others() filter.Mask {
	l := &w.marks
	all := []filter.Mask{w.bone}
	for _, m := range []filter.Mask{w.liver, l.aorta, l.cava, l.spleen, l.kidneyR, l.kidneyL} {
		if m != nil {
			all = append(all, m)
		}
	}
	return filter.Where(w.c.Grid.Len(), func(n int) bool {
		for _, m := range all {
			if m[n] {
				return true
			}
		}
		return false
	})
}

// touchesEnd reports whether m reaches the first or the last slice: the field
// of view may cut it.
func touchesEnd(g imaging.Grid, m filter.Mask) bool {
	area := g.Size[0] * g.Size[1]
	for n := range area {
		if m[n] || m[len(m)-1-n] {
			return true
		}
	}
	return false
}

// doubts collects reasons that lower a confidence.
type doubts struct {
	confidence float64
	why        []string
}

// lower multiplies the confidence and keeps the reason.
func (d *doubts) lower(by float64, format string, args ...any) {
	d.confidence *= by
	d.why = append(d.why, fmt.Sprintf(format, args...))
}
