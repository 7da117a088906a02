package sqlitenkv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
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
	store   *store
	service *nkv.Service
}

func newRig(t testing.TB, dir string, settings ...value.Member) *rig {
	t.Helper()
	env := connector.Env{Dir: dir, Effects: effect.System{}}
	conn, err := Definition().Open(t.Context(), env, value.Obj(settings...))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, store: conn.(*store)}
	r.service = nkv.New(env, connector.Instances[nkv.Connector]{Default: "it", ByID: map[string]nkv.Connector{"it": r.store}}, ownTeam{})
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	r.Helper()
	if err := r.store.Close(context.Background()); err != nil {
		r.Errorf("Close: %v", err)
	}
}

func (r *rig) as(team string) *nkv.Handle {
	r.Helper()
	c, err := access.Team(team)
	if err != nil {
		r.Fatal(err)
	}
	return r.service.For(c)
}

func (r *rig) set(team, key, text string) {
	r.Helper()
	if err := r.as(team).Set(r.Context(), "ns", key, value.Of(text)); err != nil {
		r.Fatalf("Set(%q): %v", key, err)
	}
}

// want checks what a team gets; "" for nothing.
func (r *rig) want(team, key, want string) {
	r.Helper()
	got, ok, err := r.as(team).Get(r.Context(), "ns", key)
	if err != nil || ok != (want != "") || got.Plain() != want {
		r.Errorf("Get(%q) = %.60q, %v, %v, want %.60q", key, got.Plain(), ok, err, want)
	}
}

// keys returns the keys of a team in the order of its listing.
func (r *rig) keys(team string, limit int) []string {
	r.Helper()
	var keys []string
	for page := (nkv.Page{Limit: limit}); ; {
		l, err := r.as(team).List(r.Context(), "ns", page)
		if err != nil {
			r.Fatalf("List: %v", err)
		}
		for _, it := range l.Items {
			keys = append(keys, it.Key)
		}
		if page.After = l.Next; l.Next == "" {
			return keys
		}
	}
}

// exec changes the database behind the back of the connector.
func (r *rig) exec(stmt string) {
	r.Helper()
	if _, err := r.store.db.Exec(r.Context(), stmt); err != nil {
		r.Fatal(err)
	}
}

// What was stored outlives the process, and looking leaves no trace.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := newRig(t, dir)
	first.want("a", "k", "")
	for op, err := range map[string]error{"Delete": first.as("a").Delete(t.Context(), "ns", "k"), "DeleteAll": first.as("a").DeleteAll(t.Context(), "ns"), "Check": first.store.Check(t.Context())} {
		if err != nil {
			t.Errorf("%s of nothing: %v", op, err)
		}
	}
	if got := first.keys("a", 0); len(got) != 0 {
		t.Errorf("keys = %q, want none", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after looking the folder is there: %v", err)
	}
	first.set("a", "k", "kept")
	first.set("b", "k", "of b")
	first.close()
	second := newRig(t, dir)
	second.want("a", "k", "kept")
	second.want("b", "k", "of b")
	info, err := os.Stat(filepath.Join(dir, "nkv.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	other := newRig(t, dir, value.M("file", value.Of("other/values.db")))
	other.want("a", "k", "")
	other.set("a", "k", "elsewhere")
	second.want("a", "k", "kept")
}

// Listings go in the order of the bytes of the keys, whatever the size of the page.
func TestListingIsOrdered(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	keys := []string{"b", "a", "B", "a:b", "a/b", "é", "z", "10", "9", "a b", "日本"}
	for _, key := range keys {
		r.set("t", key, key)
	}
	slices.Sort(keys)
	for _, limit := range []int{0, 1, 3} {
		if got := r.keys("t", limit); !slices.Equal(got, keys) {
			t.Errorf("keys by %d = %q, want %q", limit, got, keys)
		}
	}
}

// A listing that is broken off gives its connection back.
func TestListingBrokenOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	for i := range 10 {
		r.set("t", fmt.Sprint(i), "x")
	}
	for range 50 {
		if l, err := r.as("t").List(t.Context(), "ns", nkv.Page{Limit: 1}); err != nil || len(l.Items) != 1 || l.Next != "0" {
			t.Fatalf("List = %+v, %v, want one value", l, err)
		}
	}
}

// A value that could not be read back is not stored; the largest one is.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir())
	r.set("a", "k", "old")
	v := value.Of("x")
	for range nkv.StoredLimits().Depth + 1 {
		v = value.List(v)
	}
	if err := r.as("a").Set(t.Context(), "ns", "k", v); fault.CodeOf(err) != "LIMIT_EXCEEDED(json_depth)" {
		t.Errorf("Set = %v, want LIMIT_EXCEEDED(json_depth)", err)
	}
	r.want("a", "k", "old")
	long := strings.Repeat("\x01", nkv.MaxValueBytes-100) // six bytes each when it is quoted
	r.set("a", "long", long)
	r.want("a", "long", long)
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
