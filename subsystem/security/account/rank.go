package account

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
)

// Rank is what a user may do in a team, from little to much. Teams and agents have none.
type Rank uint8

// The ranks.
const (
	RankNone   Rank = iota
	RankViewer      // sees who is in the team
	RankMember      // calls its agents
	RankAdmin       // changes the team and its members, but no owner
	RankOwner       // changes everything, and may remove the team
)

func rankNames() []string { return []string{"", "viewer", "member", "admin", "owner"} }

// String returns the name of the rank, "" for none.
func (r Rank) String() string {
	if names := rankNames(); int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// ParseRank reads the name of a rank.
func ParseRank(text string) (Rank, error) {
	for i, name := range rankNames() {
		if i > 0 && name == text {
			return Rank(i), nil
		}
	}
	return RankNone, fault.New(fault.Invalid, schema.UnknownName("role", text, rankNames()[1:]))
}

// scopes are what a token of a user of that rank may be good for.
func (r Rank) scopes() Scopes {
	switch r {
	case RankAdmin, RankOwner:
		return ScopeRun | ScopeDebug | ScopeAdmin
	case RankMember:
		return ScopeRun | ScopeDebug
	}
	return 0
}
