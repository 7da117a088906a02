// Package localcache keeps cache entries in a folder of the machine.
//
// An entry is one file that holds its value, metadata, ACL and expiry, so they cannot disagree: a write replaces all of
// them at once or changes nothing, and is on the disk when it is acknowledged. Damage is found by checksums: an entry
// whose rights are damaged is refused to everybody, one whose value is damaged is an error that names it, and every other
// entry goes on. Folders of the reference are read as they are.
//
// Several processes may use one folder. They take turns for the last moment of a write, by a lock of the system.
package localcache

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/memory/cache"
)

type settings struct {
	Folder string `json:"folder" doc:"Folder of the entries; made when something is stored. The default is \"cache\" in the data folder of the runtime."`
}

// Definition returns the connector "LocalStorage".
func Definition() connector.Definition {
	return connector.Define(cache.Kind, "LocalStorage", "Keeps entries in a folder of this machine.", open).
		WithDoc("An entry is one file for its owner only. Folders of the TypeScript runtime are read as they are; an entry that is set anew becomes a file of this runtime. There is no limit on what all entries take: give entries a time to live.")
}

// store implements [cache.Connector].
type store struct {
	folder folder
	old    *reference
	clock  effect.Source
	log    *slog.Logger
	turn   chan struct{} // holds one token: who takes it may change entries

	stop       context.CancelFunc // of the background work; nil before Start
	background sync.WaitGroup
}

// sweepEvery is how often expired entries are removed.
const sweepEvery = time.Hour

// abandoned is the age from which the temporary file of a write is taken for left behind.
const abandoned = 24 * time.Hour

func open(_ context.Context, env connector.Env, s settings) (cache.Connector, error) {
	dir := s.Folder
	if dir == "" {
		if env.Dir == "" {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "there is no data folder"), "set the folder of LocalStorage")
		}
		dir = filepath.Join(env.Dir, "cache")
	}
	return newStore(onDisk{disk.Later(dir)}, env), nil
}

func newStore(f folder, env connector.Env) *store {
	s := &store{folder: f, old: &reference{folder: f}, clock: env.Effects, log: env.Log, turn: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.turn <- struct{}{}
	return s
}

// Start removes what writes of earlier processes left behind, and begins to remove expired entries, once an hour until
// Close.
func (s *store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		for s.clock.Sleep(ctx, sweepEvery) == nil {
			if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "cannot remove what has expired", "error", err)
			}
		}
	})
	return s.folder.Sweep(s.clock.Now().Add(-abandoned))
}

// sweep removes every entry whose time has passed. One that is damaged stays, for whoever is to repair it.
func (s *store) sweep(ctx context.Context) error {
	for file, err := range s.folder.Walk(entriesFolder, "") {
		if err != nil || ctx.Err() != nil {
			return err
		}
		e, err := s.record(file, false)
		if err == nil && e.gone(s.clock.Now()) {
			err = s.purge(ctx, e.key)
		}
		if err != nil && !fault.Is(err, fault.NotFound) && fault.CodeOf(err) != cache.CodeDamaged {
			return err
		}
	}
	keys, err := s.old.keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		e, err := s.look(key, false)
		if err == nil && e.gone(s.clock.Now()) {
			err = s.purge(ctx, key)
		}
		if err != nil && !fault.Is(err, fault.NotFound) && fault.CodeOf(err) != cache.CodeDamaged {
			return err
		}
	}
	return s.folder.Sweep(s.clock.Now().Add(-abandoned))
}

// Check reports whether the folder can be written to.
func (s *store) Check(ctx context.Context) error {
	if !s.folder.Exists() {
		return nil // nothing was stored yet
	}
	return s.alone(ctx, func() error { return nil })
}

// Close ends the background work and gives the folder back.
func (s *store) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	return s.folder.Close()
}

var (
	_ cache.Connector   = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
