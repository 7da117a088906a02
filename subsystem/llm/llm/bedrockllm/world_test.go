package bedrockllm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/bedrockllm"
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

const pair = `{"accessKeyId":"AKIDTEST","secretAccessKey":"canary-secret","sessionToken":"canary-session"}`

// entry is a model of the catalogue.
func entry(base, credentials, settings string) string {
	return fmt.Sprintf(`{"provider":"Bedrock","modelId":"anthropic.claude-fake-v1:0","baseURL":%q,"credentials":%s,"settings":%s,"tokens":100000,"completionTokens":8000,"features":["text","tools","reasoning"]}`, base, credentials, settings)
}

func setup(t testing.TB, base string) llmtest.Setup {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	const region = `{"region":"eu-west-1"}`
	models := `{"claude":` + entry(base, pair, region) +
		`,"nova":` + strings.Replace(entry(base, pair, region), "anthropic.claude-fake-v1:0", "amazon.nova-fake", 1) +
		`,"simple":` + entry(base, pair, `{"region":"eu-west-1","supportsSystemPrompt":false,"supportsStreamingToolUse":false}`) +
		`,"keyless":` + entry(base, `"bedrock_vault"`, region) +
		`,"vault":` + entry(base, `"bedrock_vault"`, `{"region":"eu-west-1","keyIDName":"id","secretKeyName":"key"}`) +
		`,"bearer":` + entry(base, `{"apiKey":"canary-bearer"}`, region) +
		`,"nowhere":` + entry(base, pair, `{}`) +
		`,"regional":` + entry("", pair, region) +
		`,"keyregion":` + entry(base, `{"accessKeyId":"AKIDTEST","secretAccessKey":"s","region":"ap-south-1"}`, `{}`) +
		`,"strange":` + entry("", pair, `{"region":"evil.test/#"}`) + `}`
	return llmtest.Setup{HTTP: c, Models: parse(t, models), Vault: map[string]map[string]string{"team-a": {"id": "AKIDVAULT", "key": "canary-key"}}}
}

func open(t testing.TB, s llmtest.Setup) *llm.Handle {
	t.Helper()
	return llmtest.Open(t, s, map[string]connector.Definition{"Bedrock": bedrockllm.Definition}, nil).As(t, "agent:helper")
}

// ask sends a request and returns what the provider was sent and what came back.
func ask(t *testing.T, script string, req llm.Request) (sent value.Value, got *llm.Response, err error) {
	t.Helper()
	s := server(t, script)
	if req.Model == "" {
		req.Model = "claude"
	}
	got, err = llm.Collect(open(t, setup(t, s.Root())).Stream(t.Context(), req))
	return s.Requests().At(0), got, err
}

// spy keeps the requests that reach it, and passes them on when there is somewhere to go.
type spy struct {
	next http.RoundTripper
	seen []*http.Request
}

func (s *spy) before(next http.RoundTripper) *spy {
	s.next = next
	return s
}

// RoundTrip implements [http.RoundTripper].
func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.seen = append(s.seen, r)
	if s.next == nil {
		return nil, http.ErrServerClosed
	}
	return s.next.RoundTrip(r)
}
