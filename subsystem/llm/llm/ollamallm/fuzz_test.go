package ollamallm_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// changing answers with the bytes that it was last given.
type changing struct {
	mu   sync.Mutex
	data []byte
}

func (c *changing) set(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data = data
}

// RoundTrip implements [http.RoundTripper].
func (c *changing) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: -1, Body: io.NopCloser(bytes.NewReader(c.data)),
	}, nil
}

// FuzzStream checks that whatever bytes come, an answer is complete only at its end, which is the last thing that is told.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{recorded, "", "{}", `{"done":true}`, `{"error":7}`, `{"message":{"tool_calls":[{"function":null}]},"done":1}`, "\r\n\r\n{", `{"done":true,"eval_count":1e300}`} {
		f.Add([]byte(seed))
	}
	way := &changing{}
	s := setup(f, "http://provider.test")
	s.HTTP = &http.Client{Transport: way}
	model := open(f, s, "")
	f.Fuzz(func(t *testing.T, stream []byte) {
		way.set(stream)
		finished := false
		for p, err := range model.Stream(t.Context(), llm.Request{Model: "qwen", Messages: []llm.Message{llm.Say(llm.User, "x")}}) {
			if finished {
				t.Fatalf("%T, %v after the end", p, err)
			}
			if end, ok := p.(llm.Finish); ok {
				if finished = true; !bytes.Contains(stream, []byte("done")) {
					t.Fatalf("%+v of an answer that does not say so", end)
				}
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	way := &changing{data: []byte(recorded)}
	s := setup(b, "http://provider.test")
	s.HTTP = &http.Client{Transport: way}
	model := open(b, s, "")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := llm.Collect(model.Stream(b.Context(), llm.Request{Model: "qwen", Messages: []llm.Message{llm.Say(llm.User, "x")}})); err != nil {
			b.Fatal(err)
		}
	}
}
