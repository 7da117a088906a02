package managedvault

import (
	"context"
	"errors"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/secret"
)

// Renew reads an entry of the candidate's team, asks f for the one to keep, and stores it when it is another one. f gets
// an empty entry when there is none. Of several callers who renew an entry at the same time one does it, in its own
// goroutine, and all get what it got; a caller whose context ends stops waiting, and when the one who asks went away
// another one asks again. Who may not write the entry may not renew it.
//
// An entry that f gave and that could not be stored comes back together with the error: a service may have taken the old
// token back already.
func (h *Handle) Renew(ctx context.Context, key string, f func(ctx context.Context, entry secret.Value) (secret.Value, error)) (secret.Value, error) {
	g, err := authorize[access.Write](ctx, h, "managedvault.renew", key)
	if err != nil {
		return secret.Value{}, err
	}
	return h.service.flights.do(ctx, g.Resource(), func() (secret.Value, error) {
		entry, err := h.find(ctx, key)
		if err != nil {
			return secret.Value{}, err
		}
		next, err := f(ctx, entry)
		if err != nil || next.Reveal() == entry.Reveal() {
			return next, err
		}
		return next, h.Set(context.WithoutCancel(ctx), key, next) // what a service has given out is kept, whoever goes away
	})
}

// find is Get, with an empty entry for none.
func (h *Handle) find(ctx context.Context, key string) (secret.Value, error) {
	there, err := h.Exists(ctx, key)
	if err != nil || !there {
		return secret.Value{}, err
	}
	return h.Get(ctx, key)
}

// flights are the renewals that are under way, by resource. They are safe for concurrent use.
type flights struct {
	mu    sync.Mutex
	under map[string]*flight
}

type flight struct {
	done  chan struct{}
	entry secret.Value
	err   error
}

// errGone is what a renewal ends with whose caller went away.
var errGone = errors.New("the caller went away")

func (fs *flights) do(ctx context.Context, resource string, f func() (secret.Value, error)) (secret.Value, error) {
	for {
		fs.mu.Lock()
		fl, busy := fs.under[resource]
		if !busy {
			fl = &flight{done: make(chan struct{}), err: errGone}
			if fs.under == nil {
				fs.under = make(map[string]*flight)
			}
			fs.under[resource] = fl
			fs.mu.Unlock()
			return fs.lead(ctx, resource, fl, f)
		}
		fs.mu.Unlock()
		select {
		case <-fl.done:
		case <-ctx.Done():
			return secret.Value{}, context.Cause(ctx)
		}
		if !errors.Is(fl.err, errGone) {
			return fl.entry, fl.err
		}
	}
}

// lead does what others wait for. They are let go whatever happens.
func (fs *flights) lead(ctx context.Context, resource string, fl *flight, f func() (secret.Value, error)) (secret.Value, error) {
	defer func() {
		fs.mu.Lock()
		delete(fs.under, resource)
		fs.mu.Unlock()
		close(fl.done)
	}()
	entry, err := f()
	if err == nil || ctx.Err() == nil {
		fl.entry, fl.err = entry, err
	}
	return entry, err
}
