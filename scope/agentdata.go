package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
)

// AgentData returns the files and settings of agents, as the candidate sees them.
func (s Scope) AgentData() *agentdata.Handle {
	svc, _ := connector.Find(s.services, agentdata.Kind)
	return svc.For(s.candidate)
}
