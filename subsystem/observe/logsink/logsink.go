// Package logsink keeps the records of what agents did: one for each call of a component, with what went in and what
// came out.
//
// A record belongs to the agent that it tells of, and only an agent writes records. What is named like a secret is taken
// out before a connector sees it, and so are the secrets that the team of the agent was handed, whatever they are named. The package also has the handlers that print log lines for people and for machines,
// see [NewHandler], and the one that takes secrets out of lines before them, see [Screen].
package logsink

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// Kind is the log service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Log",
	Subsystem: "observe",
	Summary:   "Keeps records of what agents did.",
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		return New(env, in), nil
	},
}

// Connector keeps records. Its methods are safe for concurrent use; the resource of a grant is the agent, "agent:ID".
type Connector interface {
	// Write keeps a record and returns its id. With the id of an earlier record of the same agent it completes that one:
	// what the new record does not say stays. An id of no record of that agent is [fault.NotFound], unless the
	// connector cannot know.
	Write(ctx context.Context, g access.Grant[access.Write], id string, r Record) (string, error)
	// Count adds finished tasks of the agent, for accounting.
	Count(ctx context.Context, g access.Grant[access.Write], tasks int) error
}

// Flusher is implemented by connectors that keep records waiting. Flush returns when those that wait now are where they
// belong, or with the cause when ctx ends before.
type Flusher interface {
	Flush(ctx context.Context) error
}

// Service is the log service over one connector. It has no operations; bind it to a candidate with [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	guard     *access.Guard
	secrets   *secret.Registry    // what was handed out; it is in no record
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

// New makes the service over its connectors. A runtime gets its service from [Kind]; New is for tests and for programs
// without a kernel.
func New(env connector.Env, in connector.Instances[Connector]) *Service {
	all := make(map[string]*Service, len(in.ByID))
	guard := env.Guard(nil) // teams play no part: a record is its agent's
	for id, conn := range in.ByID {
		all[id] = &Service{id: id, conn: conn, guard: guard, secrets: env.Secrets, all: all, instances: in}
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
	return nil, fault.Newf(fault.NotFound, "no Log connector with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
