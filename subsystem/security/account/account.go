// Package account tells which team a user or an agent belongs to, and their settings.
//
// Every guarded service asks it: a right that was given to a team is a right of
// its members. So an answer that is missing, late or malformed is a refusal, and
// nobody falls into a shared team unless the operator has named one.
package account

import (
	"context"
	"errors"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Kind is the account service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Account",
	Subsystem: "security",
	Summary:   "Knows teams, their members and their settings.",
	Build:     build,
}

// Connector holds the teams. Its methods are safe for concurrent use.
type Connector interface {
	// TeamOf returns the team of a user or an agent, and of a team its own id. Somebody it does not know is
	// [fault.NotFound]. It is never asked about the public.
	TeamOf(ctx context.Context, c access.Candidate) (team string, err error)
	// IsMember reports whether c counts as a member of team; false for a team or a candidate it does not know.
	IsMember(ctx context.Context, team string, c access.Candidate) (bool, error)
	// Settings returns the settings of the principal that the grant names as "role:id", as an object. Somebody it
	// does not know has none.
	Settings(ctx context.Context, g access.Grant[access.Read]) (value.Value, error)
}

// Local is implemented by connectors that answer TeamOf from the memory of this process. Their answers are not cached,
// so that a change of membership counts from the moment it is made.
type Local interface {
	// AnswersFromMemory does nothing; it is what says so.
	AnswersFromMemory()
}

// Service is the account service over one connector. What it does itself is for guards (TeamOf), for servers
// (Authenticate) and for the operator (Teams, Verify); everything else needs a candidate, see [Service.For]. It is safe
// for concurrent use.
type Service struct {
	id        string
	conn      Connector
	env       connector.Env
	directory directory
	tokens    *index // nil when the connector keeps none
	guard     *access.Guard
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

var (
	_ access.Directory  = (*Service)(nil)
	_ connector.Starter = (*Service)(nil)
	_ connector.Closer  = (*Service)(nil)
)

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	all := make(map[string]*Service, len(in.Order))
	for _, id := range in.Order {
		s := &Service{id: id, conn: in.ByID[id], env: env, all: all, instances: in}
		if _, local := s.conn.(Local); local {
			s.directory = connectorDirectory{s.conn}
		} else {
			s.directory = newCachedDirectory(env.Effects, connectorDirectory{s.conn})
		}
		if store, ok := s.conn.(Tokens); ok {
			s.tokens = newIndex(env.Effects, store, env.Log)
		}
		s.guard = env.Guard(s)
		all[id] = s
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
	return nil, fault.Newf(fault.NotFound, "no account connector with the id %q is configured", id)
}

// TeamOf returns the id of the team that c belongs to. An error denies. An answer is at most a second old.
func (s *Service) TeamOf(ctx context.Context, c access.Candidate) (string, error) {
	if !s.ready() {
		return "", errNone()
	}
	if c.IsZero() || c.Role() == access.RolePublic {
		return "", fault.Newf(fault.NotFound, "%s belongs to no team", c)
	}
	st, err := s.directory.standing(ctx, c)
	return st.team, err
}

// Teams returns the ids of all teams, in order. It is for the operator: nobody else may know them.
func (s *Service) Teams(ctx context.Context) ([]string, error) {
	if !s.ready() {
		return nil, errNone()
	}
	k, ok := s.conn.(Keeper)
	if !ok {
		return nil, errFixed()
	}
	return k.Teams(ctx)
}

// Verify looks for damage in everything that the connector holds, and names what it finds. It is for the operator.
func (s *Service) Verify(ctx context.Context) (damaged []string, err error) {
	if !s.ready() {
		return nil, errNone()
	}
	if v, ok := s.conn.(Verifier); ok {
		return v.Verify(ctx)
	}
	if c, ok := s.conn.(connector.Checker); ok {
		return nil, c.Check(ctx)
	}
	return nil, nil
}

// Start begins to keep the tokens of callers in memory.
func (s *Service) Start(ctx context.Context) error {
	for _, one := range s.all {
		if one.tokens != nil {
			one.tokens.start(ctx)
		}
	}
	return nil
}

// Close ends what Start began, writes when tokens were used last, and closes the connectors that were opened with
// settings of their own.
func (s *Service) Close(ctx context.Context) error {
	var errs []error
	for _, one := range s.all {
		if one.tokens != nil {
			errs = append(errs, one.tokens.close(ctx))
		}
	}
	return errors.Join(append(errs, s.instances.Close(ctx))...)
}

func (s *Service) ready() bool { return s != nil && s.conn != nil }

func errNone() error {
	return fault.Hint(fault.Newf(fault.Unsupported, "no account service"), "configure a connector for Account")
}
