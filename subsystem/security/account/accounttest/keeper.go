package accounttest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// keeper checks connectors whose teams can be changed; for others it checks that they say so.
func keeper(t *testing.T, def connector.Definition, s Subject) {
	svc := Open(t, def, s, nil)
	if _, err := svc.Teams(t.Context()); fault.Is(err, fault.Unsupported) {
		if err := svc.For(candidate(t, "team:team-a")).PutTeam(t.Context(), value.Obj()); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "SQLiteAccount") {
			t.Errorf("PutTeam = %v, want kind %v and what to do", err, fault.Unsupported)
		}
		return
	}
	t.Run("Ranks", func(t *testing.T) { ranks(t, Open(t, def, s, nil)) })
	t.Run("Teams", func(t *testing.T) { teamsChange(t, svc) })
	t.Run("WithTokens", func(t *testing.T) { goneWithTokens(t, Open(t, def, s, nil)) })
	t.Run("T23_Membership", func(t *testing.T) { membershipFlips(t, Open(t, def, s, nil)) })
	t.Run("Audit", func(t *testing.T) { audited(t, def, s) })
}

func put(t *testing.T, svc *account.Service, who string, members ...account.Member) error {
	t.Helper()
	return svc.For(candidate(t, who)).PutMembers(t.Context(), members...)
}

// Who may change whom.
func ranks(t *testing.T, svc *account.Service) {
	user := func(id string, r account.Rank) account.Member {
		return account.Member{Who: candidate(t, "user:"+id), Rank: r}
	}
	if err := put(t, svc, "team:team-a", user("olga", account.RankOwner), user("adam", account.RankAdmin), user("mia", account.RankMember), user("vera", account.RankViewer)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, who string
		m         account.Member
		want      fault.Kind // 0 for success: Internal is none of these
	}{
		{"owner makes owner", "user:olga", user("new1", account.RankOwner), 0},
		{"owner makes admin", "user:olga", user("new2", account.RankAdmin), 0},
		{"admin makes admin", "user:adam", user("new3", account.RankAdmin), 0},
		{"admin makes agent", "user:adam", account.Member{Who: candidate(t, "agent:fresh")}, 0},
		{"admin makes owner", "user:adam", user("new4", account.RankOwner), fault.Denied},
		{"admin becomes owner", "user:adam", user("adam", account.RankOwner), fault.Denied},
		{"admin lowers owner", "user:adam", user("olga", account.RankViewer), fault.Denied},
		{"admin changes settings of owner", "user:adam", account.Member{Who: candidate(t, "user:olga"), Settings: value.Obj()}, fault.Denied},
		{"member makes member", "user:mia", user("new5", account.RankMember), fault.Denied},
		{"member becomes admin", "user:mia", user("mia", account.RankAdmin), fault.Denied},
		{"viewer makes viewer", "user:vera", user("new6", account.RankViewer), fault.Denied},
		{"agent makes member", "agent:helper", user("new7", account.RankMember), fault.Denied},
		{"public makes member", "public", user("new8", account.RankMember), fault.Denied},
		{"stranger makes member", "user:stranger", user("new9", account.RankMember), fault.Denied},
		{"somebody of another team", "user:olga", user("bob", account.RankMember), fault.Conflict},
		{"agent of another team", "team:team-a", account.Member{Who: candidate(t, "agent:other")}, fault.Conflict},
		{"agent with a role", "team:team-a", account.Member{Who: candidate(t, "agent:helper"), Rank: account.RankAdmin}, fault.Invalid},
		{"team in a team", "team:team-a", account.Member{Who: candidate(t, "team:team-b")}, fault.Invalid},
		{"nobody", "team:team-a", account.Member{}, fault.Invalid},
		{"unknown rank", "team:team-a", user("ann", 9), fault.Invalid},
		{"settings that are a list", "team:team-a", account.Member{Who: candidate(t, "user:ann"), Settings: value.List()}, fault.Invalid},
		{"settings without end", "team:team-a", account.Member{Who: candidate(t, "user:ann"), Settings: value.Obj(value.M("x", value.Of(strings.Repeat("x", 1<<17))))}, fault.Limit},
		{"team that is not there", "team:nowhere", user("new10", account.RankMember), fault.NotFound},
	}
	for _, tt := range tests {
		err := put(t, svc, tt.who, tt.m)
		if (err == nil) != (tt.want == 0) || err != nil && fault.KindOf(err) != tt.want {
			t.Errorf("%s: %v, want kind %v", tt.name, err, tt.want)
		}
	}
	for _, tt := range []struct {
		who, whom string
		want      fault.Kind
	}{
		{"user:adam", "user:olga", fault.Denied}, {"user:mia", "user:vera", fault.Denied}, {"agent:helper", "agent:bare", fault.Denied},
		{"user:adam", "user:bob", fault.NotFound}, {"user:adam", "user:nobody", fault.NotFound}, {"user:olga", "user:new1", 0}, {"user:adam", "user:new3", 0},
	} {
		err := svc.For(candidate(t, tt.who)).RemoveMember(t.Context(), candidate(t, tt.whom))
		if (err == nil) != (tt.want == 0) || err != nil && fault.KindOf(err) != tt.want {
			t.Errorf("%s removes %s: %v, want kind %v", tt.who, tt.whom, err, tt.want)
		}
	}
	for _, who := range []string{"team:team-a", "user:vera"} {
		members, err := svc.For(candidate(t, who)).Members(t.Context())
		var got []string
		for _, m := range members {
			got = append(got, m.Who.String()+"/"+m.Rank.String())
		}
		want := "user:adam/admin user:ann/member user:mia/member user:new2/admin user:olga/owner user:vera/viewer agent:bare/ agent:fresh/ agent:helper/"
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s sees %q, %v, want %q", who, got, err, want)
		}
	}
	for _, who := range []string{"agent:helper", "public", "user:stranger"} {
		if m, err := svc.For(candidate(t, who)).Members(t.Context()); !fault.Is(err, fault.Denied) {
			t.Errorf("%s sees %v, %v, want kind %v", who, m, err, fault.Denied)
		}
	}
	vera := svc.For(candidate(t, "user:vera"))
	if err := vera.PutSettings(t.Context(), value.Obj(value.M("theme", value.Of("red")))); err != nil {
		t.Errorf("a viewer changes the own settings: %v", err)
	}
	if got, err := vera.Setting(t.Context(), "theme"); err != nil || got.Plain() != "red" {
		t.Errorf("the own settings are %v, %v", got, err)
	}
	if err := svc.For(candidate(t, "agent:helper")).PutSettings(t.Context(), value.Obj()); !fault.Is(err, fault.Denied) {
		t.Errorf("an agent changes its settings: %v, want kind %v", err, fault.Denied)
	}
	if _, _, err := vera.CreateToken(t.Context(), account.TokenSpec{User: "vera", Scopes: account.ScopeRun}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a viewer makes a token: %v, want kind %v", err, fault.Invalid)
	}
}

