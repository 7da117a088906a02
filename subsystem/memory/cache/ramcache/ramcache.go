// Package ramcache keeps cache entries in the memory of the process.
//
// It holds no more than its budget. When room is needed, who holds most loses first what it used longest ago, so that
// one busy tenant pushes out its own entries and not those of others. Entries whose time has passed are gone at once for
// every caller; their memory is freed when they are met, when room is needed, and once a minute.
package ramcache

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
)

// LimitBytes is the name of the limit on all entries of one connector.
const LimitBytes = "ram_cache_bytes"

type settings struct {
	MaxBytes int `json:"maxBytes" doc:"Bytes that all entries together may take." sre:"default=268435456,min=1"`
}

// Definition returns the connector "RAM".
func Definition() connector.Definition {
	return connector.Define(cache.Kind, "RAM", "Keeps entries in memory until the runtime closes.",
		func(_ context.Context, env connector.Env, s settings) (cache.Connector, error) {
			return &store{clock: env.Effects, budget: s.MaxBytes, entries: make(map[string]*entry), tenants: newTenants()}, nil
		})
}

// sweepEvery is how often the memory of expired entries is freed.
const sweepEvery = time.Minute

// store implements [cache.Connector].
type store struct {
	clock  effect.Source
	budget int

	mu      sync.Mutex
	entries map[string]*entry
	tenants *tenants
	used    int // bytes of entries
	made    uint64
	swept   time.Time // when expired entries were last looked for

	stop       context.CancelFunc // of the background work; nil before Start
	background sync.WaitGroup
}

// entry is one entry. It is changed under the lock of the store only.
type entry struct {
	cache.Record
	key        string
	generation string
	size       int
	tenant     *tenant
	newer      *entry // in the order of use within the tenant
	older      *entry
}

// find returns the entry of a key, nil when there is none. The caller holds the lock.
func (s *store) find(key string) *entry {
	e := s.entries[key]
	if e == nil || e.Expires.IsZero() || s.clock.Now().Before(e.Expires) {
		return e
	}
	s.drop(e)
	return nil
}

// current returns the entry if it has that generation. The caller holds the lock.
func (s *store) current(key, generation string) (*entry, error) {
	e := s.find(key)
	if e == nil || e.generation != generation {
		return nil, cache.Changed()
	}
	return e, nil
}

// drop forgets an entry. The caller holds the lock.
func (s *store) drop(e *entry) {
	delete(s.entries, e.key)
	s.used -= e.size
	s.tenants.remove(e)
}

// resize gives an entry what it holds from now on, as the one used last, and makes room. The caller holds the lock and has checked that the
// size is within the budget.
func (s *store) resize(e *entry, r cache.Record, size int) {
	s.tenants.use(e)
	s.used += size - e.size
	s.tenants.grow(e, size-e.size)
	e.Record, e.size = r, size
	if s.used > s.budget && s.clock.Now().Sub(s.swept) >= time.Second {
		s.sweep()
	}
	for s.used > s.budget {
		s.drop(s.tenants.victim(e))
	}
}

// sweep drops what has expired. The caller holds the lock.
func (s *store) sweep() {
	now := s.clock.Now()
	s.swept = now
	for _, e := range s.entries {
		if !e.Expires.IsZero() && !now.Before(e.Expires) {
			s.drop(e)
		}
	}
}

func (s *store) fits(size int) error {
	if size > s.budget {
		return fault.Limitf(LimitBytes, "an entry of %d bytes is over the limit of %d for all entries", size, s.budget)
	}
	return nil
}

// Rule implements [cache.Connector].
func (s *store) Rule(_ context.Context, key string) (cache.Ruling, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key)
	if e == nil {
		return cache.Ruling{}, cache.Missing()
	}
	return cache.Ruling{ACL: e.ACL, Generation: e.generation}, nil
}

// Get implements [cache.Connector].
func (s *store) Get(_ context.Context, g access.Grant[access.Read], generation string) (cache.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.current(g.Resource(), generation)
	if err != nil {
		return cache.Entry{}, err
	}
	s.tenants.use(e)
	return e.Entry, nil
}

// Set implements [cache.Connector].
func (s *store) Set(_ context.Context, g access.Grant[access.Write], generation string, r cache.Record) error {
	key := g.Resource()
	r.Value, r.Metadata = r.Value.Detach(), r.Metadata.Detach()
	size := sizeOf(key, r)
	if err := s.fits(size); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if generation != "" {
		e, err := s.current(key, generation)
		if err != nil {
			return err
		}
		s.resize(e, r, size)
		return nil
	}
	if s.find(key) != nil {
		return cache.Changed()
	}
	e := &entry{key: strings.Clone(key), generation: s.nextGeneration()}
	s.entries[e.key] = e
	s.tenants.add(e, g.Candidate())
	s.resize(e, r, size)
	return nil
}

// nextGeneration returns a generation that was never used. The caller holds the lock.
func (s *store) nextGeneration() string {
	s.made++
	return strconv.FormatUint(s.made, 10)
}

// Amend implements [cache.Connector].
func (s *store) Amend(_ context.Context, g access.Grant[access.Write], generation string, c cache.Change) error {
	c.Metadata = c.Metadata.Detach()
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.current(g.Resource(), generation)
	if err != nil {
		return err
	}
	r := e.Record
	if r.Entry, err = e.Entry.Changed(c); err != nil {
		return err
	}
	size := sizeOf(e.key, r)
	if err := s.fits(size); err != nil {
		return err
	}
	s.resize(e, r, size)
	return nil
}

// Delete implements [cache.Connector].
func (s *store) Delete(_ context.Context, g access.Grant[access.Write], generation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.current(g.Resource(), generation)
	if err != nil {
		return err
	}
	s.drop(e)
	return nil
}

// SetACL implements [cache.Connector].
func (s *store) SetACL(_ context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.current(g.Resource(), generation)
	if err != nil {
		return err
	}
	r := e.Record
	r.ACL = acl
	size := sizeOf(e.key, r)
	if err := s.fits(size); err != nil {
		return err
	}
	e.generation = s.nextGeneration()
	s.resize(e, r, size)
	return nil
}

// Start begins to free the memory of expired entries, until Close.
func (s *store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		for s.clock.Sleep(ctx, sweepEvery) == nil {
			s.mu.Lock()
			s.sweep()
			s.mu.Unlock()
		}
	})
	return nil
}

// Close ends the background work and forgets everything.
func (s *store) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
	s.used, s.tenants = 0, newTenants()
	return nil
}

var (
	_ cache.Connector   = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
