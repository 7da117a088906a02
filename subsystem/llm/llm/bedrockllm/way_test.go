package bedrockllm

import (
	"context"
	"net/http"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// noted counts requests.
type noted struct{ n int }

// RoundTrip implements [http.RoundTripper].
func (c *noted) RoundTrip(*http.Request) (*http.Response, error) {
	c.n++
	return nil, http.ErrServerClosed
}

// A key that is bound to hosts signs nothing that is sent elsewhere.
func TestT30_KeyOfAnotherHost(t *testing.T) {
	t.Parallel()
	const there = "https://bedrock-runtime.eu-west-1.amazonaws.com/"
	tests := []struct {
		name, url string
		keys      []secret.Value
		kind      fault.Kind
		sent      int
	}{
		{"bound to it", there, []secret.Value{secret.New("k").For("*.amazonaws.com")}, fault.Internal, 1},
		{"bound to another", there, []secret.Value{secret.New("k").For("api.openai.com")}, fault.Denied, 0},
		{"one of three", there, []secret.Value{secret.New("id"), secret.New("k"), secret.New("s").For("sts.amazonaws.com")}, fault.Denied, 0},
		{"a name that only ends alike", "https://bedrock-runtime.amazonaws.com.evil.test/", []secret.Value{secret.New("k").For("*.amazonaws.com")}, fault.Denied, 0},
		{"bound to none, and one that is absent", there, []secret.Value{secret.New("k"), {}}, fault.Internal, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := &noted{}
			w := &way{http: &http.Client{Transport: out}, keys: tt.keys}
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, tt.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := w.Do(r)
			if err == nil {
				_ = resp.Body.Close()
			}
			if !fault.Is(err, tt.kind) || out.n != tt.sent {
				t.Errorf("error = %v (%v) after %d requests, want %v after %d", err, fault.KindOf(err), out.n, tt.kind, tt.sent)
			}
		})
	}
}
