package storage

import (
	"context"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Stat describes an object.
func (h *Handle) Stat(ctx context.Context, name string) (Info, error) {
	return h.stat(ctx, "storage.stat", name)
}

func (h *Handle) stat(ctx context.Context, op, name string) (Info, error) {
	var info Info
	err := guarded(ctx, h, op, name, func(g access.Grant[access.Read], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		var err error
		info, err = h.service.conn.Stat(ctx, g, r.Generation)
		return err
	})
	return info, err
}

// Exists reports whether there is an object of that name. It needs the right to read it: existence is no secret to
// readers only.
func (h *Handle) Exists(ctx context.Context, name string) (bool, error) {
	_, err := h.stat(ctx, "storage.exists", name)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Metadata returns the metadata of an object.
func (h *Handle) Metadata(ctx context.Context, name string) (value.Value, error) {
	info, err := h.stat(ctx, "storage.metadata", name)
	return info.Metadata, err
}

// SetMetadata sets members of the metadata and leaves the others.
func (h *Handle) SetMetadata(ctx context.Context, name string, members value.Value) error {
	const op = "storage.set-metadata"
	members, err := cleanMetadata(members)
	if err != nil {
		return h.wrap(op, name, err)
	}
	return h.amend(ctx, op, name, Change{Metadata: members})
}

// Expire lets an object live for ttl from now on, for ever when it is 0.
func (h *Handle) Expire(ctx context.Context, name string, ttl time.Duration) error {
	const op = "storage.expire"
	if !h.service.ready() {
		return h.wrap(op, name, errNone())
	}
	if ttl < 0 {
		return h.wrap(op, name, fault.Newf(fault.Invalid, "a time to live must not be negative"))
	}
	until := h.until(ttl)
	return h.amend(ctx, op, name, Change{Expires: &until})
}

func (h *Handle) amend(ctx context.Context, op, name string, c Change) error {
	return guarded(ctx, h, op, name, func(g access.Grant[access.Write], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		return h.service.conn.Amend(ctx, g, r.Generation, c)
	})
}

const opACL = "storage.acl"

// ACL returns the ACL of an object.
func (h *Handle) ACL(ctx context.Context, name string) (*access.ACL, error) {
	var acl *access.ACL
	err := guarded(ctx, h, opACL, name, func(_ access.Grant[access.Read], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		acl = r.ACL
		return nil
	})
	return acl, err
}

// SetACL replaces the ACL of an object. It needs ownership. The candidate stays an owner, so that no object is left
// without one by mistake.
func (h *Handle) SetACL(ctx context.Context, name string, acl *access.ACL) error {
	const op = "storage.set-acl"
	if acl.Hash() == access.PlainID {
		return h.wrap(op, name, fault.Newf(fault.Invalid, "an ACL with plain ids grants nothing and is not stored"))
	}
	return guarded(ctx, h, op, name, func(g access.Grant[access.Owner], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		return h.service.conn.SetACL(ctx, g, r.Generation, acl.With(h.candidate, access.RightOwner))
	})
}
