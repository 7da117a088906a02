package sqlitestorage

import (
	"fmt"
	"testing"

	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/storagetest"
	"github.com/sre-go/sre/value"
)

// The benchmarks compare the guarded handle with the bare database: a program that keeps a description and chunks of
// bytes in it, in the same schema, without rights, checksums and generations.

func BenchmarkStream(b *testing.B) { storagetest.BenchmarkStream(b, Definition(), value.Obj()) }

// sizes of objects, in bytes.
func sizes() []int { return []int{1 << 10, 256 << 10, 4 << 20} }

func BenchmarkWrite(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := newRig(b, b.TempDir())
			h, ctx, body := r.as("a"), b.Context(), []byte(text(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Write(ctx, "x", body, storage.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBareWrite(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			db, ctx, body := newRig(b, b.TempDir()).store.db, b.Context(), []byte(text(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for blob := int64(1); b.Loop(); blob++ {
				err := db.Write(ctx, func(tx *sqlite.Tx) error {
					if _, err := tx.Exec(ctx, deleteBlob, chunkID(blob-1, 0), chunkID(blob, 0)); err != nil {
						return err
					}
					for n := 0; n*chunkSize < size; n++ {
						data := body[n*chunkSize : min((n+1)*chunkSize, size)]
						if _, err := tx.Exec(ctx, insertChunk, chunkID(blob, int64(n)), 0, data); err != nil {
							return err
						}
					}
					_, err := tx.Exec(ctx, "INSERT OR REPLACE INTO object ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "x", "g", "", 0, 0, 1, size, blob, "{}", 0)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := newRig(b, b.TempDir())
			r.write("a", "x", text(size))
			h, ctx := r.as("a"), b.Context()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if data, err := h.Read(ctx, "x"); err != nil || len(data) != size {
					b.Fatal(len(data), err)
				}
			}
		})
	}
}

func BenchmarkBareRead(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := newRig(b, b.TempDir())
			r.write("a", "x", text(size))
			db, ctx := r.store.db, b.Context()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var o row
				if err := db.Row(ctx, selectObject, []any{"x"}, o.dest()...); err != nil {
					b.Fatal(err)
				}
				all := make([]byte, 0, o.size)
				for n := int64(0); n*chunkSize < o.size; n++ {
					var sum int64
					var data []byte
					if err := db.Row(ctx, selectChunk, []any{chunkID(o.blob, n)}, &sum, &data); err != nil {
						b.Fatal(err)
					}
					all = append(all, data...)
				}
				if len(all) != size {
					b.Fatal(len(all))
				}
			}
		})
	}
}

func BenchmarkListPage(b *testing.B) {
	r := newRig(b, b.TempDir())
	for i := range 1000 {
		r.write("a", fmt.Sprintf("f/%04d", i), "x")
	}
	h, ctx := r.as("a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if l, err := h.List(ctx, "f/", storage.Page{After: "f/0500", Limit: 100}); err != nil || len(l.Objects) != 100 {
			b.Fatal(len(l.Objects), err)
		}
	}
}
