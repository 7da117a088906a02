// Package accounttest checks any connector of the account service.
//
// The suite runs through the guarded service, so a connector that passes keeps
// the promises that other services build their decisions on.
package accounttest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Data is what the connector under test has to hold, in the form of [account.ParseRoster].
const Data = `{
	"team-a": {
		"users": {"ann": {"settings": {"theme": "dark", "n": 3}}},
		"agents": {"helper": {"settings": {"k": "v"}}, "bare": {}},
		"settings": {"plan": "pro", "nested": {"x": [1, null]}}
	},
	"team-b": {"users": {"bob": {}, "ann": {"settings": {"theme": "never seen"}}}, "agents": {"other": {"settings": {}}}, "settings": {}},
	"empty": {}
}`

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	// Prepare puts Data where the connector finds it, and returns its settings. dir is its data folder.
	Prepare func(t *testing.T, dir string) value.Value
	// Stranger is the team of an agent that Data does not list, "" when it has none.
	Stranger string
}

// Open opens the connector in a runtime of its own and returns the service over it. The audit gets every denial and every
// change, and may be nil. All is closed when the test ends.
func Open(t *testing.T, def connector.Definition, s Subject, audit func(context.Context, access.Decision)) *account.Service {
	t.Helper()
	dir := t.TempDir()
	return OpenAt(t, def, dir, s.Prepare(t, dir), audit)
}

// OpenAt is Open with a data folder and settings: for a second runtime on the same data.
func OpenAt(t *testing.T, def connector.Definition, dir string, settings value.Value, audit func(context.Context, access.Decision)) *account.Service {
	t.Helper()
	env := connector.Env{
		Log: slog.New(slog.DiscardHandler), Dir: dir, Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(),
		Record: func(ctx context.Context, d access.Decision) error {
			if audit != nil {
				audit(ctx, d)
			}
			return nil
		},
	}
	if audit != nil {
		event.On(env.Events, audit)
	}
	conn, err := def.Open(t.Context(), env, settings)
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
	built, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: def.Name, Connector: conn}}, nil)
	if err != nil {
		t.Fatalf("build the service: %v", err)
	}
	svc := built.(*account.Service)
	if err := svc.Start(t.Context()); err != nil {
		t.Fatalf("start the service: %v", err)
	}
	t.Cleanup(func() {
		if err := svc.Close(context.Background()); err != nil {
			t.Errorf("close the service: %v", err)
		}
	})
	return svc
}

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Run("Teams", func(t *testing.T) { teams(t, Open(t, def, s, nil)) })
	t.Run("T18_UnknownPrincipal", func(t *testing.T) { strangers(t, Open(t, def, s, nil), s) })
	t.Run("Members", func(t *testing.T) { members(t, Open(t, def, s, nil)) })
	t.Run("Settings", func(t *testing.T) { settings(t, Open(t, def, s, nil)) })
	t.Run("Denied", func(t *testing.T) { denied(t, def, s) })
	t.Run("Tokens", func(t *testing.T) { tokens(t, def, s) })
	t.Run("Keeper", func(t *testing.T) { keeper(t, def, s) })
	t.Run("Concurrent", func(t *testing.T) { concurrent(t, Open(t, def, s, nil)) })
	t.Run("UnknownSetting", func(t *testing.T) {
		if err := def.Check(value.Obj(value.M("no-such-setting", value.Of("x")))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a setting that does not exist: %v, want kind %v", err, fault.Invalid)
		}
	})
	t.Run("NothingLeftBehind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { teams(t, Open(t, def, s, nil)) }) // fails when a goroutine outlives the test
	})
}

func candidate(t *testing.T, text string) access.Candidate {
	t.Helper()
	c, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func teams(t *testing.T, svc *account.Service) {
	for who, want := range map[string]string{
		"user:ann": "team-a", "agent:helper": "team-a", "agent:bare": "team-a", "user:bob": "team-b", "agent:other": "team-b",
		"team:team-a": "team-a", "team:empty": "empty",
	} {
		c := candidate(t, who)
		if got, err := svc.For(c).Team(t.Context()); err != nil || got != want {
			t.Errorf("team of %s = %q, %v, want %q", who, got, err, want)
		}
		if got, err := svc.TeamOf(t.Context(), c); err != nil || got != want {
			t.Errorf("TeamOf(%s) = %q, %v, want %q", who, got, err, want)
		}
	}
	for _, c := range []access.Candidate{{}, access.Public()} {
		if got, err := svc.For(c).Team(t.Context()); !fault.Is(err, fault.NotFound) {
			t.Errorf("team of %v = %q, %v, want kind %v", c, got, err, fault.NotFound)
		}
	}
}

// Names that Data does not list, one of them listed under another role.
func strangers(t *testing.T, svc *account.Service, s Subject) {
	for _, who := range []string{"agent:stranger", "user:stranger", "user:helper", "agent:ann", "agent:team-a"} {
		got, err := svc.For(candidate(t, who)).Team(t.Context())
		switch {
		case s.Stranger == "" && !fault.Is(err, fault.NotFound):
			t.Errorf("team of %s = %q, %v, want kind %v", who, got, err, fault.NotFound)
		case s.Stranger != "" && (err != nil || got != s.Stranger):
			t.Errorf("team of %s = %q, %v, want %q", who, got, err, s.Stranger)
		}
		for _, team := range []string{"team-a", "team-b", "empty"} {
			if team == s.Stranger {
				continue
			}
			owned := access.OwnedBy(candidate(t, "team:"+team))
			_, err := access.Authorize[access.Read](t.Context(), &access.Guard{Directory: svc}, "test.read", candidate(t, who), "r", owned)
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s reads what %s owns: err = %v, want kind %v", who, team, err, fault.Denied)
			}
		}
	}
}

