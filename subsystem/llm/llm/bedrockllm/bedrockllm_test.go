package bedrockllm_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/bedrockllm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
	llmtest.Run(t, bedrockllm.Definition, llmtest.Subject{Setup: setup(t, s.Root()), Model: "claude", Prompt: "go", Answer: "one two three"})
}

// recorded is a stream with a thought, a text, a tool call and what was used. whole is its length when the reason is known.
func recorded() (stream []byte, whole int) {
	for _, e := range []struct{ name, payload string }{
		{"messageStart", `{"role":"assistant","p":"abcd"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"sig"}}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"grüß "}}`},
		{"contentBlockStop", `{"contentBlockIndex":1}`},
		{"contentBlockStart", `{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t1","name":"pay"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"eur\":"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"toolUse":{"input":"5}"}}}`},
		{"contentBlockStop", `{"contentBlockIndex":2}`},
		{"messageStop", `{"stopReason":"tool_use"}`},
		{"metadata", `{"usage":{"inputTokens":10,"outputTokens":7,"totalTokens":22,"cacheReadInputTokens":3,"cacheWriteInputTokens":2},"metrics":{"latencyMs":5}}`},
	} {
		stream = append(stream, testmodel.ConverseEvent(e.name, []byte(e.payload))...)
		if e.name == "messageStop" {
			whole = len(stream)
		}
	}
	return stream, whole
}

func TestWire(t *testing.T) {
	t.Parallel()
	stream, whole := recorded()
	llmtest.RunWire(t, bedrockllm.Definition, llmtest.Subject{Setup: setup(t, "http://provider.test"), Model: "claude", Prompt: "go"}, llmtest.Wire{
		ContentType: "application/vnd.amazon.eventstream", Stream: stream, Whole: whole,
		Client: func(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} },
	})
}

// A changed byte is found by the checksums, wherever it is: no answer is complete with it but one that was so before.
func TestF09_DamageAtEveryByte(t *testing.T) {
	t.Parallel()
	stream, whole := recorded()
	for n := 0; n < len(stream); n++ {
		broken := slices.Clone(stream)
		broken[n] ^= 0x10
		got, err := overWire(t, broken)
		if n < whole && err == nil {
			t.Fatalf("byte %d of %d: %+v, want no complete answer", n, len(stream), got)
		}
		if err != nil && len(got.Calls) > 0 {
			t.Fatalf("byte %d of %d: %+v with a tool call", n, len(stream), got)
		}
	}
}

