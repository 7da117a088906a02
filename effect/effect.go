// Package effect is the one source of time, identifiers and randomness.
//
// A run takes all three from a [Source], so that a recorded run can be played
// again with the same answers. No other package of this module reads the clock,
// sleeps or asks for random bytes; a test checks that.
package effect

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"time"
)

// Source gives time, ids and randomness. Implementations are safe for concurrent use.
type Source interface {
	// Now returns the current time.
	Now() time.Time
	// NewID returns a fresh identifier: 128 random bits as 26 characters A-Z and 2-7.
	NewID() string
	// Random fills p with random bytes fit for keys.
	Random(p []byte)
	// Sleep waits for d or until ctx ends, and then returns the cause of ctx.
	Sleep(ctx context.Context, d time.Duration) error
}

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// System is the real source: the clock of the machine and crypto/rand.
type System struct{}

// Now returns time.Now.
func (System) Now() time.Time { return time.Now() }

// Random reads crypto/rand, which does not fail on supported systems.
func (System) Random(p []byte) { _, _ = rand.Read(p) }

// NewID returns 128 random bits.
func (s System) NewID() string {
	var b [16]byte
	s.Random(b[:])
	return encoding.EncodeToString(b[:])
}

// Sleep waits on a timer.
func (System) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var _ Source = System{}
