package template

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	data, err := value.Parse(`{"name":"Ann","zero":0,"no":false,"blank":"","null":null,"o":{"k":"deep","b":[0,{"c":"arr"}]},
		"list":[1,"x"],"o.flat":"flat"," a ":"spaced","":"empty","quote":"say \"hi\" \\\"there\\\"","self":"{{self}}","other":"{{name}}"}`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text, want string
		opts             Options
	}{
		{name: "text", text: "Hello {{name}}!", want: "Hello Ann!"},
		{name: "side by side", text: "{{zero}}{{no}}{{blank}}", want: "0false"},
		{name: "null counts as missing", text: "{{null}}", want: "{{null}}"},
		{name: "missing stays", text: "{{name}} {{b}}", want: "Ann {{b}}"},
		{name: "missing is cleaned", text: "{{name}} {{b}}", want: "Ann ", opts: Options{Clean: true}},
		{name: "spaces count", text: "{{ a }}", want: "spaced"},
		{name: "object", text: "{{o.b}}", want: `[0,{"c":"arr"}]`},
		{name: "list", text: "{{list}}", want: `[1,"x"]`},
		{name: "path", text: "{{o.k}} {{o.b[1].c}}", want: "deep arr"},
		{name: "name before path", text: "{{o.flat}}", want: "flat"},
		{name: "path to nothing", text: "{{o.x.y}}", want: "{{o.x.y}}"},
		{name: "empty name", text: "{{}}", want: "empty"},
		{name: "three braces", text: "{{{name}}}", want: "{{{name}}}"},
		{name: "open end", text: "{{name", want: "{{name"},
		{name: "line break", text: "{{na\nme}}", want: "{{na\nme}}"},
		{name: "line separator", text: "{{na\u2028me}}", want: "{{na\u2028me}}"},
		{name: "other signs of that size", text: "{{name}}\u2027{{na\u2026}}", want: "Ann\u2027{{na\u2026}}"},
		{name: "value that names itself", text: "{{self}}{{other}}", want: "{{self}}{{name}}"},
		{name: "after a line break", text: "{{x\n{{name}}", want: "{{x\nAnn"},
		{name: "quotes are escaped once", text: "{{quote}}", want: `say \"hi\" \"there\"`},
		{name: "bare quotes", text: "{{quote}}", want: `say "hi" \"there\"`, opts: Options{Bare: true}},
		{name: "no properties of JavaScript", text: "{{toString}}{{__proto__}}{{name.length}}", want: "{{toString}}{{__proto__}}3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Compile(test.text).Expand(data.Get, test.opts)
			if err != nil || got != test.want {
				t.Errorf("Expand(%q) = %q, %v; want %q", test.text, got, err, test.want)
			}
		})
	}
}

func TestResolveTyped(t *testing.T) {
	t.Parallel()
	settings, err := value.Parse(`{"a":{"id":"ida","label":"A"},"b":{"id":"idb","label":"B"}}`)
	if err != nil {
		t.Fatal(err)
	}
	got := ResolveTyped(`x {{plain}} {{VARINPUT:A:[1]}} {{VARINPUT:B:{"k":2}}} {{VAULTINPUT:C:[""]}}`, settings)
	if want := "x {{plain}} {{ida}} {{idb}} VAULTINPUT"; got != want {
		t.Errorf("ResolveTyped() = %q, want %q", got, want)
	}
}