func TestStream_Parts(t *testing.T) {
	t.Parallel()
	stream, _ := recorded()
	got, err := overWire(t, stream)
	want := llm.Usage{Input: 10, Output: 7, CacheRead: 3, CacheWrite: 2}
	if err != nil || got.Text != "grüß " || got.Usage != want || got.Finish.Reason != llm.ToolCalls || len(got.Calls) != 1 || got.Calls[0].Arguments != `{"eur":5}` {
		t.Errorf("answer = %+v, %v", got, err)
	}
	m := got.Message()
	if thought, ok := m.Content[0].(llm.Thinking); !ok || thought.Text != "hm" || thought.Signature != "sig" {
		t.Errorf("the message begins with %+v, want the signed thought", m.Content[0])
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"fine","tools":[{"id":"c","name":"pay","args":{"eur":5,"to":{"name":"Ada"}}}]}}]`)
	got, err := open(t, setup(t, s.Root())).Generate(t.Context(), llm.Request{Model: "claude", Messages: []llm.Message{llm.Say(llm.User, "x")}})
	if err != nil || got.Text != "fine" || got.Finish.Reason != llm.ToolCalls || got.Usage != (llm.Usage{Input: 10, Output: 5}) {
		t.Fatalf("answer = %+v, %v", got, err)
	}
	if c := got.Calls[0]; c.ID != "c" || c.Name != "pay" || parse(t, c.Arguments).Canonical() != `{"eur":5,"to":{"name":"Ada"}}` {
		t.Errorf("call = %+v", c)
	}
	if path := s.Requests().At(0).GetString("path"); path != "/model/anthropic.claude-fake-v1:0/converse" {
		t.Errorf("asked %s, want the answer at once", path)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]llm.Reason{
		"end_turn": llm.Stop, "stop_sequence": llm.Stop, "max_tokens": llm.Length, "guardrail_intervened": llm.ContentFilter,
		"content_filtered": llm.ContentFilter, "model_context_window_exceeded": llm.Length, "malformed_tool_use": llm.Failed, "something_new": llm.Unknown,
	} {
		_, got, err := ask(t, `[{"reply":{"text":"a","finish":"`+raw+`"}}]`, llm.Request{Messages: []llm.Message{llm.Say(llm.User, "x")}})
		if err != nil || got.Finish.Reason != want || got.Finish.Raw != raw {
			t.Errorf("%s: %+v, %v, want %s", raw, got.Finish, err, want)
		}
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"fine"}}]`)
	var raw []string
	for p, err := range open(t, setup(t, s.Root())).Stream(t.Context(), llm.Request{Model: "claude", Raw: true, Messages: []llm.Message{llm.Say(llm.User, "x")}}) {
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := p.(llm.Raw); ok && !p.JSON.IsNil() {
			raw = append(raw, p.JSON.JSON())
		}
	}
	if want := []string{`{"contentBlockIndex":0,"delta":{"text":"fine"}}`}; !slices.Equal(raw, want) {
		t.Errorf("raw = %q, want %q", raw, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script, model string
		kind                fault.Kind
		text                string
	}{
		{"throttled", refusing(429, "ThrottlingException", "Too many requests"), "", fault.RateLimited, "quota"},
		{"throttled inside of an answer", `[{"reply":{"text":"a b","error_after":1,"error":{"type":"throttlingException","message":"slow down"}}}]`, "", fault.RateLimited, "slow down"},
		{"failed inside of an answer", `[{"reply":{"text":"a b","error_after":2,"error":{"type":"modelStreamErrorException","message":"lost"}}}]`, "", fault.Unavailable, "lost"},
		{"unheard of inside of an answer", `[{"reply":{"text":"a b","error_after":1,"error":{"type":"strangeException","message":"odd"}}}]`, "", fault.Unavailable, "odd"},
		{"invalid", refusing(400, "ValidationException", "bad request"), "", fault.Invalid, "400 ValidationException: bad request"},
		{"needs a profile", refusing(400, "ValidationException", "on-demand throughput isn't supported"), "", fault.Invalid, "inference profile"},
		{"denied", refusing(403, "AccessDeniedException", "no access"), "", fault.Unauthenticated, "bedrock:InvokeModel"},
		{"wrong key", refusing(403, "UnrecognizedClientException", "bad token"), "", fault.Unauthenticated, "secret in the vault"},
		{"old session", refusing(403, "ExpiredTokenException", "expired"), "", fault.Unauthenticated, "session token"},
		{"no such model", refusing(404, "ResourceNotFoundException", "no model"), "", fault.NotFound, "region"},
		{"not ready", refusing(429, "ModelNotReadyException", "cold"), "", fault.Unavailable, "started"},
		{"quota", refusing(400, "ServiceQuotaExceededException", "over"), "", fault.RateLimited, "quota"},
		{"late", refusing(408, "ModelTimeoutException", "late"), "", fault.Timeout, "late"},
		{"model failed", refusing(424, "ModelErrorException", "broke"), "", fault.Unavailable, "broke"},
		{"page of a proxy", `[{"reply":{"body":"<html>no</html>","status":502}}]`, "", fault.Unavailable, "502"},
		{"page as an answer", `[{"reply":{"body":"<html>hello, this is a page and no stream of events</html>"}}]`, "", fault.Unavailable, ""},
		{"no connection", `[{"reply":{"close":true}}]`, "", fault.Unavailable, "Connection error."},
		{"cut", `[{"reply":{"text":"a b c d","abort_after":2}}]`, "", fault.Unavailable, ""},
		{"no reason", `[{"reply":{"text":"a b","no_finish":true}}]`, "", fault.Unavailable, "without a reason"},
		{"no key", `[]`, "keyless", fault.Unauthenticated, "keyIDName"},
		{"no region", `[]`, "nowhere", fault.Invalid, "us-east-1"},
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
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("error = %v tells a secret", err)
			}
		})
	}
}

// refusing is a script that refuses with an error of the provider.
func refusing(status int, kind, message string) string {
	return `[{"reply":{"error":` + value.Obj(value.M("status", value.OfInt(status)), value.M("type", value.Of(kind)), value.M("message", value.Of(message))).JSON() + `}}]`
}
