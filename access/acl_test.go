package access

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestACL_WithAndRevoke(t *testing.T) {
	t.Parallel()
	a, b := mustParse(t, "agent:a"), mustParse(t, "user:b")
	tests := []struct {
		name string
		acl  *ACL
		a, b Rights
	}{
		{"nil grants nothing", nil, 0, 0},
		{"empty grants nothing", NewACL(), 0, 0},
		{"owner", OwnedBy(a), RightOwner, 0},
		{"on nil", (*ACL)(nil).With(a, RightRead), RightRead, 0},
		{"rights add up", NewACL().With(a, RightRead).With(a, RightWrite), RightRead | RightWrite, 0},
		{"two candidates", NewACL().With(a, RightRead).With(b, RightWrite), RightRead, RightWrite},
		{"no rights", NewACL().With(a, 0), 0, 0},
		{"bits that are no rights", NewACL().With(a, 0xF0), 0, 0},
		{"nobody", NewACL().With(Candidate{}, RightRead), 0, 0},
		{"none withdraws the entry", NewACL().With(a, RightRead|RightNone), 0, 0},
		{"none later", NewACL().With(a, RightOwner).With(a, RightNone), 0, 0},
		{"revoke one", NewACL().With(a, RightRead|RightWrite).Revoke(a, RightWrite), RightRead, 0},
		{"revoke all", NewACL().With(a, RightRead).With(b, RightRead).Revoke(a, RightRead|RightWrite|RightOwner), 0, RightRead},
		{"revoke of another", NewACL().With(a, RightRead).Revoke(b, RightRead), RightRead, 0},
		{"revoke on nil", (*ACL)(nil).Revoke(a, RightRead), 0, 0},
		{"revoke none", NewACL().With(a, RightRead|RightNone).Revoke(a, RightNone), RightRead, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.acl.Rights(a); got != tt.a {
				t.Errorf("Rights(%v) = %04b, want %04b", a, got, tt.a)
			}
			if got := tt.acl.Rights(b); got != tt.b {
				t.Errorf("Rights(%v) = %04b, want %04b", b, got, tt.b)
			}
			if got := tt.acl.Rights(Candidate{}); got != 0 {
				t.Errorf("Rights(nobody) = %04b, want none", got)
			}
		})
	}
}

// A role is part of the name: an agent, a user and a team of one id are three principals.
func TestACL_RolesApart(t *testing.T) {
	t.Parallel()
	all := []Candidate{mustParse(t, "agent:x"), mustParse(t, "user:x"), mustParse(t, "team:x"), Public()}
	for _, granted := range all {
		acl := OwnedBy(granted)
		for _, c := range all {
			if got := acl.Rights(c) != 0; got != (c == granted) {
				t.Errorf("ACL of %v gives %v rights: %v", granted, c, got)
			}
			if got := acl.HasRole(c.Role()); got != (c == granted) {
				t.Errorf("ACL of %v HasRole(%v) = %v", granted, c.Role(), got)
			}
		}
	}
	if (*ACL)(nil).HasRole(RoleAgent) {
		t.Error("nil ACL names an agent")
	}
}

func TestACL_Immutable(t *testing.T) {
	t.Parallel()
	a, b := mustParse(t, "agent:a"), mustParse(t, "agent:b")
	acl := NewACL().With(a, RightRead).With(b, RightRead)
	before := acl.String()
	acl.With(a, RightWrite)
	acl.Revoke(a, RightRead)
	acl.With(mustParse(t, "agent:c"), RightOwner)
	if got := acl.String(); got != before {
		t.Errorf("ACL became %q, want %q", got, before)
	}
}

// Right after the revocation the answer is no, for one's own entry, the team's and the public's.
func TestT21_Revocation(t *testing.T) {
	t.Parallel()
	agent := mustParse(t, "agent:a")
	g := &Guard{Directory: teams{"agent:a": "x"}}
	for _, c := range []Candidate{agent, Public(), mustParse(t, "team:x")} {
		granted := OwnedBy(mustParse(t, "user:o")).With(c, RightRead)
		if _, err := Authorize[Read](t.Context(), g, "test.read", agent, "r", granted); err != nil {
			t.Errorf("granted to %v: err = %v, want a grant", c, err)
		}
		revoked := granted.Revoke(c, RightRead)
		if _, err := Authorize[Read](t.Context(), g, "test.read", agent, "r", revoked); !fault.Is(err, fault.Denied) {
			t.Errorf("revoked from %v: err = %v, want kind %v", c, err, fault.Denied)
		}
		stored, err := ParseACL(revoked.String())
		if err != nil {
			t.Fatalf("ParseACL(%q): %v", revoked, err)
		}
		if _, err := Authorize[Read](t.Context(), g, "test.read", agent, "r", stored); !fault.Is(err, fault.Denied) {
			t.Errorf("revoked from %v, stored and read again: err = %v, want kind %v", c, err, fault.Denied)
		}
	}
}

