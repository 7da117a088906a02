package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Account returns the accounts as the candidate sees them: its team and the settings it may read. In a runtime without
// the service every operation of the handle is refused.
func (s Scope) Account() *account.Handle {
	service, _ := connector.Find(s.services, account.Kind)
	return service.For(s.candidate)
}
