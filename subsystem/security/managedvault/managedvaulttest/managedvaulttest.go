// Package managedvaulttest checks any connector of the managed vault service.
//
// The suite runs through the guarded service with accounts of its own, so what it
// proves is what components get: their team's entries and nobody else's.
package managedvaulttest

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
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/value"
)

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	// Settings of the connector, absent for none.
	Settings value.Value
	// Empty is set for a connector that stores nothing whatever it is given.
	Empty bool
}

// World is a managed vault with what surrounds it.
type World struct {
	Service *managedvault.Service
	Secrets *secret.Registry

	def     connector.Definition
	subject Subject
	dir     string

	mu   sync.Mutex
	kept []access.Decision
	deaf bool
}

// Open opens the connector in a runtime of its own, in a fresh data folder. It is closed when the test ends.
func Open(t *testing.T, def connector.Definition, s Subject) *World {
	t.Helper()
	return open(t, def, s, t.TempDir())
}

// Again opens the connector a second time on the same data folder, as after a restart.
func (w *World) Again(t *testing.T) *World {
	t.Helper()
	return open(t, w.def, w.subject, w.dir)
}

func open(t *testing.T, def connector.Definition, s Subject, dir string) *World {
	t.Helper()
	w := &World{Secrets: new(secret.Registry), def: def, subject: s, dir: dir}
	env := connector.Env{
		Log: slog.New(slog.DiscardHandler), Dir: dir, Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(),
		Record: w.record, Secrets: w.Secrets,
	}
	accounts, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "accounts", Connector: members{}}}, nil)
	if err != nil {
		t.Fatalf("build the accounts: %v", err)
	}
	env.Services.Put(account.Kind, accounts)
	conn, err := def.Open(t.Context(), env, s.Settings)
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
	svc, err := connector.Build(managedvault.Kind, env, "", []connector.Opened{{ID: def.Name, Connector: conn}}, nil)
	if err != nil {
		t.Fatalf("build the managed vault: %v", err)
	}
	w.Service = svc.(*managedvault.Service)
	return w
}

func (w *World) record(_ context.Context, d access.Decision) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return fault.Newf(fault.Unavailable, "the audit is full")
	}
	w.kept = append(w.kept, d)
	return nil
}

// Kept returns the records of the audit since the last call.
func (w *World) Kept() []access.Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.kept
	w.kept = nil
	return out
}

// SetDeaf makes the audit keep nothing, or work again.
func (w *World) SetDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}

// As returns the service as an agent.
func (w *World) As(t *testing.T, agent string) *managedvault.Handle {
	t.Helper()
	c, err := access.Agent(agent)
	if err != nil {
		t.Fatal(err)
	}
	return w.Service.For(c)
}

// members are accounts: the agents a1 and a2 of team-a, b1 of team-b.
type members struct{ account.Connector }

func (members) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	team, ok := map[string]string{"a1": "team-a", "a2": "team-a", "b1": "team-b"}[c.ID()]
	if !ok {
		return "", fault.Newf(fault.Denied, "nobody knows %s", c.ID())
	}
	return team, nil
}

func (members) AnswersFromMemory() {}
