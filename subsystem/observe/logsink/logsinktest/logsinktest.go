// Package logsinktest checks any connector of the log service.
//
// The checks work through the guarded handle: who may write, whose record can be completed, what a connector never
// gets to see. A connector's test calls [Run].
package logsinktest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	Settings value.Value // may rely on an empty data folder
	// Written returns everything that the connector has written since it was opened. env is what it was opened with.
	Written func(t *testing.T, env connector.Env) string
	// HTTP is the way out of the connector; nil for none.
	HTTP *http.Client
	// Log is the log that the connector is opened with; nil for none.
	Log *slog.Logger
}

// world is a connector under its service.
type world struct {
	*testing.T
	service *logsink.Service
	written func() string
	secrets *secret.Registry

	mu      sync.Mutex
	records []access.Decision
}

// Run checks the connector. subject is called for each check.
func Run(t *testing.T, def connector.Definition, subject func() Subject) {
	t.Helper()
	for _, check := range []struct {
		name string
		run  func(*world)
	}{
		{"Write", write}, {"Complete", complete}, {"Count", count}, {"OnlyAgents", onlyAgents}, {"T32_SecretsAreTakenOut", secrets}, {"T29_SecretsByValue", byValue},
		{"T64_OneLine", hostile}, {"Canceled", canceled}, {"Concurrent", concurrent},
	} {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			check.run(open(t, def, subject()))
		})
	}
}

func open(t *testing.T, def connector.Definition, s Subject) *world {
	t.Helper()
	w := &world{T: t}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	env := connector.Env{Log: s.Log, HTTP: s.HTTP, Secrets: &secret.Registry{}, Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	t.Cleanup(event.On(env.Events, func(_ context.Context, d access.Decision) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.records = append(w.records, d)
	}))
	conn, err := def.Open(t.Context(), env, s.Settings)
	if err != nil {
		t.Fatalf("open %s: %v", def.Name, err)
	}
	if st, ok := conn.(connector.Starter); ok {
		if err := st.Start(t.Context()); err != nil {
			t.Fatalf("start %s: %v", def.Name, err)
		}
	}
	if c, ok := conn.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("close %s: %v", def.Name, err)
			}
		})
	}
	svc, err := connector.Build(logsink.Kind, env, "", []connector.Opened{{ID: def.Name, Connector: conn}}, nil)
	if err != nil {
		t.Fatalf("build the log: %v", err)
	}
	w.service = svc.(*logsink.Service)
	w.secrets = env.Secrets
	w.written = func() string {
		if f, ok := conn.(logsink.Flusher); ok {
			if err := f.Flush(t.Context()); err != nil {
				t.Errorf("flush %s: %v", def.Name, err)
			}
		}
		return s.Written(t, env)
	}
	return w
}

func (w *world) as(who string) *logsink.Handle {
	w.Helper()
	c, err := access.Parse(who)
	if err != nil {
		w.Fatal(err)
	}
	return w.service.For(c)
}

func (w *world) has(want string) {
	w.Helper()
	if got := w.written(); !strings.Contains(got, want) {
		w.Errorf("written is %.400q, want %q in it", got, want)
	}
}

func write(w *world) {
	id, err := w.as("agent:a1").Log(w.Context(), logsink.Record{
		Component: "c2@PromptGenerator@2", Source: "c1@APIEndpoint@1", Name: "Greeter", Step: 2, Process: "p-1", Session: "s-1",
		Input: value.Obj(value.M("name", value.Of("Ada"))), Began: time.Unix(1_700_000_000, 0),
	})
	if err != nil || id == "" {
		w.Fatalf("Log = %q, %v", id, err)
	}
	for _, want := range []string{"a1", "c2@PromptGenerator@2", "Greeter", "Ada", "p-1"} {
		w.has(want)
	}
	again, err := w.as("agent:a1").Log(w.Context(), logsink.Record{})
	if err != nil || again == id || again == "" {
		w.Errorf("a second record has the id %q, %v, want another one than %q", again, err, id)
	}
}

func complete(w *world) {
	h := w.as("agent:a1")
	id, err := h.Log(w.Context(), logsink.Record{Component: "c2", Began: time.Unix(1, 0)})
	if err != nil {
		w.Fatal(err)
	}
	if err := h.Complete(w.Context(), id, logsink.Record{Output: value.Of("the-answer"), Error: "the-failure", Ended: time.Unix(2, 0)}); err != nil {
		w.Fatalf("Complete: %v", err)
	}
	w.has("the-answer")
	w.has("the-failure")
	if err := h.Complete(w.Context(), "", logsink.Record{}); !fault.Is(err, fault.Invalid) {
		w.Errorf("Complete without an id = %v, want INVALID", err)
	}
}

