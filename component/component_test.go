package component

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

type greeting struct {
	Word string `json:"word" label:"Word" default:"Hello" sre:"max=10"`
	From string `json:"from"`
	Till string `json:"till"`
}

func greet(_ context.Context, call *Call, s *greeting, in Input) (value.Value, error) {
	call.LogInfo("greets", in.Get("Name").Plain())
	if in.Get("Name").IsAbsent() {
		return value.Value{}, errors.New("nobody to greet")
	}
	return value.Obj(value.M("Text", value.Of(s.Word+" "+in.Get("Name").Plain()))), nil
}

func greeter() Definition {
	return Define(Spec{Name: "Greeter", Category: Functions, Traits: Traits{Cheap: true}}, greet)
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return v
}

func named(name string) Input {
	return Input{Ports: []NodePort{{Name: "Name"}}, Values: []value.Value{value.Of(name)}}
}

func TestDefine(t *testing.T) {
	t.Parallel()
	d := greeter()
	if d.Name != "Greeter" || d.Category != Functions || strings.Join(d.Settings.Names(), " ") != "word from till" {
		t.Errorf("definition %+v with settings %q", d.Spec, d.Settings.Names())
	}
	i := d.Compile(parse(t, `{"word":"Hi","left":120}`))
	if len(i.Violations) > 0 || !i.Traits.Cheap {
		t.Errorf("violations %v, traits %+v", i.Violations, i.Traits)
	}
	out, err := i.Run(t.Context(), &Call{}, named("Ada"))
	if want := `{"Text":"Hi Ada"}`; err != nil || out.JSON() != want {
		t.Errorf("Run = %s, %v, want %s", out.JSON(), err, want)
	}
	if _, err := i.Run(t.Context(), &Call{}, Input{}); err == nil || err.Error() != "nobody to greet" {
		t.Errorf("Run without an input = %v, want the error of the component", err)
	}
	i = d.Compile(value.Value{})
	if out, err := i.Run(t.Context(), &Call{}, named("Ada")); err != nil || out.GetString("Text") != "Hello Ada" {
		t.Errorf("Run without settings = %s, %v, want the default", out.JSON(), err)
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	plain := greeter()
	checked := plain.WithCheck(func(settings value.Value) []schema.Violation {
		if settings.GetString("from") > settings.GetString("till") {
			return []schema.Violation{{Name: "from", Message: "from is after till"}}
		}
		return nil
	})
	tests := []struct {
		name, settings, want string
		d                    Definition
	}{
		{"right", `{"from":"a","till":"b"}`, "", checked},
		{"unknown names are for editors", `{"top":1}`, "", checked},
		{"by the schema", `{"word":"Good morning"}`, `"Word" length must be less than or equal to 10 characters long`, checked},
		{"by the check", `{"from":"b","till":"a"}`, "from is after till", checked},
		{"the schema comes first", `{"from":"b","till":"a","word":"Good morning"}`, `"Word" length must be less than or equal to 10 characters long`, checked},
		{"without the check", `{"from":"b","till":"a"}`, "", plain},
	}
	for _, test := range tests {
		var got []string
		for _, v := range test.d.Compile(parse(t, test.settings)).Violations {
			got = append(got, v.Message)
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%s: violations %q, want %q", test.name, got, test.want)
		}
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	shaped := DefineWithFinish(Spec{Name: "Shaped"}, greet, func(s *greeting, e Entry, info FinishInfo) value.Value {
		return value.Obj(value.M("said", e.Result.Get("Text")), value.M("word", value.Of(s.Word)), value.M("inputs", value.Strings(info.Inputs)))
	})
	entry := func(result string) Entry { return Entry{ID: "C1", Name: "greet", Result: parse(t, result)} }
	tests := []struct {
		name  string
		d     Definition
		entry Entry
		info  FinishInfo
		want  string
	}{
		{"plain", greeter(), entry(`{"Text":"Hi"}`), FinishInfo{}, `{"id":"C1","name":"greet","result":{"Text":"Hi"}}`},
		{"debug parts are left out", greeter(), entry(`{"Text":"Hi","_debug":"x","_debug_time":3}`), FinishInfo{}, `{"id":"C1","name":"greet","result":{"Text":"Hi"}}`},
		{"debug parts in a debug session", greeter(), entry(`{"_debug":"x"}`), FinishInfo{Debug: true}, `{"id":"C1","name":"greet","result":{"_debug":"x"}}`},
		{"shaped", shaped, entry(`{"Text":"Hi","_debug":"x"}`), FinishInfo{Inputs: []string{"Name"}}, `{"said":"Hi","word":"Yo","inputs":["Name"]}`},
		{"no result", greeter(), Entry{ID: "C1", Name: "greet"}, FinishInfo{}, `{"id":"C1","name":"greet"}`},
	}
	for _, test := range tests {
		i := test.d.Compile(parse(t, `{"word":"Yo"}`))
		if got := i.Finish(test.entry, test.info).JSON(); got != test.want {
			t.Errorf("%s: Finish = %s, want %s", test.name, got, test.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, result, want string
		debug              bool
	}{
		{"nothing to do", `{"a":1}`, `{"a":1}`, false},
		{"an error stays", `{"_error":"x"}`, `{"_error":"x"}`, false},
		{"null is no error", `{"a":1,"_error":null}`, `{"a":1}`, false},
		{"nor is an empty text", `{"a":1,"_error":""}`, `{"a":1}`, true},
		{"nor is false", `{"_error":false}`, `{}`, false},
		{"an empty object is one", `{"_error":{}}`, `{"_error":{}}`, false},
		{"debug", `{"_debug":"x","_debug_time":1,"a":1}`, `{"a":1}`, false},
		{"debug session", `{"_debug":"x","_debug_time":1,"a":1}`, `{"_debug":"x","_debug_time":1,"a":1}`, true},
		{"a hard error stays", `{"error":null}`, `{"error":null}`, false},
		{"no object", `"text"`, `"text"`, false},
	}
	for _, test := range tests {
		if got := Clean(parse(t, test.result), test.debug).JSON(); got != test.want {
			t.Errorf("%s: Clean(%s) = %s, want %s", test.name, test.result, got, test.want)
		}
	}
}

// TestInstance_Concurrent: an instance is shared by all runs.
func TestInstance_Concurrent(t *testing.T) {
	t.Parallel()
	i := greeter().Compile(value.Value{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				call := Call{KeepLog: true}
				out, err := i.Run(context.Background(), &call, named("Ada"))
				if err != nil || out.GetString("Text") != "Hello Ada" || call.LogText() != "info: greets Ada" {
					t.Errorf("Run = %s, %v, log %q", out.JSON(), err, call.LogText())
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRun(b *testing.B) {
	i := Define(Spec{Name: "Nothing"}, func(context.Context, *Call, *greeting, Input) (value.Value, error) {
		return value.Value{}, nil
	}).Compile(value.Value{})
	ctx, in := b.Context(), named("Ada")
	var call Call
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Run(ctx, &call, in); err != nil {
			b.Fatal(err)
		}
	}
}
