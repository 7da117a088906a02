package localcache

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// flaky is a disk of which one step fails, before or after it was done.
type flaky struct {
	folder
	left  *int // steps until one fails; it does not when it began at 0
	steps *int
	after bool
}

var errDisk = fault.New(fault.Unavailable, errors.New("no space left on device"))

func (f flaky) do(step func() error) error {
	*f.steps++
	*f.left--
	if *f.left != 0 {
		return step()
	}
	if f.after {
		return errors.Join(errDisk, step())
	}
	return errDisk
}

func (f flaky) Open(name string, limit int64) (file *disk.File, err error) {
	err = f.do(func() error { file, err = f.folder.Open(name, limit); return err })
	if err != nil && file != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, err
}

func (f flaky) Read(name string, limit int64) (b []byte, err error) {
	err = f.do(func() error { b, err = f.folder.Read(name, limit); return err })
	return b, err
}

func (f flaky) Stat(name string) (info disk.Info, err error) {
	err = f.do(func() error { info, err = f.folder.Stat(name); return err })
	return info, err
}

func (f flaky) Remove(name string) error {
	return f.do(func() error { return f.folder.Remove(name) })
}

func (f flaky) Lock(name string) (lock *disk.Lock, err error) {
	err = f.do(func() error { lock, err = f.folder.Lock(name); return err })
	if err != nil && lock != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock, err
}

func (f flaky) Writer(name string) (w writer, err error) {
	err = f.do(func() error { w, err = f.folder.Writer(name); return err })
	if err != nil && w != nil {
		return nil, errors.Join(err, w.Discard())
	}
	return flakyWriter{w, f}, err
}

type flakyWriter struct {
	writer
	f flaky
}

func (w flakyWriter) Write(p []byte) (n int, err error) {
	err = w.f.do(func() error { n, err = w.writer.Write(p); return err })
	return n, err
}

func (w flakyWriter) Flush() error  { return w.f.do(w.writer.Flush) }
func (w flakyWriter) Commit() error { return w.f.do(w.writer.Commit) }

// Whatever step of a change fails, before it or after: there is the old entry or the new one with its own rights, nothing
// that failed is acknowledged, nothing half-written is left, others go on, and the next attempt works.
func TestF04_NthFailure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(h *cache.Handle) error
		next string // value, metadata and whether agent-b may read, afterwards
		min  int    // steps that there are at least
	}{
		"make": {func(h *cache.Handle) error { return h.Set(t.Context(), "new", value.Of("made"), cache.Options{}) }, "old {} false", 5},
		"set":  {func(h *cache.Handle) error { return h.Set(t.Context(), "k", value.Of("new"), cache.Options{}) }, "new {} false", 5},
		"set metadata": {func(h *cache.Handle) error {
			return h.SetMetadata(t.Context(), "k", value.Obj(value.M("m", value.OfInt(1))))
		}, `old {"m":1} false`, 6},
		"set ACL": {func(h *cache.Handle) error {
			return h.SetACL(t.Context(), "k", access.NewACL().With(access.Public(), access.RightRead))
		}, "old {} true", 6},
		"delete": {func(h *cache.Handle) error { return h.Delete(t.Context(), "k") }, "nothing", 4},
	} {
		for _, before := range []string{"record", "reference", "both"} {
			for _, after := range []bool{false, true} {
				for n := 1; ; n++ {
					what := fmt.Sprintf("%s, step %d, after %v, there was %s", name, n, after, before)
					left, steps := 0, 0
					r := newRig(t, t.TempDir(), effect.System{}, func(f folder) folder { return flaky{f, &left, &steps, after} })
					if before != "reference" {
						r.again().set("agent-a", "k", "old", 0)
					}
					switch before {
					case "reference":
						r.old("agent-a", "k", "old", fmt.Sprintf(`{"acl":%q}`, oldOwner))
					case "both": // the process ended before it removed what the record hides
						r.old("agent-a", "k", "older", fmt.Sprintf(`{"acl":%q}`, oldOwner))
					}
					r.set("agent-b", "other", "other", 0)
					left, steps = n, 0
					err := c.do(r.as("agent-a"))
					failed := steps >= n
					left = 0
					if failed != (err != nil) {
						t.Errorf("%s: %v, want an error: %v", what, err, failed)
					}
					for which, seen := range map[string]*rig{"the store": r, "another": r.again()} {
						if got := seen.state(); got != c.next && (got != "old {} false" || !failed) {
							t.Errorf("%s: %s has %q", what, which, got)
						}
						seen.want("agent-b", "other", "other")
					}
					if err := c.do(r.as("agent-a")); err != nil {
						t.Errorf("%s: again: %v", what, err)
					}
					if got := r.again().state(); got != c.next {
						t.Errorf("%s: again: %q, want %q", what, got, c.next)
					}
					if left, err := filepath.Glob(filepath.Join(r.dir, ".sre-tmp", "*")); err != nil || len(left) > 0 {
						t.Errorf("%s: half-written files are left: %q, %v", what, left, err)
					}
					if !failed {
						if n <= c.min {
							t.Errorf("%s: only %d steps failed, want at least %d", what, n-1, c.min)
						}
						break
					}
				}
			}
		}
	}
}

