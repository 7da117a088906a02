package scope

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

// VectorDB returns the texts that the candidate keeps by what they mean. Without the service its operations are refused.
func (s Scope) VectorDB() *vectordb.Handle {
	service, _ := connector.Find(s.services, vectordb.Kind)
	return service.For(s.candidate)
}
