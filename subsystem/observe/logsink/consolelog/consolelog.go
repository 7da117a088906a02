// Package consolelog prints records of agents and refusals to the log of the runtime.
//
// The log decides where lines go and how they look. Records of calls are printed at debug, as they are many; refusals of
// the access rules are the audit of a runtime without another one, and are warnings.
package consolelog

import (
	"context"
	"log/slog"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	Level   string `json:"level" sre:"enum=debug|info" default:"debug" doc:"The level that records of calls have."`
	Preview int    `json:"preview" sre:"min=0" default:"1000" doc:"How much of an input or output is printed, in characters."`
	Audit   bool   `json:"audit" default:"true" doc:"Print what access rules and the egress policy refuse, as warnings."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(logsink.Kind, "ConsoleLog", "Prints to the log of the runtime.", open).
	WithDoc("`LOG_LEVEL=debug` shows the calls of components. Nothing is kept: an id of a record only joins its lines.")

type console struct {
	log      *slog.Logger
	level    slog.Level
	settings Settings
	events   *event.Bus
	effects  effect.Source

	mu   sync.Mutex
	stop func() // ends the audit; nil when there is none
}

func open(_ context.Context, env connector.Env, s Settings) (logsink.Connector, error) {
	c := &console{log: env.Log, level: slog.LevelDebug, settings: s, events: env.Events, effects: env.Effects}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if s.Level == "info" {
		c.level = slog.LevelInfo
	}
	return c, nil
}

// Start begins the audit.
func (c *console) Start(context.Context) error {
	if !c.settings.Audit || c.events == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = event.On(c.events, func(ctx context.Context, d access.Decision) {
		if d.Allowed {
			return
		}
		attrs := []slog.Attr{slog.String("operation", d.Operation), slog.String("resource", d.Resource), slog.String("rule", string(d.Rule))}
		if !d.Candidate.IsZero() {
			attrs = append(attrs, slog.String("candidate", d.Candidate.String()))
		}
		c.log.LogAttrs(ctx, slog.LevelWarn, "access denied", attrs...)
	})
	return nil
}

// Close ends the audit.
func (c *console) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
	return nil
}

// Write prints a record. Any id is taken for one of the agent's: nothing is kept that could tell.
func (c *console) Write(ctx context.Context, g access.Grant[access.Write], id string, r logsink.Record) (string, error) {
	what := "call"
	if id == "" {
		id = "log-" + c.effects.NewID()
	} else {
		what = "call ended"
	}
	if !c.log.Enabled(ctx, c.level) {
		return id, nil
	}
	attrs := []slog.Attr{slog.String("agent", g.Candidate().ID()), slog.String("record", id)}
	for _, t := range []struct{ name, text string }{
		{"component", r.Component}, {"name", r.Name}, {"source", r.Source}, {"workflow", r.Workflow}, {"process", r.Process},
		{"session", r.Session}, {"domain", r.Domain}, {"tags", r.Tags}, {"error", r.Error},
	} {
		if t.text != "" {
			attrs = append(attrs, slog.String(t.name, t.text))
		}
	}
	if r.Step != 0 {
		attrs = append(attrs, slog.Int("step", r.Step))
	}
	if !r.Began.IsZero() && !r.Ended.IsZero() {
		attrs = append(attrs, slog.Duration("took", r.Ended.Sub(r.Began)))
	}
	for _, d := range []struct {
		name string
		data value.Value
	}{{"input", r.Input}, {"output", r.Output}, {"result", r.Result}} {
		if !d.data.IsAbsent() {
			attrs = append(attrs, slog.String(d.name, c.preview(d.data)))
		}
	}
	c.log.LogAttrs(ctx, c.level, what, attrs...)
	return id, nil
}

// preview returns the beginning of a value as text.
func (c *console) preview(v value.Value) string {
	text := v.Plain()
	n := 0
	for i := range text {
		if n == c.settings.Preview {
			return text[:i] + "..."
		}
		n++
	}
	return text
}

// Count prints a number of tasks.
func (c *console) Count(ctx context.Context, g access.Grant[access.Write], tasks int) error {
	c.log.LogAttrs(ctx, c.level, "tasks", slog.String("agent", g.Candidate().ID()), slog.Int("count", tasks))
	return nil
}

var (
	_ logsink.Connector = (*console)(nil)
	_ connector.Starter = (*console)(nil)
	_ connector.Closer  = (*console)(nil)
)
