package cache

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// maxTries bounds how often an operation is decided anew because the entry was replaced meanwhile.
const maxTries = 8

// guarded decides whether the candidate may act on an entry at level L and acts by do, which is given the ruling it may
// rely on. A conflict is decided anew. A key without an entry is [fault.NotFound] to everybody who could make it, unless
// maker is set: then do is given a ruling without a generation.
func guarded[L access.Level](ctx context.Context, h *Handle, op, key string, maker bool, do func(access.Grant[L], Ruling) error) error {
	if err := h.check(op, key); err != nil {
		return err
	}
	s := h.service
	if op != opACL { // which answers with the ruling itself
		if settled, err := recalled(ctx, h, op, key, do); settled {
			if err == nil {
				return nil
			}
			return h.wrap(op, key, err)
		}
	}
	var err error
	for range maxTries {
		if ctx.Err() != nil {
			return h.wrap(op, key, context.Cause(ctx))
		}
		var ruling Ruling
		ruling, err = s.conn.Rule(ctx, key)
		switch {
		case err == nil:
		case fault.Is(err, fault.NotFound):
			if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic {
				return s.guard.Deny(ctx, op, h.candidate, key, access.ByDefault) // they own nothing
			}
			if !maker {
				return h.wrap(op, key, err)
			}
			ruling = Ruling{ACL: access.OwnedBy(h.candidate)}
		case fault.CodeOf(err) == CodeDamaged:
			s.log.ErrorContext(ctx, "a cache entry has no readable access rights and needs repair", "connector", s.id, "key", key, "error", err)
			return s.guard.Deny(ctx, op, h.candidate, key, access.NoACL)
		default:
			return h.wrap(op, key, err)
		}
		grant, denied := access.Authorize[L](ctx, s.guard, op, h.candidate, key, ruling.ACL)
		if denied != nil {
			return denied
		}
		if err = do(grant, ruling); err == nil {
			return nil
		}
		if !fault.Is(err, fault.Conflict) {
			break
		}
	}
	return h.wrap(op, key, err)
}

// check refuses what need not be decided about.
func (h *Handle) check(op, key string) error {
	if !h.service.ready() {
		return h.wrap(op, key, fault.Hint(fault.Newf(fault.Unsupported, "no cache service"), "configure a connector for Cache"))
	}
	if err := access.ValidKey(key); err != nil {
		return h.wrap(op, "", err)
	}
	return nil
}

// wrap says where an error arose.
func (h *Handle) wrap(op, key string, err error) error {
	e := &fault.Error{Op: op, Resource: key, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
