// Package nkvtest checks any connector of the NKV service.
//
// The checks work through the guarded handle, so what they prove is the whole of the contract: what is kept, that teams
// and namespaces stand apart, who gets in, and that a refusal leaves one record. A connector's test calls [Run].
package nkvtest

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// Run checks the connector with settings, which may rely on an empty data folder. Time is virtual in every check.
func Run(t *testing.T, d connector.Definition, settings value.Value) {
	t.Helper()
	checks := []struct {
		name string
		run  func(*fixture)
	}{
		{"RoundTrip", roundTrip},
		{"Invalid", invalid},
		{"T10_Traversal", traversal},
		{"AddressesStandApart", addressesStandApart},
		{"TeamsStandApart", teamsStandApart},
		{"NobodyIsRefused", nobodyIsRefused},
		{"T16_Listing", listing},
		{"DeleteAll", deleteAll},
		{"Canceled", canceled},
		{"GrantsAreNeeded", grantsAreNeeded},
		{"Concurrent", concurrent},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { c.run(open(t, d, settings)) })
		})
	}
}

// fixture is one opened connector under its service.
type fixture struct {
	*testing.T
	conn    nkv.Connector
	service *nkv.Service
	teams   *accesstest.Teams
	denials accesstest.Denials
}

func open(t *testing.T, d connector.Definition, settings value.Value) *fixture {
	f := &fixture{T: t, teams: accesstest.TwoTeams()}
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(env.Events, f.denials.Add))
	opened, err := d.Open(t.Context(), env, settings)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.conn = opened.(nkv.Connector)
	if s, ok := opened.(connector.Starter); ok {
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("Start: %v", err)
		}
	}
	if c, ok := opened.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	in := connector.Instances[nkv.Connector]{Default: "it", ByID: map[string]nkv.Connector{"it": f.conn}, Order: []string{"it"}}
	f.service = nkv.New(env, in, f.teams)
	return f
}

// as returns the service for a candidate written "role:id" or "public".
func (f *fixture) as(who string) *nkv.Handle {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	return f.service.For(c)
}

// set stores a text and fails the check when it cannot.
func (f *fixture) set(who, namespace, key, text string) {
	f.Helper()
	if err := f.as(who).Set(f.Context(), namespace, key, value.Of(text)); err != nil {
		f.Fatalf("Set(%q, %q) as %s: %v", namespace, key, who, err)
	}
}

// want checks what a candidate gets; "" for nothing.
func (f *fixture) want(who, namespace, key, want string) {
	f.Helper()
	got, ok, err := f.as(who).Get(f.Context(), namespace, key)
	if err != nil || got.Plain() != want || ok != (want != "") {
		f.Errorf("Get(%q, %q) as %s = %.60q, %v, %v, want %.60q", namespace, key, who, got.Plain(), ok, err, want)
	}
}

// wantKind checks the kind of an error.
func (f *fixture) wantKind(what string, err error, want fault.Kind) {
	f.Helper()
	if !fault.Is(err, want) {
		f.Errorf("%s = %v, want an error of kind %v", what, err, want)
	}
}

// operation is one operation of a handle.
type operation struct {
	name string
	do   func(ctx context.Context, h *nkv.Handle, namespace, key string) error
	all  bool // on a namespace: it takes no key
}

func operations() []operation {
	type h = *nkv.Handle
	return []operation{
		{"nkv.get", func(ctx context.Context, h h, n, k string) error { _, _, err := h.Get(ctx, n, k); return err }, false},
		{"nkv.exists", func(ctx context.Context, h h, n, k string) error { _, err := h.Exists(ctx, n, k); return err }, false},
		{"nkv.set", func(ctx context.Context, h h, n, k string) error { return h.Set(ctx, n, k, value.Of("set")) }, false},
		{"nkv.delete", func(ctx context.Context, h h, n, k string) error { return h.Delete(ctx, n, k) }, false},
		{"nkv.list", func(ctx context.Context, h h, n, _ string) error { _, err := h.List(ctx, n, nkv.Page{}); return err }, true},
		{"nkv.delete-all", func(ctx context.Context, h h, n, _ string) error { return h.DeleteAll(ctx, n) }, true},
	}
}
