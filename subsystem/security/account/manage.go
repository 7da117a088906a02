package account

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// maxSettings bounds the settings of a principal, in bytes of JSON.
const maxSettings = 64 << 10

// Members returns the users and then the agents of the candidate's team. Only the team itself and its users see them.
func (h *Handle) Members(ctx context.Context) ([]Member, error) {
	const op = "account.members"
	k, p, err := h.keeper(ctx, op)
	if err != nil {
		return nil, err
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, p.resource(), p.acl)
	if err != nil {
		return nil, err
	}
	members, err := k.Members(ctx, g)
	if err != nil {
		return nil, h.wrap(op, p.resource(), err)
	}
	return members, nil
}

// PutTeam makes the candidate's team, or gives it other settings; absent ones stay as they are. Only the team itself can
// make itself; its owners and admins can change it.
func (h *Handle) PutTeam(ctx context.Context, settings value.Value) error {
	if err := checkSettings(settings); err != nil {
		return h.wrap("account.change", h.candidate.String(), err)
	}
	return h.change(ctx, "account.change", func(k Keeper, g access.Grant[access.Write], _ Rank) error { return k.PutTeam(ctx, g, settings) })
}

// PutMembers makes or changes users and agents of the candidate's team: all of them or none. The team itself, its owners
// and admins may; admins neither make nor change owners. Somebody who belongs to another team is [fault.Conflict].
func (h *Handle) PutMembers(ctx context.Context, members ...Member) error {
	const op = "account.change"
	for _, m := range members {
		err := checkSettings(m.Settings)
		switch role := m.Who.Role(); {
		case err != nil:
		case role != access.RoleUser && role != access.RoleAgent:
			err = fault.Newf(fault.Invalid, "%s cannot be a member of a team", m.Who)
		case role == access.RoleAgent && m.Rank != RankNone, m.Rank > RankOwner:
			err = fault.Newf(fault.Invalid, "%s cannot have that role", m.Who)
		}
		if err != nil {
			return h.wrap(op, m.Who.String(), err)
		}
	}
	return h.change(ctx, op, func(k Keeper, g access.Grant[access.Write], limit Rank) error {
		return k.PutMembers(ctx, g, members, limit)
	})
}

// PutSettings gives a user other settings of its own, whatever its role.
func (h *Handle) PutSettings(ctx context.Context, settings value.Value) error {
	const op = "account.settings"
	err := checkSettings(settings)
	if err == nil && settings.IsNil() {
		err = fault.Newf(fault.Invalid, "there are no settings")
	}
	if err != nil {
		return h.wrap(op, h.candidate.String(), err)
	}
	k, p, err := h.keeper(ctx, op)
	if err != nil {
		return err
	}
	var acl *access.ACL
	if h.candidate.Role() == access.RoleUser {
		acl = access.OwnedBy(h.candidate)
	}
	g, err := access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, p.resource(), acl)
	if err != nil {
		return err
	}
	return h.apply(ctx, op, "write", p, func() error {
		return k.PutMembers(ctx, g, []Member{{Who: h.candidate, Settings: settings}}, p.rank)
	})
}

// RemoveMember takes a user or an agent out of the candidate's team, with the tokens of a user. The rules are those of
// [Handle.PutMembers].
func (h *Handle) RemoveMember(ctx context.Context, who access.Candidate) error {
	return h.change(ctx, "account.change", func(k Keeper, g access.Grant[access.Write], limit Rank) error {
		return k.RemoveMember(ctx, g, who, limit)
	})
}

// RemoveTeam takes the candidate's team away, with its tokens. A team that has members is [fault.Conflict], unless they
// are to go with it. The team itself and its owners may.
func (h *Handle) RemoveTeam(ctx context.Context, withMembers bool) error {
	const op = "account.remove"
	k, p, err := h.keeper(ctx, op)
	if err != nil {
		return err
	}
	g, err := access.Authorize[access.Owner](ctx, h.service.guard, op, h.candidate, p.resource(), p.acl)
	if err != nil {
		return err
	}
	return h.apply(ctx, op, "owner", p, func() error { return k.RemoveTeam(ctx, g, withMembers) })
}

