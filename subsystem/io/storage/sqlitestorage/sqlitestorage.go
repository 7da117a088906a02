// Package sqlitestorage keeps objects in an embedded database.
//
// An object is one row: its metadata, ACL, expiry and generation, and which bytes are its own. The bytes are rows of
// 256 KiB, so an object of any size passes through without being held in memory. Those of a large object are brought to
// the disk before, piece by piece, where nobody sees them; one transaction makes bytes, metadata and ACL visible at once.
// What was acknowledged survives a loss of power.
//
// Checksums find damage: an object whose rights are damaged is refused to everybody, one whose bytes are damaged is an
// error where the damage is, and every other object goes on.
package sqlitestorage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/recent"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
)

type settings struct {
	File string `json:"file" sre:"allowEmpty" doc:"The database; storage.db in the data folder when it is empty. A relative path starts at the data folder."`
}

// Definition returns the connector "SQLite".
func Definition() connector.Definition {
	return connector.Define(storage.Kind, "SQLite", "Keeps files in an embedded database.", open).
		WithDoc("The file appears with the first object and is readable by its owner only. What was stored survives a loss of power; several processes may use one file.")
}

// store implements [storage.Connector].
type store struct {
	db      *sqlite.DB
	clock   effect.Source
	log     *slog.Logger
	held    *holds
	numbers numbers
	recent  recent.Map[seen]
	rooms   rooms
	loose   atomic.Bool // there may be chunks that nobody needs any more

	stop       context.CancelFunc // of the background work; nil before Start
	background sync.WaitGroup
}

func open(_ context.Context, env connector.Env, s settings) (storage.Connector, error) {
	folder, name, err := sqlite.Locate(env.Dir, s.File, "storage.db")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.New(sqlite.Options{Folder: folder, Name: name, Schema: schema(), Durable: true})
	if err != nil {
		return nil, err
	}
	st := &store{db: db, clock: env.Effects, log: env.Log, held: newHolds()}
	st.loose.Store(true) // of the time before
	if st.log == nil {
		st.log = slog.New(slog.DiscardHandler)
	}
	return st, nil
}

// cleanEvery is how often objects whose time has passed are removed.
const cleanEvery = time.Hour

// Start begins to remove objects whose time has passed and bytes that belong to none, now and once an hour until Close.
func (s *store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		for ok := true; ok; ok = s.clock.Sleep(ctx, cleanEvery) == nil {
			if err := s.clean(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "cannot remove what has expired", "error", err)
			}
		}
	})
	return nil
}

// Check reports whether the database can be read.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close ends the background work and closes the database. Open bodies end.
func (s *store) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	return s.db.Close()
}

var (
	_ storage.Connector = (*store)(nil)
	_ storage.Verifier  = (*store)(nil)
	_ storage.Recaller  = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
