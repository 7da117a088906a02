package httpserver

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// oneTeam is a directory in which everybody is of one team.
type oneTeam struct{}

func (oneTeam) TeamOf(context.Context, access.Candidate) (string, error) { return "red", nil }

// TestT29_Echo: what a component read from the vault is in no answer, in no error and in no debug session, whichever way
// it is written.
func TestT29_Echo(t *testing.T) {
	t.Parallel()
	const canary = `canary/"0123456789`
	secrets := &secret.Registry{}
	echo := component.Define(component.Spec{Name: "Echo"}, func(_ context.Context, c *component.Call, _ *struct{}, in component.Input) (value.Value, error) {
		secrets.Note(c.Agent.Team, secret.New(canary))
		if in.Get("body").Get("in").Text() == "fail" {
			return value.Value{}, fault.Hint(fault.Newf(fault.Unavailable, "the server said %s", canary), "it was %s", canary)
		}
		return value.Obj(value.M("Output", value.Obj(
			value.M("plain", value.Of(canary)), value.M(canary, value.List(value.Of("Basic "+base64.StdEncoding.EncodeToString([]byte("u:"+canary))))),
		))), nil
	})
	agents := agent.NewManager(agent.Config{
		Components: append(skills.Definitions(), echo), Effects: effect.System{}, Limits: limits.Default(), Teams: oneTeam{}, Secrets: secrets,
		Sessions: &sessions{text: map[string]string{}},
	})
	t.Cleanup(func() {
		if err := agents.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w := serve(t, func(c *Config) { c.Agents = agents })
	w.agents = agents
	w.load("a1", "", part{endpoint: "go", method: "POST", typ: "Echo"})
	secrets.Note("red", secret.New("skill-0123456789"))
	noted := w.do("POST", "/api/go", `{"in":"say"}`, asJSON).body
	debug := w.do("POST", "/api/go", `{"in":"say"}`, asJSON, "X-Debug-Run:")
	session := "X-Debug-Run: " + debug.get("dbgSession")
	answers := map[string]string{
		"answer": noted,
		"failed": w.do("POST", "/api/go", `{"in":"fail"}`, asJSON).body,
		"error":  w.do("POST", "/api/skill-0123456789", "").body,
		"step":   debug.body + w.do("POST", "/api/go", "", session).body + w.do("POST", "/api/go?includeNewState=true", "", session).body,
		"read":   w.do("GET", "/api/go", "", "X-Debug-Read: "+debug.get("dbgSession")).body,
	}
	for name, got := range answers {
		if strings.Contains(got, "0123456789") || strings.Contains(got, base64.StdEncoding.EncodeToString([]byte("u:" + canary))[4:12]) {
			t.Errorf("%s is %s", name, got)
		}
		if !strings.Contains(got, secret.Redacted) {
			t.Errorf("%s is %s, want the mark in it", name, got)
		}
	}
}
