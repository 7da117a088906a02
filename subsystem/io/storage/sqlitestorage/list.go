package sqlitestorage

import (
	"context"
	"iter"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// pageRows is how many rows are read at once: whoever gets them may take their time, and keeps no connection.
const pageRows = 200

// rows gives the rows whose names begin with prefix and come after a name, in the order of the bytes of the names.
func (s *store) rows(ctx context.Context, prefix, after string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		if !s.db.Exists() {
			return
		}
		for {
			page, err := s.page(ctx, prefix, after)
			if err != nil {
				yield(row{}, err)
				return
			}
			for _, r := range page {
				if !strings.HasPrefix(r.name, prefix) || !yield(r, nil) {
					return
				}
				after = r.name
			}
			if len(page) < pageRows {
				return
			}
		}
	}
}

func (s *store) page(ctx context.Context, prefix, after string) ([]row, error) {
	var page []row
	for rows, err := range s.db.Rows(ctx, listObjects, prefix, after, pageRows) {
		if err != nil {
			return nil, err
		}
		var r row
		if err := rows.Scan(r.dest()...); err != nil {
			return nil, fault.Newf(fault.Unavailable, "a row cannot be read: %w", err)
		}
		page = append(page, r)
	}
	return page, nil
}

// List implements [storage.Connector], in the order of the bytes of the names. Damaged objects are left out and named in
// the log.
func (s *store) List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[storage.Item, error] {
	prefix := storage.Prefix(g)
	return func(yield func(storage.Item, error) bool) {
		for r, err := range s.rows(ctx, prefix, after) {
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
			ruling, err := r.ruling()
			if err == nil && gone(r.expires, s.now()) {
				continue
			}
			var info storage.Info
			if err == nil {
				info, err = r.info()
			}
			if err != nil {
				s.log.ErrorContext(ctx, "a damaged object is left out of a listing", "object", r.name, "error", err)
				continue
			}
			if !yield(storage.Item{Info: info, ACL: ruling.ACL}, nil) {
				return
			}
		}
	}
}

// Verify implements [storage.Verifier]: it checks the file as a whole, and reads every object to its end.
func (s *store) Verify(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if !s.db.Exists() {
			return
		}
		whole := s.db.Verify(ctx)
		if whole != nil && (!yield("", whole) || fault.CodeOf(whole) != storage.CodeDamaged) {
			return
		}
		for r, err := range s.rows(ctx, "", "") {
			if err != nil {
				if whole == nil {
					yield("", err) // otherwise it was said that the file is damaged
				}
				return
			}
			err := s.readThrough(ctx, &r)
			switch {
			case err == nil, fault.Is(err, fault.Conflict): // well, or replaced meanwhile
			case fault.CodeOf(err) == storage.CodeDamaged:
				if !yield(r.name, err) {
					return
				}
			default:
				yield("", err)
				return
			}
		}
	}
}

// readThrough checks the rights, the description and all bytes of one object.
func (s *store) readThrough(ctx context.Context, r *row) error {
	if _, err := r.ruling(); err != nil {
		return err
	}
	info, err := r.info()
	if err != nil {
		return err
	}
	b := &body{store: s, ctx: ctx, name: r.name, blob: r.blob, size: info.Size, left: info.Size}
	for err == nil {
		err = b.load()
	}
	if b.left == 0 {
		return nil
	}
	return err
}
