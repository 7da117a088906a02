package flow

import (
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

func port(name string, v value.Value) component.Input {
	return component.Input{Ports: []component.NodePort{{Name: name}}, Values: []value.Value{v}}
}

// drive calls a loop as the engine does: leaves gives the entries that the branches of an item leave.
func drive(t testing.TB, settings string, in value.Value, debug bool, leaves func(item value.Value) []value.Value) (items []value.Value, outs []value.Value, logs []string) {
	t.Helper()
	inst := forEach().Compile(parse(t, settings))
	if len(inst.Violations) > 0 {
		t.Fatalf("Compile(%s) has the violation %q", settings, inst.Violations[0].Message)
	}
	loop := &component.Loop{}
	for range 100 {
		call := &component.Call{Loop: loop, Debug: debug, KeepLog: debug}
		out, err := inst.Run(t.Context(), call, port("Input", in))
		if err != nil {
			t.Fatal(err)
		}
		outs, logs = append(outs, out), append(logs, call.LogText())
		if !out.Get(component.KeyInProgress).Truthy() {
			return items, outs, logs
		}
		item := out.Get(keyLoop)
		items = append(items, item)
		loop.Results = append(loop.Results, leaves(item)...)
	}
	t.Fatal("the loop does not end")
	return nil, nil, nil
}

// encoded is the entry of an FEncDec that ran for an item.
func encoded(item value.Value) []value.Value {
	return []value.Value{component.Entry{ID: "E", Name: "FEncDec", Result: value.Obj(value.M("Output", value.Of("<"+item.Text()+">")))}.Value()}
}

func TestForEachFormats(t *testing.T) {
	t.Parallel()
	two := func(item value.Value) []value.Value {
		return append(encoded(item), component.Entry{ID: "H", Name: "FEncDec", Result: value.Obj(value.M("Output", value.OfInt(1)))}.Value())
	}
	failing := func(item value.Value) []value.Value {
		return []value.Value{component.Entry{ID: "H", Name: "FHash", Result: parse(t, `{"_error":"bad","_debug":"d","_in_progress":false,"_temp_result":[]}`)}.Value()}
	}
	shaped := func(item value.Value) []value.Value { return []value.Value{value.Obj(value.M("e", item))} }
	nested := func(item value.Value) []value.Value {
		return []value.Value{component.Entry{ID: "G", Name: "ForEach", Result: value.Obj(value.M("Result", value.List(item, value.List(item))))}.Value()}
	}
	plain := func(item value.Value) []value.Value { return []value.Value{value.Of("raw " + item.Text())} }
	tests := []struct {
		name, settings string
		leaves         func(value.Value) []value.Value
		want           string
	}{
		{"full", `{"format":"full"}`, encoded, `[{"id":"E","name":"FEncDec","result":{"Output":"<a>"}},{"id":"E","name":"FEncDec","result":{"Output":"<b>"}}]`},
		{"nothing said", `{}`, encoded, `[{"id":"E","name":"FEncDec","result":{"Output":"<a>"}},{"id":"E","name":"FEncDec","result":{"Output":"<b>"}}]`},
		{"unknown format", `{"format":5}`, shaped, `[{"e":"a"},{"e":"b"}]`},
		{"null format", `{"format":null}`, shaped, `[{"e":"a"},{"e":"b"}]`},
		{"minimal", `{"format":"minimal"}`, encoded, `[{"Output":"<a>"},{"Output":"<b>"}]`},
		{"minimal of two branches", `{"format":"minimal"}`, two, `[{"Output":"<a>"},{"Output":1},{"Output":"<b>"},{"Output":1}]`},
		{"minimal of errors", `{"format":"minimal"}`, failing, `[{},{}]`},
		{"minimal of a shaped answer", `{"format":"minimal"}`, shaped, `[{"e":"a"},{"e":"b"}]`},
		{"minimal of a raw answer", `{"format":"minimal"}`, plain, `["raw a","raw b"]`},
		{"array", `{"format":"results-array"}`, two, `["<a>",1,"<b>",1]`},
		{"array of nested loops", `{"format":"results-array"}`, nested, `["a","a","b","b"]`},
		{"array of a raw answer", `{"format":"results-array"}`, plain, `["raw a","raw b"]`},
		{"array of errors", `{"format":"results-array"}`, failing, `[]`},
		{"no results", `{"format":"minimal"}`, func(value.Value) []value.Value { return nil }, `[]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, outs, _ := drive(t, test.settings, parse(t, `["a","b"]`), false, test.leaves)
			last := outs[len(outs)-1]
			if got := last.Get(keyResult).JSON(); got != test.want {
				t.Errorf("Result = %s, want %s", got, test.want)
			}
			if last.Has(keyTemp) {
				t.Errorf("the output %s has %s outside of a debug session", last.JSON(), keyTemp)
			}
		})
	}
}

func TestForEachItems(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"array", `["a",null,[1],{"k":0}]`, `["a",null,[1],{"k":0}]`},
		{"empty array", `[]`, `[]`},
		{"commas", `"a, b,"`, `["a"," b",""]`},
		{"one word", `"a"`, `["a"]`},
		{"JSON array", `"[1,\"x\",{\"k\":2}]"`, `[1,"x",{"k":2}]`},
		{"broken JSON array", `"[1,2"`, `[1,2]`},
		{"values of an object", `{"x":1,"y":[2]}`, `[1,[2]]`},
		{"number", `5`, `[5]`},
		{"false", `false`, `[false]`},
		{"null", `null`, `[null]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			items, outs, _ := drive(t, `{}`, parse(t, test.in), false, encoded)
			if got := value.OfItems(items).JSON(); got != test.want {
				t.Errorf("items of %s = %s, want %s", test.in, got, test.want)
			}
			if got := outs[len(outs)-1].Get(keyResult).Len(); got != len(items) {
				t.Errorf("%d results for %d items", got, len(items))
			}
		})
	}
	t.Run("no input", func(t *testing.T) {
		t.Parallel()
		items, outs, _ := drive(t, `{}`, value.Value{}, false, encoded)
		if len(items) != 0 || outs[0].Get(keyResult).JSON() != "[]" {
			t.Errorf("items = %d, outputs = %s; want no item and an empty result", len(items), outs[0].JSON())
		}
	})
	t.Run("absent items are passed over", func(t *testing.T) {
		t.Parallel()
		items, _, _ := drive(t, `{}`, value.List(value.Of("a"), value.Value{}, value.Of("b"), value.Value{}), false, encoded)
		if got := value.OfItems(items).JSON(); got != `["a","b"]` {
			t.Errorf("items = %s, want a and b", got)
		}
	})
}

