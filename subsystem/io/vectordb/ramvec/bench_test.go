package ramvec

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/io/vectordb/vectordbtest"
	"github.com/sre-go/sre/value"
)

// BenchmarkSearch looks for the ten nearest of 10,000 vectors of 384 numbers, and compares the same vectors without
// anything around them.
func BenchmarkSearch(b *testing.B) {
	s := opened(b, value.M("embeddings", value.Obj(value.M("dimensions", value.OfInt(vectordbtest.BenchDimensions)))))
	in := connector.Instances[vectordb.Connector]{Default: "it", ByID: map[string]vectordb.Connector{"it": s}}
	c, err := access.Agent("a1")
	if err != nil {
		b.Fatal(err)
	}
	h := vectordb.New(connector.Env{Effects: effect.System{}}, in, accesstest.TwoTeams(), nil).For(c)
	vectordbtest.Fill(b, h, s)
	query := vectordbtest.BenchVector(0)
	b.Run("handle", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if list, err := h.SearchVector(b.Context(), vectordbtest.BenchNamespace, query, vectordb.SearchOptions{TopK: 10}); err != nil || len(list) != 10 {
				b.Fatal(len(list), err)
			}
		}
	})
	b.Run("memory", func(b *testing.B) { vectordbtest.BenchmarkMemory(b) })
}
