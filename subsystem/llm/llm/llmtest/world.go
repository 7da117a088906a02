// Package llmtest checks any connector of the LLM service.
//
// The suite runs through the guarded service, with accounts, a vault and a catalogue of its own, so what it proves is
// what components get from a provider. A connector of a provider in the network is opened against a server that the
// test runs.
package llmtest

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// Setup is the surroundings of the connectors under test.
type Setup struct {
	// Models are entries of the catalogue by id, besides the built-in ones. Absent for none.
	Models value.Value
	// TeamSettings are the settings of team-a, where a team keeps models of its own.
	TeamSettings value.Value
	// Vault holds the secrets of the teams: team-a of the agents "helper" and "mate", team-b of "other".
	Vault map[string]map[string]string
	// Getenv is the environment; nil for none.
	Getenv func(string) string
	// HTTP is the way out; nil for none.
	HTTP *http.Client
	// Effects is the source of time; nil for the system's.
	Effects effect.Source
	// Limits bound the calls; zero for the usual ones.
	Limits limits.Limits
	// Others are services besides those that there always are.
	Others []Other
}

// Other is a service over one connector, which is open already.
type Other struct {
	Kind      connector.AnyKind
	Connector any
}

// World is the LLM service with what surrounds it.
type World struct {
	LLM *llm.Service

	mu      sync.Mutex
	used    []llm.Used
	denials []access.Decision
}

// Used returns what was reported as used since the last call.
func (w *World) Used() []llm.Used {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.used
	w.used = nil
	return out
}

// Denials returns the denials since the last call.
func (w *World) Denials() []access.Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.denials
	w.denials = nil
	return out
}

// Open opens connectors in a runtime of their own and builds the service over them and over more, which are open
// already. Everything is closed when the test ends.
func Open(t testing.TB, s Setup, defs map[string]connector.Definition, settings map[string]value.Value, more ...connector.Opened) *World {
	t.Helper()
	w := &World{}
	env := connector.Env{
		Record: func(context.Context, access.Decision) error { return nil },
		Log:    slog.New(slog.DiscardHandler), HTTP: s.HTTP, Dir: t.TempDir(), Effects: s.Effects, Events: new(event.Bus),
		Services: connector.NewServices(), Getenv: s.Getenv, Limits: s.Limits,
	}
	if env.Effects == nil {
		env.Effects = effect.System{}
	}
	event.On(env.Events, func(_ context.Context, u llm.Used) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.used = append(w.used, u)
	})
	event.On(env.Events, func(_ context.Context, d access.Decision) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.denials = append(w.denials, d)
	})
	put(t, env, account.Kind, connector.Opened{ID: "accounts", Connector: accounts{s.TeamSettings}})
	put(t, env, vault.Kind, connector.Opened{ID: "vault", Connector: secrets(s.Vault)})
	all, faults := models.NewCatalog(models.Builtin(), s.Models)
	if faults != nil {
		t.Fatalf("the models of the test: %v", faults)
	}
	put(t, env, models.Kind, connector.Opened{ID: "models", Connector: catalogue{all}})
	for _, o := range s.Others {
		put(t, env, o.Kind, connector.Opened{ID: "other", Connector: o.Connector})
	}
	opened := slices.Clone(more)
	for _, id := range slices.Sorted(maps.Keys(defs)) {
		given := settings[id]
		if given.IsAbsent() {
			given = value.Obj()
		}
		conn, err := defs[id].Open(t.Context(), env, given)
		if err != nil {
			t.Fatalf("open %s: %v", id, err)
		}
		if c, ok := conn.(connector.Closer); ok {
			t.Cleanup(func() {
				if err := c.Close(context.Background()); err != nil {
					t.Errorf("close %s: %v", id, err)
				}
			})
		}
		opened = append(opened, connector.Opened{ID: id, Connector: conn})
	}
	w.LLM = put(t, env, llm.Kind, opened...).(*llm.Service)
	return w
}

func put(t testing.TB, env connector.Env, kind connector.AnyKind, opened ...connector.Opened) any {
	t.Helper()
	built, err := connector.Build(kind, env, "", opened, nil)
	if err != nil {
		t.Fatalf("build %s: %v", kind.KindName(), err)
	}
	env.Services.Put(kind, built)
	return built
}

// As returns the service as a candidate, written "role:id", sees it.
func (w *World) As(t testing.TB, who string) *llm.Handle {
	t.Helper()
	c, err := access.Parse(who)
	if err != nil {
		t.Fatal(err)
	}
	return w.LLM.For(c)
}

// catalogue is a catalogue that does not change.
type catalogue struct{ all *models.Catalog }

func (c catalogue) Catalog(context.Context) (*models.Catalog, error) { return c.all, nil }

// accounts puts agents helper and mate into team-a and agent other into team-b.
type accounts struct{ settings value.Value }

func (accounts) AnswersFromMemory() {}

func (accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	switch c.String() {
	case "agent:helper", "agent:mate", "team:team-a":
		return "team-a", nil
	case "agent:other", "team:team-b":
		return "team-b", nil
	}
	return "", fault.Newf(fault.NotFound, "no account lists %s", c)
}

func (a accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	own, err := a.TeamOf(ctx, c)
	return err == nil && own == team, nil
}

func (a accounts) Settings(_ context.Context, g access.Grant[access.Read]) (value.Value, error) {
	if g.Resource() == "team:team-a" {
		return a.settings, nil
	}
	return value.Value{}, nil
}

// secrets is a vault by team and key.
type secrets map[string]map[string]string

func (s secrets) ACL(_ context.Context, resource string) (*access.ACL, error) {
	team, key := vault.Split(resource)
	if _, ok := s[team][key]; !ok {
		return nil, nil
	}
	owner, err := access.Team(team)
	if err != nil {
		return nil, err
	}
	return access.NewACL().With(owner, access.RightRead), nil
}

func (s secrets) Get(_ context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	team, key := vault.Split(g.Resource())
	if v, ok := s[team][key]; ok {
		return secret.New(v), nil
	}
	return secret.Value{}, fault.Newf(fault.NotFound, "no such key")
}

func (s secrets) List(_ context.Context, g access.Grant[access.Read]) ([]string, error) {
	team, _ := vault.Split(g.Resource())
	return slices.Sorted(maps.Keys(s[team])), nil
}
