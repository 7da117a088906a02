package llm_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

func TestF08_AsksAgain(t *testing.T) {
	t.Parallel()
	busy, fine := llm.Refused(503, "busy"), parts(nil, text("b"), done())
	tests := []struct {
		name    string
		answers []answer
		want    string // what a stream gives
		asked   int
	}{
		{"well at once", []answer{fine}, "Text Finish", 1},
		{"well the third time", []answer{parts(busy), parts(busy), fine}, "Text Finish", 3},
		{"never well", []answer{parts(busy)}, "error", 3},
		{"refused", []answer{parts(llm.Refused(400, "no"))}, "error", 1},
		{"wrong key", []answer{parts(llm.Refused(401, "no"))}, "error", 1},
		{"after a part was shown", []answer{parts(busy, text("a")), fine}, "Text error", 1},
		{"cut before anything was shown", []answer{parts(nil), fine}, "Text Finish", 2},
		{"a tool call was half received", []answer{parts(nil, llm.ToolCall{ID: "1", Name: "pay"}), fine}, "Text Finish", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, s := world(t, llmtest.Setup{}, tt.answers...)
				got, err := read(w.As(t, "agent:helper"), t.Context(), ask("plain"))
				if strings.Join(got, " ") != tt.want || len(s.asked) != tt.asked {
					t.Errorf("parts = %v, %v, asked %d times; want %s, %d", got, err, len(s.asked), tt.want, tt.asked)
				}
			})
		})
	}
}

func TestF07_RetryAfter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		after    time.Duration
		min, max time.Duration // until the answer
	}{
		{"seven seconds", 7 * time.Second, 7 * time.Second, 8 * time.Second},
		{"not said", 0, 0, time.Second},
		{"absurd", 1e9 * time.Second, 120 * time.Second, 122 * time.Second},
		{"negative", -time.Second, 0, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _ := world(t, llmtest.Setup{}, parts(llm.RefusedFor(429, "slow down", tt.after)), parts(nil, text("b"), done()))
				begin := time.Now()
				if _, err := w.As(t, "agent:helper").Generate(t.Context(), ask("plain")); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took < tt.min || took > tt.max {
					t.Errorf("the answer took %s, want %s to %s", took, tt.min, tt.max)
				}
			})
		})
	}
}

// Who has less time than the provider wants is told at once, and so are others with the same key.
func TestF07_Deadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s := world(t, llmtest.Setup{}, parts(llm.RefusedFor(429, "slow down", time.Minute)))
		h := w.As(t, "agent:helper")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		for range 2 {
			_, err := h.Generate(ctx, ask("plain"))
			if fault.CodeOf(err) != llm.CodeRateLimited || !fault.Is(err, fault.RateLimited) {
				t.Errorf("Generate = %v (%s), want %s", err, fault.CodeOf(err), llm.CodeRateLimited)
			}
		}
		if took := time.Since(begin); took > 0 || len(s.asked) != 1 {
			t.Errorf("it took %s and asked %d times, want at once and once", took, len(s.asked))
		}
	})
}

// A provider that fails again and again is left alone; then one caller tries, and when that is well all may ask.
func TestF08_CircuitBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		healthy := false
		w, s := world(t, llmtest.Setup{}, func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) {
			if healthy {
				parts(nil, text("b"), done())(ctx, call, yield)
				return
			}
			yield(nil, llm.Refused(503, "down"))
		})
		h := w.As(t, "agent:helper")
		for fault.CodeOf(func() error { _, err := h.Generate(t.Context(), ask("plain")); return err }()) != llm.CodeDown {
			if len(s.asked) > 20 {
				t.Fatal("the provider is not left alone")
			}
		}
		if len(s.asked) != 10 {
			t.Errorf("it was asked %d times before, want 10", len(s.asked))
		}
		if _, err := h.Generate(t.Context(), ask("weak")); fault.CodeOf(err) != llm.CodeDown || len(s.asked) != 10 {
			t.Errorf("while it is left alone: %v, asked %d times", err, len(s.asked))
		}
		healthy = true
		time.Sleep(11 * time.Second)
		if r, err := h.Generate(t.Context(), ask("plain")); err != nil || r.Text != "b" {
			t.Errorf("after a while: %v", err)
		}
		if r, err := h.Generate(t.Context(), ask("plain")); err != nil || r.Text != "b" {
			t.Errorf("and then: %v", err)
		}
	})
}