// The texts and members are those that the reference shows in a debug session.
func TestForEachInDebugSession(t *testing.T) {
	t.Parallel()
	leaves := func(item value.Value) []value.Value {
		text := map[string]string{"x": "78", "y": "79"}[item.Text()]
		return []value.Value{component.Entry{ID: "E", Name: "FEncDec", Result: value.Obj(value.M("Output", value.Of(text)), value.M("_debug", value.Of("debug: hex Encode data")))}.Value()}
	}
	_, outs, logs := drive(t, `{"format":"minimal"}`, parse(t, `["x","y"]`), true, leaves)
	wantOuts := []string{
		`{"Loop":"x","_error":null,"_in_progress":true}`,
		`{"Loop":"y","_temp_result":[{"id":"E","name":"FEncDec","result":{"Output":"78","_debug":"debug: hex Encode data"}}],"_error":null,"_in_progress":true}`,
		`{"Result":[{"Output":"78"},{"Output":"79"}],"_temp_result":[{"id":"E","name":"FEncDec","result":{"Output":"78"}},{"id":"E","name":"FEncDec","result":{"Output":"79"}}],"_error":null,"_in_progress":false}`,
	}
	wantLogs := []string{
		"debug: === ForEach Log ===\ndebug:  Iteration 1/2\ndebug:  In Progress: true\ndebug:  Input: \n\"x\"",
		"debug: === ForEach Log ===\ndebug:  Iteration 2/2\ndebug:  In Progress: true\ndebug:  Input: \n\"y\"\ndebug: \ndebug:  Previous Input: \n\"x\"\ndebug: \ndebug:  Previous Result: \n{\n  \"Output\": \"78\",\n  \"_debug\": \"debug: hex Encode data\"\n}",
		"debug: === ForEach Log ===\ndebug:  Total Iterations: 2\ndebug:  In Progress: false\ndebug: \ndebug:  Input: \n[\n  \"x\",\n  \"y\"\n]\ndebug: \ndebug:  Result: \n[\n  {\n    \"Output\": \"78\"\n  },\n  {\n    \"Output\": \"79\"\n  }\n]",
	}
	if len(outs) != len(wantOuts) {
		t.Fatalf("%d calls, want %d", len(outs), len(wantOuts))
	}
	for i := range outs {
		if got := outs[i].JSON(); got != wantOuts[i] {
			t.Errorf("output %d = %s, want %s", i, got, wantOuts[i])
		}
		if logs[i] != wantLogs[i] {
			t.Errorf("log %d = %q, want %q", i, logs[i], wantLogs[i])
		}
	}
}

