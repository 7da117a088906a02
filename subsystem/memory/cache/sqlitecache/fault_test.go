package sqlitecache

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// When the disk is full, Set says so; what was acknowledged is there, reading goes on, and with room Set works again.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{})
	r.set("a", "first", "kept", 0)
	r.exec(fmt.Sprintf("PRAGMA max_page_count = %d", r.number("PRAGMA page_count")+20))
	text := strings.Repeat("x", 5000)
	var err error
	stored := 0
	for ; stored < 1000; stored++ {
		if err = r.as("a").Set(t.Context(), fmt.Sprint("k", stored), value.Of(text), cache.Options{}); err != nil {
			break
		}
	}
	if fault.CodeOf(err) != sqlite.CodeFull || !fault.Is(err, fault.Unavailable) || stored == 0 {
		t.Fatalf("Set number %d = %v, want UNAVAILABLE with %s", stored, err, sqlite.CodeFull)
	}
	if err := r.as("a").Set(t.Context(), "first", value.Of(strings.Repeat(text, 100)), cache.Options{}); fault.CodeOf(err) != sqlite.CodeFull {
		t.Errorf("Set over an entry = %v, want %s", err, sqlite.CodeFull)
	}
	r.want("a", "first", "kept")
	for i := range stored {
		r.want("a", fmt.Sprint("k", i), text)
	}
	r.want("a", fmt.Sprint("k", stored), "")
	if err := r.as("a").Delete(t.Context(), "k0"); err != nil {
		t.Errorf("Delete on a full disk: %v", err)
	}
	r.exec("PRAGMA max_page_count = 1000000")
	r.set("a", "again", text, 0)
	r.want("a", "again", text)
	r.checkAccounts(1 << 30)
}

// A folder that cannot be written to is an error with a hint.
func TestF04_NoFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, filepath.Join(file, "data"), effect.System{})
	r.want("a", "k", "")
	if err := r.as("a").Set(t.Context(), "k", value.Of("x"), cache.Options{}); err == nil {
		t.Error("Set = nil where no folder can be made")
	}
}

// A row whose rights are damaged is nobody's, and one whose content is damaged is an error that names it. Nothing of them
// gets out, and every other entry goes on.
func TestF06_DamagedRow(t *testing.T) {
	t.Parallel()
	const rights, content = true, false
	for _, c := range []struct {
		name   string
		damage string
		what   bool
	}{
		{"ACL of another", "UPDATE entry SET acl = (SELECT acl FROM entry WHERE key = 'other') WHERE key = 'k'", rights},
		{"rights of another", "UPDATE entry SET (acl, generation, rights) = (SELECT acl, generation, rights FROM entry WHERE key = 'other') WHERE key = 'k'", rights},
		{"one more right", "UPDATE entry SET acl = acl || 'rw' WHERE key = 'k'", rights},
		{"empty ACL", "UPDATE entry SET acl = '' WHERE key = 'k'", rights},
		{"another generation", "UPDATE entry SET generation = 'forged' WHERE key = 'k'", rights},
		{"no generation", "UPDATE entry SET generation = '' WHERE key = 'k'", rights},
		{"rights sum", "UPDATE entry SET rights = rights + 1 WHERE key = 'k'", rights},
		{"all but the key of another", `UPDATE entry SET (acl, generation, rights, expires, content, metadata, value) =
			(SELECT acl, generation, rights, expires, content, metadata, value FROM entry WHERE key = 'other') WHERE key = 'k'`, rights},
		{"one bit of the value", "UPDATE entry SET value = replace(value, 'secret', 'recret') WHERE key = 'k'", content},
		{"cut value", "UPDATE entry SET value = substr(value, 1, 3) WHERE key = 'k'", content},
		{"empty value", "UPDATE entry SET value = '' WHERE key = 'k'", content},
		{"value of another", "UPDATE entry SET (value, metadata, content) = (SELECT value, metadata, content FROM entry WHERE key = 'other') WHERE key = 'k'", content},
		{"metadata", "UPDATE entry SET metadata = '{\"k\":2}' WHERE key = 'k'", content},
		{"expiry put off", "UPDATE entry SET expires = expires + 1 WHERE key = 'k'", content},
		{"expiry taken away", "UPDATE entry SET expires = 0 WHERE key = 'k'", content},
		{"content sum", "UPDATE entry SET content = content - 1 WHERE key = 'k'", content},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir(), effect.System{})
			if err := r.as("a").Set(t.Context(), "k", value.Of("a secret"), cache.Options{TTL: time.Hour, Metadata: value.Obj(value.M("k", value.OfInt(1)))}); err != nil {
				t.Fatal(err)
			}
			r.set("b", "other", "of b", 0)
			r.exec(c.damage)
			for _, who := range []string{"a", "b", "c"} {
				*r.denied = 0
				got, ok, err := r.as(who).Get(t.Context(), "k")
				refused := c.what == rights || who != "a"
				if ok || !got.IsAbsent() || refused != fault.Is(err, fault.Denied) || refused != (*r.denied == 1) {
					t.Errorf("Get as %s = %s, %v with %d records, want a refusal: %v", who, got.JSON(), err, *r.denied, refused)
				}
				if !refused && (fault.CodeOf(err) != cache.CodeDamaged || !strings.Contains(err.Error(), `"k"`)) {
					t.Errorf("Get as %s = %v, want %s with the name of the entry", who, err, cache.CodeDamaged)
				}
				if err := r.as(who).SetMetadata(t.Context(), "k", value.Obj(value.M("x", value.OfInt(1)))); err == nil {
					t.Errorf("SetMetadata as %s went through", who)
				}
			}
			r.want("b", "other", "of b")
			r.set("c", "new", "of c", 0)
			r.want("c", "new", "of c")
			err := r.as("a").Set(t.Context(), "k", value.Of("mended"), cache.Options{})
			if c.what == rights != fault.Is(err, fault.Denied) || c.what == content && err != nil {
				t.Errorf("Set by the owner = %v", err)
			}
			if c.what == content {
				r.want("a", "k", "mended")
			}
		})
	}
}

