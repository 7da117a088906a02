package googlellm_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// bytesOf answers every request with bytes.
type bytesOf string

// RoundTrip implements [http.RoundTripper].
func (b bytesOf) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: -1, Body: io.NopCloser(strings.NewReader(string(b))),
	}, nil
}

// changing answers with the bytes that it was last given.
type changing struct {
	mu   sync.Mutex
	data string
}

// RoundTrip implements [http.RoundTripper].
func (c *changing) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytesOf(c.data).RoundTrip(r)
}

// FuzzStream checks that whatever bytes come, an answer is complete only with a reason, which is the last thing that is told.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{
		recorded, "", "data: {}\n\n", `data: {"candidates":[{"finishReason":7}]}` + "\n\n", `data: {"error":{"code":-1}}` + "\n\n", "data: [\ndata: 1]\n\n",
		`data: {"candidates":[{"content":{"parts":[{"inlineData":{"data":"%"}},{"functionCall":7}]}}],"usageMetadata":{"promptTokenCount":1e300}}` + "\r\n\r\n",
	} {
		f.Add(seed)
	}
	way := &changing{}
	s := setup(f, "http://provider.test")
	s.HTTP = &http.Client{Transport: way}
	model := open(f, s)
	f.Fuzz(func(t *testing.T, stream string) {
		way.mu.Lock()
		way.data = stream
		way.mu.Unlock()
		finished := false
		for p, err := range model.Stream(t.Context(), llm.Request{Model: "flash", Messages: say("x")}) {
			if finished {
				t.Fatalf("%T, %v after the end", p, err)
			}
			if end, ok := p.(llm.Finish); ok {
				if finished = true; end.Raw == "" {
					t.Fatal("an answer is complete without a reason")
				}
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	s := setup(b, "http://provider.test")
	s.HTTP = &http.Client{Transport: bytesOf(recorded)}
	model := open(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := llm.Collect(model.Stream(b.Context(), llm.Request{Model: "flash", Messages: say("x")})); err != nil {
			b.Fatal(err)
		}
	}
}
