package account

import (
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Roster is teams, members and settings as one object describes them:
//
//	{"<team>": {"users": {"<id>": {"role": "member", "settings": {}}}, "agents": {"<id>": {"settings": {}}}, "settings": {}}}
//
// Somebody who stands in two teams belongs to the first. A user without a role is a member. A Roster does not change and
// is safe for concurrent use.
type Roster struct {
	teams   map[string]value.Value // settings
	order   []string               // of the teams
	members map[member]listed
	people  []member // in the order of the file
}

type listed struct {
	team     string
	rank     Rank
	settings value.Value
}

// ParseRoster reads that form. An id that cannot name a principal is refused, as is any other shape: a roster that is
// only half understood would misplace people. Members with other names are ignored.
func ParseRoster(v value.Value) (*Roster, error) {
	r := &Roster{teams: make(map[string]value.Value), members: make(map[member]listed)}
	if !v.IsObject() {
		return nil, fault.Newf(fault.Invalid, "accounts are a %s, not an object of teams", v.Kind())
	}
	for _, m := range v.Members() {
		if err := access.ValidID(m.Key); err != nil {
			return nil, fault.Newf(fault.Invalid, "accounts: team %q: %w", m.Key, err)
		}
		settings, err := objectOf(m.Value, "settings", m.Key)
		if err != nil {
			return nil, err
		}
		r.teams[m.Key] = settings
		r.order = append(r.order, m.Key)
		if err := r.list(m.Key, "users", access.RoleUser, m.Value); err != nil {
			return nil, err
		}
		if err := r.list(m.Key, "agents", access.RoleAgent, m.Value); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Roster) list(team, group string, role access.Role, v value.Value) error {
	people, err := objectOf(v, group, team)
	if err != nil {
		return err
	}
	for _, m := range people.Members() {
		if err := access.ValidID(m.Key); err != nil {
			return fault.Newf(fault.Invalid, "accounts: %s of team %s: %q: %w", group, team, m.Key, err)
		}
		settings, err := objectOf(m.Value, "settings", team+"/"+group+"/"+m.Key)
		if err != nil {
			return err
		}
		rank := RankNone
		if role == access.RoleUser {
			rank, err = rankOf(m.Value.Get("role"))
			if err != nil {
				return fault.Newf(fault.Invalid, "accounts: %s of team %s: %s: %w", group, team, m.Key, err)
			}
		}
		key := member{role, m.Key}
		if _, known := r.members[key]; !known {
			r.members[key] = listed{team, rank, settings}
			r.people = append(r.people, key)
		}
	}
	return nil
}

func rankOf(v value.Value) (Rank, error) {
	if v.IsNil() {
		return RankMember, nil
	}
	name, ok := v.Str()
	if !ok {
		return RankNone, fault.Newf(fault.Invalid, "the role is a %s, not a text", v.Kind())
	}
	return ParseRank(name)
}

// objectOf returns a member that must be an object when it is there.
func objectOf(v value.Value, name, where string) (value.Value, error) {
	if !v.IsObject() {
		return value.Value{}, fault.Newf(fault.Invalid, "accounts: %s is a %s, not an object", where, v.Kind())
	}
	in := v.Get(name)
	if !in.IsNil() && !in.IsObject() {
		return value.Value{}, fault.Newf(fault.Invalid, "accounts: %s of %s is a %s, not an object", name, where, in.Kind())
	}
	return in, nil
}

// TeamOf returns the team that lists a user or an agent, and of a listed team its own id.
func (r *Roster) TeamOf(c access.Candidate) (team string, ok bool) {
	if c.Role() == access.RoleTeam {
		return c.ID(), r.HasTeam(c.ID())
	}
	l, ok := r.members[member{c.Role(), c.ID()}]
	return l.team, ok
}

// Rank returns the rank of a user, RankNone for everybody else.
func (r *Roster) Rank(c access.Candidate) Rank { return r.members[member{c.Role(), c.ID()}].rank }

// Teams returns the ids of the teams, in the order of the roster.
func (r *Roster) Teams() []string { return slices.Clone(r.order) }

// Members returns who belongs to a team, in the order of the roster.
func (r *Roster) Members(team string) []Member {
	var list []Member
	for _, key := range r.people {
		l := r.members[key]
		if l.team != team {
			continue
		}
		who, err := access.Parse(key.role.String() + ":" + key.id)
		if err == nil { // it was checked when it was read
			list = append(list, Member{Who: who, Rank: l.rank, Settings: l.settings})
		}
	}
	return list
}

// HasTeam reports whether the team is listed.
func (r *Roster) HasTeam(id string) bool {
	_, ok := r.teams[id]
	return ok
}

// Settings returns the settings of a user, an agent or a team, absent when there are none.
func (r *Roster) Settings(c access.Candidate) value.Value {
	if c.Role() == access.RoleTeam {
		return r.teams[c.ID()]
	}
	return r.members[member{c.Role(), c.ID()}].settings
}
