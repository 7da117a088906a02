package access

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/fault"
)

// teams is a directory that knows what it holds and nothing else.
type teams map[string]string

func (d teams) TeamOf(_ context.Context, c Candidate) (string, error) {
	if team, ok := d[c.String()]; ok {
		return team, nil
	}
	if c.Role() == RoleTeam {
		return c.ID(), nil
	}
	return "", fault.Newf(fault.NotFound, "no account for %s", c)
}

// teamsByID is a directory that looks up without making a text.
type teamsByID map[Candidate]string

func (d teamsByID) TeamOf(_ context.Context, c Candidate) (string, error) { return d[c], nil }

func sampleTeamsByID() teamsByID {
	agent, _ := Agent("agent-a")
	return teamsByID{agent: "team-a"}
}

// broken is a directory that cannot be reached.
type broken struct{}

func (broken) TeamOf(context.Context, Candidate) (string, error) {
	return "", fault.Newf(fault.Unavailable, "connection refused")
}

func sampleTeams() teams {
	return teams{"agent:agent-a": "team-a", "agent:agent-b": "team-b", "user:user-b": "team-b", "user:user-default": "default", "agent:bad": "team b|"}
}

// The decisions that were recorded for this ACL: agent-a reads, team-b reads and writes, user-default owns.
func TestAuthorize_Recorded(t *testing.T) {
	t.Parallel()
	acl := NewACL().With(mustParse(t, "agent:agent-a"), RightRead).
		With(mustParse(t, "team:team-b"), RightRead|RightWrite).
		With(mustParse(t, "user:user-default"), RightOwner)
	legacy, err := NewACLWithHash(Legacy)
	if err != nil {
		t.Fatal(err)
	}
	legacy = legacy.With(mustParse(t, "agent:agent-a"), RightRead).
		With(mustParse(t, "team:team-b"), RightRead|RightWrite).
		With(mustParse(t, "user:user-default"), RightOwner)
	tests := []struct {
		candidate   string
		r, w, o     bool
		readingRule Rule
	}{
		{"agent:agent-a", true, false, false, ByExact},
		{"agent:agent-b", true, true, false, ByTeam},
		{"agent:agent-default", false, false, false, NoTeam},
		{"team:team-a", false, false, false, ByDefault},
		{"team:team-b", true, true, false, ByExact},
		{"user:user-default", true, true, true, ByOwner},
		{"user:user-b", true, true, false, ByTeam},
		{"public", false, false, false, ByDefault},
		{"agent:unknown-agent", false, false, false, NoTeam},
		{"user:agent-a", false, false, false, NoTeam},
	}
	for _, tt := range tests {
		for _, acl := range []*ACL{acl, legacy} {
			t.Run(tt.candidate+"/"+string(acl.Hash()), func(t *testing.T) {
				t.Parallel()
				g, c := &Guard{Directory: sampleTeams()}, mustParse(t, tt.candidate)
				check[Read](t, g, c, acl, tt.r)
				check[Write](t, g, c, acl, tt.w)
				check[Owner](t, g, c, acl, tt.o)
				if got := decide(t.Context(), g, c, "r", acl, RightRead); got != tt.readingRule {
					t.Errorf("reading is decided by %q, want %q", got, tt.readingRule)
				}
			})
		}
	}
}

func check[L Level](t *testing.T, g *Guard, c Candidate, acl *ACL, want bool) {
	t.Helper()
	_, level := levelOf[L]()
	grant, err := Authorize[L](t.Context(), g, "test."+level, c, "r", acl)
	switch {
	case want && (err != nil || grant.Resource() != "r" || grant.Candidate() != c):
		t.Errorf("%s for %v = %v, %v, want a grant", level, c, grant, err)
	case !want && !fault.Is(err, fault.Denied):
		t.Errorf("%s for %v: err = %v, want kind %v", level, c, err, fault.Denied)
	}
}