func TestForEachFinish(t *testing.T) {
	t.Parallel()
	inst := forEach().Compile(parse(t, `{"format":"minimal"}`))
	tests := []struct{ name, result, want string }{
		{"no branch took the item", `{"Loop":"a","_error":null,"_in_progress":true}`, `{}`},
		{"the end", `{"Result":[1],"_temp_result":[1],"_error":null,"_in_progress":false}`, `{"Result":[1]}`},
		{"an error", `{"_error":"bad"}`, `{"_error":"bad"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := inst.Finish(component.Entry{ID: "F", Name: "ForEach", Result: parse(t, test.result)}, component.FinishInfo{})
			if want := `{"id":"F","name":"ForEach","result":` + test.want + `}`; got.JSON() != want {
				t.Errorf("Finish(%s) = %s, want %s", test.result, got.JSON(), want)
			}
		})
	}
}

// The engine runs iterations at once by asking for all items first and for the total again once all have ended.
func TestForEachTotalAgain(t *testing.T) {
	t.Parallel()
	inst := forEach().Compile(parse(t, `{"format":"minimal","concurrency":2}`))
	call := &component.Call{Loop: &component.Loop{}}
	for range 3 {
		if _, err := inst.Run(t.Context(), call, port("Input", parse(t, `["a","b"]`))); err != nil {
			t.Fatal(err)
		}
	}
	call.Loop.Results = append(encoded(value.Of("a")), encoded(value.Of("b"))...)
	got, err := inst.Run(t.Context(), call, component.Input{})
	if want := `[{"Output":"<a>"},{"Output":"<b>"}]`; err != nil || got.Get(keyResult).JSON() != want {
		t.Errorf("Result = %s, %v; want %s", got.JSON(), err, want)
	}
}

func FuzzItems(f *testing.F) {
	for _, s := range []string{"", "a,b", "[1,2]", "[", "[{]", ",,", "[\"a\",]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items := itemsOf(value.Of(text))
		if text == "" || text[0] != '[' {
			if got := value.OfItems(items).Text(); got != text {
				t.Errorf("the items of %q join to %q", text, got)
			}
		}
	})
}

func BenchmarkForEach(b *testing.B) {
	items := make([]value.Value, 90)
	for i := range items {
		items[i] = value.OfInt(i)
	}
	list := value.OfItems(items)
	inst := forEach().Compile(parse(b, `{"format":"results-array"}`))
	in := port("Input", list)
	b.ReportAllocs()
	for b.Loop() {
		call := &component.Call{Loop: &component.Loop{}}
		for {
			out, err := inst.Run(b.Context(), call, in)
			if err != nil {
				b.Fatal(err)
			}
			if !out.Get(component.KeyInProgress).Truthy() {
				break
			}
			call.Loop.Results = append(call.Loop.Results, out)
		}
	}
}
