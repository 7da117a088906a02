package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/subsystem/io/router/nullrouter"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/subsystem/security/managedvault/sqlitemanagedvault"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// world is what one test of the component has around it.
type world struct {
	t        testing.TB
	services *connector.Services
	secrets  map[string]secret.Value
	clock    *clock
	client   *http.Client
	url      string // of the target

	mu   sync.Mutex
	seen []request
}

// request is what the target received.
type request struct {
	method, uri string
	header      http.Header
	body        string
}

// clock is a source of effects whose time a test sets.
type clock struct {
	effect.System
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newWorld starts a target that answers with handler, an echo of the path when it is nil.
func newWorld(t testing.TB, handler http.HandlerFunc) *world {
	t.Helper()
	w := &world{t: t, services: connector.NewServices(), secrets: map[string]secret.Value{}, clock: &clock{now: time.UnixMilli(1_700_000_000_000)}}
	env := connector.Env{
		Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: new(event.Bus), Services: w.services,
		Record: func(context.Context, access.Decision) error { return nil },
	}
	w.open(env, account.Kind, members{})
	w.open(env, vault.Kind, shelf{w})
	w.define(env, storage.Kind, ramstorage.Definition())
	w.define(env, managedvault.Kind, sqlitemanagedvault.Definition)
	w.define(env, cache.Kind, ramcache.Definition())
	w.define(env, router.Kind, nullrouter.Definition)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		w.mu.Lock()
		w.seen = append(w.seen, request{r.Method, r.RequestURI, r.Header.Clone(), string(data)})
		w.mu.Unlock()
		if handler != nil {
			handler(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(rw, r.RequestURI)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	client, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	w.client = client
	return w
}

func (w *world) define(env connector.Env, kind connector.AnyKind, def connector.Definition) {
	w.t.Helper()
	c, err := def.Open(w.t.Context(), env, value.Obj())
	if err != nil {
		w.t.Fatal(err)
	}
	if s, ok := c.(connector.Starter); ok {
		if err := s.Start(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	if s, ok := c.(connector.Closer); ok {
		w.t.Cleanup(func() {
			if err := s.Close(context.Background()); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.open(env, kind, c)
}

func (w *world) open(env connector.Env, kind connector.AnyKind, c any) {
	w.t.Helper()
	built, err := connector.Build(kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.services.Put(kind, built)
}

func (w *world) scope() scope.Scope {
	w.t.Helper()
	c, err := access.Agent("one")
	if err != nil {
		w.t.Fatal(err)
	}
	return scope.New(w.services, c)
}

// run calls the component. Settings and inputs are JSON; inputs of the names in files are of a file type.
func (w *world) run(settings, inputs string, more ...func(*component.Call)) (value.Value, error) {
	w.t.Helper()
	in := parse(w.t, inputs)
	var input component.Input
	for _, m := range in.Members() {
		input.Ports = append(input.Ports, component.NodePort{Name: m.Key})
		input.Values = append(input.Values, m.Value)
	}
	def := apiCallType()
	s := parse(w.t, settings)
	call := &component.Call{
		Scope: w.scope(), Node: &component.Node{ID: "C", Settings: s}, Agent: &component.Agent{ID: "one", Team: "red"}, Effects: w.clock, HTTP: w.client, KeepLog: true,
	}
	for _, m := range more {
		m(call)
	}
	inst := def.Compile(s)
	for _, v := range inst.Violations {
		w.t.Errorf("settings: %s", v.Message)
	}
	out, err := inst.Run(w.t.Context(), call, input)
	w.t.Logf("log of the call:\n%s", call.LogText())
	return out, err
}

// last returns the last request that the target received.
func (w *world) last() request {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return request{}
	}
	return w.seen[len(w.seen)-1]
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return v
}

// members are accounts that put everybody into the team red.
type members struct{ account.Connector }

func (members) TeamOf(context.Context, access.Candidate) (string, error) { return "red", nil }

func (members) AnswersFromMemory() {}

// shelf is a vault with the secrets of a world.
type shelf struct{ w *world }

func (s shelf) ACL(_ context.Context, resource string) (*access.ACL, error) {
	team, key := vault.Split(resource)
	if _, ok := s.w.secrets[key]; !ok {
		return nil, nil
	}
	owner, err := access.Team(team)
	return access.NewACL().With(owner, access.RightRead), err
}

func (s shelf) Get(_ context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	_, key := vault.Split(g.Resource())
	return s.w.secrets[key], nil
}

func (s shelf) List(context.Context, access.Grant[access.Read]) ([]string, error) { return nil, nil }

func newSecret(s string) secret.Value { return secret.New(s) }