func TestCompileSingle(t *testing.T) {
	t.Parallel()
	data := value.Obj(value.M("id", value.OfInt(7)), value.M("q", value.Of(`a"b`)))
	tests := []struct {
		name, text, want string
		opts             Options
	}{
		{"value", "/users/{id}", "/users/7", Options{}},
		{"missing stays as written", "/users/{name}", "/users/{name}", Options{}},
		{"missing is cleaned", "/users/{name}/x", "/users//x", Options{Clean: true}},
		{"two pairs", "{{id}}", "{{id}}", Options{}},
		{"open end", "{id", "{id", Options{}},
		{"quotes", "{q}", `a\"b`, Options{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := CompileSingle(test.text).Expand(data.Get, test.opts); err != nil || got != test.want {
				t.Errorf("Expand(%q) = %q, %v; want %q", test.text, got, err, test.want)
			}
		})
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	file := value.Obj(value.M("url", value.Of("smythfs://t.team/a/f")))
	data := value.Obj(value.M("file", file), value.M("null", value.NullValue()))
	tests := []struct {
		name, text string
		want       value.Value
	}{
		{"object", "{{file}}", file},
		{"text around is lost", "x {{file}} {{null}}", file},
		{"null", "{{null}}", value.NullValue()},
		{"missing", "{{other}}", value.Value{}},
		{"no paths", "{{file.url}}", value.Value{}},
		{"text", "plain", value.Of("plain")},
		{"empty", "", value.Of("")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Compile(test.text).Raw(data.Get); !value.Equal(got, test.want) {
				t.Errorf("Raw(%q) = %s, want %s", test.text, got.JSON(), test.want.JSON())
			}
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		tokens []string
		keys   []string
	}{
		{"", nil, nil},
		{"plain {a}", nil, nil},
		{"{{a}} {{ b.c }}{{a}}", []string{"a", " b.c ", "a"}, nil},
		{"Bearer {{KEY(one)}} {{KEY(two)", []string{"KEY(one)"}, []string{"one"}},
		{"{{KEY()}}{{KEY(a)b)}}{{key(a)}}{{KEY(a}}{{ KEY(a)}}", []string{"KEY()", "KEY(a)b)", "key(a)", "KEY(a", " KEY(a)"}, []string{"", "a)b"}},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			c := Compile(test.text)
			if got := c.Tokens(); !slices.Equal(got, test.tokens) || c.HasPlaceholders() != (test.tokens != nil) || c.Source() != test.text {
				t.Errorf("Tokens(%q) = %q, placeholders %t, source %q; want %q", test.text, got, c.HasPlaceholders(), c.Source(), test.tokens)
			}
			if got := VaultKeys(test.text); !slices.Equal(got, test.keys) {
				t.Errorf("VaultKeys(%q) = %q, want %q", test.text, got, test.keys)
			}
		})
	}
}

func TestVaultReference(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"{{KEY(a b)}}": "a b", "{{KEY(../x)}}": "../x", "x{{KEY(a)}}": "-", "{{KEY(a)}} ": "-",
		"{{KEY(a)}}{{KEY(b)}}": "-", "{{a}}": "-", "KEY(a)": "-", "": "-", "{{KEY(a\n)}}": "-"} {
		got, ok := VaultReference(text)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("VaultReference(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"{{a}}", "{{", "}}{{", "{{a.b[0]}}", "{{{{}}}}", "{{\n}}"} {
		f.Add(s, "{{a}}")
	}
	f.Fuzz(func(t *testing.T, text, in string) {
		got, err := Compile(text).Expand(func(string) value.Value { return value.Value{} }, Options{})
		if err != nil || got != text {
			t.Errorf("Expand(%q) with no values = %q, %v; want it unchanged", text, got, err)
		}
		if _, err := Compile(text).Expand(func(string) value.Value { return value.Of(in) }, Options{}); err != nil && len(in) < 1000 && len(text) < 1000 {
			t.Errorf("Expand(%q) with %q: %v", text, in, err)
		}
	})
}

// FuzzExpandAll checks that variables of any text end, within the limit.
func FuzzExpandAll(f *testing.F) {
	for _, s := range []string{"{{a}}", "{{b}}", "x{{a}}{{b}}", "{{a.b}}", "{{KEY(k)}}", "{{\n{{a}}"} {
		f.Add(s, "{{a}}"+s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		in := value.Obj(value.M("a", value.Of(a)), value.M("b", value.Of(b)), value.M("n", value.OfInt(1)))
		got, err := ExpandAll(in)
		switch {
		case err != nil && !fault.Is(err, fault.Limit):
			t.Errorf("ExpandAll(%s): %v, want a limit or none", in.JSON(), err)
		case err == nil && (got.Len() != 3 || len(got.GetString("a"))+len(got.GetString("b")) > limits.Default().TemplateBytes+len(a)+len(b)):
			t.Errorf("ExpandAll(%s) = %d members with %d bytes in a", in.JSON(), got.Len(), len(got.GetString("a")))
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for name, piece := range map[string]string{"words": "Hello {{name}} and {{a.b[0]}}, welcome.\n", "open ends": "{{name\n"} {
		for _, kib := range []int{1, 64, 1024} {
			b.Run(name+"/"+strconv.Itoa(kib)+"KiB", func(b *testing.B) {
				text := strings.Repeat(piece, kib<<10/len(piece)) + "}}"
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					Compile(text)
				}
			})
		}
	}
}

func BenchmarkExpand(b *testing.B) {
	t := Compile("Hello {{name}}, you are {{age}} and live in {{city}}.")
	data := value.Obj(value.M("name", value.Of("Ann")), value.M("age", value.OfInt(42)), value.M("city", value.Of("Oslo")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Expand(data.Get, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
