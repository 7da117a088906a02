package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/planner"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// talk says a prompt and prints what comes, as it comes: the answer to standard output, what happens meanwhile to
// standard error.
type talk struct {
	app    *app
	paint  paint
	silent bool // the answer is not shown while it comes
	line   bool // something stands on the line that is not ended
}

// paint colours texts for a terminal.
type paint bool

func (p paint) dim(s string) string  { return p.with("2", s) }
func (p paint) bold(s string) string { return p.with("1", s) }

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// say answers one prompt and returns how it ended.
func (t *talk) say(ctx context.Context, chat *sre.Chat, p sre.Prompt) (conversation.End, error) {
	var end conversation.End
	for e, err := range chat.Prompt(ctx, p) {
		if err != nil {
			t.newLine()
			return end, err
		}
		switch e := e.(type) {
		case conversation.Text:
			if !t.silent {
				t.text(e.Text)
			}
		case conversation.Thinking:
			t.aside(e.Text)
		case conversation.Calling:
			if planner.Owns(e.Call.Name) {
				continue // the list that it changes is shown
			}
			t.newLine()
			t.note("· " + e.Call.Name + " " + clipLine(e.Args.JSON()))
		case conversation.Called:
			if !planner.Owns(e.Call.Name) || e.Failed {
				t.called(e)
			}
		case conversation.Noted:
			t.tasks(e.Data.Get("tasks"))
		case conversation.Rejected:
			t.newLine()
			t.note("· the answer is not as asked for, the model tries again: " + clipLine(e.Err.Error()))
		case conversation.Interrupted:
			t.newLine()
			t.note("· " + why(e.Reason))
		case conversation.End:
			end = e
		}
	}
	t.newLine()
	return end, nil
}

func (t *talk) called(e conversation.Called) {
	mark := "  → "
	if e.Failed {
		mark = "  ✗ "
	}
	t.newLine()
	t.note(mark + clipLine(e.Text))
}

// text prints a piece of the answer. What a model says is shown as text: control characters cannot steer the terminal.
func (t *talk) text(s string) {
	s = harmless(s)
	_, _ = io.WriteString(t.app.Out, s) // nobody to tell
	t.line = !strings.HasSuffix(s, "\n") && (s != "" || t.line)
}

func (t *talk) aside(s string) {
	_, _ = io.WriteString(t.app.Err, t.paint.dim(harmless(s)))
	t.line = !strings.HasSuffix(s, "\n")
}

func (t *talk) note(s string) { _, _ = io.WriteString(t.app.Err, t.paint.dim(harmless(s))+"\n") }

func (t *talk) newLine() {
	if t.line {
		_, _ = io.WriteString(t.app.Out, "\n")
		t.line = false
	}
}

// why says in words why an answer was interrupted.
func why(reason string) string {
	switch reason {
	case conversation.MaxCalls:
		return "the limit of tool calls is reached: the model answers with what it has"
	case conversation.Loop:
		return "the model goes in circles: it answers with what it has"
	case string(llm.Length):
		return "the answer is cut: the limit of its length is reached"
	case string(llm.ContentFilter):
		return "the provider does not let the model answer"
	}
	return "the answer ended: " + reason
}

// harmless takes control characters out of a text, but for line ends and tabs.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f {
			return -1
		}
		return r
	}, s)
}

// escaped writes the control characters that JSON leaves as they are, and that terminals follow, by their numbers.
func escaped(json string) string {
	if !strings.ContainsFunc(json, steering) {
		return json
	}
	var b strings.Builder
	for _, r := range json {
		if steering(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// steering are the control characters beyond those of ASCII's beginning.
func steering(r rune) bool { return r >= 0x7f && r <= 0x9f }

// clipLine shortens a text to one line.
func clipLine(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// usageText says what was used.
func usageText(u llm.Usage, calls int) string {
	parts := []string{strconv.Itoa(u.Input+u.CacheRead+u.CacheWrite) + " tokens in", strconv.Itoa(u.Output) + " out"}
	if u.CacheRead > 0 {
		parts[0] += " (" + strconv.Itoa(u.CacheRead) + " from the cache)"
	}
	if calls > 0 {
		parts = append(parts, strconv.Itoa(calls)+" tool calls")
	}
	return strings.Join(parts, ", ")
}

func usageValue(u llm.Usage) value.Value {
	return value.Obj(
		value.M("input", value.OfInt(u.Input)), value.M("cacheRead", value.OfInt(u.CacheRead)), value.M("cacheWrite", value.OfInt(u.CacheWrite)),
		value.M("output", value.OfInt(u.Output)), value.M("thinking", value.OfInt(u.Thinking)),
	)
}
