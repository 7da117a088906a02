package bedrockllm_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// overWire asks when the provider answers with these bytes.
func overWire(t testing.TB, stream []byte) (*llm.Response, error) {
	t.Helper()
	s := setup(t, "http://provider.test")
	s.HTTP = &http.Client{Transport: answering(stream)}
	s.Effects = hurried{}
	return llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "claude", Messages: []llm.Message{llm.Say(llm.User, "x")}}))
}

// answering answers with bytes.
type answering []byte

// RoundTrip implements [http.RoundTripper].
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(a)), Body: io.NopCloser(bytes.NewReader(a)),
	}, nil
}

// hurried is the source of the system, but for waits.
type hurried struct{ effect.System }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
