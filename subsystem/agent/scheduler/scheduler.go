// Package scheduler keeps jobs that agents are to do by themselves, and runs them when they are due.
//
// A job calls a skill of an agent, fires a trigger or says something to it, at an
// interval or at the times of a cron expression. It belongs to the candidate who
// added it; its agent has to be of the same team, when it is added and each time
// it runs. [Service] keeps jobs, for candidates and behind the guard. [Runner]
// runs them: each one by itself, none twice at once, on however many processes
// share them.
package scheduler

import (
	"context"
	"iter"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the service of jobs.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Scheduler",
	Subsystem: "agent",
	Summary:   "Keeps jobs of agents and when they are due.",
	Requires:  []connector.AnyKind{account.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		return New(env, in, connector.Service(env.Services, account.Kind)), nil
	},
}

// Service is the service over one connector. It has no operations for agents: they need a candidate, see [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	env       connector.Env
	directory access.Directory
	guard     *access.Guard
	quiet     *access.Guard // for listings, where leaving one out is no denial
	all       map[string]*Service
	instances connector.Instances[Connector]

	changing sync.Mutex // held while an entry is read, changed and put back
}

// New makes the service over its connectors. directory knows the teams; without one everybody is refused. A runtime gets
// its service from [Kind]; New is for tests and for programs without a kernel.
func New(env connector.Env, in connector.Instances[Connector], directory access.Directory) *Service {
	all := make(map[string]*Service, len(in.ByID))
	for id, conn := range in.ByID {
		all[id] = &Service{
			id: id, conn: conn, env: env, directory: directory, guard: env.Guard(directory),
			quiet: &access.Guard{Directory: directory}, all: all, instances: in,
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
	return nil, fault.Newf(fault.NotFound, "no scheduler with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

// All gives the jobs of everybody, in no order. It is for the operator and for who runs jobs, never for agents.
func (s *Service) All(ctx context.Context) iter.Seq2[Entry, error] {
	if !s.ready() {
		return func(func(Entry, error) bool) {}
	}
	return s.conn.All(ctx, access.Candidate{}, "")
}

// Policy returns what is configured, the zero Policy without a connector.
func (s *Service) Policy() Policy {
	if !s.ready() {
		return Policy{}
	}
	return s.conn.Policy()
}

func (s *Service) ready() bool { return s != nil && s.conn != nil }

// Changed is published when a job was added, changed or deleted through a handle of this process.
type Changed struct{ Job Address }
