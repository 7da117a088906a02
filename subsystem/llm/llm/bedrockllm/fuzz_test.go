package bedrockllm_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/sre-go/sre/internal/testmodel"
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
	return answering(c.data).RoundTrip(r)
}

// FuzzStream checks that whatever is in the events of a stream, and whatever bytes come instead of them, an answer is
// complete only with a reason and nothing panics.
func FuzzStream(f *testing.F) {
	stream, _ := recorded()
	f.Add("contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":"a"}}`), stream)
	f.Add("contentBlockStop", []byte(`{"contentBlockIndex":-1}`), []byte("<html>"))
	f.Add("contentBlockStart", []byte(`{"start":{"toolUse":null}}`), []byte{0, 0, 0, 16, 0, 0, 0, 0})
	f.Add("metadata", []byte(`{"usage":{"inputTokens":1e300}}`), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add("messageStop", []byte(`{"stopReason":7}`), []byte(nil))
	way := &changing{}
	s := setup(f, "http://provider.test")
	s.HTTP, s.Effects = &http.Client{Transport: way}, hurried{}
	model := open(f, s)
	f.Fuzz(func(t *testing.T, name string, payload, rest []byte) {
		if len(name) > 100 {
			return
		}
		way.set(append(testmodel.ConverseEvent(name, payload), rest...))
		finished := false
		for p, err := range model.Stream(t.Context(), llm.Request{Model: "claude", Messages: say()}) {
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
	stream, _ := recorded()
	s := setup(b, "http://provider.test")
	s.HTTP = &http.Client{Transport: answering(stream)}
	model := open(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := llm.Collect(model.Stream(b.Context(), llm.Request{Model: "claude", Messages: say()})); err != nil {
			b.Fatal(err)
		}
	}
}
