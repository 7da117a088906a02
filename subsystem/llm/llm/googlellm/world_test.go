package googlellm_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/googlellm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func server(t testing.TB, script string) *testmodel.Server {
	t.Helper()
	rules, err := testmodel.ParseScript(parse(t, script))
	if err != nil {
		t.Fatal(err)
	}
	s, err := testmodel.Start(t.Context(), rules, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// entry is a model of the catalogue.
func entry(provider, model, base, credentials, settings string) string {
	return fmt.Sprintf(`{"provider":%q,"modelId":%q,"baseURL":%q,"credentials":%s,"settings":%s,"tokens":100000,"completionTokens":8000,"features":["text","tools","image","reasoning"]}`,
		provider, model, base, credentials, settings)
}

func setup(t testing.TB, base string) llmtest.Setup {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	const key, token, place = `{"apiKey":"canary-key"}`, `{"accessToken":"canary-token"}`, `{"projectId":"my-project","region":"europe-west4"}`
	models := `{"flash":` + entry("GoogleAI", "gemini-2.5-flash", base, key, `{}`) +
		`,"three":` + entry("GoogleAI", "gemini-3-pro-preview", base, key, `{}`) +
		`,"keyless":` + entry("GoogleAI", "x", base, `"vault"`, `{}`) +
		`,"imagen":` + entry("GoogleAI", "imagen-4.0-generate-001", base, key, `{}`) +
		`,"banana":` + entry("GoogleAI", "gemini-2.5-flash-image", base, key, `{}`) +
		`,"cloud":` + entry("VertexAI", "gemini-2.5-pro", base, token, place) +
		`,"anywhere":` + entry("VertexAI", "gemini-2.5-pro", "", token, `{"projectId":"my-project"}`) +
		`,"regional":` + entry("VertexAI", "gemini-2.5-pro", "", token, place) +
		`,"tuned":` + entry("VertexAI", "projects/p/locations/us-central1/endpoints/7", "", token, place) +
		`,"lost":` + entry("VertexAI", "gemini-2.5-pro", "", token, `{}`) +
		`,"strange":` + entry("VertexAI", "gemini-2.5-pro", "", token, `{"projectId":"p","region":"evil.test/#"}`) +
		`,"account":` + entry("VertexAI", "gemini-2.5-pro", base, `"vertexai_vault"`, `{"region":"europe-west4","jsonCredentialsName":"gcp"}`) +
		`,"vault":` + entry("VertexAI", "gemini-2.5-pro", base, `"vault"`, place) + `}`
	return llmtest.Setup{HTTP: c, Models: parse(t, models), Effects: &hurried{}}
}

// hurried is the source of the system, but its waits only move its clock.
type hurried struct {
	effect.System
	mu    sync.Mutex
	ahead time.Duration
}

func (h *hurried) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.System.Now().Add(h.ahead)
}

func (h *hurried) Sleep(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	h.ahead += max(d, 0)
	h.mu.Unlock()
	return context.Cause(ctx)
}

func open(t testing.TB, s llmtest.Setup) *llm.Handle {
	t.Helper()
	return llmtest.Open(t, s, map[string]connector.Definition{"GoogleAI": googlellm.Gemini, "VertexAI": googlellm.Vertex}, nil).As(t, "agent:helper")
}

func say(text string) []llm.Message { return []llm.Message{llm.Say(llm.User, text)} }

// ask sends a request and returns what the provider was sent and what came back.
func ask(t *testing.T, script string, req llm.Request) (sent value.Value, got *llm.Response, err error) {
	t.Helper()
	s := server(t, script)
	if req.Model == "" {
		req.Model = "flash"
	}
	got, err = llm.Collect(open(t, setup(t, s.Root())).Stream(t.Context(), req))
	return s.Requests().At(0), got, err
}

// spy keeps the requests that reach it. Those to a host that it answers for go no further.
type spy struct {
	next    http.RoundTripper
	answers map[string]func(*http.Request) *http.Response // by host
	seen    []*http.Request
}

// RoundTrip implements [http.RoundTripper].
func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.seen = append(s.seen, r)
	if answer := s.answers[r.URL.Hostname()]; answer != nil {
		return answer(r), nil
	}
	if s.next == nil {
		return nil, http.ErrServerClosed
	}
	return s.next.RoundTrip(r)
}

// hosts are those that were asked.
func (s *spy) urls() string {
	var out []string
	for _, r := range s.seen {
		out = append(out, r.Method+" "+r.URL.String())
	}
	return strings.Join(out, "\n")
}
