package reload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// world is a folder with a watch that notes what it is told.
type world struct {
	t     *testing.T
	dir   string
	told  []string
	wrong error // what Changed answers
	*Watch
}

func newWorld(t *testing.T, files ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	for _, f := range files {
		w.write(f, "one")
	}
	tell := func(what string) func(context.Context, string) error {
		return func(_ context.Context, path string) error {
			text, err := os.ReadFile(path)
			if err == nil {
				what = string(text)
			}
			w.told = append(w.told, filepath.Base(path)+" "+what)
			return w.wrong
		}
	}
	w.Watch = New(Config{
		Paths: []string{w.dir, w.path("single.txt")}, Extension: ".smyth", Limit: 1000, Effects: effect.System{},
		Log: slog.New(slog.DiscardHandler), Changed: tell("changed"), Gone: tell("gone"),
	})
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.Remove(w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}

// look looks and compares what was told.
func (w *world) look(what string, want ...string) {
	w.t.Helper()
	w.told = nil
	w.Look(w.t.Context())
	if !slices.Equal(w.told, want) {
		w.t.Errorf("%s: told %q, want %q", what, w.told, want)
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.smyth", "b.smyth", "single.txt", "other.txt")
	w.look("nothing has changed")
	w.write("a.smyth", "two")
	w.write("other.txt", "two")
	w.look("one file of the folder", "a.smyth two")
	w.look("it is told once")
	w.write("a.smyth", "two")
	w.look("the same content again")
	w.write("c.smyth", "new")
	w.write("single.txt", "two")
	w.look("a new file and a single one", "c.smyth new", "single.txt two")
	w.remove("b.smyth")
	w.look("an editor may be at work")
	w.look("gone", "b.smyth gone")
	w.look("gone is told once")
}

func TestF17_EditorsThatRename(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.smyth")
	w.write("a.tmp", "by rename")
	if err := os.Rename(w.path("a.tmp"), w.path("a.smyth")); err != nil {
		t.Fatal(err)
	}
	w.look("put in its place", "a.smyth by rename")
	w.remove("a.smyth")
	w.look("moved away")
	w.write("a.smyth", "written anew")
	w.look("and written", "a.smyth written anew")
}

func TestF17_ManyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.smyth")
	for i := range 100 {
		w.write("a.smyth", fmt.Sprint("version ", i))
	}
	w.look("a hundred changes", "a.smyth version 99")
}

func TestF17_RefusedIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a.smyth")
	w.wrong = errors.New("half written")
	w.write("a.smyth", "{")
	w.look("refused", "a.smyth {")
	w.look("not told again")
	w.wrong = nil
	w.write("a.smyth", "{}")
	w.look("mended", "a.smyth {}")
}

func TestRun_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a.smyth")
		w.write("a.smyth", "two")
		ctx, cancel := context.WithTimeout(t.Context(), 3*Interval)
		defer cancel()
		w.Run(ctx)
		if !slices.Equal(w.told, []string{"a.smyth two"}) {
			t.Errorf("told %q, want the change", w.told)
		}
	})
}
