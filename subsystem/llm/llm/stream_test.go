package llm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

// read ranges over a stream and writes down what came.
func read(h *llm.Handle, ctx context.Context, req llm.Request) (got []string, failure error) {
	for p, err := range h.Stream(ctx, req) {
		if err != nil {
			return append(got, "error"), err
		}
		got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", p), "llm."))
	}
	return got, nil
}

// Whatever a connector does, a stream ends with a finish or an error, and shows tool calls only when it is complete.
func TestStream_Promises(t *testing.T) {
	t.Parallel()
	refused := llm.Refused(503, "busy")
	call := llm.ToolCall{ID: "1", Name: "add", Arguments: "{}"}
	tests := []struct {
		name   string
		answer answer
		want   string
		kind   fault.Kind
		code   string
	}{
		{"complete", parts(nil, text("a"), llm.Usage{Input: 1}, done()), "Text Usage Finish", 0, ""},
		{"cut", parts(nil, text("a")), "Text error", fault.Unavailable, llm.CodeCut},
		{"nothing at all", parts(nil), "error", fault.Unavailable, llm.CodeCut}, // after it was asked again
		{"fails", parts(refused, text("a")), "Text error", fault.Unavailable, "UNAVAILABLE"},
		{"goes on after its end", parts(refused, done(), text("b"), done()), "Finish", 0, ""},
		{"tool calls wait", parts(nil, call, text("a"), call, done()), "Text ToolCall ToolCall Finish", 0, ""},
		{"tool calls of a cut answer", parts(nil, call, text("a")), "Text error", fault.Unavailable, llm.CodeCut},
		{"tool calls of a failed answer", parts(refused, call), "error", fault.Unavailable, "UNAVAILABLE"},
		{"a tool call without a name", parts(nil, llm.ToolCall{ID: "1"}, done()), "error", fault.Unavailable, "UNAVAILABLE"},
		{"a part of nothing", parts(nil, nil, done()), "error", fault.Internal, "INTERNAL"},
		{"thoughts and images", parts(nil, llm.Thinking{Text: "hm"}, llm.Image{MIME: "image/png"}, done()), "Thinking Image Finish", 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, _ := world(t, llmtest.Setup{}, test.answer)
			got, err := read(w.As(t, "agent:helper"), t.Context(), ask("plain"))
			if strings.Join(got, " ") != test.want {
				t.Errorf("parts = %v, want %s", got, test.want)
			}
			if test.code == "" && err != nil || test.code != "" && (fault.KindOf(err) != test.kind || fault.CodeOf(err) != test.code) {
				t.Errorf("error = %v (%v, %s), want %v, %s", err, fault.KindOf(err), fault.CodeOf(err), test.kind, test.code)
			}
		})
	}
}

// A provider that goes silent is given up after the time that the limits allow, and the time that the caller takes does
// not count.
func TestStream_Silence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer answer
		pause  time.Duration // of the caller after each part
		after  time.Duration
		want   string // what the error names
	}{
		{"no first part", silent(), 0, 120 * time.Second, "model_first_byte_time"},
		{"stops on the way", silent(text("a"), text("b")), 0, 60 * time.Second, "model_idle_time"},
		{"a slow caller", silent(text("a"), text("b")), 5 * time.Minute, 11 * time.Minute, "model_idle_time"},
		{"too long in all", silent(text("a"), text("b")), 8 * time.Minute, 16 * time.Minute, "model_time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _ := world(t, llmtest.Setup{}, test.answer)
				clock := effect.System{}
				start := clock.Now()
				var failure error
				for _, err := range w.As(t, "agent:helper").Stream(t.Context(), ask("plain")) {
					if failure = err; err == nil && test.pause > 0 {
						if err := clock.Sleep(t.Context(), test.pause); err != nil {
							t.Fatal(err)
						}
					}
				}
				if took := clock.Now().Sub(start); took != test.after {
					t.Errorf("given up after %s, want %s", took, test.after)
				}
				if !fault.Is(failure, fault.Timeout) || fault.CodeOf(failure) != llm.CodeStalled || !strings.Contains(failure.Error(), test.want) {
					t.Errorf("error = %v, want a timeout that names %s", failure, test.want)
				}
			})
		})
	}
}

var errGone = errors.New("killed")

// The reason why a caller went away is the error, not what it looked like from inside.
func TestStream_Canceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := world(t, llmtest.Setup{}, silent(text("a")))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errGone) })
		got, err := read(w.As(t, "agent:helper"), ctx, ask("weak"))
		if !errors.Is(err, errGone) || strings.Join(got, " ") != "Text error" {
			t.Errorf("parts = %v, error = %v, want %v after one part", got, err, errGone)
		}
	})
}

