package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Identity is who calls. It prints and logs as its role only: subject and
// name are for the audit trail and for approvals, not for logs.
type Identity struct {
	Subject string // a person's or a system's account
	Role    Role
	// Person is the name of the person whose account it is; empty: a machine's,
	// which decides nothing.
	Person string
}

// LogValue hides who it is.
func (id Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("role", string(id.Role)), slog.String("subject", redacted))
}

// String hides who it is, so that no format verb shows it by accident.
func (id Identity) String() string { return fmt.Sprintf("%s(%s)", id.Role, redacted) }

// GoString hides who it is from %#v.
func (id Identity) GoString() string { return id.String() }

// MarshalText hides who it is from JSON and other encodings.
func (id Identity) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// Validate reports an identity without subject or role, or with a name that
// cannot be shown: up to 256 bytes of text without control characters.
func (id Identity) Validate() error {
	switch {
	case id.Subject == "" || !id.Role.Valid():
		return fmt.Errorf("an identity needs a subject and a role, not %v", id)
	case id.Person != "" && strings.TrimSpace(id.Person) == "",
		len(id.Person) > maxPerson, !utf8.ValidString(id.Person), strings.ContainsFunc(id.Person, unicode.IsControl):
		return fmt.Errorf("the name of a person is up to %d bytes of text without control characters", maxPerson)
	}
	return nil
}

// maxPerson bounds the name of a person, in bytes.
const maxPerson = 256

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

// ErrNoPerson says that an action is for people alone.
var ErrNoPerson = errors.New("this token belongs to a machine: a person has to call with a token of their own")

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

// RequirePerson is Require for what only a person may do: it returns who it is,
// and ErrNoPerson if the account is a machine's.
func RequirePerson(ctx context.Context, a Action) (Identity, error) {
	if err := Require(ctx, a); err != nil {
		return Identity{}, err
	}
	id, _ := From(ctx)
	if id.Person == "" {
		return Identity{}, ErrNoPerson
	}
	return id, nil
}