func members(t *testing.T, svc *account.Service) {
	tests := []struct {
		who, team string
		want      bool
	}{
		{"user:ann", "team-a", true},
		{"user:ann", "team-b", false},
		{"agent:helper", "team-a", true},
		{"agent:helper", "empty", false},
		{"team:team-b", "team-b", true},
		{"team:team-b", "team-a", false},
		{"user:bob", "no-such-team", false},
		{"user:bob", "", false},
		{"user:bob", "team b", false},
		{"public", "team-a", false},
		{"agent:stranger", "team-a", false},
	}
	for _, tt := range tests {
		if got, err := svc.For(candidate(t, tt.who)).IsMember(t.Context(), tt.team); err != nil || got != tt.want {
			t.Errorf("%s is a member of %q = %v, %v, want %v", tt.who, tt.team, got, err, tt.want)
		}
	}
	if got, err := svc.For(access.Candidate{}).IsMember(t.Context(), "team-a"); err != nil || got {
		t.Errorf("nobody is a member = %v, %v, want false", got, err)
	}
}

func settings(t *testing.T, svc *account.Service) {
	tests := []struct{ who, own, team string }{
		{"user:ann", `{"theme":"dark","n":3}`, `{"plan":"pro","nested":{"x":[1,null]}}`},
		{"agent:helper", `{"k":"v"}`, `{"plan":"pro","nested":{"x":[1,null]}}`},
		{"agent:bare", `{}`, `{"plan":"pro","nested":{"x":[1,null]}}`},
		{"user:bob", `{}`, `{}`},
		{"team:team-a", `{"plan":"pro","nested":{"x":[1,null]}}`, `{"plan":"pro","nested":{"x":[1,null]}}`},
		{"team:empty", `{}`, `{}`},
	}
	for _, tt := range tests {
		h := svc.For(candidate(t, tt.who))
		if got, err := h.Settings(t.Context()); err != nil || got.JSON() != tt.own {
			t.Errorf("settings of %s = %s, %v, want %s", tt.who, got.JSON(), err, tt.own)
		}
		if got, err := h.TeamSettings(t.Context()); err != nil || got.JSON() != tt.team {
			t.Errorf("team settings of %s = %s, %v, want %s", tt.who, got.JSON(), err, tt.team)
		}
	}
	h := svc.For(candidate(t, "user:ann"))
	if got, err := h.Setting(t.Context(), "theme"); err != nil || got.Plain() != "dark" {
		t.Errorf("setting theme = %v, %v, want dark", got, err)
	}
	if got, err := h.TeamSetting(t.Context(), "plan"); err != nil || got.Plain() != "pro" {
		t.Errorf("team setting plan = %v, %v, want pro", got, err)
	}
	if got, err := h.TeamSetting(t.Context(), "missing"); err != nil || !got.IsAbsent() {
		t.Errorf("team setting missing = %v, %v, want none", got, err)
	}
}

// Somebody else's settings are refused whether they exist or not, with one text and one record each.
func denied(t *testing.T, def connector.Definition, s Subject) {
	var mu sync.Mutex
	var records []access.Decision
	svc := Open(t, def, s, func(_ context.Context, d access.Decision) {
		mu.Lock()
		defer mu.Unlock()
		records = append(records, d)
	})
	n := 0
	for _, who := range []string{"user:bob", "agent:other", "team:team-b", "public"} {
		for _, owner := range []string{"user:ann", "user:nobody-at-all", "agent:helper", "team:team-a", "team:no-such-team", "public"} {
			_, err := svc.For(candidate(t, who)).SettingsOf(t.Context(), candidate(t, owner))
			want := `account.settings "` + owner + `": Access Denied`
			if !fault.Is(err, fault.Denied) || err.Error() != want {
				t.Errorf("%s reads settings of %s: %v, want %s", who, owner, err, want)
			}
			n++
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(records) != n {
		t.Errorf("%d denials left %d records", n, len(records))
	}
}

func concurrent(t *testing.T, svc *account.Service) {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				teams(t, svc)
			}
		})
	}
	wg.Wait()
}
