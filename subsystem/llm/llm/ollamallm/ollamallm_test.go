package ollamallm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/llm/ollamallm"
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

// setup leaves the network as it is for agents: an address of this machine is reached only because the operator named it.
func setup(t testing.TB, base string) llmtest.Setup {
	t.Helper()
	c, err := egress.New(egress.Policy{}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	entry := fmt.Sprintf(`{"provider":"Ollama","modelId":"qwen3:4b","baseURL":%q,"tokens":100000,"completionTokens":8000,"features":["text","tools","image","reasoning"]}`, base)
	return llmtest.Setup{HTTP: c, Effects: hurried{}, Models: parse(t, `{"qwen":`+entry+`,"wide":`+strings.TrimSuffix(entry, "}")+`,"settings":{"num_ctx":16384}}}`)}
}

// hurried is the source of the system, but for waits.
type hurried struct{ effect.System }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

func open(t testing.TB, s llmtest.Setup, base string) *llm.Handle {
	t.Helper()
	settings := map[string]value.Value{}
	if base != "" {
		settings["Ollama"] = value.Obj(value.M("baseURL", value.Of(base)))
	}
	return llmtest.Open(t, s, map[string]connector.Definition{"Ollama": ollamallm.Definition}, settings).As(t, "agent:helper")
}

func TestSuite(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
	llmtest.Run(t, ollamallm.Definition, llmtest.Subject{Setup: setup(t, s.Root()), Model: "qwen", Prompt: "go", Answer: "one two three"})
}

// recorded is an answer in the form of https://github.com/ollama/ollama/blob/main/docs/api.md#chat-request-streaming-with-tools.
const recorded = `{"model":"qwen3:4b","created_at":"2026-11-01T10:00:00.1Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"qwen3:4b","created_at":"2026-11-01T10:00:00.2Z","message":{"role":"assistant","content":"grüß "},"done":false}
{"model":"qwen3:4b","created_at":"2026-11-01T10:00:00.3Z","message":{"role":"assistant","content":"dich"},"done":false}
{"model":"qwen3:4b","created_at":"2026-11-01T10:00:00.4Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"pay","arguments":{"eur":5,"to":"Ada"}}}]},"done":false}
{"model":"qwen3:4b","created_at":"2026-11-01T10:00:00.5Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":12,"eval_count":7}
`

func TestWire(t *testing.T) {
	t.Parallel()
	llmtest.RunWire(t, ollamallm.Definition, llmtest.Subject{Setup: setup(t, "http://provider.test"), Model: "qwen", Prompt: "go"}, llmtest.Wire{
		ContentType: "application/x-ndjson", Stream: []byte(recorded), Whole: len(recorded) - 1, // the last line needs no end
		Client: func(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} },
	})
}

// ask sends a request and returns what the server was sent and what came back.
func ask(t *testing.T, script string, req llm.Request) (sent value.Value, got *llm.Response, err error) {
	t.Helper()
	s := server(t, script)
	if req.Model == "" {
		req.Model = "qwen"
	}
	got, err = llm.Collect(open(t, setup(t, s.Root()), "").Stream(t.Context(), req))
	return s.Requests().At(0), got, err
}

