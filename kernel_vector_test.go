package sre_test

import (
	"context"
	"errors"
	"strings"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

// vectorOp does what the requester of the reference does with texts and their vectors, in the namespaces of a candidate.
func vectorOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	h, args := as.VectorDB(), f.Get("args")
	name, nothing := args.At(0).Text(), value.NullValue()
	record := func(s vectordb.Source) value.Value { return sourceRecord(h, name, s) }
	switch f.GetString("fn") {
	case "createNamespace":
		return nothing, h.CreateNamespace(ctx, name, args.At(1))
	case "namespaceExists":
		_, there, err := h.Namespace(ctx, name)
		return value.OfBool(there), err
	case "deleteNamespace":
		return nothing, h.DeleteNamespace(ctx, name)
	case "createDatasource":
		d := args.At(1)
		s, err := h.Insert(ctx, name, vectordb.Document{ID: d.GetString("id"), Text: d.GetString("text"), Label: d.GetString("label"), Metadata: d.Get("metadata")})
		return record(s), noNamespace(err)
	case "getDatasource":
		s, there, err := h.Source(ctx, name, args.At(1).Text())
		if !there {
			return nothing, noNamespace(err)
		}
		return record(s), nil
	case "listDatasources":
		page, err := h.Sources(ctx, name, vectordb.Page{})
		list := make([]value.Value, len(page.Items))
		for i, it := range page.Items { // listings have no texts
			s, _, err := h.Source(ctx, name, it.ID)
			if err != nil {
				return value.Value{}, err
			}
			list[i] = record(s)
		}
		return value.OfItems(list), noNamespace(err)
	case "deleteDatasource":
		return nothing, noNamespace(h.Delete(ctx, name, args.At(1).Text()))
	case "search":
		o := args.At(2)
		found, err := h.Search(ctx, name, args.At(1).Text(), vectordb.SearchOptions{TopK: number(o, "topK")})
		list := make([]value.Value, len(found))
		for i, m := range found {
			list[i] = value.Obj(value.M("id", value.Of(chunkName(m.Source, m.ID))), value.M("score", value.OfNumber(m.Score)), value.M("text", value.Of(m.Text)))
			if o.Get("includeMetadata").Truthy() {
				data := m.Metadata
				if data.IsAbsent() {
					data = value.Obj()
				}
				list[i] = list[i].With("metadata", data)
			}
		}
		return value.OfItems(list), noNamespace(err)
	}
	return value.Value{}, errors.New("v[op.fn] is not a function") // as it has it for what its requester cannot do
}

// sourceRecord is what the reference keeps of a source.
func sourceRecord(h *vectordb.Handle, namespace string, s vectordb.Source) value.Value {
	c := h.Candidate()
	b := value.NewBuilder(8)
	b.Set("namespaceId", value.Of(c.Role().String()[:1]+"_"+c.ID()+"_"+namespace))
	b.Set("candidateId", value.Of(c.ID())).Set("candidateRole", value.Of(c.Role().String())).Set("name", value.Of(s.Label))
	if !s.Metadata.IsAbsent() {
		b.Set("metadata", value.Of(s.Metadata.JSON()))
	}
	chunks := make([]string, len(s.Chunks))
	for i, id := range s.Chunks {
		chunks[i] = chunkName(s.ID, id)
	}
	return b.Set("text", value.Of(s.Text)).Set("vectorIds", value.Strings(chunks)).Set("id", value.Of(s.ID)).Build()
}

// chunkName is the id of a chunk as recorded: that of its source and a fresh one, which is a UUID in the reference.
func chunkName(source, id string) string {
	if fresh, ok := strings.CutPrefix(id, source+"_"); ok && len(fresh) == len(effect.System{}.NewID()) {
		return source + "_<UUID>"
	}
	return id
}

// noNamespace gives the error for a namespace that is not there the words of the reference; ours name it.
func noNamespace(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errors.New("Namespace does not exist")
	}
	return err
}