// A file that is no database is refused to everybody, and says so to the operator.
func TestF06_DamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cache.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, dir, effect.System{})
	if _, ok, err := r.as("a").Get(t.Context(), "k"); ok || !fault.Is(err, fault.Denied) || *r.denied != 1 {
		t.Errorf("Get = %v, %v, want ACCESS_DENIED with a record", ok, err)
	}
	if err := r.store.Check(t.Context()); err != nil {
		t.Errorf("Check of a database that was never opened = %v", err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "cache.db"))
	if err != nil || !strings.HasPrefix(string(got), "no database no database") {
		t.Errorf("the file was changed: %v", err)
	}
}

// Whichever byte of the file is flipped, nobody gets a value that was not stored under the key by one who may read it.
func TestF06_FlippedBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newRig(t, dir, effect.System{})
	for i := range 5 {
		first.set("a", fmt.Sprint("a", i), fmt.Sprint("text of a ", i), 0)
		first.set("b", fmt.Sprint("b", i), fmt.Sprint("text of b ", i), 0)
	}
	first.close()
	good, err := os.ReadFile(filepath.Join(dir, "cache.db"))
	if err != nil {
		t.Fatal(err)
	}
	refused, got := 0, 0
	for at := 0; at < len(good); at += 97 {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0x15
		place := t.TempDir()
		if err := os.WriteFile(filepath.Join(place, "cache.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, place, effect.System{})
		for i := range 5 {
			v, ok, err := r.as("a").Get(t.Context(), fmt.Sprint("a", i))
			switch {
			case ok && v.Plain() != fmt.Sprint("text of a ", i):
				t.Errorf("byte %d: Get(a%d) = %s", at, i, v.JSON())
			case ok:
				got++
			case err != nil:
				refused++
			}
			if v, ok, _ := r.as("a").Get(t.Context(), fmt.Sprint("b", i)); ok {
				t.Errorf("byte %d: a stranger gets %s", at, v.JSON())
			}
		}
	}
	if refused == 0 || got == 0 {
		t.Errorf("%d values were refused and %d given, want some of both", refused, got)
	}
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
		name   string
		jumps  []time.Duration
		want   string // of an entry with a TTL of half an hour
		ttl    time.Duration
		stored string // of one without
	}{
		{"none", []time.Duration{0}, "x", 30 * time.Minute, "y"},
		{"suspended for ten minutes", []time.Duration{10 * time.Minute}, "x", 20 * time.Minute, "y"},
		{"an hour forward", []time.Duration{time.Hour}, "", 0, "y"},
		{"an hour back", []time.Duration{-time.Hour}, "x", 90 * time.Minute, "y"},
		{"forward and back", []time.Duration{time.Hour, -time.Hour}, "", 0, "y"},
		{"ten years forward and back", []time.Duration{10 * year, -10 * year}, "", 0, "y"},
		{"back and forward", []time.Duration{-time.Hour, time.Hour}, "x", 30 * time.Minute, "y"},
		{"leap second", []time.Duration{-time.Second}, "x", 30*time.Minute + time.Second, "y"},
		{"to the end of an hour", []time.Duration{30 * time.Minute}, "", 0, "y"},
		{"two hundred years", []time.Duration{200 * year}, "", 0, "y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := &jumpy{now: time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)}
			r := newRig(t, t.TempDir(), clock)
			r.set("a", "brief", "x", 30*time.Minute)
			r.set("a", "kept", "y", 0)
			for _, d := range c.jumps {
				clock.jump(d)
				if _, err := r.as("a").Exists(t.Context(), "brief"); err != nil {
					t.Errorf("Exists: %v", err)
				}
			}
			r.want("a", "brief", c.want)
			r.want("a", "kept", c.stored)
			if ttl, _, err := r.as("a").TTL(t.Context(), "brief"); err != nil || ttl != c.ttl {
				t.Errorf("TTL = %v, %v, want %v", ttl, err, c.ttl)
			}
			r.set("a", "new", "z", time.Hour)
			r.want("a", "new", "z")
		})
	}
}

// The longest lifetime that can be asked for is kept as long as a number of nanoseconds goes.
func TestLongestTTL(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{})
	r.set("a", "k", "x", 1<<63-1)
	r.want("a", "k", "x")
	if ttl, ok, err := r.as("a").TTL(t.Context(), "k"); err != nil || !ok || ttl < 200*365*24*time.Hour {
		t.Errorf("TTL = %v, %v, %v, want more than two hundred years", ttl, ok, err)
	}
}

// What was acknowledged is there after a sudden end: the files as they are at that moment are enough.
func TestF01_SuddenEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir, effect.System{})
	for i := range 30 {
		r.set("a", fmt.Sprint("k", i), fmt.Sprint("text ", i), 0)
	}
	for round := range 20 {
		r.set("a", "last", fmt.Sprint("round ", round), 0)
		place := t.TempDir()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err == nil && !strings.HasSuffix(e.Name(), "-shm") { // memory of the processes, which ends with them
				err = os.WriteFile(filepath.Join(place, e.Name()), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		after := newRig(t, place, effect.System{})
		after.want("a", "last", fmt.Sprint("round ", round))
		for i := range 30 {
			after.want("a", fmt.Sprint("k", i), fmt.Sprint("text ", i))
		}
	}
}
