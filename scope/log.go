package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/observe/logsink"
)

// Log returns the log of the candidate, which has to be an agent. Without a log service its operations are refused.
func (s Scope) Log() *logsink.Handle {
	service, _ := connector.Find(s.services, logsink.Kind)
	return service.For(s.candidate)
}
