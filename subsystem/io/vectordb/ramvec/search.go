package ramvec

import (
	"context"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

// source is one text with the vectors of its chunks. It is never changed.
type source struct {
	vectordb.Source
	chunks []vectordb.Chunk
	norms  []float64 // of the vectors
	size   int       // bytes
}

// perEntry is what a source, a chunk or a namespace takes beside its texts and numbers, in bytes.
const perEntry = 256

func newSource(of vectordb.Source, chunks []vectordb.Chunk) *source {
	s := &source{Source: of, chunks: chunks, norms: make([]float64, len(chunks))}
	s.size = perEntry + len(of.ID) + len(of.Label) + len(of.Text) + of.Metadata.Footprint()
	for i, c := range chunks {
		s.norms[i] = vectordb.Norm(c.Vector)
		s.size += perEntry + 2*len(c.ID) + len(c.Text) + 4*len(c.Vector)
	}
	return s
}

func sizeOf(ns vectordb.Namespace) int { return perEntry + len(ns.Name) + ns.Metadata.Footprint() }

// shown is what a caller gets, with the text or without it.
func (s *source) shown(text bool) vectordb.Source {
	out := s.Source
	out.Chunks = slices.Clone(out.Chunks)
	if !text {
		out.Text = ""
	}
	return out
}

// lookEvery is how many vectors a search compares before it looks whether somebody still waits for it.
const lookEvery = 256

// Search implements [vectordb.Connector].
func (s *store) Search(ctx context.Context, g access.Grant[access.Read], generation string, q vectordb.Query) ([]vectordb.Match, error) {
	s.mu.RLock()
	var order []*source
	ns := s.find(vectordb.At(g))
	there := ns != nil && ns.Generation == generation
	if there {
		order = ns.order
	}
	s.mu.RUnlock()
	if !there {
		return nil, vectordb.Changed()
	}
	type place struct {
		source *source
		chunk  int
	}
	best, norm, seen := vectordb.NewNearest[place](q), vectordb.Norm(q.Vector), 0
	for _, src := range order {
		for i := range src.chunks {
			if seen++; seen%lookEvery == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			best.Add(vectordb.CosineOf(q.Vector, src.chunks[i].Vector, norm, src.norms[i]), place{src, i})
		}
	}
	out := make([]vectordb.Match, 0, len(best.Found()))
	for _, f := range best.Found() {
		src, c := f.Of.source, f.Of.source.chunks[f.Of.chunk]
		out = append(out, vectordb.Match{ID: c.ID, Source: src.ID, Label: src.Label, Text: c.Text, Metadata: src.Metadata, Score: f.Score})
	}
	return out, nil
}
