package sqlitevec

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

// place is where a chunk lies.
type place struct{ chunk, source, place int64 }

// Search implements [vectordb.Connector]. What it returns is as it was at one moment.
func (s *store) Search(ctx context.Context, g access.Grant[access.Read], generation string, q vectordb.Query) (list []vectordb.Match, err error) {
	if !s.db.Exists() {
		return nil, vectordb.Changed()
	}
	err = s.db.Read(ctx, func(v *sqlite.View) error {
		ns, _, err := s.still(ctx, v, vectordb.At(g), generation)
		if err != nil {
			return err
		}
		found, err := s.nearest(ctx, v, ns, q)
		if err == nil {
			list, err = matches(ctx, v, ns, found)
		}
		return err
	})
	return list, err
}

// lookEvery is how many vectors are compared before a search looks whether somebody still waits for it.
const lookEvery = 256

// nearest compares every vector of a namespace.
func (s *store) nearest(ctx context.Context, view *sqlite.View, ns namespaceRow, q vectordb.Query) ([]vectordb.Scored[place], error) {
	best, norm := vectordb.NewNearest[place](q), vectordb.Norm(q.Vector)
	if v := s.kept.get(ns.id, ns.changes); v != nil {
		for n, at := range v.places {
			if n%lookEvery == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			best.Add(vectordb.CosineOf(q.Vector, v.at(n), norm, v.norms[n]), at)
		}
		return best.Found(), nil
	}
	all := &vectors{dimensions: int(ns.dimensions)}
	err := read(ctx, view, ns, func(at place, length float64, v []float32) {
		best.Add(vectordb.CosineOf(q.Vector, v, norm, length), at)
		if all.size() <= s.kept.budget {
			all.add(at, length, v)
		}
	})
	if err != nil {
		return nil, err
	}
	s.kept.put(ns.id, ns.changes, all) // when it is over the budget it is not kept
	return best.Found(), nil
}

// read gives each vector of a namespace, which is good until the next one.
func read(ctx context.Context, view *sqlite.View, ns namespaceRow, each func(at place, norm float64, v []float32)) error {
	v := make([]float32, ns.dimensions)
	var damaged *place
	for rows, err := range view.Rows(ctx, selectVectors, ns.id) {
		var at place
		var norm float64
		var sum int64
		var data []byte
		if err == nil {
			err = rows.Scan(&at.chunk, &at.source, &at.place, &norm, &sum, &data)
		}
		if err != nil {
			return err
		}
		if vectorSum(ns.id, at.source, at.place, norm, data) != sum || !unpack(data, v) {
			damaged = &at
			break
		}
		each(at, norm, v)
	}
	if damaged != nil {
		return damagedChunk(ctx, view, *damaged)
	}
	return nil
}

// damagedChunk names the source that a damaged chunk is of.
func damagedChunk(ctx context.Context, view *sqlite.View, at place) error {
	var r sourceRow
	if err := view.Row(ctx, sourceByID, []any{at.source}, r.dest()...); err != nil {
		return vectordb.Damaged("the vector of chunk %d of a source that is not there is damaged: make the namespace again", at.place)
	}
	return vectordb.Damaged("the vector of chunk %d of the source %q is damaged: insert the source again or delete it", at.place, r.name)
}

// matches reads what was found.
func matches(ctx context.Context, view *sqlite.View, ns namespaceRow, found []vectordb.Scored[place]) ([]vectordb.Match, error) {
	out := make([]vectordb.Match, 0, len(found))
	sources := make(map[int64]vectordb.Source)
	for _, f := range found {
		of, known := sources[f.Of.source]
		if !known {
			var r sourceRow
			err := view.Row(ctx, sourceByID, []any{f.Of.source}, r.dest()...)
			if err == nil {
				of, err = r.source()
			}
			if err != nil {
				return nil, err
			}
			sources[f.Of.source] = of
		}
		var sum int64
		var text string
		if err := view.Row(ctx, selectText, []any{f.Of.chunk}, &sum, &text); err != nil {
			return nil, err
		}
		if textSum(ns.id, f.Of.source, f.Of.place, text) != sum || f.Of.place < 0 || f.Of.place >= int64(len(of.Chunks)) {
			return nil, damagedSource(of.ID, nil)
		}
		out = append(out, vectordb.Match{
			ID: strings.Clone(of.Chunks[f.Of.place]), Source: of.ID, Label: of.Label, Text: text, Metadata: of.Metadata, Score: f.Score,
		})
	}
	return out, nil
}
