package sqlitecache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/cachetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, Definition(), value.Obj())
}

// The suite holds without a budget too.
func TestSuite_NoBudget(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, Definition(), value.Obj(value.M("maxBytes", value.OfInt(0)), value.M("file", value.Of("sub/folder/entries.db"))))
}

// rig is a connector under its service.
type rig struct {
	testing.TB
	dir     string
	store   *store
	service *cache.Service
	denied  *int
}

// newRig opens the cache of a data folder.
func newRig(t testing.TB, dir string, clock effect.Source, settings ...value.Member) *rig {
	t.Helper()
	env := connector.Env{Dir: dir, Effects: clock, Events: &event.Bus{}}
	r := &rig{TB: t, dir: dir, denied: new(int)}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *r.denied++ }))
	conn, err := Definition().Open(t.Context(), env, value.Obj(settings...))
	if err != nil {
		t.Fatal(err)
	}
	r.store = conn.(*store)
	r.service = cache.New(env, connector.Instances[cache.Connector]{Default: "it", ByID: map[string]cache.Connector{"it": r.store}}, nil)
	t.Cleanup(func() { r.close() })
	return r
}

func (r *rig) close() {
	r.Helper()
	if err := r.store.Close(context.Background()); err != nil {
		r.Errorf("Close: %v", err)
	}
}

func (r *rig) as(id string) *cache.Handle {
	r.Helper()
	c, err := access.Agent(id)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) set(id, key, text string, ttl time.Duration) {
	r.Helper()
	if err := r.as(id).Set(r.Context(), key, value.Of(text), cache.Options{TTL: ttl}); err != nil {
		r.Fatalf("Set(%q): %v", key, err)
	}
}

// want checks what an agent gets; "" for nothing.
func (r *rig) want(id, key, want string) {
	r.Helper()
	got, ok, err := r.as(id).Get(r.Context(), key)
	if err != nil || ok != (want != "") || got.Plain() != want {
		r.Errorf("Get(%q) = %.60q, %v, %v, want %.60q", key, got.Plain(), ok, err, want)
	}
}

// exec changes the database behind the back of the connector.
func (r *rig) exec(stmt string, args ...any) {
	r.Helper()
	if _, err := r.store.db.Exec(r.Context(), stmt, args...); err != nil {
		r.Fatal(err)
	}
}

// number reads one number from the database.
func (r *rig) number(query string, args ...any) int64 {
	r.Helper()
	var n int64
	if err := r.store.db.Row(r.Context(), query, args, &n); err != nil {
		r.Fatal(err)
	}
	return n
}

// What was stored outlives the process: value, metadata, rights, generation and expiry.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := newRig(t, dir, effect.System{})
		reader, err := access.Agent("reader")
		if err != nil {
			t.Fatal(err)
		}
		o := cache.Options{TTL: time.Hour, Metadata: value.Obj(value.M("k", value.OfInt(1))), ACL: access.NewACL().With(reader, access.RightRead)}
		if err := first.as("a").Set(t.Context(), "k", value.List(value.Of("v"), value.OfInt(2)), o); err != nil {
			t.Fatal(err)
		}
		before, err := first.store.Rule(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		first.close()

		second := newRig(t, dir, effect.System{})
		second.want("reader", "k", `["v",2]`)
		if err := second.as("reader").Set(t.Context(), "k", value.Of("x"), cache.Options{}); !fault.Is(err, fault.Denied) {
			t.Errorf("Set by a reader = %v, want ACCESS_DENIED", err)
		}
		after, err := second.store.Rule(t.Context(), "k")
		if err != nil || after.Generation != before.Generation || after.ACL.String() != before.ACL.String() {
			t.Errorf("Rule after a restart = %+v, %v, want %+v", after, err, before)
		}
		if m, _, err := second.as("a").Metadata(t.Context(), "k"); err != nil || m.JSON() != `{"k":1}` {
			t.Errorf("Metadata = %s, %v, want {\"k\":1}", m.JSON(), err)
		}
		if ttl, ok, err := second.as("a").TTL(t.Context(), "k"); err != nil || !ok || ttl != time.Hour {
			t.Errorf("TTL = %v, %v, %v, want an hour", ttl, ok, err)
		}
		second.close()
		if err := (effect.System{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		newRig(t, dir, effect.System{}).want("a", "k", "")
	})
}

// Looking leaves no trace; what is written is readable by its owner only.
func TestFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "data")
		r := newRig(t, dir, effect.System{})
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want("a", "k", "")
		if err := r.as("a").Delete(t.Context(), "k"); err != nil {
			t.Errorf("Delete of nothing: %v", err)
		}
		if err := (effect.System{}).Sleep(t.Context(), 2*sweepEvery); err != nil {
			t.Fatal(err)
		}
		if err := r.store.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after looking the folder is there: %v", err)
		}
		r.set("a", "k", "v", 0)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %v, want it for its owner only", path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dir      string
		settings value.Value
	}{
		"no data folder":  {"", value.Obj()},
		"negative budget": {"data", value.Obj(value.M("maxBytes", value.OfInt(-1)))},
		"unknown setting": {"data", value.Obj(value.M("maxByte", value.OfInt(1)))},
		"device":          {"data", value.Obj(value.M("file", value.Of("CON")))},
	} {
		_, err := Definition().Open(t.Context(), connector.Env{Dir: c.dir, Effects: effect.System{}}, c.settings)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Open = %v, want INVALID", name, err)
		}
	}
}

// The rows of expired entries go without anybody asking for them, and Close ends the work.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), effect.System{})
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		const brief = sweepStep + 10 // more than one step
		for i := range brief {
			r.set("a", fmt.Sprint("brief-", i), "x", time.Second)
		}
		r.set("a", "long", "x", time.Hour)
		r.set("a", "for ever", "x", 0)
		if got := r.number("SELECT count(*) FROM entry"); got != brief+2 {
			t.Fatalf("%d rows before, want %d", got, brief+2)
		}
		if err := (effect.System{}).Sleep(t.Context(), sweepEvery+time.Millisecond); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := r.number("SELECT count(*) FROM entry"); got != 2 {
			t.Errorf("%d rows are left, want 2", got)
		}
	})
}

// Of several processes that make an entry at once one succeeds, and all see what it made.
func TestProcessesShareAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stores := make([]*rig, 3)
	for i := range stores {
		stores[i] = newRig(t, dir, effect.System{})
	}
	for round := range 10 {
		key := fmt.Sprint("k", round)
		errs := make([]error, len(stores))
		var all sync.WaitGroup
		for i, r := range stores {
			h, text := r.as(fmt.Sprint("agent-", i)), fmt.Sprint("by ", i)
			all.Go(func() { errs[i] = h.Set(context.Background(), key, value.Of(text), cache.Options{}) })
		}
		all.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("%s: both %d and %d made it", key, winner, i)
			case err == nil:
				winner = i
			case !fault.Is(err, fault.Denied):
				t.Errorf("%s: Set by %d = %v, want ACCESS_DENIED", key, i, err)
			}
		}
		if winner < 0 {
			t.Fatalf("%s: nobody could make it: %v", key, errs)
		}
		for _, r := range stores {
			r.want(fmt.Sprint("agent-", winner), key, fmt.Sprint("by ", winner))
		}
	}
}
