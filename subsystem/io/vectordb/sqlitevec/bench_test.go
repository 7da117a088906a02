package sqlitevec

import (
	"fmt"
	"testing"

	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/io/vectordb/vectordbtest"
)

// BenchmarkSearch looks for the ten nearest of 10,000 vectors of 384 numbers: by the handle, by reading the same vectors
// from the bare database and comparing them, and by comparing them in memory.
func BenchmarkSearch(b *testing.B) {
	r := newRig(b, b.TempDir(), vectordbtest.BenchDimensions)
	vectordbtest.Fill(b, r.h, r.store)
	query := vectordbtest.BenchVector(0)
	b.Run("handle", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if list, err := r.h.SearchVector(b.Context(), vectordbtest.BenchNamespace, query, vectordb.SearchOptions{TopK: 10}); err != nil || len(list) != 10 {
				b.Fatal(len(list), err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		v, norm := make([]float32, len(query)), vectordb.Norm(query)
		for b.Loop() {
			best := vectordb.NewNearest[int64](vectordb.Query{TopK: 10, Least: -2})
			for rows, err := range r.store.db.Rows(b.Context(), "SELECT id, vector FROM chunk") {
				var id int64
				var data []byte
				if err == nil {
					err = rows.Scan(&id, &data)
				}
				if err != nil || !unpack(data, v) {
					b.Fatal(err)
				}
				best.Add(vectordb.CosineOf(query, v, norm, vectordb.Norm(v)), id)
			}
		}
	})
	b.Run("memory", func(b *testing.B) { vectordbtest.BenchmarkMemory(b) })
}

// BenchmarkInsert keeps a text of one chunk, and writes as many bytes to the bare database.
func BenchmarkInsert(b *testing.B) {
	const text = "a text of some length, as an agent keeps it: the name of a document, its source and when it was read"
	b.Run("handle", func(b *testing.B) {
		r := newRig(b, b.TempDir(), vectordbtest.BenchDimensions)
		r.create()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r.insert(fmt.Sprint("s", i), text)
		}
	})
	b.Run("bare", func(b *testing.B) {
		r := newRig(b, b.TempDir(), vectordbtest.BenchDimensions)
		r.create()
		b.ReportAllocs()
		data := pack(vectordbtest.BenchVector(1))
		for i := 0; b.Loop(); i++ {
			err := r.store.db.Write(b.Context(), func(tx *sqlite.Tx) error {
				var id int64
				err := tx.Row(b.Context(), insertSource, []any{1, fmt.Sprint("s", i), "", "", 0, 0, 0, 0, "", 0, 0, text}, &id)
				if err == nil {
					_, err = tx.Exec(b.Context(), insertChunk, 1, id, 0, 0.0, 0, data, 0, text)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
