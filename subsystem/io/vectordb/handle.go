package vectordb

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is the namespaces of one owner as one candidate sees them. It is safe for concurrent use.
//
// Errors: a refusal is [fault.Denied]; a name, an id or a text that cannot be one is [fault.Invalid]; no namespace is
// [fault.NotFound] with a message that names it; what is too large is [fault.Limit]. Errors of the model keep their kind.
type Handle struct {
	service   *Service
	candidate access.Candidate
	team      bool // the namespaces of the candidate's team instead of its own
}

// Bounds of what is kept.
const (
	// LimitTextBytes and LimitChunks are the names of the limits on one source.
	LimitTextBytes = "vectordb_text_bytes"
	LimitChunks    = "vectordb_chunks"

	MaxTextBytes = 16 << 20
	MaxChunks    = 20_000
	MaxTopK      = 1000 // of a search
	MaxPage      = 1000 // entries of a listing

	maxName     = 128      // bytes of the name of a namespace
	maxID       = 256      // bytes of the id of a source
	maxLabel    = 1 << 10  // bytes
	maxMetadata = 64 << 10 // bytes, as JSON
)

// maxTries bounds how often an operation begins anew because its namespace was replaced meanwhile.
const maxTries = 4

// Page says which part of a listing is wanted. The zero Page is the first one, of the largest size.
type Page struct {
	After string // Next of the page before, "" for the first
	Limit int    // at most [MaxPage]; 0 for that
}

