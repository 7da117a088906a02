package cache

import (
	"context"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is the cache as one candidate sees it. It is safe for concurrent use.
//
// Errors: a refusal is [fault.Denied], a key that cannot be one [fault.Invalid], an entry that others keep replacing
// [fault.Conflict].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Options are what Set stores beside the value.
type Options struct {
	// ACL is added to the ownership of the candidate when Set makes the entry. An entry that exists keeps its ACL;
	// SetACL changes it.
	ACL *access.ACL
	// Metadata replaces the metadata of the entry; absent for none. The member "acl" is reserved.
	Metadata value.Value
	// TTL is how long the entry lives from now on; 0 for ever.
	TTL time.Duration
}

// Get returns a value, and false when there is none.
func (h *Handle) Get(ctx context.Context, key string) (value.Value, bool, error) {
	e, ok, err := h.entry(ctx, "cache.get", key)
	return e.Value, ok, err
}

// entry returns an entry, and false when there is none.
func (h *Handle) entry(ctx context.Context, op, key string) (Entry, bool, error) {
	var e Entry
	err := guarded(ctx, h, op, key, false, func(g access.Grant[access.Read], r Ruling) error {
		var err error
		e, err = h.service.conn.Get(ctx, g, r.Generation)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return Entry{}, false, nil
	}
	return e, err == nil, err
}

// Set stores a value. The candidate becomes the owner of an entry it makes. An absent value cannot be stored.
func (h *Handle) Set(ctx context.Context, key string, v value.Value, o Options) error {
	const op = "cache.set"
	switch {
	case v.IsAbsent():
		return h.wrap(op, key, fault.Newf(fault.Invalid, "there is no value to store"))
	case o.TTL < 0:
		return h.wrap(op, key, errNegative())
	case o.ACL.Hash() == access.PlainID:
		return h.wrap(op, key, errPlain())
	}
	if err := checkMetadata(o.Metadata); err != nil {
		return h.wrap(op, key, err)
	}
	return guarded(ctx, h, op, key, true, func(g access.Grant[access.Write], ruling Ruling) error {
		r := Record{ACL: ruling.ACL, Entry: Entry{Value: v, Metadata: o.Metadata, Expires: h.until(o.TTL)}}
		if ruling.Generation == "" && o.ACL != nil {
			r.ACL = o.ACL.With(h.candidate, access.RightOwner)
		}
		return h.service.conn.Set(ctx, g, ruling.Generation, r)
	})
}

// Delete removes an entry. Nothing to remove is no error.
func (h *Handle) Delete(ctx context.Context, key string) error {
	err := guarded(ctx, h, "cache.delete", key, false, func(g access.Grant[access.Write], r Ruling) error {
		return h.service.conn.Delete(ctx, g, r.Generation)
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Exists reports whether there is an entry.
func (h *Handle) Exists(ctx context.Context, key string) (bool, error) {
	_, ok, err := h.entry(ctx, "cache.exists", key)
	return ok, err
}

// TTL returns how long an entry has to live, and false when it lives for ever or is not there.
func (h *Handle) TTL(ctx context.Context, key string) (time.Duration, bool, error) {
	e, ok, err := h.entry(ctx, "cache.ttl", key)
	if !ok || e.Expires.IsZero() {
		return 0, false, err
	}
	return e.Expires.Sub(h.service.clock.Now()), true, nil
}

// UpdateTTL lets an entry live for ttl from now on, for ever when it is 0. No entry is [fault.NotFound].
func (h *Handle) UpdateTTL(ctx context.Context, key string, ttl time.Duration) error {
	const op = "cache.update-ttl"
	if ttl < 0 {
		return h.wrap(op, key, errNegative())
	}
	return guarded(ctx, h, op, key, false, func(g access.Grant[access.Write], r Ruling) error {
		until := h.until(ttl)
		return h.service.conn.Amend(ctx, g, r.Generation, Change{Expires: &until})
	})
}

// Metadata returns the metadata of an entry as an object, and false when there is no entry.
func (h *Handle) Metadata(ctx context.Context, key string) (value.Value, bool, error) {
	e, ok, err := h.entry(ctx, "cache.metadata", key)
	if ok && e.Metadata.IsNil() {
		e.Metadata = value.Obj()
	}
	return e.Metadata, ok, err
}

// SetMetadata sets members of the metadata and leaves the others. No entry is [fault.NotFound].
func (h *Handle) SetMetadata(ctx context.Context, key string, members value.Value) error {
	const op = "cache.set-metadata"
	if err := checkMetadata(members); err != nil {
		return h.wrap(op, key, err)
	}
	return guarded(ctx, h, op, key, false, func(g access.Grant[access.Write], r Ruling) error {
		return h.service.conn.Amend(ctx, g, r.Generation, Change{Metadata: members})
	})
}

const opACL = "cache.acl"

// ACL returns the ACL of an entry. No entry is [fault.NotFound].
func (h *Handle) ACL(ctx context.Context, key string) (*access.ACL, error) {
	var acl *access.ACL
	err := guarded(ctx, h, opACL, key, false, func(_ access.Grant[access.Read], r Ruling) error {
		acl = r.ACL
		return nil
	})
	return acl, err
}

// SetACL replaces the ACL of an entry. It needs ownership, and the candidate stays an owner. No entry is [fault.NotFound].
func (h *Handle) SetACL(ctx context.Context, key string, acl *access.ACL) error {
	const op = "cache.set-acl"
	if acl.Hash() == access.PlainID {
		return h.wrap(op, key, errPlain())
	}
	return guarded(ctx, h, op, key, false, func(g access.Grant[access.Owner], r Ruling) error {
		return h.service.conn.SetACL(ctx, g, r.Generation, acl.With(h.candidate, access.RightOwner))
	})
}

// until returns when something that lives for ttl from now on is gone. The caller has checked that there is a service.
func (h *Handle) until(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return h.service.clock.Now().Add(ttl)
}

func errNegative() error { return fault.Newf(fault.Invalid, "a time to live must not be negative") }

func errPlain() error {
	return fault.Newf(fault.Invalid, "an ACL with plain ids grants nothing and is not stored")
}
