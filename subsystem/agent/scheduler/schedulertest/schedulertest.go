// Package schedulertest checks any connector of the scheduler.
//
// The checks work through the guarded handle, so what they prove is the whole of the contract: what is kept, that owners
// and teams stand apart, who gets in, that a refusal leaves one record, and that one holder at a time may run a job. A
// connector's test calls [Run].
package schedulertest

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
	"github.com/sre-go/sre/subsystem/agent/scheduler"
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
		{"AddAgain", addAgain},
		{"PauseAndResume", pauseAndResume},
		{"Invalid", invalid},
		{"T10_Traversal", traversal},
		{"T16_Listing", listing},
		{"T18_NobodyIsRefused", nobodyIsRefused},
		{"ForeignAgent", foreignAgent},
		{"T23_TeamChanges", teamChanges},
		{"OneLease", oneLease},
		{"History", history},
		{"Canceled", canceled},
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
	conn    scheduler.Connector
	service *scheduler.Service
	env     connector.Env
	teams   *accesstest.Teams
	denials accesstest.Denials
}

func open(t *testing.T, d connector.Definition, settings value.Value) *fixture {
	f := &fixture{T: t, teams: accesstest.TwoTeams()}
	f.env = connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(f.env.Events, f.denials.Add))
	opened, err := d.Open(t.Context(), f.env, settings)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.conn = opened.(scheduler.Connector)
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
	in := connector.Instances[scheduler.Connector]{Default: "it", ByID: map[string]scheduler.Connector{"it": f.conn}, Order: []string{"it"}}
	f.service = scheduler.New(f.env, in, f.teams)
	return f
}

// as returns the service for a candidate written "role:id" or "public".
func (f *fixture) as(who string) *scheduler.Handle {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	return f.service.For(c)
}

// greet is a job for an agent.
func greet(agent string) scheduler.Job {
	return scheduler.Job{Type: scheduler.SkillJob, Agent: agent, Skill: "greet"}
}

// hourly is the schedule of checks that do not care.
func hourly() scheduler.Schedule { return scheduler.Schedule{Every: time.Hour} }

// add adds a job and fails the check when it cannot.
func (f *fixture) add(who, id, agent string) {
	f.Helper()
	if _, err := f.as(who).Add(f.Context(), id, greet(agent), hourly()); err != nil {
		f.Fatalf("Add(%q) as %s: %v", id, who, err)
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
	do   func(ctx context.Context, h *scheduler.Handle, id string) error
	all  bool // it takes no id
}

func operations() []operation {
	type h = *scheduler.Handle
	return []operation{
		{"scheduler.get", func(ctx context.Context, h h, id string) error { _, err := h.Get(ctx, id); return err }, false},
		{"scheduler.add", func(ctx context.Context, h h, id string) error {
			_, err := h.Add(ctx, id, greet("a1"), hourly())
			return err
		}, false},
		{"scheduler.pause", func(ctx context.Context, h h, id string) error { return h.Pause(ctx, id) }, false},
		{"scheduler.resume", func(ctx context.Context, h h, id string) error { return h.Resume(ctx, id) }, false},
		{"scheduler.delete", func(ctx context.Context, h h, id string) error { return h.Delete(ctx, id) }, false},
		{"scheduler.list", func(ctx context.Context, h h, _ string) error { _, err := h.List(ctx, "", 0); return err }, true},
	}
}
