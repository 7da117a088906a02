package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Vault returns the secrets that the candidate may read. In a runtime without the service every operation of the handle
// is refused.
func (s Scope) Vault() *vault.Handle {
	service, _ := connector.Find(s.services, vault.Kind)
	return service.For(s.candidate)
}
