package vectordbtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// cat is a document with everything that belongs to one.
func cat() vectordb.Document {
	return vectordb.Document{
		ID: "cat", Text: "the cat sat on the mat", Label: "A cat", Metadata: value.Obj(value.M("page", value.OfInt(7)), value.M("ü", value.Of("\u2028"))),
		Size: 100, Overlap: 10,
	}
}

func roundTrip(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	if err := h.CreateNamespace(ctx, "animals", value.Of("about animals")); err != nil {
		f.Fatal(err)
	}
	ns, ok, err := h.Namespace(ctx, "animals")
	if err != nil || !ok || ns.Name != "animals" || ns.Model != "words" || ns.Dimensions != dimensions || ns.Metadata.Text() != "about animals" || ns.Created.IsZero() || ns.Generation == "" {
		f.Errorf("Namespace = %+v, %t, %v", ns, ok, err)
	}
	put, err := h.Insert(ctx, "animals", cat())
	if err != nil {
		f.Fatal(err)
	}
	got, ok, err := h.Source(ctx, "animals", "cat")
	if err != nil || !ok {
		f.Fatalf("Source = %t, %v", ok, err)
	}
	if d := cat(); got.ID != "cat" || got.Text != d.Text || got.Label != "A cat" || got.Metadata.JSON() != d.Metadata.JSON() || got.Size != 100 || got.Overlap != 10 || got.Bytes != len(d.Text) || !got.Created.Equal(put.Created) || got.Created.IsZero() {
		f.Errorf("Source = %+v, want what was kept", got)
	}
	if len(got.Chunks) != 1 || !strings.HasPrefix(got.Chunks[0], "cat_") || !slices.Equal(got.Chunks, put.Chunks) {
		f.Errorf("the chunks are %q, when it was kept %q", got.Chunks, put.Chunks)
	}
	list, err := h.Search(ctx, "animals", "the cat sat on the mat", vectordb.SearchOptions{})
	if err != nil || len(list) != 1 {
		f.Fatalf("Search = %+v, %v", list, err)
	}
	m := list[0]
	if m.ID != got.Chunks[0] || m.Source != "cat" || m.Label != "A cat" || m.Text != got.Text || m.Metadata.JSON() != got.Metadata.JSON() || math.Abs(m.Score-1) > 1e-9 {
		f.Errorf("Search = %+v", m)
	}
	if _, ok, err := h.Source(ctx, "animals", "dog"); ok || err != nil {
		f.Errorf("Source of nothing = %t, %v", ok, err)
	}
	plain, err := h.Insert(ctx, "animals", vectordb.Document{Text: "dogs"})
	if err != nil || plain.ID == "" || plain.Label != "Untitled" || plain.Size != chunkSize || plain.Overlap != overlap {
		f.Errorf("Insert without anything but a text = %+v, %v", plain, err)
	}
	if got, ok, err := h.Source(ctx, "animals", plain.ID); err != nil || !ok || !got.Metadata.IsAbsent() {
		f.Errorf("metadata that was not given is %v (%t, %v)", got.Metadata, ok, err)
	}
}

func replace(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	f.insert(h, "n", "same", "first version of it, which is longer than one chunk of text can ever be")
	f.insert(h, "n", "other", "another")
	f.insert(h, "n", "same", "second")
	f.want(h, "n", "first version longer chunk", "")
	f.want(h, "n", "second", "same")
	if got, ok, err := h.Source(f.Context(), "n", "same"); err != nil || !ok || got.Text != "second" || len(got.Chunks) != 1 {
		f.Errorf("Source = %+v, %t, %v, want the second version", got, ok, err)
	}
	f.want(h, "n", "another", "other")
}

// A long text is found by each of its chunks, which stand in their order.
func chunks(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	var text []string
	for i := range 30 {
		text = append(text, fmt.Sprintf("word%02d", i))
	}
	s := f.insert(h, "n", "long", strings.Join(text, " "))
	if len(s.Chunks) < 6 || len(slices.Compact(slices.Sorted(slices.Values(s.Chunks)))) != len(s.Chunks) {
		f.Fatalf("the chunks are %q", s.Chunks)
	}
	got, _, err := h.Source(f.Context(), "n", "long")
	if err != nil || !slices.Equal(got.Chunks, s.Chunks) {
		f.Errorf("Source has the chunks %q (%v), want %q", got.Chunks, err, s.Chunks)
	}
	place := map[string]int{}
	for i, id := range s.Chunks {
		place[id] = i
	}
	last := 0
	for _, word := range text {
		list, err := h.Search(f.Context(), "n", word, vectordb.SearchOptions{TopK: 1})
		if err != nil || len(list) != 1 || !strings.Contains(list[0].Text, word) || len(list[0].Text) > chunkSize {
			f.Fatalf("Search(%q) = %+v, %v", word, list, err)
		}
		if at, known := place[list[0].ID]; !known || at < last {
			f.Errorf("%q is in chunk %d (%q), the word before in %d", word, at, list[0].ID, last)
		} else {
			last = at
		}
	}
	if last != len(s.Chunks)-1 {
		f.Errorf("the last word is in chunk %d of %d", last, len(s.Chunks))
	}
}

