package sqlitestorage

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
)

// Chunks that nobody needs any more are removed by the writes that come after, a few each, so that small objects cost no
// transaction of their own. Where more are left than that, they are removed at once.
const (
	smallSweep = 16 // chunks that a write removes
	largeSweep = 64 // chunks that one transaction removes when there are many
	manyBytes  = smallSweep * chunkSize
)

// abandoned is the age from which bytes that are being written are taken for left behind.
const abandoned = 24 * time.Hour

// tidy removes what nobody needs any more after so many bytes became free. That it could not is no failure of what was
// done before: it is tried again.
func (s *store) tidy(ctx context.Context, dropped int64) {
	if dropped <= manyBytes {
		return
	}
	if err := s.collectAll(context.WithoutCancel(ctx)); err != nil {
		s.log.WarnContext(ctx, "cannot remove what was replaced", "error", err)
	}
}

// collectAll removes all chunks that nobody needs any more, letting others write in between.
func (s *store) collectAll(ctx context.Context) error {
	for left := true; left; {
		err := s.db.Write(ctx, func(tx *sqlite.Tx) error {
			var err error
			left, err = s.sweep(ctx, tx, largeSweep)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// collect removes some chunks that nobody needs any more.
func (s *store) collect(ctx context.Context, tx *sqlite.Tx, limit int64) error {
	_, err := s.sweep(ctx, tx, limit)
	return err
}

// sweep removes at most limit chunks and reports whether it stopped for that. It passes over what readers of this process
// still have open.
func (s *store) sweep(ctx context.Context, tx *sqlite.Tx, limit int64) (more bool, err error) {
	before := stamp(s.clock.Now().Add(-abandoned))
	for blob := int64(0); limit > 0; {
		err := tx.Row(ctx, nextLoose, []any{blob, before}, &blob)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if s.held.has(blob) {
			continue
		}
		n, err := tx.Exec(ctx, deleteChunks, chunkID(blob, 0), chunkID(blob+1, 0), limit)
		if err != nil {
			return false, err
		}
		if limit -= n; limit == 0 {
			break // perhaps not all of it
		}
		if _, err := tx.Exec(ctx, deleteLoose, blob); err != nil {
			return false, err
		}
	}
	return true, nil
}

// clean removes objects whose time has passed, and all chunks that nobody needs any more.
func (s *store) clean(ctx context.Context) error {
	if !s.db.Exists() {
		return nil // nothing was stored yet
	}
	for left := true; left; {
		err := s.db.Write(ctx, func(tx *sqlite.Tx) error {
			var name string
			var blob int64
			err := tx.Row(ctx, selectExpired, []any{s.now()}, &name, &blob)
			if fault.Is(err, fault.NotFound) {
				left = false
				return nil
			}
			if err != nil {
				return err
			}
			return s.remove(ctx, tx, name, blob)
		})
		if err != nil {
			return err
		}
	}
	return s.collectAll(ctx)
}
