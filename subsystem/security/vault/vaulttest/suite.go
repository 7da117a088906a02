package vaulttest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	data, err := value.Parse(Data)
	if err != nil {
		t.Fatal(err)
	}
	if s.Empty {
		data = value.Obj()
	}
	t.Run("OwnKeys", func(t *testing.T) { ownKeys(t, Open(t, def, s), data) })
	t.Run("List", func(t *testing.T) { lists(t, Open(t, def, s), data) })
	t.Run("T27_OtherTeamsVault", func(t *testing.T) { otherTeams(t, Open(t, def, s)) })
	t.Run("T18_UnknownPrincipal", func(t *testing.T) { strangers(t, Open(t, def, s)) })
	t.Run("T23_TeamChange", func(t *testing.T) { teamChange(t, Open(t, def, s), s.Empty) })
	t.Run("KeyNames", func(t *testing.T) { keyNames(t, Open(t, def, s)) })
	t.Run("T33_ReadsAreKept", func(t *testing.T) { readsAreKept(t, Open(t, def, s), s.Empty) })
	t.Run("Writer", func(t *testing.T) { writers(t, def, s) })
	t.Run("ZeroGrant", func(t *testing.T) { zeroGrant(t, def, s) })
	t.Run("UnknownSetting", func(t *testing.T) {
		if err := def.Check(value.Obj(value.M("no-such-setting", value.Of("x")))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a setting that does not exist: %v, want kind %v", err, fault.Invalid)
		}
	})
	t.Run("NothingLeftBehind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { ownKeys(t, Open(t, def, s), data) }) // fails when a goroutine outlives the test
	})
}

func ownKeys(t *testing.T, w *World, data value.Value) {
	for _, who := range []string{"agent:helper", "user:ann", "team:team-a"} {
		h := w.As(t, who)
		for _, m := range data.Get("team-a").Members() {
			want := m.Value.Plain()
			got, err := h.Get(t.Context(), m.Key)
			if err != nil || got.Reveal() != want {
				t.Errorf("%s gets %q = %q, %v, want %q", who, m.Key, got.Reveal(), err, want)
			}
			exists, err := h.Exists(t.Context(), m.Key)
			if err != nil || exists != (want != "") {
				t.Errorf("%s: %q exists = %v, %v, want %v", who, m.Key, exists, err, want != "")
			}
		}
	}
	if got := w.Records(); len(got) != 0 {
		t.Errorf("denials of own keys: %v, want none", got)
	}
}

func lists(t *testing.T, w *World, data value.Value) {
	for who, team := range map[string]string{"agent:helper": "team-a", "user:ann": "team-a", "agent:other": "team-b", "agent:loner": ""} {
		var want []string
		for _, m := range data.Get(team).Members() {
			want = append(want, m.Key)
		}
		got, err := w.As(t, who).List(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s lists %q, %v, want %q", who, got, err, want)
		}
		slices.Sort(got) // the caller's own copy
		if again, err := w.As(t, who).List(t.Context()); err != nil || !slices.Equal(again, want) {
			t.Errorf("%s lists %q, %v after the first list was changed, want %q", who, again, err, want)
		}
	}
}

// A key of another team and a key of nobody give one error, one record, and are not there.
func otherTeams(t *testing.T, w *World) {
	keys := []string{
		"ONLY_B", "NOBODYS", "../team-b/openai", "../team-b/ONLY_B", "team-b/ONLY_B", "/team-b/ONLY_B", "team-a/../team-b/ONLY_B",
		"__proto__", "toString", "hasOwnProperty", "prototype", "ONLY_B\x00", "only_b", " ONLY_B", "ONLY_B ", "openai\n", "*", "{{KEY(ONLY_B)}}",
		"..", ".", "/", "a", "a/", "\xff",
	}
	for _, who := range []string{"agent:helper", "team:team-a", "agent:loner"} {
		for _, key := range keys {
			h := w.As(t, who)
			got, err := h.Get(t.Context(), key)
			wantRefusal(t, fmt.Sprintf("%s gets %q", who, key), got, err, "vault.get", key)
			if n := len(w.Records()); n != 1 {
				t.Errorf("%s gets %q: %d records of the denial, want 1", who, key, n)
			}
			if exists, err := h.Exists(t.Context(), key); err != nil || exists {
				t.Errorf("%s: %q exists = %v, %v, want false", who, key, exists, err)
			}
		}
	}
}

