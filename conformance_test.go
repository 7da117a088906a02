package sre_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// areas are the areas of recorded cases of agents that this runtime answers so far. Two more have tests of their own:
// conversations and the kernel.
func areas() []string {
	return []string{
		"agentplugin", "anthropic", "apicall", "async", "classifier", "debug", "debuglog", "endpoint", "filestore", "flow", "foreach", "functions", "genaillm",
		"gptplugin", "llmassistant", "logic", "memory", "multimodalllm", "promptgenerator", "rag",
	}
}

// TestConformance runs the recorded cases of the reference against a whole runtime. Each run is recorded, then played
// again with all doors closed, and has to end in the same state byte for byte.
func TestConformance(t *testing.T) {
	t.Parallel()
	s := conformance.Run(t, boot, conformance.Options{
		Folders: os.Getenv(conformance.FoldersVariable), Areas: areas(), Select: func(c *conformance.Case) bool { return c.Kind != conformance.KindConversation },
	})
	if n := len(s.Outcomes); n < 250 {
		t.Errorf("%d cases ran, want those of all areas", n)
	}
}

// subject is a runtime for one case. It starts with the agent, because who the agent belongs to is configuration.
type subject struct {
	t   testing.TB
	env conformance.Environment
}

func boot(t testing.TB, env conformance.Environment) conformance.Subject { return &subject{t, env} }

