package account

import (
	"context"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// standing is where somebody stands: in which team, and as what. Only users have a rank.
type standing struct {
	team string
	rank Rank
}

// directory tells where somebody stands. An unknown candidate is an error, and an error denies.
type directory interface {
	standing(ctx context.Context, c access.Candidate) (standing, error)
	// forget makes every question that is asked from now on reach the connector.
	forget()
}

// connectorDirectory asks a connector each time and checks what it answers.
type connectorDirectory struct{ conn Connector }

func (d connectorDirectory) standing(ctx context.Context, c access.Candidate) (standing, error) {
	st, err := d.ask(ctx, c)
	if err != nil {
		return standing{}, err
	}
	if err := access.ValidID(st.team); err != nil {
		return standing{}, fault.Newf(fault.Internal, "the account of %s names no valid team: %w", c, err)
	}
	return st, nil
}

func (d connectorDirectory) ask(ctx context.Context, c access.Candidate) (standing, error) {
	if c.Role() != access.RoleUser {
		team, err := d.conn.TeamOf(ctx, c)
		return standing{team: team}, err
	}
	if r, ok := d.conn.(Ranker); ok {
		team, rank, err := r.RankOf(ctx, c)
		return standing{team, rank}, err
	}
	team, err := d.conn.TeamOf(ctx, c)
	return standing{team, RankMember}, err
}

func (connectorDirectory) forget() {}

// The age that a remembered membership may reach, and how many are remembered.
const (
	maxAge     = time.Second
	maxEntries = 10_000
)

// cachedDirectory remembers memberships for a second. Refusals and errors are not remembered: who was just let in
// need not wait.
type cachedDirectory struct {
	clock effect.Source
	next  directory

	mu      sync.RWMutex
	changes uint64 // counts what was forgotten
	entries map[member]membership
}

type member struct {
	role access.Role
	id   string
}

type membership struct {
	standing
	asked time.Time // before the connector was asked
}

func newCachedDirectory(clock effect.Source, next directory) *cachedDirectory {
	return &cachedDirectory{clock: clock, next: next, entries: make(map[member]membership)}
}

func (d *cachedDirectory) standing(ctx context.Context, c access.Candidate) (standing, error) {
	now := d.clock.Now()
	key := member{c.Role(), c.ID()}
	d.mu.RLock()
	known, ok := d.entries[key]
	changes := d.changes
	d.mu.RUnlock()
	if ok && known.freshAt(now) {
		return known.standing, nil
	}
	st, err := d.next.standing(ctx, c)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.entries, key)
		return standing{}, err
	}
	if changes != d.changes { // the answer may be from before the change
		return st, nil
	}
	if len(d.entries) >= maxEntries {
		d.dropOld(now)
	}
	if later := d.entries[key]; !later.asked.After(now) { // an answer to a later question stands
		d.entries[key] = membership{st, now}
	}
	return st, nil
}

func (d *cachedDirectory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	clear(d.entries)
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
