package sqlitestorage

import (
	"context"
	"io"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// Write implements [storage.Connector]. All but the last batch of a large object goes to the disk before, in transactions
// of its own, so that a slow body keeps nobody from writing.
func (s *store) Write(ctx context.Context, g access.Grant[access.Write], generation string, r storage.Record, in io.Reader) error {
	name := g.Resource()
	u := &upload{body: in, rooms: &s.rooms}
	defer u.done()
	err := u.fill()
	if err == nil {
		u.blob, err = s.newBlob(ctx)
	}
	for err == nil && !u.end {
		if err = s.stage(ctx, u); err == nil {
			err = u.fill()
		}
	}
	var dropped int64
	if err == nil {
		dropped, err = s.finish(ctx, name, generation, r, u)
	}
	if err != nil {
		s.loose.Store(true) // what a transaction that was undone would have removed
		s.abandon(ctx, u)
		return err
	}
	s.tidy(ctx, dropped)
	return nil
}

// stage brings a batch to the disk, where it belongs to no object.
func (s *store) stage(ctx context.Context, u *upload) error {
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		if err := u.flush(ctx, tx); err != nil {
			return err
		}
		u.used = true // perhaps: abandon does no harm
		return s.loosen(ctx, tx, u.blob, true)
	})
}

// finish writes the last batch and the object, and returns how many bytes were let go for others to remove.
func (s *store) finish(ctx context.Context, name, generation string, r storage.Record, u *upload) (dropped int64, err error) {
	before, err := s.before(ctx, name, generation)
	if err != nil {
		return 0, err
	}
	next := row{name: name, generation: generation, modified: s.now(), size: u.size, blob: u.blob}
	if generation == "" {
		next.generation = s.clock.NewID()
	}
	next.set(r)
	next.seal()
	removing := int64(0)
	defer func() {
		if removing != 0 {
			s.held.removed(removing)
		}
		if err == nil {
			s.remember(next, storage.Ruling{ACL: r.ACL, Generation: next.generation})
		} else {
			s.recent.Forget(name)
		}
	}()
	err = s.db.Write(ctx, func(tx *sqlite.Tx) error {
		if err := s.collect(ctx, tx, smallSweep); err != nil {
			return err
		}
		old, err := s.put(ctx, tx, before, next, generation)
		if err != nil {
			return err
		}
		if removing, dropped, err = s.letGo(ctx, tx, old); err != nil { // first: what comes takes its place in the file
			return err
		}
		if err := u.flush(ctx, tx); err != nil {
			return err
		}
		if u.used {
			if n, err := tx.Exec(ctx, deleteLoose, u.blob); err != nil || n != 1 {
				return lostUpload(err)
			}
		}
		return nil
	})
	return dropped, err
}

// before returns the row that a write is to replace, one whose blob is 0 when there is none: the one that was there not long
// ago, when it is of that generation. What is there by the time of the write, [store.put] finds out.
func (s *store) before(ctx context.Context, name, generation string) (row, error) {
	if known, ok := s.recent.Get(name); ok && known.row.generation == generation && !gone(known.row.expires, s.now()) {
		return known.row, nil
	}
	if !s.db.Exists() {
		return row{name: name}, nil
	}
	return s.replaced(ctx, s.db, name, generation)
}

// put stores a row in place of the one that was seen before the transaction, and returns which one it replaced: another
// one, when somebody came in between who left the generation.
func (s *store) put(ctx context.Context, tx *sqlite.Tx, before, next row, generation string) (row, error) {
	for range 2 { // the second time nobody comes in between
		var n int64
		var err error
		if before.blob == 0 {
			n, err = tx.Exec(ctx, insertObject, next.values()...)
		} else {
			n, err = tx.Exec(ctx, updateObject, append(next.values(), before.name, before.generation, before.blob, before.content)...)
		}
		if err != nil || n == 1 {
			return before, err
		}
		if before, err = s.replaced(ctx, tx, next.name, generation); err != nil {
			return row{}, err
		}
	}
	return row{}, storage.Changed()
}

