package llm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// How often a model is asked for one answer, and the waits between: the first, twice as long each time, at most the last,
// or what the provider asks for up to maxAsked.
const (
	maxAttempts = 3
	firstWait   = 250 * time.Millisecond
	lastWait    = 8 * time.Second
	maxAsked    = 120 * time.Second
)

// again reports whether asking again may help: the provider was not reached, was not well, or wants to be left alone for
// a while. What it refused it would refuse again.
func again(err error) bool {
	switch fault.CodeOf(err) {
	case CodeRateLimited, CodeDown: // that is known already
		return false
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.RateLimited:
		return true
	case fault.Timeout:
		var p *ProviderError
		return errors.As(err, &p) // the provider's own; our patience is over when it is over
	}
	return false
}

// backoff is how long to wait before the next attempt, n of them made: what the provider asks for, or longer each time.
// Half of it is chance, so that many who failed together do not come back together.
func backoff(clock effect.Source, n int, err error) time.Duration {
	if asked, ok := RetryAfter(err); ok {
		return asked + chance(clock, time.Second)
	}
	wait := min(firstWait<<(n-1), lastWait)
	return wait/2 + chance(clock, wait/2)
}

// chance returns a duration between 0 and most.
func chance(clock effect.Source, most time.Duration) time.Duration {
	var b [2]byte
	clock.Random(b[:])
	return most * time.Duration(int(b[0])<<8|int(b[1])) / (1 << 16)
}

// RetryAfter returns how long a provider wants to be left alone, at most two minutes, and whether it said so.
func RetryAfter(err error) (time.Duration, bool) {
	var p *ProviderError
	if !errors.As(err, &p) || p.RetryAfter <= 0 {
		return 0, false
	}
	return min(p.RetryAfter, maxAsked), true
}

// tooBusy is the error of a call that cannot wait as long as the provider wants.
func tooBusy(d time.Duration, cause error) error {
	return &fault.Error{
		Op: "llm.generate", Kind: fault.RateLimited, Code: CodeRateLimited, Err: fmt.Errorf("the provider wants to be left alone for %s: %w", d.Round(time.Second), cause),
		Hint: "allow more time, name a fallback model, or use another key",
	}
}

// pause waits before another attempt. A wait that ctx does not allow is not begun: the error then says what the provider
// wants.
func pause(ctx context.Context, clock effect.Source, d time.Duration, cause error) error {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(clock.Now()) < d {
		if fault.Is(cause, fault.RateLimited) {
			return tooBusy(d, cause)
		}
		return cause
	}
	if err := clock.Sleep(ctx, d); err != nil {
		return err
	}
	return nil
}
