package llms_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// script is a connector that gives parts it was given and keeps what it was asked.
type script struct {
	parts []llm.Part
	fail  error
	asked []*llm.Call
}

func (s *script) Generate(_ context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	s.asked = append(s.asked, call)
	return func(yield func(llm.Part, error) bool) {
		for _, p := range s.parts {
			if !yield(p, nil) {
				return
			}
		}
		if s.fail != nil {
			yield(nil, s.fail)
		}
	}
}

func says(pieces ...string) *script {
	s := &script{}
	for _, p := range pieces {
		s.parts = append(s.parts, llm.Text{Text: p})
	}
	s.parts = append(s.parts, llm.Finish{Reason: llm.Stop})
	return s
}

// run calls a PromptGenerator with one input and returns its output, its log and what was shown.
func run(t testing.TB, fake llm.Connector, settings, input string, outputs ...component.NodePort) (value.Value, string, []component.Delta, error) {
	t.Helper()
	parsed, err := value.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	inst := definition(t, "PromptGenerator").Compile(parsed)
	if len(inst.Violations) > 0 {
		t.Fatalf("settings %s: %v", settings, inst.Violations)
	}
	h := &host{}
	node := &component.Node{ID: "L", Type: "PromptGenerator", Outputs: append([]component.NodePort{{Name: "Reply", Default: true}}, outputs...)}
	call := &component.Call{
		Scope: scope.New(services(t, fake), candidate(t)), Node: node, Agent: &component.Agent{ID: "FAKE-AGENT-ID"},
		Request: &component.Request{}, Effects: effect.System{}, Host: h, KeepLog: true,
	}
	in := component.Input{Ports: []component.NodePort{{Name: "Input"}}, Values: []value.Value{value.Of(input)}}
	out, err := inst.Run(t.Context(), call, in)
	return out, call.LogText(), h.deltas, err
}

func TestPrompt_Echo(t *testing.T) {
	t.Parallel()
	out, log, deltas, err := run(t, nil, `{"model": "Echo", "prompt": "P {{Input}}"}`, "x")
	if err != nil || out.JSON() != `{"Reply":"P x"}` {
		t.Errorf("out = %s, %v, want the prompt", out.JSON(), err)
	}
	if want := "debug: === LLM Prompt Log ===\ndebug:  Model : Echo\ndebug:  Prompt\n P x \n\ndebug:  Response \n P x"; log != want {
		t.Errorf("log = %q, want %q", log, want)
	}
	if len(deltas) != 0 {
		t.Errorf("shown without passthrough: %v", deltas)
	}
}

func TestPrompt_Answers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		model    *script
		outputs  []component.NodePort
		want     string // output
		wantText string // of the error
		wantKind fault.Kind
		asked    string
	}{
		{"text", says("The ", "answer."), nil, `{"Reply":"The answer."}`, "", 0, "ask x"},
		{"object within text", says("Here: {\"name\": \"Ann\"} bye"), nil, `{"Reply":{"name":"Ann"}}`, "", 0, "ask x"},
		{"number stays text", says("12"), nil, `{"Reply":"12"}`, "", 0, "ask x"},
		{"outputs", says(`{"name":"Ann"}`), []component.NodePort{{Name: "name"}, {Name: "age", Description: "in years"}, {Name: "_error"}}, `{"Reply":{"name":"Ann"}}`, "", 0,
			"ask x\n##\nExpected output format = {\"name\":\"<value>\",\"age\":\"<value> (in years)\"}\nThe output JSON should only use the entries from the output format."},
		{"cut by its length", &script{parts: []llm.Part{llm.Text{Text: "cut off"}, llm.Finish{Reason: llm.Length}}}, nil, `{"Reply":"cut off"}`, "", 0, "ask x"},
		{"nothing", says(), nil, "", " LLM Error = Empty Response!", fault.Unavailable, "ask x"},
		{"an error in the answer", says(`{"error":"model says error"}`), nil, "", "Error: model says error ", fault.Unavailable, "ask x"},
		{"an error in an answer cut off", &script{parts: []llm.Part{llm.Text{Text: `{"error":"x"}`}, llm.Finish{Reason: llm.Length}}}, nil, "",
			"Error: The model stopped before completing the response, this is usually due to output token limit reached. ", fault.Unavailable, "ask x"},
		{"refused", &script{fail: llm.Refused(400, "bad request")}, nil, "", "Error: 400 bad request ", fault.Invalid, "ask x"},
		{"no key", &script{fail: llm.Refused(401, "bad key")}, nil, "", "Error: 401 bad key ", fault.Unauthenticated, "ask x"},
		{"no connection", &script{fail: fault.New(fault.Unavailable, &llm.ProviderError{Message: "Connection error."})}, nil, "", "Error: Connection error. ", fault.Unavailable, "ask x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, log, _, err := run(t, test.model, `{"model": "fake", "prompt": "ask {{Input}}", "temperature": 0.5, "maxTokens": 7}`, "x", test.outputs...)
			switch {
			case test.wantText != "":
				if err == nil || err.Error() != test.wantText || fault.KindOf(err) != test.wantKind {
					t.Errorf("error = %v (%v), want %q (%v)", err, fault.KindOf(err), test.wantText, test.wantKind)
				}
				if !strings.Contains(log, "error: "+test.wantText) {
					t.Errorf("log = %q, want the error in it", log)
				}
			case err != nil || out.JSON() != test.want:
				t.Errorf("out = %s, %v, want %s", out.JSON(), err, test.want)
			}
			call := test.model.asked[0]
			times := 1
			if test.name == "no connection" {
				times = 3 // that may help
			}
			if len(test.model.asked) != times || call.Messages[0].Text() != test.asked || call.Partial {
				t.Errorf("asked %d times, first %q (shown %t), want %d times %q", len(test.model.asked), call.Messages[0].Text(), call.Partial, times, test.asked)
			}
			if call.Temperature != nil || call.MaxTokens != 4096 {
				t.Errorf("asked with temperature %v and %d tokens, want those of the model, as recorded", call.Temperature, call.MaxTokens)
			}
		})
	}
}

