package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Identity is who calls. It prints and logs as its role only: the subject is
// for the audit trail, not for logs.
type Identity struct {
	Subject string // a person's or a system's account
	Role    Role
}

// LogValue hides the subject.
func (id Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("role", string(id.Role)), slog.String("subject", redacted))
}

// String hides the subject, so that no format verb shows it by accident.
func (id Identity) String() string { return fmt.Sprintf("%s(%s)", id.Role, redacted) }

// GoString hides the subject from %#v.
func (id Identity) GoString() string { return id.String() }

const redacted = "redacted"

type contextKey struct{}

// WithIdentity returns a context that carries id.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From returns the identity in ctx; ok is false if nobody was authenticated.
func From(ctx context.Context) (id Identity, ok bool) {
	id, ok = ctx.Value(contextKey{}).(Identity)
	return id, ok
}

// ErrUnauthenticated says that the caller did not prove who they are.
var ErrUnauthenticated = errors.New("no valid token: send the header \"Authorization: Bearer <token>\"")

// DeniedError says that the caller's role lacks an action.
type DeniedError struct {
	Role   Role
	Action Action
}

func (e *DeniedError) Error() string { return fmt.Sprintf("role %s may not %s", e.Role, e.Action) }

// Require returns nil if the identity in ctx may do a, ErrUnauthenticated if
// there is none, and a *DeniedError otherwise.
func Require(ctx context.Context, a Action) error {
	id, ok := From(ctx)
	if !ok {
		return ErrUnauthenticated
	}
	if !id.Role.May(a) {
		return &DeniedError{id.Role, a}
	}
	return nil
}
