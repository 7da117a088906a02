package llm

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// gates keep what is known of the accounts at providers, so that all who use one account share it: how long it wants to
// be left alone, and whether it answers at all.
type gates struct {
	clock effect.Source
	mu    sync.Mutex
	byKey map[client]*gate
}

// client is where a call goes to and whose it is. The key itself is not kept.
type client struct {
	provider, base string
	key            [sha256.Size]byte
}

// gate is one account.
type gate struct {
	mu     sync.Mutex
	until  time.Time // nobody asks before
	failed int       // attempts in a row that did not reach a healthy provider
	shut   time.Time // nobody asks before, but one who tries; zero while the provider is well
	trying bool
}

const (
	maxGates    = 1000
	maxFailures = 10               // in a row shut the gate
	shutTime    = 10 * time.Second // until somebody tries again
)

func newGates(clock effect.Source) *gates { return &gates{clock: clock, byKey: map[client]*gate{}} }

// of returns the gate of a call.
func (g *gates) of(call *Call, provider string) *gate {
	key := client{provider: provider, base: call.Target.BaseURL, key: call.Credential.print()}
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.byKey[key]; known != nil {
		return known
	}
	if len(g.byKey) >= maxGates {
		clear(g.byKey) // what is known of them is a matter of seconds
	}
	fresh := &gate{}
	g.byKey[key] = fresh
	return fresh
}

// print tells accounts apart, whatever their credentials are made of.
func (c Credential) print() [sha256.Size]byte {
	h := sha256.New()
	for _, field := range []string{FieldKey, FieldAccessKey, FieldAccount} {
		_, _ = h.Write([]byte(c.fields[field].Reveal() + "\x00")) // a hash takes everything
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// enter waits until the account may be asked. It is refused while the provider is not well.
func (g *gate) enter(ctx context.Context, clock effect.Source) error {
	for {
		now := clock.Now()
		g.mu.Lock()
		wait := g.until.Sub(now)
		switch {
		case g.failed >= maxFailures && (now.Before(g.shut) || g.trying):
			g.mu.Unlock()
			return &fault.Error{
				Kind: fault.Unavailable, Code: CodeDown, Err: fault.Newf(fault.Unavailable, "the provider failed %d times in a row and is left alone for a while", maxFailures),
				Hint: "name a fallback model, or try again in some seconds",
			}
		case wait <= 0:
			g.trying = g.failed >= maxFailures
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		// Those who wait together do not come back at the same moment.
		if err := pause(ctx, clock, min(wait, maxAsked)+chance(clock, time.Second), errAsked); err != nil {
			return err
		}
	}
}

var errAsked = fault.Newf(fault.RateLimited, "another call was told so")

// leave notes how an attempt ended.
func (g *gate) leave(clock effect.Source, err error) {
	now := clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trying = false
	if asked, ok := RetryAfter(err); ok && now.Add(asked).After(g.until) {
		g.until = now.Add(asked)
	}
	switch fault.KindOf(err) {
	case fault.Unavailable:
		if g.failed++; g.failed >= maxFailures {
			g.shut = now.Add(shutTime)
		}
	case fault.Canceled, fault.RateLimited: // say nothing about its health
	default: // also a refusal: it answered
		g.failed, g.shut = 0, time.Time{}
	}
}
