package vectordbtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Of what is as near, that comes first which was put first; putting again is putting later.
func order(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	for _, id := range []string{"z", "a", "m"} {
		f.insert(h, "n", id, "apple pie")
	}
	f.insert(h, "n", "exact", "apple")
	f.insert(h, "n", "far", "apple with a lot of other words")
	f.want(h, "n", "apple", "exact z a m far")
	f.insert(h, "n", "z", "apple pie")
	f.want(h, "n", "apple", "exact a m z far")
	list, err := h.Search(f.Context(), "n", "apple", vectordb.SearchOptions{})
	if err != nil || len(list) != 5 {
		f.Fatalf("Search = %+v, %v", list, err)
	}
	for i, want := range []float64{1, math.Sqrt(0.5), math.Sqrt(0.5), math.Sqrt(0.5), 1 / math.Sqrt(7)} {
		if math.Abs(list[i].Score-want) > 1e-9 {
			f.Errorf("score %d is %v, want %v", i, list[i].Score, want)
		}
	}
}

func topK(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	for i := range 20 {
		f.insert(h, "n", fmt.Sprintf("s%02d", i), strings.Repeat("apple ", 1+i%2)+strings.Repeat("pie ", i%3))
	}
	f.insert(h, "n", "other", "unrelated")
	count := func(o vectordb.SearchOptions) int {
		list, err := h.Search(f.Context(), "n", "apple", o)
		if err != nil {
			f.Errorf("Search(%+v) = %v", o, err)
		}
		for i := 1; i < len(list); i++ {
			if list[i].Score > list[i-1].Score {
				f.Errorf("Search(%+v): score %v comes behind %v", o, list[i].Score, list[i-1].Score)
			}
		}
		return len(list)
	}
	for _, test := range []struct {
		o    vectordb.SearchOptions
		want int
	}{
		{vectordb.SearchOptions{}, 10},
		{vectordb.SearchOptions{TopK: 1}, 1},
		{vectordb.SearchOptions{TopK: 7}, 7},
		{vectordb.SearchOptions{TopK: vectordb.MaxTopK}, 21},
		{vectordb.SearchOptions{TopK: 100, Least: 0.001}, 20},
		{vectordb.SearchOptions{TopK: 100, Least: 0.999}, 7},
		{vectordb.SearchOptions{TopK: 100, Least: 2}, 0},
	} {
		if got := count(test.o); got != test.want {
			f.Errorf("Search(%+v) finds %d, want %d", test.o, got, test.want)
		}
	}
	for _, o := range []vectordb.SearchOptions{{TopK: -1}, {TopK: vectordb.MaxTopK + 1}, {Least: math.NaN()}} {
		_, err := h.Search(f.Context(), "n", "apple", o)
		f.wantKind(fmt.Sprintf("Search(%+v)", o), err, fault.Invalid)
	}
}

// Scores are those of [vectordb.Cosine], bit for bit, whatever the vectors are.
func vectors(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	kept := map[string][]float32{}
	at := map[string][]float32{
		"one": {1}, "minus": {-1, 0.5}, "zero": {}, "small": {1e-30, 2e-30}, "large": {1e18, 3e18, -1e18}, "odd": {0.1, 0.2, 0.3, 0.7},
	}
	for id, numbers := range at {
		v := make([]float32, dimensions)
		copy(v, numbers)
		kept[id] = v
		at := vectordb.Address{Owner: h.Candidate(), Namespace: "n"}
		ns, _, err := h.Namespace(ctx, "n")
		if err != nil {
			f.Fatal(err)
		}
		g := grantOn[access.Write](f, at)
		err = f.conn.Put(ctx, g, ns.Generation, vectordb.Source{ID: id, Text: id, Chunks: []string{id + "_1"}}, []vectordb.Chunk{{ID: id + "_1", Text: id, Vector: append([]float32(nil), v...)}})
		if err != nil {
			f.Fatalf("Put(%s): %v", id, err)
		}
	}
	for name, q := range kept {
		list, err := h.SearchVector(ctx, "n", q, vectordb.SearchOptions{})
		if err != nil || len(list) != len(kept) {
			f.Fatalf("SearchVector(%s) finds %d of %d (%v)", name, len(list), len(kept), err)
		}
		for _, m := range list {
			if want := vectordb.Cosine(q, kept[m.Source]); m.Score != want {
				f.Errorf("SearchVector(%s) gives %s the score %v, want %v", name, m.Source, m.Score, want)
			}
		}
	}
	for name, v := range map[string][]float32{
		"none": nil, "too few": make([]float32, dimensions-1), "too many": make([]float32, dimensions+1),
		"no number": append(make([]float32, dimensions-1), float32(math.NaN())), "no end": append(make([]float32, dimensions-1), float32(math.Inf(1))),
	} {
		_, err := h.SearchVector(ctx, "n", v, vectordb.SearchOptions{})
		f.wantKind("SearchVector with "+name, err, fault.Invalid)
	}
}

