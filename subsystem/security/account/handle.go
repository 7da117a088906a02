package account

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is the account service as one candidate sees it. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Team returns the id of the candidate's team. A candidate that the accounts do not know is [fault.NotFound].
func (h *Handle) Team(ctx context.Context) (string, error) {
	team, err := h.service.TeamOf(ctx, h.candidate)
	if err != nil {
		return "", h.wrap("account.team", h.candidate.String(), err)
	}
	return team, nil
}

// IsMember reports whether the candidate counts as a member of the team. A team that does not exist has no members.
func (h *Handle) IsMember(ctx context.Context, team string) (bool, error) {
	const op = "account.member"
	if !h.service.ready() {
		return false, h.wrap(op, team, errNone())
	}
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic || access.ValidID(team) != nil {
		return false, nil
	}
	member, err := h.service.conn.IsMember(ctx, team, h.candidate)
	if err != nil {
		return false, h.wrap(op, team, err)
	}
	return member, nil
}

// Settings returns the candidate's own settings as an object, empty when there are none.
func (h *Handle) Settings(ctx context.Context) (value.Value, error) {
	return h.SettingsOf(ctx, h.candidate)
}

// TeamSettings returns the settings of the candidate's team as an object, empty when there are none.
func (h *Handle) TeamSettings(ctx context.Context) (value.Value, error) {
	id, err := h.Team(ctx)
	if err != nil {
		return value.Value{}, err
	}
	team, err := access.Team(id)
	if err != nil {
		return value.Value{}, h.wrap("account.settings", id, err)
	}
	return h.SettingsOf(ctx, team)
}

// SettingsOf returns the settings of a principal as an object, empty when there are none. Users and agents have their
// settings for themselves; those of a team are for the team and its members. Whether the principal exists makes no
// difference to others.
func (h *Handle) SettingsOf(ctx context.Context, owner access.Candidate) (value.Value, error) {
	const op = "account.settings"
	resource := owner.String()
	if !h.service.ready() {
		return value.Value{}, h.wrap(op, resource, errNone())
	}
	var acl *access.ACL
	switch owner.Role() {
	case access.RoleUser, access.RoleAgent, access.RoleTeam:
		acl = access.NewACL().With(owner, access.RightRead)
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return value.Value{}, err
	}
	settings, err := h.service.conn.Settings(ctx, g)
	switch {
	case err != nil:
		return value.Value{}, h.wrap(op, resource, err)
	case settings.IsNil():
		return value.Obj(), nil
	case !settings.IsObject():
		return value.Value{}, h.wrap(op, resource, fault.Newf(fault.Internal, "settings are a %s, not an object", settings.Kind()))
	}
	return settings, nil
}

// Setting returns one of the candidate's own settings, absent when there is none of that name.
func (h *Handle) Setting(ctx context.Context, key string) (value.Value, error) {
	settings, err := h.Settings(ctx)
	return settings.Get(key), err
}

// TeamSetting returns one setting of the candidate's team, absent when there is none of that name.
func (h *Handle) TeamSetting(ctx context.Context, key string) (value.Value, error) {
	settings, err := h.TeamSettings(ctx)
	return settings.Get(key), err
}

func (h *Handle) wrap(op, resource string, err error) error {
	e := &fault.Error{Op: op, Resource: resource, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
