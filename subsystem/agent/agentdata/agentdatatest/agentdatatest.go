// Package agentdatatest checks any connector of the agent data service, through the guarded service: what it proves is
// what agents and servers get.
package agentdatatest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Agents are what the connector under test has to hold, by id. "one" belongs to team-a and is deployed as well, "two"
// belongs to team-b. Both claim another team in their files.
func Agents() map[string]value.Value {
	file := func(id, name string) value.Value {
		return value.Obj(value.M("id", value.Of(id)), value.M("name", value.Of(name)), value.M("teamId", value.Of("victim")),
			value.M("components", value.List()), value.M("connections", value.List()),
			value.M("settings", value.Obj(value.M("tone", value.Of("kind")))))
	}
	return map[string]value.Value{"one": file("one", "One"), "two": file("two", "Two")}
}

// Subject is how a connector is opened for the suite.
type Subject struct {
	// Prepare puts [Agents] where the connector finds them and returns its settings; dir is its data folder. Agents of
	// a connector that is only given them while it runs are put by the suite.
	Prepare func(t *testing.T, dir string) value.Value
	// Empty is set for a connector that never holds anything.
	Empty bool
}

// accounts knows the teams of the suite.
type accounts struct{}

func (accounts) AnswersFromMemory() {}

func (accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	switch c.ID() {
	case "one", "mate", "team-a":
		return "team-a", nil
	case "two", "team-b":
		return "team-b", nil
	}
	return "", fault.Newf(fault.NotFound, "nobody knows %s", c)
}

func (a accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	of, err := a.TeamOf(ctx, c)
	return of == team, err
}

func (accounts) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Obj(), nil
}

// Open opens the connector and the service over it.
func Open(t *testing.T, def connector.Definition, s Subject) (*agentdata.Service, *int) {
	t.Helper()
	dir := t.TempDir()
	settings := value.Obj()
	if s.Prepare != nil {
		settings = s.Prepare(t, dir)
	}
	denied := new(int)
	bus := &event.Bus{}
	event.On(bus, func(_ context.Context, _ access.Decision) { *denied++ })
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: dir, Effects: effect.System{}, Events: bus, Services: connector.NewServices()}
	acc, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "suite", Connector: accounts{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env.Services.Put(account.Kind, acc)
	c, err := def.Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	built, err := connector.Build(agentdata.Kind, env, "", []connector.Opened{{ID: "subject", Connector: c}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	svc := built.(*agentdata.Service)
	if _, writes := c.(agentdata.Writer); writes {
		for id, data := range Agents() {
			team := "team-a"
			if id == "two" {
				team = "team-b"
			}
			for _, version := range []string{"", "1.0"} {
				a := agentdata.Agent{ID: id, Version: version, Data: data, Settings: data.Get("settings")}
				if id == "two" && version != "" {
					continue
				}
				if err := svc.For(candidate(t, access.Team, team)).Put(t.Context(), a); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return svc, denied
}

func candidate(t *testing.T, make func(string) (access.Candidate, error), id string) access.Candidate {
	t.Helper()
	c, err := make(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Helper()
	t.Run("own and foreign agents", func(t *testing.T) { testGet(t, def, s) })
	t.Run("listing", func(t *testing.T) { testList(t, def, s) })
	t.Run("bad ids", func(t *testing.T) { testIDs(t, def, s) })
}

func testGet(t *testing.T, def connector.Definition, s Subject) {
	svc, denied := Open(t, def, s)
	tests := []struct {
		name string
		who  access.Candidate
		id   string
		want fault.Kind
		ok   bool
	}{
		{"itself", candidate(t, access.Agent, "one"), "one", 0, true},
		{"of its team", candidate(t, access.Agent, "mate"), "one", 0, true},
		{"the team", candidate(t, access.Team, "team-a"), "one", 0, true},
		{"another team", candidate(t, access.Agent, "two"), "one", fault.Denied, false},
		{"the team that the file claims", candidate(t, access.Team, "victim"), "one", fault.Denied, false},
		{"the public", access.Public(), "one", fault.Denied, false},
		{"nobody's agent", candidate(t, access.Agent, "one"), "three", fault.Denied, false},
	}
	for _, test := range tests {
		before := *denied
		got, err := svc.For(test.who).Get(t.Context(), test.id, "")
		switch {
		case test.ok && s.Empty:
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: Get() error = %v, want not found", test.name, err)
			}
		case test.ok:
			if err != nil || got.Data.GetString("name") != "One" || got.Settings.GetString("tone") != "kind" {
				t.Errorf("%s: Get() = %s, %v; want the agent with its settings", test.name, got.Data.JSON(), err)
			}
		case !fault.Is(err, test.want) || *denied != before+1:
			t.Errorf("%s: Get() error = %v with %d records, want %v with one", test.name, err, *denied-before, test.want)
		}
	}
	if s.Empty {
		return
	}
	one, two := svc.For(candidate(t, access.Agent, "one")), svc.For(candidate(t, access.Agent, "two"))
	if yes, err := one.Deployed(t.Context(), "one"); err != nil || !yes {
		t.Errorf("Deployed(one) = %t, %v; want true", yes, err)
	}
	if yes, err := two.Deployed(t.Context(), "two"); err != nil || yes {
		t.Errorf("Deployed(two) = %t, %v; want false", yes, err)
	}
	if a, err := one.Get(t.Context(), "one", "1.0"); err != nil || a.Data.GetString("id") != "one" {
		t.Errorf("Get(one, 1.0) = %s, %v; want the deployed version", a.Data.JSON(), err)
	}
	if _, err := two.Get(t.Context(), "two", "1.0"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Get(two, 1.0) error = %v, want not found", err)
	}
}

func testList(t *testing.T, def connector.Definition, s Subject) {
	svc, denied := Open(t, def, s)
	page, err := svc.For(candidate(t, access.Agent, "mate")).List(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	if s.Empty {
		want = 0
	}
	if len(page.IDs) != want || want == 1 && page.IDs[0] != "one" || page.Next != "" {
		t.Errorf("List() = %+v, want only the agent of the team", page)
	}
	if page, err := svc.For(access.Public()).List(t.Context(), "", "", 0); err != nil || len(page.IDs) != 0 {
		t.Errorf("List() as the public = %+v, %v; want nothing", page, err)
	}
	if *denied != 0 {
		t.Errorf("listing made %d records of denials, want none", *denied)
	}
}

func testIDs(t *testing.T, def connector.Definition, s Subject) {
	svc, _ := Open(t, def, s)
	h := svc.For(candidate(t, access.Agent, "one"))
	for _, id := range []string{"", "../one", "a/b", "__proto__", "one\x00", "one\n"} {
		if _, err := h.Get(t.Context(), id, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("Get(%q) error = %v, want invalid", id, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Get(ctx, "one", ""); err == nil && !s.Empty {
		return // an answer from memory needs no time
	}
}
