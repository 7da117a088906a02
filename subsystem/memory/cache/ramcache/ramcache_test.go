package ramcache

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/cachetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, Definition(), value.Obj())
}

func open(t testing.TB, maxBytes int) (*store, func(id string) *cache.Handle) {
	t.Helper()
	env := connector.Env{Effects: effect.System{}}
	conn, err := Definition().Open(t.Context(), env, value.Obj(value.M("maxBytes", value.OfInt(maxBytes))))
	if err != nil {
		t.Fatal(err)
	}
	s := cache.New(env, connector.Instances[cache.Connector]{Default: "ram", ByID: map[string]cache.Connector{"ram": conn.(*store)}}, nil)
	return conn.(*store), func(id string) *cache.Handle {
		c, err := access.Agent(id)
		if err != nil {
			t.Fatal(err)
		}
		return s.For(c)
	}
}

// Who holds most makes room, with what it used longest ago; the entries of others stay.
func TestBudgetIsFair(t *testing.T) {
	t.Parallel()
	s, as := open(t, 100_000)
	small, busy := as("small"), as("busy")
	text := value.Of(strings.Repeat("x", 1000))
	for i := range 5 {
		if err := small.Set(t.Context(), fmt.Sprintf("small-%d", i), text, cache.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if err := busy.Set(t.Context(), fmt.Sprintf("busy-%d", i), text, cache.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := busy.Get(t.Context(), "busy-0"); !ok || err != nil {
			t.Fatalf("after %d entries the one that is used all the time is gone: %v", i, err)
		}
		if s.used > s.budget {
			t.Fatalf("used = %d bytes, want at most %d", s.used, s.budget)
		}
	}
	for i := range 5 {
		if _, ok, err := small.Get(t.Context(), fmt.Sprintf("small-%d", i)); !ok || err != nil {
			t.Errorf("small-%d is gone: %v", i, err)
		}
	}
	if _, ok, err := busy.Get(t.Context(), "busy-1"); ok || err != nil {
		t.Errorf("the oldest entry of who holds most is still there, %v", err)
	}
	if _, ok, err := busy.Get(t.Context(), "busy-999"); !ok || err != nil {
		t.Errorf("the newest entry is gone: %v", err)
	}
}

// Setting an entry again counts as using it, and an entry that grows does not make room by pushing itself out.
func TestSettingIsUsing(t *testing.T) {
	t.Parallel()
	_, as := open(t, 10_000)
	h := as("a")
	for i := range 5 {
		if err := h.Set(t.Context(), fmt.Sprint(i), value.Of(strings.Repeat("x", 1000)), cache.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Set(t.Context(), "0", value.Of(strings.Repeat("x", 6000)), cache.Options{}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"0": true, "1": false, "4": true} {
		if got, err := h.Exists(t.Context(), key); got != want || err != nil {
			t.Errorf("Exists(%q) = %v, %v, want %v", key, got, err, want)
		}
	}
}

// One entry may take everything, and then takes it from others; more than everything is refused.
func TestLargeEntry(t *testing.T) {
	t.Parallel()
	s, as := open(t, 10_000)
	for _, id := range []string{"a", "b", "c"} {
		if err := as(id).Set(t.Context(), id, value.Of(strings.Repeat("x", 1000)), cache.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := as("d").Set(t.Context(), "d", value.Of(strings.Repeat("x", 9_400)), cache.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := as("d").Get(t.Context(), "d"); !ok || err != nil {
		t.Errorf("the large entry is gone: %v", err)
	}
	err := as("d").Set(t.Context(), "d", value.Of(strings.Repeat("x", 10_000)), cache.Options{})
	if want := "LIMIT_EXCEEDED(" + LimitBytes + ")"; fault.CodeOf(err) != want {
		t.Errorf("Set of more than the budget = %v, want %s", err, want)
	}
	if _, ok, err := as("d").Get(t.Context(), "d"); !ok || err != nil || s.used > s.budget {
		t.Errorf("after a refusal the old entry is %v, %v with %d bytes used, want it there", ok, err, s.used)
	}
}

// Whatever is done, the books agree with what is there.
func TestAccounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, as := open(t, 20_000)
		rng := rand.New(rand.NewPCG(1, 2))
		for range 5000 {
			h, key := as(fmt.Sprint("agent-", rng.IntN(4))), fmt.Sprint("key-", rng.IntN(40))
			var err error
			switch rng.IntN(7) {
			case 0, 1, 2:
				err = h.Set(t.Context(), key, value.Of(strings.Repeat("x", rng.IntN(2000))), cache.Options{TTL: time.Duration(rng.IntN(3)) * time.Second})
			case 3:
				_, _, err = h.Get(t.Context(), key)
			case 4:
				err = h.Delete(t.Context(), key)
			case 5:
				err = h.SetMetadata(t.Context(), key, value.Obj(value.M("k", value.Of(strings.Repeat("y", rng.IntN(500))))))
			case 6:
				err = (effect.System{}).Sleep(t.Context(), time.Duration(rng.IntN(400))*time.Millisecond)
			}
			if err != nil && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			checkAccounts(t, s)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkAccounts(t, s)
	})
}

func checkAccounts(t *testing.T, s *store) {
	t.Helper()
	used, listed := 0, 0
	for _, e := range s.entries {
		if got := sizeOf(e.key, e.Record); got != e.size {
			t.Fatalf("size of %q = %d, want %d", e.key, e.size, got)
		}
		used += e.size
	}
	if used != s.used || used > s.budget {
		t.Fatalf("used = %d, want %d and at most %d", s.used, used, s.budget)
	}
	if len(s.tenants.by) != len(s.tenants.ranked) {
		t.Fatalf("%d tenants are ranked, want %d", len(s.tenants.ranked), len(s.tenants.by))
	}
	for i, tn := range s.tenants.ranked {
		sum := 0
		for e := tn.newest; e != nil; e = e.older {
			sum += e.size
			listed++
			if e.older == nil && tn.oldest != e {
				t.Fatal("the oldest entry is not the last one")
			}
		}
		if sum != tn.bytes || tn.at != i || sum == 0 || tn.bytes > s.tenants.ranked[0].bytes {
			t.Fatalf("tenant %s has %d bytes at place %d, want %d at %d", tn.who, tn.bytes, tn.at, sum, i)
		}
	}
	if listed != len(s.entries) {
		t.Fatalf("%d entries are listed, want %d", listed, len(s.entries))
	}
}

// The memory of expired entries is freed without anybody asking for them, and Close ends the work.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, as := open(t, 100_000)
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for key, ttl := range map[string]time.Duration{"brief": time.Second, "long": time.Hour} {
			if err := as("a").Set(t.Context(), key, value.Of("x"), cache.Options{TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		if err := (effect.System{}).Sleep(t.Context(), sweepEvery); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.mu.Lock()
		if got := len(s.entries); got != 1 {
			t.Errorf("%d entries are held, want 1", got)
		}
		s.mu.Unlock()
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// A small part of a large text does not keep the text.
func TestEntriesAreDetached(t *testing.T) {
	s, as := open(t, 10<<20)
	const parts, size = 20, 1 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range parts {
		v, err := value.Parse(`{"keep":{"k":"small"},"drop":"` + strings.Repeat("x", size) + `"}`)
		if err != nil {
			t.Fatal(err)
		}
		if err := as("a").Set(t.Context(), fmt.Sprint("k", i), v.Get("keep"), cache.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got, limit := int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(parts*size/2); got > limit {
		t.Errorf("%d small entries hold %d bytes, want less than %d", len(s.entries), got, limit)
	}
}

func BenchmarkGet(b *testing.B) {
	_, as := open(b, 10<<20)
	h := as("agent-a")
	if err := h.Set(b.Context(), "agent-a:memory:key", value.Of("text"), cache.Options{TTL: time.Hour}); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, "agent-a:memory:key"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	_, as := open(b, 10<<20)
	h := as("agent-a")
	ctx, v := b.Context(), value.Of("text")
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Set(ctx, "agent-a:memory:key", v, cache.Options{TTL: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetUnderPressure(b *testing.B) {
	_, as := open(b, 1<<20)
	handles := make([]*cache.Handle, 100)
	for i := range handles {
		handles[i] = as(fmt.Sprint("agent-", i))
	}
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprint("key-", i)
	}
	ctx, v := b.Context(), value.Of(strings.Repeat("x", 200))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := handles[i%100].Set(ctx, keys[i%len(keys)], v, cache.Options{}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