func TestRequest(t *testing.T) {
	t.Parallel()
	warm, k, seed := 0.5, 3, 7
	hi := []llm.Message{llm.Say(llm.User, "hi")}
	talk := []llm.Message{
		llm.Say(llm.System, "s"),
		{Role: llm.User, Content: []llm.Content{llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("x")}}},
		{Role: llm.Assistant, Content: []llm.Content{llm.Thinking{Text: "hm"}, llm.Text{Text: "I call"}, llm.ToolCall{ID: "c", Name: "pay", Arguments: `{"eur":5}`}}},
		{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Name: "pay", Text: "no", Failed: true}}},
	}
	pay := []llm.ToolSpec{{Name: "pay", Description: "pays", Parameters: parse(t, `{"type":"object","properties":{"eur":{"type":"number"}}}`)}, {Name: "ask"}}
	const said = `[{"content":"s","role":"system"},{"content":"look","images":["eA=="],"role":"user"},{"content":"I call","role":"assistant","thinking":"hm","tool_calls":[{"function":{"arguments":{"eur":5},"index":0,"name":"pay"},"id":"c"}]},{"content":"no","role":"tool","tool_call_id":"c","tool_name":"pay"}]`
	const tool = `{"function":{"description":"pays","name":"pay","parameters":{"properties":{"eur":{"type":"number"}},"type":"object"}},"type":"function"}`
	const other = `{"function":{"description":"","name":"ask","parameters":{"properties":{},"type":"object"}},"type":"function"}`
	const plain = `"messages":[{"content":"hi","role":"user"}],"model":"qwen3:4b"`
	tests := []struct {
		name string
		req  llm.Request
		want string
	}{
		{"plain", llm.Request{Messages: hi, MaxTokens: 5}, `{` + plain + `,"options":{"num_predict":5},"stream":true}`},
		{"everything", llm.Request{Messages: talk, Tools: pay, Temperature: &warm, TopP: &warm, TopK: &k, Seed: &seed, Stop: []string{"END"}, MaxTokens: 5, Reasoning: llm.Reasoning{On: true}},
			`{"messages":` + said + `,"model":"qwen3:4b","options":{"num_predict":5,"seed":7,"stop":["END"],"temperature":0.5,"top_k":3,"top_p":0.5},"stream":true,"think":true,"tools":[` + tool + `,` + other + `]}`},
		{"one tool", llm.Request{Messages: hi, Tools: pay, ToolChoice: "pay", MaxTokens: 5}, `{` + plain + `,"options":{"num_predict":5},"stream":true,"tools":[` + tool + `]}`},
		{"no tool", llm.Request{Messages: hi, Tools: pay, ToolChoice: llm.NoTools, MaxTokens: 5}, `{` + plain + `,"options":{"num_predict":5},"stream":true}`},
		{"effort", llm.Request{Messages: hi, Reasoning: llm.Reasoning{On: true, Effort: "high"}, MaxTokens: 5}, `{` + plain + `,"options":{"num_predict":5},"stream":true,"think":"high"}`},
		{"a window of its own", llm.Request{Model: "wide", Messages: hi, MaxTokens: 5}, `{` + plain + `,"options":{"num_ctx":16384,"num_predict":5},"stream":true}`},
		{"what only this one knows", llm.Request{Messages: hi, MaxTokens: 5, Extra: parse(t, `{"keep_alive":"1h","options":{"mirostat":1}}`)},
			`{"keep_alive":"1h",` + plain + `,"options":{"mirostat":1,"num_predict":5},"stream":true}`},
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

func TestFormat(t *testing.T) {
	t.Parallel()
	schema := parse(t, `{"type":"object","properties":{"a":{"type":"number"}}}`)
	tests := []struct {
		name string
		req  llm.Request
		want string
	}{
		{"JSON", llm.Request{Format: llm.Format{JSON: true}}, `"json"`},
		{"schema", llm.Request{Format: llm.Format{JSON: true, Schema: schema}}, schema.Canonical()},
		{"with tools", llm.Request{Format: llm.Format{JSON: true, Schema: schema}, Tools: []llm.ToolSpec{{Name: "a"}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.req.Messages = []llm.Message{llm.Say(llm.User, "x")}
			sent, _, err := ask(t, `[{"reply":{"text":"{}"}}]`, tt.req)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if f := sent.Get("body").Get("format"); !f.IsAbsent() {
				got = f.Canonical()
			}
			if got != tt.want {
				t.Errorf("format = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	const script = `[{"reply":{"text":"I call","tools":[{"name":"pay","args":{"eur":5}},{"name":"pay","args":{"eur":6}}]}}]`
	s := server(t, script)
	req := llm.Request{Model: "qwen", Messages: []llm.Message{llm.Say(llm.User, "x")}, Tools: []llm.ToolSpec{{Name: "pay"}}}
	h := open(t, setup(t, s.Root()), "")
	whole, err := h.Generate(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := llm.Collect(h.Stream(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*llm.Response{"whole": whole, "streamed": streamed} {
		calls := r.Calls
		if len(calls) != 2 || calls[0].Arguments != `{"eur":5}` || calls[1].Arguments != `{"eur":6}` || calls[0].ID == calls[1].ID || calls[0].ID == "" {
			t.Errorf("%s: calls = %+v, want two with ids of their own", name, calls)
		}
		if r.Finish.Reason != llm.ToolCalls || r.Text != "I call" || r.Usage.Input != 10 || r.Usage.Output != 5 {
			t.Errorf("%s: %q, %+v", name, r.Text, r.Usage)
		}
	}
}

// A model needs no entry in a catalogue, and neither does a key.
func TestDirect(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"fine"}}]`)
	for _, base := range []string{s.Root(), s.Root() + "/", s.Root() + "/api", s.Root() + "/v1/"} {
		got, err := open(t, setup(t, ""), base).Generate(t.Context(), llm.Request{Model: "ollama/library/phi4:14b", Messages: []llm.Message{llm.Say(llm.User, "x")}})
		if err != nil || got.Text != "fine" {
			t.Fatalf("%s: answer = %+v, %v", base, got, err)
		}
	}
	sent := s.Requests().At(0)
	if model := sent.Get("body").GetString("model"); model != "library/phi4:14b" || sent.Has("authorization") {
		t.Errorf("asked %q with %q, want library/phi4:14b without a key", model, sent.GetString("authorization"))
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"fine"}}]`)
	with := setup(t, s.Root())
	with.Vault = map[string]map[string]string{"team-a": {"ollama": "canary"}}
	if _, err := open(t, with, "").Generate(t.Context(), llm.Request{Model: "qwen", Messages: []llm.Message{llm.Say(llm.User, "x")}}); err != nil {
		t.Fatal(err)
	}
	if got := s.Requests().At(0).GetString("authorization"); got != "Bearer canary" {
		t.Errorf("authorization = %q, want the key of the vault", got)
	}
}

// An address of this machine that a team wrote into a model is not reached.
func TestT05_LoopbackOfATeam(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"fine"}}]`)
	with := setup(t, s.Root())
	with.TeamSettings = parse(t, fmt.Sprintf(`{"user-custom-llm":{"m":{"name":"mine","modelId":"x","provider":"Ollama","baseURL":%q}}}`, s.Root()))
	_, err := open(t, with, "").Generate(t.Context(), llm.Request{Model: "mine", Messages: []llm.Message{llm.Say(llm.User, "x")}})
	if !fault.Is(err, fault.Denied) || s.Requests().Len() != 0 {
		t.Errorf("error = %v after %d requests, want a refusal and none", err, s.Requests().Len())
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		kind         fault.Kind
		text         string
	}{
		{"no such model", `[{"reply":{"error":{"status":404,"message":"model 'qwen3:4b' not found"}}}]`, fault.NotFound, "ollama pull qwen3:4b"},
		{"refused", `[{"reply":{"error":{"status":400,"message":"\"qwen3:4b\" does not support thinking"}}}]`, fault.Invalid, "take another model"},
		{"a key is wanted", `[{"reply":{"error":{"status":401,"message":"unauthorized"}}}]`, fault.Unauthenticated, "sre vault set ollama"},
		{"busy", `[{"reply":{"error":{"status":429,"message":"slow"}}}]`, fault.RateLimited, "slow"},
		{"broken", `[{"reply":{"error":{"status":500,"message":"out of memory"}}}]`, fault.Unavailable, "out of memory"},
		{"broken on the way", `[{"reply":{"text":"a b c","error":{"message":"runner terminated"},"error_after":2}}]`, fault.Unavailable, "runner terminated"},
		{"a page instead of an answer", `[{"reply":{"body":"<html>","status":200}}]`, fault.Unavailable, "cannot be read"},
		{"a page instead of a refusal", `[{"reply":{"body":"<html>no","status":403}}]`, fault.Unauthenticated, "<html>no"},
		{"no connection", `[{"reply":{"close":true}}]`, fault.Unavailable, "ollama serve"},
		{"cut", `[{"reply":{"text":"a b c d","abort_after":2}}]`, fault.Unavailable, "Connection error."},
		{"no end", `[{"reply":{"text":"a b c d","no_finish":true}}]`, fault.Unavailable, "not complete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(t, tt.script, llm.Request{Messages: []llm.Message{llm.Say(llm.User, "x")}})
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v (%v), want %v %q", err, fault.KindOf(err), tt.kind, tt.text)
			}
		})
	}
}

func TestFile_Refused(t *testing.T) {
	t.Parallel()
	_, _, err := ask(t, `[]`, llm.Request{Messages: []llm.Message{{Role: llm.User, Content: []llm.Content{llm.File{MIME: "application/pdf"}}}}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "application/pdf") {
		t.Errorf("error = %v, want %v for the type", err, fault.Invalid)
	}
}

// A caller that goes away ends the request at the server, also while the answer stands still.
func TestF11_ClientGone(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","abort_after":2,"stall":true}}]`)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	gone := errors.New("gone")
	var got error
	for p, err := range open(t, setup(t, s.Root()), "").Stream(ctx, llm.Request{Model: "qwen", Messages: []llm.Message{llm.Say(llm.User, "x")}}) {
		if got = err; p != nil {
			cancel(gone)
		}
	}
	if !errors.Is(got, gone) {
		t.Errorf("error = %v, want %v", got, gone)
	}
	s.Close() // waits for the handler, which waits for the client to go
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	s := server(t, `[]`)
	got, err := open(t, setup(t, s.Root()), "").Embed(t.Context(), llm.EmbedRequest{Model: "qwen", Texts: []string{"a b", "a"}, Dimensions: 8})
	if err != nil || len(got.Vectors) != 2 || len(got.Vectors[0]) != 8 || slices.Equal(got.Vectors[0], got.Vectors[1]) || got.Usage.Input != 10 {
		t.Fatalf("Embed = %v, %v", got, err)
	}
	if got, want := s.Requests().At(0).Get("body").Canonical(), `{"dimensions":8,"input":["a b","a"],"model":"qwen3:4b"}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}
