package localcache

import (
	"context"
	"iter"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// folder is what a store asks of the disk. Tests put one in between that fails.
type folder interface {
	Exists() bool
	Open(name string, limit int64) (*disk.File, error)
	Read(name string, limit int64) ([]byte, error)
	Stat(name string) (disk.Info, error)
	Writer(name string) (writer, error)
	Remove(name string) error
	Walk(prefix, after string) iter.Seq2[string, error]
	Lock(name string) (*disk.Lock, error)
	Sweep(before time.Time) error
	Close() error
}

// writer is a [disk.Writer].
type writer interface {
	Write(p []byte) (int, error)
	Flush() error
	Commit() error
	Discard() error
}

// onDisk is the real folder.
type onDisk struct{ *disk.Folder }

// Writer starts a new content for name.
func (f onDisk) Writer(name string) (writer, error) {
	w, err := f.Folder.Writer(name)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// lockFile is the lock between processes.
const lockFile = ".lock"

// The pauses between attempts at the lock, and how long they may take in all.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
	maxWait    = 10 * time.Second
)

// alone runs do while nobody else, in this process or another, changes entries.
func (s *store) alone(ctx context.Context, do func() error) error {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	lock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	err = do()
	if lock != nil {
		if uerr := lock.Unlock(); err == nil {
			err = uerr
		}
	}
	return err
}

// lock waits for the lock between processes. It is nil on a system without such locks, where one process at a time is up
// to the operator.
func (s *store) lock(ctx context.Context) (*disk.Lock, error) {
	waited := time.Duration(0)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		lock, err := s.folder.Lock(lockFile)
		switch {
		case err == nil:
			return lock, nil
		case fault.Is(err, fault.Unsupported):
			return nil, nil
		case !fault.Is(err, fault.Conflict):
			return nil, err
		}
		if waited += pause; waited > maxWait {
			return nil, fault.Newf(fault.Unavailable, "another process does not let go of the cache folder: %w", err)
		}
		if err := s.clock.Sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}
