package llm_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

func TestResolve_Models(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, model string
		want        string // modelId, or a part of the error
		kind        fault.Kind
		tokens      int
	}{
		{"of the catalogue", "fake", "fake-1", 0, 50},
		{"another case", "FAKE", "fake-1", 0, 50},
		{"provider in lower case", "plain", "plain-1", 0, 512},
		{"without an entry", "fake/some-model", "some-model", 0, 512},
		{"without an entry, with slashes", "Fake/meta/llama", "meta/llama", 0, 512},
		{"misspelt", "fale", `did you mean "fake"`, fault.NotFound, 0},
		{"of an unknown provider", "nope/x", "unknown model", fault.NotFound, 0},
		{"of no provider", "lost", `needs a connector of that id in the service LLM`, fault.Unsupported, 0},
		{"no name", "", "set model", fault.Invalid, 0},
		{"nothing after the provider", "fake/", "unknown model", fault.NotFound, 0},
	}
	w, s := world(t, llmtest.Setup{}, parts(nil, text("a"), done()))
	h := w.As(t, "agent:helper")
	for _, test := range tests {
		r, err := h.Generate(t.Context(), ask(test.model))
		if test.kind != 0 {
			if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error = %v, want kind %v and %q", test.name, err, test.kind, test.want)
			}
			if _, err := h.Describe(t.Context(), test.model); !fault.Is(err, test.kind) {
				t.Errorf("%s: Describe() error = %v, want kind %v", test.name, err, test.kind)
			}
			continue
		}
		if err != nil || r.Text != "a" {
			t.Errorf("%s: %q, %v, want an answer", test.name, r.Text, err)
			continue
		}
		if c := s.last(); c.Target.ModelID != test.want || c.MaxTokens != test.tokens {
			t.Errorf("%s: asked %q for %d tokens, want %q and %d", test.name, c.Target.ModelID, c.MaxTokens, test.want, test.tokens)
		}
	}
}

func TestResolve_Defaults(t *testing.T) {
	t.Parallel()
	w, s := world(t, llmtest.Setup{}, parts(nil, done()))
	h := w.As(t, "agent:helper")
	if _, err := h.Generate(t.Context(), ask("fake")); err != nil {
		t.Fatal(err)
	}
	c := s.last()
	if *c.Temperature != 0.25 || *c.TopP != 0.5 || *c.TopK != 7 || !slices.Equal(c.Stop, []string{"END", "STOP"}) || c.MaxTokens != 50 ||
		c.Reasoning.Effort != "low" || c.Verbosity != "high" || c.FrequencyPenalty != nil {
		t.Errorf("asked %+v, want the parameters of the model", c.Request)
	}
	req := ask("fake")
	cold, n := 0.0, 1
	req.Temperature, req.TopK, req.MaxTokens, req.Stop = &cold, &n, 5000, []string{}
	if _, err := h.Generate(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if c := s.last(); *c.Temperature != 0 || *c.TopK != 1 || c.MaxTokens != 100 || len(c.Stop) != 0 {
		t.Errorf("asked %+v, want what the request says, and no more tokens than the model can give", c.Request)
	}
}

func TestResolve_Refused(t *testing.T) {
	t.Parallel()
	w, s := world(t, llmtest.Setup{}, parts(nil, done()))
	tests := []struct {
		name   string
		change func(*llm.Request)
	}{
		{"no message", func(r *llm.Request) { r.Messages = nil }},
		{"a tool without a name", func(r *llm.Request) { r.Tools = []llm.ToolSpec{{}} }},
		{"two tools of one name", func(r *llm.Request) { r.Tools = []llm.ToolSpec{{Name: "a"}, {Name: "a"}} }},
	}
	for _, test := range tests {
		req := ask("plain")
		test.change(&req)
		if _, err := w.As(t, "agent:helper").Generate(t.Context(), req); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error = %v, want kind %v", test.name, err, fault.Invalid)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("the provider was asked %d times, want never", len(s.asked))
	}
}

// A service without anything, or none at all, refuses instead of panicking.
func TestHandle_NoService(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(), Record: func(context.Context, access.Decision) error { return nil }}
	built, err := connector.Build(llm.Kind, env, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var none *llm.Service
	for name, s := range map[string]*llm.Service{"nil": none, "empty": built.(*llm.Service)} {
		h := s.For(access.Public())
		if _, err := h.Generate(t.Context(), ask("Echo")); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Generate() error = %v, want kind %v", name, err, fault.Unsupported)
		}
		if _, err := h.Describe(t.Context(), "Echo"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Describe() error = %v, want kind %v", name, err, fault.Unsupported)
		}
		if _, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "Echo"}); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Embed() error = %v, want kind %v", name, err, fault.Unsupported)
		}
		if _, err := llm.Collect(h.MakeImages(t.Context(), llm.ImageRequest{Model: "Echo"})); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: MakeImages() error = %v, want kind %v", name, err, fault.Unsupported)
		}
	}
}

func TestBuild_SameProviderTwice(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(), Record: func(context.Context, access.Decision) error { return nil }}
	_, err := connector.Build(llm.Kind, env, "", []connector.Opened{{ID: "Fake", Connector: &script{}}, {ID: "fake", Connector: &script{}}}, nil)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("two ids that differ in case: error = %v, want kind %v", err, fault.Invalid)
	}
}

// A model that a caller describes is not the operator's, whatever it says.
func TestT30_InlineModel(t *testing.T) {
	t.Parallel()
	w, s := world(t, llmtest.Setup{Getenv: func(string) string { return "operator" }}, parts(nil, done()))
	inline, err := models.FromValue(object(t, `{"provider": "Fake", "modelId": "m", "baseURL": "https://attacker.test", "credentials": "internal"}`))
	if err != nil {
		t.Fatal(err)
	}
	inline.TeamOwn = false // as a careless caller would
	req := ask("")
	req.Inline = &inline
	if _, err := w.As(t, "agent:helper").Generate(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if k := s.last().Credential.Optional(); !k.IsZero() {
		t.Errorf("a described model got the key %q, want none", k.Reveal())
	}
	if _, err := models.FromValue(value.Of("m")); !fault.Is(err, fault.Invalid) {
		t.Errorf("FromValue(text) error = %v, want kind %v", err, fault.Invalid)
	}
}
