package conversation

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

func TestWindow_KeepsCallsWithTheirResults(t *testing.T) {
	t.Parallel()
	for budget := 1; budget < 200; budget += 3 {
		k := newTalk(t, func(c *Config) { c.MaxInput = budget }, calls(`upper {"text":"one two three"}`), says("first answer"), calls(`upper {"text":"four"}`), says("second answer"))
		for _, p := range []string{"a b c d", "e f g h"} {
			if _, _, err := k.prompt(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		for _, asked := range k.model.asked {
			open := map[string]bool{}
			for i, m := range asked.Messages {
				if i == 0 && m.Role != llm.System || i == 1 && m.Role != llm.User {
					t.Fatalf("budget %d: the window begins with %s, %s", budget, asked.Messages[0].Role, m.Role)
				}
				for _, part := range m.Content {
					switch p := part.(type) {
					case llm.ToolCall:
						open[p.ID] = true
					case llm.ToolResult:
						if !open[p.CallID] {
							t.Fatalf("budget %d: the result of %s without its call", budget, p.CallID)
						}
						delete(open, p.CallID)
					}
				}
			}
			if len(open) > 0 {
				t.Fatalf("budget %d: calls without results: %v", budget, open)
			}
			if last := asked.Messages[len(asked.Messages)-1]; last.Role == llm.Assistant {
				t.Fatalf("budget %d: there is nothing to answer", budget)
			}
		}
	}
}

func TestWindow_IsCumulative(t *testing.T) {
	t.Parallel()
	k := newTalk(t, func(c *Config) { c.MaxInput = 200 }, says(strings.Repeat("word ", 30)))
	for i := range 20 {
		if _, _, err := k.prompt(t.Context(), fmt.Sprintf("prompt number %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, asked := range k.model.asked {
		n := 0
		for _, m := range asked.Messages {
			n += perMessage + words{}.Count(m.Text())
		}
		if n > 200 {
			t.Fatalf("the model is shown %d tokens, the window has 200", n)
		}
	}
	if first := k.model.asked[19].Messages[1].Text(); first == "prompt number 0" {
		t.Error("the oldest prompt is still shown")
	}
}

func TestReadMore(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789äöü ", 5000) // 80,000 bytes
	big := Tool{ToolSpec: llm.ToolSpec{Name: "big"}, Do: func(context.Context, Use) (value.Value, error) { return value.Of(text), nil }}
	var read strings.Builder
	more := func(req llm.Request) (llm.Response, error) {
		last := req.Messages[len(req.Messages)-1].Content[0].(llm.ToolResult).Text
		body, _, ok := strings.Cut(last, "\n[")
		read.WriteString(body)
		if !ok {
			return says("all read")(req)
		}
		handle := between(firstResult(req), `handle="`, `"`)
		return calls(fmt.Sprintf(`read_more {"handle":%q,"offset":%d}`, handle, read.Len()))(req)
	}
	k := newTalk(t, func(c *Config) { c.Tools = []Tool{big} }, calls(`big {}`), more)
	_, end, err := k.prompt(t.Context(), "go")
	if err != nil || end.Text != "all read" {
		t.Fatalf("end = %+v, %v", end, err)
	}
	if read.String() != text {
		t.Errorf("%d bytes were read, want the same %d", read.Len(), len(text))
	}
	for i, want := range []int{1, 2} {
		if got := len(k.model.asked[i].Tools); got != want {
			t.Errorf("call %d shows %d tools, want %d", i, got, want)
		}
	}
}

func firstResult(req llm.Request) string {
	for _, m := range req.Messages {
		for _, part := range m.Content {
			if r, ok := part.(llm.ToolResult); ok {
				return r.Text
			}
		}
	}
	return ""
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// appended is a store that counts what it is given.
type appended struct{ entries []Entry }

func (a *appended) Append(_ context.Context, e []Entry) error {
	a.entries = append(a.entries, e...)
	return nil
}

func TestStore_IsGivenEachEntryOnce(t *testing.T) {
	t.Parallel()
	var s appended
	k := newTalk(t, func(c *Config) { c.Store = &s }, calls(`upper {"text":"a"}`), says("done"))
	if _, _, err := k.prompt(t.Context(), "go"); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, e := range s.entries {
		ids[e.ID] = true
	}
	if len(s.entries) != 4 || len(ids) != 4 {
		t.Errorf("the store has %d entries, %d ids, want 4", len(s.entries), len(ids))
	}
	again, err := New(Config{Model: k.model, Name: "m", Effects: effect.System{}, Tokens: words{}}, s.entries)
	if err != nil || len(again.Entries()) != 4 {
		t.Errorf("a conversation of what was stored has %d entries, %v", len(again.Entries()), err)
	}
}

// BenchmarkTurns tells what a turn costs when many went before: the time for each grows with what the model is shown,
// and no faster.
func BenchmarkTurns(b *testing.B) {
	for _, turns := range []int{10, 100, 400} {
		b.Run(fmt.Sprint(turns), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				k := newTalk(b, func(c *Config) { c.MaxInput = 2000 }, func(r llm.Request) (llm.Response, error) {
					if n++; n%2 == 1 {
						return calls(fmt.Sprintf(`upper {"text":"%d"}`, n))(r)
					}
					return says("some words of an answer")(r)
				})
				for i := range turns {
					if _, _, err := k.prompt(b.Context(), fmt.Sprintf("prompt number %d", i)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(turns), "ns/turn")
		})
	}
}
