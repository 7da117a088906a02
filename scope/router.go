package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/router"
)

// Router returns the public places of the team of the candidate. Without a router service its operations are refused.
func (s Scope) Router() *router.Handle {
	service, _ := connector.Find(s.services, router.Kind)
	return service.For(s.candidate)
}
