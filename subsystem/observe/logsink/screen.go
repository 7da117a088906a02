package logsink

import (
	"context"
	"log/slog"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/redact"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// without returns the record without what is named like a secret and without the secrets of the redactors, wherever they
// stand.
func (r Record) without(secrets []*secret.Redactor) Record {
	r = r.redacted()
	for _, s := range secrets {
		redact.Values(s, &r.Input, &r.Output, &r.Result)
		redact.Texts(s, &r.Source, &r.Component, &r.Name, &r.Domain, &r.Workflow, &r.Process, &r.Session, &r.Tags, &r.Error)
	}
	return r
}

// redactors returns what takes the secrets of the team out that something is done for: those of all teams when nobody
// said which it is.
func redactors(ctx context.Context, secrets *secret.Registry, who access.Candidate) []*secret.Redactor {
	if secrets.Empty() {
		return nil
	}
	acting := access.ActingOf(ctx)
	if acting.Team == "" || !who.IsZero() && acting.Candidate != who {
		return secrets.All()
	}
	if one := secrets.For(acting.Team); one != nil {
		return []*secret.Redactor{one}
	}
	return nil
}

// Screen returns a handler that takes the secrets of the registry out of records before it hands them to next: out of
// messages, names and values, those of the team that something is done for, or of all teams when the context does not
// say. While the registry is empty records pass as they are. It is as safe for concurrent use as next.
func Screen(next slog.Handler, secrets *secret.Registry) slog.Handler {
	return &screen{base: next, bound: next, secrets: secrets}
}

// screen is a handler in front of another one.
type screen struct {
	base    slog.Handler // before With
	bound   slog.Handler // after it: takes records while nothing of what With was given is a secret
	with    []binding
	secrets *secret.Registry
}

// binding is one With: attributes, or a group.
type binding struct {
	attrs []slog.Attr
	group string
}

// Enabled implements [slog.Handler].
func (s *screen) Enabled(ctx context.Context, level slog.Level) bool {
	return s.bound.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (s *screen) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &screen{base: s.base, bound: s.bound.WithAttrs(attrs), with: append(slices.Clip(s.with), binding{attrs: attrs}), secrets: s.secrets}
}

// WithGroup implements [slog.Handler].
func (s *screen) WithGroup(name string) slog.Handler {
	return &screen{base: s.base, bound: s.bound.WithGroup(name), with: append(slices.Clip(s.with), binding{group: name}), secrets: s.secrets}
}

// Handle implements [slog.Handler].
func (s *screen) Handle(ctx context.Context, r slog.Record) error {
	rs := redactors(ctx, s.secrets, access.Candidate{})
	if rs == nil {
		return s.bound.Handle(ctx, r)
	}
	clean := slog.NewRecord(r.Time, r.Level, redact.All(rs, r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		a, _ = attr(rs, a)
		clean.AddAttrs(a)
		return true
	})
	return s.rebound(rs).Handle(ctx, clean)
}

// rebound returns the handler with what With was given, without secrets: they may have been handed out since.
func (s *screen) rebound(rs []*secret.Redactor) slog.Handler {
	changed := false
	with := make([]binding, len(s.with))
	for i, b := range s.with {
		with[i] = binding{group: redact.All(rs, b.group), attrs: slices.Clone(b.attrs)}
		changed = changed || with[i].group != b.group
		for j, a := range b.attrs {
			var dirty bool
			with[i].attrs[j], dirty = attr(rs, a)
			changed = changed || dirty
		}
	}
	if !changed {
		return s.bound
	}
	h := s.base
	for _, b := range with {
		if b.group != "" {
			h = h.WithGroup(b.group)
		} else {
			h = h.WithAttrs(b.attrs)
		}
	}
	return h
}

// attr returns an attribute without the secrets, and whether it had any. What is no text is looked at as the text that
// it prints as.
func attr(rs []*secret.Redactor, a slog.Attr) (slog.Attr, bool) {
	v := a.Value.Resolve()
	key := redact.All(rs, a.Key)
	changed := key != a.Key
	switch v.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindTime, slog.KindFloat64:
	case slog.KindGroup:
		group := slices.Clone(v.Group())
		for i, in := range group {
			var dirty bool
			group[i], dirty = attr(rs, in)
			changed = changed || dirty
		}
		v = slog.GroupValue(group...)
	case slog.KindAny:
		if in, ok := v.Any().(value.Value); ok {
			clean := in
			for _, r := range rs {
				clean = redact.Value(r, clean)
			}
			if !value.Equal(clean, in) {
				v, changed = slog.AnyValue(clean), true
			}
			break
		}
		if b, ok := v.Any().([]byte); ok && redact.All(rs, string(b)) != string(b) {
			v, changed = slog.StringValue(redact.All(rs, string(b))), true
			break
		}
		if plain := text(v); redact.All(rs, plain) != plain {
			v, changed = slog.StringValue(redact.All(rs, plain)), true
		}
	default:
		if plain := v.String(); redact.All(rs, plain) != plain {
			v, changed = slog.StringValue(redact.All(rs, plain)), true
		}
	}
	return slog.Attr{Key: key, Value: v}, changed
}

var _ slog.Handler = (*screen)(nil)
