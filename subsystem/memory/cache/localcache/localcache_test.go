package localcache

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
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/cachetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, Definition(), value.Obj())
}

// rig is a connector under its service.
type rig struct {
	testing.TB
	dir     string
	store   *store
	service *cache.Service
	denied  *int
}

// newRig opens a folder, through wrap unless that is nil.
func newRig(t testing.TB, dir string, clock effect.Source, wrap func(folder) folder) *rig {
	t.Helper()
	env := connector.Env{Effects: clock, Events: &event.Bus{}}
	r := &rig{TB: t, dir: dir, denied: new(int)}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *r.denied++ }))
	if wrap != nil {
		r.store = newStore(wrap(onDisk{disk.Later(dir)}), env)
	} else {
		conn, err := Definition().Open(t.Context(), env, value.Obj(value.M("folder", value.Of(dir))))
		if err != nil {
			t.Fatal(err)
		}
		r.store = conn.(*store)
	}
	r.service = cache.New(env, connector.Instances[cache.Connector]{Default: "it", ByID: map[string]cache.Connector{"it": r.store}}, nil)
	t.Cleanup(func() {
		if err := r.store.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

// again opens the folder of a rig once more, as another process would.
func (r *rig) again() *rig { return newRig(r.TB, r.dir, effect.System{}, nil) }

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
		r.Errorf("Get(%q) as %s = %.60q, %v, %v, want %.60q", key, id, got.Plain(), ok, err, want)
	}
}

// path is the place of a file below the folder on the machine.
func (r *rig) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// put writes a file below the folder.
func (r *rig) put(name, text string) {
	r.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// there reports whether a file is below the folder.
func (r *rig) there(name string) bool {
	_, err := os.Lstat(r.path(name))
	return err == nil
}

// What was stored outlives the process: value, metadata, rights, generation and expiry.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := newRig(t, t.TempDir(), effect.System{}, nil)
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
		second := first.again()
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
		if err := (effect.System{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		first.again().want("a", "k", "")
	})
}

// Looking leaves no trace; what is written is readable by its owner only.
func TestFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, filepath.Join(t.TempDir(), "cache"), effect.System{}, nil)
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want("a", "k", "")
		if err := r.as("a").Delete(t.Context(), "k"); err != nil {
			t.Errorf("Delete of nothing: %v", err)
		}
		if err := (effect.System{}).Sleep(t.Context(), sweepEvery+time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := r.store.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
		if _, err := os.Stat(r.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after looking the folder is there: %v", err)
		}
		r.set("a", "k", "v", 0)
		err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && path != r.dir && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %v, want it for its owner only", path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := r.store.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
	})
}

// The default folder is "cache" in the data folder, and without one there has to be a setting.
func TestDefaultFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conn, err := Definition().Open(t.Context(), connector.Env{Dir: dir, Effects: effect.System{}}, value.Obj())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, dir: filepath.Join(dir, "cache"), store: conn.(*store)}
	r.service = cache.New(connector.Env{Effects: effect.System{}}, connector.Instances[cache.Connector]{Default: "it", ByID: map[string]cache.Connector{"it": r.store}}, nil)
	r.set("a", "k", "v", 0)
	if !r.there(fileOf("k")) {
		t.Error("the entry is not in the default folder")
	}
	if err := r.store.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := Definition().Open(t.Context(), connector.Env{}, value.Obj()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open without a data folder = %v, want INVALID", err)
	}
}

