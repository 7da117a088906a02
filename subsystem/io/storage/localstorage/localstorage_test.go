package localstorage

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/storagetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, Definition(), value.Obj())
}

// rig is a store under its service, for tests of what lies on the disk.
type rig struct {
	*testing.T
	dir     string
	store   *store
	service *storage.Service
	denied  *int
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}}
	conn, err := Definition().Open(t.Context(), env, value.Obj(value.M("folder", value.Of(dir))))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	r := &rig{T: t, dir: dir, store: conn.(*store), denied: new(int)}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *r.denied++ }))
	t.Cleanup(func() {
		if err := r.store.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	r.service = storage.New(env, connector.Instances[storage.Connector]{Default: "local", ByID: map[string]storage.Connector{"local": r.store}}, directory{})
	return r
}

// directory puts agents whose ids begin with a letter into the team of that letter.
type directory struct{}

func (directory) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleTeam {
		return c.ID(), nil
	}
	return "team-" + c.ID()[len("agent-"):len("agent-")+1], nil
}

func (r *rig) as(who string) *storage.Handle {
	r.Helper()
	c, err := access.Parse(who)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) write(who, name, text string) {
	r.Helper()
	if err := r.as(who).Write(r.Context(), name, []byte(text), storage.Options{}); err != nil {
		r.Fatalf("Write(%q): %v", name, err)
	}
}

func (r *rig) wantText(who, name, want string) {
	r.Helper()
	got, err := r.as(who).Read(r.Context(), name)
	if err != nil || string(got) != want {
		r.Errorf("Read(%q) as %s = %q, %v, want %q", name, who, got, err, want)
	}
}

func (r *rig) put(file, text string) {
	r.Helper()
	p := filepath.Join(r.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// What was acknowledged is there after the runtime has ended, with its rights.
func TestReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	first := newRig(t, dir)
	first.write("agent:agent-a", "teams/team-a/x", "kept")
	second := newRig(t, dir)
	second.wantText("agent:agent-a", "teams/team-a/x", "kept")
	if _, err := second.as("agent:agent-a2").Read(t.Context(), "teams/team-a/x"); !fault.Is(err, fault.Denied) {
		t.Errorf("Read as another = %v, want ACCESS_DENIED", err)
	}
}

func TestOpenWithoutFolder(t *testing.T) {
	t.Parallel()
	if _, err := Definition().Open(t.Context(), connector.Env{Effects: effect.System{}}, value.Obj()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open without any folder = %v, want INVALID", err)
	}
}

// Two runtimes on one folder do not undo each other's writes: of all that make an object, one becomes its owner.
func TestTwoRuntimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "s")
		rigs := []*rig{newRig(t, dir), newRig(t, dir)}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			errs := make(chan error, len(rigs))
			for i, r := range rigs {
				h := r.as([]string{"agent:agent-a", "agent:agent-b"}[i])
				go func() { errs <- h.Write(t.Context(), name, []byte(h.Candidate().String()), storage.Options{}) }()
			}
			made := 0
			for range rigs {
				if err := <-errs; err == nil {
					made++
				} else if !fault.Is(err, fault.Denied) {
					t.Errorf("Write = %v, want a refusal", err)
				}
			}
			if made != 1 {
				t.Errorf("%d runtimes made %q, want one", made, name)
			}
		}
	})
}

// Who waits for another process gives up when its context or its patience ends.
func TestLockedByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, filepath.Join(t.TempDir(), "s"))
		lock, err := r.store.root.Lock(lockFile)
		if err != nil {
			t.Fatal(err)
		}
		h := r.as("agent:agent-a")
		start := time.Now()
		if err := h.Write(t.Context(), "x", nil, storage.Options{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Write = %v, want UNAVAILABLE", err)
		}
		if got := time.Since(start); got < maxWait/2 || got > 2*maxWait {
			t.Errorf("waited %v, want about %v", got, maxWait)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Write(ctx, "x", nil, storage.Options{}); !fault.Is(err, fault.Timeout) {
			t.Errorf("Write = %v, want TIMEOUT", err)
		}
		if err := r.store.Check(ctx); err == nil {
			t.Error("Check of a folder that is held gave no error")
		}
		go func() {
			if err := (effect.System{}).Sleep(t.Context(), time.Second); err != nil {
				t.Error(err)
			}
			if err := lock.Unlock(); err != nil {
				t.Error(err)
			}
		}()
		if err := h.Write(t.Context(), "x", nil, storage.Options{}); err != nil {
			t.Errorf("Write while another holds the lock for a second: %v", err)
		}
		left, err := os.ReadDir(filepath.Join(r.dir, objectsFolder, ".sre-tmp"))
		if err != nil || len(left) != 0 {
			t.Errorf("temporary files left: %v, %v, want none", left, err)
		}
	})
}

// Objects whose time has passed leave the disk, without anybody asking for them, and Close ends the work.
func TestClean(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, filepath.Join(t.TempDir(), "s"))
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		h := r.as("agent:agent-a")
		for name, ttl := range map[string]time.Duration{"brief": time.Minute, "long": 3 * time.Hour, "ever": 0} {
			if err := h.Write(t.Context(), name, []byte("x"), storage.Options{TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		r.put("objects/broken.obj", "garbage")
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{time.Minute, "brief broken ever long"}, {time.Hour, "broken ever long"}, {3 * time.Hour, "broken ever"}} {
			if err := (effect.System{}).Sleep(t.Context(), c.after); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := r.files(); got != c.want {
				t.Errorf("files after %v more = %q, want %q", c.after, got, c.want)
			}
		}
	})
}

// files returns the names of the records on the disk.
func (r *rig) files() string {
	r.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, objectsFolder))
	if err != nil {
		r.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := nameOf(e.Name()); ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
