package sqlitecache

import (
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// The benchmarks compare the guarded handle with the same statements on the bare database.

const (
	benchKey  = "agent-a:memory:key"
	benchText = "a text as agents remember them, of some length: the last question, and what was answered to it"
)

func benchRig(b *testing.B) *rig {
	r := newRig(b, b.TempDir(), effect.System{})
	r.set("agent-a", benchKey, benchText, time.Hour)
	return r
}

func BenchmarkGet(b *testing.B) {
	r := benchRig(b)
	h, ctx := r.as("agent-a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := h.Get(ctx, benchKey); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkBareGet(b *testing.B) {
	r := benchRig(b)
	db, ctx := r.store.db.DB, b.Context()
	b.ReportAllocs()
	for b.Loop() {
		var generation, acl, metadata, text string
		var sum, expires int64
		if err := db.Row(ctx, selectRuling, []any{benchKey}, &generation, &acl, &sum, &expires); err != nil {
			b.Fatal(err)
		}
		if err := db.Row(ctx, selectEntry, []any{benchKey, generation}, &expires, &sum, &metadata, &text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	r := benchRig(b)
	h, ctx, v := r.as("agent-a"), b.Context(), value.Of(benchText)
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Set(ctx, benchKey, v, cache.Options{TTL: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareSet(b *testing.B) {
	r := benchRig(b)
	db, ctx := r.store.db.DB, b.Context()
	row, err := encode(cache.Record{ACL: access.OwnedBy(r.as("agent-a").Candidate()), Entry: cache.Entry{Value: value.Of(benchText), Expires: time.Unix(1<<33, 0)}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var generation, acl string
		var sum, expires, used int64
		if err := db.Row(ctx, selectRuling, []any{benchKey}, &generation, &acl, &sum, &expires); err != nil {
			b.Fatal(err)
		}
		now := r.store.now()
		n, err := db.Exec(ctx, updateEntry, row.acl, sum, row.expires, sum, now, row.size(benchKey), row.metadata, row.value, benchKey, generation, now)
		if n != 1 || err != nil {
			b.Fatal(n, err)
		}
		if err := db.Row(ctx, selectUsed, nil, &used); err != nil {
			b.Fatal(err)
		}
	}
}
