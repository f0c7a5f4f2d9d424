package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"halsted/imaging"
	"halsted/imaging/series"
	"halsted/internal/par"
	"halsted/planner"
)

// Open is the arrow DICOM → Volume for a folder: the CT series in it with the
// most slices. The study's id is the hash of its files' hashes.
func Open(ctx context.Context, dir string, p Progress) (*imaging.Volume, planner.Study, error) {
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		return nil, planner.Study{}, &StudyError{fmt.Sprintf("%s is a file: name the folder of the series", dir)}
	} else if err != nil {
		return nil, planner.Study{}, &StudyError{err.Error()}
	}
	return OpenFS(ctx, os.DirFS(dir), p)
}

// StudyError is a study that no case can be made of.
type StudyError struct{ Why string }

func (e *StudyError) Error() string { return "pipeline: " + e.Why }

// OpenFS is Open on a file system.
func OpenFS(ctx context.Context, fsys fs.FS, p Progress) (*imaging.Volume, planner.Study, error) {
	s, v, study, err := OpenSeries(ctx, fsys, p)
	if err != nil {
		return nil, planner.Study{}, err
	}
	if v.Kind != imaging.KindHU {
		return nil, planner.Study{}, &StudyError{fmt.Sprintf("the series has modality %s; liver planning needs a CT in Hounsfield units", s.ID.Modality)}
	}
	return v, study, nil
}

// OpenSeries reads the folder's series, of any modality, with the series
// itself for who writes objects that refer to it.
func OpenSeries(ctx context.Context, fsys fs.FS, p Progress) (*series.Series, *imaging.Volume, planner.Study, error) {
	report := p.stage("read DICOM")
	all, err := series.Read(ctx, fsys, series.Options{Progress: func(done float64) { report(done / 2) }})
	if err != nil {
		return nil, nil, planner.Study{}, err
	}
	s, err := choose(all)
	if err != nil {
		return nil, nil, planner.Study{}, err
	}
	v, err := s.Volume(ctx, func(done float64) { report(0.5 + done/2) })
	if err != nil {
		return nil, nil, planner.Study{}, err
	}
	study := planner.Study{Modality: s.ID.Modality, Size: v.Grid.Size, Spacing: v.Grid.SpacingMM(), Kind: v.Kind.String()}
	if study.Files, err = hashFiles(ctx, fsys, s.Files()); err != nil {
		return nil, nil, planner.Study{}, err
	}
	sorted := slices.Sorted(slices.Values(study.Files))
	study.ID = planner.ContentID("study", sorted)
	report(1)
	return s, v, study, nil
}

// choose takes the series with the most slices; one that cannot become a
// volume is taken only when there is no other, so that its reason is told.
func choose(all []*series.Series) (*series.Series, error) {
	best := all[0]
	tie := false
	for _, s := range all[1:] {
		better := s.Len() - best.Len()
		if (s.Check() == nil) != (best.Check() == nil) {
			better = 1
			if s.Check() != nil {
				better = -1
			}
		}
		if better > 0 {
			best, tie = s, false
		} else if better == 0 {
			tie = true
		}
	}
	if tie {
		return nil, &StudyError{fmt.Sprintf("the folder holds %d series, several with %d slices: name the folder of the one to plan on", len(all), best.Len())}
	}
	return best, nil
}

// hashFiles gives the SHA-256 of each file, hex.
func hashFiles(ctx context.Context, fsys fs.FS, files []string) ([]string, error) {
	out := make([]string, len(files))
	err := par.ChunksCtx(ctx, len(files), 1, func(n, _ int) error {
		f, err := fsys.Open(files[n])
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		out[n] = hex.EncodeToString(h.Sum(nil))
		return nil
	})
	return out, err
}
