package sre_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// start starts a runtime with a data folder of its own.
func start(t *testing.T, config string) *sre.Runtime {
	t.Helper()
	v, err := value.Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(filepath.Join(t.TempDir(), ".smyth")), sre.WithConfig(v))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return rt
}

func ada() value.Value { return value.Obj(value.M("name", value.Of("Ada"))) }

// TestExample runs the agent of the README.
func TestExample(t *testing.T) {
	t.Parallel()
	rt := start(t, `{}`)
	agent, err := rt.LoadFile(t.Context(), "examples/hello.smyth")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := agent.Call(t.Context(), "greet", ada())
	if err != nil || !strings.HasPrefix(answer.GetString("greeting"), "Hello Ada") {
		t.Errorf("Call() = %s, %v; want a greeting", answer.JSON(), err)
	}
	if _, err := agent.Call(t.Context(), "gret", ada()); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "greet") {
		t.Errorf("Call() of a wrong skill: error = %v, want the nearest name", err)
	}
	if _, err := agent.Call(t.Context(), "greet", value.Obj()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "waits for name") {
		t.Errorf("Call() without its input: error = %v, want what it waits for", err)
	}
}

// TestTwoRuntimes: two runtimes in one process share nothing.
func TestTwoRuntimes(t *testing.T) {
	t.Parallel()
	one, two := start(t, `{"limits":{"steps":2}}`), start(t, `{}`)
	for rt, want := range map[*sre.Runtime]bool{one: false, two: true} {
		agent, err := rt.LoadFile(t.Context(), "examples/hello.smyth")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := agent.Call(t.Context(), "greet", ada()); (err == nil) != want {
			t.Errorf("Call() error = %v, want success %t", err, want)
		}
	}
}

// TestLoadID loads an agent by id and version from the folders that the AgentData service reads.
func TestLoadID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := os.ReadFile("examples/hello.smyth")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"dev", "prod"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "hello.smyth"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rt := start(t, value.Obj(value.M("services", value.Obj(value.M("AgentData", value.Obj(
		value.M("Connector", value.Of("LocalAgentData")),
		value.M("Settings", value.Obj(value.M("devDir", value.Of(filepath.Join(dir, "dev"))), value.M("prodDir", value.Of(filepath.Join(dir, "prod"))))),
	))))).JSON())
	agent, err := rt.LoadID(t.Context(), "hello", "1.0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Call(t.Context(), "greet", ada()); err != nil {
		t.Error(err)
	}
	if _, err := rt.LoadID(t.Context(), "nobody", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("LoadID() of no agent: error = %v, want not found", err)
	}
}

// TestCountCalls: the circular limit of the TypeScript runtime ends a loop of a hundred items.
func TestCountCalls(t *testing.T) {
	t.Parallel()
	items := make([]value.Value, 150)
	for i := range items {
		items[i] = value.OfInt(i)
	}
	for config, want := range map[string]bool{`{}`: true, `{"compatibility":{"countCalls":true}}`: false} {
		rt := start(t, config)
		doc, err := agentfile.Parse([]byte(`{"id":"loop","components":[
			{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"list","type":"Array"}],"outputs":[{"name":"body.list"}]},
			{"id":"F","name":"ForEach","data":{"format":"results-array"},"inputs":[{"name":"Input","type":"Array"}],"outputs":[{"name":"Loop","default":true},{"name":"Result","default":true}]},
			{"id":"E","name":"FEncDec","data":{"action":"Encode","encoding":"hex"},"inputs":[{"name":"Data","type":"Any"}],"outputs":[{"name":"Output","default":true}]},
			{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"r","type":"Any"}],"outputs":[{"name":"Output","default":true}]}],
			"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"F","targetIndex":0},{"sourceId":"F","sourceIndex":0,"targetId":"E","targetIndex":0},{"sourceId":"F","sourceIndex":1,"targetId":"OUT","targetIndex":0}]}`), rt.Manager().Bounds())
		if err != nil {
			t.Fatal(err)
		}
		agent, err := rt.Load(t.Context(), doc)
		if err != nil {
			t.Fatal(err)
		}
		_, err = agent.Call(t.Context(), "go", value.Obj(value.M("list", value.List(items...))))
		if (err == nil) != want || err != nil && fault.CodeOf(err) != "LIMIT_EXCEEDED(circular)" {
			t.Errorf("%s: Call() error = %v, want success %t", config, err, want)
		}
	}
}

func TestLoadFolder(t *testing.T) {
	t.Parallel()
	rt := start(t, `{}`)
	agents, err := rt.LoadFolder(t.Context(), "examples")
	if err != nil || len(agents) == 0 {
		t.Errorf("LoadFolder() = %d agents, %v; want those of the examples", len(agents), err)
	}
	if _, err := rt.LoadFolder(t.Context(), t.TempDir()); !fault.Is(err, fault.NotFound) {
		t.Errorf("LoadFolder() of an empty folder: error = %v, want not found", err)
	}
}

// TestT43_Files: files that are no agents are refused with a reason, and nothing else happens.
func TestT43_Files(t *testing.T) {
	t.Parallel()
	rt := start(t, `{"limits":{"smyth_bytes":2000}}`)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"truncated": `{"components":[`, "huge": `{"components":[` + strings.Repeat(" ", 3000) + `]}`, "list": `[]`, "empty": "",
		"circle": `{"components":[{"id":"a","name":"X"}],"connections":[{"sourceId":"a","sourceIndex":0,"targetId":"a","targetIndex":0}]}`,
	} {
		path := filepath.Join(dir, name+sre.Extension)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rt.LoadFile(t.Context(), path); err == nil || fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: LoadFile() error = %v, want a reason", name, err)
		}
	}
	if len(rt.Manager().Agents()) != 0 {
		t.Error("a broken file was loaded")
	}
}

func BenchmarkAgent(b *testing.B) {
	rt, err := sre.Start(b.Context(), std.Set(), sre.WithDir(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	agent, err := rt.LoadFile(b.Context(), "examples/hello.smyth")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := agent.Call(b.Context(), "greet", ada()); err != nil {
			b.Fatal(err)
		}
	}
	if err := rt.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
