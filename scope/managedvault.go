package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/security/managedvault"
)

// ManagedVault returns the tokens that the candidate's team keeps. In a runtime without the service every operation of
// the handle is refused.
func (s Scope) ManagedVault() *managedvault.Handle {
	service, _ := connector.Find(s.services, managedvault.Kind)
	return service.For(s.candidate)
}
