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
	return askExample(t, "notes", dir, value.Value{}, skill, in)
}

// askExample starts a runtime over a data folder, asks a skill of an example, and closes it.
func askExample(t *testing.T, example, dir string, config value.Value, skill string, in value.Value) value.Value {
	t.Helper()
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir), sre.WithConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	agent, err := rt.LoadFile(t.Context(), "examples/"+example+".smyth")
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

// What the guide of tools says of its example: a model uses the skills of another agent.
func TestExample_Tools(t *testing.T) {
	t.Parallel()
	rt := start(t, `{}`)
	for _, name := range []string{"hello", "tools"} {
		if _, err := rt.LoadFile(t.Context(), "examples/"+name+".smyth"); err != nil {
			t.Fatal(err)
		}
	}
	tools, _ := rt.Agent("tools")
	v, err := tools.Call(t.Context(), "agent", value.Obj(value.M("prompt", value.Of(`/call greet {"name": "Ada"}`))))
	if err != nil || !strings.HasPrefix(v.Get("answer").GetString("greeting"), "Hello Ada") {
		t.Errorf("agent = %s, %v; want a greeting", v.JSON(), err)
	}
	for skill, want := range map[string]string{"service": "Error on running Open API!", "mcp": `there is no MCP server "everything" that this agent may use`} {
		v, err := tools.Call(t.Context(), skill, value.Obj(value.M("prompt", value.Of("hi"))))
		if err != nil || !strings.Contains(v.GetString("problem"), want) {
			t.Errorf("%s without configuration = %s, %v; want %q", skill, v.JSON(), err, want)
		}
	}
}

// What the guide promises of the library: texts are found by meaning after a restart, and by Echo's vectors without a key.
func TestExample_Library(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, err := value.Parse(`{"services": {"VectorDB": {"Connector": "SQLite", "Settings": {"embeddings": {"model": "Echo", "dimensions": 256}}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	do := func(skill string, in ...value.Member) string {
		t.Helper()
		return askExample(t, "library", dir, config, skill, value.Obj(in...)).JSON()
	}
	for name, text := range map[string]string{"cat": "the cat sat on the mat", "dog": "dogs like bones"} {
		if got, want := do("keep", value.M("name", value.Of(name)), value.M("text", value.Of(text))), `{"kept":{"result":true,"id":"`+name+`"}}`; got != want {
			t.Errorf("keep = %s, want %s", got, want)
		}
	}
	question := value.M("question", value.Of("where did the cat sit?"))
	if got := do("find", question); !strings.HasPrefix(got, `{"found":[{"content":"the cat sat on the mat","metadata":"cat","score":0.56`) {
		t.Errorf("find = %s, want the cat first", got)
	}
	if got, want := do("forget", value.M("name", value.Of("cat"))), `{"forgotten":true}`; got != want {
		t.Errorf("forget = %s, want %s", got, want)
	}
	if got := do("find", question); strings.Contains(got, "mat") {
		t.Errorf("find = %s, which was forgotten", got)
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	agent, err := rt.LoadFile(t.Context(), "examples/library.smyth")
	if err != nil {
		t.Fatal(err)
	}
	got, err := agent.Call(t.Context(), "keep", value.Obj(value.M("name", value.Of("x")), value.M("text", value.Of("x"))))
	if text := got.JSON(); err != nil || !strings.Contains(text, "sre vault set openai") || !strings.Contains(text, "embeddings.model") {
		t.Errorf("keep without a key = %s, %v, want what to set", text, err)
	}
}
