package account

import (
	"context"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// connectorDirectory asks a connector each time and checks what it answers.
type connectorDirectory struct{ conn Connector }

func (d connectorDirectory) TeamOf(ctx context.Context, c access.Candidate) (string, error) {
	team, err := d.conn.TeamOf(ctx, c)
	if err != nil {
		return "", err
	}
	if err := access.ValidID(team); err != nil {
		return "", fault.Newf(fault.Internal, "the account of %s names no valid team: %w", c, err)
	}
	return team, nil
}

// The age that a remembered membership may reach, and how many are remembered.
const (
	maxAge     = time.Second
	maxEntries = 10_000
)

// cachedDirectory remembers memberships for a second. Refusals and errors are not remembered: who was just let in
// need not wait.
type cachedDirectory struct {
	clock effect.Source
	next  access.Directory

	mu      sync.RWMutex
	entries map[member]membership
}

type member struct {
	role access.Role
	id   string
}

type membership struct {
	team  string
	asked time.Time // before the connector was asked
}

func newCachedDirectory(clock effect.Source, next access.Directory) *cachedDirectory {
	return &cachedDirectory{clock: clock, next: next, entries: make(map[member]membership)}
}

func (d *cachedDirectory) TeamOf(ctx context.Context, c access.Candidate) (string, error) {
	now := d.clock.Now()
	key := member{c.Role(), c.ID()}
	d.mu.RLock()
	known, ok := d.entries[key]
	d.mu.RUnlock()
	if ok && known.freshAt(now) {
		return known.team, nil
	}
	team, err := d.next.TeamOf(ctx, c)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.entries, key)
		return "", err
	}
	if len(d.entries) >= maxEntries {
		d.dropOld(now)
	}
	if later := d.entries[key]; !later.asked.After(now) { // an answer to a later question stands
		d.entries[key] = membership{team, now}
	}
	return team, nil
}

// dropOld forgets what is too old to be used, and everything when that is not enough.
func (d *cachedDirectory) dropOld(now time.Time) {
	for key, m := range d.entries {
		if !m.freshAt(now) {
			delete(d.entries, key)
		}
	}
	if len(d.entries) >= maxEntries {
		clear(d.entries)
	}
}

// freshAt is false for a clock that was set back, too.
func (m membership) freshAt(now time.Time) bool {
	age := now.Sub(m.asked)
	return age >= 0 && age < maxAge
}
