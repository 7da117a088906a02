package template

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/value"
)

// better holds, by recorded case, what is promised instead of what the reference answered, by the number of the operation.
func better() map[string]map[int]string {
	return map[string]map[int]string{
		// There are no inherited properties to show.
		"template-basic": {22: "{{toString}}"},
		// Each variable keeps its own value.
		"template-component-vars": {3: "x {{plain}} {{ida}} {{idb}}"},
	}
}

// TestExpand_Recorded runs what the reference answered. Data that it reads for placeholders again is here a set of
// variables of the author, the only texts that are.
func TestExpand_Recorded(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../conformance/testdata/cases/kernel/template-*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("Glob() = %d cases, %v; want the recorded cases", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			ops, results := load(t, dir, "case.json").Get("ops").Items(), load(t, dir, "expected.json").Get("results").Items()
			for i, op := range ops {
				want := results[i].GetString("value")
				if w, ok := better()[filepath.Base(dir)][i]; ok {
					want = w
				}
				got := op.GetString("template")
				for _, step := range op.Get("steps").Items() {
					got = perform(t, got, step)
				}
				if got != want {
					t.Errorf("%s: got %q, want %q", op.JSON(), got, want)
				}
			}
		})
	}
}

func perform(t *testing.T, text string, step value.Value) string {
	t.Helper()
	compile := Compile
	if step.GetString("match") == "singleCurly" {
		compile = CompileSingle
	}
	data, o := step.Get("data"), Options{}
	switch step.GetString("fn") {
	case "parse":
		if step.Get("maxDepth").IsAbsent() {
			var err error
			if data, err = ExpandAll(data); err != nil {
				t.Fatal(err)
			}
		}
	case "clean":
		o.Clean = true
	case "componentVars":
		return ResolveTyped(text, step.Get("settings"))
	default:
		t.Fatalf("unknown step %s", step.JSON())
	}
	got, err := compile(text).Expand(data.Get, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func load(t *testing.T, dir, name string) value.Value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExpandAll(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, vars, want string }{
		{"chain", `{"a":"{{b}}","b":"{{c}}!","c":"end"}`, `{"a":"end!","b":"end!","c":"end"}`},
		{"deeper than the limit", `{"a":"{{b}}","b":"{{c}}","c":"{{d}}","d":"{{e}}","e":"{{f}}","f":"{{g}}","g":"end"}`,
			`{"a":"{{f}}","b":"{{g}}","c":"end","d":"end","e":"end","f":"end","g":"end"}`},
		{"self", `{"a":"x{{a}}"}`, `{"a":"xxxxx{{a}}"}`},
		{"circle", `{"a":"{{b}}","b":"{{a}}"}`, `{"a":"{{b}}","b":"{{a}}"}`},
		{"unknown names", `{"a":"{{x}}","b":"{{KEY(k)}}"}`, `{"a":"{{x}}","b":"{{KEY(k)}}"}`},
		{"quotes", `{"a":"{{b}}","b":"say \"hi\""}`, `{"a":"say \"hi\"","b":"say \"hi\""}`},
		{"other values", `{"a":"{{n}} {{o.k}} {{o}} {{z}}","n":5,"o":{"k":"{{n}}"},"z":null}`,
			`{"a":"5 5 {\"k\":\"5\"} {{z}}","n":5,"o":{"k":"{{n}}"},"z":null}`},
		{"nothing", `{}`, `{}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			vars, err := value.Parse(test.vars)
			if err != nil {
				t.Fatal(err)
			}
			before := vars.JSON()
			got, err := ExpandAll(vars)
			if err != nil || got.JSON() != test.want {
				t.Errorf("ExpandAll(%s) = %s, %v; want %s", test.vars, got.JSON(), err, test.want)
			}
			if after := vars.JSON(); after != before {
				t.Errorf("ExpandAll() changed its argument to %s", after)
			}
		})
	}
	if got, err := ExpandAll(value.Of("{{a}}")); err != nil || !value.Equal(got, value.Of("{{a}}")) {
		t.Errorf("ExpandAll() of a text = %s, %v; want it unchanged", got.JSON(), err)
	}
}
