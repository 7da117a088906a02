//go:build services

package rediscache

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// BenchmarkRoundTrip compares the guarded handle with one bare command of the client library with the same settings of the
// connection, and with the bare command or script that does what the handle does: read or write two keys at once. They take turns, so that the load of the machine meets all, and the medians are reported.
func BenchmarkRoundTrip(b *testing.B) {
	r := newRig(b, effect.System{})
	bare := redis.NewClient(&redis.Options{
		Addr: redistest.Address(b), Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: 1,
		ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second, PoolSize: 32, Dialer: dial,
	})
	b.Cleanup(func() {
		if err := bare.Close(); err != nil {
			b.Error(err)
		}
	})
	const key = "agent-a:memory:key"
	text := "a text as agents remember them, of some length: the last question, and what was answered to it"
	h, ctx, v := r.as("agent-a"), b.Context(), value.Of(text)
	name := r.store.prefix + "bare:" + key
	if err := h.Set(ctx, key, v, cache.Options{TTL: time.Hour}); err != nil {
		b.Fatal(err)
	}
	if err := bare.Set(ctx, name, v.JSON(), time.Hour).Err(); err != nil {
		b.Fatal(err)
	}
	ruling, err := r.store.Rule(ctx, key)
	if err != nil {
		b.Fatal(err)
	}
	keys := r.store.keys(key)
	set := redis.NewScript(isScript + setScript)
	args := []any{ruling.Generation, r.store.now(), r.text("smyth:metadata:" + key), v.JSON(), time.Hour.Milliseconds()}
	for _, c := range []struct {
		name                string
		bare, same, guarded func() error
	}{
		{"Get", func() error { return bare.Get(ctx, name).Err() }, func() error { return bare.MGet(ctx, keys...).Err() }, func() error { _, _, err := h.Get(ctx, key); return err }},
		{"Set", func() error { return bare.Set(ctx, name, v.JSON(), time.Hour).Err() }, func() error { return set.Run(ctx, bare, keys, args...).Err() }, func() error { return h.Set(ctx, key, v, cache.Options{TTL: time.Hour}) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took [3][]time.Duration
			for b.Loop() {
				for i, do := range []func() error{c.bare, c.same, c.guarded} {
					start := time.Now()
					if err := do(); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], time.Since(start))
				}
			}
			for i := range took {
				slices.Sort(took[i])
			}
			b.ReportAllocs()
			for i, what := range []string{"bare", "same", "guarded"} {
				b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds()), what+"-ns")
			}
		})
	}
}
