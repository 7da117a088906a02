package sre

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Accounts returns the accounts as the operator sees them: all teams, and who shows an API token. It is for servers and
// tools around a runtime; whoever has it can act as anybody, so agents never get it. It is nil without the service, and a
// nil service refuses everything.
func (rt *Runtime) Accounts() *account.Service {
	service, _ := connector.Find(rt.kernel.Services(), account.Kind)
	return service
}
