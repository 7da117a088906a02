package conversation

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// asJSON asks for an object with a number.
func asJSON(t *testing.T) func(*Config) {
	t.Helper()
	schema, err := value.Parse(`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Settings.Format = llm.Format{JSON: true, Name: "out", Schema: schema} }
}

func TestFormat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		answers  []string
		object   string
		rejected int
	}{
		{"as it should be", []string{`{"n":5}`}, `{"n":5}`, 0},
		{"in a block of code", []string{"```json\n{\"n\": 5}\n```"}, `{"n":5}`, 0},
		{"with single quotes", []string{`{'n': 5}`}, `{"n":5}`, 0},
		{"mended by the model", []string{`five`, `{"n":"five"}`, `{"n":5}`}, `{"n":5}`, 2},
		{"cut off", []string{`{"n":5`, `{"n":5}`}, `{"n":5}`, 1},
	}
	for _, tt := range tests {
		var answers []func(llm.Request) (llm.Response, error)
		for _, a := range tt.answers {
			answers = append(answers, says(a))
		}
		k := newTalk(t, asJSON(t), answers...)
		rejected := 0
		var end End
		for e, err := range k.Prompt(t.Context(), Prompt{Text: "how many"}) {
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			switch e := e.(type) {
			case Rejected:
				rejected++
			case End:
				end = e
			}
		}
		if got := end.Object.JSON(); got != tt.object || rejected != tt.rejected || end.Text != tt.answers[len(tt.answers)-1] {
			t.Errorf("%s: object %s, %d rejected, text %q; want %s, %d", tt.name, got, rejected, end.Text, tt.object, tt.rejected)
		}
		if want := 2 + 2*tt.rejected; len(k.Entries()) != want {
			t.Errorf("%s: %d entries, want %d", tt.name, len(k.Entries()), want)
		}
	}
}

// F10: a model that never answers in the form asked for ends the prompt with an error that says so.
func TestF10_NeverTheForm(t *testing.T) {
	t.Parallel()
	k := newTalk(t, asJSON(t), says(`{"n":"many"}`))
	_, _, err := k.prompt(t.Context(), "how many")
	if fault.CodeOf(err) != CodeOutput || !strings.Contains(err.Error(), "integer") {
		t.Errorf("error = %v, want %s and what is wrong", err, CodeOutput)
	}
	if got := len(k.model.asked); got != maxRejected+1 {
		t.Errorf("the model was asked %d times, want %d", got, maxRejected+1)
	}
	if last := k.model.asked[maxRejected].Messages; !strings.Contains(last[len(last)-1].Text(), "integer") {
		t.Errorf("the model is told %q, want what is wrong", last[len(last)-1].Text())
	}
}

// An answer that the model could not end is no wrong form: it is told as what it is.
func TestFormat_CutByLength(t *testing.T) {
	t.Parallel()
	k := newTalk(t, asJSON(t), func(llm.Request) (llm.Response, error) {
		return llm.Response{Text: `{"n":`, Finish: llm.Finish{Reason: llm.Length}}, nil
	})
	_, end, err := k.prompt(t.Context(), "how many")
	if err != nil || end.Reason != llm.Length || !end.Object.IsAbsent() || len(k.model.asked) != 1 {
		t.Errorf("end %+v, %v after %d calls, want the reason", end, err, len(k.model.asked))
	}
}

func TestNew_SchemaWithoutBounds(t *testing.T) {
	t.Parallel()
	schema := value.Obj(value.M("$ref", value.Of("#")))
	_, err := New(Config{Settings: llm.Request{Format: llm.Format{JSON: true, Schema: schema}}}, nil)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("New = %v, want %v", err, fault.Invalid)
	}
}

// strict is a tool whose arguments are checked by their schema alone.
func strict(t *testing.T, got *[]string) Tool {
	t.Helper()
	schema, err := value.Parse(`{"type":"object","properties":{"n":{"type":"integer"},"on":{"type":"boolean"}},"required":["n"],"additionalProperties":false}`)
	if err != nil {
		t.Fatal(err)
	}
	return Tool{
		ToolSpec: llm.ToolSpec{Name: "count", Parameters: schema},
		Do: func(_ context.Context, u Use) (value.Value, error) {
			*got = append(*got, u.Args.JSON())
			if u.Tell(u.Args.JSON(), u.Args); len(*got) > 5 {
				return value.Value{}, errors.New("too often")
			}
			return value.Of("ok"), nil
		},
	}
}

// T50: what a tool is called with fits what it declares, and the model is told what does not.
func TestT50_ArgumentsFitTheSchema(t *testing.T) {
	t.Parallel()
	var got []string
	k := newTalk(t, func(c *Config) { c.Tools = []Tool{strict(t, &got)} },
		calls(`count {"n":5}`, `count {"n":"6","on":"true"}`, `count {"n":"many"}`, `count {}`, `count {"n":1,"shell":"rm"}`, `count {"n":[7]}`), says("done"))
	noted := 0
	var failed []string
	for e, err := range k.Prompt(t.Context(), Prompt{Text: "go"}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case Noted:
			noted++
		case Called:
			if e.Failed {
				failed = append(failed, e.Text)
			}
		}
	}
	if want := `{"n":5} {"n":6,"on":true}`; strings.Join(got, " ") != want || noted != 2 {
		t.Errorf("called with %s and told %d times, want %s", got, noted, want)
	}
	if len(failed) != 4 || !strings.Contains(failed[1], `\"n\"`) && !strings.Contains(failed[1], "n") || !strings.Contains(failed[2], "shell") || !strings.Contains(failed[3], "integer") {
		t.Errorf("told %q, want what is wrong", failed)
	}
}
