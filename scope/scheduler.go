package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
)

// Scheduler returns the jobs of the candidate. Without the service its operations are refused.
func (s Scope) Scheduler() *scheduler.Handle {
	service, _ := connector.Find(s.services, scheduler.Kind)
	return service.For(s.candidate)
}
