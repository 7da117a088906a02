package llm_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func TestExpect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, prompt string
		outputs      []llm.Expected
		placeholder  string
		want         string
	}{ // as recorded
		{"outputs", "P", []llm.Expected{{Name: "x"}, {Name: "y", Description: "the y"}}, llm.AnyValue,
			"P\n##\nExpected output format = {\"x\":\"<value>\",\"y\":\"<value> (the y)\"}\nThe output JSON should only use the entries from the output format."},
		{"none", "P", nil, llm.AnyValue, "P"},
		{"choices", "P", []llm.Expected{{Name: "c1"}, {Name: "c2", Description: "d"}}, llm.YesOrText,
			"P\n##\nExpected output format = {\"c1\":\"<Boolean|String>\",\"c2\":\"<Boolean|String> (d)\"}\nThe output JSON should only use the entries from the output format."},
		{"empty prompt", "", []llm.Expected{{Name: "c1"}}, llm.AnyValue, ""},
	}
	for _, test := range tests {
		if got := llm.Expect(test.prompt, test.outputs, test.placeholder); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestParseReason(t *testing.T) {
	t.Parallel()
	want := map[llm.Reason][]string{
		llm.Stop:          {"stop", "end_turn", "stop_sequence", "pause_turn", "none", "STOP"},
		llm.Length:        {"length", "max_tokens", "incomplete"},
		llm.ContentFilter: {"content_filter", "refusal", "SAFETY", "recitation", "spii"},
		llm.ToolCalls:     {"tool_calls", "tool_use", "function_call"},
		llm.Failed:        {"error", "MALFORMED_FUNCTION_CALL"},
		llm.Unknown:       {"", "whatever"},
	}
	for reason, raws := range want {
		for _, raw := range raws {
			if got := llm.ParseReason(raw); got != reason {
				t.Errorf("ParseReason(%q) = %q, want %q", raw, got, reason)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status  int
		message string
		kind    fault.Kind
		text    string
	}{
		{400, "bad request", fault.Invalid, "400 bad request"},
		{401, "bad key", fault.Unauthenticated, "401 bad key"},
		{403, "no", fault.Unauthenticated, "403 no"},
		{404, "no model", fault.NotFound, "404 no model"},
		{408, "slow", fault.Timeout, "408 slow"},
		{429, "slow down", fault.RateLimited, "429 slow down"},
		{500, "", fault.Unavailable, "500 Internal Server Error"},
		{504, "x", fault.Timeout, "504 x"},
		{529, "overloaded", fault.Unavailable, "529 overloaded"},
	}
	for _, test := range tests {
		err := llm.Refused(test.status, test.message)
		var said *llm.ProviderError
		if !fault.Is(err, test.kind) || !errors.As(err, &said) || said.Error() != test.text {
			t.Errorf("Refused(%d, %q) = %v (%v), want %q (%v)", test.status, test.message, err, fault.KindOf(err), test.text, test.kind)
		}
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	list := []llm.Part{
		llm.Thinking{Text: "I "}, llm.Thinking{Text: "think", Signature: "s"}, llm.Thinking{Sealed: []byte{1}}, llm.Thinking{Text: "more"},
		text("a"), text(""), text("b"), text("c"), llm.Image{URL: "u"}, llm.Usage{Input: 1}, llm.Usage{Input: 2}, llm.ToolCall{Name: "t"}, llm.Finish{Reason: llm.ToolCalls},
	}
	r, err := llm.Collect(func(yield func(llm.Part, error) bool) { parts(nil, list...)(t.Context(), nil, yield) })
	if err != nil || r.Text != "abc" || len(r.Thinking) != 3 || r.Thinking[0].Text != "I think" || r.Thinking[2].Text != "more" || r.Usage.Input != 2 ||
		len(r.Images) != 1 || len(r.Calls) != 1 || r.Finish.Reason != llm.ToolCalls {
		t.Errorf("Collect() = %+v, %v, want everything in its place", r, err)
	}
	if m := r.Message(); len(m.Content) != 6 || m.Text() != "abc" {
		t.Errorf("Message() = %+v, want thoughts, text, image and call", m)
	}
	if r.Pieces != nil {
		t.Errorf("Pieces = %+v, want none: nothing of the text was signed", r.Pieces)
	}
	broken := errors.New("broken")
	r, err = llm.Collect(func(yield func(llm.Part, error) bool) { parts(broken, text("a"))(t.Context(), nil, yield) })
	if !errors.Is(err, broken) || r.Text != "a" {
		t.Errorf("Collect() of a broken stream = %q, %v, want what came and the error", r.Text, err)
	}
}

// What a provider signed stands by itself in the message, where it came.
func TestCollect_SignedText(t *testing.T) {
	t.Parallel()
	signed := func(s string) llm.Text { return llm.Text{Text: s, Signature: "s"} }
	plain := func(s string) llm.Text { return llm.Text{Text: s} }
	tests := []struct {
		name  string
		parts []llm.Part
		want  []llm.Content
	}{
		{"at the end", []llm.Part{text("a"), text("b"), signed("c")}, []llm.Content{plain("ab"), signed("c")}},
		{"alone at the end", []llm.Part{text("a"), text("b"), signed("")}, []llm.Content{plain("ab"), signed("")}},
		{"all of it", []llm.Part{signed("a")}, []llm.Content{signed("a")}},
		{"in the middle", []llm.Part{text("a"), signed("b"), text("c"), text("d")}, []llm.Content{plain("a"), signed("b"), plain("cd")}},
		{"twice", []llm.Part{signed("a"), signed("b")}, []llm.Content{signed("a"), signed("b")}},
		{"before a tool", []llm.Part{signed(""), llm.ToolCall{Name: "t"}}, []llm.Content{signed(""), llm.ToolCall{Name: "t"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := llm.Collect(func(yield func(llm.Part, error) bool) { parts(nil, tt.parts...)(t.Context(), nil, yield) })
			if err != nil {
				t.Fatal(err)
			}
			if m := r.Message(); !slices.Equal(m.Content, tt.want) || m.Text() != r.Text {
				t.Errorf("Message() = %+v with the text %q of %q, want %+v", m.Content, m.Text(), r.Text, tt.want)
			}
		})
	}
}

func TestStopTexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   value.Value
		want []string
	}{
		{value.Value{}, nil}, {value.NullValue(), nil}, {value.Of(""), nil}, {value.OfBool(false), nil},
		{value.Of("a, b\nc,,"), []string{"a", "b", "c"}},
		{value.List(value.Of("a,b"), value.Of(" "), value.OfInt(5)), []string{"a,b", "5"}},
	}
	for _, test := range tests {
		if got := llm.StopTexts(test.in); !slices.Equal(got, test.want) {
			t.Errorf("StopTexts(%s) = %q, want %q", test.in.JSON(), got, test.want)
		}
	}
}

// FuzzStopTexts: what comes out is short enough to be what went in, and holds no separators.
func FuzzStopTexts(f *testing.F) {
	for _, seed := range []string{"", "a,b", ",\n,", " a \r\n b ", "\xff,\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		total := 0
		for _, s := range llm.StopTexts(value.Of(in)) {
			total += len(s)
			if s == "" || s != strings.TrimSpace(s) || strings.ContainsAny(s, ",\n") {
				t.Errorf("StopTexts(%q) holds %q", in, s)
			}
		}
		if total > len(in) {
			t.Errorf("StopTexts(%q) has %d bytes", in, total)
		}
	})
}

// artist makes vectors and images.
type artist struct {
	script
	vectors int
}

func (a *artist) Embed(_ context.Context, call *llm.EmbedCall) (llm.Embeddings, error) {
	return llm.Embeddings{Vectors: make([][]float32, a.vectors), Usage: llm.Usage{Input: len(call.Texts)}}, nil
}

func (a *artist) MakeImages(_ context.Context, call *llm.ImageCall) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		parts(nil, llm.Image{Prompt: call.Prompt}, llm.Usage{Images: 1}, done())(context.Background(), nil, yield)
	}
}

