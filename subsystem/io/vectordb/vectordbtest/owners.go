package vectordbtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

// operation is one operation of a handle.
type operation struct {
	name string
	do   func(ctx context.Context, h *vectordb.Handle, namespace string) error
	all  bool // it takes no namespace
}

func operations() []operation {
	type h = *vectordb.Handle
	return []operation{
		{"vectordb.create-namespace", func(ctx context.Context, h h, n string) error { return h.CreateNamespace(ctx, n, value.Value{}) }, false},
		{"vectordb.namespace", func(ctx context.Context, h h, n string) error { _, _, err := h.Namespace(ctx, n); return err }, false},
		{"vectordb.namespaces", func(ctx context.Context, h h, _ string) error {
			_, err := h.Namespaces(ctx, vectordb.Page{})
			return err
		}, true},
		{"vectordb.insert", func(ctx context.Context, h h, n string) error {
			_, err := h.Insert(ctx, n, vectordb.Document{ID: "x", Text: "text"})
			return err
		}, false},
		{"vectordb.source", func(ctx context.Context, h h, n string) error { _, _, err := h.Source(ctx, n, "x"); return err }, false},
		{"vectordb.sources", func(ctx context.Context, h h, n string) error {
			_, err := h.Sources(ctx, n, vectordb.Page{})
			return err
		}, false},
		{"vectordb.search", func(ctx context.Context, h h, n string) error {
			_, err := h.Search(ctx, n, "text", vectordb.SearchOptions{})
			return err
		}, false},
		{"vectordb.delete", func(ctx context.Context, h h, n string) error { return h.Delete(ctx, n, "x") }, false},
		{"vectordb.delete-namespace", func(ctx context.Context, h h, n string) error { return h.DeleteNamespace(ctx, n) }, false},
	}
}

// Names that cannot be are refused before anybody decides, and names that differ do not meet.
func names(f *fixture) {
	h := f.as("agent:a1")
	for _, name := range []string{"", " ", "\t", "a\x00b", "a\nb\x00", "\xff", strings.Repeat("x", 129), "..", "../a", "a/../b"} {
		for _, op := range operations() {
			if !op.all {
				f.wantKind(fmt.Sprintf("%s(%.20q)", op.name, name), op.do(f.Context(), h, name), fault.Invalid)
			}
		}
	}
	if list := f.denials.Take(); len(list) > 0 {
		f.Errorf("names that cannot be are no denials, the audit was told of %+v", list)
	}
	odd := []string{"a/b", "a", "b", "a%2fb", "a\\b", "ä", "ae", "a:b", "a_b", "'; DROP TABLE x;--", "%", "_"}
	for i, name := range odd {
		f.create(h, name)
		f.insert(h, name, fmt.Sprintf("s%d", i), "text")
	}
	for i, name := range odd {
		f.want(h, name, "text", fmt.Sprintf("s%d", i))
	}
	f.create(h, "  My  Names\tHere ")
	f.insert(h, "my_names_here", "same", "text")
	f.want(h, "MY NAMES HERE", "text", "same")
}

// A listing shows the namespaces of the owner, and of nobody else.
func listing(f *fixture) {
	mine := f.as("agent:a1")
	want := []string{"a", "a b", "b", "c", "d"}
	for i, name := range want {
		want[i] = vectordb.Normal(name)
		f.create(mine, name)
	}
	slices.Sort(want)
	f.create(mine.OfTeam(), "team")
	f.create(f.as("agent:a2"), "of-a2")
	f.create(f.as("user:u1"), "of-u1")
	f.create(f.as("agent:b1"), "of-b1")
	f.create(f.as("agent:b1").OfTeam(), "of-tb")
	for _, test := range []struct {
		whose string
		h     *vectordb.Handle
		want  []string
	}{
		{"a1", mine, want}, {"a1's team", mine.OfTeam(), []string{"team"}}, {"u1's team", f.as("user:u1").OfTeam(), []string{"team"}},
		{"the team", f.as("team:ta"), []string{"team"}}, {"a2", f.as("agent:a2"), []string{"of-a2"}}, {"b1", f.as("agent:b1"), []string{"of-b1"}},
		{"b1's team", f.as("agent:b1").OfTeam(), []string{"of-tb"}},
	} {
		for _, limit := range []int{1, 2, 100} {
			var got []string
			for after := ""; ; {
				page, err := test.h.Namespaces(f.Context(), vectordb.Page{After: after, Limit: limit})
				if err != nil || len(page.Items) > limit {
					f.Fatalf("a page of %d for %s, want at most %d (%v)", len(page.Items), test.whose, limit, err)
				}
				for _, ns := range page.Items {
					got = append(got, ns.Name)
				}
				if after = page.Next; after == "" {
					break
				}
			}
			if !slices.Equal(got, test.want) {
				f.Errorf("%s by %d: %q, want %q", test.whose, limit, got, test.want)
			}
		}
	}
}

