package logsink

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
)

// Options say how log lines are printed. The zero Options print everything from info on, as JSON.
type Options struct {
	Level  slog.Leveler // nil for info
	People bool         // for people: time, level, message and name=value, instead of JSON
	Colour bool         // with People: colours of a terminal
	// Filter lists parts of names of connectors and packages; lines that have such a name ("connector", "module") are
	// printed only when it holds one of them. Empty for all.
	Filter []string
	Line   int // bytes of one line, after which it is cut; 0 for the limit log_line_bytes
}

// NewHandler returns a handler that prints one line for each record, in one write. Names and texts cannot break a line
// or reach the terminal behind it, attributes that are named like secrets are redacted, and long lines are cut. It is
// safe for concurrent use; errors of w are returned and end nothing.
func NewHandler(w io.Writer, o Options) slog.Handler {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	if o.Line <= 0 {
		o.Line = limits.Default().LogLineBytes
	}
	return &handler{options: o, out: &output{w: w}}
}

// output writes whole lines.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// handler prints records. It is not changed once made: With makes another one.
type handler struct {
	options Options
	out     *output
	attrs   []field // of all its records, with the names of their groups
	group   string  // "a.b." for what is added now
	mute    bool    // the filter leaves its records out
}

// field is an attribute ready to be printed.
type field struct {
	name  string
	value slog.Value
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return !h.mute && level >= h.options.Level.Level()
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.group += name + "."
	return &c
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = h.attrs[:len(h.attrs):len(h.attrs)]
	for _, a := range attrs {
		c.attrs = flatten(c.attrs, h.group, a)
		if a.Key == "connector" || a.Key == "module" {
			c.mute = c.mute || !matches(h.options.Filter, a.Value.String())
		}
	}
	return &c
}

func matches(filter []string, name string) bool {
	for _, f := range filter {
		if strings.Contains(strings.ToLower(name), strings.ToLower(f)) {
			return true
		}
	}
	return len(filter) == 0
}

// Handle implements [slog.Handler].
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	fields := h.attrs[:len(h.attrs):len(h.attrs)]
	r.Attrs(func(a slog.Attr) bool {
		fields = flatten(fields, h.group, a)
		return true
	})
	var line []byte
	if h.options.People {
		line = h.people(r, fields)
	} else {
		line = h.machines(r, fields)
	}
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := h.out.w.Write(line)
	return err
}

// flatten appends an attribute, or those of a group, with secrets redacted.
func flatten(to []field, group string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, in := range v.Group() {
			to = flatten(to, group, in)
		}
		return to
	}
	if a.Equal(slog.Attr{}) {
		return to
	}
	if k := v.Kind(); Secret(group+a.Key) && (k == slog.KindString || k == slog.KindAny) {
		v = slog.StringValue(secret.Redacted)
	}
	return append(to, field{group + a.Key, v})
}

// timeForm is the time of a line: RFC 3339 in UTC with milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

func stamp(t time.Time) string { return t.UTC().Format(timeForm) }
