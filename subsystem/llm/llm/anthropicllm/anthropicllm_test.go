package anthropicllm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/anthropicllm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// server is a scripted model server; its address for this interface is without the version.
func server(t testing.TB, script string) (s *testmodel.Server, base string) {
	t.Helper()
	rules, err := testmodel.ParseScript(parse(t, script))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = testmodel.Start(t.Context(), rules, effect.System{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, strings.TrimSuffix(s.URL(), "/v1")
}

func setup(t testing.TB, base string) llmtest.Setup {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	entry := fmt.Sprintf(`{"provider":"Anthropic","modelId":"claude-fake","baseURL":%q,"credentials":{"apiKey":"sk-test"},"tokens":100000,"completionTokens":8000,"features":["text","tools","reasoning"]}`, base)
	return llmtest.Setup{HTTP: c, Models: parse(t, `{"claude":`+entry+`,"keyless":{"provider":"Anthropic","modelId":"x","credentials":"vault"}}`)}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	_, base := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
	llmtest.Run(t, anthropicllm.Definition, llmtest.Subject{Setup: setup(t, base), Model: "claude", Prompt: "go", Answer: "one two three"})
}

const recorded = `event: message_start
data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"grüß "}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1","name":"pay","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"eur\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"5}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}

event: message_stop
data: {"type":"message_stop"}

`

func TestWire(t *testing.T) {
	t.Parallel()
	llmtest.RunWire(t, anthropicllm.Definition, llmtest.Subject{Setup: setup(t, "http://provider.test"), Model: "claude", Prompt: "go"}, llmtest.Wire{
		ContentType: "text/event-stream", Stream: []byte(recorded), Whole: strings.Index(recorded, `"stop_reason":"tool_use"`),
		Client: func(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} },
	})
}

// ask sends a request and returns what the provider was sent and what came back.
func ask(t *testing.T, script string, req llm.Request) (sent value.Value, got *llm.Response, err error) {
	t.Helper()
	s, base := server(t, script)
	w := llmtest.Open(t, setup(t, base), map[string]connector.Definition{"Anthropic": anthropicllm.Definition}, nil)
	if req.Model == "" {
		req.Model = "claude"
	}
	got, err = llm.Collect(w.As(t, "agent:helper").Stream(t.Context(), req))
	return s.Requests().At(0), got, err
}

func TestRequest(t *testing.T) {
	t.Parallel()
	warm, k := 0.5, 3
	talk := []llm.Message{
		llm.Say(llm.System, "s"),
		{Role: llm.User, Content: []llm.Content{llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("x")}, llm.File{MIME: "application/pdf", Data: []byte("y")}}},
		{Role: llm.Assistant, Content: []llm.Content{llm.Thinking{Text: "hm", Signature: "sig"}, llm.Text{Text: "I call"}, llm.ToolCall{ID: "c", Name: "pay", Arguments: `{"eur":5}`}}},
		{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Name: "pay", Text: "no", Failed: true}}},
	}
	pay := []llm.ToolSpec{{Name: "pay", Description: "pays", Parameters: parse(t, `{"type":"object","properties":{"eur":{"type":"number"}},"required":["eur"]}`)}}
	const history = `[{"content":[{"text":"look","type":"text"},{"source":{"data":"eA==","media_type":"image/png","type":"base64"},"type":"image"},{"source":{"data":"eQ==","media_type":"application/pdf","type":"base64"},"type":"document"}],"role":"user"},{"content":[{"signature":"sig","thinking":"hm","type":"thinking"},{"text":"I call","type":"text"},{"id":"c","input":{"eur":5},"name":"pay","type":"tool_use"}],"role":"assistant"},{"content":[{"content":"no","is_error":true,"tool_use_id":"c","type":"tool_result"%s}],"role":"user"}]`
	const tool = `{"description":"pays","input_schema":{"properties":{"eur":{"type":"number"}},"required":["eur"],"type":"object"},"name":"pay"}`
	tests := []struct {
		name string
		req  llm.Request
		want string
	}{
		{"plain", llm.Request{Messages: []llm.Message{llm.Say(llm.User, "hi")}, MaxTokens: 5}, `{"max_tokens":5,"messages":[{"content":"hi","role":"user"}],"model":"claude-fake","stream":true}`},
		{"everything", llm.Request{Messages: talk, Tools: pay, ToolChoice: llm.Required, Temperature: &warm, TopK: &k, Stop: []string{"END"}, MaxTokens: 5},
			`{"max_tokens":5,"messages":` + fmt.Sprintf(history, "") + `,"model":"claude-fake","stop_sequences":["END"],"stream":true,"system":"s","temperature":0.5,"tool_choice":{"type":"any"},"tools":[` + tool + `],"top_k":3}`},
		{"thinking with tools and system", llm.Request{Messages: talk, Tools: pay, ToolChoice: llm.Required, Temperature: &warm, Reasoning: llm.Reasoning{On: true}, MaxTokens: 5000},
			`{"max_tokens":5000,"messages":` + fmt.Sprintf(history, "") + `,"model":"claude-fake","stream":true,"system":"s","thinking":{"budget_tokens":4000,"type":"enabled"},"tools":[` + tool + `]}`},
		{"cache", llm.Request{Messages: talk, Tools: pay, Cache: true, MaxTokens: 5},
			`{"max_tokens":5,"messages":` + strings.Replace(fmt.Sprintf(history, ""), `[{"content":"no"`, `[{"cache_control":{"type":"ephemeral"},"content":"no"`, 1) + `,"model":"claude-fake","stream":true,"system":[{"cache_control":{"type":"ephemeral"},"text":"s","type":"text"}],"tools":[` + strings.Replace(tool, `{"description"`, `{"cache_control":{"type":"ephemeral"},"description"`, 1) + `]}`},
		{"the user comes first, and nothing is empty", llm.Request{Messages: []llm.Message{llm.Say(llm.Assistant, "a"), llm.Say(llm.User, " ")}, MaxTokens: 5},
			`{"max_tokens":5,"messages":[{"content":"continue","role":"user"},{"content":"a","role":"assistant"},{"content":"...","role":"user"}],"model":"claude-fake","stream":true}`},
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
			if got := sent.GetString("authorization"); got != "sk-test" {
				t.Errorf("the key arrived as %q", got)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	sent, got, err := ask(t, `[{"reply":{"text":"\"a\":1}"}}]`, llm.Request{Messages: []llm.Message{llm.Say(llm.User, "x")}, Format: llm.Format{JSON: true}})
	if err != nil || got.Text != `{"a":1}` {
		t.Errorf("answer = %q, %v, want the object with its beginning", got.Text, err)
	}
	if last := sent.Get("body").Get("messages").At(1).Canonical(); last != `{"content":"{","role":"assistant"}` {
		t.Errorf("the answer was begun with %s", last)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script, model string
		kind                fault.Kind
		text                string
	}{
		{"refused", `[{"reply":{"error":{"status":400,"message":"bad request","type":"invalid_request_error"}}}]`, "", fault.Invalid, `400 {"type":"error","error":{"type":"invalid_request_error","message":"bad request"}}`},
		{"wrong key", `[{"reply":{"error":{"status":401,"message":"bad key"}}}]`, "", fault.Unauthenticated, "bad key"},
		{"no connection", `[{"reply":{"close":true}}]`, "", fault.Unavailable, "Connection error."},
		{"cut", `[{"reply":{"text":"a b c d","abort_after":2}}]`, "", fault.Unavailable, ""},
		{"no key", `[]`, "keyless", fault.Unauthenticated, "anthropic"},
		{"a file it cannot look at", `[]`, "", fault.Invalid, "video/mp4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := llm.Request{Model: tt.model, Messages: []llm.Message{llm.Say(llm.User, "x")}}
			if strings.Contains(tt.text, "video") {
				req.Messages[0].Content = append(req.Messages[0].Content, llm.File{MIME: "video/mp4"})
			}
			_, _, err := ask(t, tt.script, req)
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v (%v), want %v %q", err, fault.KindOf(err), tt.kind, tt.text)
			}
		})
	}
}
