package main

import (
	"context"
	"os"

	"halsted/imaging"
	"halsted/imaging/segment"
)

// readEdits reads a file of edits; none without a name.
func readEdits(path string) ([]segment.Edit, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, refusedError{err}
	}
	defer f.Close()
	edits, err := segment.ReadEdits(f)
	if err != nil {
		return nil, refusedError{err}
	}
	return edits, nil
}

// edited replays edits on masks and brings the report up to them. It returns the
// masks and the hash of the state they are in, which is the parent of the next
// edit.
func edited(ctx context.Context, v *imaging.Volume, segs *imaging.Segments, rep *segment.Report, edits []segment.Edit, b *bar) (*imaging.Segments, string, error) {
	b.set("edit", 0)
	h, err := segment.ApplyEdits(ctx, v, segs, rep.Recipe, edits)
	if err != nil {
		return nil, "", refusedUnlessCancelled(err)
	}
	if len(edits) > 0 {
		if segs, err = rep.Edited(ctx, v, segs, edits); err != nil {
			return nil, "", err
		}
	}
	return segs, h.Hash(), nil
}
