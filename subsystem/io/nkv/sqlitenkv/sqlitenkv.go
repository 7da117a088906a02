// Package sqlitenkv keeps the values of the NKV service in an embedded database.
//
// A value is one row under its team, namespace and key, which are compared as they are, so no two addresses meet and a
// listing goes in the order of the keys. What was acknowledged is on the disk and survives a loss of power. A value that is
// damaged is an error that names it, and listings go on without it.
package sqlitenkv

import (
	"context"
	"iter"
	"log/slog"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

type settings struct {
	File string `json:"file" sre:"allowEmpty" doc:"The database; nkv.db in the data folder when it is empty. A relative path starts at the data folder."`
}

// Definition returns the connector "SQLite".
func Definition() connector.Definition {
	return connector.Define(nkv.Kind, "SQLite", "Keeps values in an embedded database.", open).
		WithDoc("The file appears with the first value and is readable by its owner only. What was stored survives a loss of power; several processes may use one file.")
}

// schema is what the database is today, step by step. "sum" is the checksum of all other columns.
func schema() []string {
	return []string{`CREATE TABLE entry (
		team      TEXT    NOT NULL,
		namespace TEXT    NOT NULL,
		key       TEXT    NOT NULL,
		sum       INTEGER NOT NULL,
		value     TEXT    NOT NULL,
		PRIMARY KEY (team, namespace, key)
	) STRICT, WITHOUT ROWID`}
}

const (
	selectValue = "SELECT sum, value FROM entry WHERE team = ? AND namespace = ? AND key = ?"

	upsertValue = `INSERT INTO entry (team, namespace, key, sum, value) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (team, namespace, key) DO UPDATE SET sum = excluded.sum, value = excluded.value`

	deleteValue = "DELETE FROM entry WHERE team = ? AND namespace = ? AND key = ?"

	deleteSpace = "DELETE FROM entry WHERE team = ? AND namespace = ?"

	listSpace = "SELECT key, sum, value FROM entry WHERE team = ? AND namespace = ? AND key > ? ORDER BY key"
)

// store implements [nkv.Connector].
type store struct {
	db  *sqlite.DB
	log *slog.Logger
}

func open(_ context.Context, env connector.Env, s settings) (nkv.Connector, error) {
	folder, name, err := sqlite.Locate(env.Dir, s.File, "nkv.db")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: name, Schema: schema(), Durable: true})
	if err != nil {
		return nil, err
	}
	st := &store{db: db, log: env.Log}
	if st.log == nil {
		st.log = slog.New(slog.DiscardHandler)
	}
	return st, nil
}

func sumOf(at nkv.Address, text string) int64 {
	return sqlite.Checksum(at.Team, at.Namespace, at.Key, text)
}

// decode checks a row and turns it into a value.
func decode(at nkv.Address, text string, sum int64) (value.Value, error) {
	if sumOf(at, text) != sum {
		return value.Value{}, nkv.Damaged(at, "the checksum does not match")
	}
	v, err := value.Decode(text, nkv.StoredLimits())
	if err != nil {
		return value.Value{}, nkv.Damaged(at, "%w", err)
	}
	return v, nil
}

// Get implements [nkv.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read]) (value.Value, error) {
	at := nkv.At(g)
	if !s.db.Exists() {
		return value.Value{}, nkv.Missing()
	}
	var sum int64
	var text string
	err := s.db.Row(ctx, selectValue, []any{at.Team, at.Namespace, at.Key}, &sum, &text)
	switch {
	case fault.Is(err, fault.NotFound):
		return value.Value{}, nkv.Missing()
	case err != nil:
		return value.Value{}, err
	}
	return decode(at, text, sum)
}

// Set implements [nkv.Connector].
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], v value.Value) error {
	at := nkv.At(g)
	text, err := value.Encode(v, nkv.StoredLimits())
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, upsertValue, at.Team, at.Namespace, at.Key, sumOf(at, text), text)
	return err
}

// Delete implements [nkv.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	if !s.db.Exists() {
		return nil
	}
	_, err := s.db.Exec(ctx, deleteValue, at.Team, at.Namespace, at.Key)
	return err
}

// DeleteAll implements [nkv.Connector].
func (s *store) DeleteAll(ctx context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	if !s.db.Exists() {
		return nil
	}
	_, err := s.db.Exec(ctx, deleteSpace, at.Team, at.Namespace)
	return err
}

// List implements [nkv.Connector], in the order of the bytes of the keys. Damaged values are left out and named in the log.
func (s *store) List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[nkv.Item, error] {
	at := nkv.At(g)
	return func(yield func(nkv.Item, error) bool) {
		if !s.db.Exists() {
			return
		}
		for rows, err := range s.db.Rows(ctx, listSpace, at.Team, at.Namespace, after) {
			if err != nil {
				yield(nkv.Item{}, err)
				return
			}
			item, err := itemOf(at, rows.Scan)
			if fault.CodeOf(err) == nkv.CodeDamaged {
				s.log.ErrorContext(ctx, "a value is left out of a listing", "team", at.Team, "namespace", at.Namespace, "error", err)
				continue
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// itemOf turns one row of a listing, which scan reads, into its item.
func itemOf(at nkv.Address, scan func(...any) error) (nkv.Item, error) {
	var sum int64
	var text string
	if err := scan(&at.Key, &sum, &text); err != nil {
		return nkv.Item{}, fault.Newf(fault.Unavailable, "a row cannot be read: %w", err)
	}
	v, err := decode(at, text, sum)
	return nkv.Item{Key: at.Key, Value: v}, err
}

// Check reports whether the database can be read.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close closes the database.
func (s *store) Close(context.Context) error { return s.db.Close() }

var (
	_ nkv.Connector     = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
