package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// LLM returns the models as the candidate may ask them. In a runtime without the service every operation of the handle
// is refused.
func (s Scope) LLM() *llm.Handle {
	service, _ := connector.Find(s.services, llm.Kind)
	return service.For(s.candidate)
}
