// Package vaulttest checks any connector of the vault service.
//
// The suite runs through the guarded service with accounts of its own, so what it
// proves is what components get: their team's secrets and nobody else's.
package vaulttest

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
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// Data is what the connector under test has to hold: secrets by team and key. Every secret holds [Canary].
const Data = `{
	"team-a": {
		"openai": "canary sk-a", "TEAM_KEY": "canary a", "QUOTED": "canary va\"lue\\ \u00fc\n", "TEMPLATE": "canary {{Input}} $env(PATH)",
		"EMPTY": "", "a/b": "canary slash", "constructor": "canary constructor"
	},
	"team-b": {"openai": "canary sk-b", "ONLY_B": "canary b"}
}`

// Canary is in every secret of Data that is not empty, and must be in no error and no record.
const Canary = "canary"

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	// Prepare puts Data where the connector finds it, and returns its settings. dir is its data folder.
	Prepare func(t *testing.T, dir string) value.Value
	// Empty is set for a connector that holds no key whatever it is given.
	Empty bool
	// Getenv is the environment; nil for none.
	Getenv func(string) string
	// Ask sits at the terminal; nil for nobody.
	Ask func(question string) (secret.Value, error)

	dir string // "" for a fresh one
}

// World is a vault with what surrounds it.
type World struct {
	Vault    *vault.Service
	Accounts *Accounts
	Secrets  *secret.Registry

	def     connector.Definition
	dir     string
	setting value.Value
	getenv  func(string) string
	filled  bool // by its own writer, instead of by the subject

	mu      sync.Mutex
	records []access.Decision
	kept    []access.Decision
	deaf    bool
}

// Again opens the connector a second time on what the first one keeps, as after a restart.
func (w *World) Again(t *testing.T) *World {
	t.Helper()
	return Open(t, w.def, Subject{Prepare: func(*testing.T, string) value.Value { return w.setting }, Getenv: w.getenv, dir: w.dir})
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

func (w *World) record(_ context.Context, d access.Decision) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return fault.Newf(fault.Unavailable, "the audit is full")
	}
	w.kept = append(w.kept, d)
	return nil
}

// Records returns the denials since the last call.
func (w *World) Records() []access.Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.records
	w.records = nil
	return out
}

// Open opens the connector in a runtime of its own. It is closed when the test ends.
func Open(t *testing.T, def connector.Definition, s Subject) *World {
	t.Helper()
	w := &World{Accounts: newAccounts(), Secrets: new(secret.Registry), def: def, dir: s.dir, getenv: s.Getenv}
	if w.dir == "" {
		w.dir = t.TempDir()
	}
	env := connector.Env{
		Record: w.record, Secrets: w.Secrets,
		Log: slog.New(slog.DiscardHandler), Dir: w.dir, Effects: effect.System{}, Events: new(event.Bus),
		Services: connector.NewServices(), Getenv: s.Getenv,
	}
	if s.Ask != nil {
		env.Ask = func(_ context.Context, question string) (secret.Value, error) { return s.Ask(question) }
	}
	event.On(env.Events, func(_ context.Context, d access.Decision) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.records = append(w.records, d)
	})
	accounts, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "accounts", Connector: w.Accounts}}, nil)
	if err != nil {
		t.Fatalf("build the accounts: %v", err)
	}
	env.Services.Put(account.Kind, accounts)
	w.setting = s.Prepare(t, env.Dir)
	conn, err := def.Open(t.Context(), env, w.setting)
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
	svc, err := connector.Build(vault.Kind, env, "", []connector.Opened{{ID: def.Name, Connector: conn}}, nil)
	if err != nil {
		t.Fatalf("build the vault: %v", err)
	}
	w.Vault = svc.(*vault.Service)
	return w
}

// As returns the vault as a candidate, written "role:id", sees it.
func (w *World) As(t *testing.T, who string) *vault.Handle {
	t.Helper()
	c, err := access.Parse(who)
	if err != nil {
		t.Fatal(err)
	}
	return w.Vault.For(c)
}

// Accounts are accounts that a test can change at once. Agents helper, user ann are in team-a, agent other in team-b,
// agent loner in a team without secrets.
type Accounts struct {
	mu    sync.RWMutex
	teams map[string]string
	down  bool
}

var (
	_ account.Connector = (*Accounts)(nil)
	_ account.Local     = (*Accounts)(nil)
)

func newAccounts() *Accounts {
	return &Accounts{teams: map[string]string{
		"agent:helper": "team-a", "user:ann": "team-a", "team:team-a": "team-a",
		"agent:other": "team-b", "team:team-b": "team-b", "agent:loner": "no-secrets",
	}}
}

// AnswersFromMemory says that answers need no cache.
func (a *Accounts) AnswersFromMemory() {}

// Move puts a candidate, written "role:id", into a team. When it returns, the change counts.
func (a *Accounts) Move(who, team string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.teams[who] = team
}

// SetDown makes every question fail, or work again.
func (a *Accounts) SetDown(down bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = down
}

// TeamOf returns the team.
func (a *Accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.down {
		return "", fault.Newf(fault.Unavailable, "accounts are down")
	}
	if team, ok := a.teams[c.String()]; ok {
		return team, nil
	}
	return "", fault.Newf(fault.NotFound, "no account lists %s", c)
}

// IsMember is true for the candidate's own team.
func (a *Accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	own, err := a.TeamOf(ctx, c)
	return err == nil && own == team, nil
}

// Settings are none.
func (a *Accounts) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Value{}, nil
}