// Listing is one page of a listing.
type Listing[T any] struct {
	Items []T
	Next  string // After of the next page, "" when this is the last
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// OfTeam returns the namespaces of the candidate's team, as the candidate sees them. The team is looked up for each
// operation.
func (h *Handle) OfTeam() *Handle {
	return &Handle{service: h.service, candidate: h.candidate, team: true}
}

// CreateNamespace makes a namespace, with the model that is configured. One that is there stays as it is.
func (h *Handle) CreateNamespace(ctx context.Context, name string, metadata value.Value) error {
	const op = "vectordb.create-namespace"
	g, at, err := authorize[access.Write](ctx, h, op, name)
	if err != nil {
		return err
	}
	if err := checkMetadata(metadata); err != nil {
		return h.wrap(op, at.Namespace, err)
	}
	if err := h.service.conn.CreateNamespace(ctx, g, h.fresh(at, metadata)); err != nil && !fault.Is(err, fault.Conflict) {
		return h.wrap(op, at.Namespace, err)
	}
	return nil
}

// fresh is a namespace that is not there yet.
func (h *Handle) fresh(at Address, metadata value.Value) Namespace {
	e := h.service.conn.Embedding()
	return Namespace{
		Name: at.Namespace, Generation: h.service.effects.NewID(), Model: e.Model, Dimensions: e.Dimensions,
		Metadata: metadata, Created: h.service.effects.Now(),
	}
}

// Namespace returns a namespace, and false when there is none.
func (h *Handle) Namespace(ctx context.Context, name string) (Namespace, bool, error) {
	const op = "vectordb.namespace"
	g, at, err := authorize[access.Read](ctx, h, op, name)
	if err != nil {
		return Namespace{}, false, err
	}
	ns, err := h.service.conn.Namespace(ctx, g)
	if fault.Is(err, fault.NotFound) {
		return Namespace{}, false, nil
	}
	return ns, err == nil, h.wrap(op, at.Namespace, err)
}

// Namespaces lists the namespaces of the owner, sorted by name.
func (h *Handle) Namespaces(ctx context.Context, p Page) (Listing[Namespace], error) {
	const op = "vectordb.namespaces"
	g, _, err := grant[access.Read](ctx, h, op, "")
	if err != nil {
		return Listing[Namespace]{}, err
	}
	out, err := page(ctx, p, h.service.conn.Namespaces(ctx, g, p.After), func(ns Namespace) string { return ns.Name })
	return out, h.wrap(op, "", err)
}

// DeleteNamespace removes a namespace with all that is in it. Nothing to remove is no error.
func (h *Handle) DeleteNamespace(ctx context.Context, name string) error {
	const op = "vectordb.delete-namespace"
	g, at, err := authorize[access.Write](ctx, h, op, name)
	if err != nil {
		return err
	}
	if err := h.service.conn.DeleteNamespace(ctx, g); !fault.Is(err, fault.NotFound) {
		return h.wrap(op, at.Namespace, err)
	}
	return nil
}

// Document is a text to be kept.
type Document struct {
	ID       string      // letters, digits, "-", "_", "." and ":"; "" for a fresh one
	Text     string      // not empty
	Label    string      // "" for "Untitled"
	Metadata value.Value // whatever belongs to it; absent for none
	Size     int         // of a chunk at most, in UTF-16 code units; 0 for what is configured
	Overlap  int         // of two chunks at most; it counts when Size is given
	Create   bool        // make the namespace when it is not there, as soon as the model has made the vectors
}

// Insert keeps a text: it is cut, its chunks become vectors, and all of it takes the place of what had its id before. When
// something fails nothing has changed.
func (h *Handle) Insert(ctx context.Context, namespace string, d Document) (Source, error) {
	const op = "vectordb.insert"
	g, at, err := authorize[access.Write](ctx, h, op, namespace)
	if err != nil {
		return Source{}, err
	}
	s, pieces, err := h.source(d)
	if err != nil {
		return Source{}, h.wrap(op, at.Namespace, err)
	}
	err = h.within(ctx, op, at, d.Create, func(ns Namespace, there bool) error {
		vectors, err := h.vectors(ctx, ns, pieces)
		if err != nil {
			return err
		}
		chunks := make([]Chunk, len(pieces))
		for i, piece := range pieces {
			chunks[i] = Chunk{ID: s.Chunks[i], Text: piece, Vector: vectors[i]}
		}
		if !there {
			err = h.service.conn.CreateNamespace(ctx, g, ns)
			if fault.Is(err, fault.Conflict) {
				return errChanged // somebody else has made it
			}
		}
		if err != nil {
			return err
		}
		return h.service.conn.Put(ctx, g, ns.Generation, s, chunks)
	})
	if err != nil {
		return Source{}, err
	}
	s.Chunks = slices.Clone(s.Chunks) // the others are the connector's
	return s, nil
}

// source checks a document and makes the record and the chunks of it.
func (h *Handle) source(d Document) (Source, []string, error) {
	if d.ID == "" {
		d.ID = h.service.effects.NewID()
	}
	if err := ValidID(d.ID); err != nil {
		return Source{}, nil, err
	}
	switch {
	case strings.TrimSpace(d.Text) == "":
		return Source{}, nil, fault.Newf(fault.Invalid, "there is no text to keep")
	case len(d.Text) > MaxTextBytes:
		return Source{}, nil, fault.Limitf(LimitTextBytes, "text of %d bytes is over the limit of %d", len(d.Text), MaxTextBytes)
	case len(d.Label) > maxLabel:
		return Source{}, nil, fault.Newf(fault.Invalid, "a label has at most %d bytes", maxLabel)
	}
	if err := checkMetadata(d.Metadata); err != nil {
		return Source{}, nil, err
	}
	if d.Size == 0 {
		e := h.service.conn.Embedding()
		d.Size, d.Overlap = e.Size, e.Overlap
	}
	pieces, err := split(d.Text, d.Size, d.Overlap)
	if err != nil {
		return Source{}, nil, err
	}
	s := Source{
		ID: d.ID, Label: cmp.Or(d.Label, "Untitled"), Text: d.Text, Metadata: d.Metadata, Chunks: make([]string, len(pieces)),
		Size: d.Size, Overlap: d.Overlap, Bytes: len(d.Text), Created: h.service.effects.Now(),
	}
	for i := range s.Chunks {
		s.Chunks[i] = d.ID + "_" + h.service.effects.NewID()
	}
	return s, pieces, nil
}

// Source returns a source, and false when there is none.
func (h *Handle) Source(ctx context.Context, namespace, id string) (Source, bool, error) {
	const op = "vectordb.source"
	g, at, err := authorize[access.Read](ctx, h, op, namespace)
	if err != nil {
		return Source{}, false, err
	}
	if err := ValidID(id); err != nil {
		return Source{}, false, h.wrap(op, at.Namespace, err)
	}
	s, err := h.service.conn.Source(ctx, g, id)
	if fault.Is(err, fault.NotFound) {
		return Source{}, false, nil
	}
	return s, err == nil, h.wrap(op, at.Namespace, err)
}

// Sources lists the sources of a namespace, sorted by id and without their texts.
func (h *Handle) Sources(ctx context.Context, namespace string, p Page) (Listing[Source], error) {
	const op = "vectordb.sources"
	g, at, err := authorize[access.Read](ctx, h, op, namespace)
	if err != nil {
		return Listing[Source]{}, err
	}
	out, err := page(ctx, p, h.service.conn.Sources(ctx, g, p.After), func(s Source) string { return s.ID })
	return out, h.missing(op, at, err)
}

// Delete removes a source with its chunks. Nothing to remove is no error.
func (h *Handle) Delete(ctx context.Context, namespace, id string) error {
	const op = "vectordb.delete"
	g, at, err := authorize[access.Write](ctx, h, op, namespace)
	if err != nil {
		return err
	}
	if err := ValidID(id); err != nil {
		return h.wrap(op, at.Namespace, err)
	}
	if err := h.service.conn.DeleteSource(ctx, g, id); !fault.Is(err, fault.NotFound) {
		return h.wrap(op, at.Namespace, err)
	}
	return nil
}

// SearchOptions says what a search returns.
type SearchOptions struct {
	TopK  int     // how many chunks at most; 0 for 10, at most [MaxTopK]
	Least float64 // score that they have at least; 0 for any
}

const (
	usualTopK = 10 // chunks that a search returns that does not say
	anyScore  = -2 // below every cosine, however it is rounded
)

// Search returns the chunks that are nearest to a text in meaning, the nearest first.
func (h *Handle) Search(ctx context.Context, namespace, query string, o SearchOptions) ([]Match, error) {
	const op = "vectordb.search"
	if len(query) > MaxTextBytes {
		return nil, h.wrap(op, namespace, fault.Limitf(LimitTextBytes, "query of %d bytes is over the limit of %d", len(query), MaxTextBytes))
	}
	return h.search(ctx, op, namespace, o, func(ns Namespace) ([]float32, error) {
		got, err := h.ask(ctx, ns, []string{query}, true)
		if err != nil {
			return nil, err
		}
		return got[0], nil
	})
}

// SearchVector returns the chunks that are nearest to a vector. It has as many dimensions as the namespace says.
func (h *Handle) SearchVector(ctx context.Context, namespace string, v []float32, o SearchOptions) ([]Match, error) {
	return h.search(ctx, "vectordb.search", namespace, o, func(ns Namespace) ([]float32, error) { return v, usable(ns, v) })
}

func (h *Handle) search(ctx context.Context, op, namespace string, o SearchOptions, vector func(Namespace) ([]float32, error)) ([]Match, error) {
	g, at, err := authorize[access.Read](ctx, h, op, namespace)
	if err != nil {
		return nil, err
	}
	q := Query{TopK: cmp.Or(o.TopK, usualTopK), Least: cmp.Or(o.Least, anyScore)}
	if q.TopK < 0 || q.TopK > MaxTopK || math.IsNaN(q.Least) {
		return nil, h.wrap(op, at.Namespace, fault.Newf(fault.Invalid, "top-k is between 1 and %d, and the least score a number", MaxTopK))
	}
	var found []Match
	err = h.within(ctx, op, at, false, func(ns Namespace, _ bool) (err error) {
		if q.Vector, err = vector(ns); err != nil {
			return err
		}
		found, err = h.service.conn.Search(ctx, g, ns.Generation, q)
		return err
	})
	return found, err
}

// within acts in a namespace, and again when it was replaced meanwhile. None is [fault.NotFound] and names it, unless create
// is set: then do is given one that is not there yet.
func (h *Handle) within(ctx context.Context, op string, at Address, create bool, do func(ns Namespace, there bool) error) error {
	var err error
	for range maxTries {
		g, denied := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, at.String(), access.OwnedBy(at.Owner))
		if denied != nil {
			return denied
		}
		var ns Namespace
		ns, err = h.service.conn.Namespace(ctx, g)
		there := err == nil
		if create && errors.Is(err, errMissing) {
			ns, err = h.fresh(at, value.Value{}), nil
		}
		if err == nil {
			err = do(ns, there)
		}
		if !errors.Is(err, errChanged) {
			break
		}
	}
	return h.missing(op, at, err)
}
