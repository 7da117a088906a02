package llmtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Subject is how a connector is to be opened for the suite, and what it can be asked.
type Subject struct {
	Setup
	Settings value.Value // of the connector, absent for none
	// Model is a model of the connector, by the id of an entry of the catalogue.
	Model string
	// Prompt is a question to which the model answers with Answer and nothing else, more than one word.
	Prompt, Answer string
}

func (s Subject) open(t *testing.T, def connector.Definition) *llm.Handle {
	t.Helper()
	w := Open(t, s.Setup, map[string]connector.Definition{def.Name: def}, map[string]value.Value{def.Name: s.Settings})
	return w.As(t, "agent:helper")
}

func (s Subject) request() llm.Request {
	return llm.Request{Model: s.Model, Messages: []llm.Message{llm.Say(llm.System, "Be brief."), llm.Say(llm.User, s.Prompt)}}
}

// Run runs the suite.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Run("whole answer", func(t *testing.T) { whole(t, def, s) })
	t.Run("streamed answer", func(t *testing.T) { streamed(t, def, s) })
	t.Run("stopped early", func(t *testing.T) { stopped(t, def, s) })
	t.Run("canceled", func(t *testing.T) { canceled(t, def, s) })
	t.Run("read twice", func(t *testing.T) { twice(t, def, s) })
	t.Run("no message", func(t *testing.T) {
		if r, err := s.open(t, def).Generate(t.Context(), llm.Request{Model: s.Model}); !fault.Is(err, fault.Invalid) {
			t.Errorf("Generate() without a message = %q, %v, want kind %v", r.Text, err, fault.Invalid)
		}
	})
	t.Run("many at once", func(t *testing.T) { many(t, def, s) })
	t.Run("unknown setting", func(t *testing.T) {
		if err := def.Check(value.Obj(value.M("no-such-setting", value.Of("x")))); !fault.Is(err, fault.Invalid) {
			t.Errorf("a setting that does not exist: %v, want kind %v", err, fault.Invalid)
		}
	})
}

func whole(t *testing.T, def connector.Definition, s Subject) {
	r, err := s.open(t, def).Generate(t.Context(), s.request())
	if err != nil || r.Text != s.Answer {
		t.Fatalf("Generate() = %q, %v, want %q", r.Text, err, s.Answer)
	}
	if r.Finish.Reason != llm.Stop || r.Finish.Model != s.Model {
		t.Errorf("Finish = %+v, want %s of %s", r.Finish, llm.Stop, s.Model)
	}
	if m := r.Message(); m.Role != llm.Assistant || m.Text() != s.Answer {
		t.Errorf("Message() = %+v, want the answer as the assistant", m)
	}
}

func streamed(t *testing.T, def connector.Definition, s Subject) {
	var (
		text  strings.Builder
		texts int
		last  llm.Part
	)
	for p, err := range s.open(t, def).Stream(t.Context(), s.request()) {
		if err != nil {
			t.Fatalf("Stream() error = %v", err)
		}
		if _, ended := last.(llm.Finish); ended {
			t.Fatalf("%T follows the end", p)
		}
		if p, ok := p.(llm.Text); ok {
			texts++
			text.WriteString(p.Text)
		}
		last = p
	}
	if text.String() != s.Answer || texts < 2 {
		t.Errorf("Stream() = %q in %d pieces, want %q in several", text.String(), texts, s.Answer)
	}
	if f, ok := last.(llm.Finish); !ok || f.Reason != llm.Stop {
		t.Errorf("the last part is %+v, want the finish", last)
	}
}

// stopped reads one part and no more.
func stopped(t *testing.T, def connector.Definition, s Subject) {
	parts := 0
	for _, err := range s.open(t, def).Stream(t.Context(), s.request()) {
		if err != nil {
			t.Fatalf("Stream() error = %v", err)
		}
		parts++
		break
	}
	if parts != 1 {
		t.Errorf("got %d parts, want one", parts)
	}
}

var errGone = errors.New("the caller is gone")

func canceled(t *testing.T, def connector.Definition, s Subject) {
	h := s.open(t, def)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errGone)
	if r, err := h.Generate(ctx, s.request()); !errors.Is(err, errGone) {
		t.Errorf("Generate() after the end of its context = %q, %v, want %v", r.Text, err, errGone)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	defer cancel(nil)
	var got error
	for _, err := range h.Stream(ctx, s.request()) {
		cancel(errGone) // with the first part
		got = err
	}
	if !errors.Is(got, errGone) {
		t.Errorf("Stream() whose context ended on the way: %v, want %v", got, errGone)
	}
}

func twice(t *testing.T, def connector.Definition, s Subject) {
	parts := s.open(t, def).Stream(t.Context(), s.request())
	if r, err := llm.Collect(parts); err != nil || r.Text != s.Answer {
		t.Fatalf("first reading = %q, %v, want %q", r.Text, err, s.Answer)
	}
	if r, err := llm.Collect(parts); !fault.Is(err, fault.Invalid) || r.Text != "" {
		t.Errorf("second reading = %q, %v, want kind %v", r.Text, err, fault.Invalid)
	}
}

func many(t *testing.T, def connector.Definition, s Subject) {
	h := s.open(t, def)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if r, err := h.Generate(t.Context(), s.request()); err != nil || r.Text != s.Answer {
				t.Errorf("Generate() = %q, %v, want %q", r.Text, err, s.Answer)
			}
		})
	}
	wg.Wait()
}
