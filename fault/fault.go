// Package fault classifies errors by kind and says which operation they arose in.
//
// Callers switch on the kind, never on text. A layer wraps an error once, with
// the operation it attempted; kinds are pulled up from the inner error.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is a class of error. Numbers are stored in logs and metrics: append, never reorder.
type Kind uint8

// The kinds.
const (
	Internal        Kind = iota // a bug or an unexpected failure of ours
	Invalid                     // the caller's input, a file or a setting is wrong
	NotFound                    // the named thing does not exist, or the caller may not know that it does
	Denied                      // an access rule refused it
	Conflict                    // the thing exists already or was changed meanwhile
	Unavailable                 // a service cannot be reached now; trying later may help
	RateLimited                 // too many requests
	Canceled                    // the caller went away or the run was killed
	Timeout                     // a time limit passed
	Unsupported                 // this connector or build cannot do it
	Limit                       // a named limit was exceeded
	Unauthenticated             // no valid credential was presented
)

var names = [...]string{
	"INTERNAL", "INVALID", "NOT_FOUND", "ACCESS_DENIED", "CONFLICT", "UNAVAILABLE",
	"RATE_LIMITED", "CANCELED", "TIMEOUT", "UNSUPPORTED", "LIMIT_EXCEEDED", "UNAUTHENTICATED",
}

// String returns the code of the kind as clients see it, such as "NOT_FOUND".
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "UNKNOWN"
}

// Error is an error with its kind and where it arose. Empty fields are left out of the text.
type Error struct {
	Op        string // what was attempted: "storage.read", "agent.load"
	Connector string // which connector, when one was involved
	Resource  string // what it was attempted on
	Hint      string // what to do about it: the setting or command to change
	Code      string // a finer code than the kind: "EGRESS_DENIED", "INVALID_DEFINITION", or the name of a limit
	Kind      Kind
	Err       error
}

func (e *Error) Error() string {
	s := ""
	if e.Op != "" {
		s = e.Op
		if e.Connector != "" {
			s += " (" + e.Connector + ")"
		}
		if e.Resource != "" {
			s += " " + fmt.Sprintf("%q", e.Resource)
		}
		s += ": "
	}
	if e.Err != nil {
		s += e.Err.Error()
	} else {
		s += e.Kind.String()
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// New gives err a kind. A nil err gives nil.
func New(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Newf makes an error of a kind from a format; %w works.
func Newf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Limitf makes the error of an exceeded limit with that name. Its code reads LIMIT_EXCEEDED(name).
func Limitf(name, format string, args ...any) error {
	return &Error{Kind: Limit, Code: "LIMIT_EXCEEDED(" + name + ")", Err: fmt.Errorf(format, args...)}
}

// Hint adds what to do to an error. A nil err gives nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Code: CodeOf(err), Err: err, Hint: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the outermost classified error in the chain.
// Errors of package context count as Canceled and Timeout, everything unknown as Internal.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// CodeOf returns the first code in the chain, of joined errors that of the first one that has any, or the name of the
// kind.
func CodeOf(err error) string {
	if code := codeOf(err); code != "" {
		return code
	}
	return KindOf(err).String()
}

func codeOf(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if f, ok := e.(*Error); ok && f.Code != "" {
			return f.Code
		}
		if joined, ok := e.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				if code := codeOf(one); code != "" {
					return code
				}
			}
		}
	}
	return ""
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
