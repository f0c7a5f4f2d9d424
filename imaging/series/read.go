package series

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"halsted/imaging/dicomfile"
	"halsted/internal/par"
)

// Options say how a folder is read. The zero value is good.
type Options struct {
	Limits   dicomfile.Limits   // bounds on each file
	MaxFiles int                // files looked at; default 100 000
	Progress func(done float64) // 0..1, called from one goroutine at a time; may be nil
}

// Ignored is a file of the folder that is no part of any series.
type Ignored struct {
	File   string // path within the folder
	Reason string
}

// Note says what was left out of a series, or changed, without harm.
type Note struct {
	File string // base name
	Text string
}

// ReadDir reads the headers of all files below dir and returns the image
// series found, ordered by study and series UID. Files that are not DICOM, and
// DICOM objects without an image, are ignored and listed in Series.Ignored.
//
// A DICOM file that cannot be parsed may belong to any series, so it is an
// error (from dicomfile, naming the file); one whose pixel data alone is too
// short makes Volume of its own series refuse. Without any image the error is
// a *NoDICOMError.
func ReadDir(ctx context.Context, dir string, opt Options) ([]*Series, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("series: %s is a file; give the folder that holds the series", info.Name())
	}
	return Read(ctx, os.DirFS(dir), opt)
}

// Read is ReadDir for a file system.
func Read(ctx context.Context, fsys fs.FS, opt Options) ([]*Series, error) {
	files, err := list(ctx, fsys, opt)
	if err != nil {
		return nil, err
	}
	type found struct {
		slice  *slice
		id     ID
		reason string // why the file is no slice
		object bool   // but DICOM
	}
	all := make([]found, len(files))
	tick := ticker(len(files), opt.Progress)
	err = par.ChunksCtx(ctx, len(files), 1, func(n, _ int) error {
		defer tick()
		f := &all[n]
		d, err := dicomfile.ReadFS(fsys, files[n], opt.Limits)
		switch {
		case errors.Is(err, dicomfile.ErrNotDICOM):
			f.reason = "not DICOM"
			return nil
		case d == nil:
			return fmt.Errorf("series: %w", err)
		}
		f.object = true
		if f.id, f.reason = identify(d); f.reason == "" {
			f.slice = newSlice(files[n], d, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	byID := map[ID]*Series{}
	var out []*Series
	var ignored []Ignored
	objects := 0
	for n, f := range all {
		if f.object {
			objects++
		}
		if f.slice == nil {
			ignored = append(ignored, Ignored{files[n], f.reason})
			continue
		}
		key := ID{StudyInstanceUID: f.id.StudyInstanceUID, SeriesInstanceUID: f.id.SeriesInstanceUID}
		s := byID[key]
		if s == nil {
			s = &Series{ID: f.id, fsys: fsys, limits: opt.Limits}
			byID[key] = s
			out = append(out, s)
		}
		s.slices = append(s.slices, f.slice)
	}
	if len(out) == 0 {
		return nil, &NoDICOMError{len(files), objects}
	}
	for _, s := range out {
		s.Ignored = ignored
		s.err = s.place()
	}
	slices.SortStableFunc(out, func(a, b *Series) int {
		return strings.Compare(a.ID.StudyInstanceUID+" "+a.ID.SeriesInstanceUID, b.ID.StudyInstanceUID+" "+b.ID.SeriesInstanceUID)
	})
	return out, nil
}

// list walks the folder; only regular files (or links to them) count.
func list(ctx context.Context, fsys fs.FS, opt Options) ([]string, error) {
	most := opt.MaxFiles
	if most <= 0 {
		most = 100_000
	}
	var files []string
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := fs.Stat(fsys, name)
			if err != nil {
				return nil // a dangling link is no file
			}
			mode = info.Mode()
		}
		if !mode.IsRegular() {
			return nil
		}
		if files = append(files, name); len(files) > most {
			return fmt.Errorf("series: more than %d files; give the folder of one study or raise Options.MaxFiles", most)
		}
		return nil
	})
	return files, err
}

// identify says which series an object belongs to, or why it holds no image.
func identify(d *dicomfile.Dataset) (id ID, reason string) {
	id.StudyInstanceUID, _ = d.String(dicomfile.StudyInstanceUID)
	id.SeriesInstanceUID, _ = d.String(dicomfile.SeriesInstanceUID)
	id.Modality, _ = d.String(dicomfile.Modality)
	class, _ := d.String(dicomfile.SOPClassUID)
	switch {
	case class == dicomfile.MediaStorageDirectory || d.Has(dicomfile.Tag{Group: 4, Element: 0x1220}):
		return id, "DICOM directory"
	case !d.Has(dicomfile.Rows) || !d.Has(dicomfile.Columns):
		return id, "DICOM object without an image"
	}
	return id, ""
}

// ticker counts finished files for a progress function.
func ticker(n int, progress func(float64)) func() {
	if progress == nil {
		return func() {}
	}
	var mu sync.Mutex // guards done and orders the calls
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(float64(done) / float64(n))
	}
}

// Files are the paths of the slices within the folder: in stacking order when
// Check is nil.
func (s *Series) Files() []string {
	out := make([]string, len(s.slices))
	for n, sl := range s.slices {
		out[n] = sl.file
	}
	return out
}

// Len is the number of slices, without those left out.
func (s *Series) Len() int { return len(s.slices) }

func (s *Series) note(sl *slice, format string, args ...any) {
	s.Notes = append(s.Notes, Note{path.Base(sl.file), fmt.Sprintf(format, args...)})
}
