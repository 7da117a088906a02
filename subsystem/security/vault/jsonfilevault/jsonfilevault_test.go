package jsonfilevault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/subsystem/security/vault/jsonfilevault"
	"github.com/sre-go/sre/subsystem/security/vault/vaulttest"
	"github.com/sre-go/sre/value"
)

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holding is a subject whose file of that name has that text.
func holding(name, text string, settings ...value.Member) vaulttest.Subject {
	return vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		write(t, dir, name, text)
		return value.Obj(settings...)
	}}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, jsonfilevault.Definition, holding("vault.json", vaulttest.Data))
}

func TestSuite_NamedFile(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, jsonfilevault.Definition, holding("keys/mine.json", vaulttest.Data, value.M("file", value.Of("keys/mine.json"))))
}

func TestSuite_NoFile(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, jsonfilevault.Definition, vaulttest.Subject{
		Empty: true, Prepare: func(*testing.T, string) value.Value { return value.Value{} },
	})
}

func TestFile_Search(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{"vault.json", "vault/vault.json", ".sre/vault.json"}, {"vault/vault.json", ".sre/vault.json"}, {".sre/vault.json"},
	} {
		w := vaulttest.Open(t, jsonfilevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
			for _, name := range names {
				write(t, dir, name, `{"team-a": {"from": "`+name+`"}}`)
			}
			return value.Value{}
		}})
		if got, err := w.As(t, "agent:helper").Get(t.Context(), "from"); err != nil || got.Reveal() != names[0] {
			t.Errorf("with %q the key comes from %q, %v, want %q", names, got.Reveal(), err, names[0])
		}
	}
}

// recorded is the vault file of the recorded cases, with teams of this suite.
const recorded = `{
 "default": {
  "openai": "sk-fake-default-openai", "SHARED_KEY": "shared-secret", "ENV_KEY": "prefix-$env(ORACLE_ENV_KEY)-suffix",
  "MISSING_ENV_KEY": "$env(ORACLE_NOT_SET)", "QUOTED_KEY": "va\"lue", "EMPTY_KEY": "", "TPL_KEY": "{{Input}}", "anthropic": "sk-fake-anthropic"
 },
 "team-a": {"openai": "sk-fake-team-a-openai", "TEAM_KEY": "team-a-secret", "SHARED_KEY": "team-a-overrides-shared"},
 "team-b": {"TEAM_KEY": "team-b-secret"}
}`

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

// With the shared team turned on the answers are those that were recorded.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	s := holding("vault.json", recorded, value.M("shared", value.Of("default")), value.M("env", value.List(value.Of("ORACLE_ENV_KEY"), value.Of("ORACLE_NOT_SET"))))
	s.Getenv = environment(map[string]string{"ORACLE_ENV_KEY": "from-env"})
	w := vaulttest.Open(t, jsonfilevault.Definition, s)
	w.Accounts.Move("agent:unknown-agent", "default")
	w.Accounts.Move("team:no-such-team", "no-such-team")
	tests := []struct{ who, key, want string }{
		{"agent:unknown-agent", "SHARED_KEY", "shared-secret"},
		{"agent:unknown-agent", "EMPTY_KEY", ""},
		{"agent:unknown-agent", "ENV_KEY", "prefix-from-env-suffix"},
		{"agent:unknown-agent", "MISSING_ENV_KEY", "$env(ORACLE_NOT_SET)"},
		{"agent:unknown-agent", "TPL_KEY", "{{Input}}"},
		{"agent:unknown-agent", "TEAM_KEY", "denied"},
		{"agent:unknown-agent", "NOPE", "denied"},
		{"team:team-a", "SHARED_KEY", "team-a-overrides-shared"},
		{"agent:helper", "TEAM_KEY", "team-a-secret"},
		{"agent:helper", "NOPE", "denied"},
		{"agent:helper", "EMPTY_KEY", ""},
		{"user:ann", "ENV_KEY", "prefix-from-env-suffix"},
		{"agent:other", "SHARED_KEY", "shared-secret"},
		{"agent:other", "TEAM_KEY", "team-b-secret"},
		{"team:no-such-team", "SHARED_KEY", "shared-secret"},
		{"team:no-such-team", "TEAM_KEY", "denied"},
	}
	for _, tt := range tests {
		got, err := w.As(t, tt.who).Get(t.Context(), tt.key)
		if tt.want == "denied" {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s gets %s = %q, %v, want kind %v", tt.who, tt.key, got.Reveal(), err, fault.Denied)
			}
			continue
		}
		if err != nil || got.Reveal() != tt.want {
			t.Errorf("%s gets %s = %q, %v, want %q", tt.who, tt.key, got.Reveal(), err, tt.want)
		}
	}
	shared := []string{"openai", "SHARED_KEY", "ENV_KEY", "MISSING_ENV_KEY", "QUOTED_KEY", "EMPTY_KEY", "TPL_KEY", "anthropic"}
	for who, want := range map[string][]string{
		"agent:unknown-agent": shared, "team:no-such-team": shared, "agent:helper": {"openai", "TEAM_KEY", "SHARED_KEY"}, "agent:other": {"TEAM_KEY"},
	} {
		if got, err := w.As(t, who).List(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s lists %q, %v, want %q", who, got, err, want)
		}
	}
}