// letGo removes the chunks of an object that is no more, when they are few and nobody reads them, and returns the blob of
// which [holds.removed] is to be told when the transaction has ended. Otherwise it leaves them to others, and returns how
// many bytes they are.
func (s *store) letGo(ctx context.Context, tx *sqlite.Tx, old row) (removing, dropped int64, err error) {
	switch {
	case old.blob == 0:
		return 0, 0, nil
	case old.contentSum() != old.content:
		return 0, 0, nil // who knows whose they are
	case old.size <= manyBytes && s.held.remove(old.blob):
		_, err := tx.Exec(ctx, deleteBlob, chunkID(old.blob, 0), chunkID(old.blob+1, 0))
		return old.blob, 0, err
	}
	return 0, old.size, s.loosen(ctx, tx, old.blob, false)
}

// lostUpload is the error of a write whose bytes were taken for left behind, as it took more than a day.
func lostUpload(err error) error {
	if err != nil {
		return err
	}
	return fault.Newf(fault.Timeout, "the bytes of the object took too long to arrive")
}

// replaced returns the row that a write replaces, one whose blob is 0 when there is none. It checks the generation. The
// object it replaces may be damaged in all but its rights.
func (s *store) replaced(ctx context.Context, db asker, name, generation string) (row, error) {
	if generation != "" {
		return s.current(ctx, db, name, generation)
	}
	var old row
	err := db.Row(ctx, selectObject, []any{name}, old.dest()...)
	switch {
	case fault.Is(err, fault.NotFound):
		return row{}, nil
	case err != nil:
		return row{}, err
	}
	if _, err := old.ruling(); err != nil {
		return row{}, err
	}
	if !gone(old.expires, s.now()) {
		return row{}, storage.Changed()
	}
	return old, nil
}

// abandon lets go what a write that failed has brought to the disk, also when the caller does not wait any more. What
// cannot be removed now is removed later.
func (s *store) abandon(ctx context.Context, u *upload) {
	if !u.used {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.db.Write(ctx, func(tx *sqlite.Tx) error { return s.loosen(ctx, tx, u.blob, false) }); err != nil {
		s.log.WarnContext(ctx, "cannot remove the bytes of a write that failed", "error", err)
		return
	}
	s.tidy(ctx, u.size)
}

// Amend implements [storage.Connector].
func (s *store) Amend(ctx context.Context, g access.Grant[access.Write], generation string, c storage.Change) error {
	return s.change(ctx, g.Resource(), generation, func(r *row, rec storage.Record) error {
		rec, err := rec.Changed(c)
		if err == nil {
			r.set(rec)
		}
		return err
	})
}

// SetACL implements [storage.Connector].
func (s *store) SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	return s.change(ctx, g.Resource(), generation, func(r *row, _ storage.Record) error {
		r.acl, r.generation = acl.String(), s.clock.NewID()
		return nil
	})
}

// change changes the row of an object and leaves its bytes.
func (s *store) change(ctx context.Context, name, generation string, edit func(*row, storage.Record) error) error {
	defer s.recent.Forget(name)
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		old, err := s.current(ctx, tx, name, generation)
		if err != nil {
			return err
		}
		ruling, err := old.ruling()
		if err != nil {
			return err
		}
		info, err := old.info()
		if err != nil {
			return err
		}
		next := old
		if err := edit(&next, storage.Record{ACL: ruling.ACL, Metadata: info.Metadata, Expires: info.Expires}); err != nil {
			return err
		}
		next.modified = s.now()
		next.seal()
		_, err = s.put(ctx, tx, old, next, generation)
		return err
	})
}

// Delete implements [storage.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	name := g.Resource()
	var removing, dropped int64
	defer func() {
		s.recent.Forget(name)
		if removing != 0 {
			s.held.removed(removing)
		}
	}()
	err := s.db.Write(ctx, func(tx *sqlite.Tx) error {
		old, err := s.current(ctx, tx, name, generation)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteObject, name); err != nil {
			return err
		}
		removing, dropped, err = s.letGo(ctx, tx, old)
		return err
	})
	if err == nil {
		s.tidy(ctx, dropped)
	}
	return err
}
