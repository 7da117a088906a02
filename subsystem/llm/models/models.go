// Package models knows which models there are: what an agent calls them, who provides them and what they can do.
//
// The catalogue is the operator's and the same for everybody. A team may add models of its own in its settings; they
// are for that team alone, never take the place of one of the catalogue, and are marked, so that what they name is
// trusted no further than the team is.
package models

import (
	"context"
	"log/slog"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the models service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "ModelsProvider",
	Subsystem: "llm",
	Summary:   "Knows the models and what they can do.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// Connector holds a catalogue. Its methods are safe for concurrent use.
type Connector interface {
	// Catalog returns the models that everybody may use. It is asked for every call of a model, so it answers from
	// memory; what it returned never changes.
	Catalog(ctx context.Context) (*Catalog, error)
}

// Service is the models service over one connector. It has no operations; bind it to a candidate with [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	accounts  *account.Service // nil without accounts: then no team has models of its own
	log       *slog.Logger
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	accounts, _ := connector.Find(env.Services, account.Kind)
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	all := make(map[string]*Service, len(in.Order))
	for _, id := range in.Order {
		all[id] = &Service{id: id, conn: in.ByID[id], accounts: accounts, log: log, all: all, instances: in}
	}
	if s := all[in.Default]; s != nil {
		return s, nil
	}
	return &Service{instances: in}, nil // nothing is configured: every operation says so
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
	return nil, fault.Newf(fault.NotFound, "no models provider with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
