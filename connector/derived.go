package connector

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// derivedCache keeps connectors that were opened with per-call settings, by instance and settings, for an hour since
// their last use. When there are too many, the one that nobody used for the longest is closed; one that is in use is
// closed when it is given back.
type derivedCache struct {
	env  Env
	open Opener

	mu      sync.Mutex
	entries []*derived // least recently used first
	closed  bool
}

// derived is one such connector. conn and err are set when ready is closed.
type derived struct {
	key   string
	ready chan struct{}
	conn  any
	err   error

	users int // guarded by the cache, like all below
	used  time.Time
	gone  bool // taken out of the cache: whoever gives it back last closes it
}

func newDerivedCache(env Env, open Opener) *derivedCache {
	return &derivedCache{env: env, open: open}
}

// With returns a connector like the instance id ("" for the default) but with its settings overridden by the members
// of settings. Equal settings share one connector, whatever their order. The caller calls release when it no longer
// uses the connector; release may be called more than once and is never nil.
func (in Instances[C]) With(ctx context.Context, id string, settings value.Value) (c C, release func(), err error) {
	release = func() {}
	if id == "" {
		id = in.Default
	}
	base, ok := in.ByID[id]
	if !ok {
		return c, release, fault.Newf(fault.NotFound, "no connector with the id %q is configured", id)
	}
	if len(settings.Members()) == 0 {
		return base, release, nil
	}
	if in.cache == nil || in.cache.open == nil {
		return c, release, fault.Newf(fault.Unsupported, "per-call settings are not available here")
	}
	d, err := in.cache.get(ctx, id, settings)
	if err != nil {
		return c, release, err
	}
	typed, ok := d.conn.(C)
	if !ok {
		in.cache.release(ctx, d)
		return c, release, fault.Newf(fault.Internal, "connector %q opened as %T", id, d.conn)
	}
	var once sync.Once
	return typed, func() { once.Do(func() { in.cache.release(ctx, d) }) }, nil
}

// get returns the connector of settings and counts the caller among its users.
func (dc *derivedCache) get(ctx context.Context, id string, settings value.Value) (*derived, error) {
	d, unused, mine, err := dc.reserve(id + "\x00" + settings.Canonical())
	dc.close(ctx, unused)
	if err != nil {
		return nil, err
	}
	if mine {
		d.conn, d.err = dc.open(id, settings)
		close(d.ready)
	}
	select {
	case <-d.ready:
	case <-ctx.Done():
		dc.release(ctx, d)
		return nil, context.Cause(ctx)
	}
	if d.err != nil {
		dc.forget(d)
		dc.release(ctx, d)
		return nil, d.err
	}
	return d, nil
}

// reserve finds the entry of a key or makes one, and takes those out that nobody used for too long. mine tells the
// caller to open the connector.
func (dc *derivedCache) reserve(key string) (d *derived, unused []*derived, mine bool, err error) {
	now := dc.env.Effects.Now()
	dc.mu.Lock()
	defer dc.mu.Unlock()
	if dc.closed {
		return nil, nil, false, fault.Newf(fault.Unavailable, "the service is closed")
	}
	dc.entries = slices.DeleteFunc(dc.entries, func(d *derived) bool {
		old := d.users == 0 && now.Sub(d.used) > derivedTTL
		if old {
			unused = append(unused, dc.take(d))
		}
		return old
	})
	if at := slices.IndexFunc(dc.entries, func(d *derived) bool { return d.key == key }); at >= 0 {
		d = dc.entries[at]
		dc.entries = append(slices.Delete(dc.entries, at, at+1), d)
	} else {
		if len(dc.entries) >= derivedMax {
			at := max(0, slices.IndexFunc(dc.entries, func(d *derived) bool { return d.users == 0 }))
			if oldest := dc.take(dc.entries[at]); oldest.users == 0 {
				unused = append(unused, oldest)
			}
			dc.entries = slices.Delete(dc.entries, at, at+1)
		}
		d, mine = &derived{key: key, ready: make(chan struct{})}, true
		dc.entries = append(dc.entries, d)
	}
	d.users++
	d.used = now
	return d, unused, mine, nil
}

// take marks an entry that leaves the cache.
func (dc *derivedCache) take(d *derived) *derived {
	d.gone = true
	return d
}

// forget takes an entry out that could not be opened, so that the next caller tries again.
func (dc *derivedCache) forget(d *derived) {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	if at := slices.Index(dc.entries, d); at >= 0 {
		dc.take(d)
		dc.entries = slices.Delete(dc.entries, at, at+1)
	}
}

// release counts a user out. The last user of an entry that has left the cache closes it.
func (dc *derivedCache) release(ctx context.Context, d *derived) {
	dc.mu.Lock()
	d.users--
	last := d.users == 0 && d.gone
	dc.mu.Unlock()
	if last {
		dc.close(ctx, []*derived{d})
	}
}

// close closes connectors that nobody uses. What goes wrong is nobody's call: it is logged.
func (dc *derivedCache) close(ctx context.Context, unused []*derived) {
	if err := closeAll(context.WithoutCancel(ctx), unused); err != nil && dc.env.Log != nil {
		dc.env.Log.Warn("a connector with settings of a call was not closed", "error", err.Error())
	}
}

// Close closes every connector opened by per-call settings. One that is in use is closed when it is given back.
func (in Instances[C]) Close(ctx context.Context) error {
	dc := in.cache
	if dc == nil {
		return nil
	}
	dc.mu.Lock()
	dc.closed = true
	var unused []*derived
	for _, d := range dc.entries {
		if dc.take(d); d.users == 0 {
			unused = append(unused, d)
		}
	}
	dc.entries = nil
	dc.mu.Unlock()
	return closeAll(ctx, unused)
}

func closeAll(ctx context.Context, unused []*derived) error {
	var first error
	for _, d := range unused {
		if cl, ok := d.conn.(Closer); ok {
			if err := cl.Close(ctx); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}
