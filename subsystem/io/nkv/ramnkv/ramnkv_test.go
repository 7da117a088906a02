package ramnkv

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/nkv/nkvtest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	nkvtest.Run(t, Definition(), value.Obj())
}

// ownTeam puts everybody into a team of their own name.
type ownTeam struct{}

func (ownTeam) TeamOf(_ context.Context, c access.Candidate) (string, error) { return c.ID(), nil }

func open(t testing.TB, settings value.Value) (*store, func(team string) *nkv.Handle) {
	t.Helper()
	env := connector.Env{Effects: effect.System{}}
	conn, err := Definition().Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	s := nkv.New(env, connector.Instances[nkv.Connector]{Default: "ram", ByID: map[string]nkv.Connector{"ram": conn.(*store)}}, ownTeam{})
	return conn.(*store), func(id string) *nkv.Handle {
		c, err := access.Team(id)
		if err != nil {
			t.Fatal(err)
		}
		return s.For(c)
	}
}

// A team that has its share is refused, others go on until everything is full; deleting gives room back, to the last byte.
func TestBudget(t *testing.T) {
	t.Parallel()
	s, as := open(t, value.Obj(value.M("maxBytes", value.OfInt(10_000)), value.M("maxTeamBytes", value.OfInt(4_000))))
	set := func(team, key string, n int) error {
		return as(team).Set(t.Context(), "ns", key, value.Of(strings.Repeat("x", n)))
	}
	for _, c := range []struct {
		do   string
		err  error
		code string
	}{
		{"first", set("a", "1", 3000), ""},
		{"over the share", set("a", "2", 1000), LimitTeamBytes},
		{"grow over the share", set("a", "1", 4000), LimitTeamBytes},
		{"shrink", set("a", "1", 2000), ""},
		{"fits now", set("a", "2", 1000), ""},
		{"second team", set("b", "1", 3500), ""},
		{"over everything", set("c", "1", 3500), LimitBytes},
		{"delete", as("b").Delete(t.Context(), "ns", "1"), ""},
		{"fits again", set("c", "1", 3500), ""},
		{"delete all", as("a").DeleteAll(t.Context(), "ns"), ""},
		{"again", set("a", "1", 3000), ""},
	} {
		want := ""
		if c.code != "" {
			want = "LIMIT_EXCEEDED(" + c.code + ")"
		}
		if c.err == nil && want != "" || c.err != nil && fault.CodeOf(c.err) != want {
			t.Errorf("%s = %v, want %q", c.do, c.err, want)
		}
	}
	for _, team := range []string{"a", "b", "c"} {
		if err := as(team).DeleteAll(t.Context(), "ns"); err != nil {
			t.Fatal(err)
		}
	}
	if s.used != 0 || len(s.teams) != 0 {
		t.Errorf("%d bytes of %d teams are left, want none", s.used, len(s.teams))
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s, as := open(t, value.Obj())
	if err := as("a").Set(t.Context(), "ns", "k", value.Of("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil || s.used != 0 || len(s.teams) != 0 {
		t.Errorf("Close = %v with %d bytes left, want none", err, s.used)
	}
}

func BenchmarkGet(b *testing.B) {
	_, as := open(b, value.Obj())
	h := as("team-a")
	if err := h.Set(b.Context(), "vectorDB:ram:namespaces", "key", value.Of("text")); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, "vectorDB:ram:namespaces", "key"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkListPage(b *testing.B) {
	_, as := open(b, value.Obj())
	h := as("team-a")
	for i := range 50_000 {
		if err := h.Set(b.Context(), "ns", fmt.Sprintf("%06d", i), value.Of("x")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, err := h.List(b.Context(), "ns", nkv.Page{After: "025000", Limit: 100}); err != nil || len(l.Items) != 100 {
			b.Fatal(len(l.Items), err)
		}
	}
}
