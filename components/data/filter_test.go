package data

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func input(v value.Value) component.Input {
	return component.Input{Ports: []component.NodePort{{Name: "Input"}}, Values: []value.Value{v}}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	const deep = `{"a":{"b":{"c":1,"x":2},"x":3},"b":4,"list":[{"a":5,"x":6},7,[{"a":8,"x":9}]]}`
	tests := []struct{ name, settings, in, want string }{
		{"one name", `{"fields":"a"}`, `{"a":1,"b":2}`, `{"a":1}`},
		{"no name", `{"fields":""}`, `{"a":1}`, `{}`},
		{"no setting", `{}`, `{"a":1}`, `{}`},
		{"null setting", `{"fields":null}`, `{"a":1}`, `{}`},
		{"order of the input", `{"fields":"b,a"}`, `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{"spaces around names", `{"fields":" a , b "}`, `{"a":1,"b":2,"c":3}`, `{"a":1,"b":2}`},
		{"nested without its parent", `{"fields":"c"}`, deep, `{}`},
		{"nested with its parents", `{"fields":"a,b,c"}`, deep, `{"a":{"b":{"c":1}},"b":4}`},
		{"arrays are mapped", `{"fields":"list,a"}`, deep, `{"a":{},"list":[{"a":5},7,[{"a":8}]]}`},
		{"array at the top", `{"fields":"a"}`, `[{"a":1,"b":2},{"b":3},null]`, `[{"a":1},{},null]`},
		{"text passes", `{"fields":"a"}`, `"{\"a\":1,\"b\":2}"`, `"{\"a\":1,\"b\":2}"`},
		{"number passes", `{"fields":"a"}`, `5`, `5`},
		{"null passes", `{"fields":"a"}`, `null`, `null`},
		{"empty name is no wildcard", `{"fields":"a,,b"}`, `{"a":1,"c":3}`, `{"a":1}`},
		{"names of JavaScript", `{"fields":"__proto__,length"}`, `{"a":1,"__proto__":2}`, `{"__proto__":2}`},
		{"null members stay", `{"fields":"a"}`, `{"a":null}`, `{"a":null}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inst := filterType().Compile(parse(t, test.settings))
			if len(inst.Violations) > 0 {
				t.Fatalf("Compile(%s) has the violation %q", test.settings, inst.Violations[0].Message)
			}
			got, err := inst.Run(t.Context(), &component.Call{}, input(parse(t, test.in)))
			if err != nil || got.Get("Output").JSON() != test.want {
				t.Errorf("Run(%s) = %s, %v; want the output %s", test.in, got.JSON(), err, test.want)
			}
			if !got.Get(component.KeyError).IsNull() {
				t.Errorf("Run(%s) has %s = %s, want null", test.in, component.KeyError, got.Get(component.KeyError).JSON())
			}
		})
	}
}

func TestFilterLog(t *testing.T) {
	t.Parallel()
	inst := filterType().Compile(parse(t, `{"fields":"a"}`))
	call := &component.Call{KeepLog: true}
	if _, err := inst.Run(t.Context(), call, input(parse(t, `{"a":1,"b":2}`))); err != nil {
		t.Fatal(err)
	}
	if got, want := call.LogText(), "debug: === JSONFilter Log ===\ndebug: Output filtered"; got != want {
		t.Errorf("LogText() = %q, want %q", got, want)
	}
}

func TestFilterRefusesLongFields(t *testing.T) {
	t.Parallel()
	settings := value.Obj(value.M("fields", value.Of(strings.Repeat("a", 30001))))
	found := filterType().Violations(settings)
	if len(found) != 1 || !strings.Contains(found[0].Message, "30000 characters long") {
		t.Errorf("Violations() = %v, want one about 30000 characters", found)
	}
}

func BenchmarkFilter(b *testing.B) {
	inst := filterType().Compile(parse(b, `{"fields":"id,name,tags,items"}`))
	in := input(parse(b, `{"id":1,"secret":"s","name":"n","tags":["a","b"],"items":[{"id":1,"x":2},{"id":2,"name":"m"}]}`))
	call := &component.Call{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Run(b.Context(), call, in); err != nil {
			b.Fatal(err)
		}
	}
}
