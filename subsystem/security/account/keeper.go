package account

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/value"
)

// Ranker is implemented by connectors that know what users may do in their team. Where it is not, every user is a
// [RankMember].
type Ranker interface {
	// RankOf returns the team and the rank of a user. One it does not know is [fault.NotFound].
	RankOf(ctx context.Context, user access.Candidate) (team string, rank Rank, err error)
}

// Keeper is implemented by connectors whose teams can be changed. Grants name the team, as "team:id". A change is kept
// when it returns nil, and is made as a whole or not at all. Its methods are safe for concurrent use.
type Keeper interface {
	// Teams returns the ids of all teams, in order.
	Teams(ctx context.Context) ([]string, error)
	// Members returns the users and then the agents of the team, in the order of their ids. A team that is not there is
	// [fault.NotFound].
	Members(ctx context.Context, g access.Grant[access.Read]) ([]Member, error)
	// PutTeam makes the team, or gives it other settings; absent ones stay as they are.
	PutTeam(ctx context.Context, g access.Grant[access.Write], settings value.Value) error
	// PutMembers makes or changes members. Somebody who belongs to another team is [fault.Conflict], a team that is not
	// there [fault.NotFound]. A user of a rank above limit is neither made nor changed: that is [fault.Denied].
	PutMembers(ctx context.Context, g access.Grant[access.Write], members []Member, limit Rank) error
	// RemoveMember takes a member and the tokens of a user away, under the rules of PutMembers. Somebody who is not in
	// the team is [fault.NotFound].
	RemoveMember(ctx context.Context, g access.Grant[access.Write], who access.Candidate, limit Rank) error
	// RemoveTeam takes the team and its tokens away. Members are taken away with it when that is asked for, else a team
	// with members is [fault.Conflict].
	RemoveTeam(ctx context.Context, g access.Grant[access.Owner], withMembers bool) error
}

// Member is a user or an agent of a team.
type Member struct {
	Who      access.Candidate
	Rank     Rank        // of a user; when a member is put, RankNone keeps what there is, and makes new ones RankMember
	Settings value.Value // an object; when a member is put, an absent one keeps what there is
}