// Nobody shares a key unless the operator has named the team that does.
func TestT27_SharedIsOff(t *testing.T) {
	t.Parallel()
	w := vaulttest.Open(t, jsonfilevault.Definition, holding("vault.json", strings.ReplaceAll(recorded, `"default"`, `"shared"`)))
	for _, who := range []string{"agent:helper", "agent:other", "agent:loner"} {
		got, err := w.As(t, who).Get(t.Context(), "anthropic")
		_, missing := w.As(t, who).Get(t.Context(), "nobodys12")
		if !fault.Is(err, fault.Denied) || !got.IsZero() {
			t.Errorf("%s gets a key of the team named shared: %q, %v, want kind %v", who, got.Reveal(), err, fault.Denied)
		}
		if a, b := strings.ReplaceAll(fmt.Sprint(err), "anthropic", "KEY"), strings.ReplaceAll(fmt.Sprint(missing), "nobodys12", "KEY"); a != b {
			t.Errorf("%s: %q for a key of others, %q for no key: want one text", who, a, b)
		}
	}
}

// A tenant's text stays text. An entry of the operator reaches listed variables only, and once.
func TestT31_EnvironmentThroughTheVault(t *testing.T) {
	t.Parallel()
	const file = `{
		"team-a": {"db": "$env(DATABASE_URL)", "path": "$env(PATH)", "key": "$env(OPENAI_API_KEY)", "mix": "a $env(LISTED) b"},
		"team-b": {"key": "$env(LISTED)", "db": "$env(DATABASE_URL)", "two": "$env(LISTED)/$env(OTHER)/$env(PATH)", "odd": "$env($env(LISTED))"},
		"common": {"shared-key": "$env(LISTED)", "shared-db": "$env(DATABASE_URL)", "loop": "$env(LOOP)", "open": "x $env(LISTED", "unset": "$env(UNSET)"}
	}`
	vars := map[string]string{"DATABASE_URL": "canary-db", "PATH": "canary-path", "OPENAI_API_KEY": "canary-key", "LISTED": "listed", "OTHER": "other", "LOOP": "$env(LISTED)"}
	var asked []string
	s := holding("vault.json", file,
		value.M("shared", value.Of("common")), value.M("operatorTeams", value.List(value.Of("team-b"))),
		value.M("env", value.List(value.Of("LISTED"), value.Of("OTHER"), value.Of("LOOP"), value.Of("UNSET"))))
	s.Getenv = func(name string) string { asked = append(asked, name); return vars[name] }
	w := vaulttest.Open(t, jsonfilevault.Definition, s)
	tests := []struct{ who, key, want string }{
		{"agent:helper", "db", "$env(DATABASE_URL)"},
		{"agent:helper", "path", "$env(PATH)"},
		{"agent:helper", "key", "$env(OPENAI_API_KEY)"},
		{"agent:helper", "mix", "a $env(LISTED) b"},
		{"agent:helper", "shared-key", "listed"},
		{"agent:helper", "shared-db", "$env(DATABASE_URL)"},
		{"agent:helper", "loop", "$env(LISTED)"},
		{"agent:helper", "open", "x $env(LISTED"},
		{"agent:helper", "unset", "$env(UNSET)"},
		{"agent:other", "key", "listed"},
		{"agent:other", "db", "$env(DATABASE_URL)"},
		{"agent:other", "two", "listed/other/$env(PATH)"},
		{"agent:other", "odd", "$env(listed)"},
	}
	for _, tt := range tests {
		if got, err := w.As(t, tt.who).Get(t.Context(), tt.key); err != nil || got.Reveal() != tt.want {
			t.Errorf("%s gets %s = %q, %v, want %q", tt.who, tt.key, got.Reveal(), err, tt.want)
		}
	}
	for _, name := range asked {
		if !slices.Contains([]string{"LISTED", "OTHER", "LOOP", "UNSET"}, name) {
			t.Errorf("the environment was asked for %s, which is not listed", name)
		}
	}
}

