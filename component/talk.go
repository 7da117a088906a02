package component

import (
	"context"

	"github.com/sre-go/sre/value"
)

// Talk is a conversation that a component holds: one prompt, which a model answers with tools. The tools are the skills
// of an agent, those of MCP servers and the component's own, whichever are given.
type Talk struct {
	Model     string // id of the model; "" for the one of the agent whose skills are used
	Assistant string // name the model is told it has; "" for the name of the agent whose skills are used, or none
	System    string // what the model is told to do; "" for the behavior of the agent whose skills are used
	Prompt    string

	AgentID string // whose skills are tools, "" for none
	Version string // of that agent
	MCP     string // address of an MCP server whose tools are used, "" for none
	Tools   []Tool
}

// Tool is something that a component lets a model do.
type Tool struct {
	Name        string // letters, digits, _ and -, at most 64 characters; unique in its Talk
	Description string // for the model
	Parameters  value.Value
	// Do does it, with arguments that fit the Parameters. What it returns, an error included, is told to the model. It may
	// be called concurrently, and not after Converse has returned.
	Do func(ctx context.Context, u ToolUse) (value.Value, error)
}

// ToolUse is one call of a tool.
type ToolUse struct {
	Args    value.Value // an object
	Headers value.Value // that requests for the conversation carry: its id and the like
}
