// Package vault hands out secrets by name.
//
// A candidate sees the keys of its own team and nothing else. The team comes from
// the accounts, never from the caller, and is part of the resource that the guard
// decides on; so a key that belongs to another team and a key that does not exist
// are the same refusal.
package vault

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the vault service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Vault",
	Subsystem: "security",
	Summary:   "Holds secrets of teams.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// MaxKeyLength bounds the name of a key, in bytes.
const MaxKeyLength = 256

// Connector holds the secrets. Resources are named by [Resource]. Its methods are safe for concurrent use.
type Connector interface {
	// ACL returns who may use a key, or the list of keys of a team. It is nil for what is not there.
	ACL(ctx context.Context, resource string) (*access.ACL, error)
	// Get returns the secret. One that is not there is [fault.NotFound].
	Get(ctx context.Context, g access.Grant[access.Read]) (secret.Value, error)
	// List returns the names of the keys of the team that the grant names, in the order they were stored.
	List(ctx context.Context, g access.Grant[access.Read]) ([]string, error)
}

// Resource names a key of a team; with an empty key, the list of the team's keys.
func Resource(team, key string) string { return team + "/" + key }

// Split is the inverse of [Resource]. The id of a team holds no slash, the name of a key may.
func Split(resource string) (team, key string) {
	team, key, _ = strings.Cut(resource, "/")
	return team, key
}

// Service is the vault service over one connector. It has no operations; bind it to a candidate with [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	accounts  *account.Service
	guard     *access.Guard
	env       connector.Env
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	accounts, ok := connector.Find(env.Services, account.Kind)
	if !ok {
		return nil, fault.Newf(fault.Internal, "the vault was built without accounts")
	}
	all := make(map[string]*Service, len(in.Order))
	guard := env.Guard(accounts)
	for _, id := range in.Order {
		all[id] = &Service{id: id, conn: in.ByID[id], accounts: accounts, guard: guard, env: env, all: all, instances: in}
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
	return nil, fault.Newf(fault.NotFound, "no vault with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }
