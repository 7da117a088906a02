// Package jsonfileaccount reads teams and their members from a JSON file.
//
// The file has the form that [account.ParseRoster] describes and is read again
// when it has changed. Who is not listed belongs to no team, unless the operator
// names a team for them.
package jsonfileaccount

import (
	"context"
	"errors"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/tokenfile"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	File        string `json:"file" default:"account.json" doc:"File of teams, members and settings: a name below the data folder, or an absolute path."`
	DefaultTeam string `json:"defaultTeam" sre:"allowEmpty" doc:"Team of users and agents that the file does not list. Without it they belong to no team and are refused."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(account.Kind, "JSONFileAccount", "Teams, members and settings from a JSON file.", open).
	WithDoc("The file holds `{\"<team>\": {\"users\": {\"<id>\": {\"settings\": {}}}, \"agents\": {\"<id>\": {\"settings\": {}}}, \"settings\": {}}}`. " +
		"A change of the file counts after a second at the latest; a file that cannot be read refuses everybody. " +
		"A user is `viewer`, `member` (the default), `admin` or `owner`. API tokens lie in `tokens.json` in the data folder. " +
		"With `defaultTeam` all agents and teams also count as members of that team, as the TypeScript runtime has it.")

type accounts struct {
	*tokenfile.File
	file        *livefile.File[*account.Roster]
	defaultTeam string
}

var (
	_ account.Connector = (*accounts)(nil)
	_ account.Local     = (*accounts)(nil)
	_ account.Ranker    = (*accounts)(nil)
	_ account.Tokens    = (*accounts)(nil)
	_ account.Verifier  = (*accounts)(nil)
	_ connector.Checker = (*accounts)(nil)
)

func open(ctx context.Context, env connector.Env, s Settings) (account.Connector, error) {
	if s.DefaultTeam != "" {
		if err := access.ValidID(s.DefaultTeam); err != nil {
			return nil, fault.Newf(fault.Invalid, "defaultTeam: %w", err)
		}
	}
	place := livefile.At(env.Dir, s.File, int64(limits.Default().JSONBytes))
	a := &accounts{
		File: tokenfile.New(tokenfile.Config{Dir: env.Dir, Effects: env.Effects, Log: env.Log}),
		file: livefile.New(env.Effects, place.Read, parse), defaultTeam: s.DefaultTeam,
	}
	if _, err := a.file.Get(ctx); err != nil {
		return nil, fault.Hint(err, "write the account file %s, or configure the connector DummyAccount for development", s.File)
	}
	return a, nil
}

func parse(text []byte) (*account.Roster, error) {
	v, err := value.Decode(text, value.Limits{})
	if err != nil {
		return nil, err
	}
	return account.ParseRoster(v)
}

// AnswersFromMemory says that answers need no cache: the file is kept for a second already.
func (a *accounts) AnswersFromMemory() {}

// Check reports whether the file can be read and understood, and that of the tokens can be read.
func (a *accounts) Check(ctx context.Context) error {
	_, err := a.file.Get(ctx)
	return errors.Join(err, a.File.Check(ctx))
}

// Verify names what is damaged in the file of the tokens; a damaged file of accounts is an error.
func (a *accounts) Verify(ctx context.Context) ([]string, error) {
	damaged, err := a.File.Verify(ctx)
	_, failed := a.file.Get(ctx)
	return damaged, errors.Join(err, failed)
}

// TeamOf returns the team that lists c, else the default team. A team that is not listed stands for itself where there
// is a default team.
func (a *accounts) TeamOf(ctx context.Context, c access.Candidate) (string, error) {
	roster, err := a.file.Get(ctx)
	if err != nil {
		return "", err
	}
	return a.teamOf(roster, c)
}

func (a *accounts) teamOf(roster *account.Roster, c access.Candidate) (string, error) {
	team, listed := roster.TeamOf(c)
	switch {
	case listed:
		return team, nil
	case a.defaultTeam == "":
		return "", fault.Newf(fault.NotFound, "no account lists %s", c)
	case c.Role() == access.RoleTeam:
		return c.ID(), nil
	}
	return a.defaultTeam, nil
}

// RankOf returns the rank that the file gives a user; one that it does not list is a member of the default team.
func (a *accounts) RankOf(ctx context.Context, user access.Candidate) (string, account.Rank, error) {
	roster, err := a.file.Get(ctx)
	if err != nil {
		return "", account.RankNone, err
	}
	team, err := a.teamOf(roster, user)
	if err != nil {
		return "", account.RankNone, err
	}
	rank := roster.Rank(user)
	if rank == account.RankNone {
		rank = account.RankMember
	}
	return team, rank, nil
}

// IsMember is true for a listed team that is the candidate's own, and for the default team with every agent and team.
func (a *accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	roster, err := a.file.Get(ctx)
	if err != nil || !roster.HasTeam(team) {
		return false, err
	}
	if own, listed := roster.TeamOf(c); listed && own == team {
		return true, nil
	}
	return team == a.defaultTeam && (c.Role() == access.RoleAgent || c.Role() == access.RoleTeam), nil
}

// Settings returns what the file holds.
func (a *accounts) Settings(ctx context.Context, g access.Grant[access.Read]) (value.Value, error) {
	c, err := access.Parse(g.Resource())
	if err != nil {
		return value.Value{}, err
	}
	roster, err := a.file.Get(ctx)
	if err != nil {
		return value.Value{}, err
	}
	return roster.Settings(c), nil
}
