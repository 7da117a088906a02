package openaillm_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

func TestPieces(t *testing.T) {
	t.Parallel()
	const end = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	tests := []struct {
		name   string
		pieces []string
		want   string
	}{
		{"text", []string{`{"choices":[{"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content":"b"}}]}`, end}, "a b finish:stop"},
		{"no choice", []string{`{"choices":[]}`, `{}`, `{"choices":null}`, end}, "finish:stop"},
		{"no delta", []string{`{"choices":[{"index":0}]}`, end}, "finish:stop"},
		{"null members", []string{`{"choices":[{"delta":{"content":null,"tool_calls":null,"refusal":null},"finish_reason":null}],"usage":null,"error":null}`, end}, "finish:stop"},
		{"members of another kind", []string{`{"choices":[{"delta":{"content":5,"tool_calls":{"index":0}},"finish_reason":{}}],"usage":"none"}`, end}, "finish:stop"},
		{"a member twice", []string{`{"choices":[],"choices":[{"delta":{"content":"a"}}]}`, end}, "a finish:stop"},
		{"thoughts", []string{`{"choices":[{"delta":{"reasoning_content":"hm"}}]}`, end}, "(hm) finish:stop"},
		{"a refusal", []string{`{"choices":[{"delta":{"refusal":"no"}}]}`, end}, "no finish:content_filter"},
		{"calls out of order", []string{
			`{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}},{"index":0,"id":"a","function":{"name":"f"}}]}}]}`,
			`{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}},{"index":-1,"id":"x"},{"index":1e300,"id":"y"},{"index":0.5}]}}]}`, end,
		}, "a=f() b=g({}) finish:stop"},
		{"use", []string{end, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}`}, "6+4>5/2 finish:stop"},
		{"use that cannot be", []string{end, `{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":1e300}}`}, "finish:stop"},
		{"no end", []string{`{"choices":[{"delta":{"content":"a"}}]}`}, "a !"},
		{"an error", []string{`{"error":{"message":"overloaded"}}`}, `!received error while streaming: {"message":"overloaded"}`},
		{"an error as text", []string{`{"error":"overloaded"}`}, "!received error while streaming: overloaded"},
		{"no JSON", []string{`{"choices":`}, "!Connection error."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream := "data: " + strings.Join(tt.pieces, "\n\ndata: ") + "\n\ndata: [DONE]\n\n"
			var got []string
			ask(t, "http://provider.test/v1", func(r *http.Request) *http.Response { return answer(r, 200, "text/event-stream", stream) }, func(p llm.Part, err error) {
				got = append(got, inShort(p, err))
			})
			text := strings.Join(got, " ")
			before, said, failing := strings.Cut(tt.want, "!")
			if failing && !(strings.HasPrefix(text, before+"!") && strings.Contains(text, said)) || !failing && text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}

// ask asks a model that answers without a network. Time in between passes at once.
func ask(t *testing.T, base string, answers roundTrip, each func(llm.Part, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, base)
		s.HTTP = &http.Client{Transport: answers}
		w := llmtest.Open(t, s, map[string]connector.Definition{"OpenAI": definition(t, "OpenAI")}, nil)
		for p, err := range w.As(t, "agent:helper").Stream(t.Context(), llm.Request{Model: "chat", Messages: []llm.Message{llm.Say(llm.User, "x")}}) {
			each(p, err)
		}
	})
}

func answer(r *http.Request, status int, kind, text string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}
}

func inShort(p llm.Part, err error) string {
	switch p := p.(type) {
	case llm.Text:
		return p.Text
	case llm.Thinking:
		return "(" + p.Text + ")"
	case llm.ToolCall:
		return p.ID + "=" + p.Name + "(" + p.Arguments + ")"
	case llm.Usage:
		return fmt.Sprintf("%d+%d>%d/%d", p.Input, p.CacheRead, p.Output, p.Thinking)
	case llm.Finish:
		return "finish:" + string(p.Reason)
	}
	return fmt.Sprintf("!%v", err)
}

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	return f(r), nil
}

// TestAddress tells where requests for a base URL go, and what of a refusal is told.
func TestAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, base, want string
		status           int
		body, said       string
	}{
		{"plain", "http://provider.test/v1", "http://provider.test/v1/chat/completions", 400, `{"error":{"message":"no"}}`, "400 no"},
		{"with a slash", "http://provider.test/v1/", "http://provider.test/v1/chat/completions", 429, `{"error":{"message":"slower"}}`, "429 slower"},
		{"without a path", "http://provider.test", "http://provider.test/chat/completions", 500, `<html>`, "500"},
		{"with a query", "http://provider.test/v1?x=1", "http://provider.test/v1/chat/completions", 404, `{"error":"gone"}`, "404"},
		{"escaped", "http://provider.test/a%2Fb", "http://provider.test/a%2Fb/chat/completions", 401, ``, "401"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked string
			var last error
			ask(t, tt.base, func(r *http.Request) *http.Response {
				asked = r.URL.String()
				return answer(r, tt.status, "application/json", tt.body)
			}, func(_ llm.Part, err error) { last = err })
			if asked != tt.want {
				t.Errorf("asked %q, want %q", asked, tt.want)
			}
			if last == nil || !strings.Contains(last.Error(), tt.said) {
				t.Errorf("error = %v, want one with %q", last, tt.said)
			}
		})
	}
}
