package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

func TestPrompt_Answer(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, says("good day"))
	got, end, err := k.prompt(t.Context(), "hello")
	want := []string{"requested 2", "text good ", "text day", "used", "end good day"}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("events:\n%s\nwant\n%s\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"), err)
	}
	if end.Reason != llm.Stop || end.Usage.Input != 10 || end.Calls != 0 {
		t.Errorf("end = %+v", end)
	}
	if got, want := k.history(), "user hello\nassistant good day"; got != want {
		t.Errorf("history = %q, want %q", got, want)
	}
}

func TestPrompt_Tools(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, calls(`upper {"text":"a"}`, `upper {"text":"show"}`), says("done"))
	got, end, err := k.prompt(t.Context(), "go")
	want := []string{
		"requested 2", "used", "planned 2",
		`calling upper {"text":"a"}`, `called upper failed=false pending=false {"upper":"A"}`,
		`calling upper {"text":"show"}`, "text look: ", "thinking hm", `called upper failed=false pending=false {"upper":"SHOW"}`,
		"requested 4", "text done", "used", "end look: done",
	}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("events:\n%s\nwant\n%s\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"), err)
	}
	if end.Usage.Input != 20 || end.Calls != 2 {
		t.Errorf("end = %+v, want the usage of both answers and two calls", end)
	}
	wantHistory := "user go\nassistant call:upper call:upper\ntool result:{\"upper\":\"A\"} result:{\"upper\":\"SHOW\"}\nassistant done"
	if got := k.history(); got != wantHistory {
		t.Errorf("history = %q, want %q", got, wantHistory)
	}
	if e := k.Entries()[2]; e.Shown != "look: " {
		t.Errorf("the results showed %q", e.Shown)
	}
}

func TestT50_CallsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, call, told string }{
		{"unknown tool", `lower {"text":"a"}`, "there is no tool"},
		{"argument missing", `upper {}`, "text is missing"},
		{"no object", `upper [1]`, "no JSON object"},
		{"broken", `upper {"text":`, "no JSON object"},
	}
	for _, tt := range tests {
		k := newTalk(t, nil, calls(tt.call), calls(`upper {"text":"b"}`), says("mended"))
		got, end, err := k.prompt(t.Context(), "go")
		if err != nil || end.Text != "mended" {
			t.Fatalf("%s: %q, %v, want the model to mend its call", tt.name, end.Text, err)
		}
		if text := strings.Join(got, "\n"); !strings.Contains(text, tt.told) || !strings.Contains(text, "INVALID_TOOL_CALL") {
			t.Errorf("%s: the model is told\n%s\nwant %q", tt.name, text, tt.told)
		}
	}
}

func TestF10_OnlyNonsense(t *testing.T) {
	t.Parallel()
	n := 0
	k := newTalk(t, nil, func(llm.Request) (llm.Response, error) {
		n++
		return calls(fmt.Sprintf("nonsense {\"n\":%d}", n))(llm.Request{})
	})
	_, _, err := k.prompt(t.Context(), "go")
	if fault.CodeOf(err) != "MODEL_CALLS_INVALID" || n != 3 {
		t.Errorf("after %d answers: %v, want MODEL_CALLS_INVALID after 3", n, err)
	}
}

func TestPrompt_FailingTool(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, calls(`upper {"text":"fail"}`), says("sorry"))
	got, _, err := k.prompt(t.Context(), "go")
	if text := strings.Join(got, "\n"); err != nil || !strings.Contains(text, "failed=true pending=false no capitals left") {
		t.Errorf("events %s, %v, want the error of the tool", text, err)
	}
}

func TestF02_PanickingTool(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, calls(`upper {"text":"panic"}`), says("never"))
	_, _, err := k.prompt(t.Context(), "go")
	if !fault.Is(err, fault.Internal) || strings.Contains(strings.Split(err.Error(), "\n")[0], "secret") {
		t.Errorf("err = %v, want an internal error without what was thrown", err)
	}
}

func TestPrompt_MaxCalls(t *testing.T) {
	t.Parallel()
	k := newTalk(t, func(c *Config) { c.MaxCalls = 1 }, calls(`upper {"text":"1"}`, `upper {"text":"2"}`), says("end"))
	got, end, err := k.prompt(t.Context(), "go")
	if err != nil || end.Text != "end" || end.Calls != 1 {
		t.Fatalf("end = %+v, %v", end, err)
	}
	text := strings.Join(got, "\n")
	if !strings.Contains(text, "pending=true") || !strings.Contains(text, "interrupted max_tool_calls") {
		t.Errorf("events:\n%s", text)
	}
	if asked := k.model.asked[1]; len(asked.Tools) != 0 {
		t.Errorf("the last call shows %d tools, want none", len(asked.Tools))
	}
	if h := k.history(); !strings.Contains(h, "user(internal) You have reached the maximum number of tool calls (1)") {
		t.Errorf("history:\n%s", h)
	}
}

