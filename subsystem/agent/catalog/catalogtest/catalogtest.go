// Package catalogtest checks any connector of the component catalogue, through the guarded service.
package catalogtest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/catalog"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Types are what the connector under test has to hold: "First", with the alias "Old", and "Second".
func Types() []component.Definition {
	run := func(context.Context, *component.Call, *struct{}, component.Input) (value.Value, error) {
		return value.Obj(), nil
	}
	return []component.Definition{
		component.Define(component.Spec{Name: "Second"}, run),
		component.Define(component.Spec{Name: "First", Alias: "Old"}, run),
	}
}

// nobody is an account service that knows no teams.
type nobody struct{}

func (nobody) TeamOf(context.Context, access.Candidate) (string, error) {
	return "", fault.Newf(fault.NotFound, "nobody")
}

func (nobody) IsMember(context.Context, string, access.Candidate) (bool, error) { return false, nil }

func (nobody) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Obj(), nil
}

// Open opens the connector with settings and the service over it.
func Open(t *testing.T, def connector.Definition, settings value.Value) (*catalog.Service, error) {
	t.Helper()
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	acc, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "suite", Connector: nobody{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env.Services.Put(account.Kind, acc)
	c, err := def.Open(t.Context(), env, settings)
	if err != nil {
		return nil, err
	}
	built, err := connector.Build(catalog.Kind, env, "", []connector.Opened{{ID: "subject", Connector: c}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return built.(*catalog.Service), nil
}

// Run runs the suite over a connector that holds [Types].
func Run(t *testing.T, def connector.Definition, settings value.Value) {
	t.Helper()
	svc, err := Open(t, def, settings)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := access.Agent("anybody")
	if err != nil {
		t.Fatal(err)
	}
	h := svc.For(agent)
	all, err := h.List(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "First" || all[1].Name != "Second" {
		t.Errorf("List() = %d types, %v; want First and Second", len(all), err)
	}
	for _, name := range []string{"First", "Old"} {
		if d, err := h.Get(t.Context(), name); err != nil || d.Name != "First" {
			t.Errorf("Get(%q) = %q, %v; want First", name, d.Name, err)
		}
	}
	for _, name := range []string{"", "first", "Firts", "__proto__"} {
		if _, err := h.Get(t.Context(), name); !fault.Is(err, fault.NotFound) {
			t.Errorf("Get(%q) error = %v, want not found", name, err)
		}
	}
	var none *catalog.Service
	if _, err := none.For(agent).List(t.Context()); !fault.Is(err, fault.Unsupported) {
		t.Errorf("List() without a catalogue: error = %v, want unsupported", err)
	}
}