func (s *subject) Deploy(ctx context.Context, file value.Value) (conformance.Agent, error) {
	l := limits.Default()
	doc, err := agentfile.FromValue(file, agentfile.Bounds{Bytes: l.SmythBytes, Components: l.SmythComponents, Depth: l.JSONDepth, Values: l.JSONValues})
	if err != nil {
		return nil, err
	}
	s.write("vault.json", s.env.Vault)
	s.write("account.json", withAgent(s.env.Accounts, doc))
	s.writeModels()
	opts := []sre.Option{
		sre.WithDir(s.env.Folder), sre.WithConfig(config()), sre.WithTrace(s.replay),
		sre.WithMachine("", "", func(name string) string { return conformance.EnvironmentVariables()[name] }),
	}
	if s.env.Logs {
		opts = append(opts, sre.WithComponentLogs())
	}
	rt, err := sre.Start(ctx, std.Set(), opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
	a, err := rt.Load(ctx, doc)
	if err != nil {
		return nil, err
	}
	for _, known := range s.env.Agents {
		if other := s.parse(known); other.ID != doc.ID {
			if _, err := rt.Load(ctx, other); err != nil {
				return nil, err
			}
		}
	}
	return deployed{a}, nil
}

// parse reads an agent of the environment, which others may call.
func (s *subject) parse(file value.Value) *agentfile.Document {
	s.t.Helper()
	l := limits.Default()
	doc, err := agentfile.FromValue(file, agentfile.Bounds{Bytes: l.SmythBytes, Components: l.SmythComponents, Depth: l.JSONDepth, Values: l.JSONValues})
	if err != nil {
		s.t.Fatal(err)
	}
	return doc
}

// reachable names the address of the model server in models of Anthropic and in the one that makes vectors, which the
// reference took from its environment.
func reachable(env conformance.Environment) value.Value {
	out := env.Models
	for _, m := range env.Models.Members() {
		if m.Value.GetString("provider") == "Anthropic" && !m.Value.Has("baseURL") {
			out = out.With(m.Key, m.Value.With("baseURL", value.Of(strings.TrimSuffix(env.LLMBaseURL, "/v1"))))
		}
	}
	const embedder = "text-embedding-3-large"
	return out.With(embedder, value.Obj(
		value.M("provider", value.Of("OpenAI")), value.M("modelId", value.Of(embedder)), value.M("baseURL", value.Of(env.LLMBaseURL)),
		value.M("credentials", value.Strings([]string{"internal", "vault"})),
	))
}

// config is the configuration that the reference ran with.
func config() value.Value {
	v, err := value.Parse(`{
		"services": {
			"Account": {"Connector": "JSONFileAccount", "Settings": {"defaultTeam": "default"}},
			"Vault": {"Connector": "JSONFileVault", "Settings": {"shared": "default", "env": ["ORACLE_ENV_KEY", "ORACLE_NOT_SET"]}}
		},
		"egress": {"allowPrivate": true}
	}`)
	if err != nil {
		panic(err)
	}
	return v
}

// withAgent makes the operator's accounts list the agent in the team that its file names, as the operator would.
func withAgent(accounts value.Value, doc *agentfile.Document) value.Value {
	if !accounts.IsObject() {
		accounts = value.Obj()
	}
	if doc.ClaimedTeam == "" || doc.ID == "" {
		return accounts
	}
	team := accounts.Get(doc.ClaimedTeam)
	if !team.IsObject() {
		team = value.Obj()
	}
	agents := team.Get("agents")
	if !agents.IsObject() {
		agents = value.Obj()
	}
	if agents.Get(doc.ID).IsAbsent() {
		agents = agents.With(doc.ID, value.Obj(value.M("settings", value.Obj())))
	}
	return accounts.With(doc.ClaimedTeam, team.With("agents", agents))
}

func (s *subject) writeModels() {
	if err := os.Mkdir(filepath.Join(s.env.Folder, "models"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write("models/models.json", reachable(s.env))
}

func (s *subject) write(name string, v value.Value) {
	if v.IsAbsent() {
		v = value.Obj()
	}
	if err := os.WriteFile(filepath.Join(s.env.Folder, name), []byte(v.JSON()), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// replay records a run and, when it has come to its end, plays it again without a clock, services or a host.
func (s *subject) replay(job *engine.Job) {
	journal := engine.NewJournal()
	job.Use = append([]engine.Middleware{journal.Record}, job.Use...)
	ended := job.Ended
	job.Ended = func(state *workflow.State) {
		ended(state)
		p := job.Program
		want := p.Save(state).JSON()
		got := ""
		again := engine.Job{
			Program: p, Begin: job.Begin, Agent: job.Agent, Request: job.Request, Variables: job.Variables, Effects: noEffects{s.t},
			Use: []engine.Middleware{journal.Replay}, Ended: func(state *workflow.State) { got = p.Save(state).JSON() },
		}
		if _, err := engine.Run(context.Background(), &again); err != nil && state.Limit == "" {
			s.t.Errorf("playing the run again: %v", err)
		}
		if got != want {
			s.t.Errorf("the run played again ends in\n%s\nwant\n%s", got, want)
		}
	}
}

// noEffects is a world without effects: to use one fails the test.
type noEffects struct{ t testing.TB }

func (n noEffects) Now() time.Time { n.t.Error("the clock was read"); return time.Time{} }
func (n noEffects) NewID() string  { n.t.Error("an id was made"); return "" }
func (n noEffects) Random([]byte)  { n.t.Error("randomness was read") }

func (n noEffects) Sleep(context.Context, time.Duration) error {
	n.t.Error("a wait began")
	return nil
}

// deployed is an agent of the runtime as the cases see it.
type deployed struct{ agent *sre.Agent }

func (d deployed) Close() {}

func (d deployed) Run(ctx context.Context, r conformance.Request) conformance.Response {
	if r.ReadState != "" {
		v, err := d.agent.ReadDebug(ctx, r.ReadState)
		if err != nil {
			return conformance.Response{Threw: err.Error()}
		}
		return conformance.Response{Data: v}
	}
	if r.KillAfter > 0 {
		var kill context.CancelCauseFunc
		ctx, kill = context.WithCancelCause(ctx)
		reason := r.KillReason
		if reason == "" {
			reason = "kill"
		}
		timer := time.AfterFunc(r.KillAfter, func() { kill(&engine.KilledError{Reason: reason}) })
		defer timer.Stop()
	}
	var w watcher
	req := sre.Request{
		Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Body, Query: r.Query, Files: r.Files, SessionID: r.SessionID, Debugger: true,
	}
	if r.SSE {
		req.Watcher = &w
	}
	var deltas []value.Value
	if r.Callback {
		req.Deltas = func(d component.Delta) {
			if d.Content != "" {
				deltas = append(deltas, value.Obj(value.M("content", value.Of(d.Content))))
			}
			if d.Thinking != "" {
				deltas = append(deltas, value.Obj(value.M("thinking", value.Of(d.Thinking))))
			}
		}
	}
	res, err := d.agent.Run(ctx, req)
	if err != nil {
		res.Data = agent.ErrorData(err)
		var bug *engine.PanicError
		if errors.As(err, &bug) {
			res.Data = value.Of(string(bug.Stack))
		}
	}
	return conformance.Response{Data: res.Data, Status: res.Status, SSE: w.events, Callback: deltas}
}

// watcher collects monitor events.
type watcher struct {
	mu     sync.Mutex
	events []conformance.Event
}

func (w *watcher) Watch(name string, payload value.Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, conformance.Event{Event: name, Data: payload})
}
