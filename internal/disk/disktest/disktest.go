// Package disktest has folders whose disk fails at a chosen step, for tests of what keeps small files.
//
// A test makes the n-th step fail, for each n until none is left, and checks after each what is on the disk. For folders of
// large files see [disk.Folder.Faulty].
package disktest

import (
	"errors"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Small is a machine whose small folders fail at one step, as a full disk does: before the step is done or after it. Steps
// are to open, to lock, to read and to write. Its zero value does not fail. It is safe for concurrent use.
type Small struct {
	mu    sync.Mutex
	left  int // steps until one fails; none does when it is not above 0
	after bool
	steps int
}

// Arm lets the n-th step from now fail, after it was done or instead of it; with 0 none fails.
func (s *Small) Arm(n int, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.after, s.steps = n, after, 0
}

// Steps returns how many there were since the last call of [Small.Arm].
func (s *Small) Steps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps
}

// Open opens a folder; see [disk.OpenSmall].
func (s *Small) Open(dir string, create bool) (f disk.Small, err error) {
	err = s.do(func() error { f, err = disk.OpenSmall(dir, create); return err })
	if err != nil && f != nil {
		return nil, errors.Join(err, f.Close())
	}
	return folder{f, s}, err
}

func (s *Small) do(step func() error) error {
	s.mu.Lock()
	s.steps++
	s.left--
	fails, after := s.left == 0, s.after
	s.mu.Unlock()
	if fails && !after {
		return full()
	}
	err := step()
	if fails && err == nil {
		return full()
	}
	return err
}

func full() error {
	return &fault.Error{Kind: fault.Unavailable, Code: disk.CodeStorageFull, Err: errors.New("no space left on device")}
}

type folder struct {
	disk.Small
	of *Small
}

func (f folder) Read(name string, limit int64) (text []byte, exposed bool, err error) {
	err = f.of.do(func() error { text, exposed, err = f.Small.Read(name, limit); return err })
	return text, exposed, err
}

func (f folder) WriteAtomic(name string, text []byte) error {
	return f.of.do(func() error { return f.Small.WriteAtomic(name, text) })
}

func (f folder) Lock(name string) (unlock func() error, err error) {
	err = f.of.do(func() error { unlock, err = f.Small.Lock(name); return err })
	if err != nil && unlock != nil {
		return nil, errors.Join(err, unlock())
	}
	return unlock, err
}
