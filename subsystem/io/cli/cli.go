// Package cli gives agents the arguments of the command line they were started with.
//
// Arguments belong to whoever typed them: only the team that the operator names
// may read them, because a command line can hold anything.
package cli

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Kind is the service of command-line arguments.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "CLI",
	Subsystem: "io",
	Summary:   "Gives agents the arguments of the command line.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// Connector holds arguments. Its methods are safe for concurrent use.
type Connector interface {
	// ACL returns who may read the arguments.
	ACL(ctx context.Context) (*access.ACL, error)
	// Arguments returns them in order. The caller must not change them.
	Arguments(ctx context.Context, g access.Grant[access.Read]) ([]string, error)
}

// Service is the service over one connector. It has no operations; bind it to a candidate with [Service.For]. It is
// safe for concurrent use.
type Service struct {
	conn  Connector
	guard *access.Guard
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	return &Service{conn: in.ByID[in.Default], guard: env.Guard(connector.Service(env.Services, account.Kind))}, nil
}

// For binds the service to a candidate. A nil Service gives a Handle whose operations are refused.
func (s *Service) For(c access.Candidate) *Handle { return &Handle{service: s, candidate: c} }

// Handle is the command line as one candidate sees it. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// resource names the arguments, all of them.
const resource = "arguments"

// Get returns the values of flags, see [Parse]; of all flags when none is named. A single flag is returned alone.
func (h *Handle) Get(ctx context.Context, flags ...string) (value.Value, error) {
	const op = "cli.get"
	if h.service == nil || h.service.conn == nil {
		err := fault.Hint(fault.Newf(fault.Unsupported, "no command line is configured"), "configure the service CLI")
		return value.Value{}, &fault.Error{Op: op, Kind: fault.Unsupported, Err: err}
	}
	acl, err := h.service.conn.ACL(ctx)
	if err != nil {
		return value.Value{}, &fault.Error{Op: op, Kind: fault.KindOf(err), Err: err}
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return value.Value{}, err
	}
	args, err := h.service.conn.Arguments(ctx, g)
	if err != nil {
		return value.Value{}, &fault.Error{Op: op, Kind: fault.KindOf(err), Err: err}
	}
	all := Parse(args, flags...)
	if len(flags) == 1 {
		return all.Get(flags[0]), nil
	}
	return all, nil
}