func remove(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	f.insert(h, "n", "a", "apple")
	f.insert(h, "n", "b", "apple pie")
	for range 2 { // the second time there is nothing to remove
		if err := h.Delete(ctx, "n", "a"); err != nil {
			f.Errorf("Delete = %v", err)
		}
		f.want(h, "n", "apple", "b")
	}
	if _, ok, err := h.Source(ctx, "n", "a"); ok || err != nil {
		f.Errorf("after Delete the source is there: %t, %v", ok, err)
	}
	for range 2 {
		if err := h.DeleteNamespace(ctx, "n"); err != nil {
			f.Errorf("DeleteNamespace = %v", err)
		}
	}
	if _, ok, err := h.Namespace(ctx, "n"); ok || err != nil {
		f.Errorf("after DeleteNamespace it is there: %t, %v", ok, err)
	}
	_, err := h.Search(ctx, "n", "apple", vectordb.SearchOptions{})
	f.wantMissing("Search", err)
	_, err = h.Insert(ctx, "n", cat())
	f.wantMissing("Insert", err)
	_, err = h.Sources(ctx, "n", vectordb.Page{})
	f.wantMissing("Sources", err)
	if _, ok, err := h.Source(ctx, "n", "b"); ok || err != nil {
		f.Errorf("Source where there is no namespace = %t, %v", ok, err)
	}
	if err := h.Delete(ctx, "n", "b"); err != nil {
		f.Errorf("Delete where there is no namespace = %v", err)
	}
}

// wantMissing checks the error where there is no namespace "n".
func (f *fixture) wantMissing(what string, err error) {
	f.Helper()
	if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "Namespace n does not exist") {
		f.Errorf("%s where there is no namespace = %v, want an error that names it", what, err)
	}
}

// Making a namespace that is there leaves it and what is in it.
func namespaces(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	f.insert(h, "n", "a", "apple")
	before, _, err := h.Namespace(f.Context(), "n")
	if err != nil {
		f.Fatal(err)
	}
	if err := h.CreateNamespace(f.Context(), " N ", value.Of("other metadata")); err != nil {
		f.Errorf("CreateNamespace again = %v", err)
	}
	after, ok, err := h.Namespace(f.Context(), "n")
	if err != nil || !ok || after.Generation != before.Generation || !after.Metadata.IsAbsent() {
		f.Errorf("after making it again it is %+v (%t, %v), want %+v", after, ok, err, before)
	}
	f.want(h, "n", "apple", "a")
}

// Insert makes the namespace when it is told to and the model has made the vectors, not before: what a model could not do
// leaves no namespace that remembers that model.
func created(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	broken := errors.New("broken")
	f.model.set(func(m *model) { m.hook = func(context.Context, llm.EmbedRequest) error { return broken } })
	d := vectordb.Document{ID: "a", Text: "apple", Create: true}
	if _, err := h.Insert(ctx, "n", d); !errors.Is(err, broken) {
		f.Errorf("Insert = %v, want the error of the model", err)
	}
	if _, ok, err := h.Namespace(ctx, "n"); ok || err != nil {
		f.Errorf("after the model has failed there is the namespace: %t, %v", ok, err)
	}
	meanwhile := 0 // somebody else makes it
	f.model.set(func(m *model) {
		m.hook = func(context.Context, llm.EmbedRequest) error {
			meanwhile++
			return h.CreateNamespace(ctx, "n", value.Of("of somebody else"))
		}
	})
	if _, err := h.Insert(ctx, "n", d); err != nil || meanwhile != 2 {
		f.Errorf("Insert = %v, and the model was asked %d times, want twice", err, meanwhile)
	}
	if ns, ok, err := h.Namespace(ctx, "n"); err != nil || !ok || ns.Metadata.Text() != "of somebody else" {
		f.Errorf("the namespace is %+v (%t, %v), want that of somebody else", ns, ok, err)
	}
	f.model.set(func(m *model) { m.hook = nil })
	f.want(h, "n", "apple", "a")
	if _, err := h.Insert(ctx, "m", d); err != nil {
		f.Errorf("Insert = %v", err)
	}
	f.want(h, "m", "apple", "a")
}

