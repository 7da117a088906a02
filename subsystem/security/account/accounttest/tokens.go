package accounttest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// tokens checks connectors that keep API tokens; for others it checks that everybody is refused.
func tokens(t *testing.T, def connector.Definition, s Subject) {
	svc := Open(t, def, s, nil)
	if _, _, err := svc.For(candidate(t, "team:team-a")).Tokens(t.Context()); fault.Is(err, fault.Unsupported) {
		refused(t, svc, "a connector without tokens", "sre_"+strings.Repeat("a", 60))
		return
	}
	t.Run("Life", func(t *testing.T) { tokenLife(t, svc) })
	t.Run("T26_PartialTokens", func(t *testing.T) { partialTokens(t, svc) })
	t.Run("Who", func(t *testing.T) { tokenMakers(t, svc) })
	t.Run("Wrong", func(t *testing.T) { wrongTokens(t, svc) })
	t.Run("Expiry", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { expiry(t, Open(t, def, s, nil)) })
	})
	t.Run("T23_RevokedElsewhere", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { elsewhere(t, def, s) })
	})
	t.Run("T23_Revoked", func(t *testing.T) { revokedAtOnce(t, svc) })
}

// made makes a token as somebody.
func made(t *testing.T, svc *account.Service, who string, spec account.TokenSpec) (account.Token, string) {
	t.Helper()
	tok, shown, err := svc.For(candidate(t, who)).CreateToken(t.Context(), spec)
	if err != nil {
		t.Fatalf("%s makes %+v: %v", who, spec, err)
	}
	return tok, shown.Reveal()
}

func refused(t *testing.T, svc *account.Service, what, shown string) {
	t.Helper()
	if c, err := svc.Authenticate(t.Context(), shown); !fault.Is(err, fault.Unauthenticated) || !c.IsZero() || c.Has(account.ScopeRun) || c.Team() != "" {
		t.Errorf("%s: Authenticate = %v %q, %v, want kind %v", what, c.IsZero(), c.Team(), err, fault.Unauthenticated)
	}
}

func accepted(t *testing.T, svc *account.Service, what, shown string) account.Caller {
	t.Helper()
	c, err := svc.Authenticate(t.Context(), shown)
	if err != nil {
		t.Errorf("%s: Authenticate: %v", what, err)
	}
	return c
}

// calls lists the agents that a caller may call, of those that Data and the suite know.
func calls(t *testing.T, c account.Caller) string {
	t.Helper()
	var may []string
	for _, id := range []string{"helper", "bare", "other", "nobody"} {
		if c.MayCall(t.Context(), candidate(t, "agent:"+id)) {
			may = append(may, id)
		}
	}
	return strings.Join(may, " ")
}

