//go:build services

package redisnkv

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/value"
)

// BenchmarkRoundTrip compares the guarded handle with one bare command of the client library with the same settings of the
// connection. They take turns, so that the load of the machine meets both, and the medians are reported.
func BenchmarkRoundTrip(b *testing.B) {
	r := newRig(b)
	bare := redis.NewClient(&redis.Options{
		Addr: redistest.Address(b), Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: 1,
		ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second, PoolSize: 32, Dialer: dial,
	})
	b.Cleanup(func() {
		if err := bare.Close(); err != nil {
			b.Error(err)
		}
	})
	h, ctx := r.as("team-a"), b.Context()
	v := value.Of("a text of some length, as an agent keeps it: the name of a document, its source and when it was read")
	name := r.store.prefix + "bare"
	if err := h.Set(ctx, "ns", "key", v); err != nil {
		b.Fatal(err)
	}
	if err := bare.Set(ctx, name, v.JSON(), 0).Err(); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		bare, guarded func() error
	}{
		{"Get", func() error { return bare.Get(ctx, name).Err() }, func() error { _, _, err := h.Get(ctx, "ns", "key"); return err }},
		{"Set", func() error { return bare.Set(ctx, name, v.JSON(), 0).Err() }, func() error { return h.Set(ctx, "ns", "key", v) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took [2][]time.Duration
			for b.Loop() {
				for i, do := range []func() error{c.bare, c.guarded} {
					start := time.Now()
					if err := do(); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], time.Since(start))
				}
			}
			slices.Sort(took[0])
			slices.Sort(took[1])
			b.ReportAllocs()
			for i, what := range []string{"bare", "guarded"} {
				b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds()), what+"-ns")
			}
		})
	}
}
