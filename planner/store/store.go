package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

// Store is an open catalogue with its blobs.
type Store struct {
	root   *os.Root
	lock   *os.File
	writer *sql.DB // one connection
	reader *sql.DB
	create func(name string) (blobFile, error) // temporary files; tests make it fail
}

// readers is how many catalogue reads run at once.
const readers = 4

// Open opens the store in dir, making it if there is none, takes its lock and
// removes temporary files of earlier processes. dir must be on a local file
// system: SQLite's WAL does not work over a network.
func Open(ctx context.Context, dir string) (_ *Store, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	base := filepath.Base(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explain("making "+base, err)
	}
	s := &Store{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, explain("opening "+base, err)
	}
	s.create = func(name string) (blobFile, error) {
		return s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	}
	if s.lock, err = s.root.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, explain("opening "+base, err)
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("store: %s: %w; stop it, or ask it over its service", base, ErrInUse)
		}
		return nil, explain("locking "+base, err)
	}
	if err := s.prepareBlobs(); err != nil {
		return nil, err
	}
	if s.writer, err = openDB(dir, "immediate"); err != nil {
		return nil, explain("opening the catalogue", err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.reader, err = openDB(dir, "deferred", "query_only(1)"); err != nil {
		return nil, explain("opening the catalogue", err)
	}
	s.reader.SetMaxOpenConns(readers)
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func openDB(dir, txlock string, more ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {txlock}, "_pragma": append([]string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}, more...)}
	u := url.URL{Scheme: "file", Path: filepath.Join(dir, "catalogue.db"), RawQuery: q.Encode()}
	return sql.Open("sqlite", u.String())
}

// Close ends the use of the store and lets another process open it.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.root != nil {
		errs = append(errs, s.root.Close())
	}
	return errors.Join(errs...)
}

// Write runs f in the one writing transaction; it is durable when Write
// returns nil and undone when f returns an error, which Write passes on.
func (s *Store) Write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return explain("writing the catalogue", err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		if s := explain("writing the catalogue", err); errors.Is(s, ErrFull) || errors.Is(s, ErrReadOnly) {
			return s
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return explain("writing the catalogue", err)
	}
	return nil
}

// Read is the catalogue for statements that only read.
func (s *Store) Read() *sql.DB { return s.reader }

// schema holds one step per version of the catalogue; a step never changes
// once it is released.
var schema = []string{`
CREATE TABLE studies (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cases (
	id TEXT PRIMARY KEY, study TEXT NOT NULL REFERENCES studies, json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE plans (
	id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases,
	parent TEXT REFERENCES plans, json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX plans_by_case ON plans (case_id, id);
CREATE TABLE evaluations (
	plan_id TEXT PRIMARY KEY REFERENCES plans, case_id TEXT NOT NULL REFERENCES cases,
	place INTEGER NOT NULL, -- rank, with the not ranked last
	json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluations_by_place ON evaluations (case_id, place, plan_id);
CREATE TABLE runs (
	id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases, plan_id TEXT NOT NULL REFERENCES plans,
	state INTEGER NOT NULL, progress REAL NOT NULL, stage TEXT NOT NULL, err TEXT NOT NULL,
	epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL, topology TEXT NOT NULL, created_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_plan ON runs (plan_id, id);
CREATE INDEX runs_by_case ON runs (case_id, id);
CREATE TABLE segments (
	run_id TEXT NOT NULL REFERENCES runs, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
	last_seq INTEGER NOT NULL, blob TEXT NOT NULL,
	PRIMARY KEY (run_id, epoch, first_seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE jobs (
	place INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the queue
	id TEXT NOT NULL UNIQUE REFERENCES runs, kind TEXT NOT NULL, payload BLOB NOT NULL,
	state INTEGER NOT NULL, attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, place);
`, `
CREATE TABLE approvals (
	place INTEGER PRIMARY KEY AUTOINCREMENT, -- order in which they were given
	id TEXT NOT NULL UNIQUE, plan_id TEXT NOT NULL REFERENCES plans, json TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_by_plan ON approvals (plan_id, place);
CREATE TRIGGER approvals_do_not_change BEFORE UPDATE ON approvals
BEGIN SELECT RAISE(ABORT, 'an approval is never changed'); END;
CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals
BEGIN SELECT RAISE(ABORT, 'an approval is never removed'); END;
`}

// migrate brings the catalogue to the newest version.
func (s *Store) migrate(ctx context.Context) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return explain("reading the catalogue", err)
		}
		if have > len(schema) {
			return fmt.Errorf("store: the catalogue has version %d, this program knows %d: use the newer program", have, len(schema))
		}
		for v := have; v < len(schema); v++ {
			if _, err := tx.ExecContext(ctx, schema[v]); err != nil {
				return explain(fmt.Sprintf("making version %d of the catalogue", v+1), err)
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(schema)))
		return explain("making the catalogue", err)
	})
}
