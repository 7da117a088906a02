package managedvaulttest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/value"
)

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Run("Entries", func(t *testing.T) { entries(t, Open(t, def, s)) })
	t.Run("T27_OtherTeams", func(t *testing.T) { otherTeams(t, Open(t, def, s)) })
	t.Run("T18_UnknownPrincipal", func(t *testing.T) { strangers(t, Open(t, def, s)) })
	t.Run("Names", func(t *testing.T) { names(t, Open(t, def, s)) })
	t.Run("T33_UsesAreKept", func(t *testing.T) { kept(t, Open(t, def, s)) })
	t.Run("T29_TokensAreKnown", func(t *testing.T) { known(t, Open(t, def, s)) })
	t.Run("Concurrent", func(t *testing.T) { concurrent(t, Open(t, def, s)) })
	t.Run("Renew", func(t *testing.T) { renew(t, Open(t, def, s)) })
	t.Run("Restart", func(t *testing.T) { restart(t, Open(t, def, s)) })
	t.Run("ZeroGrant", func(t *testing.T) { zeroGrant(t, def, s) })
	t.Run("UnknownSetting", func(t *testing.T) {
		if err := def.Check(value.Obj(value.M("no-such-setting", value.Of("x")))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a setting that does not exist: %v, want kind %v", err, fault.Invalid)
		}
	})
	t.Run("NothingLeftBehind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { strangers(t, Open(t, def, s)) }) // fails when a goroutine outlives the test
	})
}

func entries(t *testing.T, w *World) {
	ctx, h := t.Context(), w.As(t, "a1")
	if _, err := h.Get(ctx, "k"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Get before Set = %v, want kind %v", err, fault.NotFound)
	}
	for _, text := range []string{`{"primary":"one"}`, "two \u00fc \" \\ \n", strings.Repeat("x", managedvault.MaxEntryLength)} {
		err := h.Set(ctx, "k", secret.New(text))
		if w.subject.Empty {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("Set = %v, want kind %v", err, fault.Denied)
			}
			continue
		}
		if err != nil {
			t.Fatalf("Set: %v", err)
		}
		for _, who := range []string{"a1", "a2"} {
			got, err := w.As(t, who).Get(ctx, "k")
			if err != nil || got.Reveal() != text {
				t.Errorf("%s gets %.40q, %v, want %.40q", who, got.Reveal(), err, text)
			}
		}
	}
	there, err := h.Exists(ctx, "k")
	if err != nil || there == w.subject.Empty {
		t.Errorf("Exists = %v, %v, want %v", there, err, !w.subject.Empty)
	}
	for name, v := range map[string]secret.Value{"empty": {}, "long": secret.New(strings.Repeat("x", managedvault.MaxEntryLength+1)), "no text": secret.New("\xff")} {
		if err := h.Set(ctx, "k", v); !fault.Is(err, fault.Invalid) {
			t.Errorf("Set of an entry that is %s = %v, want kind %v", name, err, fault.Invalid)
		}
	}
	want, again := fault.Kind(0), fault.NotFound
	if w.subject.Empty {
		want, again = fault.Denied, fault.Denied
	}
	if err := h.Delete(ctx, "k"); (err == nil) != (want == 0) || err != nil && !fault.Is(err, want) {
		t.Errorf("Delete = %v", err)
	}
	if err := h.Delete(ctx, "k"); !fault.Is(err, again) {
		t.Errorf("second Delete = %v, want kind %v", err, again)
	}
	if there, err := h.Exists(ctx, "k"); err != nil || there {
		t.Errorf("Exists after Delete = %v, %v, want false", there, err)
	}
}

