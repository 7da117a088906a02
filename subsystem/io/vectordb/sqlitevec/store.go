package sqlitevec

import (
	"context"
	"iter"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

// CreateNamespace implements [vectordb.Connector].
func (s *store) CreateNamespace(ctx context.Context, g access.Grant[access.Write], ns vectordb.Namespace) error {
	at := vectordb.At(g)
	r := namespaceRow{
		owner: at.Owner.String(), name: at.Namespace, generation: ns.Generation, model: ns.Model, dimensions: int64(ns.Dimensions),
		created: ns.Created.UnixNano(),
	}
	var err error
	if r.metadata, err = encode(ns.Metadata); err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, insertNamespace, r.owner, r.name, r.generation, r.model, r.dimensions, r.metadata, r.created, r.sumOf())
	if err == nil && n == 0 {
		err = fault.Newf(fault.Conflict, "there is a namespace of that name")
	}
	return err
}

// asker is the database or a transaction in it.
type asker interface {
	Row(ctx context.Context, query string, args []any, dest ...any) error
}

// find returns the row of a namespace, and what it says. None is [vectordb.Missing].
func (s *store) find(ctx context.Context, db asker, at vectordb.Address) (namespaceRow, vectordb.Namespace, error) {
	var r namespaceRow
	if !s.db.Exists() {
		return r, vectordb.Namespace{}, vectordb.Missing()
	}
	err := db.Row(ctx, selectNamespace, []any{at.Owner.String(), at.Namespace}, r.dest()...)
	switch {
	case fault.Is(err, fault.NotFound):
		return r, vectordb.Namespace{}, vectordb.Missing()
	case err != nil:
		return r, vectordb.Namespace{}, err
	}
	ns, err := r.namespace()
	return r, ns, err
}

// still is find for a namespace that must have that generation.
func (s *store) still(ctx context.Context, db asker, at vectordb.Address, generation string) (namespaceRow, vectordb.Namespace, error) {
	r, ns, err := s.find(ctx, db, at)
	if fault.Is(err, fault.NotFound) || err == nil && ns.Generation != generation {
		err = vectordb.Changed()
	}
	return r, ns, err
}

// Namespace implements [vectordb.Connector].
func (s *store) Namespace(ctx context.Context, g access.Grant[access.Read]) (vectordb.Namespace, error) {
	_, ns, err := s.find(ctx, s.db, vectordb.At(g))
	return ns, err
}

// Namespaces implements [vectordb.Connector].
func (s *store) Namespaces(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[vectordb.Namespace, error] {
	return listed(ctx, s.db, listNamespaces, []any{vectordb.At(g).Owner.String(), after}, func(scan func(...any) error) (vectordb.Namespace, error) {
		var r namespaceRow
		if err := scan(r.dest()...); err != nil {
			return vectordb.Namespace{}, err
		}
		return r.namespace()
	})
}

// listed gives the rows of a query. A row that is damaged ends it.
func listed[T any](ctx context.Context, db *sqlite.DB, query string, args []any, read func(scan func(...any) error) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if !db.Exists() {
			return
		}
		for rows, err := range db.Rows(ctx, query, args...) {
			var one T
			if err == nil {
				one, err = read(rows.Scan)
			}
			if !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// DeleteNamespace implements [vectordb.Connector].
func (s *store) DeleteNamespace(ctx context.Context, g access.Grant[access.Write]) error {
	at := vectordb.At(g)
	if !s.db.Exists() {
		return vectordb.Missing()
	}
	var id int64
	err := s.db.Write(ctx, func(tx *sqlite.Tx) error {
		return tx.Row(ctx, deleteNamespace, []any{at.Owner.String(), at.Namespace}, &id)
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return vectordb.Missing()
	case err != nil:
		return err
	}
	s.kept.forget(id)
	return nil
}

// Put implements [vectordb.Connector].
func (s *store) Put(ctx context.Context, g access.Grant[access.Write], generation string, of vectordb.Source, chunks []vectordb.Chunk) error {
	at := vectordb.At(g)
	metadata, err := encode(of.Metadata)
	if err != nil {
		return err
	}
	if !s.db.Exists() {
		return vectordb.Changed()
	}
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		ns, _, err := s.still(ctx, tx, at, generation)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, countChange, ns.id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteSource, ns.id, of.ID); err != nil {
			return err
		}
		r := sourceRow{
			namespace: ns.id, name: of.ID, label: of.Label, metadata: metadata, size: int64(of.Size), overlap: int64(of.Overlap),
			bytes: int64(of.Bytes), created: of.Created.UnixNano(), chunks: strings.Join(of.Chunks, "\n"),
		}
		err = tx.Row(ctx, insertSource, []any{
			r.namespace, r.name, r.label, r.metadata, r.size, r.overlap, r.bytes, r.created, r.chunks, r.sumOf(), textSum(ns.id, 0, whole, of.Text), of.Text,
		}, &r.id)
		for i := 0; i < len(chunks) && err == nil; i++ {
			err = putChunk(ctx, tx, r, int64(i), chunks[i])
		}
		return err
	})
}

func putChunk(ctx context.Context, tx *sqlite.Tx, r sourceRow, place int64, c vectordb.Chunk) error {
	norm, data := vectordb.Norm(c.Vector), pack(c.Vector)
	_, err := tx.Exec(ctx, insertChunk,
		r.namespace, r.id, place, norm, vectorSum(r.namespace, r.id, place, norm, data), data, textSum(r.namespace, r.id, place, c.Text), c.Text)
	return err
}

// Source implements [vectordb.Connector].
func (s *store) Source(ctx context.Context, g access.Grant[access.Read], id string) (vectordb.Source, error) {
	ns, _, err := s.find(ctx, s.db, vectordb.At(g))
	if err != nil {
		return vectordb.Source{}, err
	}
	var r sourceRow
	var sum int64
	var text string
	err = s.db.Row(ctx, selectSource, []any{ns.id, id}, append(r.dest(), &sum, &text)...)
	switch {
	case fault.Is(err, fault.NotFound):
		return vectordb.Source{}, vectordb.Missing()
	case err != nil:
		return vectordb.Source{}, err
	}
	out, err := r.source()
	if err == nil && textSum(r.namespace, 0, whole, text) != sum {
		err = damagedSource(id, nil)
	}
	if err != nil {
		return vectordb.Source{}, err
	}
	out.Text = text
	return out, nil
}

// Sources implements [vectordb.Connector].
func (s *store) Sources(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[vectordb.Source, error] {
	ns, _, err := s.find(ctx, s.db, vectordb.At(g))
	if err != nil {
		return func(yield func(vectordb.Source, error) bool) { yield(vectordb.Source{}, err) }
	}
	return listed(ctx, s.db, listSources, []any{ns.id, after}, func(scan func(...any) error) (vectordb.Source, error) {
		var r sourceRow
		if err := scan(r.dest()...); err != nil {
			return vectordb.Source{}, err
		}
		return r.source()
	})
}

// DeleteSource implements [vectordb.Connector].
func (s *store) DeleteSource(ctx context.Context, g access.Grant[access.Write], id string) error {
	if !s.db.Exists() {
		return vectordb.Missing()
	}
	return s.db.Write(ctx, func(tx *sqlite.Tx) error {
		ns, _, err := s.find(ctx, tx, vectordb.At(g))
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, deleteSource, ns.id, id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return vectordb.Missing()
		}
		_, err = tx.Exec(ctx, countChange, ns.id)
		return err
	})
}
