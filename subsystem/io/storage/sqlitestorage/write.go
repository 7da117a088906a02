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
	u := &upload{body: in}
	err := u.fill()
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
		_, err := tx.Exec(ctx, insertLoose, u.blob, 1, s.now())
		u.used = true // perhaps: abandon looks
		return err
	})
}

// finish writes the last batch and the object, and returns how many bytes nobody needs any more.
func (s *store) finish(ctx context.Context, name, generation string, r storage.Record, u *upload) (dropped int64, err error) {
	err = s.db.Write(ctx, func(tx *sqlite.Tx) error {
		old, err := s.replaced(ctx, tx, name, generation)
		if err != nil {
			return err
		}
		if err := s.collect(ctx, tx, smallSweep); err != nil {
			return err
		}
		if err := u.flush(ctx, tx); err != nil {
			return err
		}
		next := row{name: name, generation: generation, modified: s.now(), size: u.size, blob: u.blob}
		if generation == "" {
			next.generation = s.clock.NewID()
		}
		next.set(r)
		next.seal()
		if _, err := tx.Exec(ctx, upsertObject, next.values()...); err != nil {
			return err
		}
		if u.used {
			if n, err := tx.Exec(ctx, deleteLoose, u.blob); err != nil || n != 1 {
				return lostUpload(err)
			}
		}
		if old.blob == 0 {
			return nil
		}
		dropped = old.size
		_, err = tx.Exec(ctx, insertLoose, old.blob, 0, s.now())
		return err
	})
	return dropped, err
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
func (s *store) replaced(ctx context.Context, tx *sqlite.Tx, name, generation string) (row, error) {
	if generation != "" {
		return s.current(ctx, tx, name, generation)
	}
	var old row
	err := tx.Row(ctx, selectObject, []any{name}, old.dest()...)
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
	if _, err := s.db.Exec(ctx, "UPDATE loose SET writing = 0 WHERE blob = ?", u.blob); err != nil {
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
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		r, err := s.current(ctx, tx, name, generation)
		if err != nil {
			return err
		}
		ruling, err := r.ruling()
		if err != nil {
			return err
		}
		info, err := r.info()
		if err != nil {
			return err
		}
		if err := edit(&r, storage.Record{ACL: ruling.ACL, Metadata: info.Metadata, Expires: info.Expires}); err != nil {
			return err
		}
		r.modified = s.now()
		r.seal()
		_, err = tx.Exec(ctx, upsertObject, r.values()...)
		return err
	})
}

// Delete implements [storage.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	name := g.Resource()
	var dropped int64
	err := s.db.Write(ctx, func(tx *sqlite.Tx) error {
		r, err := s.current(ctx, tx, name, generation)
		if err != nil {
			return err
		}
		dropped = r.size
		return s.remove(ctx, tx, name, r.blob)
	})
	if err == nil {
		s.tidy(ctx, dropped)
	}
	return err
}

// remove removes an object and lets its chunks go.
func (s *store) remove(ctx context.Context, tx *sqlite.Tx, name string, blob int64) error {
	if _, err := tx.Exec(ctx, deleteObject, name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, insertLoose, blob, 0, s.now())
	return err
}
