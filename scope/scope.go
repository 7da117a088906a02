// Package scope gives one candidate every service: it is the table of system calls of an agent.
//
// Components, HTTP handlers and commands receive a Scope and nothing deeper, so
// each operation they can reach is bound to the candidate they act for.
package scope

import (
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
)

// Scope is every service, bound to one candidate. The zero Scope reaches nothing.
type Scope struct {
	services  *connector.Services
	candidate access.Candidate
}

// New binds services to a candidate. Only a runtime holds the services, so only a runtime can make a Scope.
func New(services *connector.Services, c access.Candidate) Scope {
	return Scope{services: services, candidate: c}
}

// Candidate returns who the scope acts for.
func (s Scope) Candidate() access.Candidate { return s.candidate }
