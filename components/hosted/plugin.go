package hosted

import (
	"context"
	"errors"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/llm/llm"
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
		Summary: "Uses another agent: calls one of its skills, or lets a model choose among them.",
		Doc: "With `skill` that skill is called with the inputs of the component. Without it a model gets the prompt and the skills of the other agent as tools; " +
			"outputs besides `Response` are members that its answer is to have, and an answer that is JSON is read as such. " +
			"The other agent runs with its own rights, and nothing of this agent but the inputs of the component reaches it. " +
			"Both must belong to the same team.",
		Category: component.Agents,
		Inputs:   []component.Port{{Name: "Prompt", Doc: "What to ask; a skill gets it as the member Prompt of its body."}},
		Outputs:  []component.Port{{Name: "Response", Doc: "What the agent answered."}},
	}, runPlugin)
}

func runPlugin(ctx context.Context, call *component.Call, s *pluginSettings, in component.Input) (value.Value, error) {
	if s.AgentID == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Agent Component ID is required!")
	}
	version := versionFor(s.Version, call.Agent.Version)
	var (
		answer value.Value
		err    error
	)
	if s.Skill == "" {
		answer, err = converse(ctx, call, s, version, in)
	} else {
		if call.Logs() {
			call.LogDebug("Calling skill " + s.Skill + " of agent " + s.AgentID)
		}
		answer, err = call.Host.Invoke(ctx, call, s.AgentID, version, s.Skill, in.Object())
	}
	if err != nil {
		return value.Value{}, failed(err)
	}
	return value.Obj(value.M("Response", answer)), nil
}

// converse lets a model answer the prompt with the skills of the agent.
func converse(ctx context.Context, call *component.Call, s *pluginSettings, version string, in component.Input) (value.Value, error) {
	system, err := template.Compile(s.Description).Expand(in.Lookup, template.Options{})
	if err != nil {
		return value.Value{}, err
	}
	model := s.Model
	if model == "" {
		model = s.OldModel
	}
	prompt := llm.Expect(in.Get("Prompt").Plain(), expected(call.Node.Outputs), llm.AnyValue)
	if call.Logs() {
		call.LogDebug("Asking model " + model + " with the skills of agent " + s.AgentID + "\n" + prompt)
	}
	text, err := call.Host.Converse(ctx, call, component.Talk{Model: model, System: system, Prompt: prompt, AgentID: s.AgentID, Version: version})
	if err != nil {
		return value.Value{}, err
	}
	return jsonfix.TryParse(text), nil
}

// expected returns the outputs that the author added.
func expected(outputs []component.NodePort) []llm.Expected {
	var list []llm.Expected
	for _, o := range outputs {
		if !o.Default && o.Name != component.KeyError && o.Name != component.KeyDebug {
			list = append(list, llm.Expected{Name: o.Name, Description: o.Description})
		}
	}
	return list
}

// failed says which component a failure came through and keeps its kind. What a provider of models said stands in its
// own words.
func failed(err error) error {
	shown := err
	if said := (*llm.ProviderError)(nil); errors.As(err, &said) {
		shown = said
	}
	return fault.Newf(fault.KindOf(err), "Error on running Agent Component!\n%w", shown)
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
