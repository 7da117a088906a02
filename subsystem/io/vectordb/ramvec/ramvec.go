// Package ramvec keeps vectors in the memory of the process.
//
// A search looks at every chunk of a namespace, so it finds the nearest ones and not merely near ones. It works on what
// was there when it began and keeps nobody from writing meanwhile. What is kept is bounded and gone with the process.
package ramvec

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
)

// LimitBytes is the name of the limit on all that one connector keeps.
const LimitBytes = "ram_vectors_bytes"

type settings struct {
	Embeddings vectordb.Embedding `json:"embeddings" doc:"How texts become vectors."`
	MaxBytes   int                `json:"maxBytes" sre:"default=1073741824,min=1" doc:"Bytes that all texts and vectors together may take."`
}

// Definition returns the connector "RAMVec".
func Definition() connector.Definition {
	return connector.Define(vectordb.Kind, "RAMVec", "Keeps vectors in memory until the runtime closes.",
		func(_ context.Context, _ connector.Env, s settings) (vectordb.Connector, error) {
			return &store{embedding: s.Embeddings, budget: s.MaxBytes, owners: make(map[access.Candidate]map[string]*namespace)}, nil
		})
}

// store implements [vectordb.Connector].
type store struct {
	embedding vectordb.Embedding
	budget    int

	mu     sync.RWMutex
	owners map[access.Candidate]map[string]*namespace // by name; none of them is empty
	used   int                                        // bytes
}

// namespace is one namespace. It is changed under the lock of the store only.
type namespace struct {
	vectordb.Namespace
	byID  map[string]*source
	order []*source // as they were put; what a reader has of it is never written again
}

// Embedding implements [vectordb.Connector].
func (s *store) Embedding() vectordb.Embedding { return s.embedding }

// find returns a namespace, nil when there is none. The caller holds the lock.
func (s *store) find(at vectordb.Address) *namespace { return s.owners[at.Owner][at.Namespace] }

// CreateNamespace implements [vectordb.Connector].
func (s *store) CreateNamespace(_ context.Context, g access.Grant[access.Write], ns vectordb.Namespace) error {
	at := vectordb.At(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(at) != nil {
		return fault.Newf(fault.Conflict, "there is a namespace of that name")
	}
	if err := s.take(sizeOf(ns)); err != nil {
		return err
	}
	if s.owners[at.Owner] == nil {
		s.owners[at.Owner] = make(map[string]*namespace)
	}
	s.owners[at.Owner][at.Namespace] = &namespace{Namespace: ns, byID: make(map[string]*source)}
	return nil
}

// Namespace implements [vectordb.Connector].
func (s *store) Namespace(_ context.Context, g access.Grant[access.Read]) (vectordb.Namespace, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ns := s.find(vectordb.At(g))
	if ns == nil {
		return vectordb.Namespace{}, vectordb.Missing()
	}
	return ns.Namespace, nil
}

// Namespaces implements [vectordb.Connector].
func (s *store) Namespaces(_ context.Context, g access.Grant[access.Read], after string) iter.Seq2[vectordb.Namespace, error] {
	s.mu.RLock()
	all := make([]vectordb.Namespace, 0, len(s.owners[vectordb.At(g).Owner]))
	for name, ns := range s.owners[vectordb.At(g).Owner] {
		if name > after {
			all = append(all, ns.Namespace)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b vectordb.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return each(all)
}

// each gives what there is, without an error.
func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// DeleteNamespace implements [vectordb.Connector].
func (s *store) DeleteNamespace(_ context.Context, g access.Grant[access.Write]) error {
	at := vectordb.At(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.find(at)
	if ns == nil {
		return vectordb.Missing()
	}
	delete(s.owners[at.Owner], at.Namespace)
	if len(s.owners[at.Owner]) == 0 {
		delete(s.owners, at.Owner)
	}
	s.used -= sizeOf(ns.Namespace)
	for _, src := range ns.order {
		s.used -= src.size
	}
	return nil
}

// take counts bytes, when there is room for them. The caller holds the lock.
func (s *store) take(n int) error {
	if n > s.budget-s.used {
		err := fault.Limitf(LimitBytes, "%d bytes more are over the limit of %d for all vectors in memory", n, s.budget)
		return fault.Hint(err, "delete sources or namespaces, raise maxBytes of the VectorDB connector, or use one that keeps vectors on disk")
	}
	s.used += n
	return nil
}

// Put implements [vectordb.Connector].
func (s *store) Put(_ context.Context, g access.Grant[access.Write], generation string, of vectordb.Source, chunks []vectordb.Chunk) error {
	src := newSource(of, chunks)
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.find(vectordb.At(g))
	if ns == nil || ns.Generation != generation {
		return vectordb.Changed()
	}
	before := ns.byID[of.ID]
	size := src.size
	if before != nil {
		size -= before.size
	}
	if err := s.take(size); err != nil {
		return err
	}
	if before != nil {
		ns.order = without(ns.order, before)
	}
	ns.byID[of.ID], ns.order = src, append(ns.order, src)
	return nil
}

// without returns a copy of a list without one of its entries.
func without(all []*source, one *source) []*source {
	out := make([]*source, 0, len(all))
	for _, s := range all {
		if s != one {
			out = append(out, s)
		}
	}
	return out
}

// Source implements [vectordb.Connector].
func (s *store) Source(_ context.Context, g access.Grant[access.Read], id string) (vectordb.Source, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ns := s.find(vectordb.At(g)); ns != nil && ns.byID[id] != nil {
		return ns.byID[id].shown(true), nil
	}
	return vectordb.Source{}, vectordb.Missing()
}

// Sources implements [vectordb.Connector].
func (s *store) Sources(_ context.Context, g access.Grant[access.Read], after string) iter.Seq2[vectordb.Source, error] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ns := s.find(vectordb.At(g))
	if ns == nil {
		return func(yield func(vectordb.Source, error) bool) { yield(vectordb.Source{}, vectordb.Missing()) }
	}
	var all []vectordb.Source
	for _, id := range slices.Sorted(maps.Keys(ns.byID)) {
		if id > after {
			all = append(all, ns.byID[id].shown(false))
		}
	}
	return each(all)
}

// DeleteSource implements [vectordb.Connector].
func (s *store) DeleteSource(_ context.Context, g access.Grant[access.Write], id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.find(vectordb.At(g))
	if ns == nil || ns.byID[id] == nil {
		return vectordb.Missing()
	}
	src := ns.byID[id]
	delete(ns.byID, id)
	ns.order = without(ns.order, src)
	s.used -= src.size
	return nil
}

var _ vectordb.Connector = (*store)(nil)
