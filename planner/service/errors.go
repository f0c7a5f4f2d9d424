package service

import (
	"context"
	"errors"
	"log/slog"

	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/store"
	"halsted/proto/frame"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// rule says with which code an error of the domain leaves the house.
type rule struct {
	name  string // as exported, for the test of completeness
	match func(error) bool
	code  codes.Code
}

func is(name string, target error, code codes.Code) rule {
	return rule{name, func(err error) bool { return errors.Is(err, target) }, code}
}

func as[T error](name string, code codes.Code) rule {
	return rule{name, func(err error) bool { _, ok := errors.AsType[T](err); return ok }, code}
}

// errorTable is read from the top; the first match wins. A test checks that it
// names every exported error of the rooms the service calls.
var errorTable = []rule{
	as[*FieldError]("service.FieldError", codes.InvalidArgument),
	is("access.ErrUnauthenticated", access.ErrUnauthenticated, codes.Unauthenticated),
	as[*access.DeniedError]("access.DeniedError", codes.PermissionDenied),
	is("access.ErrNoPerson", access.ErrNoPerson, codes.PermissionDenied),
	as[*planner.ApprovalError]("planner.ApprovalError", codes.FailedPrecondition),
	is("store.ErrPageToken", store.ErrPageToken, codes.InvalidArgument),
	is("store.ErrNotFound", store.ErrNotFound, codes.NotFound),
	is("store.ErrInvalid", store.ErrInvalid, codes.InvalidArgument),
	is("store.ErrConflict", store.ErrConflict, codes.FailedPrecondition),
	is("store.ErrFull", store.ErrFull, codes.ResourceExhausted),
	is("store.ErrReadOnly", store.ErrReadOnly, codes.Unavailable),
	is("store.ErrInUse", store.ErrInUse, codes.Unavailable),
	as[*store.CorruptError]("store.CorruptError", codes.DataLoss),
	is("jobs.ErrQueueFull", jobs.ErrQueueFull, codes.ResourceExhausted),
	is("jobs.ErrClosed", jobs.ErrClosed, codes.Unavailable),
	is("frame.ErrCorrupt", frame.ErrCorrupt, codes.DataLoss),
	is("context.Canceled", context.Canceled, codes.Canceled),
	is("context.DeadlineExceeded", context.DeadlineExceeded, codes.DeadlineExceeded),
	as[*refusal]("service.refusal", codes.FailedPrecondition), // last: what it wraps may be known above
}

// toStatus turns an error of the domain into a gRPC status. An error that the
// table does not know stays in the log: its text may tell too much.
func toStatus(log *slog.Logger, method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	for _, r := range errorTable {
		if !r.match(err) {
			continue
		}
		field, text := "", err.Error()
		if f, ok := errors.AsType[*FieldError](err); ok {
			field = f.Field
		} else if errors.Is(err, store.ErrPageToken) {
			field, text = "page_token", "page_token: "+text
		}
		s := status.New(r.code, text)
		if field != "" {
			if d, derr := s.WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: text}}}); derr == nil {
				s = d
			}
		}
		if r.code == codes.DataLoss {
			log.Error("damaged data", "method", method, "error", err.Error())
		}
		return s.Err()
	}
	log.Error("internal error", "method", method, "error", err.Error())
	return status.Error(codes.Internal, "internal error; the service's log has the details")
}
