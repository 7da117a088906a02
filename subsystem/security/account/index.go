package account

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
)

// How old the index of tokens may be when somebody is let in by it, from which age on it is renewed in the background,
// and how often the last uses are written.
const (
	tokenAge   = time.Second
	tokenRenew = 400 * time.Millisecond
	tokenMarks = time.Minute
)

// index finds tokens by their hash in memory. It is never more than a second old when it is used: whoever finds it
// older waits for a new one. In a server that is busy nobody does, because it is renewed before in the background.
type index struct {
	clock effect.Source
	store Tokens
	log   *slog.Logger

	state atomic.Pointer[indexState]
	mu    sync.Mutex // held while the state is renewed

	wake   chan struct{} // asks the background for a look
	used   atomic.Bool   // a last use is not written yet
	marked time.Time     // when the last uses were written; for the background alone

	stop context.CancelFunc // of the background; nil when it never ran
	idle sync.WaitGroup
}

// indexState is the tokens of one moment. It does not change, except for the last uses.
type indexState struct {
	asked time.Time // before the connector was asked
	mark  string
	bySum map[Sum]*entry
	err   error
}

// entry is a token that can be shown.
type entry struct {
	Stored
	holder access.Candidate // whose standing in the team counts: the user, else the team
	agents map[string]bool  // nil for all of the team
	used   *usage           // shared with the entries of this token that come after
}

// usage is when a token was used last, in minutes.
type usage struct {
	minute  atomic.Int64
	written int64 // what the connector knows; for who writes it alone
}

func newIndex(clock effect.Source, store Tokens, log *slog.Logger) *index {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &index{clock: clock, store: store, log: log, wake: make(chan struct{}, 1)}
}

// find returns the token of a text and why it proves nothing, if so; a nil entry for an unknown one.
func (x *index) find(ctx context.Context, shown string) (*entry, string, error) {
	now := x.clock.Now()
	st := x.state.Load()
	if st == nil || !st.freshAt(now, tokenAge) {
		st = x.renew(ctx, tokenAge)
	} else if !st.freshAt(now, tokenRenew) {
		x.nudge()
	}
	if st.err != nil {
		return nil, "", st.err
	}
	sum := sumOf(shown)
	e := st.bySum[sum]
	if e == nil || subtle.ConstantTimeCompare(e.Sum[:], sum[:]) != 1 {
		return nil, "", nil
	}
	return e, e.reason(now), nil
}

// touch notes that a token was used.
func (x *index) touch(e *entry) {
	minute := x.clock.Now().Unix() / 60
	if e.used.minute.Load() < minute {
		e.used.minute.Store(minute)
		x.used.Store(true)
		x.nudge()
	}
}

// nudge asks the background to look, without waiting.
func (x *index) nudge() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// expire makes the next look ask the connector: for who has just changed a token.
func (x *index) expire() {
	x.mu.Lock() // a renewal that began before the change must not outlive this
	defer x.mu.Unlock()
	if old := x.state.Load(); old != nil {
		x.state.Store(&indexState{mark: old.mark, bySum: old.bySum, err: old.err}) // older than any age
	}
}

// renew returns a state younger than age. A caller that goes away does not take the answer from the others.
func (x *index) renew(ctx context.Context, age time.Duration) *indexState {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.clock.Now()
	old := x.state.Load()
	if old != nil && old.freshAt(now, age) {
		return old
	}
	mark := ""
	if old != nil && old.err == nil {
		mark = old.mark
	}
	next := &indexState{asked: now}
	set, err := x.store.LoadTokens(context.WithoutCancel(ctx), mark)
	switch {
	case err != nil:
		next.err = err
		if old != nil {
			next.bySum = old.bySum // for the last uses alone
		}
	case mark != "" && set.Mark == mark:
		next.mark, next.bySum = mark, old.bySum
	default:
		next.mark, next.bySum = set.Mark, entries(set.Tokens, old)
		if len(set.Damaged) > 0 {
			x.log.Error("API tokens are damaged, and refused", "tokens", strings.Join(set.Damaged, ", "))
		}
	}
	x.state.Store(next)
	return next
}

func entries(tokens []Stored, old *indexState) map[Sum]*entry {
	bySum := make(map[Sum]*entry, len(tokens))
	for _, t := range tokens {
		holder, err := access.Team(t.Team)
		if err == nil && t.User != "" {
			holder, err = access.User(t.User)
		}
		if err != nil {
			continue // no token of anybody
		}
		e := &entry{Stored: t, holder: holder, used: new(usage)}
		if len(t.Agents) > 0 {
			e.agents = make(map[string]bool, len(t.Agents))
			for _, id := range t.Agents {
				e.agents[id] = true
			}
		}
		if !t.Used.IsZero() {
			e.used.written = t.Used.Unix() / 60
			e.used.minute.Store(e.used.written)
		}
		if old != nil {
			if before := old.bySum[t.Sum]; before != nil {
				e.used = before.used
			}
		}
		bySum[t.Sum] = e
	}
	return bySum
}

// freshAt is false for a clock that was set back, too.
func (s *indexState) freshAt(now time.Time, limit time.Duration) bool {
	age := now.Sub(s.asked)
	return age >= 0 && age < limit
}

// start begins to renew in the background. It works only when it is nudged.
func (x *index) start(ctx context.Context) {
	ctx, x.stop = context.WithCancel(context.WithoutCancel(ctx))
	x.marked = x.clock.Now()
	x.idle.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-x.wake:
			}
			x.renew(ctx, tokenRenew)
			if now := x.clock.Now(); now.Sub(x.marked) >= tokenMarks {
				x.marked = now
				if err := x.flush(ctx); err != nil {
					x.log.Warn("the last uses of API tokens were not written", "error", err.Error())
				}
			}
		}
	})
}

// close ends the background and writes the last uses.
func (x *index) close(ctx context.Context) error {
	if x.stop == nil {
		return nil
	}
	x.stop()
	x.idle.Wait()
	return x.flush(ctx)
}

// flush writes the last uses that are not written yet.
func (x *index) flush(ctx context.Context) error {
	st := x.state.Load()
	if st == nil || st.err != nil || !x.used.Swap(false) {
		return nil
	}
	changed := make(map[*usage]int64)
	used := make(map[string]time.Time)
	for _, e := range st.bySum {
		if at := e.used.minute.Load(); at > e.used.written {
			changed[e.used], used[e.ID] = at, time.Unix(at*60, 0).UTC()
		}
	}
	if err := x.store.MarkTokens(ctx, used); err != nil {
		x.used.Store(true)
		return err
	}
	for u, at := range changed {
		u.written = at
	}
	return nil
}

// sorted returns tokens in the order they were made.
func sorted(tokens []Stored) []Stored {
	slices.SortStableFunc(tokens, func(a, b Stored) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return tokens
}
