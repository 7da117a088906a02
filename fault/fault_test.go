package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
)

func allKinds() []Kind {
	var out []Kind
	for k := range Kind(len(names)) {
		out = append(out, k)
	}
	return out
}

// The numbers are stored: a kind that moves changes the meaning of old records.
func TestKind_NumbersAndCodes(t *testing.T) {
	t.Parallel()
	want := []struct {
		kind   Kind
		code   string
		status int
		exit   int
	}{
		{Internal, "INTERNAL", 500, 1},
		{Invalid, "INVALID", 422, 3},
		{NotFound, "NOT_FOUND", 404, 4},
		{Denied, "ACCESS_DENIED", 403, 5},
		{Conflict, "CONFLICT", 409, 9},
		{Unavailable, "UNAVAILABLE", 503, 6},
		{RateLimited, "RATE_LIMITED", 429, 6},
		{Canceled, "CANCELED", 499, 130},
		{Timeout, "TIMEOUT", 504, 7},
		{Unsupported, "UNSUPPORTED", 501, 10},
		{Limit, "LIMIT_EXCEEDED", 413, 8},
		{Unauthenticated, "UNAUTHENTICATED", 401, 5},
	}
	if len(want) != len(names) {
		t.Fatalf("%d kinds are described here, %d exist", len(want), len(names))
	}
	for i, w := range want {
		if int(w.kind) != i {
			t.Errorf("%s has the number %d, want %d", w.code, w.kind, i)
		}
		if got := w.kind.String(); got != w.code {
			t.Errorf("kind %d is called %q, want %q", i, got, w.code)
		}
		if got := w.kind.HTTPStatus(); got != w.status {
			t.Errorf("%s.HTTPStatus() = %d, want %d", w.code, got, w.status)
		}
		if got := w.kind.ExitCode(); got != w.exit {
			t.Errorf("%s.ExitCode() = %d, want %d", w.code, got, w.exit)
		}
	}
	if k := Kind(200); k.String() != "UNKNOWN" || k.HTTPStatus() != http.StatusInternalServerError || k.ExitCode() != 1 {
		t.Errorf("kind 200 = %q, %d, %d, want UNKNOWN, 500, 1", k, k.HTTPStatus(), k.ExitCode())
	}
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	cause := errors.New("refused")
	tests := []struct {
		name string
		err  *Error
		want string
	}{
		{"nothing but a kind", &Error{Kind: Timeout}, "TIMEOUT"},
		{"zero", &Error{}, "INTERNAL"},
		{"cause", &Error{Err: cause}, "refused"},
		{"operation", &Error{Op: "storage.read", Err: cause}, "storage.read: refused"},
		{"connector", &Error{Op: "storage.read", Connector: "S3", Err: cause}, "storage.read (S3): refused"},
		{"resource", &Error{Op: "storage.read", Resource: "a\n\"b", Err: cause}, `storage.read "a\n\"b": refused`},
		{"all", &Error{Op: "storage.read", Connector: "S3", Resource: "a", Err: cause, Hint: "check the endpoint"},
			`storage.read (S3) "a": refused (check the endpoint)`},
		{"hint only", &Error{Kind: Denied, Hint: "ask the owner"}, "ACCESS_DENIED (ask the owner)"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%s: Error() = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	base := Newf(NotFound, "no file")
	tests := []struct {
		name string
		err  error
		kind Kind
		code string
	}{
		{"nil", nil, Internal, "INTERNAL"},
		{"unknown error", errors.New("x"), Internal, "INTERNAL"},
		{"classified", base, NotFound, "NOT_FOUND"},
		{"wrapped by fmt", fmt.Errorf("load: %w", base), NotFound, "NOT_FOUND"},
		{"wrapped by another kind", New(Denied, base), Denied, "ACCESS_DENIED"},
		{"canceled", fmt.Errorf("run: %w", context.Canceled), Canceled, "CANCELED"},
		{"deadline", fmt.Errorf("run: %w", context.DeadlineExceeded), Timeout, "TIMEOUT"},
		{"classified around canceled", New(Unavailable, context.Canceled), Unavailable, "UNAVAILABLE"},
		{"joined", errors.Join(errors.New("x"), base), NotFound, "NOT_FOUND"},
		{"limit", Limitf("steps", "too many"), Limit, "LIMIT_EXCEEDED(steps)"},
		{"limit, wrapped", New(Invalid, Limitf("steps", "too many")), Invalid, "LIMIT_EXCEEDED(steps)"},
		{"hint keeps kind and code", Hint(Limitf("steps", "too many"), "raise steps"), Limit, "LIMIT_EXCEEDED(steps)"},
		{"hint on a plain error", Hint(fs.ErrNotExist, "create it"), Internal, "INTERNAL"},
		{"outer code wins", &Error{Code: "OUTER", Err: &Error{Code: "INNER"}}, Internal, "OUTER"},
	}
	for _, tt := range tests {
		if got := KindOf(tt.err); got != tt.kind {
			t.Errorf("%s: KindOf = %v, want %v", tt.name, got, tt.kind)
		}
		if got := CodeOf(tt.err); got != tt.code {
			t.Errorf("%s: CodeOf = %q, want %q", tt.name, got, tt.code)
		}
	}
}

func TestNilStaysNil(t *testing.T) {
	t.Parallel()
	if err := New(NotFound, nil); err != nil {
		t.Errorf("New(kind, nil) = %v, want nil", err)
	}
	if err := Hint(nil, "do %s", "it"); err != nil {
		t.Errorf("Hint(nil) = %v, want nil", err)
	}
	for _, k := range allKinds() {
		if Is(nil, k) {
			t.Errorf("Is(nil, %v) = true, want false", k)
		}
	}
}

// The chain stays open: what was wrapped can still be found.
func TestUnwrap(t *testing.T) {
	t.Parallel()
	err := Hint(Newf(NotFound, "open: %w", fs.ErrNotExist), "create %s", "it")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("errors.Is(%v, fs.ErrNotExist) = false", err)
	}
	if !Is(err, NotFound) {
		t.Errorf("Is(%v, NotFound) = false", err)
	}
	if !strings.HasSuffix(err.Error(), "(create it)") {
		t.Errorf("text = %q, want the hint at its end", err)
	}
}

func TestCodeOf_Joined(t *testing.T) {
	t.Parallel()
	coded := &Error{Kind: Invalid, Code: "CONFIG_UNSAFE"}
	err := fmt.Errorf("start: %w", errors.Join(errors.New("first"), &Error{Kind: Denied, Err: coded}, &Error{Code: "LATER"}))
	if got := CodeOf(err); got != "CONFIG_UNSAFE" {
		t.Errorf("CodeOf = %q, want CONFIG_UNSAFE", got)
	}
}
