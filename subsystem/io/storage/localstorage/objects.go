package localstorage

import (
	"context"
	"io"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// maxFile is the largest file of a record.
const maxFile = int64(headerStart+maxHeader+4+trailerSize) + storage.MaxObjectBytes

// opened is an object that was found: its header, and its body ready to be read.
type opened struct {
	header
	body io.ReadCloser
	size int64
	old  bool // it lies where the reference put it
}

func (o *opened) info() storage.Info {
	return storage.Info{Name: o.name, Size: o.size, Modified: o.modified, Expires: o.Expires, Metadata: o.Metadata}
}

// open finds an object. No object is [fault.NotFound]. The caller closes the body.
func (s *store) open(name string) (*opened, error) {
	file, err := s.objects.Open(fileOf(name), maxFile)
	switch {
	case fault.Is(err, fault.NotFound):
		return s.openOld(name)
	case unusable(err):
		return nil, storage.Damaged("%w", err)
	case err != nil:
		return nil, err
	}
	h, size, err := readHeader(file, file.Info().Size)
	switch {
	case err != nil:
	case h.name != name:
		err = storage.Damaged("the record is that of another object") // copied, or on a disk that ignores case
	case h.gone(s.clock.Now()):
		err = storage.Missing()
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return &opened{header: h, body: newBody(file, size), size: size}, nil
}

func (s *store) openOld(name string) (*opened, error) {
	h, size, err := s.oldHeader(name)
	if err != nil {
		return nil, err
	}
	file, err := s.root.Open(oldData+name, storage.MaxObjectBytes)
	if unusable(err) {
		return nil, storage.Damaged("%w", err)
	}
	if err != nil {
		return nil, err
	}
	return &opened{header: h, body: file, size: size, old: true}, nil
}

// unusable reports whether what lies at a place can be no object: no regular file, a link that leads out, or a size that
// no object has.
func unusable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.CodeOf(err) == disk.CodePathDenied
}

// current is open for an object that must have that generation.
func (s *store) current(name, generation string) (*opened, error) {
	o, err := s.open(name)
	if fault.Is(err, fault.NotFound) {
		return nil, storage.Changed()
	}
	if err != nil {
		return nil, err
	}
	if o.generation != generation {
		_ = o.body.Close() // nothing was written
		return nil, storage.Changed()
	}
	return o, nil
}

// verify checks that an object still has that generation, or that there still is none for "". old reports whether it
// lies where the reference put it. The caller is alone.
func (s *store) verify(name, generation string) (old bool, err error) {
	o, err := s.open(name)
	switch {
	case fault.Is(err, fault.NotFound):
		if generation != "" {
			return false, storage.Changed()
		}
		return false, nil
	case err != nil:
		return false, err
	}
	if err := o.body.Close(); err != nil {
		return false, err
	}
	if o.generation != generation {
		return false, storage.Changed()
	}
	return o.old, nil
}

// Rule implements [storage.Connector].
func (s *store) Rule(_ context.Context, name string) (storage.Ruling, error) {
	o, err := s.open(name)
	if err != nil {
		return storage.Ruling{}, err
	}
	return storage.Ruling{ACL: o.ACL, Generation: o.generation}, o.body.Close()
}

// Read implements [storage.Connector].
func (s *store) Read(_ context.Context, g access.Grant[access.Read], generation string) (*storage.Object, error) {
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return nil, err
	}
	return &storage.Object{Info: o.info(), Body: o.body}, nil
}

// Stat implements [storage.Connector].
func (s *store) Stat(_ context.Context, g access.Grant[access.Read], generation string) (storage.Info, error) {
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return storage.Info{}, err
	}
	return o.info(), o.body.Close()
}

// Write implements [storage.Connector].
func (s *store) Write(ctx context.Context, g access.Grant[access.Write], generation string, r storage.Record, body io.Reader) error {
	h := header{Record: r, name: g.Resource(), generation: generation}
	if generation == "" {
		h.generation = s.clock.NewID()
	}
	return s.replace(ctx, generation, h, body)
}

// replace puts a record in place of the object of that generation. The slow part is done before others have to wait.
func (s *store) replace(ctx context.Context, generation string, h header, body io.Reader) error {
	h.modified = s.clock.Now()
	w, err := s.objects.Writer(fileOf(h.name))
	if err != nil {
		return err
	}
	if err = writeRecord(w, h, body); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = s.alone(ctx, func() error {
			old, err := s.verify(h.name, generation)
			if err != nil {
				return err
			}
			if err := w.Commit(); err != nil {
				return err
			}
			if old {
				return s.removeOld(h.name)
			}
			return nil
		})
	}
	if err != nil {
		_ = w.Discard() // after Commit it does nothing, and before it the first error says more
	}
	return err
}

// Amend implements [storage.Connector].
func (s *store) Amend(ctx context.Context, g access.Grant[access.Write], generation string, c storage.Change) error {
	return s.rewrite(ctx, g.Resource(), generation, func(h *header) error {
		var err error
		h.Record, err = h.Record.Changed(c)
		return err
	})
}

// SetACL implements [storage.Connector].
func (s *store) SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	return s.rewrite(ctx, g.Resource(), generation, func(h *header) error {
		h.ACL, h.generation = acl, s.clock.NewID()
		return nil
	})
}

// rewrite changes the header of an object and keeps its bytes. Nobody else changes the object meanwhile.
func (s *store) rewrite(ctx context.Context, name, generation string, change func(*header) error) error {
	return s.alone(ctx, func() error {
		o, err := s.current(name, generation)
		if err != nil {
			return err
		}
		defer func() { _ = o.body.Close() }() // only read
		h := o.header
		if err := change(&h); err != nil {
			return err
		}
		h.modified = s.clock.Now()
		w, err := s.objects.Writer(fileOf(name))
		if err != nil {
			return err
		}
		if err := writeRecord(w, h, o.body); err != nil {
			_ = w.Discard() // the first error says more
			return err
		}
		if err := w.Commit(); err != nil {
			return err
		}
		if o.old {
			return s.removeOld(name)
		}
		return nil
	})
}

// Delete implements [storage.Connector]. The files of the reference go first: a record hides them, and they must not
// come to light again.
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	name := g.Resource()
	return s.alone(ctx, func() error {
		old, err := s.verify(name, generation)
		if err != nil {
			return err
		}
		if err := s.removeOld(name); err != nil || old {
			return err
		}
		return s.objects.Remove(fileOf(name))
	})
}

// purge removes an object whose time has passed, if it is still that one.
func (s *store) purge(ctx context.Context, name string) error {
	return s.alone(ctx, func() error {
		file, err := s.objects.Open(fileOf(name), maxFile)
		if err != nil {
			return err
		}
		h, _, err := readHeader(file, file.Info().Size)
		if cerr := file.Close(); err == nil {
			err = cerr
		}
		if err != nil || h.name != name || !h.gone(s.clock.Now()) {
			return err
		}
		if err := s.removeOld(name); err != nil {
			return err
		}
		return s.objects.Remove(fileOf(name))
	})
}
