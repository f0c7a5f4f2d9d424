package service

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/store"
	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// notFromCalls are exported errors that no call can meet.
var notFromCalls = map[string]string{
	"access.UnsafeError":   "opening a listener",
	"access.ChainError":    "verifying a trail",
	"access.ErrTrailInUse": "opening a trail",
}

// exportedErrors finds what a package exports as ErrX or XError.
func exportedErrors(t *testing.T, dir string) (names []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					for _, id := range s.Names {
						if strings.HasPrefix(id.Name, "Err") {
							names = append(names, f.Name.Name+"."+id.Name)
						}
					}
				case *ast.TypeSpec:
					if s.Name.IsExported() && strings.HasSuffix(s.Name.Name, "Error") {
						names = append(names, f.Name.Name+"."+s.Name.Name)
					}
				}
			}
		}
	}
	return names
}

// Every error that the rooms below export has its row in the table.
func TestErrorTableIsComplete(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range errorTable {
		rows[r.name] = true
	}
	n := 0
	for _, dir := range []string{".", "..", "../store", "../jobs", "../../proto/frame", "../../internal/access"} {
		for _, name := range exportedErrors(t, dir) {
			n++
			if _, exempt := notFromCalls[name]; rows[name] == exempt {
				t.Errorf("%s: row %v, exempt %v", name, rows[name], exempt)
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d errors found: the search is broken", n)
	}
}

func TestErrorCodes(t *testing.T) {
	log := &syncBuffer{}
	for _, c := range []struct {
		err  error
		want codes.Code
	}{
		{badField("x", "y"), codes.InvalidArgument},
		{fmt.Errorf("a: %w", store.ErrNotFound), codes.NotFound},
		{fmt.Errorf("a: %w: %w", store.ErrInvalid, errors.New("b")), codes.InvalidArgument},
		{store.ErrConflict, codes.FailedPrecondition},
		{store.ErrFull, codes.ResourceExhausted},
		{store.ErrReadOnly, codes.Unavailable},
		{store.ErrInUse, codes.Unavailable},
		{fmt.Errorf("a: %w", &store.CorruptError{Key: "k", Reason: "r"}), codes.DataLoss},
		{jobs.ErrQueueFull, codes.ResourceExhausted},
		{jobs.ErrClosed, codes.Unavailable},
		{frame.ErrCorrupt, codes.DataLoss},
		{access.ErrUnauthenticated, codes.Unauthenticated},
		{&access.DeniedError{Role: access.Viewer, Action: access.Run}, codes.PermissionDenied},
		{access.ErrNoPerson, codes.PermissionDenied},
		{fmt.Errorf("a: %w", &planner.ApprovalError{Plan: "p", Why: "w"}), codes.FailedPrecondition},
		{context.Canceled, codes.Canceled},
		{fmt.Errorf("a: %w", context.DeadlineExceeded), codes.DeadlineExceeded},
		{&refusal{errors.New("no tumour")}, codes.FailedPrecondition},
		{&refusal{store.ErrFull}, codes.ResourceExhausted},
		{status.Error(codes.Aborted, "as it is"), codes.Aborted},
		{errors.New("secret"), codes.Internal},
	} {
		got := toStatus(slog.New(slog.NewTextHandler(log, nil)), "/m", c.err)
		if status.Code(got) != c.want {
			t.Errorf("%v: %v, want %v", c.err, status.Code(got), c.want)
		}
		if strings.Contains(got.Error(), "secret") {
			t.Errorf("an unknown error is shown: %v", got)
		}
	}
	if toStatus(slog.Default(), "/m", nil) != nil {
		t.Error("no error became one")
	}
	if !strings.Contains(log.String(), "secret") {
		t.Error("an unknown error is not in the log")
	}
}

// The numbers that wire and domain share are the same.
func TestWireNumbers(t *testing.T) {
	for s := planner.RunUnspecified; s <= planner.RunCancelled; s++ {
		if want := "RUN_STATE_" + strings.ToUpper(s.String()); pb.RunState(s).String() != want {
			t.Errorf("state %v is %v on the wire", s, pb.RunState(s))
		}
	}
	if len(pb.RunState_name) != int(planner.RunCancelled)+1 {
		t.Error("the wire has another number of states")
	}
	for e, want := range map[planner.Evidence]pb.Evidence{
		planner.EvidenceComputed: pb.Evidence_EVIDENCE_COMPUTED, planner.EvidenceSource: pb.Evidence_EVIDENCE_SOURCE,
		planner.EvidencePartly: pb.Evidence_EVIDENCE_PARTLY, planner.EvidenceClassic: pb.Evidence_EVIDENCE_CLASSIC,
		planner.EvidenceUnverified: pb.Evidence_EVIDENCE_UNVERIFIED, 77: pb.Evidence_EVIDENCE_UNSPECIFIED,
	} {
		if toEvidence(e) != want {
			t.Errorf("evidence %d is %v on the wire, want %v", e, toEvidence(e), want)
		}
	}
	if pb.PositionFormat_POSITION_FORMAT_FLOAT32 != pb.PositionFormat(frame.PositionFloat32) || pb.PositionFormat_POSITION_FORMAT_UINT16_BBOX != pb.PositionFormat(frame.PositionUint16Box) ||
		pb.FieldFormat_FIELD_FORMAT_FLOAT32 != pb.FieldFormat(frame.FieldFloat32) || pb.FieldFormat_FIELD_FORMAT_UINT16 != pb.FieldFormat(frame.FieldUint16) ||
		pb.Compression_COMPRESSION_NONE != pb.Compression(frame.CompressionNone) || pb.Compression_COMPRESSION_S2 != pb.Compression(frame.CompressionS2) {
		t.Error("the formats of the wire and of package frame have different numbers")
	}
	for _, l := range []imaging.Label{imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelVessel, imaging.LabelTumour, imaging.LabelTumour + imaging.MaxTumours - 1} {
		if got, err := fromLabel("x", toLabel(l)); err != nil || got != l {
			t.Errorf("label %v came back as %v, %v", l, got, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("cases/a/plans/b/runs/c", runPattern)
	f.Add("cases//plans/b", planPattern)
	f.Fuzz(func(t *testing.T, name, pattern string) {
		ids, err := parseName("name", name, pattern)
		if err != nil {
			return
		}
		for _, id := range ids {
			if id == "" || !fs.ValidPath(id) || strings.ContainsAny(id, "/.\\") {
				t.Fatalf("%q gave the id %q", name, id)
			}
			pattern = strings.Replace(pattern, "*", id, 1)
		}
		if pattern != name {
			t.Fatalf("%q was read as %q", name, pattern)
		}
	})
}
