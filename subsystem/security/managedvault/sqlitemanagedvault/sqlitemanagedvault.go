// Package sqlitemanagedvault keeps the tokens of teams in an embedded database in the data folder.
//
// The file is readable by its owner only, and a change is on the disk before it is
// acknowledged: a refresh token that a service has replaced is good for nothing, so
// losing the new one would mean to ask the user again.
package sqlitemanagedvault

import (
	"context"
	"path/filepath"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault"
)

// Settings of the connector.
type Settings struct {
	File string `json:"file" sre:"allowEmpty" doc:"The database; managedvault.db in the data folder when it is empty. A relative path starts at the data folder."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(managedvault.Kind, "SQLiteManagedVault", "Keeps tokens in an embedded database.", open).
	WithDoc("The file appears with the first token and is readable by its owner only. Its content is not encrypted: keep the data folder on a disk that is.")

// schema is what the database is today, step by step.
func schema() []string {
	return []string{`CREATE TABLE entry (
		team  TEXT NOT NULL,
		key   TEXT NOT NULL,
		value TEXT NOT NULL,
		PRIMARY KEY (team, key)
	) WITHOUT ROWID, STRICT`}
}

type store struct{ db *sqlite.DB }

func open(_ context.Context, env connector.Env, s Settings) (managedvault.Connector, error) {
	file := s.File
	if file == "" {
		file = "managedvault.db"
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(env.Dir, file)
	}
	db, err := sqlite.New(sqlite.Options{Folder: filepath.Dir(file), Name: filepath.Base(file), Schema: schema(), Durable: true})
	if err != nil {
		return nil, err
	}
	return &store{db: db}, nil
}

// ACL gives each team all rights to its own entries.
func (s *store) ACL(_ context.Context, resource string) (*access.ACL, error) {
	id, _ := managedvault.Split(resource)
	team, err := access.Team(id)
	if err != nil {
		return nil, err
	}
	return access.OwnedBy(team), nil
}

// Get implements [managedvault.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	team, key := managedvault.Split(g.Resource())
	var text string
	err := s.db.Row(ctx, "SELECT value FROM entry WHERE team = ? AND key = ?", []any{team, key}, &text)
	switch {
	case fault.Is(err, fault.NotFound):
		return secret.Value{}, missing()
	case err != nil:
		return secret.Value{}, err
	}
	return secret.New(text), nil
}

// Set implements [managedvault.Connector].
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], v secret.Value) error {
	team, key := managedvault.Split(g.Resource())
	_, err := s.db.Exec(ctx, "INSERT INTO entry (team, key, value) VALUES (?, ?, ?) ON CONFLICT (team, key) DO UPDATE SET value = excluded.value", team, key, v.Reveal())
	return err
}

// Delete implements [managedvault.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write]) error {
	team, key := managedvault.Split(g.Resource())
	n, err := s.db.Exec(ctx, "DELETE FROM entry WHERE team = ? AND key = ?", team, key)
	if err == nil && n == 0 {
		return missing()
	}
	return err
}

func missing() error { return fault.Newf(fault.NotFound, "there is no such entry") }

// Check reports whether the database can be read.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close closes the database.
func (s *store) Close(context.Context) error { return s.db.Close() }

var (
	_ managedvault.Connector = (*store)(nil)
	_ connector.Checker      = (*store)(nil)
	_ connector.Closer       = (*store)(nil)
)
