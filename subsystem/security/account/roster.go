package account

import (
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Roster is teams, members and settings as one object describes them:
//
//	{"<team>": {"users": {"<id>": {"settings": {}}}, "agents": {"<id>": {"settings": {}}}, "settings": {}}}
//
// Somebody who stands in two teams belongs to the first. A Roster does not change and is safe for concurrent use.
type Roster struct {
	teams   map[string]value.Value // settings
	members map[member]listed
}

type listed struct {
	team     string
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
		for group, role := range map[string]access.Role{"users": access.RoleUser, "agents": access.RoleAgent} {
			if err := r.list(m.Key, group, role, m.Value); err != nil {
				return nil, err
			}
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
		key := member{role, m.Key}
		if _, known := r.members[key]; !known {
			r.members[key] = listed{team, settings}
		}
	}
	return nil
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
