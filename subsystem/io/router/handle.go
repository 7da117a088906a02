package router

import (
	"context"
	"net/http"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Handle is the router as one candidate may use it: the places of its team. It is safe for concurrent use.
//
// Errors: who belongs to no team is [fault.Denied]; a name that cannot be one is [fault.Invalid].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Base returns what public addresses of the runtime begin with, without a slash at the end: for what is served beside the
// places of teams.
func (h *Handle) Base(ctx context.Context) (string, error) {
	const op = "router.base"
	if !h.service.ready() {
		return "", h.wrap(op, "", fault.Hint(fault.Newf(fault.Unsupported, "no Router service"), "configure a connector for Router"))
	}
	if ctx.Err() != nil {
		return "", h.wrap(op, "", context.Cause(ctx))
	}
	return h.base(op)
}

// URL returns the public address of a place of the team, whether something is mounted there or not.
func (h *Handle) URL(ctx context.Context, name string) (string, error) {
	const op = "router.url"
	g, err := h.authorize(ctx, op, name)
	if err != nil {
		return "", err
	}
	return h.address(op, g)
}

// Mount serves requests at and below a place of the team with a handler, and returns its public address. The handler
// gets paths as they are below the place. A place that is taken is [fault.Conflict]. What is mounted stays until
// [Handle.Unmount] or until the runtime ends.
func (h *Handle) Mount(ctx context.Context, name string, handler http.Handler) (string, error) {
	const op = "router.mount"
	g, err := h.authorize(ctx, op, name)
	if err != nil {
		return "", err
	}
	if handler == nil {
		return "", h.wrap(op, name, fault.Newf(fault.Invalid, "there is no handler to mount"))
	}
	url, err := h.address(op, g)
	if err != nil {
		return "", err
	}
	if err := h.service.conn.Mount(ctx, g, handler); err != nil {
		return "", h.wrap(op, name, err)
	}
	return url, nil
}

// Unmount ends what was mounted at a place of the team. Requests that are under way are not waited for. A place where
// nothing is mounted is [fault.NotFound].
func (h *Handle) Unmount(ctx context.Context, name string) error {
	const op = "router.unmount"
	g, err := h.authorize(ctx, op, name)
	if err != nil {
		return err
	}
	return h.wrap(op, name, h.service.conn.Unmount(ctx, g))
}

func (h *Handle) address(op string, g access.Grant[access.Owner]) (string, error) {
	base, err := h.base(op)
	if err != nil {
		return "", err
	}
	return base + "/" + g.Resource(), nil
}

func (h *Handle) base(op string) (string, error) {
	base := h.service.conn.BaseURL()
	if base == "" {
		err := fault.Hint(fault.Newf(fault.Unsupported, "the router has no public address"), "set baseUrl or listen of its connector")
		return "", h.wrap(op, "", err)
	}
	return base, nil
}

// authorize decides: the places of a team are its members'.
func (h *Handle) authorize(ctx context.Context, op, name string) (access.Grant[access.Owner], error) {
	var none access.Grant[access.Owner]
	if !h.service.ready() {
		return none, h.wrap(op, "", fault.Hint(fault.Newf(fault.Unsupported, "no Router service"), "configure a connector for Router"))
	}
	if err := validName(name); err != nil {
		return none, h.wrap(op, "", err)
	}
	if ctx.Err() != nil {
		return none, h.wrap(op, name, context.Cause(ctx))
	}
	guard := h.service.guard
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic || guard.Directory == nil {
		return none, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
	}
	id, err := guard.Directory.TeamOf(ctx, h.candidate)
	if err != nil {
		return none, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
	}
	team, err := access.Team(id)
	if err != nil {
		return none, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
	}
	return access.Authorize[access.Owner](ctx, guard, op, h.candidate, Resource(id, name), access.OwnedBy(team))
}

// wrap says where an error arose. No error stays none.
func (h *Handle) wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	e := &fault.Error{Op: op, Resource: name, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
