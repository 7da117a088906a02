package sqlitestorage

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

func (s *store) now() int64 { return stamp(s.clock.Now()) }

// Rule implements [storage.Connector].
func (s *store) Rule(ctx context.Context, name string) (storage.Ruling, error) {
	if !s.db.Exists() {
		return storage.Ruling{}, storage.Missing()
	}
	s.recent.Forget(name)
	var r row
	err := s.db.Row(ctx, selectObject, []any{name}, r.dest()...)
	switch {
	case fault.Is(err, fault.NotFound):
		return storage.Ruling{}, storage.Missing()
	case err != nil:
		return storage.Ruling{}, err
	}
	ruling, err := r.ruling()
	switch {
	case err != nil:
		return storage.Ruling{}, err
	case gone(r.expires, s.now()):
		return storage.Ruling{}, storage.Missing()
	}
	s.remember(r, ruling)
	return ruling, nil
}

// asker is the database or a transaction in it.
type asker interface {
	Row(ctx context.Context, query string, args []any, dest ...any) error
}

// current returns the row of an object that must have that generation.
func (s *store) current(ctx context.Context, db asker, name, generation string) (row, error) {
	var r row
	err := db.Row(ctx, selectObject, []any{name}, r.dest()...)
	return r, s.mustBe(&r, generation, err)
}

// mustBe checks a row that was read, with err, for an object that must have that generation.
func (s *store) mustBe(r *row, generation string, err error) error {
	switch {
	case fault.Is(err, fault.NotFound):
		return storage.Changed()
	case err != nil:
		return err
	}
	ruling, err := r.ruling()
	switch {
	case err != nil:
		return err
	case ruling.Generation != generation || gone(r.expires, s.now()):
		return storage.Changed()
	}
	return nil
}

// Stat implements [storage.Connector].
func (s *store) Stat(ctx context.Context, g access.Grant[access.Read], generation string) (storage.Info, error) {
	name := g.Resource()
	if !s.db.Exists() {
		return storage.Info{}, storage.Changed()
	}
	r, err := s.current(ctx, s.db, name, generation)
	if err != nil {
		return storage.Info{}, err
	}
	return r.info()
}

// Read implements [storage.Connector]. The body ends with ctx.
func (s *store) Read(ctx context.Context, g access.Grant[access.Read], generation string, part storage.Range) (*storage.Object, error) {
	name := g.Resource()
	if !s.db.Exists() {
		return nil, storage.Changed()
	}
	var r row
	var sum *int64
	var data []byte
	first := max(part.Offset, 0) / chunkSize
	release, err := s.held.open(func() (int64, error) {
		r, sum, data = row{}, nil, nil
		err := s.db.Row(ctx, selectPart, []any{first, name}, append(r.dest(), &sum, &data)...)
		return r.blob, s.mustBe(&r, generation, err)
	})
	if err != nil {
		return nil, err
	}
	info, err := r.info()
	var offset, length int64
	if err == nil {
		offset, length, err = part.Of(info.Size)
	}
	if err != nil {
		release()
		return nil, err
	}
	b := &body{
		store: s, ctx: ctx, name: name, blob: r.blob, size: info.Size, release: release,
		next: offset / chunkSize, skip: offset % chunkSize, left: length,
	}
	if sum != nil && length > 0 {
		if err := b.take(data, *sum); err != nil {
			b.err = err
		}
	}
	return &storage.Object{Info: info, Body: b}, nil
}
