package cachetest

import (
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// grant makes a grant for the connector itself.
func grant[L access.Level](f *fixture, key string) access.Grant[L] {
	f.Helper()
	c := f.candidate("agent:a1")
	g, err := access.Authorize[L](f.Context(), nil, "cache.test", c, key, access.OwnedBy(c))
	if err != nil {
		f.Fatal(err)
	}
	return g
}

// call is one method of a connector that takes a generation.
type call struct {
	name string
	do   func(key, generation string) error
}

func calls(f *fixture) []call {
	ctx := f.Context()
	owned := cache.Record{ACL: access.OwnedBy(f.candidate("agent:a1")), Entry: cache.Entry{Value: value.Of("by generation")}}
	return []call{
		{"Get", func(k, gen string) error { _, err := f.conn.Get(ctx, grant[access.Read](f, k), gen); return err }},
		{"Set", func(k, gen string) error { return f.conn.Set(ctx, grant[access.Write](f, k), gen, owned) }},
		{"Amend", func(k, gen string) error {
			return f.conn.Amend(ctx, grant[access.Write](f, k), gen, cache.Change{Metadata: value.Obj(value.M("k", value.Of("changed")))})
		}},
		{"SetACL", func(k, gen string) error { return f.conn.SetACL(ctx, grant[access.Owner](f, k), gen, owned.ACL) }},
		{"Delete", func(k, gen string) error { return f.conn.Delete(ctx, grant[access.Write](f, k), gen) }},
	}
}

// A generation changes with the ACL and when an entry is made anew, and a call with another one does nothing.
func generations(f *fixture) {
	h := f.as("agent:a1")
	f.set("agent:a1", "k", "one", cache.Options{})
	first := f.generation("k")
	f.set("agent:a1", "k", "two", cache.Options{})
	if err := h.SetMetadata(f.Context(), "k", value.Obj(value.M("k", value.Of("v")))); err != nil {
		f.Fatal(err)
	}
	if err := h.UpdateTTL(f.Context(), "k", time.Hour); err != nil {
		f.Fatal(err)
	}
	if got := f.generation("k"); got != first {
		f.Errorf("generation after changes of content = %q, want %q", got, first)
	}
	if err := h.SetACL(f.Context(), "k", nil); err != nil {
		f.Fatal(err)
	}
	second := f.generation("k")
	if err := h.Delete(f.Context(), "k"); err != nil {
		f.Fatal(err)
	}
	for _, c := range calls(f) {
		f.wantKind(c.name+" of nothing", c.do("k", second), fault.Conflict)
	}
	f.set("agent:a1", "k", "three", cache.Options{})
	third := f.generation("k")
	if first == second || second == third || first == third {
		f.Errorf("generations are %q, %q, %q, want three different ones", first, second, third)
	}
	for _, c := range calls(f) {
		for _, stale := range []string{first, second, "", "never"} {
			f.wantKind(c.name+" with generation "+stale, c.do("k", stale), fault.Conflict)
		}
	}
	f.want("agent:a1", "k", "three")
	f.wantMetadata("k", value.Obj())
	for _, c := range calls(f) {
		if err := c.do("k", f.generation("k")); err != nil {
			f.Errorf("%s with the generation of now: %v", c.name, err)
		}
	}
	_, err := f.conn.Rule(f.Context(), "k")
	f.wantKind("Rule of nothing", err, fault.NotFound)
}

func (f *fixture) generation(key string) string {
	f.Helper()
	r, err := f.conn.Rule(f.Context(), key)
	if err != nil || r.Generation == "" || r.ACL.Empty() {
		f.Fatalf("Rule(%q) = %+v, %v, want an ACL and a generation", key, r, err)
	}
	return r.Generation
}

// A grant that nobody gave opens nothing.
func grantsAreNeeded(f *fixture) {
	f.set("agent:a1", "k", "secret", cache.Options{})
	gen := f.generation("k")
	ctx := f.Context()
	record := cache.Record{ACL: access.NewACL(), Entry: cache.Entry{Value: value.Of("x")}}
	forged := map[string]func(){
		"Get":    func() { _, _ = f.conn.Get(ctx, access.Grant[access.Read]{}, gen) },
		"Set":    func() { _ = f.conn.Set(ctx, access.Grant[access.Write]{}, gen, record) },
		"Amend":  func() { _ = f.conn.Amend(ctx, access.Grant[access.Write]{}, gen, cache.Change{}) },
		"Delete": func() { _ = f.conn.Delete(ctx, access.Grant[access.Write]{}, gen) },
		"SetACL": func() { _ = f.conn.SetACL(ctx, access.Grant[access.Owner]{}, gen, access.NewACL()) },
	}
	for name, do := range forged {
		if !panics(do) {
			f.Errorf("%s took a grant that was made without Authorize", name)
		}
	}
	f.want("agent:a1", "k", "secret")
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
