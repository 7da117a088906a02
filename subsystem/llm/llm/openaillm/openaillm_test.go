package openaillm_test

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
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/llm/openaillm"
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

func definition(t testing.TB, name string) connector.Definition {
	t.Helper()
	for _, d := range openaillm.Definitions() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no connector %q", name)
	return connector.Definition{}
}

// client is a way out to this machine.
func client(t testing.TB) *http.Client {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// server is a scripted model server.
func server(t testing.TB, script string) *testmodel.Server {
	t.Helper()
	rules, err := testmodel.ParseScript(parse(t, script))
	if err != nil {
		t.Fatal(err)
	}
	s, err := testmodel.Start(t.Context(), rules, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// setup has a model of each interface.
func setup(t testing.TB, base string) llmtest.Setup {
	t.Helper()
	entry := func(more string) string {
		return fmt.Sprintf(`{"provider":"OpenAI","modelId":"fake","baseURL":%q,"credentials":{"apiKey":"sk-test"},"tokens":1000,"completionTokens":100%s}`, base, more)
	}
	return llmtest.Setup{HTTP: client(t), Models: parse(t, fmt.Sprintf(`{"chat":%s,"resp":%s}`, entry(""), entry(`,"interface":"responses"`)))}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"chat", "resp"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			s := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
			llmtest.Run(t, definition(t, "OpenAI"), llmtest.Subject{Setup: setup(t, s.URL()), Model: model, Prompt: "go", Answer: "one two three"})
		})
	}
}

const chatStream = `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

: a comment

data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"grüß "},"finish_reason":null}]}

data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"pay","arguments":""}},{"index":1,"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"eur\":5}"}}]},"finish_reason":null}]}

data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}

data: [DONE]

`

const responsesStream = `event: response.created
data: {"type":"response.created","response":{"id":"r","status":"in_progress","output":[]}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"grüß "}

event: response.completed
data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"grüß "}]},{"type":"function_call","id":"f","call_id":"c1","name":"pay","arguments":"{\"eur\":5}"}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15,"input_tokens_details":{"cached_tokens":4},"output_tokens_details":{"reasoning_tokens":1}}}}

`

func TestWire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		model, stream string
		whole         int
	}{
		{"chat", chatStream, strings.Index(chatStream, `"finish_reason":"tool_calls"`)},
		{"resp", responsesStream, 0},
	}
	for _, tt := range tests {
		for name, ends := range map[string]string{"LF": "\n", "CRLF": "\r\n"} {
			t.Run(tt.model+" "+name, func(t *testing.T) {
				t.Parallel()
				stream := strings.ReplaceAll(tt.stream, "\n", ends)
				w := llmtest.Wire{
					ContentType: "text/event-stream", Stream: []byte(stream),
					Client: func(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} },
				}
				if tt.whole > 0 {
					w.Whole = strings.Index(stream, `"finish_reason":"tool_calls"`)
				} else {
					w.Whole = strings.Index(stream, `event: response.completed`)
				}
				llmtest.RunWire(t, definition(t, "OpenAI"), llmtest.Subject{Setup: setup(t, "http://provider.test/v1"), Model: tt.model, Prompt: "go"}, w)
			})
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	warm, seed, k := 0.5, 7, 3
	req := llm.Request{
		Messages: []llm.Message{
			llm.Say(llm.System, "s"),
			{Role: llm.User, Content: []llm.Content{llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("x")}}},
			{Role: llm.Assistant, Content: []llm.Content{llm.Text{Text: "I call"}, llm.ToolCall{ID: "c", Name: "pay", Arguments: "{}"}}},
			{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Name: "pay", Text: "paid"}}},
		},
		Tools:       []llm.ToolSpec{{Name: "pay", Description: "pays", Parameters: parse(t, `{"type":"object","properties":{}}`)}},
		ToolChoice:  llm.Required,
		Temperature: &warm, TopK: &k, Seed: &seed, Stop: []string{"END"}, Format: llm.Format{JSON: true}, MaxTokens: 5,
		Extra: parse(t, `{"user":"u1"}`),
	}
	tests := []struct{ model, want string }{
		{"chat", `{"max_completion_tokens":5,"messages":[{"content":"s","role":"system"},{"content":[{"text":"look","type":"text"},{"image_url":{"url":"data:image/png;base64,eA=="},"type":"image_url"}],"role":"user"},{"content":"I call","role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"pay"},"id":"c","type":"function"}]},{"content":"paid","name":"pay","role":"tool","tool_call_id":"c"}],"model":"fake","response_format":{"type":"json_object"},"seed":7,"stop":["END"],"stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"tool_choice":"required","tools":[{"function":{"description":"pays","name":"pay","parameters":{"properties":{},"type":"object"}},"type":"function"}],"user":"u1"}`},
		{"resp", `{"input":[{"content":"s","role":"system"},{"content":[{"text":"look","type":"input_text"},{"detail":"auto","image_url":"data:image/png;base64,eA==","type":"input_image"}],"role":"user"},{"content":"I call","role":"assistant"},{"arguments":"{}","call_id":"c","name":"pay","type":"function_call"},{"call_id":"c","output":"paid","type":"function_call_output"}],"max_output_tokens":5,"model":"fake","stream":true,"temperature":0.5,"text":{"format":{"type":"json_object"}},"tool_choice":"required","tools":[{"description":"pays","name":"pay","parameters":{"properties":{},"type":"object"},"strict":false,"type":"function"}],"user":"u1"}`},
	}
	for _, tt := range tests {
		s := server(t, `[{"reply":{"text":"{}"}}]`)
		w := llmtest.Open(t, setup(t, s.URL()), map[string]connector.Definition{"OpenAI": definition(t, "OpenAI")}, nil)
		ask := req
		ask.Model = tt.model
		for _, err := range w.As(t, "agent:helper").Stream(t.Context(), ask) {
			if err != nil {
				t.Fatal(err)
			}
		}
		want := strings.Replace(tt.want, `"content":"s"`, `"content":`+value.Of("s"+askJSON()).Canonical(), 1)
		if got := s.Requests().At(0).Get("body").Canonical(); got != want {
			t.Errorf("%s: sent\n%s\nwant\n%s", tt.model, got, want)
		}
	}
}

