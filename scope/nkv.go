package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/nkv"
)

// NKV returns what the team of the candidate keeps. Without the service its operations are refused.
func (s Scope) NKV() *nkv.Handle {
	service, _ := connector.Find(s.services, nkv.Kind)
	return service.For(s.candidate)
}
