// Package router lets agents be reached from outside: a team mounts HTTP handlers, and anybody who knows their address
// can call them.
//
// A handler is mounted under a name of the team, and its address is "<base URL>/<team>/<name>". Only members of the team
// mount there; the team comes from the accounts, never from the caller. What is mounted is public: whoever calls it is
// nobody in particular, so a handler that does more than show something checks the caller itself.
package router

import (
	"context"
	"net/http"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the router service.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Router",
	Subsystem: "io",
	Summary:   "Mounts HTTP handlers of teams at public addresses.",
	Requires:  []connector.AnyKind{account.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		accounts, ok := connector.Find(env.Services, account.Kind)
		if !ok {
			return nil, fault.Newf(fault.Internal, "the router was built without accounts")
		}
		return New(env, in, accounts), nil
	},
}

// Connector serves what is mounted. Its methods are safe for concurrent use; the resource of a grant is named by
// [Resource].
type Connector interface {
	// BaseURL is what public addresses begin with, without a slash at the end; "" when there is no such address.
	BaseURL() string
	// Mount serves requests at and below the place that the grant names. The handler gets paths as they are below the
	// place, beginning with a slash. A place that is taken is [fault.Conflict].
	Mount(ctx context.Context, g access.Grant[access.Owner], h http.Handler) error
	// Unmount ends that; requests that are under way are not waited for. What is not mounted is [fault.NotFound].
	Unmount(ctx context.Context, g access.Grant[access.Owner]) error
}

// Resource names a place of a team.
func Resource(team, name string) string { return team + "/" + name }

// MaxName bounds the name of a place, in bytes.
const MaxName = 64

// validName checks that a name may be a segment of an address without being written differently there.
func validName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if name == "" || len(name) > MaxName || strings.Trim(name, letters) != "" {
		return fault.Newf(fault.Invalid, "%.80q is no name for a place; use 1 to %d letters, digits, - and _", name, MaxName)
	}
	return nil
}

// Service is the router over one connector. It has no operations; bind it to a candidate with [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	guard     *access.Guard
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

// New makes the service over its connectors. directory knows the teams; without one everybody is refused. A runtime gets
// its service from [Kind]; New is for tests and for programs without a kernel.
func New(env connector.Env, in connector.Instances[Connector], directory access.Directory) *Service {
	all := make(map[string]*Service, len(in.ByID))
	guard := env.Guard(directory)
	for id, conn := range in.ByID {
		all[id] = &Service{id: id, conn: conn, guard: guard, all: all, instances: in}
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
	return nil, fault.Newf(fault.NotFound, "no router with the id %q is configured", id)
}

// ServeHTTP serves what is mounted, for a server that has its own listener. A connector that cannot answers 404.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.ready() {
		if h, ok := s.conn.(http.Handler); ok {
			h.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }

var _ http.Handler = (*Service)(nil)
