// Package accesstest is the world of candidates in which suites check services: a directory of teams that change, and an
// audit that can be asked what it was told.
package accesstest

import (
	"context"
	"maps"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Teams is a directory. It is safe for concurrent use.
type Teams struct {
	mu sync.Mutex
	of map[string]string
}

// NewTeams returns a directory with the teams of users and agents by their ids.
func NewTeams(of map[string]string) *Teams { return &Teams{of: maps.Clone(of)} }

// TwoTeams is the directory of most suites: the agents a1 and a2 and the user u1 of the team ta, the agent b1 of tb.
func TwoTeams() *Teams {
	return NewTeams(map[string]string{"a1": "ta", "a2": "ta", "u1": "ta", "b1": "tb"})
}

// TeamOf implements [access.Directory]. Who is in no team is [fault.NotFound].
func (d *Teams) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleTeam {
		return c.ID(), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if team, ok := d.of[c.ID()]; ok {
		return team, nil
	}
	return "", fault.Newf(fault.NotFound, "%s belongs to no team", c)
}

// Move puts somebody into a team, from now on.
func (d *Teams) Move(id, team string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of[id] = team
}

// Denials is an audit: it collects what it is told. It is safe for concurrent use, and ready as it is.
type Denials struct {
	mu   sync.Mutex
	list []access.Decision
}

// Add takes one decision; it is for [access.Guard] and for the bus.
func (d *Denials) Add(_ context.Context, one access.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, one)
}

// Take returns what was collected since the last call.
func (d *Denials) Take() []access.Decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.list
	d.list = nil
	return list
}
