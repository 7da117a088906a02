// Package clitest checks any connector of command-line arguments, through the guarded service.
package clitest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/cli"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// accounts put "one" into team red and nobody else anywhere.
type accounts struct{}

func (accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.ID() == "one" {
		return "red", nil
	}
	return "", fault.Newf(fault.NotFound, "nobody knows %s", c)
}

func (accounts) IsMember(context.Context, string, access.Candidate) (bool, error) { return false, nil }

func (accounts) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Obj(), nil
}

// Run runs the suite over a connector that holds the arguments "--name Ada --post a=1 b=2" for the team "red".
func Run(t *testing.T, def connector.Definition, settings value.Value) {
	t.Helper()
	denied := 0
	bus := &event.Bus{}
	event.On(bus, func(context.Context, access.Decision) { denied++ })
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Effects: effect.System{}, Events: bus, Services: connector.NewServices()}
	build := func(kind connector.AnyKind, c any) any {
		built, err := connector.Build(kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return built
	}
	env.Services.Put(account.Kind, build(account.Kind, accounts{}))
	c, err := def.Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	svc := build(cli.Kind, c).(*cli.Service)
	one, err := access.Agent("one")
	if err != nil {
		t.Fatal(err)
	}
	all, err := svc.For(one).Get(t.Context())
	if want := `{"name":"Ada","post":{"a":"1","b":"2"}}`; err != nil || all.JSON() != want {
		t.Errorf("Get() = %s, %v; want %s", all.JSON(), err, want)
	}
	if name, err := svc.For(one).Get(t.Context(), "name"); err != nil || name.Text() != "Ada" {
		t.Errorf("Get(name) = %s, %v; want Ada", name.JSON(), err)
	}
	if none, err := svc.For(one).Get(t.Context(), "nope"); err != nil || !none.IsAbsent() {
		t.Errorf("Get(nope) = %s, %v; want nothing", none.JSON(), err)
	}
	if _, err := svc.For(access.Public()).Get(t.Context()); !fault.Is(err, fault.Denied) || denied != 1 {
		t.Errorf("Get() as the public: error = %v with %d records, want it denied with one", err, denied)
	}
	var nothing *cli.Service
	if _, err := nothing.For(one).Get(t.Context()); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Get() without a command line: error = %v, want unsupported", err)
	}
}
