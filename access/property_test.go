package access

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/fault"
)

// naive decides a second time, from a plain list of grants and in another way: it collects everything that the
// candidate has from anywhere, then asks whether the level is among it.
func naive(grants []given, c Candidate, team string, need Rights) bool {
	total := map[Candidate]Rights{}
	for _, g := range grants {
		if g.revoke {
			total[g.to] &^= g.rights
		} else {
			total[g.to] |= g.rights
		}
	}
	for who, rights := range total {
		if rights&RightNone != 0 {
			continue
		}
		self := who == c
		own := who.Role() == RoleTeam && team != "" && who.ID() == team && c.Role() != RolePublic
		if (self || own) && rights&(need|RightOwner) != 0 {
			return true
		}
		if who.Role() == RolePublic && rights&need != 0 {
			return true
		}
	}
	return false
}

type given struct {
	to     Candidate
	rights Rights
	revoke bool
}

// fixture is what random decisions are taken over.
func fixture(tb testing.TB) (principals []Candidate, d teams) {
	for _, text := range []string{"agent:a", "agent:b", "agent:lost", "user:a", "user:u", "team:a", "team:t", "public"} {
		principals = append(principals, mustParse(tb, text))
	}
	return principals, teams{"agent:a": "t", "agent:b": "a", "user:a": "t", "user:u": "a"}
}

func build(grants []given) *ACL {
	acl := NewACL()
	for _, g := range grants {
		if g.revoke {
			acl = acl.Revoke(g.to, g.rights)
		} else {
			acl = acl.With(g.to, g.rights)
		}
	}
	return acl
}

// FuzzAuthorize reads grants from bytes and compares each decision with the naive one; before and after the ACL was
// stored and read again.
func FuzzAuthorize(f *testing.F) {
	f.Add([]byte{0x00, 0x01})
	f.Add([]byte{0x05, 0x04, 0x07, 0x01})
	f.Add([]byte{0x06, 0x0F, 0x06, 0x18, 0x03, 0x02})
	f.Fuzz(func(t *testing.T, script []byte) {
		principals, d := fixture(t)
		var grants []given
		for i := 0; i+1 < len(script) && len(grants) < 32; i += 2 {
			grants = append(grants, given{principals[int(script[i])%len(principals)], Rights(script[i+1]) & allRights, script[i+1]&0x10 != 0})
		}
		compareWithNaive(t, principals, d, grants)
	})
}

func compareWithNaive(t *testing.T, principals []Candidate, d teams, grants []given) {
	t.Helper()
	g := &Guard{Directory: d}
	acl := build(grants)
	stored, err := ParseACL(acl.String())
	if err != nil {
		t.Fatalf("ParseACL(%q): %v", acl, err)
	}
	for _, c := range principals {
		team, _ := d.TeamOf(t.Context(), c)
		for _, need := range []Rights{RightRead, RightWrite, RightOwner} {
			want := naive(grants, c, team, need)
			for name, acl := range map[string]*ACL{"made": acl, "stored": stored} {
				if got := allowed(decide(t.Context(), g, c, "r", acl, need)); got != want {
					t.Fatalf("%s ACL %q: %v needs %04b: %v, want %v", name, acl, c, need, got, want)
				}
			}
		}
	}
}

func allowed(r Rule) bool {
	switch r {
	case ByExact, ByOwner, ByPublic, ByTeam, ByTeamOwner:
		return true
	}
	return false
}

// Adding a level never takes one away, and revoking never adds one.
func TestT20_RightsAreMonotonic(t *testing.T) {
	t.Parallel()
	principals, d := fixture(t)
	g := &Guard{Directory: d}
	r := rand.New(rand.NewPCG(1, 2))
	levels := []Rights{RightRead, RightWrite, RightOwner}
	for range 1000 {
		var grants []given
		for range r.IntN(6) {
			grants = append(grants, given{principals[r.IntN(len(principals))], Rights(r.IntN(int(allRights) + 1)), r.IntN(4) == 0})
		}
		compareWithNaive(t, principals, d, grants)
		acl := build(grants)
		to, level := principals[r.IntN(len(principals))], levels[r.IntN(len(levels))]
		more, less := acl.With(to, level), acl.Revoke(to, level)
		for _, c := range principals {
			for _, need := range levels {
				before := allowed(decide(t.Context(), g, c, "r", acl, need))
				if before && !allowed(decide(t.Context(), g, c, "r", more, need)) {
					t.Fatalf("%q: giving %v %04b took %04b from %v", acl, to, level, need, c)
				}
				if !before && allowed(decide(t.Context(), g, c, "r", less, need)) {
					t.Fatalf("%q: taking %04b from %v gave %v %04b", acl, level, to, c, need)
				}
			}
		}
	}
}

// liveTeams is a directory whose membership changes while it is asked.
type liveTeams struct{ member atomic.Bool }

func (d *liveTeams) TeamOf(context.Context, Candidate) (string, error) {
	if d.member.Load() {
		return "t", nil
	}
	return "", fault.Newf(fault.NotFound, "left")
}

// After the call that takes a right away has returned, no operation that starts is granted; whether the right came from
// the ACL or from the team.
func TestT23_RaceOnTheCheck(t *testing.T) {
	t.Parallel()
	agent, team := mustParse(t, "agent:a"), mustParse(t, "team:t")
	var current atomic.Pointer[ACL]
	var d liveTeams
	g := &Guard{Directory: &d}
	d.member.Store(true)
	current.Store(OwnedBy(team).With(agent, RightRead))

	var closed atomic.Bool // set after both flips have returned
	var granted, denied atomic.Int64
	var started, done sync.WaitGroup
	started.Add(1000)
	for range 1000 {
		done.Go(func() {
			first := true
			for {
				after := closed.Load()
				_, errR := Authorize[Read](t.Context(), g, "test.read", agent, "r", current.Load())
				_, errW := Authorize[Write](t.Context(), g, "test.write", agent, "r", current.Load())
				if after && (errR == nil || errW == nil) {
					t.Errorf("granted after the revocation was acknowledged: read %v, write %v", errR, errW)
				}
				if errR == nil {
					granted.Add(1)
				} else {
					denied.Add(1)
				}
				if first {
					first = false
					started.Done()
				}
				if after {
					return
				}
				runtime.Gosched() // a thousand of them share few processors
			}
		})
	}
	started.Wait()
	for range 50 { // flip both, ending without any right
		current.Store(OwnedBy(team).With(agent, RightRead))
		d.member.Store(true)
		current.Store(current.Load().Revoke(agent, RightRead))
		d.member.Store(false)
	}
	closed.Store(true)
	done.Wait()
	if granted.Load() == 0 || denied.Load() == 0 {
		t.Errorf("granted %d, denied %d, want some of both", granted.Load(), denied.Load())
	}
}
