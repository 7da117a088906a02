package localnkv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/nkv/nkvtest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	nkvtest.Run(t, Definition(), value.Obj())
}

// ownTeam puts everybody into a team of their own name.
type ownTeam struct{}

func (ownTeam) TeamOf(_ context.Context, c access.Candidate) (string, error) { return c.ID(), nil }

// rig is a connector under its service.
type rig struct {
	testing.TB
	dir     string
	store   *store
	service *nkv.Service
}

// newRig opens a folder, through wrap unless that is nil.
func newRig(t testing.TB, dir string, wrap func(folder) folder) *rig {
	t.Helper()
	env := connector.Env{Effects: effect.System{}}
	r := &rig{TB: t, dir: dir}
	if wrap != nil {
		r.store = newStore(wrap(disk.Later(dir)), env)
	} else {
		conn, err := Definition().Open(t.Context(), env, value.Obj(value.M("folder", value.Of(dir))))
		if err != nil {
			t.Fatal(err)
		}
		r.store = conn.(*store)
	}
	r.service = nkv.New(env, connector.Instances[nkv.Connector]{Default: "it", ByID: map[string]nkv.Connector{"it": r.store}}, ownTeam{})
	t.Cleanup(func() {
		if err := r.store.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

func (r *rig) as(team string) *nkv.Handle {
	r.Helper()
	c, err := access.Team(team)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) set(team, ns, key, text string) {
	r.Helper()
	if err := r.as(team).Set(r.Context(), ns, key, value.Of(text)); err != nil {
		r.Fatalf("Set(%q, %q): %v", ns, key, err)
	}
}

// want checks what a team gets as JSON; "" for nothing.
func (r *rig) want(team, ns, key, want string) {
	r.Helper()
	got, ok, err := r.as(team).Get(r.Context(), ns, key)
	if err != nil || ok != (want != "") || got.JSON() != want {
		r.Errorf("Get(%q, %q) of %s = %.60s, %v, %v, want %.60s", ns, key, team, got.JSON(), ok, err, want)
	}
}

// keys returns the keys that a team is listed, sorted.
func (r *rig) keys(team, ns string, limit int) []string {
	r.Helper()
	var keys []string
	for page := (nkv.Page{Limit: limit}); ; {
		l, err := r.as(team).List(r.Context(), ns, page)
		if err != nil {
			r.Fatalf("List(%q): %v", ns, err)
		}
		for _, it := range l.Items {
			keys = append(keys, it.Key)
		}
		if page.After = l.Next; l.Next == "" {
			slices.Sort(keys)
			return keys
		}
	}
}

func (r *rig) wantKeys(team, ns string, want ...string) {
	r.Helper()
	for _, limit := range []int{0, 1, 2} {
		if got := r.keys(team, ns, limit); !slices.Equal(got, want) {
			r.Errorf("keys in %q of %s by %d = %q, want %q", ns, team, limit, got, want)
		}
	}
}

// put writes a file below the folder.
func (r *rig) put(name, text string) {
	r.Helper()
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// file is the place of a record on the machine.
func (r *rig) file(team, ns, key string) string {
	return filepath.Join(r.dir, filepath.FromSlash(fileOf(nkv.Address{Team: team, Namespace: ns, Key: key})))
}

// What was stored outlives the process; looking leaves no trace, and what is written is its owner's only.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "nkv")
	first := newRig(t, dir, nil)
	first.want("a", "ns", "k", "")
	first.wantKeys("a", "ns")
	for op, err := range map[string]error{
		"Delete": first.as("a").Delete(t.Context(), "ns", "k"), "DeleteAll": first.as("a").DeleteAll(t.Context(), "ns"),
		"Check": first.store.Check(t.Context()), "Start": first.store.Start(t.Context()),
	} {
		if err != nil {
			t.Errorf("%s of nothing: %v", op, err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after looking the folder is there: %v", err)
	}
	first.set("a", "ns", "k", "kept")
	second := newRig(t, dir, nil)
	second.want("a", "ns", "k", `"kept"`)
	if err := second.store.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, want it for its owner only", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The default folder is "nkv" in the data folder.
func TestDefaultFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conn, err := Definition().Open(t.Context(), connector.Env{Dir: dir, Effects: effect.System{}}, value.Obj())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, dir: filepath.Join(dir, "nkv"), store: conn.(*store)}
	r.service = nkv.New(connector.Env{}, connector.Instances[nkv.Connector]{Default: "it", ByID: map[string]nkv.Connector{"it": r.store}}, ownTeam{})
	r.set("a", "ns", "k", "v")
	if _, err := os.Stat(r.file("a", "ns", "k")); err != nil {
		t.Errorf("the file of a value: %v", err)
	}
	if err := r.store.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := Definition().Open(t.Context(), connector.Env{}, value.Obj()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Open without a data folder = %v, want INVALID", err)
	}
}

// A value that could not be read back is not stored.
func TestDeepValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.set("a", "ns", "k", "old")
	v := value.Of("x")
	for range nkv.StoredLimits().Depth + 1 {
		v = value.List(v)
	}
	if err := r.as("a").Set(t.Context(), "ns", "k", v); fault.CodeOf(err) != "LIMIT_EXCEEDED(json_depth)" {
		t.Errorf("Set = %v, want LIMIT_EXCEEDED(json_depth)", err)
	}
	r.want("a", "ns", "k", `"old"`)
}

// What a process left behind that ended in the middle of a write is removed by a later start.
func TestStartSweeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dir, nil)
		r.set("a", "ns", "k", "v")
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		temp := ""
		for _, e := range entries {
			if e.Name()+"/" != valuesFolder {
				temp = e.Name()
			}
		}
		left := filepath.Join(dir, temp, "99999-1")
		if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			age  time.Duration
			gone bool
		}{{abandoned - time.Hour, false}, {abandoned + time.Hour, true}} {
			made := (effect.System{}).Now().Add(-c.age)
			if err := os.Chtimes(left, made, made); err != nil {
				t.Fatal(err)
			}
			if err := r.store.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(left); errors.Is(err, os.ErrNotExist) != c.gone {
				t.Errorf("a file of the age %v: %v, want it gone: %v", c.age, err, c.gone)
			}
		}
		r.want("a", "ns", "k", `"v"`)
	})
}