// Teams come and go, and keep what is not changed.
func teamsChange(t *testing.T, svc *account.Service) {
	red := svc.For(candidate(t, "team:red"))
	if err := red.PutTeam(t.Context(), value.Obj(value.M("plan", value.Of("free")))); err != nil {
		t.Fatal(err)
	}
	rita := account.Member{Who: candidate(t, "user:rita"), Rank: account.RankOwner, Settings: value.Obj(value.M("k", value.OfInt(1)))}
	if err := red.PutMembers(t.Context(), rita); err != nil {
		t.Fatal(err)
	}
	if err := red.PutMembers(t.Context(), account.Member{Who: rita.Who}); err != nil {
		t.Errorf("put again without change: %v", err)
	}
	if err := red.PutTeam(t.Context(), value.Value{}); err != nil {
		t.Errorf("put again without settings: %v", err)
	}
	h := svc.For(rita.Who)
	own, err := h.Settings(t.Context())
	team, terr := h.TeamSettings(t.Context())
	if err != nil || terr != nil || own.JSON() != `{"k":1}` || team.JSON() != `{"plan":"free"}` {
		t.Errorf("settings = %s, %v and %s, %v, want what was put first", own.JSON(), err, team.JSON(), terr)
	}
	if got, err := svc.Teams(t.Context()); err != nil || strings.Join(got, " ") != "empty red team-a team-b" {
		t.Errorf("Teams = %q, %v", got, err)
	}
	if err := h.RemoveTeam(t.Context(), false); !fault.Is(err, fault.Conflict) {
		t.Errorf("RemoveTeam with members: %v, want kind %v", err, fault.Conflict)
	}
	if err := svc.For(candidate(t, "user:ann")).RemoveTeam(t.Context(), true); !fault.Is(err, fault.Denied) {
		t.Errorf("a member removes the team: %v, want kind %v", err, fault.Denied)
	}
	if err := h.RemoveTeam(t.Context(), true); err != nil {
		t.Errorf("the owner removes the team: %v", err)
	}
	for _, who := range []string{"user:rita", "team:red"} {
		if team, err := svc.TeamOf(t.Context(), candidate(t, who)); !fault.Is(err, fault.NotFound) {
			t.Errorf("afterwards %s is in %q, %v, want kind %v", who, team, err, fault.NotFound)
		}
	}
	if err := red.RemoveTeam(t.Context(), true); !fault.Is(err, fault.NotFound) {
		t.Errorf("removed twice: %v, want kind %v", err, fault.NotFound)
	}
}

