package agent

import (
	"context"
	"strings"
	"sync"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/redact"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Redactor returns what takes the secrets out that the team of the agent was handed, as far as they are known now; nil
// when there are none. Whoever passes on what the agent answered, said or failed with asks for it afterwards: the run may
// have read secrets.
func (a *Agent) Redactor() *secret.Redactor { return a.manager.cfg.Secrets.For(a.team) }

// screen passes the events of runs on to a watcher without the secrets of the team.
type screen struct {
	agent *Agent
	to    engine.Watcher

	mu      sync.Mutex
	streams map[*component.Call]*stream // of the calls that have said something
}

// stream is what one call says, which may cut a secret in two.
type stream struct {
	by                *secret.Redactor
	content, thinking *redact.Stream
	oneLine           bool
}

// screened returns the watcher of a run behind a screen. An agent that was called by another one of the team has the
// screen of its caller.
func (a *Agent) screened(to engine.Watcher) engine.Watcher {
	if s, ok := to.(*screen); to == nil || a.manager.cfg.Secrets == nil || ok && s.agent.team == a.team {
		return to
	}
	return &screen{agent: a, to: to}
}

// Watch implements [engine.Watcher].
func (s *screen) Watch(name string, payload value.Value) {
	s.to.Watch(name, redact.Value(s.agent.Redactor(), payload))
}

// say passes a piece of partial output on. What may be the beginning of a secret waits for the next piece.
func (s *screen) say(call *component.Call, d component.Delta) {
	by := s.agent.Redactor()
	if by == nil {
		tell(s.to, d)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[call]
	if st == nil || st.by != by {
		s.end(st)
		st = &stream{by: by, content: redact.NewStream(by), thinking: redact.NewStream(by)}
		if s.streams == nil {
			s.streams = map[*component.Call]*stream{}
		}
		s.streams[call] = st
	}
	st.oneLine = d.OneLine
	tell(s.to, component.Delta{Content: st.content.Next(d.Content), Thinking: st.thinking.Next(d.Thinking), OneLine: st.oneLine})
}

// said passes on what still waits of a call, which has ended.
func (s *screen) said(call *component.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(s.streams[call])
	delete(s.streams, call)
}

func (s *screen) end(st *stream) {
	if st != nil {
		tell(s.to, component.Delta{Content: st.content.End(), Thinking: st.thinking.End(), OneLine: st.oneLine})
	}
}

// tell gives partial output to a watcher.
func tell(w engine.Watcher, d component.Delta) {
	if d.OneLine {
		d.Content, d.Thinking = strings.ReplaceAll(d.Content, "\n", `\n`), strings.ReplaceAll(d.Thinking, "\n", `\n`)
	}
	if d.Content != "" {
		w.Watch("llm/passthrough/content", value.Of(d.Content))
	}
	if d.Thinking != "" {
		w.Watch("llm/passthrough/thinking", value.Of(d.Thinking))
	}
}

// screening is the middleware that tells the screen when a call has ended, outermost.
func (s *screen) screening(next engine.Handler) engine.Handler {
	return func(ctx context.Context, inv *engine.Invocation) (value.Value, error) {
		defer s.said(&inv.Call)
		return next(ctx, inv)
	}
}

// use returns the middleware of a run.
func (x *execution) use() []engine.Middleware {
	all := x.agent.manager.cfg.Use
	if s, ok := x.watcher.(*screen); ok {
		return append([]engine.Middleware{s.screening}, all...)
	}
	return all
}