// askJSON is what the service adds to the system message when an answer is to be JSON.
func askJSON() string {
	var b strings.Builder
	for _, c := range llm.AskJSON(nil)[0].Content {
		b.WriteString(c.(llm.Text).Text)
	}
	return b.String()
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		kind         fault.Kind
		text         string
	}{
		{"refused", `[{"reply":{"error":{"status":400,"message":"bad request"}}}]`, fault.Invalid, "400 bad request"},
		{"wrong key", `[{"reply":{"error":{"status":401,"message":"bad key"}}}]`, fault.Unauthenticated, "401 bad key"},
		{"unknown model", `[{"reply":{"error":{"status":404,"message":"no such model"}}}]`, fault.NotFound, "404 no such model"},
		{"no connection", `[{"reply":{"close":true}}]`, fault.Unavailable, "Connection error."},
		{"cut", `[{"reply":{"text":"a b c d","abort_after":2}}]`, fault.Unavailable, ""},
	}
	for _, tt := range tests {
		for _, model := range []string{"chat", "resp"} {
			t.Run(tt.name+" "+model, func(t *testing.T) {
				t.Parallel()
				s := server(t, tt.script)
				w := llmtest.Open(t, setup(t, s.URL()), map[string]connector.Definition{"OpenAI": definition(t, "OpenAI")}, nil)
				var last error
				for _, err := range w.As(t, "agent:helper").Stream(t.Context(), llm.Request{Model: model, Messages: []llm.Message{llm.Say(llm.User, "x")}}) {
					last = err
				}
				if !fault.Is(last, tt.kind) || !strings.Contains(last.Error(), tt.text) {
					t.Errorf("error = %v (%v), want %v %q", last, fault.KindOf(last), tt.kind, tt.text)
				}
			})
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, d := range openaillm.Definitions() {
		models := parse(t, fmt.Sprintf(`{"m":{"provider":%q,"modelId":"x","credentials":"vault","baseURL":"http://provider.test"}}`, d.Name))
		w := llmtest.Open(t, llmtest.Setup{HTTP: client(t), Models: models, Effects: nil}, map[string]connector.Definition{d.Name: d}, nil)
		_, err := w.As(t, "agent:helper").Generate(t.Context(), llm.Request{Model: "m", Messages: []llm.Message{llm.Say(llm.User, "x")}})
		wants := d.Name != "OpenAI" && d.Name != "OpenAICompatible"
		if got := fault.CodeOf(err) == llm.CodeNoKey; got != wants {
			t.Errorf("%s without a key = %v, want %s: %t", d.Name, err, llm.CodeNoKey, wants)
		}
		if wants && !strings.Contains(err.Error(), "vault") {
			t.Errorf("%s: %v does not say where to put the key", d.Name, err)
		}
	}
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	s := server(t, `[]`)
	w := llmtest.Open(t, setup(t, s.URL()), map[string]connector.Definition{"OpenAI": definition(t, "OpenAI")}, nil)
	got, err := w.As(t, "agent:helper").Embed(t.Context(), llm.EmbedRequest{Model: "chat", Texts: []string{"a b", "a"}, Dimensions: 8})
	if err != nil || len(got.Vectors) != 2 || len(got.Vectors[0]) != 8 {
		t.Fatalf("Embed = %v, %v", got, err)
	}
	if got, want := s.Requests().At(0).Get("body").Canonical(), `{"dimensions":8,"encoding_format":"base64","input":["a b","a"],"model":"fake"}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}