// When the model fails, whatever of a text it has been shown, nothing of the text is kept and what was there stays.
func modelFails(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	f.insert(h, "n", "a", "before")
	long := strings.Repeat("many words in a row ", 40)
	broken := errors.New("broken")
	for name, hook := range map[string]func(context.Context, llm.EmbedRequest) error{
		"always": func(context.Context, llm.EmbedRequest) error { return broken },
		"late": func(_ context.Context, req llm.EmbedRequest) error {
			if len(req.Texts) < batch {
				return broken // the last request
			}
			return nil
		},
	} {
		f.model.set(func(m *model) { m.hook = hook })
		_, err := h.Insert(ctx, "n", vectordb.Document{ID: "a", Text: long + "end"})
		if !errors.Is(err, broken) {
			f.Errorf("%s: Insert = %v, want the error of the model", name, err)
		}
		f.model.set(func(m *model) { m.hook = nil })
		f.want(h, "n", "before", "a")
		f.want(h, "n", "many words", "")
	}
	f.model.set(func(m *model) { m.dimensions = dimensions / 2 })
	_, err := h.Insert(ctx, "n", vectordb.Document{ID: "a", Text: "after"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "embeddings.dimensions") {
		f.Errorf("with vectors of another length Insert = %v, want an error that names the setting", err)
	}
	_, err = h.Search(ctx, "n", "before", vectordb.SearchOptions{})
	f.wantKind("Search with vectors of another length", err, fault.Invalid)
}

// The model is shown a few chunks at a time, in a bounded number of requests at once, and told what is looked for.
func modelIsAsked(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	var text []string
	for i := range 200 {
		text = append(text, fmt.Sprintf("word%03d", i))
	}
	f.model.set(func(*model) {})
	s := f.insert(h, "n", "long", strings.Join(text, "\n"))
	asked, top := f.model.requests()
	seen := 0
	for _, req := range asked {
		if seen += len(req.Texts); len(req.Texts) > batch || req.Query || req.Model != "words" || req.Dimensions != dimensions {
			f.Errorf("the model was asked %+v", req)
		}
		for _, t := range req.Texts {
			if strings.ContainsAny(t, "\r\n") {
				f.Errorf("the model was shown the line break in %q", t)
			}
		}
	}
	if want := (len(s.Chunks) + batch - 1) / batch; seen != len(s.Chunks) || len(asked) != want || top > 4 {
		f.Errorf("%d chunks were shown %d times in %d requests, %d at once; want once each, in %d, 4 at most", len(s.Chunks), seen, len(asked), top, want)
	}
	f.model.set(func(*model) {})
	f.found(h, "n", "word001\r\nword002", vectordb.SearchOptions{})
	if asked, _ := f.model.requests(); len(asked) != 1 || !asked[0].Query || len(asked[0].Texts) != 1 || asked[0].Texts[0] != "word001 word002" {
		f.Errorf("a search asked the model %+v", asked)
	}
}

// Who has stopped waiting gets the cause, and nothing is half done.
func canceled(f *fixture) {
	h := f.as("agent:a1")
	f.create(h, "n")
	f.insert(h, "n", "a", "apple")
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(f.Context())
	f.model.set(func(m *model) {
		m.hook = func(ctx context.Context, _ llm.EmbedRequest) error {
			cancel(gone)
			return context.Cause(ctx)
		}
	})
	_, err := h.Insert(ctx, "n", vectordb.Document{ID: "b", Text: strings.Repeat("banana split ", 50)})
	if !errors.Is(err, gone) {
		f.Errorf("Insert after the caller has gone = %v, want the cause", err)
	}
	f.model.set(func(m *model) { m.hook = nil })
	for _, op := range operations() {
		if err := op.do(ctx, h, "n"); !errors.Is(err, gone) {
			f.Errorf("%s after the caller has gone = %v, want the cause", op.name, err)
		}
	}
	f.want(h, "n", "banana", "")
	f.want(h, "n", "apple", "a")
}

func invalid(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	for name, d := range map[string]vectordb.Document{
		"no text":           {ID: "x"},
		"blanks":            {ID: "x", Text: " \n\t"},
		"a blank in the id": {ID: "a b", Text: "t"},
		"a slash":           {ID: "a/b", Text: "t"},
		"a NUL":             {ID: "a\x00", Text: "t"},
		"no ASCII":          {ID: "ü", Text: "t"},
		"a long id":         {ID: strings.Repeat("x", 257), Text: "t"},
		"a long label":      {ID: "x", Text: "t", Label: strings.Repeat("x", 2000)},
		"large metadata":    {ID: "x", Text: "t", Metadata: value.Of(strings.Repeat("x", 70_000))},
		"overlap":           {ID: "x", Text: "t", Size: 10, Overlap: 10},
		"negative overlap":  {ID: "x", Text: "t", Size: 10, Overlap: -1},
		"negative size":     {ID: "x", Text: "t", Size: -10},
	} {
		_, err := h.Insert(ctx, "n", d)
		f.wantKind("Insert with "+name, err, fault.Invalid)
	}
	f.wantKind("CreateNamespace with large metadata", h.CreateNamespace(ctx, "m", value.Of(strings.Repeat("x", 70_000))), fault.Invalid)
	if page, err := h.Sources(ctx, "n", vectordb.Page{}); err != nil || len(page.Items) != 0 {
		f.Errorf("after refusals there are %+v (%v)", page.Items, err)
	}
	for _, id := range []string{"", "a b", strings.Repeat("x", 257)} {
		_, _, err := h.Source(ctx, "n", id)
		f.wantKind(fmt.Sprintf("Source(%.20q)", id), err, fault.Invalid)
		f.wantKind(fmt.Sprintf("Delete(%.20q)", id), h.Delete(ctx, "n", id), fault.Invalid)
	}
}

func limitsHold(f *fixture) {
	h, ctx := f.as("agent:a1"), f.Context()
	f.create(h, "n")
	for limit, d := range map[string]vectordb.Document{
		vectordb.LimitTextBytes: {ID: "x", Text: strings.Repeat("x", vectordb.MaxTextBytes+1)},
		vectordb.LimitChunks:    {ID: "x", Text: strings.Repeat("x ", vectordb.MaxChunks+1), Size: 1},
	} {
		_, err := h.Insert(ctx, "n", d)
		if !fault.Is(err, fault.Limit) || !strings.Contains(fault.CodeOf(err)+err.Error(), limit) {
			f.Errorf("Insert over %s = %v, want an error that names the limit", limit, err)
		}
	}
	_, err := h.Search(ctx, "n", strings.Repeat("x", vectordb.MaxTextBytes+1), vectordb.SearchOptions{})
	f.wantKind("Search for too long a text", err, fault.Limit)
}
