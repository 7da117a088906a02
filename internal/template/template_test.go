package template

import (
	"strings"
	"testing"

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

// TestT28_SecondExpansion: what is put into a text is never read for placeholders again.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	hostile := []string{"{{KEY(canary)}}", "{{secret}}", "{{constructor.constructor}}", "{{a.b[0].__proto__}}", "}}{{secret}}{{"}
	for _, h := range hostile {
		lookup := func(name string) value.Value {
			switch name {
			case "in":
				return value.Of(h)
			case "secret", "KEY(canary)":
				return value.Of("CANARY")
			}
			return value.Value{}
		}
		for _, text := range []string{"{{in}}", "{{in}}{{in}}", "{{{{in}}}}", "{{KEY({{in}})}}"} {
			got, err := Compile(text).Expand(lookup, Options{Bare: true})
			if err != nil || strings.Contains(got, "CANARY") {
				t.Errorf("Expand(%q) with %q = %q, %v; want no canary", text, h, got, err)
			}
		}
	}
}

func TestExpandAll(t *testing.T) {
	t.Parallel()
	vars := value.Obj(value.M("a", value.Of("{{b}}")), value.M("b", value.Of("{{c}}!")), value.M("c", value.Of("end")),
		value.M("key", value.Of("{{KEY(k)}}")), value.M("n", value.OfInt(5)), value.M("loop", value.Of("{{loop}}x")))
	got, err := ExpandAll(vars)
	if err != nil {
		t.Fatal(err)
	}
	if g := got.GetString("a"); g != "end!" {
		t.Errorf("a = %q, want %q", g, "end!")
	}
	if g := got.GetString("key"); g != "{{KEY(k)}}" {
		t.Errorf("key = %q, want the reference as written", g)
	}
	if g := len(got.GetString("loop")); g > 100 {
		t.Errorf("a variable that names itself grew to %d bytes", g)
	}
}

// TestT28_VariableBomb: variables that multiply each other end at a limit.
func TestT28_VariableBomb(t *testing.T) {
	t.Parallel()
	b := value.NewBuilder(4)
	for i := range 6 {
		b.Set(string(rune('a'+i)), value.Of(strings.Repeat("{{"+string(rune('b'+i))+"}}", 2000)))
	}
	if _, err := ExpandAll(b.Build()); err == nil {
		t.Error("ExpandAll() succeeded, want LIMIT_EXCEEDED(template_bytes)")
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