// state describes the entry "k".
func (r *rig) state() string {
	r.Helper()
	v, ok, err := r.as("agent-a").Get(r.Context(), "k")
	if err != nil {
		return err.Error()
	}
	if !ok {
		return "nothing"
	}
	m, _, err := r.as("agent-a").Metadata(r.Context(), "k")
	if err != nil {
		return err.Error()
	}
	_, other, _ := r.as("agent-b").Get(r.Context(), "k")
	return fmt.Sprint(v.Plain(), " ", m.JSON(), " ", other)
}

// A failing read is an error and not "nothing": nobody takes an entry over because the disk did not answer.
func TestF04_FailingRead(t *testing.T) {
	t.Parallel()
	for _, old := range []bool{false, true} {
		for n := 1; ; n++ {
			left, steps := 0, 0
			r := newRig(t, t.TempDir(), effect.System{}, func(f folder) folder { return flaky{f, &left, &steps, false} })
			if old {
				r.old("agent-a", "k", "old", fmt.Sprintf(`{"acl":%q}`, oldOwner))
			} else {
				r.set("agent-a", "k", "old", 0)
			}
			left, steps = n, 0
			err := r.as("agent-b").Set(t.Context(), "k", value.Of("taken over"), cache.Options{})
			failed := steps >= n
			if failed && !errors.Is(err, errDisk) || !failed && !fault.Is(err, fault.Denied) {
				t.Errorf("step %d: Set by a stranger = %v, want the error of the disk or a refusal", n, err)
			}
			left, steps = n, 0
			if got, ok, err := r.as("agent-a").Get(t.Context(), "k"); steps >= n && (ok || !errors.Is(err, errDisk)) {
				t.Errorf("step %d: Get = %s, %v, %v, want the error of the disk", n, got.JSON(), ok, err)
			}
			left = 0
			r.want("agent-a", "k", "old")
			if steps < n {
				break
			}
		}
	}
}

// Expired entries that cannot be removed are gone all the same.
func TestF04_FailingPurge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left, steps := 0, 0
		r := newRig(t, t.TempDir(), effect.System{}, func(f folder) folder { return flaky{f, &left, &steps, false} })
		r.set("agent-a", "k", "old", time.Second)
		if err := (effect.System{}).Sleep(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		left = 2 // the lock
		r.want("agent-b", "k", "")
		left = 0
		if !r.there(fileOf("k")) {
			t.Error("the file is gone, want a removal that failed")
		}
		r.want("agent-b", "k", "")
		if r.there(fileOf("k")) {
			t.Error("the file is there, want it removed by the next look")
		}
	})
}

// jumpy is a clock that a test sets.
type jumpy struct {
	effect.System
	mu  sync.Mutex
	now time.Time
}

func (j *jumpy) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}

func (j *jumpy) jump(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = j.now.Add(d)
}

// The time of an entry is that of the clock on the wall. When that is set forward, what has passed is gone, and stays gone
// when it is set back; when it is set back, entries live on until the clock says so; nothing else notices.
func TestF15_ClockJumps(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		name  string
		jumps []time.Duration
		want  string // of an entry with a TTL of half an hour
		ttl   time.Duration
	}{
		{"none", []time.Duration{0}, "x", 30 * time.Minute},
		{"suspended for ten minutes", []time.Duration{10 * time.Minute}, "x", 20 * time.Minute},
		{"an hour forward", []time.Duration{time.Hour}, "", 0},
		{"an hour back", []time.Duration{-time.Hour}, "x", 90 * time.Minute},
		{"forward and back", []time.Duration{time.Hour, -time.Hour}, "", 0},
		{"ten years forward and back", []time.Duration{10 * year, -10 * year}, "", 0},
		{"back and forward", []time.Duration{-time.Hour, time.Hour}, "x", 30 * time.Minute},
		{"leap second", []time.Duration{-time.Second}, "x", 30*time.Minute + time.Second},
		{"to the end", []time.Duration{30 * time.Minute}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := &jumpy{now: time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)}
			r := newRig(t, t.TempDir(), clock, nil)
			r.set("a", "brief", "x", 30*time.Minute)
			r.set("a", "kept", "y", 0)
			for _, d := range c.jumps {
				clock.jump(d)
				if _, err := r.as("a").Exists(t.Context(), "brief"); err != nil {
					t.Errorf("Exists: %v", err)
				}
			}
			r.want("a", "brief", c.want)
			r.want("a", "kept", "y")
			if ttl, _, err := r.as("a").TTL(t.Context(), "brief"); err != nil || ttl != c.ttl {
				t.Errorf("TTL = %v, %v, want %v", ttl, err, c.ttl)
			}
			r.set("a", "new", "z", time.Hour)
			r.want("a", "new", "z")
		})
	}
}
