package vectordb

import (
	"context"
	"errors"
	"iter"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// authorize gives a grant on one namespace, whose name may be given as people write it.
func authorize[L access.Level](ctx context.Context, h *Handle, op, name string) (access.Grant[L], Address, error) {
	if h.service.ready() {
		if err := validName(name); err != nil {
			return access.Grant[L]{}, Address{}, h.wrap(op, "", err)
		}
	}
	name = Normal(name)
	return grant[L](ctx, h, op, name)
}

// grant decides: what lies below an owner is the owner's, and of a team its members', with every right.
func grant[L access.Level](ctx context.Context, h *Handle, op, name string) (access.Grant[L], Address, error) {
	var none access.Grant[L]
	if !h.service.ready() {
		err := fault.Hint(fault.Newf(fault.Unsupported, "no vector database"), "configure a connector for VectorDB")
		return none, Address{}, h.wrap(op, name, err)
	}
	if ctx.Err() != nil {
		return none, Address{}, h.wrap(op, name, context.Cause(ctx))
	}
	guard := h.service.guard
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic || h.service.directory == nil {
		return none, Address{}, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
	}
	team, err := h.service.directory.TeamOf(ctx, h.candidate)
	if err != nil {
		return none, Address{}, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
	}
	at := Address{Owner: h.candidate, Namespace: name}
	if h.team {
		if at.Owner, err = access.Team(team); err != nil {
			return none, Address{}, guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
		}
	}
	g, err := access.Authorize[L](ctx, guard, op, h.candidate, at.String(), access.OwnedBy(at.Owner))
	return g, at, err
}

// page reads one page of a listing.
func page[T any](ctx context.Context, p Page, all iter.Seq2[T, error], name func(T) string) (Listing[T], error) {
	if p.Limit <= 0 || p.Limit > MaxPage {
		p.Limit = MaxPage
	}
	var out Listing[T]
	for item, err := range all {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Listing[T]{}, err
		}
		if len(out.Items) == p.Limit {
			out.Next = name(out.Items[p.Limit-1])
			break
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// missing names the namespace that is not there.
func (h *Handle) missing(op string, at Address, err error) error {
	if errors.Is(err, errMissing) { // not what a model misses
		err = fault.Newf(fault.NotFound, "Namespace %s does not exist", at.Namespace)
	}
	return h.wrap(op, at.Namespace, err)
}

// wrap says where an error arose. No error stays none.
func (h *Handle) wrap(op, namespace string, err error) error {
	if err == nil {
		return nil
	}
	e := &fault.Error{Op: op, Resource: namespace, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
