// Package storage keeps the files of agents, users and teams: bytes under a name, with metadata and an ACL.
//
// Every operation goes through a [Handle], which is bound to a candidate, and every operation is decided by the ACL that
// is stored with the object: reading needs read, writing and deleting need write, changing the ACL needs ownership.
// Who makes an object owns it, and overwriting it gives it to nobody else. Names below "teams/<team>/" can be made by
// that team only. When the ACL cannot be had, nobody gets in.
//
// A decision holds for the object it was made about: connectors act only on the generation that was decided on, so an
// object that is replaced between the decision and the act is decided about again.
package storage

import (
	"context"
	"iter"
	"log/slog"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the storage service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Storage",
	Subsystem: "io",
	Summary:   "Keeps files with metadata and access rights.",
	Requires:  []connector.AnyKind{account.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		return New(env, in, connector.Service(env.Services, account.Kind)), nil
	},
}

// Service is the storage service over one connector. It has no operations: they need a candidate, see [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	guard     *access.Guard // nil without a connector
	quiet     *access.Guard // for the objects of a listing, where leaving one out is no denial
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
		all[id] = &Service{
			id: id, conn: conn, guard: env.Guard(directory), quiet: &access.Guard{Directory: directory},
			clock: env.Effects, log: log, all: all, instances: in,
		}
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
	return nil, fault.Newf(fault.NotFound, "no storage connector with the id %q is configured", id)
}

// Verify reads all that the connector keeps and gives what is damaged, as [Verifier] says; [fault.Unsupported] when the
// connector cannot tell. It is for the operator: it asks nobody's rights.
func (s *Service) Verify(ctx context.Context) iter.Seq2[string, error] {
	if s.ready() {
		if v, ok := s.conn.(Verifier); ok {
			return v.Verify(ctx)
		}
	}
	return func(yield func(string, error) bool) {
		yield("", fault.Newf(fault.Unsupported, "the storage connector %q cannot be verified", s.name()))
	}
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }

func (s *Service) name() string {
	if s == nil {
		return ""
	}
	return s.id
}
