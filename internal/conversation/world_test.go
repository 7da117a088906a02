package conversation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// scripted is a model that gives its answers in order, the last one again and again.
type scripted struct {
	answers []func(llm.Request) (llm.Response, error)
	mu      sync.Mutex
	asked   []llm.Request
}

func (s *scripted) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Part, error] {
	s.mu.Lock()
	n := min(len(s.asked), len(s.answers)-1)
	s.asked = append(s.asked, req)
	s.mu.Unlock()
	return func(yield func(llm.Part, error) bool) {
		r, err := s.answers[n](req)
		for _, word := range strings.SplitAfter(r.Text, " ") {
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			if word != "" && !yield(llm.Text{Text: word}, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, c := range r.Calls {
			if !yield(c, nil) {
				return
			}
		}
		if !yield(llm.Usage{Input: 10, Output: 5}, nil) {
			return
		}
		reason := r.Finish.Reason
		if reason == "" {
			if reason = llm.Stop; len(r.Calls) > 0 {
				reason = llm.ToolCalls
			}
		}
		yield(llm.Finish{Reason: reason}, nil)
	}
}

// says answers with a text.
func says(text string) func(llm.Request) (llm.Response, error) {
	return func(llm.Request) (llm.Response, error) { return llm.Response{Text: text}, nil }
}

// calls asks for tools: "name arguments" each.
func calls(wanted ...string) func(llm.Request) (llm.Response, error) {
	return func(llm.Request) (llm.Response, error) {
		var r llm.Response
		for i, w := range wanted {
			name, args, _ := strings.Cut(w, " ")
			r.Calls = append(r.Calls, llm.ToolCall{ID: fmt.Sprint("c", i), Name: name, Arguments: args})
		}
		return r, nil
	}
}

// words counts blanks.
type words struct{}

func (words) Count(text string) int { return len(strings.Fields(text)) }

// upper is a tool that writes a text in capitals; it fails when it is told to.
func upper() Tool {
	return Tool{
		ToolSpec: llm.ToolSpec{Name: "upper", Parameters: value.Obj(value.M("type", value.Of("object")))},
		Check: func(args value.Value) error {
			if !args.Has("text") {
				return errors.New("text is missing")
			}
			return nil
		},
		Do: func(_ context.Context, u Use) (value.Value, error) {
			text := u.Args.GetString("text")
			switch text {
			case "fail":
				return value.Value{}, errors.New("no capitals left")
			case "panic":
				panic("secret data")
			case "show":
				u.Show("look: ", "hm")
			}
			return value.Obj(value.M("upper", value.Of(strings.ToUpper(text)))), nil
		},
	}
}

// talk holds a conversation of one prompt and returns what was told, a line each.
type talk struct {
	*Conversation
	model *scripted
}

func newTalk(t testing.TB, change func(*Config), answers ...func(llm.Request) (llm.Response, error)) *talk {
	t.Helper()
	m := &scripted{answers: answers}
	cfg := Config{Model: m, Name: "m", System: "be kind", Tools: []Tool{upper()}, Effects: effect.System{}, Tokens: words{}, Limits: limits.Default(), Parallel: 1}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &talk{c, m}
}

// prompt returns the events of a prompt in short and the error.
func (k *talk) prompt(ctx context.Context, text string) (lines []string, end End, err error) {
	for e, failed := range k.Prompt(ctx, Prompt{Text: text}) {
		if failed != nil {
			err = failed
			break
		}
		switch e := e.(type) {
		case Requested:
			lines = append(lines, fmt.Sprintf("requested %d", len(e.Window)))
		case Text:
			lines = append(lines, "text "+e.Text)
		case Thinking:
			lines = append(lines, "thinking "+e.Text)
		case Planned:
			lines = append(lines, fmt.Sprintf("planned %d", len(e.Calls)))
		case Calling:
			lines = append(lines, "calling "+e.Call.Name+" "+e.Args.JSON())
		case Called:
			lines = append(lines, fmt.Sprintf("called %s failed=%t pending=%t %s", e.Call.Name, e.Failed, e.Pending, e.Text))
		case Used:
			lines = append(lines, "used")
		case Interrupted:
			lines = append(lines, "interrupted "+e.Reason)
		case End:
			end = e
			lines = append(lines, "end "+e.Text)
		}
	}
	return lines, end, err
}

// history returns the entries in short.
func (k *talk) history() string {
	var out []string
	for _, e := range k.Entries() {
		line := string(e.Message.Role)
		if e.Internal {
			line += "(internal)"
		}
		for _, part := range e.Message.Content {
			switch p := part.(type) {
			case llm.Text:
				line += " " + p.Text
			case llm.ToolCall:
				line += " call:" + p.Name
			case llm.ToolResult:
				line += " result:" + p.Text
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
