// Package modelstest checks any connector of the models service.
//
// The suite runs through the service with accounts of its own, so what it proves is what agents see of a catalogue.
package modelstest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Data is what the connector under test has to hold besides the built-in models: entries by id. The last two are not
// to be served.
const Data = `{
	"gpt-test": {"provider": "OpenAI", "modelId": "gpt-test-2025", "label": "Test", "features": ["text", "tools"], "tokens": 1000, "completionTokens": 200},
	"old-test": {"llm": "OpenAI", "alias": "gpt-test", "modelId": "old"},
	"hidden-test": {"provider": "OpenAI", "modelId": "hidden", "hidden": true},
	"no-model-id": {"provider": "OpenAI"},
	"no-object": 5
}`

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	// Prepare puts [Data] where the connector finds it and returns its settings. dir is its data folder.
	Prepare func(t testing.TB, dir string) value.Value
	// TeamSettings are the settings of team-a, absent for none.
	TeamSettings value.Value
	// Dir is the data folder; "" for a fresh one.
	Dir string
}

// Open opens the connector and the service over it.
func Open(t testing.TB, def connector.Definition, s Subject) *models.Service {
	t.Helper()
	env := connector.Env{
		Log: slog.New(slog.DiscardHandler), Dir: s.Dir, Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(),
	}
	if env.Dir == "" {
		env.Dir = t.TempDir()
	}
	acc, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "accounts", Connector: accounts{s.TeamSettings}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env.Services.Put(account.Kind, acc)
	conn, err := def.Open(t.Context(), env, s.Prepare(t, env.Dir))
	if err != nil {
		t.Fatalf("open %s: %v", def.Name, err)
	}
	if c, ok := conn.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.Background()); err != nil {
				t.Errorf("close %s: %v", def.Name, err)
			}
		})
	}
	built, err := connector.Build(models.Kind, env, "", []connector.Opened{{ID: def.Name, Connector: conn}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return built.(*models.Service)
}

// As returns the service as a candidate, written "role:id", sees it. Agents helper and other are in teams a and b.
func As(t testing.TB, s *models.Service, who string) *models.Handle {
	t.Helper()
	c, err := access.Parse(who)
	if err != nil {
		t.Fatal(err)
	}
	return s.For(c)
}

type accounts struct{ settings value.Value }

func (accounts) AnswersFromMemory() {}

func (accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	switch c.String() {
	case "agent:helper", "team:team-a":
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

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Run("find", func(t *testing.T) { find(t, Open(t, def, s)) })
	t.Run("list", func(t *testing.T) { list(t, Open(t, def, s)) })
	t.Run("unknown", func(t *testing.T) { unknown(t, Open(t, def, s)) })
	t.Run("many at once", func(t *testing.T) { many(t, Open(t, def, s)) })
	t.Run("unknown setting", func(t *testing.T) {
		if err := def.Check(value.Obj(value.M("no-such-setting", value.Of("x")))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a setting that does not exist: %v, want kind %v", err, fault.Invalid)
		}
	})
}

func find(t *testing.T, s *models.Service) {
	for _, who := range []string{"agent:helper", "agent:other", "agent:stranger", "public"} {
		for _, id := range []string{"gpt-test", "GPT-Test"} {
			m, err := As(t, s, who).Find(t.Context(), id)
			if err != nil || m.ID != "gpt-test" || m.ModelID != "gpt-test-2025" || m.Provider != "OpenAI" || m.ContextTokens != 1000 || m.OutputTokens != 200 || !m.Has(models.FeatureTools) || m.TeamOwn {
				t.Errorf("%s finds %s = %+v, %v, want the entry", who, id, m, err)
			}
		}
		for _, id := range []string{"Echo", "echo"} {
			if m, err := As(t, s, who).Find(t.Context(), id); err != nil || m.Provider != "Echo" {
				t.Errorf("%s finds %s = %+v, %v, want the built-in model", who, id, m, err)
			}
		}
	}
	if m, err := As(t, s, "agent:helper").Find(t.Context(), "old-test"); err != nil || m.ID != "old-test" || m.ModelID != "gpt-test-2025" || m.OutputTokens != 200 {
		t.Errorf("an alias = %+v, %v, want what it stands for", m, err)
	}
	if m, err := As(t, s, "agent:helper").Find(t.Context(), "hidden-test"); err != nil || m.ModelID != "hidden" {
		t.Errorf("a hidden model = %+v, %v, want it to be found by name", m, err)
	}
}

func list(t *testing.T, s *models.Service) {
	got, err := As(t, s, "agent:helper").List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range got {
		ids = append(ids, m.ID)
	}
	if len(ids) < 3 || ids[0] != "Echo" {
		t.Fatalf("List() has %d models, want those of the catalogue, Echo first", len(ids))
	}
	if own := ids[len(ids)-2:]; own[0] != "gpt-test" || own[1] != "old-test" {
		t.Errorf("List() ends in %q, want gpt-test, old-test", own)
	}
}

func unknown(t *testing.T, s *models.Service) {
	for _, id := range []string{"gpt-tset", "no-model-id", "no-object", "", "__proto__", "constructor"} {
		if m, err := As(t, s, "agent:helper").Find(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("Find(%q) = %+v, %v, want kind %v", id, m, err, fault.NotFound)
		}
	}
}

func many(t *testing.T, s *models.Service) {
	h := As(t, s, "agent:helper")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := h.Find(t.Context(), "gpt-test"); err != nil {
				t.Errorf("Find() error = %v", err)
			}
			if _, err := h.List(t.Context()); err != nil {
				t.Errorf("List() error = %v", err)
			}
		})
	}
	wg.Wait()
}