// When a caller stops early, the connector is told to, and what was used counts.
func TestStream_Stopped(t *testing.T) {
	t.Parallel()
	ended := false
	w, _ := world(t, llmtest.Setup{}, func(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) {
		ended = yield(llm.Usage{Input: 3}, nil) && !yield(text("a"), nil)
	})
	for p := range w.As(t, "agent:helper").Stream(t.Context(), ask("plain")) {
		if _, ok := p.(llm.Text); ok {
			break
		}
	}
	if !ended {
		t.Error("the connector was not told that nobody reads on")
	}
	if used := w.Used(); len(used) != 1 || used[0].Usage.Input != 3 {
		t.Errorf("used = %+v, want 3 tokens once", used)
	}
}

func TestStream_Fallback(t *testing.T) {
	t.Parallel()
	no := llm.Refused(400, "no")
	tests := []struct {
		name    string
		model   string
		answers []answer
		want    string // text, or the error
		asked   []string
	}{
		{"not needed", "weak", []answer{parts(nil, text("a"), done())}, "a", []string{"weak-1"}},
		{"answers instead", "weak", []answer{parts(no), parts(nil, text("b"), done())}, "b", []string{"weak-1", "plain-1"}},
		{"fails too", "weak", []answer{parts(no), parts(llm.Refused(422, "never"))}, "400 no", []string{"weak-1", "plain-1"}},
		{"after a part that nobody saw", "weak", []answer{parts(no, text("a")), parts(nil, text("b"), done())}, "b", []string{"weak-1", "plain-1"}},
		{"after usage alone", "weak", []answer{parts(no, llm.Usage{Input: 1}), parts(nil, text("b"), done())}, "b", []string{"weak-1", "plain-1"}},
		{"in order", "weaker", []answer{parts(no), parts(no), parts(nil, text("b"), done())}, "b", []string{"weaker-1", "weak-1", "plain-1"}},
		{"none", "plain", []answer{parts(no)}, "400 no", []string{"plain-1"}},
		{"in a circle", "round", []answer{parts(no)}, "400 no", []string{"round-1", "about-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, s := world(t, llmtest.Setup{}, test.answers...)
			req := ask(test.model)
			warm := 0.9
			req.Temperature, req.MaxTokens = &warm, 12
			r, err := w.As(t, "agent:helper").Generate(t.Context(), req)
			if got := r.Text; err == nil && got != test.want || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Generate() = %q, %v, want %s", got, err, test.want)
			}
			var asked []string
			for i, c := range s.asked {
				asked = append(asked, c.Target.ModelID)
				if i > 0 && (c.Temperature != nil || c.MaxTokens != 12 || len(c.Messages) != 1) {
					t.Errorf("the fallback was asked %+v, want the messages and the length only", c.Request)
				}
			}
			if !slices.Equal(asked, test.asked) {
				t.Errorf("asked %v, want %v", asked, test.asked)
			}
		})
	}
}

// What was used is told once, also by a call that failed.
func TestStream_Used(t *testing.T) {
	t.Parallel()
	w, _ := world(t, llmtest.Setup{}, parts(llm.Refused(400, "x"), llm.Usage{Input: 1}, llm.Usage{Input: 5, Output: 2}))
	r, err := w.As(t, "agent:helper").Generate(t.Context(), ask("plain"))
	if err == nil || r.Usage.Input != 5 {
		t.Errorf("Generate() used %+v, %v, want 5 tokens and an error", r.Usage, err)
	}
	used := w.Used()
	if len(used) != 1 || used[0].Usage.Input != 5 || used[0].Team != "team-a" || used[0].Model != "plain" || used[0].Provider != "Fake" || used[0].OwnKey {
		t.Errorf("used = %+v, want the last totals once", used)
	}
}

func BenchmarkGenerate(b *testing.B) {
	w, _ := world(b, llmtest.Setup{}, parts(nil, text("answer"), done()))
	h, req := w.As(b, "agent:helper"), ask("plain")
	b.ReportAllocs()
	for b.Loop() {
		if r, err := h.Generate(b.Context(), req); err != nil || r.Text != "answer" {
			b.Fatal(r.Text, err)
		}
	}
}

// Who goes away with the first part gets no other, though the whole answer had arrived: above all no tool call.
func TestStream_CallerGoesAway(t *testing.T) {
	t.Parallel()
	gone := errors.New("the caller is gone")
	w, _ := world(t, llmtest.Setup{}, parts(nil, text("a"), llm.ToolCall{ID: "1", Name: "add", Arguments: "{}"}, text("b"), done()))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var got []string
	var failure error
	for p, err := range w.As(t, "agent:helper").Stream(ctx, ask("plain")) {
		if failure = err; err == nil {
			got = append(got, fmt.Sprintf("%T", p))
		}
		cancel(gone)
	}
	if !errors.Is(failure, gone) || len(got) != 1 {
		t.Errorf("got %v, %v, want one part and that the caller is gone", got, failure)
	}
}
