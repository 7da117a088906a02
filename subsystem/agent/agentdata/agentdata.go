// Package agentdata finds the programs of agents: their files by id and version, and their settings.
//
// An agent's data belongs to the agent and its team. The team comes from the
// accounts, never from the file, so a file that claims another team changes
// nothing.
package agentdata

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Kind is the agent data service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "AgentData",
	Subsystem: "agent",
	Summary:   "Finds the files and settings of agents.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// Agent is what is stored of an agent.
type Agent struct {
	ID       string
	Version  string      // "" for the development version
	Data     value.Value // the agent file, without its wrapping
	Settings value.Value // an object
}

// Connector holds agents. The resource of every grant is the id of an agent. Its methods are safe for concurrent use.
type Connector interface {
	// Get returns an agent: the development version for "", else what is deployed. None is [fault.NotFound].
	Get(ctx context.Context, g access.Grant[access.Read], version string) (Agent, error)
	// Deployed reports whether a version other than that of development exists.
	Deployed(ctx context.Context, g access.Grant[access.Read]) (bool, error)
	// IDs returns the ids of all agents, sorted. The service shows each candidate only what it may read.
	IDs(ctx context.Context) ([]string, error)
}

// Writer is implemented by connectors that can be given agents while they run.
type Writer interface {
	// Put stores an agent under the id that the grant names.
	Put(ctx context.Context, g access.Grant[access.Write], a Agent) error
}

// Service is the agent data service over one connector. It has no operations; bind it to a candidate with
// [Service.For]. It is safe for concurrent use.
type Service struct {
	conn      Connector
	accounts  *account.Service
	guard     *access.Guard
	quiet     *access.Guard // for listings, where leaving one out is no denial
	all       map[string]*Service
	instances connector.Instances[Connector]
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	accounts := connector.Service(env.Services, account.Kind)
	all := make(map[string]*Service, len(in.Order))
	guard, quiet := env.Guard(accounts), &access.Guard{Directory: accounts}
	for _, id := range in.Order {
		all[id] = &Service{conn: in.ByID[id], accounts: accounts, guard: guard, quiet: quiet, all: all, instances: in}
	}
	if s := all[in.Default]; s != nil {
		return s, nil
	}
	return &Service{instances: in}, nil
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
	return nil, fault.Newf(fault.NotFound, "no agent data with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

// acl says who may use the data of an agent: the agent itself, and its team as owner.
func (s *Service) acl(ctx context.Context, id string) (*access.ACL, error) {
	agent, err := access.Agent(id)
	if err != nil {
		return nil, err
	}
	acl := access.NewACL().With(agent, access.RightRead)
	name, err := s.accounts.TeamOf(ctx, agent)
	if err != nil {
		return acl, nil // it has no team: it belongs to itself
	}
	team, err := access.Team(name)
	if err != nil {
		return nil, err
	}
	return acl.With(team, access.RightOwner), nil
}
