package sqlitestorage

import (
	"bytes"
	"context"
	"errors"
	"io"
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

// A large object passes through without being held in memory. Not parallel: it watches the heap.
func TestStreams(t *testing.T) { storagetest.Streams(t, Definition(), value.Obj()) }

// rig is a store under its service.
type rig struct {
	testing.TB
	dir     string
	store   *store
	service *storage.Service
	denied  *int
}

func newRig(t testing.TB, dir string, settings ...value.Member) *rig {
	t.Helper()
	env := connector.Env{Dir: dir, Effects: effect.System{}, Events: &event.Bus{}}
	conn, err := Definition().Open(t.Context(), env, value.Obj(settings...))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, dir: dir, store: conn.(*store), denied: new(int)}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *r.denied++ }))
	r.service = storage.New(env, connector.Instances[storage.Connector]{Default: "it", ByID: map[string]storage.Connector{"it": r.store}}, ownTeam{})
	t.Cleanup(r.close)
	return r
}

// ownTeam puts everybody into a team of their own name.
type ownTeam struct{}

func (ownTeam) TeamOf(_ context.Context, c access.Candidate) (string, error) { return c.ID(), nil }

func (r *rig) close() {
	r.Helper()
	if err := r.store.Close(context.Background()); err != nil {
		r.Errorf("Close: %v", err)
	}
}

func (r *rig) as(who string) *storage.Handle {
	r.Helper()
	c, err := access.Agent(who)
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

// want checks what an object holds, "" for no object.
func (r *rig) want(who, name, want string) {
	r.Helper()
	got, err := r.as(who).Read(r.Context(), name)
	if want == "" && fault.Is(err, fault.NotFound) {
		return
	}
	if err != nil || string(got) != want {
		r.Errorf("Read(%q) as %s = %.60q (%d bytes), %v, want %.60q", name, who, got, len(got), err, want)
	}
}

// exec changes the database behind the back of the connector.
func (r *rig) exec(stmt string, args ...any) {
	r.Helper()
	if _, err := r.store.db.Exec(r.Context(), stmt, args...); err != nil {
		r.Fatal(err)
	}
}

// count returns how many rows a table has.
func (r *rig) count(table string) (n int) {
	r.Helper()
	if err := r.store.db.Row(r.Context(), "SELECT count(*) FROM "+table, nil, &n); err != nil {
		r.Fatal(err)
	}
	return n
}

// upload is bytes that are about to be written.
func (r *rig) upload() *upload {
	r.Helper()
	blob, err := r.store.newBlob(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return &upload{body: strings.NewReader(text(batchSize)), blob: blob, rooms: &r.store.rooms}
}

// text returns a text of n bytes whose chunks differ.
func text(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat(string(rune('a'+i%26)), 1000))
	}
	return b.String()[:n]
}

