package oauth

import (
	"context"
	"errors"
	"sync"
)

// Keeper makes one of the things that several callers want at the same time: the first one does it, the others get what
// it got. The zero Keeper is not ready; use [NewKeeper]. It is safe for concurrent use.
type Keeper struct {
	mu      sync.Mutex
	flights map[string]*flight
}

type flight struct {
	done  chan struct{}
	token Tokens
	err   error
}

// NewKeeper returns a keeper.
func NewKeeper() *Keeper { return &Keeper{flights: make(map[string]*flight)} }

// Do calls get for the key unless another caller does so at the moment; then it waits for that. get runs in the caller's
// goroutine. A caller whose context ends stops waiting. When the one who asked went away, another one asks again.
func (k *Keeper) Do(ctx context.Context, key string, get func(context.Context) (Tokens, error)) (Tokens, error) {
	for {
		k.mu.Lock()
		f, busy := k.flights[key]
		if !busy {
			f = &flight{done: make(chan struct{}), err: errGone}
			k.flights[key] = f
			k.mu.Unlock()
			return k.lead(ctx, key, f, get)
		}
		k.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return Tokens{}, context.Cause(ctx)
		}
		if !errors.Is(f.err, errGone) {
			return f.token, f.err
		}
	}
}

// errGone is what a flight ends with whose caller went away, or did not come back from get.
var errGone = errors.New("the caller went away")

func (k *Keeper) lead(ctx context.Context, key string, f *flight, get func(context.Context) (Tokens, error)) (Tokens, error) {
	defer func() {
		k.mu.Lock()
		delete(k.flights, key)
		k.mu.Unlock()
		close(f.done)
	}()
	t, err := get(ctx)
	if err == nil || ctx.Err() == nil {
		f.token, f.err = t, err
	}
	return t, err
}
