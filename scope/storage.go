package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// Storage returns the files as the candidate sees them. Without a storage service its operations are refused.
func (s Scope) Storage() *storage.Handle {
	service, _ := connector.Find(s.services, storage.Kind)
	return service.For(s.candidate)
}
