package nkv

import (
	"sync"
	"sync/atomic"

	"github.com/sre-go/sre/access"
)

// maxTeams bounds the teams that are remembered.
const maxTeams = 10_000

// teams remembers the rights to what belongs to a team: they follow from its id alone, and making them takes two digests.
// It is safe for concurrent use.
type teams struct {
	byID sync.Map // id -> *access.ACL
	n    atomic.Int64
}

// owned returns the rights to what belongs to a team.
func (t *teams) owned(id string) (*access.ACL, error) {
	if known, ok := t.byID.Load(id); ok {
		return known.(*access.ACL), nil
	}
	c, err := access.Team(id)
	if err != nil {
		return nil, err
	}
	acl := access.OwnedBy(c)
	if t.n.Add(1) <= maxTeams {
		t.byID.Store(id, acl)
	}
	return acl, nil
}
