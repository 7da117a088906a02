package echollm_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/echollm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	llmtest.Run(t, echollm.Definition, llmtest.Subject{Model: "Echo", Prompt: "one two  three ", Answer: "one two  three "})
}

// The suite leaves no goroutine behind.
func TestSuite_Bubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, "0.003")
		for range w.As(t, "agent:helper").Stream(t.Context(), ask("a b c")) {
			break
		}
	})
}

func open(t *testing.T, delay string) *llmtest.World {
	t.Helper()
	settings, err := value.Parse(`{"wordDelay": ` + delay + `}`)
	if err != nil {
		t.Fatal(err)
	}
	return llmtest.Open(t, llmtest.Setup{}, map[string]connector.Definition{"Echo": echollm.Definition}, map[string]value.Value{"Echo": settings})
}

func ask(text string) llm.Request {
	return llm.Request{Model: "Echo", Messages: []llm.Message{llm.Say(llm.User, text)}}
}

func TestEcho_Messages(t *testing.T) {
	t.Parallel()
	say := llm.Say
	tests := []struct {
		name     string
		messages []llm.Message
		want     string
	}{
		{"the last of the user", []llm.Message{say(llm.System, "s"), say(llm.User, "one"), say(llm.Assistant, "a"), say(llm.User, "two")}, "two"},
		{"before an answer", []llm.Message{say(llm.User, "one"), say(llm.Assistant, "a")}, "one"},
		{"the user said nothing", []llm.Message{say(llm.System, "s"), say(llm.Assistant, "a")}, "s"},
		{"files are left alone", []llm.Message{{Role: llm.User, Content: []llm.Content{llm.Text{Text: "a"}, llm.File{MIME: "image/png"}, llm.Text{Text: "b"}}}}, "ab"},
		{"empty", []llm.Message{say(llm.User, "")}, ""},
	}
	w := open(t, "0")
	for _, test := range tests {
		for _, partial := range []bool{false, true} {
			h, req := w.As(t, "agent:helper"), llm.Request{Model: "Echo", Messages: test.messages}
			r, err := h.Generate(t.Context(), req)
			if partial {
				r, err = llm.Collect(h.Stream(t.Context(), req))
			}
			if err != nil || r.Text != test.want || r.Finish.Reason != llm.Stop {
				t.Errorf("%s (shown %t): %q, %v, want %q", test.name, partial, r.Text, err, test.want)
			}
		}
	}
	if used := w.Used(); len(used) != 0 {
		t.Errorf("used %v, want nothing", used)
	}
	if denials := w.Denials(); len(denials) != 0 {
		t.Errorf("denials %v, want none", denials)
	}
}

// Words come with the delay between them, and none before the first.
func TestEcho_Delay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, "2")
		clock := effect.System{}
		start := clock.Now()
		var at []time.Duration
		for p, err := range w.As(t, "agent:helper").Stream(t.Context(), ask("a b c")) {
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := p.(llm.Text); ok {
				at = append(at, clock.Now().Sub(start))
			}
		}
		if len(at) != 3 || at[0] != 0 || at[1] != 2*time.Second || at[2] != 4*time.Second {
			t.Errorf("words came after %v, want 0s 2s 4s", at)
		}
	})
}

func TestEcho_Describe(t *testing.T) {
	t.Parallel()
	info, err := open(t, "0").As(t, "agent:helper").Describe(t.Context(), "echo")
	if err != nil || !info.Literal || info.Model.ID != "Echo" {
		t.Errorf("Describe(echo) = %+v, %v, want the literal model Echo", info, err)
	}
}
