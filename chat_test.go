package sre_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/value"
)

// asking is an agent whose skill asks a service with a key of the vault.
const asking = `{"id":"asking","name":"Asking","behavior":"You ask.","components":[
	{"id":"EP","name":"APIEndpoint","data":{"endpoint":"ask","description":"Asks."},"inputs":[{"name":"url","type":"Text"}],"outputs":[{"name":"body.url"}]},
	{"id":"CALL","name":"APICall","data":{"method":"GET","url":"{{url}}","headers":"{\"Authorization\":\"Bearer {{KEY(service)}}\"}","contentType":"none"},
		"inputs":[{"name":"url","type":"Text"}],"outputs":[{"name":"Headers","default":true},{"name":"Response","default":true},{"name":"_error","default":true}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"answer","type":"Any","optional":true},{"name":"headers","type":"Any","optional":true},{"name":"problem","type":"Any","optional":true}],"outputs":[]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"CALL","targetIndex":0},{"sourceId":"CALL","sourceIndex":1,"targetId":"OUT","targetIndex":0},
		{"sourceId":"CALL","sourceIndex":0,"targetId":"OUT","targetIndex":1},{"sourceId":"CALL","sourceIndex":2,"targetId":"OUT","targetIndex":2}]}`

// T29: what a service echoes of the key that it was sent reaches neither the provider of the model, nor whoever reads the
// answer, nor what is kept of the conversation.
func TestT29_Chat(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a9b2c5d8e1f40"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"you sent":%q,"again":%q}`, r.Header.Get("Authorization"), base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))))
	}))
	defer echo.Close()
	server, models := fakeModel(t, `[{"when":{"last_role":"user"},"reply":{"tools":[{"name":"ask","args":{"url":"`+echo.URL+`"}}]}},{"reply":{"text":"asked"}}]`)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"vault.json":    `{"default":{"service":"` + canary + `"}}`,
		"models/m.json": models,
		"asking.smyth":  asking,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := value.Obj(value.M("egress", value.Obj(value.M("allowPrivate", value.OfBool(true)))))
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir), sre.WithConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	agent, err := rt.LoadFile(t.Context(), filepath.Join(dir, "asking.smyth"))
	if err != nil {
		t.Fatal(err)
	}
	chat, err := agent.Chat(t.Context(), sre.ChatOptions{Model: "fake", Keep: true, User: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	called := ""
	for e, err := range chat.Prompt(t.Context(), sre.Prompt{Text: "go"}) {
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(&shown, "%+v\n", e)
		if c, ok := e.(conversation.Called); ok {
			called = c.Text
		}
	}
	if !strings.Contains(called, "you sent") || !strings.Contains(called, "Bearer ") {
		t.Fatalf("the tool answered %s, want what was sent", called)
	}
	requests := server.Requests().JSON()
	if !strings.Contains(requests, "you sent") {
		t.Fatalf("the model was shown %s, want the result of the tool", requests)
	}
	kept, err := agent.Chats(t.Context(), "ada", time.Time{}, 0)
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d conversations are kept, %v", len(kept), err)
	}
	_, entries, err := rt.ReadChat(t.Context(), kept[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"the events": shown.String(), "the model": requests, "the history": fmt.Sprintf("%+v", entries)} {
		for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))} {
			if strings.Contains(text, form) {
				t.Errorf("%s: %s holds the key", form, where)
			}
		}
	}
}