func BenchmarkGet(b *testing.B) {
	r := newRig(b, b.TempDir(), nil)
	r.set("team-a", "ns", "key", benchText)
	h, ctx := r.as("team-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, "ns", "key"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

const benchText = "a text of some length, as an agent keeps it: the name of a document, its source and when it was read"

// BenchmarkBareGet reads the same bytes from the disk.
func BenchmarkBareGet(b *testing.B) {
	r := newRig(b, b.TempDir(), nil)
	r.set("team-a", "ns", "key", benchText)
	name := fileOf(nkv.Address{Team: "team-a", Namespace: "ns", Key: "key"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.store.folder.Read(name, maxRecord()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	r := newRig(b, b.TempDir(), nil)
	h, ctx, v := r.as("team-a"), b.Context(), value.Of(benchText)
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Set(ctx, "ns", "key", v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareSet writes the same bytes to the disk.
func BenchmarkBareSet(b *testing.B) {
	r := newRig(b, b.TempDir(), nil)
	at := nkv.Address{Team: "team-a", Namespace: "ns", Key: "key"}
	data, err := encode(at, value.Of(benchText))
	if err != nil {
		b.Fatal(err)
	}
	name := fileOf(at)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.store.folder.WriteAtomic(name, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListPage(b *testing.B) {
	r := newRig(b, b.TempDir(), nil)
	for i := range 300 {
		r.set("team-a", "ns", fmt.Sprintf("%04d", i), benchText)
	}
	h, ctx := r.as("team-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if l, err := h.List(ctx, "ns", nkv.Page{Limit: 100}); err != nil || len(l.Items) != 100 {
			b.Fatal(len(l.Items), err)
		}
	}
}
