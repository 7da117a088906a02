// Package redact takes secrets out of the data of agents on its way out of the runtime.
//
// It looks at every text of a value, the names of members among them, and at
// numbers when a secret could be one. What holds no secret is given back as it
// is, without a copy, so that looking costs only the looking.
package redact

import (
	"strings"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Value returns v without the secrets of r: v itself when it holds none. A nil r takes nothing out.
func Value(r *secret.Redactor, v value.Value) value.Value {
	if r == nil {
		return v
	}
	v, _ = redacted(r, v)
	return v
}

// redacted also reports whether something was taken out.
func redacted(r *secret.Redactor, v value.Value) (value.Value, bool) {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		if clean, changed := text(r, s); changed {
			return value.Of(clean), true
		}
	case value.Number:
		if !r.Numeric() {
			return v, false
		}
		if clean, changed := text(r, v.Text()); changed {
			return value.Of(clean), true
		}
	case value.Array:
		return items(r, v)
	case value.Object:
		return members(r, v)
	}
	return v, false
}

// text reports whether it changed. Texts that hold no secret come back as the same text, so comparing them is quick.
func text(r *secret.Redactor, s string) (string, bool) {
	clean := r.Text(s)
	return clean, len(clean) != len(s) || clean != s
}

func items(r *secret.Redactor, v value.Value) (value.Value, bool) {
	var out []value.Value // nil until something changed
	for i, it := range v.Items() {
		clean, changed := redacted(r, it)
		if changed && out == nil {
			out = append(make([]value.Value, 0, v.Len()), v.Items()[:i]...)
		}
		if out != nil {
			out = append(out, clean)
		}
	}
	if out == nil {
		return v, false
	}
	return value.OfItems(out), true
}

func members(r *secret.Redactor, v value.Value) (value.Value, bool) {
	var out []value.Member
	for i, m := range v.Members() {
		key, renamed := text(r, m.Key)
		clean, changed := redacted(r, m.Value)
		if (renamed || changed) && out == nil {
			out = append(make([]value.Member, 0, v.Len()), v.Members()[:i]...)
		}
		if out == nil {
			continue
		}
		if renamed {
			key = distinct(out, key)
		}
		out = append(out, value.M(key, clean))
	}
	if out == nil {
		return v, false
	}
	return value.OfMembers(out), true
}

// distinct changes a name that was redacted until no member before it has it: two secrets must not become one member.
func distinct(members []value.Member, key string) string {
	for n := 0; n < len(members); n++ {
		if members[n].Key == key {
			key, n = key+"'", -1
		}
	}
	return key
}

// Values redacts several at once, see [Value].
func Values(r *secret.Redactor, vs ...*value.Value) {
	for _, v := range vs {
		*v = Value(r, *v)
	}
}

// Texts redacts several texts at once.
func Texts(r *secret.Redactor, texts ...*string) {
	for _, t := range texts {
		*t = r.Text(*t)
	}
}

// All returns the text without the secrets of any of the redactors.
func All(rs []*secret.Redactor, s string) string {
	for _, r := range rs {
		s = r.Text(s)
	}
	return s
}

// Stream redacts a text that comes in pieces, see [secret.Writer]: what may be the beginning of a secret is held back
// until the next piece. It is for one goroutine at a time.
type Stream struct {
	out strings.Builder
	w   *secret.Writer
}

// NewStream returns the stream of a redactor, which may be nil.
func NewStream(r *secret.Redactor) *Stream {
	s := &Stream{}
	s.w = r.Writer(&s.out)
	return s
}

// Next returns what can be passed on after another piece, "" when all of it is held back.
func (s *Stream) Next(piece string) string {
	_, _ = s.w.Write([]byte(piece)) // a builder takes everything
	return s.take()
}

// End returns what was held back. Nothing comes after it.
func (s *Stream) End() string {
	_ = s.w.Close()
	return s.take()
}

func (s *Stream) take() string {
	text := s.out.String()
	s.out.Reset()
	return text
}