// Two principals whose 64-bit hashes are forced to be equal share nothing in the ACLs that this runtime makes.
func TestT22_WeakPrincipalHash(t *testing.T) {
	t.Parallel()
	victim, attacker := mustParse(t, "agent:victim"), mustParse(t, "agent:attacker")
	attacker.legacy = victim.legacy
	for name, acl := range map[string]*ACL{
		"NewACL":  NewACL().With(victim, RightRead),
		"OwnedBy": OwnedBy(victim),
		"nil":     (*ACL)(nil).With(victim, RightOwner),
		"revoked": (*ACL)(nil).Revoke(attacker, RightRead).With(victim, RightOwner),
	} {
		if got := acl.Hash(); got != SHA256 {
			t.Errorf("%s: Hash() = %q, want %q", name, got, SHA256)
		}
		if _, err := Authorize[Read](t.Context(), nil, "test.read", victim, "r", acl); err != nil {
			t.Errorf("%s: the principal itself: %v", name, err)
		}
		if _, err := Authorize[Read](t.Context(), nil, "test.read", attacker, "r", acl); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: access by collision: err = %v, want kind %v", name, err, fault.Denied)
		}
	}
}

func TestNewACLWithHash(t *testing.T) {
	t.Parallel()
	for _, h := range []Hash{SHA256, Legacy, PlainID} {
		acl, err := NewACLWithHash(h)
		if err != nil || acl.Hash() != h {
			t.Errorf("NewACLWithHash(%q) = hash %q, %v", h, acl.Hash(), err)
		}
	}
	const want = "Hash algorithm sha9 not supported"
	if acl, err := NewACLWithHash("sha9"); acl != nil || err == nil || err.Error() != want {
		t.Errorf("NewACLWithHash(sha9) = %v, %v, want error %q", acl, err, want)
	}
}

// Recorded values of the reference: XXH64 with seed 0 in hex without leading zeros.
func TestLegacyHash(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"a": "d24ec4f1a98c6e5b", "default": "cb14bd8a5c561c96", "public": "61214ecf31784e87", "agent-a": "8d99dd9bc6c295e0",
		"team-a": "5c72bdee62ca5433", "0": "633457081244afec", "FAKE-AGENT-ID": "20fb7d889edfb4c3", "id-15": "32136155d11a73",
		"id-31": "4e996907b8d55b8", strings.Repeat("x", 40): "926f564e1b3e18d5",
	} {
		acl, err := NewACLWithHash(Legacy)
		if err != nil {
			t.Fatal(err)
		}
		c := mustParse(t, "agent:"+id)
		acl = acl.With(c, RightRead)
		if got := acl.String(); got != "h:xxh3|a:"+want+"/r" {
			t.Errorf("legacy ACL of %q = %q, want the hash %s", id, got, want)
		}
		if got := acl.rightsOf(RoleAgent, id); got != RightRead {
			t.Errorf("rightsOf(agent, %q) = %04b, want read", id, got)
		}
	}
}

// rightsOf finds what Rights finds.
func TestRightsOf_AgreesWithRights(t *testing.T) {
	t.Parallel()
	for _, h := range []Hash{SHA256, Legacy, PlainID} {
		for _, id := range []string{"x", "public", strings.Repeat("y", MaxIDLength)} {
			c := mustParse(t, "team:"+id)
			empty, err := NewACLWithHash(h)
			if err != nil {
				t.Fatal(err)
			}
			for _, acl := range []*ACL{nil, empty, empty.With(c, RightWrite), empty.With(c, RightWrite|RightNone), empty.With(mustParse(t, "team:other"), RightRead)} {
				if got, want := acl.rightsOf(RoleTeam, id), acl.Rights(c); got != want {
					t.Errorf("%s: rightsOf(%.8s) of %q = %04b, want %04b", h, id, acl, got, want)
				}
			}
		}
	}
}
