// Package nkv keeps values by namespace and key for a team: settings, registers of documents, small state that has to stay.
//
// What a team keeps is shared by all its members and reached by nobody else. The team comes from the accounts for each
// operation, never from the caller; who belongs to no team gets nothing.
package nkv

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the service of namespaced keys and values.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "NKV",
	Subsystem: "io",
	Summary:   "Keeps values by namespace and key for a team.",
	Requires:  []connector.AnyKind{account.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		return New(env, in, connector.Service(env.Services, account.Kind)), nil
	},
}

// Service is the service over one connector. It has no operations: they need a candidate, see [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	guard     *access.Guard       // nil without a connector
	teams     *teams              // of all connectors
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

// New makes the service over its connectors. directory knows the teams; without one everybody is refused. A runtime gets
// its service from [Kind]; New is for tests and for programs without a kernel.
func New(env connector.Env, in connector.Instances[Connector], directory access.Directory) *Service {
	all, known := make(map[string]*Service, len(in.ByID)), &teams{}
	for id, conn := range in.ByID {
		all[id] = &Service{id: id, conn: conn, guard: env.Guard(directory), teams: known, all: all, instances: in}
	}
	if s := all[in.Default]; s != nil {
		return s
	}
	return &Service{all: all, instances: in}
}

// For binds the service to a candidate. A nil Service gives a Handle whose operations are refused.
func (s *Service) For(c access.Candidate) *Handle { return &Handle{service: s, candidate: c} }

// On returns the service over another configured connector.
func (s *Service) On(id string) (*Service, error) {
	if s != nil {
		if other, ok := s.all[id]; ok {
			return other, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "no NKV connector with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