// A namespace that is made again is another one: what was decided about the first does not reach the second, whose vectors
// may have another length.
func madeAgain(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	f.insert(h, "n", "old", "apple")
	before, _, err := h.Namespace(ctx, "n")
	if err != nil {
		f.Fatal(err)
	}
	if err := h.DeleteNamespace(ctx, "n"); err != nil {
		f.Fatal(err)
	}
	f.create(h, "n")
	f.want(h, "n", "apple", "")
	at := vectordb.Address{Owner: h.Candidate(), Namespace: "n"}
	write := grantOn[access.Write](f, at)
	v := make([]float32, dimensions)
	err = f.conn.Put(ctx, write, before.Generation, vectordb.Source{ID: "late", Text: "x", Chunks: []string{"late_1"}}, []vectordb.Chunk{{ID: "late_1", Text: "x", Vector: v}})
	f.wantKind("Put into the namespace of before", err, fault.Conflict)
	_, err = f.conn.Search(ctx, grantOn[access.Read](f, at), before.Generation, vectordb.Query{Vector: v, TopK: 1})
	f.wantKind("Search in the namespace of before", err, fault.Conflict)
	f.want(h, "n", "x", "")
	// A handle goes on with the new one when that comes in the middle.
	again := true
	f.model.set(func(m *model) {
		m.hook = func(context.Context, llm.EmbedRequest) error {
			if !again {
				return nil
			}
			again = false
			return errors.Join(h.DeleteNamespace(ctx, "n"), h.CreateNamespace(ctx, "n", value.Value{}))
		}
	})
	f.insert(h, "n", "new", "banana")
	f.want(h, "n", "banana", "new")
}

// grantOn decides about what lies at an address as its owner.
func grantOn[L access.Level](f *fixture, at vectordb.Address) access.Grant[L] {
	f.Helper()
	g, err := access.Authorize[L](f.Context(), nil, "test", at.Owner, at.String(), access.OwnedBy(at.Owner))
	if err != nil {
		f.Fatal(err)
	}
	return g
}

// What a connector has returned is the caller's to change.
func aliasing(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	for range 2 {
		s := f.insert(h, "n", "a", "apple pie with cream, more of it than fits into one chunk")
		want := slices.Clone(s.Chunks)
		clear(s.Chunks)
		got, _, err := h.Source(f.Context(), "n", "a")
		if err != nil || !slices.Equal(got.Chunks, want) {
			f.Fatalf("after a change of what Insert returned the chunks are %q (%v), want %q", got.Chunks, err, want)
		}
		clear(got.Chunks)
		list, err := h.Sources(f.Context(), "n", vectordb.Page{})
		if err != nil || len(list.Items) != 1 || !slices.Equal(list.Items[0].Chunks, want) {
			f.Fatalf("after a change of what Source returned the list is %+v (%v)", list, err)
		}
		clear(list.Items[0].Chunks)
		if got, _, err = h.Source(f.Context(), "n", "a"); err != nil || !slices.Equal(got.Chunks, want) {
			f.Errorf("after a change of a listing the chunks are %q (%v)", got.Chunks, err)
		}
	}
}

func sources(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	want := []string{"A", "a", "a-b", "a.b", "a:b", "a_b", "b", "s1", "s10", "s2"}
	for i := range want {
		f.insert(h, "n", want[(i*7)%len(want)], "text")
	}
	for _, limit := range []int{1, 3, 100} {
		var got []string
		for after := ""; ; {
			page, err := h.Sources(ctx, "n", vectordb.Page{After: after, Limit: limit})
			if err != nil || len(page.Items) > limit {
				f.Fatalf("a page of %d sources, want at most %d (%v)", len(page.Items), limit, err)
			}
			for _, s := range page.Items {
				if got = append(got, s.ID); s.Text != "" || s.Bytes != 4 || s.Label != "Untitled" || len(s.Chunks) != 1 {
					f.Errorf("the list has %+v", s)
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			f.Errorf("pages of %d give %q, want %q", limit, got, want)
		}
	}
}
