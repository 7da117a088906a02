package scheduler

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// found is what the guard saw of a job.
type found struct {
	found   bool // there is one
	damaged bool // there is something, and nobody knows what
	acl     *access.ACL
}

// authorize gives a grant on one job of the candidate: by its ACL, or as owner of what is not there yet. An agent that
// the job is for, or is to be for, has to be of the candidate's team. Of a record that is damaged nobody knows whose it
// is but by its place, which is the candidate's: it may be written over and deleted, not read.
func authorize[L access.Level](ctx context.Context, h *Handle, op, id, agent string) (access.Grant[L], found, error) {
	var none access.Grant[L]
	if h.service.ready() {
		if err := ValidID(id); err != nil {
			return none, found{}, h.wrap(op, id, err)
		}
	}
	team, err := h.team(ctx, op, id)
	if err != nil {
		return none, found{}, err
	}
	at := Address{Owner: h.candidate, ID: id}
	acl, of, err := h.service.conn.Rights(ctx, at)
	there := found{found: true, acl: acl}
	switch {
	case fault.Is(err, fault.NotFound):
		there = found{acl: access.OwnedBy(h.candidate)}
	case fault.CodeOf(err) == CodeDamaged && writes[L]():
		there, of = found{damaged: true, acl: access.OwnedBy(h.candidate)}, ""
	case err != nil:
		return none, found{}, h.wrap(op, id, err)
	}
	for _, a := range []string{of, agent} {
		if a != "" && !h.service.sameTeam(ctx, a, team) {
			return none, found{}, h.foreign(ctx, op, at, a)
		}
	}
	g, err := access.Authorize[L](ctx, h.service.guard, op, h.candidate, at.String(), there.acl)
	return g, there, err
}

// writes reports whether L is a level that changes something.
func writes[L access.Level]() bool {
	var l L
	_, read := any(l).(access.Read)
	return !read
}

// team returns the team of the candidate. Who has none has no jobs.
func (h *Handle) team(ctx context.Context, op, id string) (string, error) {
	if !h.service.ready() {
		return "", h.wrap(op, id, fault.Hint(fault.Newf(fault.Unsupported, "no scheduler"), "configure a connector for Scheduler"))
	}
	if ctx.Err() != nil {
		return "", h.wrap(op, id, context.Cause(ctx))
	}
	deny := func() (string, error) {
		return "", h.service.guard.Deny(ctx, op, h.candidate, id, access.NoTeam)
	}
	if h.candidate.IsZero() || h.candidate.Role() == access.RolePublic || h.service.directory == nil {
		return deny()
	}
	team, err := h.service.directory.TeamOf(ctx, h.candidate)
	if err != nil {
		return deny()
	}
	return team, nil
}

// sameTeam reports whether an agent is of a team. An agent that nobody knows is of none.
func (s *Service) sameTeam(ctx context.Context, agent, team string) bool {
	c, err := access.Agent(agent)
	if err != nil {
		return false
	}
	of, err := s.directory.TeamOf(ctx, c)
	return err == nil && of == team
}

// foreign is the denial of a job for an agent of another team. The audit hears of it once.
func (h *Handle) foreign(ctx context.Context, op string, at Address, agent string) error {
	denied := h.service.guard.Deny(ctx, op, h.candidate, at.String(), access.NoTeam)
	err := fault.Newf(fault.Denied, "Candidate %s is not authorized to schedule a job for agent %s", h.candidate.ID(), agent)
	return &fault.Error{Op: op, Resource: at.ID, Kind: fault.KindOf(denied), Err: err}
}
