package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"halsted/planner"
)

// AppendFrames seals frames of the run's current epoch; when it returns nil
// they are durable and Frames finds them. Their Epoch must be epoch and their
// Seq must go on from the last sealed one (from 1); anything else, also an
// epoch that is no longer the current one, is an ErrConflict. Numbers that are
// not finite are refused with the vertex named.
func (s *Store) AppendFrames(ctx context.Context, run string, epoch uint64, frames []planner.DisplayFrame) error {
	if len(frames) == 0 {
		return nil
	}
	for n := range frames {
		f := &frames[n]
		if f.Epoch != epoch || f.Seq != frames[0].Seq+uint64(n) || f.Seq == 0 {
			return fmt.Errorf("store: run %s: %w: frame (%d, %d) in a batch from (%d, %d)", run, ErrConflict, f.Epoch, f.Seq, epoch, frames[0].Seq)
		}
		if err := f.Validate(&planner.Topology{Rest: f.Pos}); err != nil {
			return fmt.Errorf("store: run %s: %w: %w", run, ErrInvalid, err)
		}
	}
	type sealed struct {
		first, last uint64
		key         string
	}
	var segments []sealed
	for lo := 0; lo < len(frames); {
		hi := lo + 1
		for hi < len(frames) && sameShape(&frames[lo], &frames[hi]) {
			hi++
		}
		b, err := encodeSegment(frames[lo:hi])
		if err != nil {
			return err
		}
		key, err := s.PutBytes(ctx, b)
		if err != nil {
			return err
		}
		segments = append(segments, sealed{frames[lo].Seq, frames[hi-1].Seq, key})
		lo = hi
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		r, err := scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", run), run)
		if err != nil {
			return err
		}
		if r.Epoch != epoch || r.LastSeq+1 != frames[0].Seq {
			return fmt.Errorf("store: run %s: %w: frame (%d, %d) after (%d, %d)", run, ErrConflict, epoch, frames[0].Seq, r.Epoch, r.LastSeq)
		}
		for _, g := range segments {
			if _, err := tx.ExecContext(ctx, "INSERT INTO segments (run_id, epoch, first_seq, last_seq, blob) VALUES (?,?,?,?,?)",
				run, int64(epoch), int64(g.first), int64(g.last), g.key); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE runs SET last_seq = ? WHERE id = ?", int64(frames[len(frames)-1].Seq), run)
		return err
	})
}

// Frames walks the sealed frames of an epoch after afterSeq, in order, without
// a gap, one in memory at a time; each is the caller's to keep. It ends at the
// last sealed frame, or with one error. Frames sealed during the walk are
// walked too.
func (s *Store) Frames(ctx context.Context, run string, epoch, afterSeq uint64) iter.Seq2[*planner.DisplayFrame, error] {
	return func(yield func(*planner.DisplayFrame, error) bool) {
		if _, err := s.Run(ctx, run); err != nil {
			yield(nil, err)
			return
		}
		for {
			var first, last int64
			var key string
			err := s.reader.QueryRowContext(ctx, `SELECT first_seq, last_seq, blob FROM segments
				WHERE run_id = ? AND epoch = ? AND last_seq > ? ORDER BY first_seq LIMIT 1`,
				run, int64(epoch), int64(afterSeq)).Scan(&first, &last, &key)
			if errors.Is(err, sql.ErrNoRows) {
				return
			} else if err != nil {
				yield(nil, explain("reading the frames of run "+run, err))
				return
			}
			if uint64(first) > afterSeq+1 {
				yield(nil, fmt.Errorf("store: run %s: the catalogue is damaged: frames %d to %d of epoch %d are missing", run, afterSeq+1, first-1, epoch))
				return
			}
			if !s.walkSegment(ctx, key, epoch, &afterSeq, uint64(first), uint64(last), yield) {
				return
			}
		}
	}
}

// walkSegment yields the frames after *afterSeq of one segment and moves it.
func (s *Store) walkSegment(ctx context.Context, key string, epoch uint64, afterSeq *uint64, first, last uint64, yield func(*planner.DisplayFrame, error) bool) bool {
	fail := func(err error) bool {
		yield(nil, err)
		return false
	}
	b, err := s.OpenBlob(ctx, key)
	if err != nil {
		return fail(err)
	}
	defer b.Close()
	g, err := openSegment(b, b.Size())
	if err != nil {
		return fail(&CorruptError{key, err.Error()})
	}
	if uint64(g.frames) != last-first+1 {
		return fail(&CorruptError{key, fmt.Sprintf("it holds %d frames, the catalogue says %d to %d", g.frames, first, last)})
	}
	if err := g.skip(int(*afterSeq + 1 - first)); err != nil {
		return fail(explain("reading blob "+key, err))
	}
	for *afterSeq < last {
		if err := ctx.Err(); err != nil {
			return fail(err)
		}
		f, err := g.next()
		if err != nil {
			return fail(&CorruptError{key, err.Error()})
		}
		if f.Epoch != epoch || f.Seq != *afterSeq+1 {
			return fail(&CorruptError{key, fmt.Sprintf("it holds frame (%d, %d) where (%d, %d) should be", f.Epoch, f.Seq, epoch, *afterSeq+1)})
		}
		*afterSeq = f.Seq
		if !yield(f, nil) {
			return false
		}
	}
	return true
}
