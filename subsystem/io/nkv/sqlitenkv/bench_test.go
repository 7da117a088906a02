package sqlitenkv

import (
	"fmt"
	"testing"

	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// The benchmarks compare the guarded handle with the same statements on the bare database. Writes change something: one that
// does not is not written.

const benchText = "a text of some length, as an agent keeps it: the name of a document, its source and when it was read"

func BenchmarkGet(b *testing.B) {
	r := newRig(b, b.TempDir())
	r.set("team-a", "key", benchText)
	h, ctx := r.as("team-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, "ns", "key"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkBareGet(b *testing.B) {
	r := newRig(b, b.TempDir())
	r.set("team-a", "key", benchText)
	db, ctx := r.store.db, b.Context()
	b.ReportAllocs()
	for b.Loop() {
		var sum int64
		var text string
		if err := db.Row(ctx, selectValue, []any{"team-a", "ns", "key"}, &sum, &text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	r := newRig(b, b.TempDir())
	h, ctx, texts := r.as("team-a"), b.Context(), [2]value.Value{value.Of(benchText), value.Of(benchText + ".")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := h.Set(ctx, "ns", "key", texts[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareSet(b *testing.B) {
	r := newRig(b, b.TempDir())
	db, ctx, texts := r.store.db, b.Context(), [2]string{value.Of(benchText).JSON(), value.Of(benchText + ".").JSON()}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := db.Exec(ctx, upsertValue, "team-a", "ns", "key", int64(i), texts[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListPage(b *testing.B) {
	r := newRig(b, b.TempDir())
	for i := range 1000 {
		r.set("team-a", fmt.Sprintf("%04d", i), benchText)
	}
	h, ctx := r.as("team-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if l, err := h.List(ctx, "ns", nkv.Page{After: "0500", Limit: 100}); err != nil || len(l.Items) != 100 {
			b.Fatal(len(l.Items), err)
		}
	}
}
