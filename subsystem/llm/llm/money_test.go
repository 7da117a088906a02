package llm_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

const priced = `{
	"cheap": {"provider": "Fake", "modelId": "cheap-1", "credentials": "none", "tokens": 1000, "completionTokens": 100, "prices": {"input": 1, "output": 4, "cacheRead": 0.1, "image": 0.04}},
	"dear": {"provider": "Fake", "modelId": "dear-1", "credentials": "none", "tokens": 1000, "completionTokens": 100, "prices": {"input": 1000, "output": 4000, "image": 9}}
}`

func TestUsed_Money(t *testing.T) {
	t.Parallel()
	used := llm.Usage{Input: 100, CacheRead: 50, CacheWrite: 10, Output: 20, Images: 1}
	tests := []struct {
		model  string
		micros int64
		priced bool
	}{
		{"cheap", 100 + 5 + 10 + 80 + 40_000, true},
		{"dear", 100_000 + 50_000 + 10_000 + 80_000 + 9_000_000, true},
		{"plain", 100_000 + 50_000 + 10_000 + 80_000 + 9_000_000, false}, // the dearest of all models
	}
	for _, tt := range tests {
		w, _ := world(t, llmtest.Setup{Models: object(t, priced)}, parts(nil, text("a"), used, done()))
		if _, err := w.As(t, "agent:helper").Generate(t.Context(), ask(tt.model)); err != nil {
			t.Fatal(err)
		}
		got := w.Used()
		if len(got) != 1 || got[0].Micros != tt.micros || got[0].Priced != tt.priced || got[0].Estimated {
			t.Errorf("%s: used %+v, want %d millionths, known %t", tt.model, got, tt.micros, tt.priced)
		}
	}
}

func TestBudget_IsReservedAndSettled(t *testing.T) {
	t.Parallel()
	w, s := world(t, llmtest.Setup{Models: object(t, priced)}, parts(nil, text("answer"), llm.Usage{Input: 5, Output: 2}, done()))
	b := budget.New("run", budget.Amount{Tokens: 60})
	ctx := budget.With(t.Context(), b)
	h := w.As(t, "agent:helper")
	if _, err := h.Generate(ctx, ask("cheap")); err != nil {
		t.Fatal(err)
	}
	if got := b.Used(); got.Tokens != 7 || got.Calls != 1 || got.Micros != 13 {
		t.Errorf("used = %+v, want what the provider told", got)
	}
	if got := s.last().MaxTokens; got >= 60 || got < 40 {
		t.Errorf("the answer may have %d tokens, want what is left", got)
	}
}

func TestBudget_Exceeded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, model string
		limit       budget.Amount
		code, text  string
	}{
		{"tokens", "cheap", budget.Amount{Tokens: 3}, "BUDGET_EXCEEDED(tokens)", "run"},
		{"money", "dear", budget.Amount{Micros: 100}, "BUDGET_EXCEEDED(money)", "$0.0001"},
		{"unknown price", "plain", budget.Amount{Micros: 100}, "BUDGET_EXCEEDED(money)", "set prices in its entry"},
	}
	for _, tt := range tests {
		w, s := world(t, llmtest.Setup{Models: object(t, priced)}, parts(nil, text("a"), done()))
		_, err := w.As(t, "agent:helper").Generate(budget.With(t.Context(), budget.New("run", tt.limit)), ask(tt.model))
		if fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.text) || len(s.asked) != 0 {
			t.Errorf("%s: Generate = %v (%s), asked %d times; want %s with %q and none", tt.name, err, fault.CodeOf(err), len(s.asked), tt.code, tt.text)
		}
	}
}

// A provider that does not tell what was used is taken at the estimate.
func TestBudget_Estimates(t *testing.T) {
	t.Parallel()
	w, _ := world(t, llmtest.Setup{Models: object(t, priced)}, parts(llm.Refused(400, "late"), text("half an answer")))
	b := budget.New("run", budget.Amount{Tokens: 1000})
	if _, err := w.As(t, "agent:helper").Generate(budget.With(t.Context(), b), ask("cheap")); err == nil {
		t.Fatal("no error")
	}
	if got := b.Used(); got.Tokens < 5 || got.Tokens > 30 {
		t.Errorf("used = %+v, want an estimate of what was asked and answered", got)
	}
	if used := w.Used(); len(used) != 1 || !used[0].Estimated {
		t.Errorf("told %+v, want an estimate", used)
	}
}

// T53: a hundred callers at once never use more than the budget.
func TestT53_HundredCallersAtABudget(t *testing.T) {
	t.Parallel()
	var answers atomic.Int64
	w, _ := world(t, llmtest.Setup{Models: object(t, priced)}, func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) {
		answers.Add(1)
		parts(nil, text("a"), llm.Usage{Input: 4, Output: call.MaxTokens}, done())(ctx, call, yield)
	})
	b := budget.New("run", budget.Amount{Tokens: 500})
	ctx := budget.With(t.Context(), b)
	h := w.As(t, "agent:helper")
	req := ask("cheap")
	req.MaxTokens = 10
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := h.Generate(ctx, req); fault.CodeOf(err) == "BUDGET_EXCEEDED(tokens)" {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used := b.Used().Tokens; used > 500 || answers.Load()+refused.Load() != 100 || answers.Load() < 20 {
		t.Errorf("%d answers, %d refused, %d tokens used of 500", answers.Load(), refused.Load(), used)
	}
}

// Vectors and images are paid from the same budgets as answers.
func TestBudget_VectorsAndImages(t *testing.T) {
	t.Parallel()
	w := llmtest.Open(t, llmtest.Setup{Models: object(t, `{
		"draw": {"provider": "Artist", "modelId": "d", "credentials": "none", "prices": {"input": 1, "output": 1, "image": 0.5}}
	}`)}, nil, nil, connector.Opened{ID: "Artist", Connector: &artist{vectors: 2}})
	h := w.As(t, "agent:helper")
	b := budget.New("run", budget.Amount{Micros: 1_200_000})
	ctx := budget.With(t.Context(), b)
	if _, err := h.Embed(ctx, llm.EmbedRequest{Model: "draw", Texts: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.Used(); got.Tokens != 2 || got.Calls != 1 || got.Micros != 2 {
		t.Errorf("after vectors: used %+v", got)
	}
	if _, err := llm.Collect(h.MakeImages(ctx, llm.ImageRequest{Model: "draw", Prompt: "x"})); err != nil {
		t.Fatal(err)
	}
	used := b.Used()
	if used.Calls != 2 || used.Micros < 500_000 {
		t.Errorf("after an image: used %+v, want its price", used)
	}
	if _, err := llm.Collect(h.MakeImages(ctx, llm.ImageRequest{Model: "draw", Prompt: "x", Count: 2})); fault.CodeOf(err) != "BUDGET_EXCEEDED(money)" {
		t.Errorf("over the budget: %v", err)
	}
	small := budget.With(t.Context(), budget.New("run", budget.Amount{Tokens: 1}))
	if _, err := h.Embed(small, llm.EmbedRequest{Model: "draw", Texts: []string{strings.Repeat("long ", 100)}}); fault.CodeOf(err) != "BUDGET_EXCEEDED(tokens)" {
		t.Errorf("vectors over the budget: %v", err)
	}
	if got := b.Used(); got != used {
		t.Errorf("what was refused was counted: %+v, then %+v", used, got)
	}
}
