package segment

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// Options is what goes into a run beside the volume and the recipe.
type Options struct {
	Seeds    []Seed
	Progress func(done float64) // called with values rising to 1
	Inspect  func(Stage) error  // called with what each step finds on the way; an error ends the run
}

// Stage is something a step made on its way: a mask or a field on its own grid
// (axes along left, posterior, head). It must not be kept or written to.
type Stage struct {
	Step, Name string
	Grid       imaging.Grid
	Mask       filter.Mask // nil for a field
	Field      []float32   // HU, mm or as the name says; nil for a mask
}

// Run segments a volume by a recipe. The result has one mask for each structure
// that was found, in the voxel order of v; vessels and tumours lie inside the
// liver, which is the whole organ. What was looked for and not found, and which
// assumption of the recipe does not hold, stands in the report: a structure that
// is not there is never an empty mask. Report.Failed says whether what must be
// there is missing.
//
// Run stops within 200 ms of ctx being done. It returns an error for a volume,
// recipe or seed that cannot be used, and *NotFoundError when not even the body
// is found.
func Run(ctx context.Context, v *imaging.Volume, r Recipe, o Options) (*imaging.Segments, *Report, error) {
	if err := v.Validate(); err != nil {
		return nil, nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	steps, err := r.bind()
	if err != nil {
		return nil, nil, err
	}
	if err := checkSeeds(o.Seeds, steps, v.Grid); err != nil {
		return nil, nil, err
	}
	order := v.Grid.Canonical()
	w := &work{o: o, v: reordered(v, order), rep: &Report{Recipe: r}}
	for _, s := range o.Seeds {
		w.rep.seeded = append(w.rep.seeded, s.Label)
	}
	w.out = imaging.NewSegments(w.v.Grid)
	if err := w.checkKind(r.Modality); err != nil {
		return nil, nil, err
	}
	total, done := 0.0, 0.0
	for _, s := range steps {
		total += s.op.share
	}
	for _, s := range steps {
		if err := w.do(ctx, s); err != nil {
			return nil, nil, err
		}
		done += s.op.share
		if o.Progress != nil {
			o.Progress(0.99 * done / total)
		}
	}
	if err := w.withhold(ctx); err != nil {
		return nil, nil, err
	}
	if err := w.tally(ctx); err != nil {
		return nil, nil, err
	}
	w.rep.finish()
	out := w.out
	if !order.Identity() {
		back, _, _ := out.Grid.Onto(v.Grid, 1e-6)
		at := back.Index(out.Grid)
		moved := make([]uint32, len(out.Bits))
		for n := range moved {
			moved[n] = out.Bits[at(n)]
		}
		out.Bits = moved
	}
	out.Grid = v.Grid
	if o.Progress != nil {
		o.Progress(1)
	}
	return out, w.rep, ctx.Err()
}

// checkKind refuses a CT recipe for MR values and the other way round.
func (w *work) checkKind(modality string) error {
	want := imaging.KindHU
	if modality == "MR" {
		want = imaging.KindMR
	}
	switch w.v.Kind {
	case want:
	case imaging.KindUnknown:
		w.rep.note("the volume does not say whether its values are %v; they were used as if they were", want)
	default:
		return fmt.Errorf("segment: recipe %s is for %v values, the volume holds %v", w.rep.Recipe.Name, want, w.v.Kind)
	}
	return nil
}

// do runs a step unless something it needs is missing. A structure that is not
// found becomes a line of the report; without the body nothing is sound.
func (w *work) do(ctx context.Context, s boundStep) error {
	w.step = s.op.name
	for _, l := range s.op.needs {
		if miss := w.rep.Of(l).Missing; miss != "" {
			for _, g := range s.op.gives {
				w.missing(g, fmt.Sprintf("it is looked for in or beside the %s, which was not found", l.Words()))
			}
			return ctx.Err()
		}
	}
	err := s.run(ctx, w)
	var none *NotFoundError
	if errors.As(err, &none) && none.Label != imaging.LabelBody {
		w.missing(none.Label, none.Do)
		return ctx.Err()
	}
	return err
}

// found writes the line of a structure. Doubts say, with numbers, why the
// confidence is below 1.
func (w *work) found(l imaging.Label, o Origin, confidence float64, doubts ...string) {
	s := w.rep.line(l)
	s.Origin, s.Confidence, s.Doubts, s.Missing = o, min(max(confidence, 0), 1), doubts, ""
}

// missing writes the line of a structure that was not found.
func (w *work) missing(l imaging.Label, why string) {
	s := w.rep.line(l)
	s.Confidence, s.Doubts, s.Missing = 0, nil, why
}

// withheld begins the line of a structure that was found and is not given.
const withheld = "withheld, since nothing speaks for it: "

// zero reports whether a confidence is 0 to the two digits that are said.
func zero(confidence float64) bool { return confidence < 0.005 }

// withhold takes out what was found at a confidence of 0, with its reasons: to a
// person who plans with it that is worse than a structure that is missing.
func (w *work) withhold(ctx context.Context) error {
	for n := range w.rep.Structures {
		s := &w.rep.Structures[n]
		bit := w.out.Bit(s.Label)
		if s.Missing != "" || bit == 0 || !zero(s.Confidence) {
			continue
		}
		s.Confidence, s.Missing, s.Doubts = 0, withheld+strings.Join(s.Doubts, "; "), nil
		if err := amend(ctx, w.out, w.out.Grid.Box(), bit, bit, 0); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// bitOf is the bit of a structure, opened when it is new.
func bitOf(s *imaging.Segments, l imaging.Label) uint32 {
	if b := s.Bit(l); b != 0 {
		return b
	}
	if len(s.Of) == 32 {
		panic("segment: a recipe with more than 32 structures")
	}
	s.Of = append(s.Of, l)
	return s.Bit(l)
}

// show hands a mask to the inspector.
func (w *work) show(name string, g imaging.Grid, m filter.Mask) error {
	if w.o.Inspect == nil {
		return nil
	}
	return w.o.Inspect(Stage{Step: w.step, Name: name, Grid: g, Mask: m})
}

// showField hands a field to the inspector.
func (w *work) showField(name string, g imaging.Grid, f []float32) error {
	if w.o.Inspect == nil {
		return nil
	}
	return w.o.Inspect(Stage{Step: w.step, Name: name, Grid: g, Field: f})
}

// reordered is v with its axes in the order o; v itself when nothing changes.
func reordered(v *imaging.Volume, o imaging.Reorder) *imaging.Volume {
	if o.Identity() {
		return v
	}
	out := *v
	out.Grid = o.Grid(v.Grid)
	out.Data = make([]int16, len(v.Data))
	at := o.Index(v.Grid)
	for n := range out.Data {
		out.Data[n] = v.Data[at(n)]
	}
	return &out
}

// nothingEmpty makes a structure without a voxel a missing one. That no vessel
// is left over between the systems is no lack.
func (w *work) nothingEmpty(kept []imaging.Label) {
	var lines []Structure
	for _, s := range w.rep.Structures {
		if s.Missing == "" && !slices.Contains(kept, s.Label) {
			if s.Label == imaging.LabelVessel {
				continue
			}
			s.Confidence, s.Doubts, s.Missing = 0, nil, "no voxel belongs to it"
		}
		lines = append(lines, s)
	}
	w.rep.Structures = lines
}

// tally fills in volumes and mean values, and takes out what is empty.
func (w *work) tally(ctx context.Context) error {
	type sums struct {
		count [32]int
		sum   [32]int64 // of stored samples: exact in any order
	}
	const size = 1 << 18
	part := make([]sums, (len(w.out.Bits)+size-1)/size)
	err := par.ChunksCtx(ctx, len(w.out.Bits), size, func(lo, hi int) error {
		t := &part[lo/size]
		for n, b := range w.out.Bits[lo:hi] {
			for ; b != 0; b &= b - 1 {
				s := bits.TrailingZeros32(b)
				t.count[s]++
				t.sum[s] += int64(w.v.Data[lo+n])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var kept []imaging.Label
	var from []uint32
	for s, l := range w.out.Of {
		count, sum := 0, int64(0)
		for p := range part {
			count += part[p].count[s]
			sum += part[p].sum[s]
		}
		if count == 0 {
			continue
		}
		kept, from = append(kept, l), append(from, 1<<s)
		st := w.rep.line(l)
		st.VolumeML = float64(count) * w.out.Grid.VoxelMM3() / 1000
		st.MeanHU = w.v.Slope*(float64(sum)/float64(count)) + w.v.Intercept
	}
	w.nothingEmpty(kept)
	if len(kept) == len(w.out.Of) {
		return nil
	}
	w.out.Of = kept
	return par.ChunksCtx(ctx, len(w.out.Bits), size, func(lo, hi int) error {
		for n := lo; n < hi; n++ {
			b := w.out.Bits[n]
			if b == 0 {
				continue
			}
			m := uint32(0)
			for s, f := range from {
				if b&f != 0 {
					m |= 1 << s
				}
			}
			w.out.Bits[n] = m
		}
		return nil
	})
}