func nobodyIsRefused(f *fixture) {
	f.create(f.as("agent:a1"), "n")
	for _, who := range []string{"agent:stranger", "public"} {
		for _, h := range []*vectordb.Handle{f.as(who), f.as(who).OfTeam()} {
			for _, op := range operations() {
				f.wantKind(op.name+" as "+who, op.do(f.Context(), h, "n"), fault.Denied)
				if list := f.denials.Take(); len(list) != 1 || list[0].Operation != op.name {
					f.Errorf("%s as %s: the audit was told of %+v, want one denial", op.name, who, list)
				}
			}
		}
	}
	for _, op := range operations() {
		f.wantKind(op.name+" as nobody", op.do(f.Context(), f.service.For(access.Candidate{}), "n"), fault.Denied)
	}
	if asked, _ := f.model.requests(); len(asked) > 0 {
		f.Errorf("the model was asked for who is nobody: %+v", asked)
	}
}

// What is one candidate's is nobody else's, and what is a team's is its members'.
func otherOwners(f *fixture) {
	mine := f.as("agent:a1")
	f.create(mine, "n")
	f.insert(mine, "n", "x", "private text")
	for _, other := range []string{"agent:a2", "user:u1", "team:ta", "agent:b1", "user:a1", "team:a1"} {
		h := f.as(other)
		if _, ok, err := h.Namespace(f.Context(), "n"); ok || err != nil {
			f.Errorf("%s sees the namespace of agent:a1: %t, %v", other, ok, err)
		}
		_, err := h.Search(f.Context(), "n", "private", vectordb.SearchOptions{})
		f.wantMissing("Search as "+other, err)
		if err := h.Delete(f.Context(), "n", "x"); err != nil {
			f.Errorf("Delete as %s = %v", other, err)
		}
		if err := h.DeleteNamespace(f.Context(), "n"); err != nil {
			f.Errorf("DeleteNamespace as %s = %v", other, err)
		}
	}
	f.want(mine, "n", "private", "x")
	shared := mine.OfTeam()
	f.create(shared, "n")
	f.insert(shared, "n", "y", "common text")
	f.want(shared, "n", "text", "y")
	f.want(mine, "n", "text", "x")
	for _, member := range []*vectordb.Handle{f.as("agent:a2").OfTeam(), f.as("user:u1").OfTeam(), f.as("team:ta"), f.as("team:ta").OfTeam()} {
		f.want(member, "n", "text", "y")
	}
	f.insert(f.as("user:u1").OfTeam(), "n", "z", "of a member")
	f.want(shared, "n", "member", "z")
	_, err := f.as("agent:b1").OfTeam().Search(f.Context(), "n", "text", vectordb.SearchOptions{})
	f.wantMissing("Search as the agent of another team", err)
}

// Who leaves a team leaves its namespaces at once and keeps its own.
func teamChanges(f *fixture) {
	h := f.as("agent:a2")
	shared := h.OfTeam()
	f.create(h, "n")
	f.insert(h, "n", "own", "text")
	f.create(shared, "n")
	f.insert(shared, "n", "common", "text")
	f.teams.Move("a2", "tb")
	_, err := shared.Search(f.Context(), "n", "text", vectordb.SearchOptions{})
	f.wantMissing("Search in the namespaces of the team that was left", err)
	f.want(h, "n", "text", "own")
	f.want(f.as("agent:a1").OfTeam(), "n", "text", "common")
	f.teams.Move("a2", "ta")
	f.want(shared, "n", "text", "common")
}

// Many write, search and delete at once: nobody sees half of a source, and in the end there is what was put last.
func concurrent(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	text := func(version int) string {
		return strings.TrimSpace(strings.Repeat(fmt.Sprintf("version%d ", version), 12))
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 8 {
				if _, err := h.Insert(ctx, "n", vectordb.Document{ID: "shared", Text: text(i)}); err != nil {
					f.Errorf("Insert: %v", err)
				}
				own := fmt.Sprintf("own%d", g)
				if _, err := h.Insert(ctx, "n", vectordb.Document{ID: own, Text: text(i)}); err != nil {
					f.Errorf("Insert: %v", err)
				}
				list, err := h.Search(ctx, "n", "version1 version2 version3", vectordb.SearchOptions{TopK: 100})
				if err != nil {
					f.Errorf("Search: %v", err)
				}
				versions := map[string]string{}
				for _, m := range list {
					word := strings.Fields(m.Text)[0]
					if v, known := versions[m.Source]; known && v != word {
						f.Errorf("a search sees %s and %s of %s", v, word, m.Source)
					}
					versions[m.Source] = word
				}
				if i%3 == 0 {
					if err := h.Delete(ctx, "n", own); err != nil {
						f.Errorf("Delete: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	page, err := h.Sources(ctx, "n", vectordb.Page{})
	if err != nil || len(page.Items) != 9 {
		f.Fatalf("%d sources are left (%v), want 9", len(page.Items), err)
	}
	for _, s := range page.Items {
		got, ok, err := h.Source(ctx, "n", s.ID)
		if err != nil || !ok || len(got.Chunks) < 2 {
			f.Errorf("Source(%s) = %+v, %t, %v", s.ID, got, ok, err)
		}
	}
}
