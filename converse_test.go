package sre_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/value"
)

// asksAgent is an agent whose skill lets a model choose among the skills of another one.
const asksAgent = `{"id":"ID","name":"Agent ID","components":[
	{"id":"EP","name":"APIEndpoint","data":{"endpoint":"ask","description":"Asks"},"inputs":[{"name":"q","type":"Text"}],"outputs":[{"name":"body.q"}]},
	{"id":"P","name":"AgentPlugin","data":{"agentId":"OTHER","model":"fake"},"inputs":[{"name":"Prompt","type":"Text"}],"outputs":[{"name":"Response","default":true},{"name":"_error","default":true}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"answer","type":"Any","optional":true},{"name":"problem","type":"Any","optional":true}],"outputs":[]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"P","targetIndex":0},{"sourceId":"P","sourceIndex":0,"targetId":"OUT","targetIndex":0},
		{"sourceId":"P","sourceIndex":1,"targetId":"OUT","targetIndex":1}]}`

// circle starts a runtime with agents that use each other, and a model that always asks for the skill it is shown.
func circle(t *testing.T, accounts string, agents map[string]string) *sre.Runtime {
	t.Helper()
	_, models := fakeModel(t, `[{"when":{"last_role":"user"},"reply":{"tools":[{"name":"ask","args":{"q":"on"}}]}},{"reply":{"echo":"last"}}]`)
	dir := t.TempDir()
	files := map[string]string{
		"models/m.json": models,
	}
	if accounts != "" {
		files["account.json"] = accounts
	}
	for id, other := range agents {
		files["agents/"+id+".smyth"] = strings.NewReplacer("ID", id, "OTHER", other).Replace(asksAgent)
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := rt.LoadFolder(t.Context(), filepath.Join(dir, "agents")); err != nil {
		t.Fatal(err)
	}
	return rt
}

// TestT51_Circle: agents whose models call each other without end stop at the limit of depth, which names the path.
func TestT51_Circle(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		agents map[string]string
		path   string
	}{
		"itself":     {map[string]string{"a": "a"}, "a→a→a→a→a→a→a→a→a"},
		"each other": {map[string]string{"a": "b", "b": "a"}, "a→b→a→b→a→b→a→b→a"},
	} {
		rt := circle(t, "", test.agents)
		a, _ := rt.Agent("a")
		v, err := a.Call(t.Context(), "ask", value.Obj(value.M("q", value.Of("go"))))
		if err != nil || !strings.Contains(v.JSON(), "LIMIT_EXCEEDED(depth)") || !strings.Contains(v.JSON(), test.path) {
			t.Errorf("%s: %s, %v; want the limit and the path %s", name, v.JSON(), err, test.path)
		}
	}
}

// TestT24_ConversationAcrossTeams: the skills of an agent of another team are no tools, and nobody is told that it exists.
func TestT24_ConversationAcrossTeams(t *testing.T) {
	t.Parallel()
	const accounts = `{"red":{"users":{},"agents":{"a":{}}},"blue":{"users":{},"agents":{"b":{}}}}`
	rt := circle(t, accounts, map[string]string{"a": "b", "b": "none"})
	a, _ := rt.Agent("a")
	v, err := a.Call(t.Context(), "ask", value.Obj(value.M("q", value.Of("go"))))
	if err != nil || !strings.Contains(v.GetString("problem"), `there is no agent "b" that this agent may call`) {
		t.Errorf("ask = %s, %v; want it refused", v.JSON(), err)
	}
	b, _ := rt.Agent("b")
	v, err = b.Call(t.Context(), "ask", value.Obj(value.M("q", value.Of("go"))))
	if err != nil || !strings.Contains(v.GetString("problem"), `there is no agent "none" that this agent may call`) {
		t.Errorf("ask = %s, %v; want the same for one that does not exist", v.JSON(), err)
	}
}

// TestAgentPlugin_Versions: a loaded agent is the one in development and the latest, but no other than the one it is.
func TestAgentPlugin_Versions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"": "LIMIT_EXCEEDED(depth)", "dev-latest": "LIMIT_EXCEEDED(depth)", "prod-latest": "LIMIT_EXCEEDED(depth)", "same-as-parent": "LIMIT_EXCEEDED(depth)",
		"2.0": `has the version \"\", not \"2.0\"`,
	} {
		rt := circle(t, "", map[string]string{"a": `a","version":"` + version})
		a, _ := rt.Agent("a")
		v, err := a.Call(t.Context(), "ask", value.Obj(value.M("q", value.Of("go"))))
		if err != nil || !strings.Contains(v.JSON(), want) {
			t.Errorf("version %q: %s, %v; want %s", version, v.JSON(), err, want)
		}
	}
}
