package schema

import (
	"strings"
	"testing"
)

func TestJSONSchema(t *testing.T) {
	t.Parallel()
	got := For[sample]().JSONSchema()
	tests := []struct{ path, want string }{
		{"type", `"object"`},
		{"required", `["name"]`},
		{"properties.name", `{"type":"string","title":"Name, full","description":"Who it is.","minLength":2,"maxLength":5}`},
		{"properties.mode", `{"type":"string","enum":["fast","slow"],"default":"fast"}`},
		{"properties.path.pattern", `"^[a-zA-Z0-9_]+([-_][a-zA-Z0-9_]+)*$"`},
		{"properties.count", `{"type":"integer","minimum":1,"maximum":10,"default":"3"}`},
		{"properties.key", `{"type":"string","description":"The key | token.","writeOnly":true}`},
		{"properties.extra", `{}`},
		{"properties.tags", `{"type":"array"}`},
		{"properties.inner.required", `["host"]`},
		{"properties.inner.properties.port.type", `"integer"`},
	}
	for _, test := range tests {
		if text := got.Lookup(test.path).JSON(); text != test.want {
			t.Errorf("%s = %s, want %s", test.path, text, test.want)
		}
	}
	if text, want := (Object{}).JSONSchema().JSON(), `{"type":"object","properties":{}}`; text != want {
		t.Errorf("of no settings: %s, want %s", text, want)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	got := For[sample]().Markdown()
	for _, want := range []string{
		"| Setting | Type | Rules | Meaning |\n|---|---|---|---|\n",
		"| `name` | string | required, at least 2 characters, at most 5 characters | Who it is. |\n",
		"| `mode` | string | default `fast`, one of `fast` `slow` |  |\n",
		"| `wait` | number | in seconds |  |\n",
		"| `key` | string | secret | The key \\| token. |\n",
		"| `note` | string | template |  |\n",
		"| `inner.host` | string | required |  |\n",
		"| `count` | integer | default `3`, at least 1, at most 10 |  |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
	if got := (Object{}).Markdown(); got != "" {
		t.Errorf("of no settings: %q, want nothing", got)
	}
}

func TestMarkdown_EmptyChoice(t *testing.T) {
	t.Parallel()
	got := For[struct {
		Kind string `json:"kind" sre:"enum=|a"`
	}]().Markdown()
	if want := "one of `(empty)` `a`"; !strings.Contains(got, want) {
		t.Errorf("the table lacks %q:\n%s", want, got)
	}
}
