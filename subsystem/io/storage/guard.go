package storage

import (
	"context"
	"fmt"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// maxTries bounds how often an operation is decided anew because the object was replaced meanwhile.
const maxTries = 8

// guarded decides whether the candidate may act on the name at level L and acts by do. do is given the ruling it may
// rely on; its generation is "" when there is no object. A conflict is decided anew.
func guarded[L access.Level](ctx context.Context, h *Handle, op, name string, do func(access.Grant[L], Ruling) error) error {
	if op != opACL { // which answers with the ruling itself
		if settled, err := recalled(ctx, h, op, name, do); settled {
			if err == nil {
				return nil
			}
			return h.wrap(op, name, err)
		}
	}
	return ruled(ctx, h, op, name, do)
}

// ruled is guarded by what the connector says now.
func ruled[L access.Level](ctx context.Context, h *Handle, op, name string, do func(access.Grant[L], Ruling) error) error {
	if err := h.check(op, name); err != nil {
		return err
	}
	s := h.service
	var err error
	for range maxTries {
		if ctx.Err() != nil {
			return h.wrap(op, name, context.Cause(ctx))
		}
		var ruling Ruling
		ruling, err = s.conn.Rule(ctx, name)
		switch {
		case err == nil:
		case fault.Is(err, fault.NotFound):
			if ruling, err = h.unmade(ctx, op, name); err != nil {
				return err
			}
		case fault.CodeOf(err) == CodeDamaged:
			s.log.ErrorContext(ctx, "a stored object has no readable access rights and needs repair", "connector", s.id, "object", name, "error", err)
			return s.guard.Deny(ctx, op, h.candidate, name, access.NoACL)
		default:
			return h.wrap(op, name, err)
		}
		grant, denied := access.Authorize[L](ctx, s.guard, op, h.candidate, name, ruling.ACL)
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
	return h.wrap(op, name, err)
}

// unmade is the ruling about a name without an object: it is the candidate's to make, unless it lies in the place of a
// team that the candidate does not belong to, where a stranger is refused whether there is an object or not. The public
// makes nothing.
func (h *Handle) unmade(ctx context.Context, op, name string) (Ruling, error) {
	s := h.service
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic {
		return Ruling{}, s.guard.Deny(ctx, op, h.candidate, name, access.ByDefault)
	}
	if place, ok := teamOfPlace(name); ok {
		if s.guard.Directory == nil {
			return Ruling{}, s.guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
		}
		team, err := s.guard.Directory.TeamOf(ctx, h.candidate)
		if err != nil || access.ValidID(team) != nil {
			return Ruling{}, s.guard.Deny(ctx, op, h.candidate, name, access.NoTeam)
		}
		if team != place {
			return Ruling{}, s.guard.Deny(ctx, op, h.candidate, name, access.ByDefault)
		}
	}
	return Ruling{ACL: access.OwnedBy(h.candidate)}, nil
}

// check refuses what need not be decided about.
func (h *Handle) check(op, name string) error {
	if !h.service.ready() {
		return h.wrap(op, name, errNone())
	}
	if err := ValidName(name); err != nil {
		return h.wrap(op, "", err)
	}
	return nil
}

func errNone() error {
	return fault.Hint(fault.Newf(fault.Unsupported, "no storage service"), "configure a connector for Storage")
}

// wrap says where an error arose.
func (h *Handle) wrap(op, name string, err error) error {
	return &fault.Error{Op: op, Connector: h.service.name(), Resource: name, Kind: fault.KindOf(err), Err: err}
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// String returns whose storage it is; for logs.
func (h *Handle) String() string { return fmt.Sprintf("storage of %s", h.candidate) }
