package sre_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/value"
)

// ask starts a runtime over a data folder, asks a skill of the example with the notes, and closes it.
func ask(t *testing.T, dir, skill string, in value.Value) value.Value {
	t.Helper()
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	agent, err := rt.LoadFile(t.Context(), "examples/notes.smyth")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := agent.Call(t.Context(), skill, in)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// What the README promises of the example with the notes, without any configuration: what is remembered is there after a
// restart, for this data folder only, and the metadata service is out of reach.
func TestExample_Notes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	colour := value.Obj(value.M("name", value.Of("colour")))
	if got, want := ask(t, dir, "remember", colour.With("text", value.Of("green"))).JSON(), `{"remembered":"colour"}`; got != want {
		t.Errorf("remember = %s, want %s", got, want)
	}
	if got, want := ask(t, dir, "recall", colour).JSON(), `{"text":"green"}`; got != want {
		t.Errorf("recall = %s, want %s", got, want)
	}
	if got := ask(t, t.TempDir(), "recall", colour); got.GetString("text") != "" || !got.Has("warning") {
		t.Errorf("recall from another folder = %s, want a warning", got.JSON())
	}
	metadata := value.Obj(value.M("url", value.Of("http://169.254.169.254/latest/meta-data/")))
	if got := ask(t, dir, "fetch", metadata); !strings.Contains(got.GetString("problem"), "rule metadata") {
		t.Errorf("fetch = %s, want the rule", got.JSON())
	}
	if _, err := os.Stat(dir + "/cache.db"); err != nil {
		t.Error(err)
	}
}