func TestT52_ToolLoop(t *testing.T) {
	t.Parallel()
	n := 0
	counter := func(llm.Request) (llm.Response, error) {
		n++
		return calls(fmt.Sprintf(`upper {"text":"fail","n":%d}`, n))(llm.Request{})
	}
	last := func(then string, tool func(llm.Request) (llm.Response, error)) func(llm.Request) (llm.Response, error) {
		return func(r llm.Request) (llm.Response, error) {
			if len(r.Tools) == 0 {
				return says(then)(r)
			}
			return tool(r)
		}
	}
	tests := []struct {
		name  string
		model func(llm.Request) (llm.Response, error)
		calls int
	}{
		{"same call", last("I give up", calls(`upper {"text":"a"}`)), 3},
		{"always failing with a counter", last("I give up", counter), 10},
		{"alternating pair", last("I give up", calls(`upper {"text":"a"}`, `upper {"text":"b"}`)), 6},
	}
	for _, tt := range tests {
		k := newTalk(t, nil, tt.model)
		got, end, err := k.prompt(t.Context(), "go")
		if err != nil || end.Text != "I give up" || end.Calls != tt.calls {
			t.Errorf("%s: %+v, %v, want a normal answer after %d calls", tt.name, end, err, tt.calls)
		}
		if text := strings.Join(got, "\n"); !strings.Contains(text, "interrupted loop_detected") || !strings.Contains(k.history(), "The tool upper") {
			t.Errorf("%s: %s\n%s", tt.name, text, k.history())
		}
	}
}

func TestT50_CallsAfterTheLast(t *testing.T) {
	t.Parallel()
	k := newTalk(t, func(c *Config) { c.MaxCalls = 1 }, calls(`upper {"text":"1"}`, `upper {"text":"2"}`))
	_, end, err := k.prompt(t.Context(), "go")
	if err != nil || end.Calls != 1 {
		t.Errorf("end = %+v, %v, want one call, whatever the model asks for afterwards", end, err)
	}
}

func TestT50_ThousandCalls(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf(`upper {"text":"%d"}`, i))
	}
	k := newTalk(t, func(c *Config) { c.Parallel = 8 }, calls(many...), says("end"))
	_, end, err := k.prompt(t.Context(), "go")
	if err != nil || end.Calls != 50 {
		t.Errorf("end = %+v, %v, want 50 calls of 1,000", end, err)
	}
}

func TestPrompt_ModelFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("400 bad request")
	k := newTalk(t, nil, func(llm.Request) (llm.Response, error) { return llm.Response{Text: "half "}, boom }, says("fine now"))
	if _, _, err := k.prompt(t.Context(), "x"); !errors.Is(err, boom) {
		t.Errorf("err = %v, want that of the model", err)
	}
	if _, end, err := k.prompt(t.Context(), "y"); err != nil || end.Text != "fine now" {
		t.Errorf("the next prompt = %+v, %v", end, err)
	}
	if got, want := k.history(), "user x\nuser y\nassistant fine now"; got != want {
		t.Errorf("history = %q, want %q", got, want)
	}
}

func TestPrompt_Length(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, func(llm.Request) (llm.Response, error) {
		return llm.Response{Text: "cut", Finish: llm.Finish{Reason: llm.Length}}, nil
	})
	got, end, err := k.prompt(t.Context(), "x")
	if text := strings.Join(got, "\n"); err != nil || end.Reason != llm.Length || !strings.Contains(text, "interrupted length") {
		t.Errorf("events %s, %v, want an interruption", text, err)
	}
}

func TestF11_ReaderGoesAway(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	var ended error
	slow := Tool{ToolSpec: llm.ToolSpec{Name: "slow"}, Do: func(ctx context.Context, u Use) (value.Value, error) {
		close(entered)
		<-ctx.Done()
		ended = context.Cause(ctx)
		return value.Value{}, ended
	}}
	k := newTalk(t, func(c *Config) { c.Tools = append(c.Tools, slow) }, calls(`slow {}`), says("never"))
	for e, err := range k.Prompt(t.Context(), Prompt{Text: "go"}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e.(Calling); ok {
			<-entered
			break
		}
	}
	if ended == nil {
		t.Error("the tool was not cancelled")
	}
	if got, want := len(k.model.asked), 1; got != want {
		t.Errorf("the model was asked %d times, want %d", got, want)
	}
	if h := k.history(); !strings.Contains(h, "call:slow\ntool result:") {
		t.Errorf("history:\n%s\nwant the call with a result", h)
	}
}

func TestPrompt_OneAtATime(t *testing.T) {
	t.Parallel()
	k := newTalk(t, nil, says("a b c"))
	for e, err := range k.Prompt(t.Context(), Prompt{Text: "one"}) {
		if _, ok := e.(Requested); !ok || err != nil {
			continue
		}
		if _, _, err := k.prompt(t.Context(), "two"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second prompt meanwhile = %v, want Conflict", err)
		}
	}
	if _, _, err := k.prompt(t.Context(), "three"); err != nil {
		t.Errorf("a prompt afterwards = %v", err)
	}
}

func TestNew_TwoToolsOfOneName(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{Tools: []Tool{upper(), upper()}}, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("New = %v, want Conflict", err)
	}
}

func TestPrompt_BudgetIsSpent(t *testing.T) {
	t.Parallel()
	spent := &fault.Error{Op: "llm.generate", Kind: fault.Limit, Code: "BUDGET_EXCEEDED(tokens)", Err: errors.New("the budget of the run does not allow another call: 90 of 100 tokens are used"), Hint: "raise it"}
	k := newTalk(t, nil, calls(`upper {"text":"a"}`), func(llm.Request) (llm.Response, error) { return llm.Response{}, spent })
	got, end, err := k.prompt(t.Context(), "go")
	if err != nil || !strings.Contains(end.Text, "90 of 100 tokens") || !strings.Contains(strings.Join(got, "\n"), "interrupted budget_exceeded") {
		t.Errorf("end = %+v, %v, want an answer that names the budget", end, err)
	}
	if h := k.history(); !strings.HasSuffix(h, end.Text) {
		t.Errorf("history %q, want it to end with the answer", h)
	}
}
