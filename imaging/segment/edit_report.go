package segment

import (
	"context"
	"slices"

	"halsted/imaging"
)

// ByEdit is the origin of a structure that an edit made.
const ByEdit Origin = "edit"

// Edited brings the report up to masks that edits have changed: volumes and mean
// values are counted again, structures that an edit made get a line, and those
// that it emptied are missing. It returns s without the empty ones: s itself, or
// a copy when there are some. v is the volume of s.
func (r *Report) Edited(ctx context.Context, v *imaging.Volume, s *imaging.Segments, edits []Edit) (*imaging.Segments, error) {
	if err := sameGrid(v, s); err != nil {
		return nil, err
	}
	out := &imaging.Segments{Grid: s.Grid, Bits: s.Bits, Of: slices.Clone(s.Of)}
	var touched []imaging.Label
	for _, e := range edits {
		for _, name := range []string{e.Label, e.To} {
			if l, err := imaging.ParseLabel(name); err == nil && !slices.Contains(touched, l) {
				touched = append(touched, l)
			}
		}
	}
	empty := false
	for _, l := range touched {
		if s.Bit(l) == 0 {
			continue
		}
		st := r.line(l)
		if n := s.Count(l); n == 0 {
			empty = true
			st.Confidence, st.Doubts, st.VolumeML, st.MeanHU, st.Missing = 0, nil, 0, 0, "an edit left no voxel of it"
		} else if st.Missing != "" || st.Confidence == 0 {
			st.Origin, st.Confidence, st.Doubts, st.Missing = ByEdit, 1, nil, ""
		}
	}
	if empty {
		out.Bits = slices.Clone(s.Bits)
	}
	w := &work{v: v, out: out, rep: r}
	if err := w.tally(ctx); err != nil {
		return nil, err
	}
	switch n := len(edits); {
	case n == 1:
		r.note("an edit by hand is in the result")
	case n > 1:
		r.note("%d edits by hand are in the result", n)
	}
	r.finish()
	return out, nil
}
