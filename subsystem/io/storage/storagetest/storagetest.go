// Package storagetest checks any connector of the storage service.
//
// The checks work through the guarded handle, so what they prove is the whole of the contract: what is stored, who gets
// in, and that a refusal changes nothing and leaves one record. A connector's test calls [Run].
package storagetest

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
	"github.com/sre-go/sre/subsystem/io/storage"
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
		{"Ranges", ranges},
		{"OpenBodies", openBodies},
		{"Missing", missing},
		{"NamesStandApart", namesStandApart},
		{"T10_Traversal", traversal},
		{"StrangerIsRefused", strangerIsRefused},
		{"NobodyIsRefused", nobodyIsRefused},
		{"Levels", levels},
		{"OverwriteKeepsOwner", overwriteKeepsOwner},
		{"TeamAndPublic", teamAndPublic},
		{"PlacesOfTeams", placesOfTeams},
		{"T21_Revocation", revocation},
		{"Metadata", metadata},
		{"Expiry", expiry},
		{"T16_Listing", listing},
		{"ListingPages", listingPages},
		{"Generations", generations},
		{"FailingBody", failingBody},
		{"Canceled", canceled},
		{"GrantsAreNeeded", grantsAreNeeded},
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
	conn    storage.Connector
	service *storage.Service
	teams   *accesstest.Teams
	denials accesstest.Denials
	env     connector.Env
}

func open(t *testing.T, d connector.Definition, settings value.Value) *fixture {
	f := &fixture{T: t, teams: accesstest.TwoTeams()}
	f.env = connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(f.env.Events, f.denials.Add))
	opened, err := d.Open(t.Context(), f.env, settings)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.conn = opened.(storage.Connector)
	if s, ok := opened.(connector.Starter); ok {
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("Start: %v", err)
		}
	}
	if c, ok := opened.(connector.Checker); ok {
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
	}
	if c, ok := opened.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	in := connector.Instances[storage.Connector]{Default: "it", ByID: map[string]storage.Connector{"it": f.conn}, Order: []string{"it"}}
	f.service = storage.New(f.env, in, f.teams)
	return f
}

// as returns the storage of a candidate written "role:id" or "public".
func (f *fixture) as(who string) *storage.Handle { return f.service.For(f.candidate(who)) }

func (f *fixture) candidate(who string) access.Candidate {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// write stores text and fails the check when it cannot.
func (f *fixture) write(who, name, text string, o storage.Options) {
	f.Helper()
	if err := f.as(who).Write(f.Context(), name, []byte(text), o); err != nil {
		f.Fatalf("Write(%q) as %s: %v", name, who, err)
	}
}

// wantText checks what a candidate reads.
func (f *fixture) wantText(who, name, want string) {
	f.Helper()
	got, err := f.as(who).Read(f.Context(), name)
	if err != nil || string(got) != want {
		f.Errorf("Read(%q) as %s = %.60q, %v, want %.60q", name, who, got, err, want)
	}
}

// wantKind checks the kind of an error.
func (f *fixture) wantKind(what string, err error, want fault.Kind) {
	f.Helper()
	if !fault.Is(err, want) {
		f.Errorf("%s = %v, want an error of kind %v", what, err, want)
	}
}

// operation is one operation of a handle on a name.
type operation struct {
	name string
	do   func(context.Context, *storage.Handle, string) error
}

// operations are all operations on a name, the harmless ones first.
func operations() []operation {
	return []operation{
		{"storage.read", func(ctx context.Context, h *storage.Handle, n string) error { _, err := h.Read(ctx, n); return err }},
		{"storage.stat", func(ctx context.Context, h *storage.Handle, n string) error { _, err := h.Stat(ctx, n); return err }},
		{"storage.exists", func(ctx context.Context, h *storage.Handle, n string) error { _, err := h.Exists(ctx, n); return err }},
		{"storage.metadata", func(ctx context.Context, h *storage.Handle, n string) error { _, err := h.Metadata(ctx, n); return err }},
		{"storage.acl", func(ctx context.Context, h *storage.Handle, n string) error { _, err := h.ACL(ctx, n); return err }},
		{"storage.write", func(ctx context.Context, h *storage.Handle, n string) error {
			return h.Write(ctx, n, []byte("by "+h.Candidate().String()), storage.Options{})
		}},
		{"storage.set-metadata", func(ctx context.Context, h *storage.Handle, n string) error {
			return h.SetMetadata(ctx, n, value.Obj(value.M("by", value.Of(h.Candidate().String()))))
		}},
		{"storage.expire", func(ctx context.Context, h *storage.Handle, n string) error { return h.Expire(ctx, n, time.Hour) }},
		{"storage.set-acl", func(ctx context.Context, h *storage.Handle, n string) error { return h.SetACL(ctx, n, nil) }},
		{"storage.delete", func(ctx context.Context, h *storage.Handle, n string) error { return h.Delete(ctx, n) }},
	}
}
