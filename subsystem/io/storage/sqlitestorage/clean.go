package sqlitestorage

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
)

// Few chunks are removed with the object they belonged to. Those that somebody reads at that time are removed by the writes
// that come after, a few each, and many are removed in transactions of their own.
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
	if !s.loose.Swap(false) {
		return nil
	}
	more, err := s.sweep(ctx, tx, limit)
	if more || err != nil {
		s.loose.Store(true)
	}
	return err
}

// sweep removes at most limit chunks and reports whether it stopped for that. It passes over what readers of this process
// still have open.
func (s *store) sweep(ctx context.Context, tx *sqlite.Tx, limit int64) (more bool, err error) {
	before := stamp(s.clock.Now().Add(-abandoned))
	for blob := int64(0); limit > 0; {
		var writing, since, sum int64
		err := tx.Row(ctx, nextLoose, []any{blob, before}, &blob, &writing, &since, &sum)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if looseSum(blob, writing, since) != sum {
			s.log.ErrorContext(ctx, "chunks of a removed object stay, as the note about them is damaged", "blob", blob)
			continue
		}
		if s.held.has(blob) {
			s.loose.Store(true) // for a later time
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

// clean removes objects whose time has passed, and all chunks that nobody needs any more. Damaged objects stay for the
// operator to look at.
func (s *store) clean(ctx context.Context) error {
	if !s.db.Exists() {
		return nil // nothing was stored yet
	}
	after := ""
	for {
		var r row
		err := s.db.Row(ctx, selectExpired, []any{s.now(), after}, r.dest()...)
		if fault.Is(err, fault.NotFound) {
			return s.collectAll(ctx)
		}
		if err != nil {
			return err
		}
		if after = r.name; r.rightsSum() != r.rights || r.contentSum() != r.content {
			continue
		}
		if err := s.removeExpired(ctx, r); err != nil {
			return err
		}
	}
}

// removeExpired removes an object whose time has passed, if it is still the same.
func (s *store) removeExpired(ctx context.Context, r row) error {
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		n, err := tx.Exec(ctx, deleteObject+" AND blob = ? AND content = ? AND generation = ?", r.name, r.blob, r.content, r.generation)
		if err != nil || n == 0 {
			return err
		}
		return s.loosen(ctx, tx, r.blob, false)
	})
}
