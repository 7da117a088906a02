package connector

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// derivedCache keeps connectors that were opened with per-call settings, by instance and settings, for an hour
// since their last use. The oldest is closed when there are too many.
type derivedCache struct {
	env  Env
	open Opener

	mu      sync.Mutex
	entries []*derived // least recently used first
}

type derived struct {
	key  string
	conn any
	used time.Time
}

func newDerivedCache(env Env, open Opener) *derivedCache {
	return &derivedCache{env: env, open: open}
}

// With returns a connector like the instance id ("" for the default) but with its settings overridden by the members
// of settings. Equal settings share one connector.
func (in Instances[C]) With(ctx context.Context, id string, settings value.Value) (C, error) {
	var zero C
	if id == "" {
		id = in.Default
	}
	base, ok := in.ByID[id]
	if !ok {
		return zero, fault.Newf(fault.NotFound, "no connector with the id %q is configured", id)
	}
	if len(settings.Members()) == 0 {
		return base, nil
	}
	if in.cache == nil || in.cache.open == nil {
		return zero, fault.Newf(fault.Unsupported, "per-call settings are not available here")
	}
	conn, err := in.cache.get(ctx, id, settings)
	if err != nil {
		return zero, err
	}
	c, ok := conn.(C)
	if !ok {
		return zero, fault.Newf(fault.Internal, "connector %q opened as %T", id, conn)
	}
	return c, nil
}

func (dc *derivedCache) get(ctx context.Context, id string, settings value.Value) (any, error) {
	key := id + "\x00" + settings.JSON()
	now := dc.env.Effects.Now()
	dc.mu.Lock()
	defer dc.mu.Unlock()
	var expired []any
	dc.entries = slices.DeleteFunc(dc.entries, func(d *derived) bool {
		old := now.Sub(d.used) > derivedTTL
		if old {
			expired = append(expired, d.conn)
		}
		return old
	})
	at := slices.IndexFunc(dc.entries, func(d *derived) bool { return d.key == key })
	if at >= 0 {
		d := dc.entries[at]
		d.used = now
		dc.entries = append(slices.Delete(dc.entries, at, at+1), d)
		return d.conn, closeAll(ctx, expired)
	}
	conn, err := dc.open(id, settings)
	if err != nil {
		return nil, err
	}
	if len(dc.entries) >= derivedMax {
		expired = append(expired, dc.entries[0].conn)
		dc.entries = slices.Delete(dc.entries, 0, 1)
	}
	dc.entries = append(dc.entries, &derived{key, conn, now})
	return conn, closeAll(ctx, expired)
}

// Close closes every connector opened by per-call settings.
func (in Instances[C]) Close(ctx context.Context) error {
	if in.cache == nil {
		return nil
	}
	in.cache.mu.Lock()
	defer in.cache.mu.Unlock()
	var all []any
	for _, d := range in.cache.entries {
		all = append(all, d.conn)
	}
	in.cache.entries = nil
	return closeAll(ctx, all)
}

func closeAll(ctx context.Context, conns []any) error {
	var first error
	for _, c := range conns {
		if cl, ok := c.(Closer); ok {
			if err := cl.Close(ctx); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}