// What was stored outlives the process, and looking leaves no trace.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := newRig(t, dir)
	first.want("a", "x", "")
	if l, err := first.as("a").List(t.Context(), "", storage.Page{}); err != nil || len(l.Objects) != 0 {
		t.Errorf("List = %v, %v, want nothing", l, err)
	}
	for name, err := range first.service.Verify(t.Context()) {
		t.Errorf("Verify found %q, %v, want nothing", name, err)
	}
	if err := errors.Join(first.store.Check(t.Context()), first.store.clean(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after looking the folder is there: %v", err)
	}
	large := text(2*batchSize + 17)
	first.write("a", "x", "kept")
	first.write("a", "large", large)
	first.close()
	second := newRig(t, dir)
	second.want("a", "x", "kept")
	second.want("a", "large", large)
	if _, err := second.as("b").Read(t.Context(), "x"); !fault.Is(err, fault.Denied) {
		t.Errorf("Read as another = %v, want ACCESS_DENIED", err)
	}
	info, err := os.Stat(filepath.Join(dir, "storage.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	other := newRig(t, dir, value.M("file", value.Of("other/objects.db")))
	other.want("a", "x", "")
}

// A large object is there at once, when its last byte has arrived, and one whose body fails leaves nothing.
func TestLargeAppearsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	r.write("a", "x", "old")
	body := text(3*batchSize + 5)
	seen := 0
	in := io.MultiReader(strings.NewReader(body), watch(func() {
		seen++
		r.want("a", "x", "old")
		r.want("a", "new", "")
		if got := r.count("loose"); got == 0 {
			t.Error("nothing was brought to the disk before the body ended")
		}
		r.write("b", "other", "others can write meanwhile")
	}))
	if err := r.as("a").WriteFrom(t.Context(), "x", in, storage.Options{}); err != nil || seen == 0 {
		t.Fatalf("WriteFrom = %v, looked %d times", err, seen)
	}
	r.want("a", "x", body)
	broken := errors.New("cable pulled")
	err := r.as("a").WriteFrom(t.Context(), "new", io.MultiReader(strings.NewReader(body), failing{broken}), storage.Options{})
	if !errors.Is(err, broken) {
		t.Errorf("WriteFrom = %v, want %v", err, broken)
	}
	r.want("a", "new", "")
	r.write("b", "other", "sweeps")
	r.write("b", "other", "sweeps again")
	chunks := (len(body)+chunkSize-1)/chunkSize + 1 + 1 // that of the large one, the other one, and what it replaced last
	if got := r.count("chunk"); got > chunks {
		t.Errorf("%d chunks are left, want at most %d", got, chunks)
	}
}

type watch func()

func (w watch) Read([]byte) (int, error) { w(); return 0, io.EOF }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Bytes that nobody needs any more go, but not while somebody reads them.
func TestChunksGo(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	large := text(manyBytes + batchSize)
	r.write("a", "x", large)
	o, err := r.as("a").Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	r.write("a", "x", "small")
	for range 5 {
		r.write("a", "y", "sweeps")
	}
	got, err := io.ReadAll(o.Body)
	if err != nil || string(got) != large {
		t.Errorf("the open body gave %d bytes, %v, want %d", len(got), err, len(large))
	}
	if err := errors.Join(o.Body.Close(), o.Body.Close()); err != nil {
		t.Error(err)
	}
	if _, err := o.Body.Read(make([]byte, 1)); err == nil {
		t.Error("a closed body can be read")
	}
	if err := r.store.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if chunks, loose := r.count("chunk"), r.count("loose"); chunks != 2 || loose != 0 {
		t.Errorf("%d chunks and %d loose blobs are left, want 2 and none", chunks, loose)
	}
	r.write("a", "x", large)
	if err := r.as("a").Delete(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if chunks := r.count("chunk"); chunks != 1 {
		t.Errorf("%d chunks are left after Delete of a large object, want 1", chunks)
	}
}

// Objects whose time has passed leave the disk without anybody asking, and so do bytes whose writer ended in the middle,
// after a day; Close ends the work.
func TestClean(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		if err := r.store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, ttl := range map[string]time.Duration{"brief": time.Minute, "long": 30 * time.Hour, "ever": 0} {
			if err := r.as("a").Write(t.Context(), name, []byte("x"), storage.Options{TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		u := r.upload()
		if err := errors.Join(u.fill(), r.store.stage(t.Context(), u)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after                  time.Duration
			objects, chunks, loose int
		}{{30 * time.Minute, 3, 3 + 16, 1}, {31 * time.Minute, 2, 2 + 16, 1}, {24 * time.Hour, 2, 2, 0}, {10 * time.Hour, 1, 1, 0}} {
			if err := (effect.System{}).Sleep(t.Context(), c.after); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if objects, chunks, loose := r.count("object"), r.count("chunk"), r.count("loose"); objects != c.objects || chunks != c.chunks || loose != c.loose {
				t.Errorf("after %v more: %d objects, %d chunks, %d loose, want %d, %d, %d", c.after, objects, chunks, loose, c.objects, c.chunks, c.loose)
			}
		}
		_, err := r.store.finish(t.Context(), "late", "", storage.Record{ACL: access.OwnedBy(r.as("a").Candidate()), Metadata: value.Obj()}, u)
		if !fault.Is(err, fault.Timeout) {
			t.Errorf("the end of a write whose bytes were removed = %v, want TIMEOUT", err)
		}
	})
}

// Two runtimes on one file see what the other one stored, and a body whose bytes the other one removed ends with a conflict
// and never with other bytes.
func TestTwoRuntimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := newRig(t, dir), newRig(t, dir)
	large := text(manyBytes + batchSize)
	one.write("a", "x", large)
	two.want("a", "x", large)
	o, err := two.as("a").Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	one.write("a", "x", "small")
	got, err := io.ReadAll(o.Body)
	if !fault.Is(err, fault.Conflict) || !bytes.HasPrefix([]byte(large), got) {
		t.Errorf("the open body gave %d bytes, %v, want CONFLICT", len(got), err)
	}
	if err := o.Body.Close(); err != nil {
		t.Error(err)
	}
	two.want("a", "x", "small")
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dir      string
		settings value.Value
	}{
		"no data folder":  {"", value.Obj()},
		"unknown setting": {"data", value.Obj(value.M("flie", value.Of("x")))},
		"device":          {"data", value.Obj(value.M("file", value.Of("NUL")))},
	} {
		_, err := Definition().Open(t.Context(), connector.Env{Dir: c.dir, Effects: effect.System{}}, c.settings)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Open = %v, want INVALID", name, err)
		}
	}
}