// An entry of another team is not there, whatever it is called.
func otherTeams(t *testing.T, w *World) {
	ctx, stranger := t.Context(), w.As(t, "b1")
	if !w.subject.Empty {
		if err := w.As(t, "a1").Set(ctx, "k", secret.New("canary")); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"k", "../team-a/k", "team-a/k", "/k", "k ", "K", "%", "k' OR '1'='1", "{{KEY(k)}}"} {
		got, err := stranger.Get(ctx, key)
		if !fault.Is(err, fault.NotFound) || !got.IsZero() || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("a stranger gets %q = %q, %v, want nothing", key, got.Reveal(), err)
		}
		if there, err := stranger.Exists(ctx, key); err != nil || there {
			t.Errorf("for a stranger %q exists = %v, %v, want false", key, there, err)
		}
		if err := stranger.Delete(ctx, key); err == nil {
			t.Errorf("a stranger deletes %q", key)
		}
	}
	if w.subject.Empty {
		return
	}
	if err := stranger.Set(ctx, "k", secret.New("of b")); err != nil {
		t.Fatal(err)
	}
	if got, err := w.As(t, "a1").Get(ctx, "k"); err != nil || got.Reveal() != "canary" {
		t.Errorf("after another team stored its own: %q, %v, want what was there", got.Reveal(), err)
	}
}

func strangers(t *testing.T, w *World) {
	ctx := t.Context()
	for name, h := range map[string]*managedvault.Handle{"unknown": w.As(t, "nobody"), "public": w.Service.For(access.Public()), "none": w.Service.For(access.Candidate{})} {
		_, get := h.Get(ctx, "k")
		_, exists := h.Exists(ctx, "k")
		for op, err := range map[string]error{"get": get, "exists": exists, "set": h.Set(ctx, "k", secret.New("v")), "delete": h.Delete(ctx, "k")} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s %s = %v, want kind %v", name, op, err, fault.Denied)
			}
		}
	}
}

func names(t *testing.T, w *World) {
	ctx, h := t.Context(), w.As(t, "a1")
	for _, key := range []string{"", strings.Repeat("k", managedvault.MaxKeyLength+1), "a\nb", "\x00", "\xff"} {
		_, get := h.Get(ctx, key)
		for op, err := range map[string]error{"get": get, "set": h.Set(ctx, key, secret.New("v")), "delete": h.Delete(ctx, key)} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s of %.20q = %v, want kind %v", op, key, err, fault.Invalid)
			}
		}
	}
}

// What is handed out or changed is in the audit before; what the audit cannot keep does not happen.
func kept(t *testing.T, w *World) {
	if w.subject.Empty {
		return // it hands out and changes nothing
	}
	ctx, h := t.Context(), w.As(t, "a1")
	if err := h.Set(ctx, "k", secret.New("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range w.Kept() {
		got = append(got, fmt.Sprint(d.Candidate.ID(), " ", d.Operation, " ", d.Level, " ", d.Resource, " ", d.Allowed))
	}
	if want := "a1 managedvault.set write team-a/k true|a1 managedvault.get read team-a/k true"; strings.Join(got, "|") != want {
		t.Errorf("records %q, want %q", got, want)
	}
	w.SetDeaf(true)
	if got, err := h.Get(ctx, "k"); !fault.Is(err, fault.Unavailable) || !got.IsZero() {
		t.Errorf("Get without an audit = %q, %v, want kind %v", got.Reveal(), err, fault.Unavailable)
	}
	if err := h.Set(ctx, "k", secret.New("two")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Set without an audit = %v, want kind %v", err, fault.Unavailable)
	}
	if err := h.Delete(ctx, "k"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Delete without an audit = %v, want kind %v", err, fault.Unavailable)
	}
	w.SetDeaf(false)
	if got, err := h.Get(ctx, "k"); err != nil || got.Reveal() != "one" {
		t.Errorf("afterwards Get = %q, %v, want what was there", got.Reveal(), err)
	}
}

// The tokens of an entry are taken out of what leaves the runtime; references to the vault are not.
func known(t *testing.T, w *World) {
	if w.subject.Empty {
		return // it holds no token
	}
	entry := `{"auth_data":{"primary":"access-token-1","secondary":"refresh-token-1"},"auth_settings":{"clientSecret":"{{KEY(client)}}","tokenURL":"https://t.test"}}`
	if err := w.As(t, "a1").Set(t.Context(), "k", secret.New(entry)); err != nil {
		t.Fatal(err)
	}
	const said = "access-token-1 refresh-token-1 {{KEY(client)}} https://t.test"
	want := secret.Redacted + " " + secret.Redacted + " {{KEY(client)}} https://t.test"
	if got := w.Secrets.For("team-a").Text(said); got != want {
		t.Errorf("the text without secrets is %q, want %q", got, want)
	}
	if got := w.Secrets.For("team-b").Text(said); got != said {
		t.Errorf("for another team it is %q, want it as it is", got)
	}
}

// Writers at the same time leave one of the entries, whole.
func concurrent(t *testing.T, w *World) {
	if w.subject.Empty {
		return // nobody may write
	}
	ctx, h := t.Context(), w.As(t, "a1")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 5 {
				if err := h.Set(ctx, "k", secret.New(strings.Repeat(string(rune('a'+i)), 1000))); err != nil {
					t.Errorf("Set: %v", err)
				}
				got, err := h.Get(ctx, "k")
				if text := got.Reveal(); err != nil || len(text) != 1000 || strings.Trim(text, text[:1]) != "" {
					t.Errorf("Get = %.20q of %d bytes, %v, want one whole entry", text, len(text), err)
				}
			}
		})
	}
	group.Wait()
}

