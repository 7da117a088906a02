package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/memory/cache"
)

// Cache returns the cache as the candidate sees it. Without a cache service its operations are refused.
func (s Scope) Cache() *cache.Handle {
	service, _ := connector.Find(s.services, cache.Kind)
	return service.For(s.candidate)
}
