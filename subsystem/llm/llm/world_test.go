package llm_test

import (
	"context"
	"iter"
	"sync"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

// script is a connector whose answers a test writes: each call gets the next one, the last one again and again.
type script struct {
	answers []func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool)

	mu    sync.Mutex
	asked []*llm.Call
}

func (s *script) Generate(ctx context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, call)
	return func(yield func(llm.Part, error) bool) { answer(ctx, call, yield) }
}

// last returns the last call.
func (s *script) last() *llm.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

type answer = func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool)

// parts answers with parts, and then fails with an error when it is not nil.
func parts(fail error, list ...llm.Part) answer {
	return func(_ context.Context, _ *llm.Call, yield func(llm.Part, error) bool) {
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
		if fail != nil {
			yield(nil, fail)
		}
	}
}

// silent answers with parts and then waits for the end of the request.
func silent(list ...llm.Part) answer {
	return func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) {
		parts(nil, list...)(ctx, call, yield)
		<-ctx.Done()
		yield(nil, ctx.Err())
	}
}

func text(s string) llm.Part { return llm.Text{Text: s} }

func done() llm.Part { return llm.Finish{Reason: llm.Stop, Raw: "stop"} }

// world is a service with a scripted provider "Fake" and its models.
func world(t testing.TB, setup llmtest.Setup, answers ...answer) (*llmtest.World, *script) {
	t.Helper()
	entries, err := value.Parse(`{
		"fake": {"provider": "Fake", "modelId": "fake-1", "credentials": "none", "tokens": 1000, "completionTokens": 100, "params": {
			"temperature": 0.25, "topP": 0.5, "topK": 7, "stopSequences": "END,STOP", "maxTokens": 50, "reasoningEffort": "low", "verbosity": "high"
		}},
		"plain": {"provider": "fake", "modelId": "plain-1", "credentials": "none"},
		"weak": {"provider": "Fake", "modelId": "weak-1", "credentials": "none", "fallbackLLM": "plain"},
		"weaker": {"provider": "Fake", "modelId": "weaker-1", "credentials": "none", "fallbackLLM": "weak"},
		"round": {"provider": "Fake", "modelId": "round-1", "credentials": "none", "fallbackLLM": "about"},
		"about": {"provider": "Fake", "modelId": "about-1", "credentials": "none", "fallbackLLM": "round"},
		"lost": {"provider": "Nobody", "modelId": "x"}
	}`)
	if err != nil {
		t.Fatal(err)
	}
	if setup.Models.IsObject() {
		for _, m := range setup.Models.Members() {
			entries = entries.With(m.Key, m.Value)
		}
	}
	setup.Models = entries
	s := &script{answers: answers}
	return llmtest.Open(t, setup, nil, nil, connector.Opened{ID: "Fake", Connector: s}), s
}

func ask(model string) llm.Request {
	return llm.Request{Model: model, Messages: []llm.Message{llm.Say(llm.User, "q")}}
}

func object(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
