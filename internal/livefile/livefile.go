// Package livefile keeps a file of the operator in memory, never more than a second old.
//
// Vaults and accounts are read on each call of a component, and an edit of their
// files must count without a restart. So the parsed file is kept and looked at
// again after a second. Nothing runs in the background. A file that cannot be
// read or parsed any more is an error, not the last good state: a right that was
// taken away by a broken edit must not live on.
package livefile

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sre-go/sre/effect"
)

// MaxAge is how old an answer of [File.Get] may be.
const MaxAge = time.Second

// File is a parsed file. It is safe for concurrent use.
type File[T any] struct {
	clock effect.Source
	read  func() ([]byte, error)
	parse func([]byte) (T, error)

	mu    sync.Mutex // held while the file is read
	state atomic.Pointer[state[T]]
}

type state[T any] struct {
	checked time.Time // before the file was read
	sum     [sha256.Size]byte
	value   T
	err     error
}

// New returns a file that is read by read and understood by parse. The result of parse is shared by all callers and must
// not change. The errors of both are passed on as they are.
func New[T any](clock effect.Source, read func() ([]byte, error), parse func([]byte) (T, error)) *File[T] {
	return &File[T]{clock: clock, read: read, parse: parse}
}

// Get returns what the file held at some moment of the last second. Errors are as fresh.
func (f *File[T]) Get(ctx context.Context) (T, error) {
	if st := f.state.Load(); st != nil && st.freshAt(f.clock.Now()) {
		return st.value, st.err
	}
	return f.refresh(ctx)
}

// Expire makes the next Get read the file: for who has just written it.
func (f *File[T]) Expire() {
	f.mu.Lock() // a refresh that began before the file was written must not outlive this
	defer f.mu.Unlock()
	f.state.Store(nil)
}

func (f *File[T]) refresh(ctx context.Context) (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := context.Cause(ctx); err != nil { // it may have taken long to get here
		var zero T
		return zero, err
	}
	now := f.clock.Now()
	old := f.state.Load()
	if old != nil && old.freshAt(now) {
		return old.value, old.err
	}
	next := &state[T]{checked: now}
	text, err := f.read()
	if err != nil {
		next.err = err
		f.state.Store(next)
		return next.value, err
	}
	next.sum = sha256.Sum256(text)
	if old != nil && old.err == nil && old.sum == next.sum {
		next.value = old.value
	} else {
		next.value, next.err = f.parse(text)
	}
	f.state.Store(next)
	return next.value, next.err
}

// freshAt is false for a clock that was set back, too.
func (s *state[T]) freshAt(now time.Time) bool {
	age := now.Sub(s.checked)
	return age >= 0 && age < MaxAge
}