// sleeper makes vectors when its context ends, and not before.
type sleeper struct{ script }

func (*sleeper) Embed(ctx context.Context, _ *llm.EmbedCall) (llm.Embeddings, error) {
	<-ctx.Done()
	return llm.Embeddings{Usage: llm.Usage{Input: 4}}, ctx.Err()
}

// A provider of vectors that goes silent is given up, what it used counts, and a caller who leaves gets the own reason.
func TestEmbed_Silence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		setup := llmtest.Setup{Models: object(t, `{"m": {"provider": "Slow", "modelId": "m", "credentials": "none"}}`)}
		w := llmtest.Open(t, setup, nil, nil, connector.Opened{ID: "Slow", Connector: &sleeper{}})
		h, req := w.As(t, "agent:helper"), llm.EmbedRequest{Model: "m", Texts: []string{"a"}}
		clock := effect.System{}
		start := clock.Now()
		_, err := h.Embed(t.Context(), req)
		if took := clock.Now().Sub(start); took != 15*time.Minute {
			t.Errorf("given up after %s, want 15m0s", took)
		}
		if !fault.Is(err, fault.Timeout) || fault.CodeOf(err) != llm.CodeStalled || !strings.Contains(err.Error(), "model_time") {
			t.Errorf("error = %v, want a timeout that names model_time", err)
		}
		if used := w.Used(); len(used) != 1 || used[0].Usage.Input != 4 {
			t.Errorf("used = %+v, want 4 tokens once", used)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errGone) })
		if _, err := h.Embed(ctx, req); !errors.Is(err, errGone) {
			t.Errorf("error of a caller who left = %v, want %v", err, errGone)
		}
	})
}

