package agent_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/data"
	"github.com/sre-go/sre/components/flow"
	"github.com/sre-go/sre/components/functions"
	"github.com/sre-go/sre/components/hosted"
	"github.com/sre-go/sre/components/logic"
	"github.com/sre-go/sre/components/notes"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

type subject struct {
	m    *agent.Manager
	logs bool
}

type store struct {
	mu sync.Mutex
	m  map[string]string
}

func (s *store) Load(_ context.Context, as scope.Scope, key string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[key]
	return v, ok, nil
}
func (s *store) Save(_ context.Context, as scope.Scope, key, text string, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[key] = text
	return nil
}

type team struct{}

func (team) TeamOf(context.Context, access.Candidate) (string, error) { return "default", nil }

func boot(t testing.TB, env conformance.Environment) conformance.Subject {
	var defs []component.Definition
	for _, d := range [][]component.Definition{skills.Definitions(), functions.Definitions(), logic.Definitions(), flow.Definitions(), data.Definitions(), notes.Definitions(), hosted.Definitions()} {
		defs = append(defs, d...)
	}
	m := agent.NewManager(agent.Config{Components: defs, Effects: effect.System{}, Limits: limits.Default(), Teams: team{}, Sessions: &store{m: map[string]string{}}, ComponentLogs: env.Logs})
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	return &subject{m: m}
}

func (s *subject) Deploy(ctx context.Context, v value.Value) (conformance.Agent, error) {
	doc, err := agentfile.FromValue(v, s.m.Bounds())
	if err != nil {
		return nil, err
	}
	a, err := s.m.Load(ctx, doc, agent.Options{Private: true})
	if err != nil {
		return nil, err
	}
	return &deployed{a}, nil
}

type deployed struct{ *agent.Agent }

func (d *deployed) Close() { _ = d.Agent.Close(context.Background()) }

type watcher struct {
	mu     sync.Mutex
	events []conformance.Event
}

func (w *watcher) Watch(name string, v value.Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, conformance.Event{Event: name, Data: v})
}

func (d *deployed) Run(ctx context.Context, r conformance.Request) conformance.Response {
	var w watcher
	if r.KillAfter > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		reason := r.KillReason
		if reason == "" {
			reason = "kill"
		}
		timer := time.AfterFunc(r.KillAfter, func() { cancel(&engine.KilledError{Reason: reason}) })
		defer timer.Stop()
	}
	req := agent.Request{Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Body, Query: r.Query, Files: r.Files, SessionID: r.SessionID, Debugger: true}
	if r.SSE {
		req.Watcher = &w
	}
	if r.ReadState != "" {
		v, err := d.ReadDebug(ctx, r.ReadState)
		if err != nil {
			return conformance.Response{Threw: err.Error()}
		}
		return conformance.Response{Data: v}
	}
	res, err := d.Agent.Run(ctx, req)
	if err != nil {
		var p *engine.PanicError
		if errors.As(err, &p) {
			println(string(p.Stack))
		}
		res.Data = agent.ErrorData(err)
	}
	return conformance.Response{Data: res.Data, Status: res.Status, SSE: w.events}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, boot, conformance.Options{Folders: os.Getenv(conformance.FoldersVariable), Areas: []string{"endpoint", "flow", "foreach", "functions", "logic", "async", "debug", "debuglog"}})
}
