package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// told answers every request with a status, a header Retry-After and a body.
func told(t testing.TB, status int, after, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a client that goes away is no concern of the test
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestRest_Events(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       []string
	}{
		{"two", "data: a\n\ndata: b\n\n", []string{"a", "b"}},
		{"other ends of lines", "data: a\r\n\r\ndata:b\r\n\r\n", []string{"a", "b"}},
		{"several lines", "event: x\ndata: a\ndata: b\nid: 1\n\n", []string{"a\nb"}},
		{"comments and nothing", ": hi\n\n\n\ndata: a\n\n", []string{"a"}},
		{"one that has not ended", "data: a\n\ndata: b\n", []string{"a"}},
		{"nothing at all", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &llm.Rest{HTTP: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}
			defer r.HTTP.CloseIdleConnections()
			var got []string
			for data, err := range r.Events(t.Context(), told(t, 200, "", tt.body), nil, value.Obj()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(data))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Events() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRest_Refused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, after, body string
		status            int
		kind              fault.Kind
		text              string
		wait              time.Duration
	}{
		{"its words", "", `{"say":"no"}`, 400, fault.Invalid, "no (ask better)", 0},
		{"for a while", "7", `{"say":"slow"}`, 429, fault.RateLimited, "slow", 7 * time.Second},
		{"until a date", "Fri, 31 Dec 9999 23:59:59 GMT", `{"say":"slow"}`, 429, fault.RateLimited, "slow", 2 * time.Minute},
		{"until a date that is over", "Mon, 23 Nov 2020 10:00:00 GMT", `{"say":"slow"}`, 429, fault.RateLimited, "slow", 0},
		{"a wait that is none", "-7", `{"say":"slow"}`, 429, fault.RateLimited, "slow", 0},
		{"a kind of its own", "", `{"say":"key"}`, 400, fault.Unauthenticated, "key", 0},
		{"nothing", "", "", 503, fault.Unavailable, "Service Unavailable", 0},
		{"a redirect", "", "", 307, fault.Invalid, "307 Temporary Redirect", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &llm.Rest{HTTP: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}, Refused: func(_ int, body value.Value) llm.Refusal {
				out := llm.Refusal{Message: body.GetString("say"), Hint: "ask better"}
				if out.Message == "key" {
					out.Kind = fault.Unauthenticated
				}
				return out
			}}
			defer r.HTTP.CloseIdleConnections()
			_, err := r.Ask(t.Context(), told(t, tt.status, tt.after, tt.body), nil, value.Obj())
			wait, _ := llm.RetryAfter(err)
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) || wait != tt.wait {
				t.Errorf("error = %v (%v) after %s, want %v %q after %s", err, fault.KindOf(err), wait, tt.kind, tt.text, tt.wait)
			}
		})
	}
}

func TestRest_Bounds(t *testing.T) {
	t.Parallel()
	r := &llm.Rest{HTTP: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}, Bytes: 100}
	defer r.HTTP.CloseIdleConnections()
	long := strings.Repeat("x", 200)
	for _, body := range []string{`"` + long + `"`, "data: " + long + "\n\n", strings.Repeat("data: "+long[:60]+"\n", 3)} {
		address := told(t, 200, "", body)
		_, whole := r.Ask(t.Context(), address, nil, value.Obj())
		var streamed error
		for _, err := range r.Events(t.Context(), address, nil, value.Obj()) {
			streamed = err
		}
		for name, err := range map[string]error{"whole": whole, "streamed": streamed} {
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "100 bytes") {
				t.Errorf("%s: %.20q: error = %v, want that it is too long", name, body, err)
			}
		}
	}
}

func TestRest_NoWay(t *testing.T) {
	t.Parallel()
	if _, err := (&llm.Rest{}).Ask(t.Context(), "http://a.test", nil, value.Obj()); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a way out: %v, want kind %v", err, fault.Unsupported)
	}
	r := &llm.Rest{HTTP: &http.Client{}}
	if _, err := r.Ask(t.Context(), "::", nil, value.Obj()); !fault.Is(err, fault.Invalid) {
		t.Errorf("an address that is none: %v, want kind %v", err, fault.Invalid)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := r.Ask(ctx, "http://a.test", nil, value.Obj()); !errors.Is(err, gone) {
		t.Errorf("after the end of its context: %v, want %v", err, gone)
	}
}