func TestEmbed_MakeImages(t *testing.T) {
	t.Parallel()
	w, _ := world(t, llmtest.Setup{}, parts(nil, done()))
	if _, err := w.As(t, "agent:helper").Embed(t.Context(), llm.EmbedRequest{Model: "plain", Texts: []string{"a"}}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Embed() of a provider without = %v, want kind %v", err, fault.Unsupported)
	}
	a := &artist{vectors: 2}
	w = llmtest.Open(t, llmtest.Setup{Models: object(t, `{"m": {"provider": "Art", "modelId": "m", "credentials": "none"}}`)}, nil, nil, connector.Opened{ID: "Art", Connector: a})
	h := w.As(t, "agent:helper")
	if got, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "m", Texts: []string{"a", "b"}}); err != nil || len(got.Vectors) != 2 {
		t.Errorf("Embed() = %v, %v, want two vectors", got, err)
	}
	if got, err := h.Embed(t.Context(), llm.EmbedRequest{Model: "m", Texts: []string{"a"}}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Embed() with a vector too many = %v, %v, want kind %v", got, err, fault.Unavailable)
	}
	images := h.MakeImages(t.Context(), llm.ImageRequest{Model: "m", Prompt: "a cat"})
	if r, err := llm.Collect(images); err != nil || len(r.Images) != 1 || r.Images[0].Prompt != "a cat" || r.Finish.Model != "m" {
		t.Errorf("MakeImages() = %+v, %v, want one image of the model m", r, err)
	}
	if _, err := llm.Collect(images); !fault.Is(err, fault.Invalid) {
		t.Errorf("reading images twice: %v, want kind %v", err, fault.Invalid)
	}
	if used := w.Used(); len(used) != 3 || used[2].Usage.Images != 1 {
		t.Errorf("used = %+v, want each call once", used)
	}
}
