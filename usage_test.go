package sre_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/conversation"
)

const thinker = `{"id":"thinker","name":"Thinker","components":[
	{"id":"EP","name":"APIEndpoint","data":{"endpoint":"think","description":"Thinks."},"inputs":[{"name":"about","type":"Text"}],"outputs":[{"name":"body.about"}]},
	{"id":"L","name":"GenAILLM","data":{"model":"fake","prompt":"consider {{about}}"},"inputs":[{"name":"about","type":"Text"}],"outputs":[{"name":"Reply","default":true}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"thought","type":"Any"}],"outputs":[]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"L","targetIndex":0},{"sourceId":"L","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

// A conversation uses a skill, twice at once; the skill lets a model choose a skill of another agent, which asks a model
// itself. What each call used is counted once, for the agent that asked, and the sums are right at each level.
func TestUsage_AcrossAgents(t *testing.T) {
	t.Parallel()
	server, _ := fakeModel(t, `[
		{"when":{"last_contains":"go"},"reply":{"tools":[{"name":"ask","args":{"q":"first"}},{"name":"ask","args":{"q":"second"}}]}},
		{"when":{"last_contains":"consider"},"reply":{"text":"a thought"}},
		{"when":{"last_role":"user"},"reply":{"tools":[{"name":"think","args":{"about":"it"}}]}},
		{"reply":{"text":"done"}}]`)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"models/m.json":        `{"fake":{"provider":"OpenAI","modelId":"fake","baseURL":"` + server.URL() + `","credentials":"none","tokens":100000,"completionTokens":1000,"prices":{"input":1,"output":2}}}`,
		"agents/asker.smyth":   strings.NewReplacer("ID", "asker", "OTHER", "thinker").Replace(asksAgent),
		"agents/thinker.smyth": thinker,
	} {
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
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	agents, err := rt.LoadFolder(t.Context(), filepath.Join(dir, "agents"))
	if err != nil {
		t.Fatal(err)
	}
	var asker *sre.Agent
	for _, a := range agents {
		if a.ID() == "asker" {
			asker = a
		}
	}
	chat, err := asker.Chat(t.Context(), sre.ChatOptions{Model: "fake"})
	if err != nil {
		t.Fatal(err)
	}
	var end conversation.End
	for e, err := range chat.Prompt(t.Context(), sre.Prompt{Text: "go"}) {
		if err != nil {
			t.Fatal(err)
		}
		if last, ok := e.(conversation.End); ok {
			end = last
		}
	}
	// The conversation asks twice, each of its two calls lets the other agent ask twice and think once.
	const input, output = 10, 5 // of each call, as the server tells
	if end.Text != "done" || end.Calls != 2 || end.Usage.Input != 2*input || end.Usage.Output != 2*output {
		t.Errorf("the conversation ended with %+v, want its own two calls of the model", end)
	}
	if n := server.Requests().Len(); n != 8 {
		t.Fatalf("the model was asked %d times, want 8", n)
	}
	for _, tt := range []struct {
		by   string
		want map[string]int64 // calls
	}{
		{"agent", map[string]int64{"asker": 2, "thinker": 6}},
		{"team", map[string]int64{"default": 8}},
		{"model", map[string]int64{"fake": 8}},
	} {
		rows, err := rt.Usage(t.Context(), sre.UsageQuery{By: []string{tt.by}})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(tt.want) {
			t.Errorf("by %s: %d rows, want %d", tt.by, len(rows), len(tt.want))
		}
		for _, r := range rows {
			calls := tt.want[r.By[0]]
			if r.Calls != calls || r.Input != calls*input || r.Output != calls*output || r.Micros != calls*(input*1+output*2) {
				t.Errorf("by %s: %s used %+v, want %d calls", tt.by, r.By[0], r.Counts, calls)
			}
		}
	}
}
