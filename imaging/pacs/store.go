package pacs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Result is what became of one file.
type Result struct {
	File                        string
	SOPClassUID, SOPInstanceUID string
	TransferSyntax              string
	Status                      uint16 // of the peer's answer, if Err is nil or a *StatusError
	Err                         error  // nil if the peer holds the instance now
}

// IncompleteError is returned by Store when the association went well but
// some files were not stored.
type IncompleteError struct {
	Failed, Total int
	File          string // base name of the first that failed
	First         error
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%d of %d files not stored; first %s: %v", e.Failed, e.Total, e.File, e.First)
}

func (e *IncompleteError) Unwrap() error { return e.First }

// Files returns the DICOM files (Part 10) below dir, in order of name. Other
// files are passed over.
func Files(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && e.Name() == incoming {
			return filepath.SkipDir
		}
		if !e.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		head := make([]byte, preambleLen+4)
		if _, err := io.ReadFull(f, head); err == nil && string(head[preambleLen:]) == "DICM" {
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// Store sends Part-10 files to the node called ae.Called at addr (host:port),
// in one association and in the order given, each data set unchanged in the
// transfer syntax it has. It returns one Result per file, also with an error.
// progress, if not nil, is told the fraction of bytes done, 0 to 1.
//
// Errors: *IncompleteError if only some files failed; *RejectError,
// *AbortError, ctx.Err() or a network error if the association did, after
// which files that had no answer have Err set. Store returns within 200 ms
// after ctx is done; a file whose answer is missing then may or may not be
// stored.
func Store(ctx context.Context, addr string, ae AE, files []string, progress func(done float64)) ([]Result, error) {
	if len(files) == 0 {
		return nil, errors.New("C-STORE: no files to send")
	}
	s := &sender{ctx: ctx, results: make([]Result, len(files)), progress: progress}
	contexts, err := s.plan(files)
	if err == nil && len(contexts) > 0 {
		err = s.run(addr, ae, contexts)
	}
	failed, first := 0, -1
	for i := range s.results {
		if s.results[i].Err != nil {
			if first < 0 {
				first = i
			}
			failed++
		}
	}
	switch {
	case err != nil:
		return s.results, fmt.Errorf("C-STORE to %s: %w", addr, err)
	case failed > 0:
		return s.results, &IncompleteError{failed, len(files), filepath.Base(files[first]), s.results[first].Err}
	}
	return s.results, nil
}

// sender is the state of one Store.
type sender struct {
	ctx      context.Context
	results  []Result
	context  []byte // presentation context per file, 0 = not to be sent
	offset   []int64
	size     []int64
	sent     int64
	total    int64
	progress func(float64)
	buf      []byte
}

// plan reads the meta information of all files and makes one presentation
// context for each pair of SOP class and transfer syntax.
func (s *sender) plan(files []string) ([]proposal, error) {
	n := len(files)
	s.context, s.offset, s.size = make([]byte, n), make([]int64, n), make([]int64, n)
	ids := map[answerFor]byte{}
	var contexts []proposal
	for i, name := range files {
		r := &s.results[i]
		r.File, r.Err = name, ErrNotSent
	}
	for i, name := range files {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		r := &s.results[i]
		m, size, err := metaOf(name)
		if err != nil {
			r.Err = err
			continue
		}
		r.SOPClassUID, r.SOPInstanceUID, r.TransferSyntax = m.class, m.instance, m.syntax
		key := answerFor{m.class, m.syntax}
		id, ok := ids[key]
		if !ok {
			if len(contexts) == maxContexts {
				r.Err = fmt.Errorf("more than %d kinds of objects: send them in parts", maxContexts)
				continue
			}
			id = byte(2*len(contexts) + 1)
			ids[key] = id
			contexts = append(contexts, proposal{id: id, abstract: m.class, transfer: []string{m.syntax}})
		}
		s.context[i], s.offset[i], s.size[i] = id, m.offset, size-m.offset
		s.total += s.size[i]
	}
	return contexts, nil
}

func metaOf(name string) (fileMeta, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return fileMeta{}, 0, err
	}
	defer f.Close()
	m, err := readFileMeta(f)
	if err != nil {
		return m, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return m, 0, err
	}
	if info.Size() <= m.offset {
		return m, 0, errors.New("file has no data set")
	}
	return m, info.Size(), nil
}

// run sends the files over one association.
func (s *sender) run(addr string, ae AE, contexts []proposal) (err error) {
	r, err := dial(s.ctx, addr, ae, contexts)
	if err != nil {
		return err
	}
	defer func() { r.close(err) }()
	s.buf = make([]byte, 0, int(r.link.maxOut)+1024)
	for i := range s.results {
		id := s.context[i]
		if id == 0 {
			continue
		}
		res := &s.results[i]
		if got, ok := r.syntax[id]; !ok || got.transfer != res.TransferSyntax {
			res.Err = fmt.Errorf("the peer does not take SOP class %s in transfer syntax %s", res.SOPClassUID, res.TransferSyntax)
			s.advance(s.size[i])
		} else if err := s.file(r, i); err != nil {
			res.Err = r.cause(s.ctx, err)
			return fmt.Errorf("%s: %w", filepath.Base(res.File), res.Err)
		}
	}
	return nil
}

// advance counts n bytes as done.
func (s *sender) advance(n int64) {
	s.sent += n
	if s.progress != nil {
		s.progress(float64(s.sent) / float64(s.total))
	}
}

// file sends one file and reads its answer. The returned error ends the
// association; what concerns the file alone goes into its result.
func (s *sender) file(r *requestor, i int) error {
	res := &s.results[i]
	f, err := os.Open(res.File)
	if err != nil {
		res.Err = err
		s.advance(s.size[i])
		return nil
	}
	defer f.Close()
	c := &command{field: fieldStoreRQ, messageID: r.nextMessage(), class: res.SOPClassUID, instance: res.SOPInstanceUID, dataSet: true}
	// The command goes out in the same packet as the first part of the data
	// set: a small write of its own would wait for a delayed acknowledgement.
	b := r.link.appendCommand(s.buf[:0], s.context[i], c)
	room := int(r.link.maxOut) - pdvHeader
	size := s.size[i]
	if res.TransferSyntax == DeflatedExplicitVRLittleEndian {
		size += size % 2 // a deflate stream may be odd, a data set not (PS3.5 A.5)
	}
	end := s.offset[i] + s.size[i]
	for at, left := s.offset[i], size; left > 0; {
		n := min(left, int64(room))
		flags := byte(0)
		if n == left {
			flags = 2
		}
		b = appendFragmentHeader(b, s.context[i], flags, int(n))
		b = b[:len(b)+int(n)]
		part := b[len(b)-int(n):]
		part[n-1] = 0 // stays if it is the padding
		if k, err := f.ReadAt(part, at); int64(k) < min(n, end-at) {
			return fmt.Errorf("file is shorter than before: %w", err)
		}
		if err := r.link.send(b); err != nil {
			return err
		}
		s.advance(min(n, end-at))
		at, left, b = at+n, left-n, b[:0]
	}
	reply, err := r.response(c)
	if err != nil {
		return err
	}
	res.Status, res.Err = reply.status, nil
	if !isStored(reply.status) {
		res.Err = &StatusError{reply.status, reply.comment}
	}
	return nil
}
