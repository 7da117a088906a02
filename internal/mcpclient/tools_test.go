package mcpclient

import (
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestObjectSchema(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"none", nil, `{"type":"object","properties":{}}`},
		{"no object", []any{1.5}, `{"type":"object","properties":{}}`},
		{"no properties", map[string]any{"type": "object"}, `{"type":"object","properties":{}}`},
		{"another type", map[string]any{"type": "string", "properties": true}, `{"properties":{},"type":"object"}`},
		{"texts", map[string]any{"type": "object", "properties": map[string]any{"a\u200b": map[string]any{"description": "x\u202ey", "enum": []any{"\x1bz", nil, true, 2.0}}}}, "{\"properties\":{\"a\u200b\":{\"description\":\"xy\",\"enum\":[\"z\",null,true,2]}},\"type\":\"object\"}"},
	}
	for _, test := range tests {
		v, err := valueOf(test.in, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := objectSchema(v).JSON(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestT47_Nested: JSON that is nested without end is refused, not followed.
func TestT47_Nested(t *testing.T) {
	t.Parallel()
	var v any = "deep"
	for range value.DefaultLimits().Depth + 2 {
		v = map[string]any{"a": []any{v}}
	}
	if _, err := valueOf(v, 0); !fault.Is(err, fault.Limit) {
		t.Errorf("valueOf = %v, want a limit", err)
	}
}

func TestResultOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   mcp.CallToolResult
		want string
		kind fault.Kind // of the error, Internal for none
	}{
		{"nothing", mcp.CallToolResult{}, "", fault.Internal},
		{"texts", mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "a"}, &mcp.TextContent{Text: "b\x00"}}}, "a\nb", fault.Internal},
		{"a sound", mcp.CallToolResult{Content: []mcp.Content{&mcp.AudioContent{MIMEType: "audio/wav", Data: []byte("xx")}}}, "[audio/wav, 2 bytes]", fault.Internal},
		{"a resource without text", mcp.CallToolResult{Content: []mcp.Content{&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "x:y"}}, &mcp.EmbeddedResource{}}}, "x:y\n", fault.Internal},
		{"structure alone", mcp.CallToolResult{StructuredContent: map[string]any{"b": 1.0, "a": "x\u200b"}}, `{"a":"x","b":1}`, fault.Internal},
		{"structure beside text", mcp.CallToolResult{StructuredContent: map[string]any{}, Content: []mcp.Content{&mcp.TextContent{Text: "text"}}}, "text", fault.Internal},
		{"large structure", mcp.CallToolResult{StructuredContent: strings.Repeat("x", 101)}, "", fault.Limit},
		{"large text", mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.Repeat("x", 101)}}}, "", fault.Limit},
		{"an error", mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "no"}}}, "", fault.Unavailable},
		{"a question", mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"q": nil}}, "", fault.Denied},
	}
	for _, test := range tests {
		v, err := resultOf(&test.in, 100)
		if test.kind != fault.Internal {
			if !fault.Is(err, test.kind) {
				t.Errorf("%s: %v, %v; want %v", test.name, v.JSON(), err, test.kind)
			}
			continue
		}
		got, _ := v.Str()
		if v.IsObject() {
			got = v.JSON()
		}
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// FuzzShownName checks that names are what models take, and that no two tools share one.
func FuzzShownName(f *testing.F) {
	f.Add("shop", "buy", "sell")
	f.Add("", strings.Repeat("n", 70), strings.Repeat("n", 71))
	f.Add("a b", "x y", "x_y")
	f.Fuzz(func(t *testing.T, server, a, b string) {
		taken := map[string]bool{}
		first, second := shownName(server, a, taken), shownName(server, b, taken)
		for _, name := range []string{first, second} {
			if len(name) > maxToolName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
				t.Errorf("the name %q is none that models take", name)
			}
		}
		if a != b && first == second {
			t.Errorf("%q and %q are both %q", a, b, first)
		}
	})
}
