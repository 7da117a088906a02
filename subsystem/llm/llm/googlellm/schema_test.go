package googlellm

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/subsystem/llm/llm"
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

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, schema, want string }{
		{"text", `{"type":"string","minLength":1,"format":"uri","title":"x"}`, `{"minLength":1,"type":"STRING"}`},
		{"a moment", `{"type":"string","format":"date-time"}`, `{"format":"date-time","type":"STRING"}`},
		{"one of some texts", `{"enum":["a","","b"]}`, `{"enum":["a","b"],"format":"enum","type":"STRING"}`},
		{"one text", `{"const":"a"}`, `{"enum":["a"],"format":"enum","type":"STRING"}`},
		{"one of some numbers", `{"type":"integer","enum":[1,2],"minimum":1}`, `{"minimum":1,"type":"INTEGER"}`},
		{"a list of anything", `{"type":"array"}`, `{"items":{"type":"STRING"},"type":"ARRAY"}`},
		{"or nothing", `{"type":["number","null"]}`, `{"nullable":true,"type":"NUMBER"}`},
		{"choices", `{"oneOf":[{"type":"string"},{"type":"null"},{"type":"boolean"}],"description":"d"}`, `{"anyOf":[{"type":"STRING"},{"type":"BOOLEAN"}],"description":"d","nullable":true}`},
		{"an object", `{"type":"object","$schema":"s","additionalProperties":false,"properties":{"b":{"type":"string"},"a":{"type":"number"}},"required":["a","gone"]}`,
			`{"properties":{"a":{"type":"NUMBER"},"b":{"type":"STRING"}},"propertyOrdering":["b","a"],"required":["a"],"type":"OBJECT"}`},
		{"references", `{"type":"object","properties":{"a":{"$ref":"#/$defs/x~1y","description":"here"}},"$defs":{"x/y":{"type":"integer","description":"there"}}}`,
			`{"properties":{"a":{"description":"here","type":"INTEGER"}},"propertyOrdering":["a"],"type":"OBJECT"}`},
		{"all together", `{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`,
			`{"properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}},"propertyOrdering":["a","b"],"required":["a","b"],"type":"OBJECT"}`},
		{"a reference to nothing", `{"$ref":"#/no"}`, `{"type":"STRING"}`},
		{"a reference to itself", `{"$ref":"#"}`, `{"type":"STRING"}`},
		{"no schema", `true`, `{"type":"STRING"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := clean(parse(t, tt.schema)).Canonical(); got != tt.want {
				t.Errorf("clean(%s) = %s, want %s", tt.schema, got, tt.want)
			}
		})
	}
}

// A schema that refers to itself ends, also when it does so in several places.
func TestClean_Cycle(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		`{"type":"object","properties":{"child":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"child":{"$ref":"#"},"other":{"$ref":"#"},"third":{"$ref":"#"}}}`,
	} {
		got := clean(parse(t, schema)).JSON()
		if n := strings.Count(got, "child"); n < 2 || len(got) > 1<<20 {
			t.Errorf("clean(%s) has %d levels and %d bytes, want some and few", schema, n, len(got))
		}
	}
}

// FuzzClean: any schema becomes one of the provider's, with a type or choices everywhere.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{`{}`, `{"type":[]}`, `{"anyOf":[{"$ref":"#/anyOf/0"}]}`, `{"properties":{"a":{"items":{"type":"array"}}}}`, `{"allOf":[{"allOf":[{}]}],"enum":[null]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Decode([]byte(text), value.Limits{Bytes: 1 << 10})
		if err != nil {
			return
		}
		if got := clean(v); !got.Has("type") && !got.Has("anyOf") {
			t.Errorf("clean(%s) = %s, want a type", text, got.JSON())
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 80)
	var tools []llm.ToolSpec
	for _, name := range []string{"a b", "a_b", "a-b.c", "ä", "1", long, long + "y"} {
		tools = append(tools, llm.ToolSpec{Name: name})
	}
	n := newNames(tools)
	seen := map[string]bool{}
	for _, tool := range tools {
		name := n.out(tool.Name)
		if seen[name] || len(name) > 64 || fit(name) != name || n.back(name) != tool.Name {
			t.Errorf("%q becomes %q, which comes back as %q", tool.Name, name, n.back(name))
		}
		seen[name] = true
	}
	if got := n.out("a_b"); got != "a_b" {
		t.Errorf("a name that fits becomes %q", got)
	}
}
