package std

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm/bedrockllm"
)

// cloud returns the connectors that speak to the clouds of providers with their own libraries.
func cloud() []connector.Definition {
	return []connector.Definition{bedrockllm.Definition}
}
