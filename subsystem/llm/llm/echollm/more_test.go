package echollm_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

func TestEcho_Tools(t *testing.T) {
	t.Parallel()
	tools := []llm.ToolSpec{{Name: "greet"}}
	result := llm.Message{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{Text: "hello Ada"}, llm.ToolResult{Text: "hello Bob"}}}
	tests := []struct {
		name     string
		tools    []llm.ToolSpec
		messages []llm.Message
		text     string
		calls    []llm.ToolCall
	}{
		{"two calls", tools, []llm.Message{llm.Say(llm.User, "please\n/call greet {\"name\": \"Ada\"}\n  /call greet\n/callgreet x")}, "", []llm.ToolCall{
			{ID: "call_1_0", Name: "greet", Arguments: `{"name": "Ada"}`}, {ID: "call_1_1", Name: "greet"},
		}},
		{"their results", tools, []llm.Message{llm.Say(llm.User, "/call greet"), result}, "hello Ada\nhello Bob", nil},
		{"no call", tools, []llm.Message{llm.Say(llm.User, "call greet")}, "call greet", nil},
		{"no tools", nil, []llm.Message{llm.Say(llm.User, "/call greet")}, "/call greet", nil},
	}
	w := open(t, "0")
	for _, tt := range tests {
		for _, collect := range []func(llm.Request) (*llm.Response, error){
			func(r llm.Request) (*llm.Response, error) { return w.As(t, "agent:helper").Generate(t.Context(), r) },
			func(r llm.Request) (*llm.Response, error) {
				return llm.Collect(w.As(t, "agent:helper").Stream(t.Context(), r))
			},
		} {
			got, err := collect(llm.Request{Model: "Echo", Messages: tt.messages, Tools: tt.tools})
			if err != nil || got.Text != tt.text || !reflect.DeepEqual(got.Calls, tt.calls) {
				t.Errorf("%s: %q, %v, %v; want %q, %v", tt.name, got.Text, got.Calls, err, tt.text, tt.calls)
			}
		}
	}
}

// Vectors are of length 1, the same for the same words, and near each other for texts that have words in common.
func TestEcho_Embed(t *testing.T) {
	t.Parallel()
	h := open(t, "0").As(t, "agent:helper")
	got, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "Echo", Texts: []string{
		"The cat sat on the mat.", "the CAT, sat on the mat", "A cat lay on a mat", "Quarterly revenue grew strongly", "…",
	}})
	if err != nil {
		t.Fatal(err)
	}
	near := func(i, j int) float64 {
		sum := 0.0
		for k, x := range got.Vectors[i] {
			sum += float64(x) * float64(got.Vectors[j][k])
		}
		return sum
	}
	if n := len(got.Vectors[0]); n != 256 || math.Abs(near(0, 0)-1) > 1e-5 {
		t.Errorf("a vector has %d dimensions and the length %f", n, near(0, 0))
	}
	if near(0, 1) < 0.999 || near(0, 2) < near(0, 3)+0.2 || near(4, 4) != 0 {
		t.Errorf("the same words %f, some of them %f, others %f, none %f", near(0, 1), near(0, 2), near(0, 3), near(4, 4))
	}
	if some, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "Echo", Texts: []string{"a"}, Dimensions: 8}); err != nil || len(some.Vectors[0]) != 8 {
		t.Errorf("8 dimensions: %v, %v", some.Vectors, err)
	}
	for _, n := range []int{-1, 1 << 20} {
		if _, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "Echo", Dimensions: n}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d dimensions: %v, want %v", n, err, fault.Invalid)
		}
	}
}
