// Package sqliteaccount keeps teams, members, their settings and API tokens in an embedded database.
//
// It is for servers on which several parties work: teams change while it runs, and
// who is not listed belongs to no team. Each row has a checksum, so that a damaged
// one is an error for whoever it is about, and never another right.
package sqliteaccount

import (
	"context"
	"path/filepath"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	File string `json:"file" sre:"allowEmpty" doc:"The database; account.db in the data folder when it is empty. A relative path starts at the data folder."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(account.Kind, "SQLiteAccount", "Teams, members, roles, settings and API tokens in an embedded database.", open).
	WithDoc("Teams are changed with `sre account` and by their owners and admins, while agents run. Who is not listed belongs to no team and is refused. " +
		"The file appears with the first use and is readable by its owner only. A change made by another process counts after a second at the latest.")

// schema is what the database is today, step by step.
func schema() []string {
	return []string{`
		CREATE TABLE team (
			id       TEXT PRIMARY KEY,
			settings TEXT NOT NULL,
			mark     TEXT NOT NULL
		) WITHOUT ROWID, STRICT;
		CREATE TABLE member (
			kind     TEXT NOT NULL,
			id       TEXT NOT NULL,
			team     TEXT NOT NULL REFERENCES team (id),
			rank     INTEGER NOT NULL,
			settings TEXT NOT NULL,
			mark     TEXT NOT NULL,
			PRIMARY KEY (kind, id)
		) WITHOUT ROWID, STRICT;
		CREATE INDEX member_team ON member (team, kind DESC, id);
		CREATE TABLE token (
			id     TEXT PRIMARY KEY,
			team   TEXT NOT NULL REFERENCES team (id),
			holder TEXT NOT NULL,
			record TEXT NOT NULL,
			used   INTEGER NOT NULL DEFAULT 0
		) WITHOUT ROWID, STRICT;
		CREATE INDEX token_team ON token (team, holder);
		CREATE TABLE change (what TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID, STRICT;
		INSERT INTO change (what, count) VALUES ('token', 0)`,
	}
}

type accounts struct{ db *sqlite.DB }

var (
	_ account.Connector = (*accounts)(nil)
	_ account.Ranker    = (*accounts)(nil)
	_ account.Keeper    = (*accounts)(nil)
	_ account.Tokens    = (*accounts)(nil)
	_ account.Verifier  = (*accounts)(nil)
	_ connector.Checker = (*accounts)(nil)
	_ connector.Closer  = (*accounts)(nil)
)

func open(_ context.Context, env connector.Env, s Settings) (account.Connector, error) {
	file := s.File
	if file == "" {
		file = "account.db"
	}
	if !filepath.IsAbs(file) {
		if env.Dir == "" {
			err := fault.Newf(fault.Invalid, "a runtime without a data folder has no place for %s", file)
			return nil, fault.Hint(err, "give it one with --dir or SMYTH_PATH, or name an absolute path in the setting file")
		}
		file = filepath.Join(env.Dir, file)
	}
	db, err := sqlite.New(sqlite.Options{Folder: filepath.Dir(file), Name: filepath.Base(file), Schema: schema(), Durable: true})
	if err != nil {
		return nil, err
	}
	return &accounts{db: db}, nil
}

// TeamOf implements [account.Connector].
func (a *accounts) TeamOf(ctx context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleTeam {
		_, err := a.team(ctx, a.db, c.ID())
		return c.ID(), err
	}
	m, err := a.member(ctx, a.db, c)
	return m.team, err
}

// RankOf implements [account.Ranker].
func (a *accounts) RankOf(ctx context.Context, user access.Candidate) (string, account.Rank, error) {
	m, err := a.member(ctx, a.db, user)
	return m.team, m.rank, err
}

// IsMember implements [account.Connector].
func (a *accounts) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	own, err := a.TeamOf(ctx, c)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && own == team, err
}

// Settings implements [account.Connector].
func (a *accounts) Settings(ctx context.Context, g access.Grant[access.Read]) (value.Value, error) {
	c, err := access.Parse(g.Resource())
	if err != nil {
		return value.Value{}, err
	}
	var text string
	if c.Role() == access.RoleTeam {
		text, err = a.team(ctx, a.db, c.ID())
	} else {
		var m row
		m, err = a.member(ctx, a.db, c)
		text = m.settings
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return value.Value{}, nil
	case err != nil:
		return value.Value{}, err
	}
	return value.Parse(text)
}

// Check reports whether the database can be read.
func (a *accounts) Check(ctx context.Context) error { return a.db.Check(ctx) }

// Close closes the database.
func (a *accounts) Close(context.Context) error { return a.db.Close() }
