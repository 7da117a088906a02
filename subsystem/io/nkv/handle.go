package nkv

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is what the team of one candidate keeps. It is safe for concurrent use.
//
// Errors: who belongs to no team is [fault.Denied]; a namespace or key that cannot be one is [fault.Invalid].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// LimitValueBytes is the name of the limit on one value.
const LimitValueBytes = "nkv_value_bytes"

// MaxValueBytes is the most memory that one value may take, as [value.Value.Footprint] counts it.
const MaxValueBytes = 16 << 20

// MaxPage is the largest number of values in one page of a listing.
const MaxPage = 1000

// Page says which part of a listing is wanted. The zero Page is the first one, of the largest size.
type Page struct {
	After string // Next of the page before, "" for the first
	Limit int    // at most [MaxPage]; 0 for that
}

// Listing is one page.
type Listing struct {
	Items []Item
	Next  string // After of the next page, "" when this is the last
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Get returns a value, and false when there is none.
func (h *Handle) Get(ctx context.Context, namespace, key string) (value.Value, bool, error) {
	return h.get(ctx, "nkv.get", namespace, key)
}

func (h *Handle) get(ctx context.Context, op, namespace, key string) (value.Value, bool, error) {
	g, err := authorize[access.Read](ctx, h, op, namespace, key)
	if err != nil {
		return value.Value{}, false, err
	}
	v, err := h.service.conn.Get(ctx, g)
	if fault.Is(err, fault.NotFound) {
		return value.Value{}, false, nil
	}
	return v, err == nil, h.wrap(op, namespace, err)
}

// Exists reports whether there is a value.
func (h *Handle) Exists(ctx context.Context, namespace, key string) (bool, error) {
	_, ok, err := h.get(ctx, "nkv.exists", namespace, key)
	return ok, err
}

// Set stores a value. An absent one cannot be stored.
func (h *Handle) Set(ctx context.Context, namespace, key string, v value.Value) error {
	const op = "nkv.set"
	if v.IsAbsent() {
		return h.wrap(op, namespace, fault.Newf(fault.Invalid, "there is no value to store"))
	}
	if n := v.Footprint(); n > MaxValueBytes {
		return h.wrap(op, namespace, fault.Limitf(LimitValueBytes, "value of %d bytes is over the limit of %d", n, MaxValueBytes))
	}
	g, err := authorize[access.Write](ctx, h, op, namespace, key)
	if err != nil {
		return err
	}
	return h.wrap(op, namespace, h.service.conn.Set(ctx, g, v))
}

// Delete removes a value. Nothing to remove is no error.
func (h *Handle) Delete(ctx context.Context, namespace, key string) error {
	const op = "nkv.delete"
	g, err := authorize[access.Write](ctx, h, op, namespace, key)
	if err != nil {
		return err
	}
	return h.wrap(op, namespace, h.service.conn.Delete(ctx, g))
}

// List returns values of a namespace, page by page.
func (h *Handle) List(ctx context.Context, namespace string, p Page) (Listing, error) {
	const op = "nkv.list"
	if p.Limit <= 0 || p.Limit > MaxPage {
		p.Limit = MaxPage
	}
	if p.After != "" {
		if err := access.ValidKey(p.After); err != nil {
			return Listing{}, h.wrap(op, namespace, err)
		}
	}
	g, err := authorizeAll[access.Read](ctx, h, op, namespace)
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for item, err := range h.service.conn.List(ctx, g, p.After) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Listing{}, h.wrap(op, namespace, err)
		}
		if len(out.Items) == p.Limit {
			out.Next = out.Items[p.Limit-1].Key
			break
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// DeleteAll removes all values of a namespace.
func (h *Handle) DeleteAll(ctx context.Context, namespace string) error {
	const op = "nkv.delete-all"
	g, err := authorizeAll[access.Write](ctx, h, op, namespace)
	if err != nil {
		return err
	}
	return h.wrap(op, namespace, h.service.conn.DeleteAll(ctx, g))
}

// authorize gives a grant on one key.
func authorize[L access.Level](ctx context.Context, h *Handle, op, namespace, key string) (access.Grant[L], error) {
	if h.service.ready() {
		if err := valid("key", key); err != nil {
			return access.Grant[L]{}, h.wrap(op, namespace, err)
		}
	}
	return grant[L](ctx, h, op, namespace, key)
}

// authorizeAll gives a grant on all keys of a namespace.
func authorizeAll[L access.Level](ctx context.Context, h *Handle, op, namespace string) (access.Grant[L], error) {
	return grant[L](ctx, h, op, namespace, "")
}

// grant decides: what lies below a team is its members', with every right.
func grant[L access.Level](ctx context.Context, h *Handle, op, namespace, key string) (access.Grant[L], error) {
	if !h.service.ready() {
		return access.Grant[L]{}, h.wrap(op, namespace, fault.Hint(fault.Newf(fault.Unsupported, "no NKV service"), "configure a connector for NKV"))
	}
	if err := valid("namespace", namespace); err != nil {
		return access.Grant[L]{}, h.wrap(op, "", err)
	}
	if ctx.Err() != nil {
		return access.Grant[L]{}, h.wrap(op, namespace, context.Cause(ctx))
	}
	guard := h.service.guard
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic || guard.Directory == nil {
		return access.Grant[L]{}, guard.Deny(ctx, op, h.candidate, namespace, access.NoTeam)
	}
	id, err := guard.Directory.TeamOf(ctx, h.candidate)
	if err != nil {
		return access.Grant[L]{}, guard.Deny(ctx, op, h.candidate, namespace, access.NoTeam)
	}
	owned, err := h.service.teams.owned(id)
	if err != nil {
		return access.Grant[L]{}, guard.Deny(ctx, op, h.candidate, namespace, access.NoTeam)
	}
	at := Address{Team: id, Namespace: namespace, Key: key}
	return access.Authorize[L](ctx, guard, op, h.candidate, at.String(), owned)
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
