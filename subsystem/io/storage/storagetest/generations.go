package storagetest

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// grant makes a grant for the connector itself.
func grant[L access.Level](f *fixture, name string) access.Grant[L] {
	f.Helper()
	c := f.candidate("agent:a1")
	g, err := access.Authorize[L](f.Context(), nil, "storage.test", c, name, access.OwnedBy(c))
	if err != nil {
		f.Fatal(err)
	}
	return g
}

// calls are the methods of a connector that take a generation.
func calls(f *fixture) map[string]func(name, generation string) error {
	ctx := f.Context()
	owned := storage.Record{ACL: access.OwnedBy(f.candidate("agent:a1")), Metadata: value.Obj()}
	return map[string]func(string, string) error{
		"Read": func(n, gen string) error {
			o, err := f.conn.Read(ctx, grant[access.Read](f, n), gen, storage.Range{})
			if err == nil {
				err = o.Body.Close()
			}
			return err
		},
		"Stat": func(n, gen string) error { _, err := f.conn.Stat(ctx, grant[access.Read](f, n), gen); return err },
		"Write": func(n, gen string) error {
			return f.conn.Write(ctx, grant[access.Write](f, n), gen, owned, strings.NewReader("by generation"))
		},
		"Amend": func(n, gen string) error {
			return f.conn.Amend(ctx, grant[access.Write](f, n), gen, storage.Change{Metadata: value.Obj(value.M("k", value.Of("changed")))})
		},
		"Delete": func(n, gen string) error { return f.conn.Delete(ctx, grant[access.Write](f, n), gen) },
		"SetACL": func(n, gen string) error { return f.conn.SetACL(ctx, grant[access.Owner](f, n), gen, owned.ACL) },
	}
}

// A generation changes with the ACL and when an object is made anew, and a call with another one does nothing.
func generations(f *fixture) {
	h := f.as("agent:a1")
	f.write("agent:a1", "x", "one", storage.Options{})
	first := f.generation("x")
	f.write("agent:a1", "x", "two", storage.Options{})
	if err := h.SetMetadata(f.Context(), "x", value.Obj(value.M("k", value.Of("v")))); err != nil {
		f.Fatal(err)
	}
	if err := h.Expire(f.Context(), "x", time.Hour); err != nil {
		f.Fatal(err)
	}
	if got := f.generation("x"); got != first {
		f.Errorf("generation after changes of content = %q, want %q", got, first)
	}
	if err := h.SetACL(f.Context(), "x", nil); err != nil {
		f.Fatal(err)
	}
	second := f.generation("x")
	if err := h.Delete(f.Context(), "x"); err != nil {
		f.Fatal(err)
	}
	for name, call := range calls(f) {
		if name != "Write" {
			f.wantKind(name+" of nothing", call("x", second), fault.Conflict)
		}
	}
	f.wantKind("Write over nothing", calls(f)["Write"]("x", second), fault.Conflict)
	f.write("agent:a1", "x", "three", storage.Options{})
	third := f.generation("x")
	if first == second || second == third || first == third {
		f.Errorf("generations are %q, %q, %q, want three different ones", first, second, third)
	}
	for name, call := range calls(f) {
		for _, stale := range []string{first, second, "", "never"} {
			f.wantKind(name+" with generation "+stale, call("x", stale), fault.Conflict)
		}
	}
	f.wantText("agent:a1", "x", "three")
	f.wantMetadata("x", value.Obj())
	for _, name := range []string{"Read", "Stat", "Write", "Amend", "SetACL"} {
		if err := calls(f)[name]("x", f.generation("x")); err != nil {
			f.Errorf("%s with the generation of now: %v", name, err)
		}
	}
	f.wantText("agent:a1", "x", "by generation")
	_, err := f.conn.Rule(f.Context(), "nothing")
	f.wantKind("Rule of nothing", err, fault.NotFound)
}

func (f *fixture) generation(name string) string {
	f.Helper()
	r, err := f.conn.Rule(f.Context(), name)
	if err != nil || r.Generation == "" || r.ACL.Empty() {
		f.Fatalf("Rule(%q) = %+v, %v, want an ACL and a generation", name, r, err)
	}
	return r.Generation
}

// A grant that nobody gave opens nothing.
func grantsAreNeeded(f *fixture) {
	f.write("agent:a1", "x", "secret", storage.Options{})
	gen := f.generation("x")
	ctx := f.Context()
	forged := map[string]func(){
		"Read":   func() { _, _ = f.conn.Read(ctx, access.Grant[access.Read]{}, gen, storage.Range{}) },
		"Stat":   func() { _, _ = f.conn.Stat(ctx, access.Grant[access.Read]{}, gen) },
		"Write":  func() { forgedWrite(ctx, f.conn, gen) },
		"Amend":  func() { _ = f.conn.Amend(ctx, access.Grant[access.Write]{}, gen, storage.Change{}) },
		"Delete": func() { _ = f.conn.Delete(ctx, access.Grant[access.Write]{}, gen) },
		"SetACL": func() { _ = f.conn.SetACL(ctx, access.Grant[access.Owner]{}, gen, access.NewACL()) },
		"List": func() {
			for range f.conn.List(ctx, access.Grant[access.Read]{}, "") {
				f.Error("List without a grant gives something")
			}
		},
	}
	for name, call := range forged {
		if !panics(call) {
			f.Errorf("%s took a grant that was made without Authorize", name)
		}
	}
	f.wantText("agent:a1", "x", "secret")
}

func forgedWrite(ctx context.Context, c storage.Connector, gen string) {
	_ = c.Write(ctx, access.Grant[access.Write]{}, gen, storage.Record{ACL: access.NewACL(), Metadata: value.Obj()}, io.LimitReader(nil, 0))
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
