// Package sqlitecache keeps cache entries in an embedded database, so that they outlive the process.
//
// An entry is one row: its value, metadata, ACL, expiry and generation are written and lost together. Every act is
// one statement that names the generation it is for, so nothing comes between a decision and what was decided. Checksums
// find damage: an entry whose rights are damaged is refused to everybody, one whose value is damaged is an error that
// names it, and every other entry goes on.
//
// Entries survive the end of the process. The last moments before a loss of power may be lost, as a cache may lose
// anything. When the budget is used up, who holds most loses first what was written longest ago.
package sqlitecache

import (
	"context"
	"log/slog"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/memory/cache"
)

// LimitBytes is the name of the limit on all entries of one database.
const LimitBytes = "sqlite_cache_bytes"

type settings struct {
	File     string `json:"file" sre:"allowEmpty" doc:"The database; cache.db in the data folder when it is empty. A relative path starts at the data folder."`
	MaxBytes int    `json:"maxBytes" doc:"Bytes that all entries together may take, 0 for no limit. When they are used up, who holds most loses what was written longest ago." sre:"default=1073741824,min=0"`
}

// Definition returns the connector "SQLite".
func Definition() connector.Definition {
	return connector.Define(cache.Kind, "SQLite", "Keeps entries in an embedded database.", open).
		WithDoc("The file appears with the first entry and is readable by its owner only. Entries survive a restart; several processes may use one file.")
}

// store implements [cache.Connector].
type store struct {
	db     *database
	clock  effect.Source
	log    *slog.Logger
	budget int64 // 0 for none

	stop       context.CancelFunc // of the background work; nil before Start
	background sync.WaitGroup
}

func open(_ context.Context, env connector.Env, s settings) (cache.Connector, error) {
	folder, name, err := sqlite.Locate(env.Dir, s.File, "cache.db")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: name, Schema: schema()})
	if err != nil {
		return nil, err
	}
	st := &store{db: &database{DB: db}, clock: env.Effects, log: env.Log, budget: int64(s.MaxBytes)}
	if st.log == nil {
		st.log = slog.New(slog.DiscardHandler)
	}
	return st, nil
}

func (s *store) now() int64 { return stamp(s.clock.Now()) }

func gone(expires, now int64) bool { return expires != 0 && expires <= now }

// Rule implements [cache.Connector]. An entry whose time has passed is removed when it is met, so that it stays gone when
// the clock is set back.
func (s *store) Rule(ctx context.Context, key string) (cache.Ruling, error) {
	if !s.db.Exists() {
		return cache.Ruling{}, cache.Missing()
	}
	var generation, acl string
	var sum, expires int64
	err := s.db.Row(ctx, selectRuling, []any{key}, &generation, &acl, &sum, &expires)
	switch {
	case fault.Is(err, fault.NotFound):
		return cache.Ruling{}, cache.Missing()
	case err != nil:
		return cache.Ruling{}, err
	}
	if now := s.now(); gone(expires, now) {
		if _, err := s.db.Exec(ctx, deleteExpired, key, now); err != nil {
			s.log.WarnContext(ctx, "cannot remove what has expired", "key", key, "error", err) // it is gone all the same
		}
		return cache.Ruling{}, cache.Missing()
	}
	return ruling(key, generation, acl, sum)
}

// Get implements [cache.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read], generation string) (cache.Entry, error) {
	key := g.Resource()
	if !s.db.Exists() {
		return cache.Entry{}, cache.Changed()
	}
	var r row
	var sum int64
	err := s.db.Row(ctx, selectEntry, []any{key, generation}, &r.expires, &sum, &r.metadata, &r.value)
	switch {
	case fault.Is(err, fault.NotFound):
		return cache.Entry{}, cache.Changed()
	case err != nil:
		return cache.Entry{}, err
	case gone(r.expires, s.now()):
		return cache.Entry{}, cache.Changed()
	}
	return decode(key, r, sum)
}

// Set implements [cache.Connector].
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], generation string, r cache.Record) error {
	key := g.Resource()
	row, err := encode(r)
	if err != nil {
		return err
	}
	size := row.size(key)
	if s.budget > 0 && size > s.budget {
		return fault.Limitf(LimitBytes, "an entry of %d bytes is over the limit of %d for all entries", size, s.budget)
	}
	now := s.now()
	if generation == "" {
		id := s.clock.NewID()
		err = s.act(ctx, insertEntry, key, id, row.acl, rightsSum(key, id, row.acl), row.expires, contentSum(key, row),
			g.Candidate().String(), now, size, row.metadata, row.value, now)
	} else {
		err = s.act(ctx, updateEntry, row.acl, rightsSum(key, generation, row.acl), row.expires, contentSum(key, row),
			now, size, row.metadata, row.value, key, generation, now)
	}
	if err != nil {
		return err
	}
	return s.makeRoom(ctx, key)
}

// act runs a statement that is to change one row, and answers [cache.Changed] when there was none.
func (s *store) act(ctx context.Context, stmt string, args ...any) error {
	n, err := s.db.Exec(ctx, stmt, args...)
	if err == nil && n == 0 {
		return cache.Changed()
	}
	return err
}

// Amend implements [cache.Connector].
func (s *store) Amend(ctx context.Context, g access.Grant[access.Write], generation string, c cache.Change) error {
	key := g.Resource()
	if err := s.db.Write(ctx, func(tx *sqlite.Tx) error { return s.amend(ctx, tx, key, generation, c) }); err != nil {
		return err
	}
	return s.makeRoom(ctx, key)
}

func (s *store) amend(ctx context.Context, tx *sqlite.Tx, key, generation string, c cache.Change) error {
	var r row
	var sum int64
	err := tx.Row(ctx, selectEntry, []any{key, generation}, &r.expires, &sum, &r.metadata, &r.value)
	now := s.now()
	switch {
	case fault.Is(err, fault.NotFound), err == nil && gone(r.expires, now):
		return cache.Changed()
	case err != nil:
		return err
	}
	e, err := decode(key, r, sum)
	if err != nil {
		return err
	}
	if e, err = e.Changed(c); err != nil {
		return err
	}
	before := len(r.metadata)
	if r.metadata, err = encodeMetadata(e.Metadata); err != nil {
		return err
	}
	r.expires = stamp(e.Expires)
	n, err := tx.Exec(ctx, amendEntry, r.expires, contentSum(key, r), len(r.metadata)-before, r.metadata, key, generation, now)
	if err == nil && n == 0 {
		return cache.Changed()
	}
	return err
}

// Delete implements [cache.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	return s.act(ctx, deleteEntry, g.Resource(), generation, s.now())
}

// SetACL implements [cache.Connector].
func (s *store) SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	key, id, text := g.Resource(), s.clock.NewID(), acl.String()
	if err := s.act(ctx, updateACL, id, rightsSum(key, id, text), len(text), text, key, generation, s.now()); err != nil {
		return err
	}
	return s.makeRoom(ctx, key)
}

// Check reports whether the database can be read.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

var (
	_ cache.Connector   = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
