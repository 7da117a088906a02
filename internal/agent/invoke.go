package agent

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Invoke runs a skill of another agent. It runs with the rights of that agent alone: nothing of the caller but the
// body reaches it. Both must belong to the same team.
func (x *execution) Invoke(ctx context.Context, _ *component.Call, agentID, version, skill string, body value.Value) (value.Value, error) {
	called, err := x.reach(ctx, agentID, version)
	if err != nil {
		return value.Value{}, err
	}
	res, err := called.Run(ctx, Request{Method: "POST", Path: "/api/" + skill, Body: body, caller: x.path, Watcher: x.watcher, Deltas: x.deltas})
	if err != nil {
		return value.Value{}, err
	}
	return res.Data, nil
}

// latest is the version of an agent that is in use, whichever that is: one that is loaded is.
const latest = "latest"

// reach returns another agent that this one may call.
func (x *execution) reach(ctx context.Context, agentID, version string) (*Agent, error) {
	called, err := x.agent.manager.Reach(ctx, x.agent.scope, agentID, version)
	if err != nil {
		return nil, err
	}
	if called.team != x.agent.team || called.team == "" && called != x.agent {
		return nil, errNoAgent(agentID)
	}
	if version != "" && version != latest && version != called.doc.AgentVersion {
		err := fault.Newf(fault.NotFound, "agent %q has the version %q, not %q", agentID, called.doc.AgentVersion, version)
		return nil, fault.Hint(err, "load that version, or leave the version empty")
	}
	return called, nil
}
