// Package cachetest checks any connector of the cache service.
//
// The checks work through the guarded handle, so what they prove is the whole of the contract: what is kept and for how
// long, who gets in, and that a refusal changes nothing and leaves one record. A connector's test calls [Run].
package cachetest

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
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
		{"Missing", missing},
		{"KeysStandApart", keysStandApart},
		{"T10_Traversal", traversal},
		{"Invalid", invalid},
		{"TTL", ttl},
		{"Metadata", metadata},
		{"StrangerIsRefused", strangerIsRefused},
		{"NobodyIsRefused", nobodyIsRefused},
		{"Levels", levels},
		{"SettingAgainKeepsOwner", settingAgainKeepsOwner},
		{"TeamAndPublic", teamAndPublic},
		{"T21_Revocation", revocation},
		{"Generations", generations},
		{"GrantsAreNeeded", grantsAreNeeded},
		{"Canceled", canceled},
		{"OneMaker", oneMaker},
		{"T23_Race", race},
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
	conn    cache.Connector
	service *cache.Service
	denials accesstest.Denials
	env     connector.Env
}

func open(t *testing.T, d connector.Definition, settings value.Value) *fixture {
	f := &fixture{T: t}
	f.env = connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(f.env.Events, f.denials.Add))
	opened, err := d.Open(t.Context(), f.env, settings)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.conn = opened.(cache.Connector)
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
	in := connector.Instances[cache.Connector]{Default: "it", ByID: map[string]cache.Connector{"it": f.conn}, Order: []string{"it"}}
	f.service = cache.New(f.env, in, accesstest.TwoTeams())
	return f
}

// as returns the cache of a candidate written "role:id" or "public".
func (f *fixture) as(who string) *cache.Handle { return f.service.For(f.candidate(who)) }

func (f *fixture) candidate(who string) access.Candidate {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// set stores a text and fails the check when it cannot.
func (f *fixture) set(who, key, text string, o cache.Options) {
	f.Helper()
	if err := f.as(who).Set(f.Context(), key, value.Of(text), o); err != nil {
		f.Fatalf("Set(%q) as %s: %v", key, who, err)
	}
}

// want checks what a candidate gets; "" for nothing.
func (f *fixture) want(who, key, want string) {
	f.Helper()
	got, ok, err := f.as(who).Get(f.Context(), key)
	if err != nil || got.Plain() != want || ok != (want != "") {
		f.Errorf("Get(%q) as %s = %.60q, %v, %v, want %.60q", key, who, got.Plain(), ok, err, want)
	}
}

// wantKind checks the kind of an error.
func (f *fixture) wantKind(what string, err error, want fault.Kind) {
	f.Helper()
	if !fault.Is(err, want) {
		f.Errorf("%s = %v, want an error of kind %v", what, err, want)
	}
}

func (f *fixture) sleep(d time.Duration) {
	f.Helper()
	if err := f.env.Effects.Sleep(f.Context(), d); err != nil {
		f.Fatal(err)
	}
}

// operation is one operation of a handle on a key.
type operation struct {
	name string
	do   func(context.Context, *cache.Handle, string) error
	asks bool // answers "nothing" rather than with an error when there is no entry
}

// operations are all operations, the harmless ones first.
func operations() []operation {
	return []operation{
		{"cache.get", func(ctx context.Context, h *cache.Handle, k string) error { _, _, err := h.Get(ctx, k); return err }, true},
		{"cache.exists", func(ctx context.Context, h *cache.Handle, k string) error { _, err := h.Exists(ctx, k); return err }, true},
		{"cache.ttl", func(ctx context.Context, h *cache.Handle, k string) error { _, _, err := h.TTL(ctx, k); return err }, true},
		{"cache.metadata", func(ctx context.Context, h *cache.Handle, k string) error {
			_, _, err := h.Metadata(ctx, k)
			return err
		}, true},
		{"cache.acl", func(ctx context.Context, h *cache.Handle, k string) error { _, err := h.ACL(ctx, k); return err }, false},
		{"cache.update-ttl", func(ctx context.Context, h *cache.Handle, k string) error { return h.UpdateTTL(ctx, k, time.Hour) }, false},
		{"cache.set-metadata", func(ctx context.Context, h *cache.Handle, k string) error {
			return h.SetMetadata(ctx, k, value.Obj(value.M("by", value.Of(h.Candidate().String()))))
		}, false},
		{"cache.set-acl", func(ctx context.Context, h *cache.Handle, k string) error { return h.SetACL(ctx, k, nil) }, false},
		{"cache.delete", func(ctx context.Context, h *cache.Handle, k string) error { return h.Delete(ctx, k) }, true},
		{"cache.set", func(ctx context.Context, h *cache.Handle, k string) error {
			return h.Set(ctx, k, value.Of("by "+h.Candidate().String()), cache.Options{})
		}, true},
	}
}