// place is the team of a candidate and what it may do there.
type place struct {
	team access.Candidate
	rank Rank // of who acts; the team itself counts as an owner
	acl  *access.ACL
}

func (p *place) resource() string { return p.team.String() }

// place finds the team that the candidate acts in. The team as a principal is what programs of the operator act as, so
// its rights are its own and not those of its members.
func (h *Handle) place(ctx context.Context, op string) (place, error) {
	if !h.service.ready() {
		return place{}, h.wrap(op, h.candidate.String(), errNone())
	}
	switch h.candidate.Role() {
	case access.RoleTeam:
		return place{team: h.candidate, rank: RankOwner, acl: access.OwnedBy(h.candidate)}, nil
	case access.RoleUser:
		st, err := h.service.directory.standing(ctx, h.candidate)
		if err != nil {
			return place{}, h.service.guard.Deny(ctx, op, h.candidate, h.candidate.String(), access.NoTeam)
		}
		team, err := access.Team(st.team)
		if err != nil {
			return place{}, h.wrap(op, st.team, err)
		}
		p := place{team: team, rank: st.rank, acl: access.NewACL()}
		switch st.rank {
		case RankOwner:
			p.acl = access.OwnedBy(h.candidate)
		case RankAdmin:
			p.acl = p.acl.With(h.candidate, access.RightRead|access.RightWrite)
		case RankMember, RankViewer:
			p.acl = p.acl.With(h.candidate, access.RightRead)
		}
		return p, nil
	}
	return place{}, h.service.guard.Deny(ctx, op, h.candidate, h.candidate.String(), access.ByDefault)
}

// keeper is place, for connectors whose teams can be changed.
func (h *Handle) keeper(ctx context.Context, op string) (Keeper, place, error) {
	p, err := h.place(ctx, op)
	if err != nil {
		return nil, place{}, err
	}
	k, ok := h.service.conn.(Keeper)
	if !ok {
		return nil, place{}, h.wrap(op, p.resource(), errFixed())
	}
	return k, p, nil
}

func errFixed() error {
	err := fault.Newf(fault.Unsupported, "these accounts cannot be listed or changed")
	return fault.Hint(err, "configure the connector SQLiteAccount for Account, for example with SRE_SERVICE_ACCOUNT=SQLiteAccount, and see sre account import")
}

// change decides, and makes a change of the team.
func (h *Handle) change(ctx context.Context, op string, do func(Keeper, access.Grant[access.Write], Rank) error) error {
	k, p, err := h.keeper(ctx, op)
	if err != nil {
		return err
	}
	g, err := access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, p.resource(), p.acl)
	if err != nil {
		return err
	}
	return h.apply(ctx, op, "write", p, func() error { return do(k, g, p.rank) })
}

// apply records a change, makes it, and forgets what it may have changed.
func (h *Handle) apply(ctx context.Context, op, level string, p place, do func() error) error {
	d := access.Decision{Candidate: h.candidate, Resource: p.resource(), Operation: op, Level: level, Allowed: true}
	if err := h.service.env.Audit(ctx, d); err != nil {
		return h.wrap(op, p.resource(), err)
	}
	err := do()
	h.service.directory.forget() // also after an error: some come when the change is made already
	if h.service.tokens != nil {
		h.service.tokens.expire()
	}
	if err != nil {
		return h.wrap(op, p.resource(), err)
	}
	return nil
}

func checkSettings(v value.Value) error {
	switch {
	case v.IsAbsent():
		return nil
	case !v.IsObject():
		return fault.Newf(fault.Invalid, "settings are a %s, not an object", v.Kind())
	}
	if n := len(v.JSON()); n > maxSettings {
		return fault.Limitf("settings_bytes", "settings have at most %d bytes, these have %d", maxSettings, n)
	}
	return nil
}