// Every step of the order grants by itself, and says so.
func TestAuthorize_Rules(t *testing.T) {
	t.Parallel()
	agent, team := mustParse(t, "agent:agent-a"), mustParse(t, "team:team-a")
	plain, err := NewACLWithHash(PlainID)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		g    *Guard
		c    Candidate
		acl  *ACL
		want Rule
	}{
		{"own entry", nil, agent, NewACL().With(agent, RightWrite), ByExact},
		{"owner", nil, agent, OwnedBy(agent), ByOwner},
		{"public entry", nil, agent, NewACL().With(Public(), RightWrite), ByPublic},
		{"the public itself", nil, Public(), NewACL().With(Public(), RightWrite), ByExact},
		{"public owns nothing for others", nil, agent, OwnedBy(Public()), ByDefault},
		{"team entry", &Guard{Directory: sampleTeams()}, agent, NewACL().With(team, RightWrite), ByTeam},
		{"team owner", &Guard{Directory: sampleTeams()}, agent, OwnedBy(team), ByTeamOwner},
		{"team entry of another right", &Guard{Directory: sampleTeams()}, agent, NewACL().With(team, RightRead), ByDefault},
		{"team withdrawn", &Guard{Directory: sampleTeams()}, agent, NewACL().With(team, RightWrite|RightNone), ByDefault},
		{"another team", &Guard{Directory: sampleTeams()}, mustParse(t, "agent:agent-b"), OwnedBy(team), ByDefault},
		{"public is in no team", &Guard{Directory: teams{"public": "team-a"}}, Public(), OwnedBy(team), ByDefault},
		{"no directory", &Guard{}, agent, OwnedBy(team), ByDefault},
		{"no guard", nil, agent, OwnedBy(team), ByDefault},
		{"team with a wrong name", &Guard{Directory: sampleTeams()}, mustParse(t, "agent:bad"), OwnedBy(team), NoTeam},
		{"nobody", nil, Candidate{}, NewACL().With(Public(), allRights&^RightNone), BadRequest},
		{"plain ids grant nothing", nil, agent, plain.With(agent, RightOwner), PlainHash},
		{"nil ACL", nil, agent, nil, NoACL},
		{"empty ACL", nil, agent, NewACL(), NoACL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := decide(t.Context(), tt.g, tt.c, "r", tt.acl, RightWrite); got != tt.want {
				t.Errorf("decide = %q, want %q", got, tt.want)
			}
		})
	}
	if got := decide(t.Context(), nil, agent, "", OwnedBy(agent), RightRead); got != BadRequest {
		t.Errorf("decide on a resource without a name = %q, want %q", got, BadRequest)
	}
}

// An agent that nobody knows, or that cannot be looked up, belongs to no team: not to a shared one either.
func TestT18_UnknownPrincipal(t *testing.T) {
	t.Parallel()
	acl := OwnedBy(mustParse(t, "team:default")).With(mustParse(t, "team:team-a"), RightRead)
	for name, d := range map[string]Directory{"unknown agent": sampleTeams(), "service down": broken{}, "empty answer": teams{"agent:random": ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var audited atomic.Int32
			g := &Guard{Directory: d, Audit: func(context.Context, Decision) { audited.Add(1) }}
			_, err := Authorize[Read](t.Context(), g, "test.read", mustParse(t, "agent:random"), "r", acl)
			if got := fault.CodeOf(err); got != "ACCESS_DENIED" {
				t.Errorf("code = %q (%v), want ACCESS_DENIED", got, err)
			}
			if got := audited.Load(); got != 1 {
				t.Errorf("%d audit records, want 1", got)
			}
		})
	}
}

// A denial leaves one record, a grant none. The error names the attempt and nothing about the ACL.
func TestAuthorize_Audit(t *testing.T) {
	t.Parallel()
	var got []Decision
	g := &Guard{Audit: func(_ context.Context, d Decision) { got = append(got, d) }}
	agent := mustParse(t, "agent:a")
	if _, err := Authorize[Write](t.Context(), g, "test.write", agent, "r", OwnedBy(agent)); err != nil || len(got) != 0 {
		t.Fatalf("granted: err = %v, records = %v, want neither", err, got)
	}
	_, err := Authorize[Write](t.Context(), g, "test.write", agent, "r", NewACL().With(agent, RightRead))
	want := Decision{Candidate: agent, Resource: "r", Operation: "test.write", Level: "write", Rule: ByDefault}
	if len(got) != 1 || got[0] != want {
		t.Errorf("records = %+v, want one %+v", got, want)
	}
	const text = `test.write "r": Access Denied`
	if err == nil || err.Error() != text {
		t.Errorf("err = %v, want %q", err, text)
	}
}

func TestGuard_Deny(t *testing.T) {
	t.Parallel()
	var got []Decision
	g := &Guard{Audit: func(_ context.Context, d Decision) { got = append(got, d) }}
	agent := mustParse(t, "agent:a")
	for _, guard := range []*Guard{g, {}, nil} {
		err := guard.Deny(t.Context(), "test.list", agent, "r", NoTeam)
		var fe *fault.Error
		if !errors.As(err, &fe) || fe.Kind != fault.Denied || fe.Op != "test.list" || fe.Resource != "r" {
			t.Errorf("Deny = %#v, want kind %v with operation and resource", err, fault.Denied)
		}
	}
	want := Decision{Candidate: agent, Resource: "r", Operation: "test.list", Rule: NoTeam}
	if len(got) != 1 || got[0] != want {
		t.Errorf("records = %+v, want one %+v", got, want)
	}
}

func TestGrant_ZeroPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "without Authorize") {
			t.Errorf("Resource of the zero Grant: panic %q, want one that says why", text)
		}
	}()
	var g Grant[Read]
	t.Errorf("Resource of the zero Grant = %q", g.Resource())
}
