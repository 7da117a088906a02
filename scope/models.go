package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// Models returns the models that the candidate may name. In a runtime without the service every operation of the handle
// is refused.
func (s Scope) Models() *models.Handle {
	service, _ := connector.Find(s.services, models.Kind)
	return service.For(s.candidate)
}
