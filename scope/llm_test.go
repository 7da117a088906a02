package scope

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// A scope without services reaches no model, and the handles act for the candidate of the scope.
func TestLLM_Models(t *testing.T) {
	t.Parallel()
	agent, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices()}
	for _, kind := range []connector.AnyKind{models.Kind, llm.Kind} {
		built, err := connector.Build(kind, env, "", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Services.Put(kind, built)
	}
	for name, s := range map[string]Scope{"zero": {}, "no services": New(nil, agent), "empty services": New(env.Services, agent)} {
		if m, err := s.Models().Find(t.Context(), "Echo"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Models().Find = %+v, %v, want kind %v", name, m, err, fault.Unsupported)
		}
		req := llm.Request{Model: "Echo", Messages: []llm.Message{llm.Say(llm.User, "q")}}
		if r, err := s.LLM().Generate(t.Context(), req); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: LLM().Generate = %q, %v, want kind %v", name, r.Text, err, fault.Unsupported)
		}
		if got := s.LLM().Candidate(); got != s.Candidate() || s.Models().Candidate() != got {
			t.Errorf("%s: acts for %v and %v, want %v", name, got, s.Models().Candidate(), s.Candidate())
		}
	}
}
