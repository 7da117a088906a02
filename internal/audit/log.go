// Package audit keeps a record of what was refused, and of secrets before they
// are handed out.
//
// Records are lines of JSON in files that only grow. Each holds the hash of the
// one before, over all files, so that a line that was changed, moved, removed or
// put in is found by [Verify]; the last record is also noted in a file of its
// own, so that a cut end is missed. Who can write all files can still make up
// another past: keep the hash of the head elsewhere where that matters.
//
// The promise: when [Log.Record] returns nil the record was given to the
// operating system, so it survives the end of the process; it is on the disk at
// most a tenth of a second later, and when Close has returned. A record that
// cannot be written is an error, and what it allows must not be done. A part of
// the disk is kept in reserve: when it is full, secrets are no longer handed out
// while refusals can still be recorded for a while, and all goes on by itself
// once there is room again.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/secret"
)

// Options say how a Log works. Folder and Effects are required.
type Options struct {
	Folder   string // path of the folder, which is made with the first record
	MaxBytes int64  // size after which another file is begun; 0 for the default
	MaxFiles int    // how many files are kept, at least 2; 0 for all
	Effects  effect.Source
	Secrets  *secret.Registry // what is taken out of the names of resources; nil for nothing
	Log      *slog.Logger     // nil for none
}

// Log writes the audit. Several may write to one folder at once, also in several processes. It is safe for concurrent
// use. It starts a goroutine with the first record; Close waits for it.
type Log struct {
	options Options
	store   store

	mu     sync.Mutex // held shortly, to collect
	next   *batch
	stop   func() // ends listening
	closed bool

	writing sync.Mutex // held while records are written
	tail    tail
	low     bool  // the reserve is used up: only refusals are recorded
	why     error // it is
	tried   time.Time
	lost    int     // refusals that could not be recorded
	failed  error   // of the last attempt to write, nil when it worked
	known   head    // the last record that was seen
	notes   []Entry // of the audit about itself, to be written with the next records

	syncing sync.Mutex // held while the file is flushed
	flush   file       // another handle on the file of tail, for flushing alone
	dirty   bool       // guarded by writing
	looping bool       // guarded by writing
	unsafe  error      // of the last flush; guarded by writing
	work    sync.WaitGroup
	end     context.CancelFunc
	until   context.Context // of the goroutine
}

// batch is what is written at once.
type batch struct {
	items []*item
	done  bool // guarded by writing
}

// item is one record on its way.
type item struct {
	entry Entry
	must  bool // a refusal: it may use the reserve
	err   error
}

// New returns the audit of a folder. It touches no file.
func New(o Options) *Log {
	return newLog(o, folder{disk.Later(o.Folder)})
}

func newLog(o Options, s store) *Log {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Log{options: o, store: s, next: &batch{}}
	l.until, l.end = context.WithCancel(context.Background())
	return l
}

// Listen records what is refused from now on, as the bus tells it, until Close.
func (l *Log) Listen(bus *event.Bus) {
	stop := event.On(bus, func(ctx context.Context, d access.Decision) {
		if !d.Allowed {
			_ = l.add(ctx, d, true) // what is refused stays refused; Check tells that it was not recorded
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = stop
}

// Record writes a decision and returns when it is written. An error says that it is not: what was decided must not be
// done then.
func (l *Log) Record(ctx context.Context, d access.Decision) error {
	return l.add(ctx, d, !d.Allowed)
}

// Check returns why records cannot be written now, nil when they can. It looks whether what was wrong is over.
func (l *Log) Check(context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.low {
		l.restore()
	}
	if l.failed != nil || l.unsafe != nil {
		l.failed = l.locked(l.follow)
	}
	switch {
	case l.low:
		return l.full()
	case l.failed != nil:
		return fmt.Errorf("records cannot be written: %w", l.failed)
	case l.unsafe != nil:
		return fmt.Errorf("records were written, but may not be on the disk: %w", l.unsafe)
	}
	return nil
}

// Close stops listening, brings everything to the disk and gives the folder back. Records after it are refused. A second
// Close does nothing.
func (l *Log) Close(context.Context) error {
	l.mu.Lock()
	closed, stop := l.closed, l.stop
	l.closed, l.stop = true, nil
	l.mu.Unlock()
	if closed {
		return nil
	}
	if stop != nil {
		stop()
	}
	l.writing.Lock()
	l.end() // from now on nobody starts the goroutine
	l.writing.Unlock()
	l.work.Wait()
	l.writing.Lock()
	defer l.writing.Unlock()
	return errors.Join(l.bring(), l.forget(), l.store.close())
}

// add writes one decision, together with those of others that came meanwhile.
func (l *Log) add(ctx context.Context, d access.Decision, must bool) error {
	it := &item{entry: l.entryOf(ctx, d), must: must}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return fault.Newf(fault.Unavailable, "the audit is closed")
	}
	b := l.next
	b.items = append(b.items, it)
	l.mu.Unlock()

	l.writing.Lock()
	defer l.writing.Unlock()
	if !b.done {
		l.mu.Lock()
		l.next = &batch{}
		l.mu.Unlock()
		l.write(b)
		b.done = true
	}
	return it.err
}

// entryOf describes a decision.
func (l *Log) entryOf(ctx context.Context, d access.Decision) Entry {
	acting := access.ActingOf(ctx)
	e := Entry{Operation: clip(d.Operation), Level: clip(d.Level), Resource: d.Resource, Rule: clip(string(d.Rule)), Allowed: d.Allowed, Run: clip(d.Run)}
	if d.Candidate.IsZero() {
		d.Candidate = acting.Candidate // the door to the network knows nobody else
	}
	if !d.Candidate.IsZero() {
		e.Who = d.Candidate.String()
	}
	switch {
	case d.Candidate == acting.Candidate:
		e.Team = acting.Team
	case d.Candidate.Role() == access.RoleTeam:
		e.Team = d.Candidate.ID()
	}
	if e.Run == "" {
		e.Run = clip(acting.Run)
	}
	if s := l.options.Secrets; !s.Empty() {
		for _, r := range s.All() {
			e.Resource = r.Text(e.Resource)
		}
	}
	e.Resource = clip(e.Resource)
	return e
}
