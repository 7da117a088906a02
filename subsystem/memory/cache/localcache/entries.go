package localcache

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// unusable reports whether what lies at a place can be no entry: no regular file, a link that leads out, or a size that
// no entry has.
func unusable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.CodeOf(err) == disk.CodePathDenied
}

// look finds what is stored under a key, whether or not its time has passed, without its value unless whole is set.
// Nothing is [cache.Missing]. An entry of the reference that goes while it is read may have become a record.
func (s *store) look(key string, whole bool) (*entry, error) {
	e, err := s.own(key, whole)
	if !fault.Is(err, fault.NotFound) {
		return e, err
	}
	owners, err := s.old.of(key)
	if err != nil {
		return nil, err
	}
	if len(owners) != 1 {
		return nil, cache.Missing()
	}
	e, err = s.old.read(owners[0], key, whole)
	if fault.Is(err, fault.NotFound) {
		return s.own(key, whole)
	}
	return e, err
}

// own reads the record of a key.
func (s *store) own(key string, whole bool) (*entry, error) {
	e, err := s.record(fileOf(key), whole)
	if err == nil && e.key != key {
		err = cache.Damaged("the record is that of another entry")
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// record reads a record. No file is [cache.Missing].
func (s *store) record(name string, whole bool) (*entry, error) {
	file, err := s.folder.Open(name, maxRecord())
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, cache.Missing()
	case unusable(err):
		return nil, cache.Damaged("%w", err)
	case err != nil:
		return nil, err
	}
	e, err := read(file, file.Info().Size, whole)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return e, err
}

// current is look for an entry that must be alive and have that generation.
func (s *store) current(key, generation string, whole bool) (*entry, error) {
	e, err := s.look(key, whole)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, cache.Changed()
	case err != nil:
		return nil, err
	case e.gone(s.clock.Now()) || e.generation != generation:
		return nil, cache.Changed()
	}
	return e, nil
}

// verify checks that an entry still has that generation, or that there still is none for "". The caller is alone.
func (s *store) verify(key, generation string) error {
	if generation != "" {
		_, err := s.current(key, generation, false)
		return err
	}
	e, err := s.look(key, false)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case !e.gone(s.clock.Now()):
		return cache.Changed()
	}
	return nil
}

// Rule implements [cache.Connector]. An entry whose time has passed is removed when it is met, so that it stays gone when
// the clock is set back.
func (s *store) Rule(ctx context.Context, key string) (cache.Ruling, error) {
	e, err := s.look(key, false)
	if err != nil {
		return cache.Ruling{}, err
	}
	if e.gone(s.clock.Now()) {
		if err := s.purge(ctx, key); err != nil {
			s.log.WarnContext(ctx, "cannot remove what has expired", "key", key, "error", err) // it is gone all the same
		}
		return cache.Ruling{}, cache.Missing()
	}
	return cache.Ruling{ACL: e.acl, Generation: e.generation}, nil
}

// Get implements [cache.Connector].
func (s *store) Get(_ context.Context, g access.Grant[access.Read], generation string) (cache.Entry, error) {
	e, err := s.current(g.Resource(), generation, true)
	if err != nil {
		return cache.Entry{}, err
	}
	v, err := value.Decode(e.text, cache.StoredLimits())
	if err != nil {
		return cache.Entry{}, cache.Damaged("value of %q: %w", e.key, err)
	}
	return cache.Entry{Value: v, Metadata: e.metadata, Expires: e.expires}, nil
}

// Set implements [cache.Connector]. The slow part is done before others have to wait.
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], generation string, r cache.Record) error {
	e := &entry{key: g.Resource(), acl: r.ACL, generation: generation, metadata: r.Metadata, expires: r.Expires}
	if generation == "" {
		e.generation = s.clock.NewID()
	}
	var err error
	if e.text, err = value.Encode(r.Value, cache.StoredLimits()); err != nil {
		return err
	}
	w, err := s.prepare(e)
	if err != nil {
		return err
	}
	err = s.alone(ctx, func() error {
		if err := s.verify(e.key, generation); err != nil {
			return err
		}
		return s.commit(w, e.key)
	})
	if err != nil {
		_ = w.Discard() // after Commit it does nothing, and before it the first error says more
	}
	return err
}

// prepare brings the record of an entry to the disk, where it waits to be committed.
func (s *store) prepare(e *entry) (writer, error) {
	b, err := encode(e)
	if err != nil {
		return nil, err
	}
	w, err := s.folder.Writer(fileOf(e.key))
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(b); err == nil {
		err = w.Flush()
	}
	if err != nil {
		_ = w.Discard() // the first error says more
		return nil, err
	}
	return w, nil
}

// commit puts a record in its place and removes what it hides. The caller is alone.
func (s *store) commit(w writer, key string) error {
	if err := w.Commit(); err != nil {
		return err
	}
	return s.old.remove(key)
}

// Amend implements [cache.Connector].
func (s *store) Amend(ctx context.Context, g access.Grant[access.Write], generation string, c cache.Change) error {
	return s.rewrite(ctx, g.Resource(), generation, func(e *entry) error {
		changed, err := cache.Entry{Metadata: e.metadata, Expires: e.expires}.Changed(c)
		e.metadata, e.expires = changed.Metadata, changed.Expires
		return err
	})
}

// SetACL implements [cache.Connector].
func (s *store) SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	return s.rewrite(ctx, g.Resource(), generation, func(e *entry) error {
		e.acl, e.generation = acl, s.clock.NewID()
		return nil
	})
}

// rewrite changes what stands beside a value. Nobody else changes the entry meanwhile.
func (s *store) rewrite(ctx context.Context, key, generation string, change func(*entry) error) error {
	return s.alone(ctx, func() error {
		e, err := s.current(key, generation, true)
		if err != nil {
			return err
		}
		if err := change(e); err != nil {
			return err
		}
		w, err := s.prepare(e)
		if err != nil {
			return err
		}
		if err := s.commit(w, key); err != nil {
			_ = w.Discard() // the first error says more
			return err
		}
		return nil
	})
}

// Delete implements [cache.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	key := g.Resource()
	return s.alone(ctx, func() error {
		if _, err := s.current(key, generation, false); err != nil {
			return err
		}
		return s.drop(key)
	})
}

// drop removes all files of a key. Those of the reference go first: a record hides them, and they must not come to light
// again. The caller is alone.
func (s *store) drop(key string) error {
	if err := s.old.remove(key); err != nil {
		return err
	}
	if err := s.folder.Remove(fileOf(key)); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

// purge removes an entry if there still is one and its time has passed.
func (s *store) purge(ctx context.Context, key string) error {
	return s.alone(ctx, func() error {
		e, err := s.look(key, false)
		switch {
		case fault.Is(err, fault.NotFound):
			return nil
		case err != nil || !e.gone(s.clock.Now()):
			return err
		}
		return s.drop(key)
	})
}
