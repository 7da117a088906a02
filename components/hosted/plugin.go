package hosted

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

type pluginSettings struct {
	AgentID     string `json:"agentId" sre:"required,max=200" doc:"Id of the agent to call."`
	Skill       string `json:"skill" label:"Skill" sre:"allowEmpty,null,max=50" doc:"Endpoint of the agent to call, the last part of /api/<skill>. Its body are the inputs of this component by name."`
	Version     string `json:"version" label:"Version" sre:"allowEmpty,null,max=50" doc:"Version of the agent: empty or dev-latest for the one in development, prod-latest for the deployed one, same-as-parent for the kind this agent runs as, or a version by name."`
	Model       string `json:"model" label:"Model" sre:"allowEmpty,null" doc:"Model that chooses among the skills of the agent; not used when skill is set."`
	OldModel    string `json:"openAiModel" label:"Model" sre:"allowEmpty,null" doc:"Older name of model."`
	Description string `json:"descForModel" label:"Description" sre:"allowEmpty,null,max=5000,template" doc:"System prompt for the model; not used when skill is set."`
	ID          string `json:"id" sre:"allowEmpty,null" doc:"Kept for editors: id of the agent as the editor lists it."`
	Name        string `json:"name" sre:"allowEmpty,null" doc:"Kept for editors: name of the agent."`
	Desc        string `json:"desc" sre:"allowEmpty,null" doc:"Kept for editors: description of the agent."`
	LogoURL     string `json:"logoUrl" sre:"allowEmpty,null" doc:"Kept for editors: picture of the agent."`
	Domain      string `json:"domain" sre:"allowEmpty,null" doc:"Kept for editors: domain the agent was deployed to."`
}

func agentPlugin() component.Definition {
	return component.Define(component.Spec{
		Name:    "AgentPlugin",
		Summary: "Calls a skill of another agent.",
		Doc: "The other agent runs with its own rights, and nothing of this agent but the inputs of the component reaches it. " +
			"Both must belong to the same team.",
		Category: component.Agents,
		Inputs:   []component.Port{{Name: "Prompt", Doc: "What to ask; the skill gets it as the member Prompt of its body."}},
		Outputs:  []component.Port{{Name: "Response", Doc: "What the skill answered."}},
	}, runPlugin)
}

func runPlugin(ctx context.Context, call *component.Call, s *pluginSettings, in component.Input) (value.Value, error) {
	if s.AgentID == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Agent Component ID is required!")
	}
	if s.Skill == "" {
		err := fault.Newf(fault.Unsupported, "no skill of agent %q is chosen", s.AgentID)
		return value.Value{}, failed(fault.Hint(err, "set skill to the endpoint that is to be called"))
	}
	version := versionFor(s.Version, call.Agent.Version)
	if call.Logs() {
		call.LogDebug("Calling skill " + s.Skill + " of agent " + s.AgentID)
	}
	answer, err := call.Host.Invoke(ctx, call, s.AgentID, version, s.Skill, in.Object())
	if err != nil {
		return value.Value{}, failed(err)
	}
	return value.Obj(value.M("Response", answer)), nil
}

// failed says which component a failure came through and keeps its kind.
func failed(err error) error {
	return fault.Newf(fault.KindOf(err), "Error on running Agent Component!\n%w", err)
}

// versionFor returns the version to ask for: "" is the one in development, "latest" the deployed one.
func versionFor(setting, parent string) string {
	switch setting {
	case "dev-latest":
		return ""
	case "prod-latest":
		return "latest"
	case "same-as-parent":
		if parent == "" {
			return ""
		}
		return "latest"
	}
	return setting
}
