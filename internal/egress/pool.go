package egress

import (
	"net/http"
	"sync"
)

// maxPools is how many teams keep connections open. One more takes the place of the team that has asked for nothing
// the longest.
const maxPools = 64

// pools keeps the connections of teams apart: one team never gets a connection that was opened under the rules of
// another, or that another has authenticated. It is safe for concurrent use.
type pools struct {
	make func(team string, kind kind) *http.Transport

	mu    sync.Mutex
	teams map[string]*pool
	clock uint64
}

// pool is the connections of one team.
type pool struct {
	ways  [kinds]*http.Transport
	users int    // requests that are under way
	last  uint64 // when the last one came
}

// kind tells apart connections that may not be mixed.
type kind uint8

// The kinds are these two bits.
const (
	toConfigured kind = 1 << iota // to an address that the operator wrote down
	toUpgrade                     // of HTTP/1.1, to become something else
	kinds
)

// take returns the transport of a team for one request. release is called once, when the answer has ended.
func (p *pools) take(team string, k kind) (t *http.Transport, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.teams[team]
	if one == nil {
		if p.teams == nil {
			p.teams = map[string]*pool{}
		}
		one = &pool{}
		p.teams[team] = one
	}
	one.users++
	p.clock++
	one.last = p.clock
	if one.ways[k] == nil {
		one.ways[k] = p.make(team, k)
	}
	p.shrink()
	return one.ways[k], func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		one.users--
		p.shrink()
	}
}

// shrink closes the pools that are too many and that nobody uses. The caller holds the lock.
func (p *pools) shrink() {
	for len(p.teams) > maxPools {
		name, oldest := "", (*pool)(nil)
		for team, one := range p.teams {
			if one.users == 0 && (oldest == nil || one.last < oldest.last) {
				name, oldest = team, one
			}
		}
		if oldest == nil {
			return // all are busy; whoever is done first goes
		}
		delete(p.teams, name)
		oldest.closeIdle()
	}
}

// closeIdle gives back the connections that nobody uses.
func (p *pools) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.teams {
		one.closeIdle()
	}
}

func (p *pool) closeIdle() {
	for _, t := range p.ways {
		if t != nil {
			t.CloseIdleConnections()
		}
	}
}
