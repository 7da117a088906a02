package bedrockllm_test

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	warm, k := 0.5, 3
	talk := []llm.Message{
		llm.Say(llm.System, "s"),
		{Role: llm.User, Content: []llm.Content{llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("x")}, llm.File{MIME: "application/pdf", Name: "../a\nb.pdf", Data: []byte("y")}}},
		{Role: llm.Assistant, Content: []llm.Content{llm.Thinking{Text: "of another provider"}, llm.Thinking{Text: "hm", Signature: "sig"}, llm.Text{Text: "I call"}, llm.ToolCall{ID: "c", Name: "pay", Arguments: `{"to":"Ada","eur":5}`}}},
		{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Name: "pay", Text: "no", Failed: true}}},
		llm.Say(llm.User, "again"),
	}
	pay := []llm.ToolSpec{{Name: "pay", Description: "pays", Parameters: parse(t, `{"type":"object","properties":{"to":{"type":"string"},"eur":{"type":"number"}}}`)}}
	const history = `[{"content":[{"text":"look"},{"image":{"format":"png","source":{"bytes":"eA=="}}},{"document":{"format":"pdf","name":"a b pdf (1)","source":{"bytes":"eQ=="}}}],"role":"user"},` +
		`{"content":[{"reasoningContent":{"reasoningText":{"signature":"sig","text":"hm"}}},{"text":"I call"},{"toolUse":{"input":{"eur":5,"to":"Ada"},"name":"pay","toolUseId":"c"}}],"role":"assistant"},` +
		`{"content":[{"toolResult":{"content":[{"text":"no"}],"status":"error","toolUseId":"c"}},{"text":"again"}],"role":"user"}]`
	const point = `{"cachePoint":{"type":"default"}}`
	const spec = `{"toolSpec":{"description":"pays","inputSchema":{"json":{"properties":{"eur":{"type":"number"},"to":{"type":"string"}},"type":"object"}},"name":"pay"}}`
	const history5 = `"inferenceConfig":{"maxTokens":5},"messages":` + history + `,"system":[{"text":"s"}]`
	tests := []struct {
		name string
		req  llm.Request
		want string
	}{
		{"plain", llm.Request{Messages: []llm.Message{llm.Say(llm.User, "hi")}, MaxTokens: 5},
			`{"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"text":"hi"}],"role":"user"}]}`},
		{"everything", llm.Request{Messages: talk, Tools: pay, ToolChoice: llm.Required, Temperature: &warm, TopP: &warm, TopK: &k, Stop: []string{"END"}, MaxTokens: 5},
			`{"additionalModelRequestFields":{"top_k":3},"inferenceConfig":{"maxTokens":5,"stopSequences":["END"],"temperature":0.5,"topP":0.5},"messages":` + history + `,"system":[{"text":"s"}],"toolConfig":{"toolChoice":{"any":{}},"tools":[` + spec + `]}}`},
		{"one tool", llm.Request{Messages: talk, Tools: pay, ToolChoice: "pay", MaxTokens: 5}, `{` + history5 + `,"toolConfig":{"toolChoice":{"tool":{"name":"pay"}},"tools":[` + spec + `]}}`},
		{"no tools any more", llm.Request{Messages: talk, MaxTokens: 5}, `{` + history5 + `,"toolConfig":{"tools":[{"toolSpec":{"inputSchema":{"json":{"type":"object"}},"name":"pay"}}]}}`},
		{"thinking", llm.Request{Messages: talk, Tools: pay, ToolChoice: llm.Required, Temperature: &warm, Reasoning: llm.Reasoning{On: true}, MaxTokens: 5000},
			`{"additionalModelRequestFields":{"thinking":{"budget_tokens":4000,"type":"enabled"}},"inferenceConfig":{"maxTokens":5000},"messages":` + history + `,"system":[{"text":"s"}],"toolConfig":{"tools":[` + spec + `]}}`},
		{"another maker's model", llm.Request{Model: "nova", Messages: []llm.Message{llm.Say(llm.User, "hi")}, TopK: &k, Reasoning: llm.Reasoning{On: true}, MaxTokens: 5, Extra: parse(t, `{"inferenceConfig":{"topK":20}}`)},
			`{"additionalModelRequestFields":{"inferenceConfig":{"topK":20}},"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"text":"hi"}],"role":"user"}]}`},
		{"cache", llm.Request{Messages: talk, Tools: pay, Cache: true, MaxTokens: 5},
			`{"inferenceConfig":{"maxTokens":5},"messages":` + strings.TrimSuffix(history, `],"role":"user"}]`) + `,` + point + `],"role":"user"}],"system":[{"text":"s"},` + point + `],"toolConfig":{"tools":[` + spec + `,` + point + `]}}`},
		{"the user comes first, and nothing is empty", llm.Request{Messages: []llm.Message{llm.Say(llm.Assistant, "a"), llm.Say(llm.User, " ")}, MaxTokens: 5},
			`{"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"text":"continue"}],"role":"user"},{"content":[{"text":"a"}],"role":"assistant"},{"content":[{"text":"..."}],"role":"user"}]}`},
		{"a document alone, and arguments that are none", llm.Request{Messages: []llm.Message{
			{Role: llm.User, Content: []llm.Content{llm.File{MIME: "text/plain", Data: []byte("x")}}},
			{Role: llm.Assistant, Content: []llm.Content{llm.Thinking{Sealed: []byte("z")}, llm.ToolCall{ID: "c", Name: "pay", Arguments: `{"eur":`}}},
			{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c"}}},
		}, MaxTokens: 5},
			`{"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"document":{"format":"txt","name":"document 1","source":{"bytes":"eA=="}}},{"text":"..."}],"role":"user"},` +
				`{"content":[{"reasoningContent":{"redactedContent":"eg=="}},{"toolUse":{"input":{},"name":"pay","toolUseId":"c"}}],"role":"assistant"},` +
				`{"content":[{"toolResult":{"content":[{"text":"..."}],"toolUseId":"c"}}],"role":"user"}],"toolConfig":{"tools":[{"toolSpec":{"inputSchema":{"json":{"type":"object"}},"name":"pay"}}]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent, _, err := ask(t, `[{"reply":{"text":"fine"}}]`, tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if got := sent.Get("body").Canonical(); got != tt.want {
				t.Errorf("sent\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// What the tool is and what it was called with is sent in the order in which it was written, with its numbers.
func TestRequest_Exactly(t *testing.T) {
	t.Parallel()
	const schema = `{"type":"object","properties":{"to":{"type":"string"},"eur":{"maximum":1e21}}}`
	const args = `{"to":"<Ada>","eur":12345678901234567}`
	sent, _, err := ask(t, `[]`, llm.Request{
		Messages: []llm.Message{llm.Say(llm.User, "x"), {Role: llm.Assistant, Content: []llm.Content{llm.ToolCall{ID: "c", Name: "pay", Arguments: args}}}, {Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Text: "ok"}}}},
		Tools:    []llm.ToolSpec{{Name: "pay", Parameters: parse(t, schema)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	body := sent.Get("body")
	if got, want := body.Get("toolConfig").Get("tools").At(0).Get("toolSpec").Get("inputSchema").Get("json").JSON(), parse(t, schema).JSON(); got != want {
		t.Errorf("schema = %s, want %s", got, want)
	}
	if got, want := body.Get("messages").At(1).Get("content").At(0).Get("toolUse").Get("input").JSON(), parse(t, args).JSON(); got != want {
		t.Errorf("arguments = %s, want %s", got, want)
	}
}

// A model without a system prompt hears it from the user, and one that cannot stream tool calls answers at once.
func TestRequest_SimpleModel(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		tools      []llm.ToolSpec
	}{
		{"text", "/model/anthropic.claude-fake-v1:0/converse-stream", nil},
		{"tools", "/model/anthropic.claude-fake-v1:0/converse", []llm.ToolSpec{{Name: "pay"}}},
	}
	for _, tt := range tests {
		sent, got, err := ask(t, `[{"reply":{"text":"fine"}}]`, llm.Request{Model: "simple", Messages: []llm.Message{llm.Say(llm.System, "be kind"), llm.Say(llm.User, "hi")}, Tools: tt.tools})
		if err != nil || got.Text != "fine" || sent.GetString("path") != tt.path {
			t.Errorf("%s: %q, %v from %s, want an answer from %s", tt.name, got.Text, err, sent.GetString("path"), tt.path)
		}
		body := sent.Get("body")
		if want := `[{"content":[{"text":"be kind"},{"text":"hi"}],"role":"user"}]`; body.Get("messages").Canonical() != want || body.Has("system") {
			t.Errorf("%s: sent %s, want %s", tt.name, body.JSON(), want)
		}
	}
}