// A kept conversation is its user's, and goes on with the same model.
func TestChat_Kept(t *testing.T) {
	t.Parallel()
	rt := start(t, `{}`)
	agent, err := rt.LoadFile(t.Context(), "examples/hello.smyth")
	if err != nil {
		t.Fatal(err)
	}
	say := func(o sre.ChatOptions, text string) *sre.Chat {
		t.Helper()
		chat, err := agent.Chat(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range chat.Prompt(t.Context(), sre.Prompt{Text: text}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		return chat
	}
	first := say(sre.ChatOptions{Keep: true, User: "ada"}, "one")
	second := say(sre.ChatOptions{Resume: first.ID(), User: "ada"}, "two")
	if got := len(second.Entries()); got != 4 || second.ID() != first.ID() || second.Model() != "Echo" {
		t.Errorf("%d entries of %s with %s, want 4 of %s", got, second.ID(), second.Model(), first.ID())
	}
	// T25: what is somebody else's is not there.
	for _, o := range []sre.ChatOptions{{Resume: first.ID(), User: "eve"}, {Resume: first.ID()}, {Resume: "conv_none", User: "ada"}} {
		if _, err := agent.Chat(t.Context(), o); err == nil || !strings.Contains(err.Error(), "NOT_FOUND") {
			t.Errorf("%+v: %v, want it not to be there", o, err)
		}
	}
	if _, err := agent.Chat(t.Context(), sre.ChatOptions{Keep: true, ID: "mine"}); err == nil {
		t.Error("an id was chosen for a conversation that is kept")
	}
	// The first one does not know that the second went on.
	for _, err := range first.Prompt(t.Context(), sre.Prompt{Text: "three"}) {
		if err == nil || !strings.Contains(err.Error(), "went on elsewhere") {
			t.Errorf("a stale conversation: %v", err)
		}
	}
	if err := agent.DeleteChat(t.Context(), "ada", first.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Chat(t.Context(), sre.ChatOptions{Resume: first.ID(), User: "ada"}); err == nil {
		t.Error("a conversation goes on that was deleted")
	}
}

// A skill that asks a model itself can look at the conversation that calls it.
func TestChat_SharesItsContext(t *testing.T) {
	t.Parallel()
	const nested = `{"id":"nested","name":"Nested","behavior":"You are kind.","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"think","description":"Thinks."},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"body.text"}]},
		{"id":"L","name":"GenAILLM","data":{"model":"fake","prompt":"think about {{text}}","useSystemPrompt":true,"useContextWindow":true},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"Reply","default":true}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"thought","type":"Any"}],"outputs":[]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"L","targetIndex":0},{"sourceId":"L","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`
	server, models := fakeModel(t, `[{"when":{"last_contains":"think about"},"reply":{"text":"a thought"}},{"when":{"last_role":"tool"},"reply":{"text":"done"}},
		{"when":{"last_contains":"second"},"reply":{"tools":[{"name":"think","args":{"text":"it"}}]}},{"reply":{"text":"hello"}}]`)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "models", "m.json"), []byte(models), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "nested.smyth"), []byte(nested), 0o600); err != nil {
		t.Fatal(err)
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
	agent, err := rt.LoadFile(t.Context(), filepath.Join(dir, "nested.smyth"))
	if err != nil {
		t.Fatal(err)
	}
	chat, err := agent.Chat(t.Context(), sre.ChatOptions{Model: "fake"})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		for _, err := range chat.Prompt(t.Context(), sre.Prompt{Text: text}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	var asked value.Value
	for i := range server.Requests().Len() {
		if body := server.Requests().At(i).Get("body"); strings.Contains(body.JSON(), "think about it") {
			asked = body.Get("messages")
			break
		}
	}
	want := `[{"content":"Assistant Name : Nested\n\nYou are kind.","role":"system"},{"content":"first","role":"user"},{"content":"hello","role":"assistant"},{"content":"think about it","role":"user"}]`
	if got := asked.Canonical(); got != want {
		t.Errorf("the model of the skill is shown %s, want %s", got, want)
	}
	usage, err := rt.Usage(t.Context(), sre.UsageQuery{By: []string{"agent"}})
	if err != nil || len(usage) != 1 || usage[0].By[0] != "nested" || usage[0].Calls != 4 {
		t.Errorf("usage is %+v, %v, want 4 calls of the agent", usage, err)
	}
}
