package llmtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Wire is a recorded answer of a provider as it came over the wire.
type Wire struct {
	ContentType string
	Stream      []byte
	// Whole is the length from which a cut answer is complete: with these bytes the provider has said why it ended. 0 for
	// the whole stream.
	Whole int
	// Client makes a client over a transport that leads nowhere.
	Client func(http.RoundTripper) *http.Client
}

// RunWire cuts a recorded stream at every byte and delivers it in every way: whatever arrives, an answer is complete only
// when the provider said so, tool calls are given only then, and the pieces in which the bytes come make no difference.
func RunWire(t *testing.T, def connector.Definition, s Subject, w Wire) {
	want := s.over(t, def, w, w.Stream, nil, nil)
	if len(want) == 0 || want[len(want)-1] != "finish" {
		t.Fatalf("the whole stream gives %q, want an answer that ends", want)
	}
	t.Run("TestF09_EveryChunking", func(t *testing.T) {
		for _, size := range []int{1, 2, 3, 7, 64, 1000} {
			if got := s.over(t, def, w, w.Stream, chunks(size), nil); !slices.Equal(got, want) {
				t.Fatalf("in pieces of %d bytes: %q, want %q", size, got, want)
			}
		}
	})
	whole := w.Whole
	if whole == 0 {
		whole = len(w.Stream)
	}
	for name, end := range map[string]error{"TestF09_CutAtEveryByte": nil, "TestF09_ResetAtEveryByte": io.ErrUnexpectedEOF} {
		t.Run(name, func(t *testing.T) {
			for n := range len(w.Stream) {
				got := s.over(t, def, w, w.Stream[:n], nil, end)
				last := got[len(got)-1]
				switch {
				case last == "finish" && n < whole:
					t.Fatalf("cut after %d of %d bytes: %q, want no complete answer", n, len(w.Stream), got)
				case last == "finish" && !slices.Equal(texts(got), texts(want)):
					t.Fatalf("cut after %d of %d bytes: %q is called complete, want %q", n, len(w.Stream), got, want)
				case last == "error" && slices.ContainsFunc(got, func(p string) bool { return len(p) > 5 && p[:5] == "call:" }):
					t.Fatalf("cut after %d of %d bytes: %q holds a tool call", n, len(w.Stream), got)
				}
			}
		})
	}
}

// over asks the model when its provider answers with these bytes, and returns the parts in short.
func (s Subject) over(t *testing.T, def connector.Definition, w Wire, data []byte, pieces func([]byte) io.Reader, end error) []string {
	t.Helper()
	if pieces == nil {
		pieces = func(b []byte) io.Reader { return bytes.NewReader(b) }
	}
	if end == nil {
		end = io.EOF
	}
	s.HTTP = w.Client(answering(func(r *http.Request) *http.Response {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return &http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {w.ContentType}}, Request: r, ContentLength: -1, ProtoMajor: 1, ProtoMinor: 1,
			Body: io.NopCloser(io.MultiReader(pieces(data), failing{end})),
		}
	}))
	s.Effects = hurried{effect.System{}}
	var got []string
	text := ""
	flush := func() {
		if text != "" {
			got, text = append(got, "text:"+text), ""
		}
	}
	for p, err := range s.open(t, def).Stream(t.Context(), s.request()) {
		if err != nil {
			flush()
			return append(got, "error")
		}
		switch p := p.(type) {
		case llm.Text:
			text += p.Text
			continue
		case llm.Thinking:
			continue
		}
		flush()
		switch p := p.(type) {
		case llm.ToolCall:
			got = append(got, fmt.Sprintf("call:%s %s", p.Name, p.Arguments))
		case llm.Usage:
			got = append(got, fmt.Sprintf("usage:%+v", p))
		case llm.Finish:
			got = append(got, "finish")
		}
	}
	return got
}

// texts leaves out what was used: it may come after the end.
func texts(parts []string) []string {
	return slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return len(p) > 6 && p[:6] == "usage:" })
}

// chunks delivers bytes in pieces of a size.
func chunks(size int) func([]byte) io.Reader {
	return func(b []byte) io.Reader { return &chunked{b, size} }
}

type chunked struct {
	rest []byte
	size int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest[:min(c.size, len(c.rest))])
	c.rest = c.rest[n:]
	return n, nil
}

// failing ends a body.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// answering is a way out that leads nowhere.
type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// hurried is the system's source of effects, but for waits.
type hurried struct{ effect.System }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
