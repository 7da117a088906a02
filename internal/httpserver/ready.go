package httpserver

import (
	"context"
	"sync"
	"time"

	"github.com/sre-go/sre/effect"
)

// readyAge is how long a look at the parts of the runtime counts.
const readyAge = time.Second

// readiness is how the parts of the runtime are, looked at once a second at most: anybody may ask, and nobody can make
// the runtime busy with it.
type readiness struct {
	mu    sync.Mutex
	ended time.Time // when the last look ended; zero for never
	parts map[string]error
	look  chan struct{} // closed when the look that is under way ends; nil when there is none
}

// get returns the parts of a look that is at most a second old. Whoever finds none takes one, the others wait for it. It
// goes on when its caller goes away, for the sake of those who wait.
func (r *readiness) get(ctx context.Context, clock effect.Source, within time.Duration, check func(context.Context) map[string]error) (map[string]error, error) {
	for {
		r.mu.Lock()
		if age := clock.Now().Sub(r.ended); !r.ended.IsZero() && age >= 0 && age < readyAge {
			defer r.mu.Unlock()
			return r.parts, nil
		}
		look := r.look
		if look == nil {
			r.look = make(chan struct{})
			r.mu.Unlock()
			return r.take(ctx, clock, within, check), nil
		}
		r.mu.Unlock()
		select {
		case <-look:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (r *readiness) take(ctx context.Context, clock effect.Source, within time.Duration, check func(context.Context) map[string]error) (parts map[string]error) {
	done := false
	defer func() { // also after a panic of a check
		r.mu.Lock()
		defer r.mu.Unlock()
		if done {
			r.parts, r.ended = parts, clock.Now()
		}
		close(r.look)
		r.look = nil
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	parts = check(ctx)
	done = true
	return parts
}
