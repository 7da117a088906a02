package access

import (
	"strconv"
	"testing"
)

// crowd is an ACL with n other candidates before those that count.
func crowd(tb testing.TB, h Hash, n int, last ...Candidate) *ACL {
	acl, err := NewACLWithHash(h)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		acl = acl.With(mustParse(tb, "user:u"+strconv.Itoa(i)), RightRead)
	}
	for _, c := range last {
		acl = acl.With(c, RightRead)
	}
	return acl
}

func checks(tb testing.TB) map[string]*ACL {
	agent, team := mustParse(tb, "agent:agent-a"), mustParse(tb, "team:team-a")
	return map[string]*ACL{
		"own":         crowd(tb, SHA256, 0, agent),
		"own of 20":   crowd(tb, SHA256, 20, agent),
		"public":      crowd(tb, SHA256, 4, Public()),
		"team":        crowd(tb, SHA256, 4, team),
		"team legacy": crowd(tb, Legacy, 4, team),
	}
}

func BenchmarkAuthorize(b *testing.B) {
	g, agent := &Guard{Directory: sampleTeamsByID()}, mustParse(b, "agent:agent-a")
	for name, acl := range checks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			for b.Loop() {
				if _, err := Authorize[Read](ctx, g, "bench.read", agent, "r", acl); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCandidate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Agent("agent-a"); err != nil {
			b.Fatal(err)
		}
	}
}

// A check that grants allocates nothing, whichever rule grants.
func TestAuthorize_AllocatesNothing(t *testing.T) {
	g, agent := &Guard{Directory: sampleTeamsByID()}, mustParse(t, "agent:agent-a")
	ctx := t.Context()
	for name, acl := range checks(t) {
		n := testing.AllocsPerRun(100, func() {
			if _, err := Authorize[Read](ctx, g, "bench.read", agent, "r", acl); err != nil {
				t.Error(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a check, want 0", name, n)
		}
	}
}