func count(w *world) {
	h := w.as("agent:a1")
	for _, test := range []struct {
		n    int
		test bool
		want error
	}{{3, false, nil}, {0, false, nil}, {5, true, nil}} {
		if err := h.CountTasks(w.Context(), test.n, test.test); err != nil {
			w.Errorf("CountTasks(%d, %v) = %v", test.n, test.test, err)
		}
	}
	if err := h.CountTasks(w.Context(), -1, false); !fault.Is(err, fault.Invalid) {
		w.Errorf("CountTasks(-1) = %v, want INVALID", err)
	}
}

// Nobody but an agent writes, a refusal writes nothing and leaves one record.
func onlyAgents(w *world) {
	for _, who := range []string{"user:u1", "team:t1", "public", ""} {
		h := w.service.For(access.Candidate{})
		if who != "" {
			h = w.as(who)
		}
		_, log := h.Log(w.Context(), logsink.Record{Name: "intruder"})
		for op, err := range map[string]error{
			"log": log, "complete": h.Complete(w.Context(), "log-1", logsink.Record{Name: "intruder"}), "count": h.CountTasks(w.Context(), 1, false),
		} {
			if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "Only agents can use Log connector") {
				w.Errorf("%s as %q = %v, want ACCESS_DENIED", op, who, err)
			}
		}
		w.mu.Lock()
		if len(w.records) != 3 {
			w.Errorf("as %q %d refusals left a record, want 3", who, len(w.records))
		}
		w.records = nil
		w.mu.Unlock()
	}
	if strings.Contains(w.written(), "intruder") {
		w.Error("what was refused was written")
	}
}

// What is named like a secret does not reach the log, at any depth.
func secrets(w *world) {
	v := value.Obj(
		value.M("headers", value.Obj(value.M("Authorization", value.Of("Bearer canary")), value.M("X-Api-Key", value.Of("canary")))),
		value.M("list", value.List(value.Obj(value.M("client_secret", value.Of("canary"))))), value.M("cookie", value.Strings([]string{"canary"})),
		value.M("max_tokens", value.OfInt(4321)), value.M("plain", value.Of("stays")),
	)
	if _, err := w.as("agent:a1").Log(w.Context(), logsink.Record{Input: v, Output: v, Result: v}); err != nil {
		w.Fatal(err)
	}
	if got := w.written(); strings.Contains(got, "canary") {
		w.Errorf("a secret was written: %s", got)
	}
	w.has("stays")
	w.has("4321")
}

// What the team of an agent was handed is in no record, however it is named and written.
func byValue(w *world) {
	w.secrets.Note("red", secret.New("canary/0123"))
	v := value.Obj(value.M("text", value.Of("a canary/0123 b")), value.M("canary/0123", value.Of("Y2FuYXJ5LzAxMjM=")), value.M("plain", value.Of("stays")))
	h := w.as("agent:a1")
	ctx := access.WithActing(w.Context(), access.Acting{Candidate: h.Candidate(), Team: "red"})
	id, err := h.Log(ctx, logsink.Record{Name: "n canary/0123", Input: v})
	if err != nil {
		w.Fatal(err)
	}
	if err := h.Complete(ctx, id, logsink.Record{Output: v, Result: v, Error: "failed with canary%2F0123"}); err != nil {
		w.Fatal(err)
	}
	got := w.written()
	for _, form := range []string{"canary/0123", `canary\/0123`, "canary%2F0123", "Y2FuYXJ5LzAxMjM"} {
		if strings.Contains(got, form) {
			w.Errorf("a secret was written as %s: %s", form, got)
		}
	}
	w.has("stays")
	w.has(secret.Redacted)
}

// Text of a caller cannot make another line, nor reach the terminal.
func hostile(w *world) {
	text := "first\nlevel=ERROR msg=forged\r\x1b[31mred\x00"
	_, err := w.as("agent:a1").Log(w.Context(), logsink.Record{Name: text, Error: text, Tags: text, Input: value.Obj(value.M(text, value.Of(text)))})
	if err != nil {
		w.Fatal(err)
	}
	got := strings.TrimSuffix(w.written(), "\n")
	if strings.ContainsAny(got, "\n\r\x1b\x00") || !strings.Contains(got, "first") {
		w.Errorf("written is %q, want one line without control characters", got)
	}
}

func canceled(w *world) {
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	if _, err := w.as("agent:a1").Log(ctx, logsink.Record{Name: "late"}); !fault.Is(err, fault.Canceled) {
		w.Errorf("Log = %v, want CANCELED", err)
	}
	if strings.Contains(w.written(), "late") {
		w.Error("what was canceled was written")
	}
}

// Many agents write at once and every record has an id of its own.
func concurrent(w *world) {
	const agents, each = 8, 50
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for i := range agents {
		h := w.as("agent:a" + string(rune('0'+i)))
		wg.Go(func() {
			for range each {
				id, err := h.Log(w.Context(), logsink.Record{Name: "one"})
				if err != nil {
					w.Errorf("Log: %v", err)
				}
				mu.Lock()
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != agents*each {
		w.Errorf("%d ids, want %d", len(seen), agents*each)
	}
}
