package sqlitecache

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
)

// sweepEvery is how often expired entries are removed, and sweepStep how many at once, so that writers need not wait long.
const (
	sweepEvery = time.Minute
	sweepStep  = 500
)

// slack is the part of the budget that is freed beyond need, so that room is made for many entries at once.
const slack = 32

// makeRoom removes entries while all of them are over the budget, but not the one of the key that room is made for. That
// one is stored already: room is made also for a caller who does not wait any more.
func (s *store) makeRoom(ctx context.Context, keep string) error {
	if s.budget == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	var used int64
	err := s.db.Row(ctx, selectUsed, nil, &used)
	if fault.Is(err, fault.NotFound) || err == nil && used <= s.budget {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sqlite.Tx) error { return s.evict(ctx, tx, keep) })
}

// evict removes entries of who holds most at the time, the ones written longest ago first.
func (s *store) evict(ctx context.Context, tx *sqlite.Tx, keep string) error {
	target := s.budget
	for {
		var used int64
		if err := tx.Row(ctx, selectUsed, nil, &used); err != nil || used <= target {
			return err
		}
		target = s.budget - s.budget/slack // somebody was over: go below
		n, err := removeOldest(ctx, tx, keep)
		if err != nil || n == 0 {
			return err // nothing is left but the one that stays
		}
	}
}

// removeOldest removes one entry of who holds most, or, when that is only the one to keep, of the next.
func removeOldest(ctx context.Context, tx *sqlite.Tx, keep string) (int64, error) {
	for rank := range 2 {
		var maker string
		err := tx.Row(ctx, selectMost, []any{rank}, &maker)
		if fault.Is(err, fault.NotFound) {
			break
		}
		if err != nil {
			return 0, err
		}
		if n, err := tx.Exec(ctx, deleteOldest, maker, keep); err != nil || n > 0 {
			return n, err
		}
	}
	return 0, nil
}

// sweep removes what has expired, some at a time.
func (s *store) sweep(ctx context.Context) error {
	for {
		n, err := s.db.Exec(ctx, sweepExpired, s.now(), sweepStep)
		if err != nil || n < sweepStep {
			return err
		}
	}
}

// Start begins to remove expired entries, once a minute until Close.
func (s *store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		for s.clock.Sleep(ctx, sweepEvery) == nil {
			if !s.db.Exists() {
				continue // nothing was stored yet
			}
			if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "cannot remove what has expired", "error", err)
			}
		}
	})
	return nil
}

// Close ends the background work and closes the database.
func (s *store) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	return s.db.Close()
}
