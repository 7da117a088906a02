package vaulttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// writers runs what connectors that can be changed have to pass; the others refuse every change.
func writers(t *testing.T, def connector.Definition, s Subject) {
	env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}, Getenv: s.Getenv}
	conn, err := def.Open(t.Context(), env, s.Prepare(t, env.Dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := conn.(vault.Writer); !ok {
		refuses(t, Open(t, def, s))
		return
	}
	for name, check := range map[string]func(*testing.T, *World){
		"RoundTrip": roundTrip, "Restart": restart, "T27_WritesOfOthers": writesOfOthers, "T31_TenantTextStaysText": tenantText,
		"T30_BoundToHosts": bound, "Entries": entries, "F19_NoAudit": noAudit, "Concurrent": concurrent,
	} {
		t.Run(name, func(t *testing.T) {
			w := Open(t, def, s)
			if w.filled = s.Empty; s.Empty {
				fill(t, w)
			}
			check(t, w)
		})
	}
}

func refuses(t *testing.T, w *World) {
	h := w.As(t, "team:team-a")
	if err := h.Set(t.Context(), "new", secret.New("canary new")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Set: %v, want kind %v", err, fault.Unsupported)
	}
	if err := h.Delete(t.Context(), "openai"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Delete: %v, want kind %v", err, fault.Unsupported)
	}
	if err := w.As(t, "agent:helper").Set(t.Context(), "new", secret.New("canary new")); !fault.Is(err, fault.Denied) {
		t.Errorf("Set of an agent: %v, want kind %v", err, fault.Denied)
	}
	names, err := h.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	infos, err := h.Info(t.Context())
	if err != nil || len(infos) != len(names) {
		t.Errorf("Info = %v, %v, want the names %q", infos, err, names)
	}
}

// fill stores Data into a vault that began empty, but for the secret that cannot be stored.
func fill(t *testing.T, w *World) {
	data, err := value.Parse(Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, team := range data.Members() {
		for _, m := range team.Value.Members() {
			if m.Value.Plain() == "" {
				continue
			}
			if err := w.As(t, "team:"+team.Key).Set(t.Context(), m.Key, secret.New(m.Value.Plain())); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Kept()
}

// holds fails unless a key of a candidate is text, or, with "", refused.
func holds(t *testing.T, w *World, who, key, text string) {
	t.Helper()
	got, err := w.As(t, who).Get(t.Context(), key)
	if text == "" {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s gets %q = %q, %v, want kind %v", who, key, got.Reveal(), err, fault.Denied)
		}
		return
	}
	if err != nil || got.Reveal() != text {
		t.Errorf("%s gets %q = %q, %v, want %q", who, key, got.Reveal(), err, text)
	}
}

// A change counts for the next call, comes last in the list when it is new and stays in its place when it is not, and
// leaves everything else alone.
func roundTrip(t *testing.T, w *World) {
	for _, who := range []string{"team:team-a", "user:ann"} {
		h := w.As(t, who)
		before, err := h.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{"canary one", "canary two \"\\ \u00fc\n", "$env(PATH) {{Input}}"} {
			key := fmt.Sprintf("%s/%d", strings.ReplaceAll(who, ":", "."), i)
			for _, text := range []string{"canary earlier", text} {
				if err := h.Set(t.Context(), key, secret.New(text)); err != nil {
					t.Fatalf("%s sets %q: %v", who, key, err)
				}
				holds(t, w, who, key, text)
				holds(t, w, "agent:helper", key, text)
			}
			holds(t, w, "agent:other", key, "")
			before = append(before, key)
		}
		if got, err := h.List(t.Context()); err != nil || !slices.Equal(got, before) {
			t.Errorf("%s lists %q, %v, want %q", who, got, err, before)
		}
		key := before[len(before)-1]
		if err := h.Delete(t.Context(), key); err != nil {
			t.Errorf("%s deletes %q: %v", who, key, err)
		}
		holds(t, w, who, key, "")
		if err := h.Delete(t.Context(), key); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s deletes %q again: %v, want kind %v", who, key, err, fault.NotFound)
		}
	}
	untouched(t, w)
	if got := w.Secrets.For("team-a").Text("a canary one b"); got != "a "+secret.Redacted+" b" {
		t.Errorf("a stored secret is redacted to %q, want it taken out", got)
	}
}

// untouched fails unless everything of Data is there.
func untouched(t *testing.T, w *World) {
	t.Helper()
	data, err := value.Parse(Data)
	if err != nil {
		t.Fatal(err)
	}
	for team, who := range map[string]string{"team-a": "agent:helper", "team-b": "agent:other"} {
		for _, m := range data.Get(team).Members() {
			if w.filled && m.Value.Plain() == "" {
				continue
			}
			got, err := w.As(t, who).Get(t.Context(), m.Key)
			if err != nil || got.Reveal() != m.Value.Plain() {
				t.Errorf("%s gets %q = %q, %v after a change, want %q", who, m.Key, got.Reveal(), err, m.Value.Plain())
			}
		}
	}
}

// What was stored is there after a restart.
func restart(t *testing.T, w *World) {
	h := w.As(t, "team:team-a")
	if err := h.Set(t.Context(), "kept", secret.New("canary kept").For("api.test")); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(t.Context(), "openai"); err != nil {
		t.Fatal(err)
	}
	again := w.Again(t)
	holds(t, again, "agent:helper", "kept", "canary kept")
	holds(t, again, "agent:helper", "openai", "")
	holds(t, again, "agent:other", "openai", "canary sk-b")
	if got, err := again.As(t, "agent:helper").Get(t.Context(), "kept"); err != nil || !slices.Equal(got.Hosts(), []string{"api.test"}) {
		t.Errorf("hosts after a restart = %q, %v, want api.test", got.Hosts(), err)
	}
}

// Agents, the public and strangers change nothing; a team changes nothing of another.
func writesOfOthers(t *testing.T, w *World) {
	for _, who := range []string{"agent:helper", "agent:other", "agent:loner", "agent:stranger", "user:stranger", "public", "team:team-c"} {
		for _, key := range []string{"openai", "new", "../team-a/openai", "team-a/openai"} {
			h := w.As(t, who)
			w.Records()
			if err := h.Set(t.Context(), key, secret.New("canary forged")); !fault.Is(err, fault.Denied) {
				t.Errorf("%s sets %q: %v, want kind %v", who, key, err, fault.Denied)
			}
			if err := h.Delete(t.Context(), key); !fault.Is(err, fault.Denied) {
				t.Errorf("%s deletes %q: %v, want kind %v", who, key, err, fault.Denied)
			}
			if n := len(w.Records()); n != 2 {
				t.Errorf("%s: 2 refused changes left %d records", who, n)
			}
		}
	}
	if err := w.Vault.For(access.Candidate{}).Set(t.Context(), "new", secret.New("canary forged")); !fault.Is(err, fault.Denied) {
		t.Errorf("nobody sets: %v, want kind %v", err, fault.Denied)
	}
	b := w.As(t, "team:team-b")
	for _, key := range []string{"team-a/openai", "../team-a/openai", "TEAM_KEY"} {
		if err := b.Set(t.Context(), key, secret.New("canary of b")); err != nil {
			t.Errorf("team-b sets %q of its own: %v", key, err)
		}
	}
	if err := b.Delete(t.Context(), "QUOTED"); !fault.Is(err, fault.NotFound) {
		t.Errorf("team-b deletes a key of team-a: %v, want kind %v", err, fault.NotFound)
	}
	for _, m := range []string{"team-a/openai", "../team-a/openai"} {
		holds(t, w, "agent:helper", m, "")
	}
	untouched(t, w)
}

// What a tenant stores is never looked up in the environment.
func tenantText(t *testing.T, w *World) {
	for _, text := range []string{"$env(DATABASE_URL)", "$env(PATH)", "$env(OPENAI_API_KEY)", "x $env(HOME) y"} {
		if err := w.As(t, "user:ann").Set(t.Context(), "ref", secret.New(text)); err != nil {
			t.Fatal(err)
		}
		holds(t, w, "agent:helper", "ref", text)
	}
}

// A secret comes back with the hosts it was stored with, and so does its description, which holds no secret.
func bound(t *testing.T, w *World) {
	h := w.As(t, "team:team-a")
	want := map[string][]string{"free": nil, "one": {"api.openai.com"}, "many": {"*.inner.test", "10.0.0.1", "API.test"}}
	for key, hosts := range want {
		if err := h.Set(t.Context(), key, secret.New("canary "+key).For(hosts...)); err != nil {
			t.Fatalf("Set(%q): %v", key, err)
		}
		got, err := w.As(t, "agent:helper").Get(t.Context(), key)
		if err != nil || !slices.Equal(got.Hosts(), hosts) || (got.Hosts() == nil) != (hosts == nil) {
			t.Errorf("%q comes back for %q, %v, want %q", key, got.Hosts(), err, hosts)
		}
	}
	infos, err := w.As(t, "agent:helper").Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, info := range infos {
		hosts, ok := want[info.Name]
		if ok {
			found++
		}
		if !slices.Equal(info.Hosts, hosts) {
			t.Errorf("Info of %q has hosts %q, want %q", info.Name, info.Hosts, hosts)
		}
	}
	if found != len(want) || strings.Contains(fmt.Sprintf("%+v", infos), Canary+" ") {
		t.Errorf("Info = %+v, want the keys and no secret", infos)
	}
	// Stored again without hosts it is free: what is stored counts, and nothing else.
	if err := h.Set(t.Context(), "one", secret.New("canary one")); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Get(t.Context(), "one"); err != nil || got.Hosts() != nil {
		t.Errorf("hosts of a secret stored again = %q, %v, want none", got.Hosts(), err)
	}
}

// What cannot be stored and read again as it is, is refused.
func entries(t *testing.T, w *World) {
	h := w.As(t, "team:team-a")
	for name, e := range map[string]struct {
		key string
		v   secret.Value
	}{
		"no name":           {"", secret.New("x")},
		"long name":         {strings.Repeat("k", vault.MaxKeyLength+1), secret.New("x")},
		"name not UTF-8":    {"a\xff", secret.New("x")},
		"name with a break": {"a\nb", secret.New("x")},
		"empty":             {"k", secret.New("")},
		"nothing":           {"k", secret.Value{}},
		"not UTF-8":         {"k", secret.New("a\xffb")},
		"too long":          {"k", secret.New(strings.Repeat("x", vault.MaxSecretLength+1))},
		"URL for a host":    {"k", secret.New("x").For("https://api.test")},
		"port":              {"k", secret.New("x").For("api.test:443")},
		"any host":          {"k", secret.New("x").For("*")},
		"star inside":       {"k", secret.New("x").For("a.*.test")},
		"empty host":        {"k", secret.New("x").For("api.test", "")},
	} {
		if err := h.Set(t.Context(), e.key, e.v); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Set: %v, want kind %v", name, err, fault.Invalid)
		}
	}
	long := strings.Repeat("\u00fc", vault.MaxSecretLength/2)
	if err := h.Set(t.Context(), "long", secret.New(long)); err != nil {
		t.Errorf("the longest secret: Set: %v", err)
	}
	holds(t, w, "agent:helper", "long", long)
	untouched(t, w)
}

// What cannot be recorded is not done.
func noAudit(t *testing.T, w *World) {
	h := w.As(t, "team:team-a")
	w.SetDeaf(true)
	if err := h.Set(t.Context(), "openai", secret.New("canary unseen")); err == nil {
		t.Error("Set without an audit: no error")
	}
	if err := h.Delete(t.Context(), "openai"); err == nil {
		t.Error("Delete without an audit: no error")
	}
	w.SetDeaf(false)
	w.Kept()
	untouched(t, w)
	w.Kept()
	if err := h.Set(t.Context(), "seen", secret.New("canary seen")); err != nil {
		t.Fatal(err)
	}
	want := access.Decision{Candidate: h.Candidate(), Resource: "team-a/seen", Operation: "vault.set", Level: "write", Allowed: true}
	if got := w.Kept(); len(got) != 1 || got[0] != want {
		t.Errorf("records of a change = %+v, want %+v", got, want)
	}
}

// Changes at the same time are all kept.
func concurrent(t *testing.T, w *World) {
	const writers = 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			team, key := []string{"team-a", "team-b"}[i%2], fmt.Sprint("key-", i)
			if err := w.As(t, "team:"+team).Set(t.Context(), key, secret.New("canary "+key)); err != nil {
				t.Errorf("%s sets %s: %v", team, key, err)
			}
		})
	}
	wg.Wait()
	for i := range writers {
		holds(t, w, []string{"agent:helper", "agent:other"}[i%2], fmt.Sprint("key-", i), fmt.Sprint("canary key-", i))
	}
	untouched(t, w)
}

// readsAreKept: every read of a secret is in the audit before the secret is handed out, and without an audit none is.
func readsAreKept(t *testing.T, w *World, empty bool) {
	h := w.As(t, "agent:helper")
	w.SetDeaf(true)
	got, err := h.Get(t.Context(), "openai")
	if err == nil || !got.IsZero() {
		t.Errorf("Get without an audit = %q, %v, want an error", got.Reveal(), err)
	}
	w.SetDeaf(false)
	w.Kept()
	_, err = h.Get(t.Context(), "openai")
	if empty {
		if !fault.Is(err, fault.Denied) || len(w.Kept()) != 0 {
			t.Errorf("Get of an empty vault: %v, want kind %v and no record of a read", err, fault.Denied)
		}
		return
	}
	want := access.Decision{Candidate: h.Candidate(), Resource: "team-a/openai", Operation: "vault.get", Level: "read", Allowed: true}
	if kept := w.Kept(); err != nil || len(kept) != 1 || kept[0] != want {
		t.Errorf("Get: %v, records %+v, want %+v", err, kept, want)
	}
}
