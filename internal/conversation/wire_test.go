package conversation

import (
	"context"
	"fmt"
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
	"github.com/sre-go/sre/subsystem/llm/llm/anthropicllm"
	"github.com/sre-go/sre/subsystem/llm/llm/bedrockllm"
	"github.com/sre-go/sre/subsystem/llm/llm/googlellm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/llm/ollamallm"
	"github.com/sre-go/sre/subsystem/llm/llm/openaillm"
	"github.com/sre-go/sre/value"
)

// protocols are the ways to speak with a model; each test of a hostile or failing model is done in all of them.
func protocols() []string {
	return []string{"chat", "responses", "anthropic", "converse", "gemini", "ollama"}
}

// waits is the source of the system, with waits that are noted and only move its clock.
type waits struct {
	effect.System
	mu    sync.Mutex
	slept []time.Duration
	ahead time.Duration // of the clock of the system
}

func (w *waits) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.System.Now().Add(w.ahead)
}

func (w *waits) Sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.slept = append(w.slept, d)
	w.ahead += max(d, 0)
	w.mu.Unlock()
	return context.Cause(ctx)
}

// wired is a conversation with a scripted server, through the connector of a protocol, and what its tool did.
type wired struct {
	*talk
	server *testmodel.Server
	waits  *waits

	mu      sync.Mutex
	effects []string // arguments that the tool was called with
}

func (w *wired) done() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.effects...)
}

// overWire begins a conversation in a protocol. The model is shown one tool, upper, which notes what it is asked.
func overWire(t testing.TB, protocol, script string, change func(*Config, *limits.Limits)) *wired {
	t.Helper()
	v, err := value.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := testmodel.ParseScript(v)
	if err != nil {
		t.Fatal(err)
	}
	w := &wired{waits: &waits{}}
	if w.server, err = testmodel.Start(t.Context(), rules, effect.System{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.server.Close)
	l := limits.Default()
	cfg := Config{Name: protocol, System: "be kind", Effects: effect.System{}, Tokens: words{}, Parallel: 4}
	tool := upper()
	do := tool.Do
	tool.Do = func(ctx context.Context, u Use) (value.Value, error) {
		w.mu.Lock()
		w.effects = append(w.effects, u.Args.JSON())
		w.mu.Unlock()
		return do(ctx, u)
	}
	cfg.Tools = []Tool{tool}
	if change != nil {
		change(&cfg, &l)
	}
	cfg.Limits = l
	door, err := egress.New(egress.Policy{AllowPrivate: true}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(door.CloseIdleConnections)
	defs := map[string]connector.Definition{
		"Anthropic": anthropicllm.Definition, "Bedrock": bedrockllm.Definition, "GoogleAI": googlellm.Gemini, "Ollama": ollamallm.Definition,
	}
	for _, d := range openaillm.Definitions() {
		if d.Name == "OpenAICompatible" {
			defs[d.Name] = d
		}
	}
	entry := func(provider, base, more string) string {
		return fmt.Sprintf(`{"provider":%q,"modelId":"m","baseURL":%q,"credentials":{"apiKey":"k","accessKeyId":"a","secretAccessKey":"s"},"tokens":100000,"completionTokens":8000,"features":["text","tools"]%s}`, provider, base, more)
	}
	models := `{"chat":` + entry("OpenAICompatible", w.server.URL(), "") + `,"responses":` + entry("OpenAICompatible", w.server.URL(), `,"interface":"responses"`) +
		`,"anthropic":` + entry("Anthropic", w.server.Root(), "") + `,"converse":` + entry("Bedrock", w.server.Root(), `,"settings":{"region":"eu-west-1"}`) +
		`,"gemini":` + entry("GoogleAI", w.server.Root(), "") + `,"ollama":` + entry("Ollama", w.server.Root(), "") + `}`
	if v, err = value.Parse(models); err != nil {
		t.Fatal(err)
	}
	world := llmtest.Open(t, llmtest.Setup{HTTP: door, Models: v, Effects: w.waits, Limits: l}, defs, nil)
	cfg.Model = world.As(t, "agent:helper")
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.talk = &talk{Conversation: c}
	return w
}

// everywhere runs a test in each protocol.
func everywhere(t *testing.T, f func(t *testing.T, protocol string)) {
	t.Helper()
	for _, p := range protocols() {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			f(t, p)
		})
	}
}

// roles are who spoke in the history, in order.
func (w *wired) roles() string {
	var out []string
	for _, e := range w.Entries() {
		out = append(out, string(e.Message.Role))
	}
	return strings.Join(out, " ")
}

var _ Model = (*llm.Handle)(nil)
