// Package localstorage keeps objects in a folder of the machine.
//
// An object is one file that holds its bytes, metadata and ACL, so they cannot disagree: a write replaces all of them at
// once or changes nothing, and survives a loss of power once it was acknowledged. Damage is found by checksums; what is
// damaged is refused to everybody and everything else goes on. Folders of the reference are read as they are.
//
// Several processes may use one folder. They take turns for the last moment of a write, by a lock of the system.
package localstorage

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
	"github.com/sre-go/sre/subsystem/io/storage"
)

type settings struct {
	Folder string `json:"folder" doc:"Folder of the objects; made when something is stored. The default is \"storage\" in the data folder of the runtime."`
}

// Definition returns the connector "LocalStorage".
func Definition() connector.Definition {
	return connector.Define(storage.Kind, "LocalStorage", "Keeps files in a folder of this machine.", open)
}

// store implements [storage.Connector].
type store struct {
	root    *disk.Folder // what the settings name
	objects *disk.Folder // records
	clock   effect.Source
	log     *slog.Logger
	turn    chan struct{} // holds one token: who takes it may change files

	stop       context.CancelFunc // of the background work; nil before Start
	background sync.WaitGroup
}

// cleanEvery is how often objects whose time has passed are removed.
const cleanEvery = time.Hour

// abandoned is the age from which the temporary file of a write is taken for left behind.
const abandoned = 24 * time.Hour

func open(_ context.Context, env connector.Env, s settings) (storage.Connector, error) {
	dir := s.Folder
	if dir == "" {
		if env.Dir == "" {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "there is no data folder"), "set the folder of LocalStorage")
		}
		dir = filepath.Join(env.Dir, "storage")
	}
	root := disk.Later(dir)
	objects, err := root.SubLater(objectsFolder)
	if err != nil {
		return nil, err
	}
	st := &store{root: root, objects: objects, clock: env.Effects, log: env.Log, turn: make(chan struct{}, 1)}
	if st.log == nil {
		st.log = slog.New(slog.DiscardHandler)
	}
	st.turn <- struct{}{}
	return st, nil
}

// Check reports whether the folder can be written to.
func (s *store) Check(ctx context.Context) error {
	if !s.root.Exists() {
		return nil // nothing was stored yet
	}
	return s.alone(ctx, func() error { return nil })
}

// Close ends the background work and gives the folders back. Open bodies can be read on.
func (s *store) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	err := s.objects.Close()
	if cerr := s.root.Close(); err == nil {
		err = cerr
	}
	return err
}

// lockFile is the lock between processes.
const lockFile = ".lock"

// The pauses between attempts at the lock, and how long they may take in all.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
	maxWait    = 10 * time.Second
)

// alone runs do while nobody else, in this process or another, changes files.
func (s *store) alone(ctx context.Context, do func() error) error {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	lock, err := s.root.Lock(lockFile)
	waited := time.Duration(0)
	for pause := firstPause; fault.Is(err, fault.Conflict); pause = min(2*pause, lastPause) {
		if waited += pause; waited > maxWait {
			return fault.Newf(fault.Unavailable, "another process does not let go of the storage folder: %w", err)
		}
		if serr := s.clock.Sleep(ctx, pause); serr != nil {
			return serr
		}
		lock, err = s.root.Lock(lockFile)
	}
	switch {
	case fault.Is(err, fault.Unsupported):
		return do() // a system without such locks: one process at a time is up to the operator
	case err != nil:
		return err
	}
	err = do()
	if uerr := lock.Unlock(); err == nil {
		err = uerr
	}
	return err
}

var (
	_ storage.Connector = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