// The files of expired entries go without anybody asking for them, and Close ends the work.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), effect.System{}, nil)
		r.put("cache/a/old-brief", "text")
		r.put("cache.metadata/a/old-brief", fmt.Sprintf(`{"acl":%q,"expiresAt":%d}`, access.OwnedBy(r.as("a").Candidate()), (effect.System{}).Now().Add(time.Minute).UnixMilli()))
		r.put("cache/a/old-kept", "text")
		r.put("cache.metadata/a/old-kept", fmt.Sprintf(`{"acl":%q}`, access.OwnedBy(r.as("a").Candidate())))
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.set("a", "brief", "x", time.Second)
		r.set("a", "long", "x", 3*time.Hour)
		r.set("a", "for ever", "x", 0)
		r.put(fileOf("damaged"), "no record")
		if err := (effect.System{}).Sleep(t.Context(), sweepEvery+time.Minute); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, want := range map[string]bool{
			fileOf("brief"): false, fileOf("long"): true, fileOf("for ever"): true, fileOf("damaged"): true,
			"cache/a/old-brief": false, "cache.metadata/a/old-brief": false, "cache/a/old-kept": true,
		} {
			if got := r.there(name); got != want {
				t.Errorf("%s is there: %v, want %v", name, got, want)
			}
		}
	})
}

// Of several processes that make an entry at once one succeeds, and all see what it made.
func TestProcessesShareAFolder(t *testing.T) {
	t.Parallel()
	first := newRig(t, t.TempDir(), effect.System{}, nil)
	stores := []*rig{first, first.again(), first.again()}
	for round := range 5 {
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

// What is too large to be read back is not stored, and what was there stays.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.set("a", "k", "old", 0)
	v := value.Of("x")
	for range cache.StoredLimits().Depth {
		v = value.List(v)
	}
	if err := r.as("a").Set(t.Context(), "k", value.List(v), cache.Options{}); fault.CodeOf(err) != "LIMIT_EXCEEDED(json_depth)" {
		t.Errorf("Set of a deep value = %v, want LIMIT_EXCEEDED(json_depth)", err)
	}
	acl := access.NewACL()
	for i := range 100 {
		c, err := access.Agent(fmt.Sprint("agent-", i))
		if err != nil {
			t.Fatal(err)
		}
		acl = acl.With(c, access.RightRead)
	}
	if err := r.as("a").SetACL(t.Context(), "k", acl); err != nil {
		t.Fatalf("SetACL with a hundred entries: %v", err)
	}
	r.want("agent-50", "k", "old")
	if err := r.as("a").Set(t.Context(), "k", v, cache.Options{}); err != nil {
		t.Errorf("Set of the deepest value: %v", err)
	}
	if got, _, err := r.as("a").Get(t.Context(), "k"); err != nil || !value.Equal(got, v) {
		t.Errorf("Get of the deepest value: %v", err)
	}
}

const (
	benchKey  = "agent-a:memory:key"
	benchText = "a text as agents remember them, of some length: the last question, and what was answered to it"
)

func BenchmarkGet(b *testing.B) {
	r := newRig(b, b.TempDir(), effect.System{}, nil)
	r.set("agent-a", benchKey, benchText, time.Hour)
	h, ctx := r.as("agent-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, benchKey); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkBareGet reads the file twice, as deciding and getting do.
func BenchmarkBareGet(b *testing.B) {
	r := newRig(b, b.TempDir(), effect.System{}, nil)
	r.set("agent-a", benchKey, benchText, time.Hour)
	name := fileOf(benchKey)
	b.ReportAllocs()
	for b.Loop() {
		for range 2 {
			if _, err := r.store.folder.Read(name, maxRecord()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSet(b *testing.B) {
	r := newRig(b, b.TempDir(), effect.System{}, nil)
	h, ctx, v := r.as("agent-a"), b.Context(), value.Of(benchText)
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Set(ctx, benchKey, v, cache.Options{TTL: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareSet writes as many bytes to the disk.
func BenchmarkBareSet(b *testing.B) {
	r := newRig(b, b.TempDir(), effect.System{}, nil)
	data, err := encode(&entry{key: benchKey, acl: access.OwnedBy(r.as("agent-a").Candidate()), generation: r.store.clock.NewID(), text: value.Of(benchText).JSON()})
	if err != nil {
		b.Fatal(err)
	}
	f := disk.Later(b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		if err := f.WriteAtomic(fileOf(benchKey), data); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
