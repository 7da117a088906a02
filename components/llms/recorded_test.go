package llms_test

import (
	"context"
	"slices"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/flow"
	"github.com/sre-go/sre/components/llms"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// oneTeam puts everybody into one team.
type oneTeam struct{}

func (oneTeam) TeamOf(context.Context, access.Candidate) (string, error) { return "default", nil }

// runtime is what the recorded agents of this family need: a process table with the Echo model.
type runtime struct{ manager *agent.Manager }

func boot(t testing.TB, env conformance.Environment) conformance.Subject {
	m := agent.NewManager(agent.Config{
		Services: services(t, nil), Components: slices.Concat(skills.Definitions(), flow.Definitions(), llms.Definitions()),
		Effects: effect.System{}, Limits: limits.Default(), Teams: oneTeam{}, ComponentLogs: env.Logs,
	})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return runtime{m}
}

func (r runtime) Deploy(ctx context.Context, file value.Value) (conformance.Agent, error) {
	doc, err := agentfile.FromValue(file, r.manager.Bounds())
	if err != nil {
		return nil, err
	}
	a, err := r.manager.Load(ctx, doc, agent.Options{Private: true})
	if err != nil {
		return nil, err
	}
	return deployed{a}, nil
}

type deployed struct{ agent *agent.Agent }

func (d deployed) Close() { _ = d.agent.Close(context.Background()) }

func (d deployed) Run(ctx context.Context, r conformance.Request) conformance.Response {
	res, err := d.agent.Run(ctx, agent.Request{
		Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Body, Query: r.Query, SessionID: r.SessionID,
	})
	if err != nil {
		return conformance.Response{Threw: err.Error()}
	}
	return conformance.Response{Data: res.Data, Status: res.Status}
}

// The recorded agents that ask Echo, or nobody, get the recorded answers.
func TestRecorded(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, d := range slices.Concat(skills.Definitions(), flow.Definitions(), llms.Definitions()) {
		known[d.Name] = true
	}
	summary := conformance.Run(t, boot, conformance.Options{
		Areas: []string{"promptgenerator", "foreach"},
		Select: func(c *conformance.Case) bool {
			names := c.Components()
			asks := slices.Contains(names, "PromptGenerator")
			return asks && !c.ReachesModel() && !slices.ContainsFunc(names, func(n string) bool { return !known[n] })
		},
	})
	if n := len(summary.Outcomes); n < 5 {
		t.Errorf("%d cases ran, want those of all areas", n)
	}
}

var _ component.Host = (*host)(nil)
