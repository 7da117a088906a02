package agent_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

const canary = "canary-0123456789"

// monitor keeps what it is shown.
type monitor struct {
	mu     sync.Mutex
	events []string
	said   string
}

func (m *monitor) Watch(name string, payload value.Value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, name+" "+payload.JSON())
	if s, ok := payload.Str(); ok && name == "llm/passthrough/content" {
		m.said += s
	}
}

func (m *monitor) all() string { return strings.Join(m.events, "\n") }

// leaky is a component type that reads a secret, says it in two pieces and logs and answers it.
func leaky(secrets *secret.Registry) component.Definition {
	return component.Define(component.Spec{Name: "Leaky"}, func(_ context.Context, c *component.Call, _ *struct{}, _ component.Input) (value.Value, error) {
		secrets.Note(c.Agent.Team, secret.New(canary))
		for _, piece := range []string{"the key is cana", "ry-0123", "456789, and cana"} {
			c.Host.Emit(c, component.Delta{Content: piece})
		}
		c.Host.Emit(c, component.Delta{Thinking: canary})
		c.LogInfo("read " + canary)
		return value.Obj(value.M("Output", value.Of(canary))), nil
	})
}

// TestT29_Watchers: monitors of a run see no secret of its team, not even cut in two; other teams' texts stay.
func TestT29_Watchers(t *testing.T) {
	t.Parallel()
	secrets := &secret.Registry{}
	var calls atomic.Int64
	m := agent.NewManager(agent.Config{
		Components: append(skills.Definitions(), leaky(secrets), caller(&calls)), Effects: effect.System{}, Limits: limits.Default(),
		Teams: directory{}, Secrets: secrets,
	})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	load(t, m, "red-leaky", "Leaky", `{}`)
	for _, a := range []*agent.Agent{load(t, m, "red-one", "Leaky", `{}`), load(t, m, "red-two", "Call", `{"agent":"red-leaky","skill":"go"}`)} {
		var seen monitor
		req := request("x")
		req.Watcher = &seen
		res, err := a.Run(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(res.Data.JSON(), canary) {
			t.Errorf("%s answered its program %s, want the value itself", a.ID(), res.Data.JSON())
		}
		if got := seen.all(); strings.Contains(got, canary) || !strings.Contains(got, secret.Redacted) {
			t.Errorf("%s: the monitor saw %s", a.ID(), got)
		}
		if want := "the key is " + secret.Redacted + ", and cana"; seen.said != want {
			t.Errorf("%s: the monitor heard %q, want %q", a.ID(), seen.said, want)
		}
		if a.Redactor().Text(canary) != secret.Redacted {
			t.Errorf("%s: Redactor leaves the secret", a.ID())
		}
	}
	if blue := load(t, m, "blue-one", "Leaky", `{}`); blue.Redactor() != nil {
		t.Error("a team that read nothing has a redactor")
	}
}

// What a call still holds back is passed on when it ends, before its monitors are told so.
func TestWatchers_EndOfACall(t *testing.T) {
	t.Parallel()
	secrets := &secret.Registry{}
	m := agent.NewManager(agent.Config{Components: append(skills.Definitions(), leaky(secrets)), Effects: effect.System{}, Limits: limits.Default(), Teams: directory{}, Secrets: secrets})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var seen monitor
	req := request("x")
	req.Watcher = &seen
	if _, err := load(t, m, "red-one", "Leaky", `{}`).Run(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	last, stop := -1, -1
	for i, e := range seen.events {
		if strings.HasPrefix(e, "llm/passthrough/content") {
			last = i
		}
		if strings.Contains(e, `"callStop"`) && strings.Contains(e, `"id":"X"`) {
			stop = i
		}
	}
	if last < 0 || stop < last {
		t.Errorf("the last content is event %d, the end of the call event %d of\n%s", last, stop, seen.all())
	}
}