func wantRefusal(t *testing.T, what string, got secret.Value, err error, op, key string) {
	t.Helper()
	if !fault.Is(err, fault.Denied) || fault.CodeOf(err) != "ACCESS_DENIED" || !got.IsZero() {
		t.Errorf("%s = %q, %v, want nothing and code ACCESS_DENIED", what, got.Reveal(), err)
		return
	}
	if want := fmt.Sprintf("%s %q: Access Denied (", op, key); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%s: error %q, want it to begin with %q", what, err, want)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", err, err), Canary) {
		t.Errorf("%s: the error %v holds a secret", what, err)
	}
}

// Who is in no team gets nothing, and learns nothing from the error; the same when accounts cannot be asked.
func strangers(t *testing.T, w *World) {
	texts := make(map[string]bool)
	ask := func(h *vault.Handle, what string) {
		t.Helper()
		for _, key := range []string{"openai", "NOBODYS"} {
			got, err := h.Get(t.Context(), key)
			wantRefusal(t, what+" gets "+key, got, err, "vault.get", key)
			if err != nil {
				texts[strings.ReplaceAll(err.Error(), key, "KEY")] = true
			}
			if exists, err := h.Exists(t.Context(), key); !fault.Is(err, fault.Denied) || exists {
				t.Errorf("%s: %s exists = %v, %v, want kind %v", what, key, exists, err, fault.Denied)
			}
		}
		if keys, err := h.List(t.Context()); !fault.Is(err, fault.Denied) || keys != nil {
			t.Errorf("%s lists %q, %v, want kind %v", what, keys, err, fault.Denied)
		}
		if n := len(w.Records()); n != 5 {
			t.Errorf("%s: 5 denials left %d records", what, n)
		}
	}
	for _, who := range []string{"agent:stranger", "user:stranger", "user:helper", "public", "team:team-c"} {
		ask(w.As(t, who), who)
	}
	ask(w.Vault.For(access.Candidate{}), "nobody")
	w.Accounts.SetDown(true)
	ask(w.As(t, "agent:helper"), "agent:helper without accounts")
	w.Accounts.SetDown(false)
	if _, err := w.As(t, "agent:helper").Get(t.Context(), "NOBODYS"); err != nil {
		texts[strings.ReplaceAll(err.Error(), "NOBODYS", "KEY")] = true
	}
	if len(texts) != 1 {
		t.Errorf("refusals can be told apart: %v", texts)
	}
}

// After a change of team has returned, no read that starts sees the old team's secrets.
func teamChange(t *testing.T, w *World, empty bool) {
	h := w.As(t, "agent:helper")
	var moved atomic.Bool
	var before, after atomic.Int64
	var wg, started sync.WaitGroup
	const readers = 64
	started.Add(readers)
	for range readers {
		wg.Go(func() {
			for first := true; ; first = false {
				late := moved.Load()
				got, err := h.Get(t.Context(), "TEAM_KEY")
				switch {
				case err == nil && late:
					t.Errorf("read %q after leaving the team", got.Reveal())
				case err == nil:
					before.Add(1)
				case !fault.Is(err, fault.Denied):
					t.Errorf("Get: %v, want a secret or kind %v", err, fault.Denied)
				default:
					after.Add(1)
				}
				if first {
					started.Done()
				}
				if late {
					return
				}
				runtime.Gosched() // the readers share few processors with the change
			}
		})
	}
	started.Wait()
	w.Accounts.Move("agent:helper", "team-b")
	moved.Store(true)
	wg.Wait()
	if after.Load() == 0 || (before.Load() == 0) != empty {
		t.Errorf("%d reads before and %d refusals after the change, want some of both", before.Load(), after.Load())
	}
}

func keyNames(t *testing.T, w *World) {
	h := w.As(t, "agent:helper")
	for name, key := range map[string]string{"empty": "", "long": strings.Repeat("k", vault.MaxKeyLength+1)} {
		if _, err := h.Get(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Get: %v, want kind %v", name, err, fault.Invalid)
		}
		if _, err := h.Exists(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Exists: %v, want kind %v", name, err, fault.Invalid)
		}
	}
	if _, err := h.Get(t.Context(), strings.Repeat("k", vault.MaxKeyLength)); !fault.Is(err, fault.Denied) {
		t.Errorf("longest name: Get: %v, want kind %v", err, fault.Denied)
	}
}

// A grant that nobody gave opens nothing: using one is a bug that shows.
func zeroGrant(t *testing.T, def connector.Definition, s Subject) {
	if s.Empty {
		return // it never looks at a grant
	}
	env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}, Getenv: s.Getenv}
	conn, err := def.Open(t.Context(), env, s.Prepare(t, env.Dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Get with the zero grant returned, want a panic")
		}
	}()
	v, err := conn.(vault.Connector).Get(t.Context(), access.Grant[access.Read]{})
	t.Errorf("Get with the zero grant = %q, %v", v.Reveal(), err)
}