func TestPrompt_Passthrough(t *testing.T) {
	t.Parallel()
	model := &script{parts: []llm.Part{llm.Thinking{Text: "hm"}, llm.Text{Text: "one "}, llm.Text{Text: "two\n"}, llm.Finish{Reason: llm.Stop}}}
	out, _, deltas, err := run(t, model, `{"model": "fake", "prompt": "{{Input}}", "passthrough": true, "temperature": 0.5, "maxTokens": "7", "topK": 3, "stopSequences": "a, b\nc"}`, "x")
	if err != nil || out.JSON() != `{"Reply":"one two\n"}` {
		t.Errorf("out = %s, %v, want the whole answer", out.JSON(), err)
	}
	if want := []component.Delta{{Thinking: "hm"}, {Content: "one "}, {Content: "two\n"}}; !slices.Equal(deltas, want) {
		t.Errorf("shown %v, want %v", deltas, want)
	}
	call := model.asked[0]
	if call.Temperature == nil || *call.Temperature != 0.5 || call.MaxTokens != 7 || call.TopK == nil || *call.TopK != 3 || !slices.Equal(call.Stop, []string{"a", "b", "c"}) || !call.Partial {
		t.Errorf("asked with %+v, want the settings", call.Request)
	}
}

func TestPrompt_UnknownModel(t *testing.T) {
	t.Parallel()
	_, _, _, err := run(t, nil, `{"model": "Ecko", "prompt": "p"}`, "x")
	if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), `did you mean "Echo"`) {
		t.Errorf("error = %v, want one that names the nearest model", err)
	}
	if out, _, _, err := run(t, nil, `{"model": "echo", "prompt": "p"}`, "x"); err != nil || out.GetString("Reply") != "p" {
		t.Errorf("echo in lower case = %s, %v, want an answer", out.JSON(), err)
	}
}

// TestT28_SecondExpansion: neither what an input says nor what a model says is read for placeholders.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	const hostile = "{{KEY(canary)}} {{Input}} {{constructor.constructor}} {{a.b[0].__proto__}}"
	for _, model := range []string{"Echo", "fake"} {
		out, _, _, err := run(t, says(hostile), `{"model": "`+model+`", "prompt": "{{Input}}"}`, hostile)
		if got := out.GetString("Reply"); err != nil || got != hostile {
			t.Errorf("%s answers %q, %v, want the text as it was", model, got, err)
		}
	}
}

func TestDefinitions_Settings(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, settings, want string }{
		{"no model", `{"prompt": "p"}`, `"model" is required`},
		{"no prompt", `{"model": "Echo"}`, `"Prompt" is required`},
		{"too warm", `{"model": "Echo", "prompt": "p", "temperature": 9}`, `"Temperature" must be less than or equal to 5`},
		{"no tokens", `{"model": "Echo", "prompt": "p", "maxTokens": 0}`, `"Maximum Tokens" must be greater than or equal to 1`},
		{"fine", `{"model": "Echo", "prompt": "p", "maxTokens": "12", "passthrough": "true", "someEditorKey": {}}`, ""},
	}
	d := definition(t, "PromptGenerator")
	if d.Name != "PromptGenerator" || d.Alias != "LLMPrompt" {
		t.Errorf("the component is %q or %q, want PromptGenerator or LLMPrompt", d.Name, d.Alias)
	}
	for _, test := range tests {
		settings, err := value.Parse(test.settings)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if found := d.Violations(settings); len(found) > 0 {
			got = found[0].Message
		}
		if got != test.want {
			t.Errorf("%s: violation %q, want %q", test.name, got, test.want)
		}
	}
}
