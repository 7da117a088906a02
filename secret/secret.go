// Package secret holds strings that do not print themselves.
//
// A key read from a vault is a Value from the moment it is decoded until it is
// put on the wire. Formatting, logging or marshalling one gives Redacted, so
// that it cannot leak through an error, a log record or a dump of settings.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a secret prints as.
const Redacted = "[REDACTED]"

// Value is a secret string. The zero Value is empty. It is immutable and safe for concurrent use.
type Value struct{ text *string }

// New wraps a string.
func New(s string) Value { return Value{text: &s} }

// Reveal returns the string itself. Call it only where the secret is used: next to the wire or the hash.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether there is no secret or an empty one.
func (v Value) IsZero() bool { return v.text == nil || *v.text == "" }

// Equal compares in constant time. Two empty values are not equal: an absent secret matches nothing.
func (v Value) Equal(other Value) bool {
	if v.IsZero() || other.IsZero() {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(*v.text), []byte(*other.text)) == 1
}

// String returns Redacted.
func (v Value) String() string { return Redacted }

// GoString returns Redacted.
func (v Value) GoString() string { return Redacted }

// Format writes Redacted for every verb, also for those that would print memory.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns Redacted, so that JSON and YAML dumps hold no secret.
func (v Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns Redacted to log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(Redacted) }

var (
	_ fmt.Formatter  = Value{}
	_ fmt.GoStringer = Value{}
	_ slog.LogValuer = Value{}
)
