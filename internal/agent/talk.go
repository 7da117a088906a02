package agent

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
)

// Talk is a conversation of a component, with who takes part in it.
type Talk struct {
	component.Talk
	By   *Agent // whose component holds it
	With *Agent // whose skills are tools, nil for none
	Call *component.Call
	// Run runs a skill of With on behalf of the run that holds the conversation: it counts against that run's depth and
	// budget, and whoever watches that run watches it.
	Run func(ctx context.Context, req Request) (Response, error)
}

// Converse holds a conversation. Like Invoke it reaches agents of the same team only.
func (x *execution) Converse(ctx context.Context, call *component.Call, t component.Talk) (string, error) {
	m := x.agent.manager
	if m.cfg.Converse == nil {
		return "", fault.Newf(fault.Unsupported, "this runtime holds no conversations")
	}
	talk := Talk{Talk: t, By: x.agent, Call: call}
	if t.AgentID != "" {
		var err error
		if talk.With, err = x.reach(ctx, t.AgentID, t.Version); err != nil {
			return "", err
		}
		if _, err := x.path.enter(talk.With.id, m.cfg.Limits.Depth, 0); err != nil {
			return "", err // no model needs to be asked for what its tools cannot do
		}
		talk.Run = func(ctx context.Context, req Request) (Response, error) {
			req.caller, req.Watcher = x.path, x.watcher
			return talk.With.Run(ctx, req)
		}
	}
	return m.cfg.Converse(ctx, talk)
}
