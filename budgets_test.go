package sre_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/value"
)

// talker loads an agent without skills into a runtime with a data folder.
func talker(t *testing.T, dir, config string) (*sre.Runtime, *sre.Agent) {
	t.Helper()
	c, err := value.Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir), sre.WithConfig(c))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := agentfile.Parse([]byte(`{"id":"talker","name":"Talker","components":[],"connections":[]}`), rt.Manager().Bounds())
	if err != nil {
		t.Fatal(err)
	}
	a, err := rt.Load(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	return rt, a
}

// say says something to an agent and returns the answer.
func say(t *testing.T, a *sre.Agent, text string) string {
	t.Helper()
	chat, err := a.Chat(t.Context(), sre.ChatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	answer := ""
	for e, err := range chat.Prompt(t.Context(), sre.Prompt{Text: text}) {
		if err != nil {
			t.Fatal(err)
		}
		if end, ok := e.(conversation.End); ok {
			answer = end.Text
		}
	}
	return answer
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 200)
	tests := []struct{ name, config, text, want string }{
		{"none", `{}`, long, "word word"},
		{"enough for the run", `{"budgets":{"run":{"tokens":5000}}}`, long, "word word"},
		{"not enough for the run", `{"budgets":{"run":{"tokens":50}}}`, long, "budget of the run"},
		{"the agent's", `{"budgets":{"agents":{"talker":{"tokens":50}}}}`, long, "budget of the agent talker"},
		{"of all agents", `{"budgets":{"agents":{"*":{"tokens":50}}}}`, long, "budget of the agent talker"},
		{"of another agent", `{"budgets":{"agents":{"other":{"tokens":50}}}}`, long, "word word"},
		{"the team's", `{"budgets":{"teams":{"default":{"calls":0,"tokens":50}}}}`, long, "budget of the team default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rt, a := talker(t, t.TempDir(), tt.config)
			defer closeRuntime(t, rt)
			if got := say(t, a, tt.text); !strings.Contains(got, tt.want) {
				t.Errorf("the answer is %.200q, want %q in it", got, tt.want)
			}
		})
	}
}

func closeRuntime(t *testing.T, rt *sre.Runtime) {
	t.Helper()
	if err := rt.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// What was used today counts after a restart.
func TestBudgets_SurviveARestart(t *testing.T) {
	t.Parallel()
	dir, config := t.TempDir(), `{"budgets":{"agents":{"*":{"calls":2}}}}`
	for i, want := range []string{"hello", "hello", "2 of 2 calls are used"} {
		rt, a := talker(t, dir, config)
		if got := say(t, a, "hello"); !strings.Contains(got, want) {
			t.Errorf("prompt %d: %q, want %q", i, got, want)
		}
		rows, err := rt.Usage(t.Context(), sre.UsageQuery{By: []string{"agent", "model"}})
		if err != nil || len(rows) != 1 || rows[0].Calls != int64(min(i+1, 2)) || rows[0].By[1] != "Echo" || rows[0].Estimated != rows[0].Calls {
			t.Errorf("usage after prompt %d: %+v, %v", i, rows, err)
		}
		closeRuntime(t, rt)
	}
}

func TestBudgets_Refused(t *testing.T) {
	t.Parallel()
	for _, config := range []string{
		`{"budgets":{"runs":{}}}`, `{"budgets":{"run":{"token":5}}}`, `{"budgets":{"run":{"tokens":-5}}}`, `{"budgets":{"agents":{"a":{"seconds":5}}}}`,
	} {
		c, err := value.Parse(config)
		if err != nil {
			t.Fatal(err)
		}
		rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()), sre.WithConfig(c))
		if err == nil {
			closeRuntime(t, rt)
			t.Errorf("%s was taken", config)
		} else if !strings.Contains(err.Error(), "budgets") {
			t.Errorf("%s: %v does not name the section", config, err)
		}
	}
}

// forking asks a model, and once more in a background job.
const forking = `{"id":"forking","name":"Forking","components":[
	{"id":"IN","name":"APIEndpoint","data":{"endpoint":"go","method":"POST"},"inputs":[],"outputs":[{"name":"text","expression":"body.text"}]},
	{"id":"L","name":"GenAILLM","data":{"model":"fake","prompt":"{{text}}"},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"Reply","default":true}]},
	{"id":"A","name":"Async","data":{},"inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"JobID","default":true},{"name":"in"}]},
	{"id":"M","name":"GenAILLM","data":{"model":"fake","prompt":"again {{text}}"},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"Reply","default":true}]},
	{"id":"W","name":"Await","data":{},"inputs":[{"name":"Jobs"}],"outputs":[{"name":"Results"}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"r"}],"outputs":[]}],
	"connections":[{"sourceId":"IN","sourceIndex":0,"targetId":"L","targetIndex":0},{"sourceId":"L","sourceIndex":0,"targetId":"A","targetIndex":0},
	{"sourceId":"A","sourceIndex":1,"targetId":"M","targetIndex":0},{"sourceId":"A","sourceIndex":0,"targetId":"W","targetIndex":0},
	{"sourceId":"W","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

// A background job shares what its run may use.
func TestBudgets_BackgroundJobs(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]int{`{}`: 2, `{"budgets":{"run":{"calls":1}}}`: 1} {
		server, models := fakeModel(t, `[{"reply":{"text":"yes"}}]`)
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "models"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "models/m.json"), []byte(models), 0o600); err != nil {
			t.Fatal(err)
		}
		rt, _ := talker(t, dir, config)
		defer closeRuntime(t, rt)
		doc, err := agentfile.Parse([]byte(forking), rt.Manager().Bounds())
		if err != nil {
			t.Fatal(err)
		}
		a, err := rt.Load(t.Context(), doc)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := a.Call(t.Context(), "go", value.Obj(value.M("text", value.Of("hello"))))
		if err != nil {
			t.Fatal(err)
		}
		if got := server.Requests().Len(); got != want {
			t.Errorf("%s: the model was asked %d times, want %d; the answer was %s", config, got, want, answer.JSON())
		}
	}
}