func tokenLife(t *testing.T, svc *account.Service) {
	tests := []struct {
		name, who string
		spec      account.TokenSpec
		calls     string
		debug     bool
		admin     bool
	}{
		{"of a team", "team:team-a", account.TokenSpec{Name: "CI", Scopes: account.ScopeRun}, "helper bare", false, false},
		{"of another team", "team:team-b", account.TokenSpec{Scopes: account.ScopeDebug}, "other", true, false},
		{"of a team without agents", "team:empty", account.TokenSpec{Scopes: account.ScopeAdmin}, "", true, true},
		{"for one agent", "team:team-a", account.TokenSpec{Scopes: account.ScopeAdmin, Agents: []string{"helper", "helper"}}, "helper", true, true},
		{"for an agent of others", "team:team-a", account.TokenSpec{Scopes: account.ScopeRun, Agents: []string{"other", "nobody"}}, "", false, false},
		{"of a user", "user:ann", account.TokenSpec{User: "ann", Scopes: account.ScopeRun | account.ScopeDebug}, "helper bare", true, false},
	}
	for _, tt := range tests {
		tok, shown := made(t, svc, tt.who, tt.spec)
		if !strings.HasPrefix(shown, "sre_"+tok.ID) || len(shown) < 60 || !account.LooksLikeToken(shown) {
			t.Errorf("%s: the token has %d characters, want its id and 256 bits", tt.name, len(shown))
		}
		c := accepted(t, svc, tt.name, shown)
		if got := calls(t, c); got != tt.calls {
			t.Errorf("%s: may call %q, want %q", tt.name, got, tt.calls)
		}
		if c.TokenID() != tok.ID || c.Team() != tok.Team || c.User() != tt.spec.User || !c.Has(account.ScopeRun) || c.Has(account.ScopeDebug) != tt.debug || c.Has(account.ScopeAdmin) != tt.admin || c.Has(0) {
			t.Errorf("%s: caller is %q of %q with token %q, debug %v, admin %v", tt.name, c.User(), c.Team(), c.TokenID(), c.Has(account.ScopeDebug), c.Has(account.ScopeAdmin))
		}
		h := svc.For(candidate(t, tt.who))
		list, damaged, err := h.Tokens(t.Context())
		if err != nil || len(damaged) != 0 || !slices.ContainsFunc(list, func(o account.Token) bool { return o.ID == tok.ID && o.Name == tt.spec.Name && o.Team == tok.Team }) {
			t.Errorf("%s: Tokens = %+v, %q, %v, want the token in it", tt.name, list, damaged, err)
		}
		for _, o := range list {
			if o.Team != tok.Team {
				t.Errorf("%s: Tokens has one of team %s", tt.name, o.Team)
			}
		}
		if err := h.RevokeToken(t.Context(), tok.ID); err != nil {
			t.Errorf("%s: RevokeToken: %v", tt.name, err)
		}
		refused(t, svc, tt.name+", revoked", shown)
		if err := h.RevokeToken(t.Context(), tok.ID); err != nil {
			t.Errorf("%s: RevokeToken again: %v", tt.name, err)
		}
	}
}

func partialTokens(t *testing.T, svc *account.Service) {
	_, shown := made(t, svc, "team:team-a", account.TokenSpec{Scopes: account.ScopeRun})
	for name, text := range map[string]string{
		"empty": "", "prefix": shown[:20], "longer": shown + "a", "upper case": strings.ToUpper(shown), "blank": " " + shown[1:],
		"another end": shown[:len(shown)-1] + string('a'+(shown[len(shown)-1]-'a'+1)%20), "id alone": shown[:12], "no prefix": "xyz_" + shown[4:],
		"zeros": "sre_" + strings.Repeat("a", 60), "id of one, secret of none": shown[:12] + strings.Repeat("a", 52), "NUL": shown[:63] + "\x00", "long": strings.Repeat(shown, 10_000),
	} {
		refused(t, svc, name, text)
	}
	accepted(t, svc, "whole", shown)
}

// Who may make, see and revoke which tokens.
func tokenMakers(t *testing.T, svc *account.Service) {
	own, _ := made(t, svc, "user:ann", account.TokenSpec{User: "ann", Scopes: account.ScopeRun})
	team, _ := made(t, svc, "team:team-a", account.TokenSpec{Scopes: account.ScopeRun})
	for _, tt := range []struct{ who, user string }{
		{"user:ann", ""}, {"user:ann", "bob"}, {"user:bob", "ann"}, {"agent:helper", ""}, {"agent:helper", "ann"}, {"public", ""}, {"team:team-b", "ann"},
	} {
		_, shown, err := svc.For(candidate(t, tt.who)).CreateToken(t.Context(), account.TokenSpec{User: tt.user, Scopes: account.ScopeRun})
		if err == nil || !shown.IsZero() || !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s makes a token of %q: %v, want a refusal", tt.who, tt.user, err)
		}
	}
	if list, _, err := svc.For(candidate(t, "user:ann")).Tokens(t.Context()); err != nil || len(list) == 0 || slices.ContainsFunc(list, func(o account.Token) bool { return o.User != "ann" }) {
		t.Errorf("a member sees %+v, %v, want the own tokens", list, err)
	}
	if list, _, err := svc.For(candidate(t, "agent:helper")).Tokens(t.Context()); !fault.Is(err, fault.Denied) {
		t.Errorf("an agent sees %+v, %v, want kind %v", list, err, fault.Denied)
	}
	for _, tt := range []struct {
		who, id string
		kind    fault.Kind
	}{
		{"user:ann", team.ID, fault.NotFound}, {"user:bob", own.ID, fault.NotFound}, {"team:team-b", own.ID, fault.NotFound},
		{"team:team-b", team.ID, fault.NotFound}, {"agent:helper", team.ID, fault.Denied}, {"public", team.ID, fault.Denied}, {"team:team-a", "nothere2", fault.NotFound},
	} {
		if err := svc.For(candidate(t, tt.who)).RevokeToken(t.Context(), tt.id); !fault.Is(err, tt.kind) {
			t.Errorf("%s revokes %s: %v, want kind %v", tt.who, tt.id, err, tt.kind)
		}
	}
	if err := svc.For(candidate(t, "team:team-a")).RevokeToken(t.Context(), own.ID); err != nil {
		t.Errorf("the team revokes a token of a member: %v", err)
	}
}

