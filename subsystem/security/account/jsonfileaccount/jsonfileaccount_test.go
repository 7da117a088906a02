package jsonfileaccount_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/accounttest"
	"github.com/sre-go/sre/subsystem/security/account/jsonfileaccount"
	"github.com/sre-go/sre/value"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holding is a subject whose account.json has that text.
func holding(text string, settings ...value.Member) accounttest.Subject {
	return accounttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		write(t, filepath.Join(dir, "account.json"), text)
		return value.Obj(settings...)
	}}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	accounttest.Run(t, jsonfileaccount.Definition, holding(accounttest.Data))
}

func TestSuite_DefaultTeam(t *testing.T) {
	t.Parallel()
	s := holding(accounttest.Data, value.M("defaultTeam", value.Of("default")))
	s.Stranger = "default"
	accounttest.Run(t, jsonfileaccount.Definition, s)
}

// recorded is the account file of the recorded cases.
const recorded = `{
    "default": { "users": { "user-default": { "settings": { "theme": "dark" } } }, "agents": { "agent-default": { "settings": {} } }, "settings": { "setting1": "value1" } },
    "team-a": { "users": { "user-a": { "settings": {} } }, "agents": { "agent-a": { "settings": { "k": "v" } }, "agent-a2": { "settings": {} } }, "settings": { "vector_db_creds:x": "y" } },
    "team-b": { "users": { "user-b": { "settings": {} } }, "agents": { "agent-b": { "settings": {} } }, "settings": {} }
}`

func candidate(t *testing.T, text string) access.Candidate {
	t.Helper()
	c, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// With a default team the answers are those that were recorded.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	svc := accounttest.Open(t, jsonfileaccount.Definition, holding(recorded, value.M("defaultTeam", value.Of("default"))), nil)
	tests := []struct {
		who, team string
		members   string // of these teams
	}{
		{"agent:agent-a", "team-a", "default team-a"},
		{"agent:agent-b", "team-b", "default team-b"},
		{"agent:agent-default", "default", "default"},
		{"team:team-a", "team-a", "default team-a"},
		{"team:team-b", "team-b", "default team-b"},
		{"user:user-default", "default", "default"},
		{"user:user-b", "team-b", "team-b"},
		{"agent:unknown-agent", "default", "default"},
		{"user:unknown-user", "default", ""},
		{"team:no-such-team", "no-such-team", "default"},
	}
	for _, tt := range tests {
		h := svc.For(candidate(t, tt.who))
		if got, err := h.Team(t.Context()); err != nil || got != tt.team {
			t.Errorf("team of %s = %q, %v, want %q", tt.who, got, err, tt.team)
		}
		var member []string
		for _, team := range []string{"default", "team-a", "team-b", "team-none"} {
			is, err := h.IsMember(t.Context(), team)
			if err != nil {
				t.Errorf("%s in %s: %v", tt.who, team, err)
			}
			if is {
				member = append(member, team)
			}
		}
		if got := strings.Join(member, " "); got != tt.members {
			t.Errorf("%s is a member of %q, want %q", tt.who, got, tt.members)
		}
	}
}

// A change of membership counts within a second; a file that cannot be used refuses everybody until it is mended.
func TestT23_MembershipInTheFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var path string
		svc := accounttest.Open(t, jsonfileaccount.Definition, accounttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
			path = filepath.Join(dir, "account.json")
			write(t, path, recorded)
			return value.Value{}
		}}, nil)
		agent, owned := candidate(t, "agent:agent-a"), access.OwnedBy(candidate(t, "team:team-a"))
		read := func() error {
			_, err := access.Authorize[access.Read](t.Context(), &access.Guard{Directory: svc}, "test.read", agent, "r", owned)
			return err
		}
		pass := func() {
			if err := (effect.System{}).Sleep(t.Context(), livefile.MaxAge); err != nil {
				t.Fatal(err)
			}
		}
		if err := read(); err != nil {
			t.Fatalf("member reads: %v, want a grant", err)
		}
		for name, text := range map[string]string{
			"moved to another team": strings.NewReplacer("agent-a\"", "agent-x\"", "agent-b", "agent-a").Replace(recorded),
			"half-written":          recorded[:len(recorded)/2],
			"emptied":               "",
		} {
			write(t, path, text)
			pass()
			if err := read(); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v, want kind %v", name, err, fault.Denied)
			}
			write(t, path, recorded)
			pass()
			if err := read(); err != nil {
				t.Errorf("mended after %s: %v, want a grant", name, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		pass()
		if err := read(); !fault.Is(err, fault.Denied) {
			t.Errorf("file removed: %v, want kind %v", err, fault.Denied)
		}
	})
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		settings   value.Value
		kind       fault.Kind
		hint       string
	}{
		{"no file", "", value.Obj(value.M("file", value.Of("other.json"))), fault.NotFound, "DummyAccount"},
		{"no JSON", "{", value.Value{}, fault.Invalid, "account.json"},
		{"team twice", `{"a": {}, "a": {}}`, value.Value{}, fault.Invalid, "account.json"},
		{"list", `[]`, value.Value{}, fault.Invalid, "object of teams"},
		{"name of a team", `{"a b": {}}`, value.Value{}, fault.Invalid, "a b"},
		{"wrong default team", recorded, value.Obj(value.M("defaultTeam", value.Of("a/b"))), fault.Invalid, "defaultTeam"},
		{"file outside", recorded, value.Obj(value.M("file", value.Of("../account.json"))), fault.Invalid, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}}
			write(t, filepath.Join(env.Dir, "account.json"), tt.text)
			conn, err := jsonfileaccount.Definition.Open(t.Context(), env, tt.settings)
			if err == nil || (fault.KindOf(err) != tt.kind && fault.CodeOf(err) != "PATH_DENIED") || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("Open = %v, %v, want kind %v and %q in the text", conn, err, tt.kind, tt.hint)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}}
		path := filepath.Join(env.Dir, "account.json")
		write(t, path, recorded)
		conn, err := jsonfileaccount.Definition.Open(t.Context(), env, value.Value{})
		if err != nil {
			t.Fatal(err)
		}
		checker := conn.(connector.Checker)
		if err := checker.Check(t.Context()); err != nil {
			t.Errorf("Check = %v, want nil", err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := (effect.System{}).Sleep(t.Context(), livefile.MaxAge); err != nil {
			t.Fatal(err)
		}
		if err := checker.Check(t.Context()); !fault.Is(err, fault.NotFound) {
			t.Errorf("Check without the file = %v, want kind %v", err, fault.NotFound)
		}
	})
}

func BenchmarkTeamOf(b *testing.B) {
	env := connector.Env{Dir: b.TempDir(), Effects: effect.System{}}
	if err := os.WriteFile(filepath.Join(env.Dir, "account.json"), []byte(recorded), 0o600); err != nil {
		b.Fatal(err)
	}
	conn, err := jsonfileaccount.Definition.Open(b.Context(), env, value.Value{})
	if err != nil {
		b.Fatal(err)
	}
	svc, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "a", Connector: conn}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	c, err := access.Agent("agent-a")
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := svc.(*account.Service).TeamOf(ctx, c); err != nil {
			b.Fatal(err)
		}
	}
}