// Tokens go with who held them, and do not come back.
func goneWithTokens(t *testing.T, svc *account.Service) {
	team := svc.For(candidate(t, "team:team-a"))
	ann := account.Member{Who: candidate(t, "user:ann")}
	_, shown := made(t, svc, "user:ann", account.TokenSpec{User: "ann", Scopes: account.ScopeRun | account.ScopeDebug})
	accepted(t, svc, "member", shown)
	for _, step := range []struct {
		rank  account.Rank
		debug bool
		run   bool
	}{{account.RankOwner, true, true}, {account.RankViewer, false, false}, {account.RankMember, true, true}} {
		ann.Rank = step.rank
		if err := team.PutMembers(t.Context(), ann); err != nil {
			t.Fatal(err)
		}
		if c, err := svc.Authenticate(t.Context(), shown); c.Has(account.ScopeRun) != step.run || c.Has(account.ScopeDebug) != step.debug || (err == nil) != step.run {
			t.Errorf("as %v: run %v, debug %v, %v", step.rank, c.Has(account.ScopeRun), c.Has(account.ScopeDebug), err)
		}
	}
	if err := team.RemoveMember(t.Context(), ann.Who); err != nil {
		t.Fatal(err)
	}
	refused(t, svc, "removed", shown)
	if err := team.PutMembers(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	refused(t, svc, "added again", shown)

	_, shown = made(t, svc, "team:empty", account.TokenSpec{Scopes: account.ScopeRun})
	accepted(t, svc, "team", shown)
	if err := svc.For(candidate(t, "team:empty")).RemoveTeam(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	refused(t, svc, "team removed", shown)
	if err := svc.For(candidate(t, "team:empty")).PutTeam(t.Context(), value.Value{}); err != nil {
		t.Fatal(err)
	}
	refused(t, svc, "team made again", shown)
}

// After a membership has ended, no new operation counts on it.
func membershipFlips(t *testing.T, svc *account.Service) {
	team, ann := svc.For(candidate(t, "team:team-a")), candidate(t, "user:ann")
	owned := access.OwnedBy(candidate(t, "team:team-a"))
	guard := &access.Guard{Directory: svc}
	var flips atomic.Int64 // odd while ann is out; the change is made between two counts
	var ended atomic.Bool
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for !ended.Load() {
				before := flips.Load()
				_, err := access.Authorize[access.Read](context.Background(), guard, "test.read", ann, "r", owned)
				if after := flips.Load(); before == after && (err == nil) == (before%4 == 2) && before%2 == 0 {
					t.Errorf("at %d: %v", before, err)
					return
				}
			}
		})
	}
	for range 20 {
		flips.Add(1) // on the way out
		if err := team.RemoveMember(t.Context(), ann); err != nil {
			t.Error(err)
		}
		flips.Add(1) // out
		if _, err := access.Authorize[access.Read](t.Context(), guard, "test.read", ann, "r", owned); !fault.Is(err, fault.Denied) {
			t.Errorf("out: %v, want kind %v", err, fault.Denied)
		}
		flips.Add(1) // on the way in
		if err := team.PutMembers(t.Context(), account.Member{Who: ann}); err != nil {
			t.Error(err)
		}
		flips.Add(1) // in
	}
	ended.Store(true)
	wg.Wait()
}

// Every change leaves a record, made before it.
func audited(t *testing.T, def connector.Definition, s Subject) {
	var mu sync.Mutex
	var got []string
	svc := Open(t, def, s, func(_ context.Context, d access.Decision) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %s %s %v", d.Candidate, d.Operation, d.Resource, d.Level, d.Allowed))
	})
	if err := put(t, svc, "team:team-a", account.Member{Who: candidate(t, "user:ann"), Rank: account.RankAdmin}); err != nil {
		t.Fatal(err)
	}
	tok, _ := made(t, svc, "user:ann", account.TokenSpec{Scopes: account.ScopeRun})
	if err := svc.For(candidate(t, "user:ann")).RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	if err := put(t, svc, "user:bob", account.Member{Who: candidate(t, "user:x")}); !fault.Is(err, fault.Denied) {
		t.Fatal(err)
	}
	want := "team:team-a account.change team:team-a write true|user:ann account.token-create team:team-a write true|" +
		"user:ann account.token-revoke team:team-a write true|user:bob account.change team:team-b write false"
	mu.Lock()
	defer mu.Unlock()
	if strings.Join(got, "|") != want {
		t.Errorf("records are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.ReplaceAll(want, "|", "\n"))
	}
}
