package plugins

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

type mcpSettings struct {
	MCPURL      string `json:"mcpUrl" sre:"required,max=2048" doc:"Address of the MCP server: streamable HTTP, or server-sent events."`
	Prompt      string `json:"prompt" sre:"allowEmpty,null,max=5000,template" doc:"What to ask, with {{placeholders}} for inputs and agent variables."`
	Description string `json:"descForModel" sre:"allowEmpty,null,max=5000,template" doc:"What the model is told to do."`
	Name        string `json:"name" sre:"required,allowEmpty" doc:"Kept for editors: name of the server."`
	Model       string `json:"model" label:"Model" sre:"allowEmpty,null" doc:"Model that uses the tools of the server."`
	OldModel    string `json:"openAiModel" label:"Model" sre:"allowEmpty,null" doc:"Older name of model."`
	Desc        string `json:"desc" sre:"allowEmpty,null" doc:"Kept for editors: description of the server."`
	LogoURL     string `json:"logoUrl" sre:"allowEmpty,null" doc:"Kept for editors: picture of the server."`
	ID          string `json:"id" sre:"allowEmpty,null" doc:"Kept for editors: id of the server as the editor lists it."`
	Version     string `json:"version" sre:"allowEmpty,null" doc:"Kept for editors: version of the server."`
	Domain      string `json:"domain" sre:"allowEmpty,null" doc:"Kept for editors: domain of the server."`
}

func mcpClient() component.Definition {
	return component.Define(component.Spec{
		Name:    "MCPClient",
		Summary: "Lets a model use the tools of an MCP server.",
		Doc: "The address is asked as streamable HTTP first, then as server-sent events, and only where the egress policy lets requests go. " +
			"What the tools of a server say about themselves is remembered with the first use: a tool that says something else later is not used until the operator approves it with `sre mcp approve`. " +
			"`mcp:<name>` as the address stands for a server of the operator's configuration.",
		Category: component.Agents,
		Inputs:   []component.Port{{Name: "Prompt", Doc: "For the prompt; any others may be added.", Optional: true}},
		Outputs:  []component.Port{{Name: "Output", Doc: "What the model has said."}},
	}, runMCP).WithCheck(func(settings value.Value) []schema.Violation {
		if strings.HasPrefix(settings.GetString("mcpUrl"), "mcp:") {
			return nil
		}
		return address("mcpUrl")(settings)
	})
}

func runMCP(ctx context.Context, call *component.Call, s *mcpSettings, in component.Input) (value.Value, error) {
	if s.MCPURL == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Please provide a MCP URL!")
	}
	prompt, err := fill(s.Prompt, in)
	if err != nil {
		return value.Value{}, failed("MCP Client", err)
	}
	if prompt == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Please provide a prompt")
	}
	system, err := fill(s.Description, in)
	if err != nil {
		return value.Value{}, failed("MCP Client", err)
	}
	text, err := converse(ctx, call, "MCP Client Log", component.Talk{Model: first(s.Model, s.OldModel), System: system, Prompt: prompt, MCP: s.MCPURL})
	if err != nil {
		return value.Value{}, failed("MCP Client", err)
	}
	return value.Obj(value.M("Output", value.Of(text))), nil
}
