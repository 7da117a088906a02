package localstorage

import (
	"context"
	"io"
	"iter"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// Verify implements [storage.Verifier]: it reads every object to its end.
func (s *store) Verify(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range s.names("", "") {
			if err == nil {
				err = s.readThrough(ctx, name)
			}
			switch {
			case err == nil, fault.Is(err, fault.NotFound): // well, or gone meanwhile
			case fault.CodeOf(err) == storage.CodeDamaged:
				if !yield(name, err) {
					return
				}
			default:
				yield("", err)
				return
			}
		}
	}
}

// readThrough reads one object and forgets it.
func (s *store) readThrough(ctx context.Context, name string) error {
	o, err := s.open(name)
	if err != nil {
		return err
	}
	defer func() { _ = o.close() }() // only read
	whole, err := o.part(storage.Range{})
	if err == nil {
		_, err = io.Copy(io.Discard, until{ctx, whole})
	}
	return err
}

var _ storage.Verifier = (*store)(nil)
