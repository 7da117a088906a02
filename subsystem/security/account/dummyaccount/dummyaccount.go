// Package dummyaccount puts everybody into one team, for development on one machine.
//
// It must be configured by name: a program that serves more than one party needs
// accounts that tell them apart.
package dummyaccount

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/internal/tokenfile"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	Team string      `json:"team" default:"default" doc:"Team of everybody that data does not list."`
	Data value.Value `json:"data" doc:"Teams, members and settings in the form of the account file; empty by default."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(account.Kind, "DummyAccount", "Everybody belongs to one team: for development.", open).
	WithDoc("Every user and every agent belongs to the team `default`, unless `data` lists them elsewhere. API tokens lie in `tokens.json` in the data folder. " +
		"Do not use it where agents of different owners run.")

type accounts struct {
	*tokenfile.File
	team   string
	roster *account.Roster
}

var (
	_ account.Connector = (*accounts)(nil)
	_ account.Local     = (*accounts)(nil)
	_ account.Ranker    = (*accounts)(nil)
	_ account.Tokens    = (*accounts)(nil)
	_ account.Verifier  = (*accounts)(nil)
	_ connector.Checker = (*accounts)(nil)
)

func open(_ context.Context, env connector.Env, s Settings) (account.Connector, error) {
	if err := access.ValidID(s.Team); err != nil {
		return nil, err
	}
	data := s.Data
	if data.IsNil() {
		data = value.Obj()
	}
	roster, err := account.ParseRoster(data)
	if err != nil {
		return nil, err
	}
	tokens := tokenfile.New(tokenfile.Config{Dir: env.Dir, Effects: env.Effects, Log: env.Log})
	return &accounts{File: tokens, team: s.Team, roster: roster}, nil
}

// AnswersFromMemory says that answers need no cache.
func (a *accounts) AnswersFromMemory() {}

// TeamOf returns the listed team, a team's own id, and the one team for all others.
func (a *accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if team, ok := a.roster.TeamOf(c); ok {
		return team, nil
	}
	if c.Role() == access.RoleTeam {
		return c.ID(), nil
	}
	return a.team, nil
}

// RankOf returns the listed rank; everybody else is a member.
func (a *accounts) RankOf(ctx context.Context, user access.Candidate) (string, account.Rank, error) {
	team, err := a.TeamOf(ctx, user)
	if _, listed := a.roster.TeamOf(user); listed {
		return team, a.roster.Rank(user), err
	}
	return team, account.RankMember, err
}

// IsMember is true for the one team and for the candidate's own.
func (a *accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	own, err := a.TeamOf(ctx, c)
	return err == nil && (team == a.team || team == own), err
}

// Settings returns what data holds.
func (a *accounts) Settings(_ context.Context, g access.Grant[access.Read]) (value.Value, error) {
	c, err := access.Parse(g.Resource())
	if err != nil {
		return value.Value{}, err
	}
	return a.roster.Settings(c), nil
}
