package ramstorage

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/storagetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, Definition(), value.Obj())
}

func open(t testing.TB, settings value.Value) (*store, *storage.Handle) {
	t.Helper()
	env := connector.Env{Effects: effect.System{}}
	conn, err := Definition().Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	s := storage.New(env, connector.Instances[storage.Connector]{Default: "ram", ByID: map[string]storage.Connector{"ram": conn.(*store)}}, nil)
	return conn.(*store), s.For(c)
}

// All objects together stay within the budget; deleting, shrinking and expiry give room back.
func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, h := open(t, value.Obj(value.M("maxBytes", value.OfInt(1000))))
		write := func(name string, n int, ttl time.Duration) error {
			return h.Write(t.Context(), name, make([]byte, n), storage.Options{TTL: ttl})
		}
		for _, c := range []struct {
			do   string
			err  error
			full bool
		}{
			{"fill", write("a", 600, 0), false},
			{"one more", write("b", 600, 0), true},
			{"grow", write("a", 1200, 0), true},
			{"shrink", write("a", 300, 0), false},
			{"fits now", write("b", 600, time.Minute), false},
			{"full", write("c", 300, 0), true},
			{"delete", h.Delete(t.Context(), "a"), false},
			{"fits again", write("c", 300, 0), false},
		} {
			if got := fault.CodeOf(c.err) == "LIMIT_EXCEEDED("+LimitBytes+")"; got != c.full || !c.full && c.err != nil {
				t.Errorf("%s = %v, want over the limit %v", c.do, c.err, c.full)
			}
		}
		if err := (effect.System{}).Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := write("d", 600, 0); err != nil {
			t.Errorf("Write into the room of an expired object: %v", err)
		}
		if s.used > 1000 {
			t.Errorf("used = %d bytes, want at most 1000", s.used)
		}
		if err := s.Close(t.Context()); err != nil || s.used != 0 {
			t.Errorf("Close = %v with %d bytes used, want none", err, s.used)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	if _, err := Definition().Open(t.Context(), connector.Env{}, value.Obj(value.M("maxbyte", value.OfInt(1)))); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open with an unknown setting = %v, want INVALID", err)
	}
}

// A page deep in a large store costs the page and not the store.
func BenchmarkListPage(b *testing.B) {
	_, h := open(b, value.Obj())
	for i := range 100_000 {
		if err := h.Write(b.Context(), fmt.Sprintf("f/%06d", i), nil, storage.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, err := h.List(b.Context(), "f/", storage.Page{After: "f/050000", Limit: 100}); err != nil || len(l.Objects) != 100 {
			b.Fatal(len(l.Objects), err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	_, h := open(b, value.Obj())
	if err := h.Write(b.Context(), "teams-a/x", make([]byte, 1024), storage.Options{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Read(b.Context(), "teams-a/x"); err != nil {
			b.Fatal(err)
		}
	}
}
