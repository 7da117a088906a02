package localstorage

import (
	"context"
	"io"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// maxAlone is the largest body that is copied while others wait, in bytes.
const maxAlone = 1 << 20

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

// rewrite changes the header of an object and keeps its bytes. A small object is copied while nobody else changes it. A
// large one is copied before, and if somebody changed it meanwhile it is to be decided about again.
func (s *store) rewrite(ctx context.Context, name, generation string, change func(*header) error) error {
	o, err := s.current(name, generation)
	if err != nil {
		return err
	}
	size, err := o.size()
	if err == nil && size > maxAlone && !o.old {
		err = s.rewriteLarge(ctx, o, change)
		_ = o.close() // only read
		return err
	}
	_ = o.close() // only read
	if err != nil {
		return err
	}
	return s.alone(ctx, func() error {
		o, err := s.current(name, generation)
		if err != nil {
			return err
		}
		defer func() { _ = o.close() }() // only read
		w, err := s.copy(ctx, o, change)
		if err != nil {
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

func (s *store) rewriteLarge(ctx context.Context, o *opened, change func(*header) error) error {
	w, err := s.copy(ctx, o, change)
	if err != nil {
		return err
	}
	if err = w.Flush(); err == nil {
		err = s.alone(ctx, func() error {
			if o.gone(s.clock.Now()) || !o.file.Current() {
				return storage.Changed()
			}
			return w.Commit()
		})
	}
	if err != nil {
		_ = w.Discard() // after Commit it does nothing, and before it the first error says more
	}
	return err
}

// copy writes the record of an object anew, with another header.
func (s *store) copy(ctx context.Context, o *opened, change func(*header) error) (*disk.Writer, error) {
	h := o.header
	if err := change(&h); err != nil {
		return nil, err
	}
	h.modified = s.clock.Now()
	whole, err := o.part(storage.Range{})
	if err != nil {
		return nil, err
	}
	w, err := s.objects.Writer(fileOf(h.name))
	if err != nil {
		return nil, err
	}
	if err := writeRecord(w, h, until{ctx, whole}); err != nil {
		_ = w.Discard() // the first error says more
		return nil, err
	}
	return w, nil
}

// until reads until its context ends.
type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
