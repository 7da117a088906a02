package account

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Caller is who has shown an API token that is worth something at this moment. The zero Caller is nobody. It is for one
// request: what it may do is decided again for the next one.
type Caller struct {
	entry   *entry
	service *Service
	scopes  Scopes
}

// IsZero reports whether nobody has shown a token.
func (c Caller) IsZero() bool { return c.entry == nil }

// TokenID returns the id of the token, for logs.
func (c Caller) TokenID() string {
	if c.entry == nil {
		return ""
	}
	return c.entry.ID
}

// Team returns the team that the caller acts for, "" for nobody.
func (c Caller) Team() string {
	if c.entry == nil {
		return ""
	}
	return c.entry.Team
}

// User returns the user whose token was shown, "" for a token of a team and for nobody.
func (c Caller) User() string {
	if c.entry == nil {
		return ""
	}
	return c.entry.User
}

// Has reports whether the token is good for all of the scopes.
func (c Caller) Has(s Scopes) bool { return c.entry != nil && s != 0 && c.scopes&s == s }

// MayCall reports whether the caller may call an agent: one of its team, and of those that the token names, if any.
// An agent whose team cannot be told is none of its.
func (c Caller) MayCall(ctx context.Context, agent access.Candidate) bool {
	if !c.Has(ScopeRun) || c.entry.agents != nil && !c.entry.agents[agent.ID()] {
		return false
	}
	team, err := c.service.TeamOf(ctx, agent)
	return err == nil && team == c.entry.Team
}

// Authenticate returns who shows an API token. Everything that proves nothing is the same [fault.Unauthenticated],
// except for the reason in its text, which is for the log and not for the caller. Any other error says that nobody can be
// told at the moment. It is quick, and never asks the disk for a text that does not have the form of a token.
func (s *Service) Authenticate(ctx context.Context, shown string) (Caller, error) {
	if s == nil || s.tokens == nil || !LooksLikeToken(shown) {
		return Caller{}, unproven("no such token")
	}
	e, reason, err := s.tokens.find(ctx, shown)
	switch {
	case err != nil:
		return Caller{}, s.unsure(err)
	case e == nil:
		return Caller{}, unproven("no such token")
	case reason != "":
		return Caller{}, unproven("token " + e.ID + ": " + reason)
	}
	st, err := s.directory.standing(ctx, e.holder)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && st.team != e.Team:
		return Caller{}, unproven("token " + e.ID + ": " + e.holder.String() + " does not belong to team " + e.Team)
	case err != nil:
		return Caller{}, s.unsure(err)
	}
	scopes := e.Scopes.effective()
	if e.User != "" {
		scopes &= st.rank.scopes()
	}
	if scopes == 0 {
		return Caller{}, unproven("token " + e.ID + ": the role " + st.rank.String() + " may not call agents")
	}
	s.tokens.touch(e)
	return Caller{entry: e, service: s, scopes: scopes}, nil
}

// unsure says that nobody can be told at the moment.
func (s *Service) unsure(err error) error {
	kind := fault.Unavailable
	if fault.Is(err, fault.Canceled) {
		kind = fault.Canceled
	}
	return &fault.Error{Op: "account.token", Connector: s.id, Kind: kind, Err: err}
}

func unproven(reason string) error { return fault.Newf(fault.Unauthenticated, "%s", reason) }
