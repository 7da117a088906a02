// Package cache keeps values of agents, users and teams for a while: session memory, contexts, what was computed before.
//
// Every operation goes through a [Handle], which is bound to a candidate, and is decided by the ACL that is stored with
// the entry: reading needs read, setting and deleting need write, changing the ACL needs ownership. Who makes an entry
// owns it, and setting it again gives it to nobody else. All candidates share the keys.
//
// A decision holds for the entry it was made about: connectors act only on the generation that was decided on, so an
// entry that is replaced between the decision and the act is decided about again.
package cache

import (
	"context"
	"log/slog"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the cache service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Cache",
	Subsystem: "memory",
	Summary:   "Keeps values for a while, with access rights.",
	Requires:  []connector.AnyKind{account.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		return New(env, in, connector.Service(env.Services, account.Kind)), nil
	},
}

// Service is the cache service over one connector. It has no operations: they need a candidate, see [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	guard     *access.Guard // nil without a connector
	clock     effect.Source
	log       *slog.Logger
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

// New makes the service over its connectors. directory knows the teams. A runtime gets its service from [Kind]; New is
// for tests and for programs without a kernel.
func New(env connector.Env, in connector.Instances[Connector], directory access.Directory) *Service {
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	all := make(map[string]*Service, len(in.ByID))
	for id, conn := range in.ByID {
		all[id] = &Service{id: id, conn: conn, guard: env.Guard(directory), clock: env.Effects, log: log, all: all, instances: in}
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
	return nil, fault.Newf(fault.NotFound, "no cache connector with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
