package vectordbtest

import (
	"fmt"
	"math"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

// What benchmarks of searches keep: sources of one chunk each, with vectors that look random and are the same each time.
const (
	BenchNamespace  = "bench"
	BenchDimensions = 384
	benchVectors    = 10_000
)

// BenchVector returns the n-th vector.
func BenchVector(n int) []float32 {
	v := make([]float32, BenchDimensions)
	for i := range v {
		v[i] = float32(math.Sin(float64(n*BenchDimensions+i) * 12.9898))
	}
	return v
}

// Fill makes the namespace of benchmarks and puts the vectors into it.
func Fill(b *testing.B, h *vectordb.Handle, conn vectordb.Connector) {
	b.Helper()
	if err := h.CreateNamespace(b.Context(), BenchNamespace, value.Value{}); err != nil {
		b.Fatal(err)
	}
	ns, _, err := h.Namespace(b.Context(), BenchNamespace)
	if err != nil {
		b.Fatal(err)
	}
	at := vectordb.Address{Owner: h.Candidate(), Namespace: BenchNamespace}
	g, err := access.Authorize[access.Write](b.Context(), nil, "bench", at.Owner, at.String(), access.OwnedBy(at.Owner))
	if err != nil {
		b.Fatal(err)
	}
	const each = 100 // chunks of a source
	for n := 0; n < benchVectors; n += each {
		s := vectordb.Source{ID: fmt.Sprint("s", n), Text: "text"}
		var chunks []vectordb.Chunk
		for i := range each {
			c := vectordb.Chunk{ID: fmt.Sprintf("%s_%d", s.ID, i), Text: "a text of some length, as an agent keeps it", Vector: BenchVector(n + i)}
			s.Chunks, chunks = append(s.Chunks, c.ID), append(chunks, c)
		}
		if err := conn.Put(b.Context(), g, ns.Generation, s, chunks); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory compares a query with the same vectors in memory, the least that a search can cost.
func BenchmarkMemory(b *testing.B) {
	all, norms := make([][]float32, benchVectors), make([]float64, benchVectors)
	for n := range all {
		all[n] = BenchVector(n)
		norms[n] = vectordb.Norm(all[n])
	}
	query := BenchVector(0)
	norm := vectordb.Norm(query)
	b.ReportAllocs()
	for b.Loop() {
		best := vectordb.NewNearest[int](vectordb.Query{TopK: 10, Least: -2})
		for n, v := range all {
			best.Add(vectordb.CosineOf(query, v, norm, norms[n]), n)
		}
		if len(best.Found()) != 10 {
			b.Fatal(len(best.Found()))
		}
	}
}
