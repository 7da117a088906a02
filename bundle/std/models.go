package std

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm/googlellm"
	"github.com/sre-go/sre/subsystem/llm/llm/ollamallm"
	"github.com/sre-go/sre/subsystem/llm/llm/runwarellm"
)

// plain returns the connectors of models that are asked without a library of their provider.
func plain() []connector.Definition {
	return []connector.Definition{ollamallm.Definition, googlellm.Gemini, googlellm.Vertex, runwarellm.Definition}
}