// Without a list of its own the operator's entries reach the keys of the known providers and nothing else.
func TestT31_DefaultList(t *testing.T) {
	t.Parallel()
	s := holding("vault.json", `{"team-a": {"openai": "$env(OPENAI_API_KEY)", "home": "$env(HOME)"}}`, value.M("operatorTeams", value.List(value.Of("team-a"))))
	s.Getenv = environment(map[string]string{"OPENAI_API_KEY": "sk-env", "HOME": "/root"})
	h := vaulttest.Open(t, jsonfilevault.Definition, s).As(t, "agent:helper")
	for key, want := range map[string]string{"openai": "sk-env", "home": "$env(HOME)"} {
		if got, err := h.Get(t.Context(), key); err != nil || got.Reveal() != want {
			t.Errorf("%s = %q, %v, want %q", key, got.Reveal(), err, want)
		}
	}
}

// A file that is refused is left as it is, and what it holds is in no error.
func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, settings string
		kind                 fault.Kind
		hint                 string
	}{
		{"no JSON", `{"team-a": {"k": "canary" "x"}}`, `{}`, fault.Invalid, "mend"},
		{"cut off", `{"team-a": {"k": "canary`, `{}`, fault.Invalid, "mend"},
		{"empty", ``, `{}`, fault.Invalid, "mend"},
		{"list", `["canary"]`, `{}`, fault.Invalid, "array"},
		{"text", `"canary"`, `{}`, fault.Invalid, "string"},
		{"team is a text", `{"team-a": "canary"}`, `{}`, fault.Invalid, "team-a"},
		{"team cannot exist", `{"team a": {"k": "canary"}}`, `{}`, fault.Invalid, "team a"},
		{"key twice", `{"team-a": {"k": "canary", "k": "canary"}}`, `{}`, fault.Invalid, "mend"},
		{"team twice", `{"team-a": {"k": "canary"}, "team-a": {}}`, `{}`, fault.Invalid, "mend"},
		{"encrypted", `{"encrypted": true, "algorithm": "aes-256-gcm", "data": "canary"}`, `{}`, fault.Unsupported, "encrypted"},
		{"named file is missing", `{}`, `{"file": "other.json"}`, fault.NotFound, "mend"},
		{"shared is no team", `{}`, `{"shared": "a/b"}`, fault.Invalid, "shared"},
		{"operator is no team", `{}`, `{"operatorTeams": ["a b"]}`, fault.Invalid, "operatorTeams"},
		{"variable is no name", `{}`, `{"env": ["A-B"]}`, fault.Invalid, "env"},
		{"all variables", `{}`, `{"env": ["*"]}`, fault.Invalid, "env"},
		{"misspelt setting", `{}`, `{"sharde": "x"}`, fault.Invalid, "shared"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}}
			write(t, env.Dir, "vault.json", tt.text)
			settings, err := value.Parse(tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := jsonfilevault.Definition.Open(t.Context(), env, settings)
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.hint) {
				t.Fatalf("Open = %v, %v, want kind %v and %q in the text", conn, err, tt.kind, tt.hint)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), "canary") {
				t.Errorf("the error %q holds a secret", err)
			}
			if left, err := os.ReadFile(filepath.Join(env.Dir, "vault.json")); err != nil || string(left) != tt.text {
				t.Errorf("the file became %q, %v, want it untouched", left, err)
			}
		})
	}
}

// What is no text is no secret.
func TestEntries_OnlyTexts(t *testing.T) {
	t.Parallel()
	w := vaulttest.Open(t, jsonfilevault.Definition, holding("vault.json", `{"team-a": {"n": 1, "o": {"k": "v"}, "l": ["v"], "z": null, "b": true, "": "x", "s": "v"}}`))
	h := w.As(t, "agent:helper")
	for _, key := range []string{"n", "o", "l", "z", "b"} {
		if got, err := h.Get(t.Context(), key); !fault.Is(err, fault.Denied) {
			t.Errorf("%s = %q, %v, want kind %v", key, got.Reveal(), err, fault.Denied)
		}
	}
	if got, err := h.List(t.Context()); err != nil || !slices.Equal(got, []string{"s"}) {
		t.Errorf("List = %q, %v, want only s", got, err)
	}
}

func BenchmarkConnectorACL(b *testing.B) {
	env := connector.Env{Dir: b.TempDir(), Effects: effect.System{}}
	write(b, env.Dir, "vault.json", vaulttest.Data)
	conn, err := jsonfilevault.Definition.Open(b.Context(), env, value.Value{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, resource := b.Context(), vault.Resource("team-a", "openai")
	b.ReportAllocs()
	for b.Loop() {
		if acl, err := conn.(vault.Connector).ACL(ctx, resource); err != nil || acl.Empty() {
			b.Fatal(acl, err)
		}
	}
}
