package localstorage

import (
	"context"
	"iter"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// List implements [storage.Connector], in the order of the files. Objects whose time has passed are removed on the way.
func (s *store) List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[storage.Item, error] {
	prefix := storage.Prefix(g)
	return func(yield func(storage.Item, error) bool) {
		for name, err := range s.names(prefix, after) {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
			o, err := s.open(name)
			if fault.Is(err, fault.NotFound) {
				// Expired or deleted meanwhile. That it could not be removed now is no failure of the listing.
				_ = s.purge(ctx, name)
				continue
			}
			var info storage.Info
			if err == nil {
				info, err = o.info()
				if cerr := o.close(); err == nil {
					err = cerr
				}
			}
			if fault.CodeOf(err) == storage.CodeDamaged {
				s.log.ErrorContext(ctx, "a damaged object is left out of a listing", "object", name, "error", err)
				continue
			}
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
			if !yield(storage.Item{Info: info, ACL: o.ACL}, nil) {
				return
			}
		}
	}
}

// names gives the names of records and of the reference's objects in the order of the files, each once.
func (s *store) names(prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		old, err := s.oldNames(prefix)
		if err != nil {
			yield("", err)
			return
		}
		from := ""
		if after != "" {
			from = fileOf(after)
		}
		for len(old) > 0 && from != "" && disk.Compare(fileOf(old[0]), from) <= 0 {
			old = old[1:]
		}
		for file, err := range s.objects.Walk(prefixOf(prefix), from) {
			if err != nil {
				yield("", err)
				return
			}
			name, ok := nameOf(file)
			if !ok {
				continue
			}
			for len(old) > 0 && disk.Compare(fileOf(old[0]), file) < 0 {
				if !yield(old[0], nil) {
					return
				}
				old = old[1:]
			}
			if len(old) > 0 && old[0] == name {
				old = old[1:]
			}
			if !yield(name, nil) {
				return
			}
		}
		for _, name := range old {
			if !yield(name, nil) {
				return
			}
		}
	}
}
