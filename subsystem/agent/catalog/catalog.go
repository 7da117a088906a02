// Package catalog knows the component types that agents may use.
//
// It is the service that configuration calls Component. Component types are code,
// so they are linked into a program; what the catalogue decides is which of them a
// candidate may use, and an operator can take types away without building anew.
package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the component catalogue.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "Component",
	Subsystem: "agent",
	Summary:   "Knows the component types that agents may use.",
	Requires:  []connector.AnyKind{account.Kind},
	Build:     build,
}

// Connector holds component types. Its methods are safe for concurrent use.
type Connector interface {
	// Names returns the names of all types, aliases left out.
	Names(ctx context.Context) ([]string, error)
	// ACL returns who may use a type, by its name or alias. It is nil for what is not there.
	ACL(ctx context.Context, name string) (*access.ACL, error)
	// Get returns the type that the grant names. One that is not there is [fault.NotFound].
	Get(ctx context.Context, g access.Grant[access.Read]) (component.Definition, error)
}

// Service is the catalogue over one connector. It has no operations; bind it to a candidate with [Service.For]. It is
// safe for concurrent use.
type Service struct {
	conn  Connector
	guard *access.Guard
	quiet *access.Guard // for listings, where leaving one out is no denial
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	conn, ok := in.ByID[in.Default]
	if !ok {
		return &Service{}, nil
	}
	accounts := connector.Service(env.Services, account.Kind)
	return &Service{conn: conn, guard: env.Guard(accounts), quiet: &access.Guard{Directory: accounts}}, nil
}

// For binds the service to a candidate. A nil Service gives a Handle whose operations are refused.
func (s *Service) For(c access.Candidate) *Handle { return &Handle{service: s, candidate: c} }

// Handle is the catalogue as one candidate sees it. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Get returns a component type by name or alias. One that does not exist is [fault.NotFound] and names the nearest.
func (h *Handle) Get(ctx context.Context, name string) (component.Definition, error) {
	const op = "component.get"
	if !h.ready() {
		return component.Definition{}, wrap(op, name, errNone())
	}
	acl, err := h.service.conn.ACL(ctx, name)
	if err != nil {
		return component.Definition{}, wrap(op, name, err)
	}
	if acl.Empty() {
		all, err := h.List(ctx)
		if err != nil {
			return component.Definition{}, err
		}
		return component.Definition{}, wrap(op, name, fault.New(fault.NotFound, schema.UnknownName("component type", name, names(all))))
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, name, acl)
	if err != nil {
		return component.Definition{}, err
	}
	d, err := h.service.conn.Get(ctx, g)
	return d, wrap(op, name, err)
}

// List returns the component types that the candidate may use, sorted by name.
func (h *Handle) List(ctx context.Context) ([]component.Definition, error) {
	const op = "component.list"
	if !h.ready() {
		return nil, wrap(op, "", errNone())
	}
	all, err := h.service.conn.Names(ctx)
	if err != nil {
		return nil, wrap(op, "", err)
	}
	var defs []component.Definition
	for _, name := range all {
		acl, err := h.service.conn.ACL(ctx, name)
		if err != nil {
			return nil, wrap(op, name, err)
		}
		g, err := access.Authorize[access.Read](ctx, h.service.quiet, op, h.candidate, name, acl)
		if err != nil {
			continue
		}
		d, err := h.service.conn.Get(ctx, g)
		if err != nil {
			return nil, wrap(op, name, err)
		}
		defs = append(defs, d)
	}
	slices.SortFunc(defs, func(a, b component.Definition) int { return strings.Compare(a.Name, b.Name) })
	return defs, nil
}

func (h *Handle) ready() bool { return h.service != nil && h.service.conn != nil }

func names(defs []component.Definition) []string {
	out := make([]string, len(defs))
	for i, d := range defs {
		out[i] = d.Name
	}
	return out
}

func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Op: op, Resource: name, Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
}

func errNone() error {
	return fault.Hint(fault.Newf(fault.Unsupported, "no component catalogue is configured"), "configure the service Component")
}
