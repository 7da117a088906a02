// Package vectordbtest checks any connector of the vector database.
//
// The checks work through the guarded handle, so what they prove is the whole of the contract: what is kept and found, in
// which order, that owners and teams stand apart, who gets in, and that a refusal leaves one record. A connector's test
// calls [Run]. Vectors come from a model of the suite, which counts words; no request leaves the process.
package vectordbtest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Run checks the connector with settings, which may rely on an empty data folder. The suite sets "embeddings".
func Run(t *testing.T, d connector.Definition, settings value.Value) {
	t.Helper()
	checks := []struct {
		name string
		run  func(*fixture)
	}{
		{"RoundTrip", roundTrip},
		{"Replace", replace},
		{"Chunks", chunks},
		{"Delete", remove},
		{"Namespaces", namespaces},
		{"Created", created},
		{"MadeAgain", madeAgain},
		{"Aliasing", aliasing},
		{"Sources", sources},
		{"Order", order},
		{"TopK", topK},
		{"Vectors", vectors},
		{"Invalid", invalid},
		{"Limits", limitsHold},
		{"ModelFails", modelFails},
		{"ModelIsAsked", modelIsAsked},
		{"Canceled", canceled},
		{"T10_Names", names},
		{"T16_Listing", listing},
		{"T18_NobodyIsRefused", nobodyIsRefused},
		{"T19_OtherOwners", otherOwners},
		{"T23_TeamChanges", teamChanges},
		{"Concurrent", concurrent},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(open(t, d, settings))
		})
	}
}

// Sizes that the suite configures.
const (
	dimensions = 64
	chunkSize  = 40
	overlap    = 8
	batch      = 3
)

// fixture is one opened connector under its service.
type fixture struct {
	*testing.T
	conn    vectordb.Connector
	service *vectordb.Service
	teams   *accesstest.Teams
	denials accesstest.Denials
	model   *model
}

func open(t *testing.T, d connector.Definition, settings value.Value) *fixture {
	f := &fixture{T: t, teams: accesstest.TwoTeams(), model: &model{dimensions: dimensions}}
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(env.Events, f.denials.Add))
	settings = settings.With("embeddings", value.Obj(
		value.M("model", value.Of("words")), value.M("dimensions", value.OfInt(dimensions)), value.M("chunkSize", value.OfInt(chunkSize)),
		value.M("chunkOverlap", value.OfInt(overlap)), value.M("batchSize", value.OfInt(batch)),
	))
	opened, err := d.Open(t.Context(), env, settings)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.conn = opened.(vectordb.Connector)
	if s, ok := opened.(connector.Starter); ok {
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("Start: %v", err)
		}
	}
	if c, ok := opened.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	in := connector.Instances[vectordb.Connector]{Default: "it", ByID: map[string]vectordb.Connector{"it": f.conn}, Order: []string{"it"}}
	f.service = vectordb.New(env, in, f.teams, f.model.embed)
	return f
}

// as returns the service for a candidate written "role:id" or "public".
func (f *fixture) as(who string) *vectordb.Handle {
	f.Helper()
	c, err := access.Parse(who)
	if err != nil {
		f.Fatal(err)
	}
	return f.service.For(c)
}

// create makes a namespace.
func (f *fixture) create(h *vectordb.Handle, namespace string) {
	f.Helper()
	if err := h.CreateNamespace(f.Context(), namespace, value.Value{}); err != nil {
		f.Fatalf("CreateNamespace(%q): %v", namespace, err)
	}
}

// insert keeps a text.
func (f *fixture) insert(h *vectordb.Handle, namespace, id, text string) vectordb.Source {
	f.Helper()
	s, err := h.Insert(f.Context(), namespace, vectordb.Document{ID: id, Text: text})
	if err != nil {
		f.Fatalf("Insert(%q, %q): %v", namespace, id, err)
	}
	return s
}

// found returns the ids of the sources that a search finds, in its order.
func (f *fixture) found(h *vectordb.Handle, namespace, query string, o vectordb.SearchOptions) string {
	f.Helper()
	list, err := h.Search(f.Context(), namespace, query, o)
	if err != nil {
		f.Fatalf("Search(%q, %q): %v", namespace, query, err)
	}
	var ids []string
	for _, m := range list {
		ids = append(ids, m.Source)
	}
	return strings.Join(ids, " ")
}

// want compares what a search finds.
func (f *fixture) want(h *vectordb.Handle, namespace, query, want string) {
	f.Helper()
	if got := f.found(h, namespace, query, vectordb.SearchOptions{Least: 0.001}); got != want {
		f.Errorf("Search(%q, %q) finds %q, want %q", namespace, query, got, want)
	}
}

// wantKind checks the kind of an error.
func (f *fixture) wantKind(what string, err error, want fault.Kind) {
	f.Helper()
	if !fault.Is(err, want) {
		f.Errorf("%s = %v, want an error of kind %v", what, err, want)
	}
}

// model makes vectors that count words, each at a place of its own as long as there are places. It is safe for concurrent
// use.
type model struct {
	mu         sync.Mutex
	dimensions int
	places     map[string]int
	asked      []llm.EmbedRequest
	under, top int // requests under way now, and at most
	hook       func(ctx context.Context, req llm.EmbedRequest) error
}

func (m *model) embed(ctx context.Context, _ access.Candidate, req llm.EmbedRequest) (llm.Embeddings, error) {
	m.mu.Lock()
	m.asked = append(m.asked, req)
	m.under++
	m.top = max(m.top, m.under)
	hook := m.hook
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.under--
	}()
	if hook != nil {
		if err := hook(ctx, req); err != nil {
			return llm.Embeddings{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := llm.Embeddings{}
	for _, text := range req.Texts {
		v := make([]float32, m.dimensions)
		for _, word := range strings.Fields(text) {
			v[m.place(word)]++
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

// place is where a word is counted. The caller holds the lock.
func (m *model) place(word string) int {
	if m.places == nil {
		m.places = make(map[string]int)
	}
	at, ok := m.places[word]
	if !ok {
		at = len(m.places) % m.dimensions
		m.places[word] = at
	}
	return at
}

// set changes what the model does, and forgets what it was asked.
func (m *model) set(change func(*model)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked, m.top = nil, 0
	change(m)
}

// requests returns what the model was asked since the last set, and how many requests were under way at once at most.
func (m *model) requests() ([]llm.EmbedRequest, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked, m.top
}
