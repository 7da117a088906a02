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
	"slices"
	"strings"
)

// Redacted is what a secret prints as.
const Redacted = "[REDACTED]"

// Value is a secret string, and the hosts it may be sent to. The zero Value is empty. It is immutable and safe for
// concurrent use.
type Value struct {
	text  *string
	hosts *[]string // nil for any
}

// New wraps a string that may be sent to any host.
func New(s string) Value { return Value{text: &s} }

// For returns the secret bound to hosts: names, or "*.name" for all names below one. Without hosts it may be sent to any.
func (v Value) For(hosts ...string) Value {
	v.hosts = nil
	if len(hosts) > 0 {
		own := slices.Clone(hosts)
		v.hosts = &own
	}
	return v
}

// Only returns the secret bound to one host. One that may not be sent there stays bound as it is.
func (v Value) Only(host string) Value {
	if !v.MayGoTo(host) {
		return v
	}
	return v.For(host)
}

// Hosts returns the hosts that the secret is bound to, nil for any. The caller owns the slice.
func (v Value) Hosts() []string {
	if v.hosts == nil {
		return nil
	}
	return slices.Clone(*v.hosts)
}

// MayGoTo reports whether the secret may be sent to a host, a name or an address without a port.
func (v Value) MayGoTo(host string) bool {
	return v.hosts == nil || slices.ContainsFunc(*v.hosts, func(pattern string) bool { return matchesHost(pattern, host) })
}

// Join returns one secret of several texts and secrets. It may be sent where all of them may be sent; secrets that are bound
// to different hosts give one that may be sent nowhere.
func Join(parts ...Value) Value {
	if len(parts) == 1 {
		return parts[0]
	}
	var text strings.Builder
	var hosts *[]string
	for _, p := range parts {
		text.WriteString(p.Reveal())
		switch {
		case p.hosts == nil:
		case hosts == nil:
			hosts = p.hosts
		default:
			both := slices.DeleteFunc(slices.Clone(*hosts), func(h string) bool { return !slices.Contains(*p.hosts, h) })
			hosts = &both
		}
	}
	joined := New(text.String())
	joined.hosts = hosts
	return joined
}

// matchesHost compares names as the network does: without regard to case and to the dot of the root.
func matchesHost(pattern, host string) bool {
	pattern, host = strings.TrimSuffix(strings.ToLower(pattern), "."), strings.TrimSuffix(strings.ToLower(host), ".")
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+below)
	}
	return pattern == host
}

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
