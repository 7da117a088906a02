// Package managedvault keeps what agents may change themselves of what is secret: the tokens that services give them.
//
// The vault holds the keys of people, which agents read and never write. An access
// token of OAuth is renewed by the agent that uses it, so it needs a place of its
// own. An entry belongs to a team, whose members read and write it; the team comes
// from the accounts, never from the caller. An entry of another team and one that
// does not exist are told apart by nobody.
package managedvault

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the managed vault service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "ManagedVault",
	Subsystem: "security",
	Summary:   "Holds tokens that agents renew themselves.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// Bounds of an entry, in bytes.
const (
	MaxKeyLength   = 256
	MaxEntryLength = 64 << 10
)

// Connector holds the entries. Resources are named by [Resource]. A change counts for the calls that start after it has
// returned, and an error leaves the old state or the new one, never a part of it. Its methods are safe for concurrent
// use.
type Connector interface {
	// ACL returns who may use an entry, whether it exists or not; nil when nobody may.
	ACL(ctx context.Context, resource string) (*access.ACL, error)
	// Get returns the entry. One that is not there is [fault.NotFound].
	Get(ctx context.Context, g access.Grant[access.Read]) (secret.Value, error)
	// Set stores the entry in place of what was there.
	Set(ctx context.Context, g access.Grant[access.Write], v secret.Value) error
	// Delete removes the entry. One that is not there is [fault.NotFound].
	Delete(ctx context.Context, g access.Grant[access.Write]) error
}

// Resource names an entry of a team.
func Resource(team, key string) string { return team + "/" + key }

// Split is the inverse of [Resource]. The id of a team holds no slash, the name of an entry may.
func Split(resource string) (team, key string) {
	team, key, _ = strings.Cut(resource, "/")
	return team, key
}

// Service is the managed vault over one connector. It has no operations; bind it to a candidate with [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	accounts  *account.Service
	guard     *access.Guard
	env       connector.Env
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
	flights   flights
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	accounts, ok := connector.Find(env.Services, account.Kind)
	if !ok {
		return nil, fault.Newf(fault.Internal, "the managed vault was built without accounts")
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
	return nil, fault.Newf(fault.NotFound, "no managed vault with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
