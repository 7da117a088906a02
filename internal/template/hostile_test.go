package template

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

const canary = "CANARY-7f3a"

// hostileTexts are values that a caller, a model or a file may hold.
func hostileTexts() []string {
	return []string{
		"{{KEY(canary)}}", "{{secret}}", "{secret}", "{{constructor.constructor}}", "{{a.b[0].__proto__}}", "{{__proto__}}",
		"}}{{secret}}{{", "}}", "{{", "sec", "ret}}", "KEY(canary)", "secret", `"}{{secret}}`, "$&", "$1", "${secret}",
		strings.Repeat("{{", 6) + "secret" + strings.Repeat("}}", 6), "{{in}}", "{{deep.er.deepest}}", "{{VARVAULTINPUT:A:[\"\"]}}",
	}
}

// TestT28_SecondExpansion: what is put into a text is never read for placeholders again, wherever it stands and
// whatever stands beside it.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	texts := []string{
		"{{in}}", "{{in}}{{in}}", "{{{{in}}}}", "{{KEY({{in}})}}", "{{in}}{{and}}", "{{and}}{{in}}", "{{o.k}}", "{{list[0]}}{{list[1]}}",
		"{{list}}", "{{o}}", "x {{in}} y\n{{and}}", "{in}", "{{in}} {in}",
	}
	compilers := map[string]func(string) *Template{"double": Compile, "single": CompileSingle}
	for _, first := range hostileTexts() {
		for _, second := range hostileTexts() {
			in, and := value.Of(first), value.Of(second)
			data := value.Obj(value.M("in", in), value.M("and", and), value.M("o", value.Obj(value.M("k", in))), value.M("list", value.List(in, and)),
				value.M("secret", value.Of(canary)), value.M("KEY(canary)", value.Of(canary)))
			for name, compile := range compilers {
				for _, text := range texts {
					for _, o := range []Options{{}, {Bare: true}, {Clean: true}, {Bare: true, Clean: true}} {
						got, err := compile(text).Expand(data.Get, o)
						if err != nil || strings.Contains(got, canary) {
							t.Errorf("%s: Expand(%q) with %q and %q, %+v = %q, %v; want no canary", name, text, first, second, o, got, err)
						}
					}
				}
			}
		}
	}
}

// TestT28_Literally: a hostile value arrives as it was sent.
func TestT28_Literally(t *testing.T) {
	t.Parallel()
	for _, h := range hostileTexts() {
		data := value.Obj(value.M("in", value.Of(h)), value.M("secret", value.Of(canary)))
		for _, o := range []Options{{Bare: true}, {Bare: true, Clean: true}} {
			if got, err := Compile("a {{in}} b").Expand(data.Get, o); err != nil || got != "a "+h+" b" {
				t.Errorf("Expand() with %q, %+v = %q, %v; want it literally", h, o, got, err)
			}
		}
		if got := Compile("{{in}}").Raw(data.Get); !value.Equal(got, value.Of(h)) {
			t.Errorf("Raw() with %q = %s, want it literally", h, got.JSON())
		}
	}
}

// TestT28_VaultStays: the variables of an agent are expanded among themselves, but their references to the vault are
// left for the one place that may read it.
func TestT28_VaultStays(t *testing.T) {
	t.Parallel()
	vars := value.Obj(value.M("key", value.Of("{{KEY(canary)}}")), value.M("header", value.Of("Bearer {{key}}")),
		value.M("canary", value.Of(canary)), value.M("made", value.Of("{{KEY({{canary}})}}")))
	got, err := ExpandAll(vars)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"key": "{{KEY(canary)}}", "header": "Bearer {{KEY(canary)}}", "made": "{{KEY({{canary}})}}"} {
		if g := got.GetString(name); g != want {
			t.Errorf("ExpandAll() %s = %q, want %q", name, g, want)
		}
	}
}

// TestT28_VariableBomb: variables that multiply each other end at a limit, alone and all together.
func TestT28_VariableBomb(t *testing.T) {
	t.Parallel()
	chain := value.NewBuilder(6)
	for i := range 6 {
		chain.Set(string(rune('a'+i)), value.Of(strings.Repeat("{{"+string(rune('b'+i))+"}}", 2000)))
	}
	wide := value.NewBuilder(201)
	wide.Set("big", value.Of(strings.Repeat("x", 1<<20)))
	for i := range 200 {
		wide.Set(fmt.Sprint(i), value.Of("{{big}}"))
	}
	self := value.Obj(value.M("a", value.Of(strings.Repeat("{{a}}", 200))))
	for name, vars := range map[string]value.Value{"chain": chain.Build(), "wide": wide.Build(), "self": self} {
		_, err := ExpandAll(vars)
		if got, want := fault.CodeOf(err), "LIMIT_EXCEEDED(template_bytes)"; got != want {
			t.Errorf("%s: ExpandAll() = %v with code %s, want %s", name, err, got, want)
		}
	}
}

// TestT28_LargeResult: a text that names a large value many times ends at the limit.
func TestT28_LargeResult(t *testing.T) {
	t.Parallel()
	big := value.Of(strings.Repeat("x", 1<<20))
	lookup := func(string) value.Value { return big }
	most := limits.Default().TemplateBytes >> 20
	if got, err := Compile(strings.Repeat("{{a}}", most)).Expand(lookup, Options{}); err != nil || len(got) != most<<20 {
		t.Errorf("Expand() of %d MiB = %d bytes, %v; want all of it", most, len(got), err)
	}
	_, err := Compile(strings.Repeat("{{a}}", most)+"x").Expand(lookup, Options{})
	if got, want := fault.CodeOf(err), "LIMIT_EXCEEDED(template_bytes)"; got != want {
		t.Errorf("Expand() of one byte more = %v with code %s, want %s", err, got, want)
	}
}

// TestT47_LinearCompile: texts of many braces are compiled in one pass; looking for the end from each beginning would
// take hours.
func TestT47_LinearCompile(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	for _, piece := range []string{"{", "{{", "{{a", "{{a\n", "{{}", "{{}}", "}}", "{\u2028", "{{a.b[0]}}"} {
		for _, end := range []string{"", "}}", "\n}}"} {
			text := strings.Repeat(piece, size/len(piece)) + end
			if got := Compile(text).Source(); len(got) != len(text) {
				t.Errorf("Compile() of %q kept %d bytes, want %d", piece, len(got), len(text))
			}
			if got := CompileSingle(text).Source(); len(got) != len(text) {
				t.Errorf("CompileSingle() of %q kept %d bytes, want %d", piece, len(got), len(text))
			}
		}
	}
}