// Of callers who renew at the same time one does it, and what it got is stored.
func renew(t *testing.T, w *World) {
	h := w.As(t, "a1")
	if w.subject.Empty {
		if _, err := h.Renew(t.Context(), "k", keep); !fault.Is(err, fault.Denied) {
			t.Errorf("Renew = %v, want kind %v", err, fault.Denied)
		}
		return
	}
	if _, err := w.As(t, "nobody").Renew(t.Context(), "k", keep); !fault.Is(err, fault.Denied) {
		t.Errorf("Renew by a stranger = %v, want kind %v", err, fault.Denied)
	}
	var calls atomic.Int32
	first := func(_ context.Context, entry secret.Value) (secret.Value, error) {
		if !entry.IsZero() {
			return entry, nil
		}
		calls.Add(1)
		return secret.New("x"), nil
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := h.Renew(t.Context(), "k", first); err != nil || got.Reveal() != "x" {
				t.Errorf("Renew = %q, %v, want what one of them got", got.Reveal(), err)
			}
		})
	}
	group.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("%d renewals, want one for all", n)
	}
	if got, err := h.Get(t.Context(), "k"); err != nil || got.Reveal() != "x" {
		t.Errorf("stored is %q, %v, want what was renewed", got.Reveal(), err)
	}
	if _, err := h.Renew(t.Context(), "k", func(context.Context, secret.Value) (secret.Value, error) {
		return secret.Value{}, fault.Newf(fault.Unavailable, "the service is away")
	}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Renew that fails = %v, want kind %v", err, fault.Unavailable)
	}
	if got, err := h.Renew(t.Context(), "k", keep); err != nil || got.Reveal() != "x" {
		t.Errorf("Renew that changes nothing = %q, %v, want what was there", got.Reveal(), err)
	}
}

func keep(_ context.Context, entry secret.Value) (secret.Value, error) { return entry, nil }

func restart(t *testing.T, w *World) {
	if w.subject.Empty {
		return // there is nothing to find again
	}
	if err := w.As(t, "a1").Set(t.Context(), "k", secret.New("stays")); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Again(t).As(t, "a2").Get(t.Context(), "k"); err != nil || got.Reveal() != "stays" {
		t.Errorf("after a restart = %q, %v, want what was stored", got.Reveal(), err)
	}
}

// A grant that nobody gave reaches nothing.
func zeroGrant(t *testing.T, def connector.Definition, s Subject) {
	env := connector.Env{Dir: t.TempDir()}
	opened, err := def.Open(t.Context(), env, s.Settings)
	if err != nil {
		t.Fatal(err)
	}
	conn := opened.(managedvault.Connector)
	if s.Empty {
		return // its operations read no grant
	}
	defer func() {
		if recover() == nil {
			t.Error("a grant that was not given was taken")
		}
		if err := opened.(connector.Closer).Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	_, _ = conn.Get(t.Context(), access.Grant[access.Read]{})
}