// What no token may be.
func wrongTokens(t *testing.T, svc *account.Service) {
	h := svc.For(candidate(t, "team:team-a"))
	for name, spec := range map[string]account.TokenSpec{
		"no scope": {}, "unknown scope": {Scopes: 1 << 6}, "expired": {Scopes: account.ScopeRun, Expires: time.Unix(1, 0)},
		"year 10000":     {Scopes: account.ScopeRun, Expires: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"T64 line break": {Scopes: account.ScopeRun, Name: "a\nlevel=ERROR"}, "T64 escape": {Scopes: account.ScopeRun, Name: "\x1b[31m"},
		"T64 turned around": {Scopes: account.ScopeRun, Name: "\u202etxt"}, "long name": {Scopes: account.ScopeRun, Name: strings.Repeat("x", 101)},
		"agent": {Scopes: account.ScopeRun, Agents: []string{"a b"}}, "T19 agent": {Scopes: account.ScopeRun, Agents: []string{"constructor"}},
		"T19 user": {Scopes: account.ScopeRun, User: "a|b"}, "more than the role": {User: "ann", Scopes: account.ScopeAdmin},
	} {
		if _, _, err := h.CreateToken(t.Context(), spec); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want kind %v", name, err, fault.Invalid)
		}
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (effect.System{}).Sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func expiry(t *testing.T, svc *account.Service) {
	_, shown := made(t, svc, "team:team-a", account.TokenSpec{Scopes: account.ScopeRun, Expires: (effect.System{}).Now().Add(time.Hour)})
	wait(t, time.Hour-time.Second)
	accepted(t, svc, "a second before it expires", shown)
	wait(t, time.Second)
	refused(t, svc, "when it expires", shown)
}

// What one runtime makes and revokes counts in another one within a second, and so do the last uses in the end.
func elsewhere(t *testing.T, def connector.Definition, s Subject) {
	dir := t.TempDir()
	settings := s.Prepare(t, dir)
	one, two := OpenAt(t, def, dir, settings, nil), OpenAt(t, def, dir, settings, nil)
	refused(t, two, "nothing yet", "sre_"+strings.Repeat("a", 60))
	tok, shown := made(t, one, "team:team-a", account.TokenSpec{Scopes: account.ScopeRun})
	wait(t, time.Second)
	for range 100 { // renewed in the background all the while
		accepted(t, two, "made elsewhere", shown)
		wait(t, 50*time.Millisecond)
	}
	if err := one.For(candidate(t, "team:team-a")).RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, time.Second)
	refused(t, two, "revoked elsewhere", shown)
	if err := two.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, _, err := one.For(candidate(t, "team:team-a")).Tokens(t.Context())
	if err != nil || len(list) != 1 || list[0].Used.IsZero() || (effect.System{}).Now().Sub(list[0].Used) > 2*time.Minute {
		t.Errorf("Tokens = %+v, %v, want when it was used", list, err)
	}
}

// After the revocation has returned, nobody gets in with the token, however many try.
func revokedAtOnce(t *testing.T, svc *account.Service) {
	tok, shown := made(t, svc, "team:team-a", account.TokenSpec{Scopes: account.ScopeRun})
	var revoked atomic.Bool
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for done := false; !done; {
				done = revoked.Load()
				if _, err := svc.Authenticate(context.Background(), shown); done && err == nil {
					t.Error("a token was good for something after it was revoked")
				}
			}
		})
	}
	if err := svc.For(candidate(t, "team:team-a")).RevokeToken(t.Context(), tok.ID); err != nil {
		t.Error(err)
	}
	revoked.Store(true)
	wg.Wait()
}
