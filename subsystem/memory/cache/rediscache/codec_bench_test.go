package rediscache

import (
	"testing"

	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// BenchmarkCodec measures what is done to an entry beside the journey to Redis.
func BenchmarkCodec(b *testing.B) {
	v := value.Of("a text as agents remember them, of some length: the last question, and what was answered to it")
	text := v.JSON()
	acl := ownedBy(b, "agent-a")
	l := label{generation: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", expires: 1_800_000_000_123, acl: acl.String(), value: sum(text)}
	stored := l.encode("agent-a:memory:key")
	b.Run("Read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := decodeLabel("agent-a:memory:key", stored)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := l.entry("agent-a:memory:key", text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text, err := value.Encode(v, cache.StoredLimits())
			if err != nil {
				b.Fatal(err)
			}
			l := label{generation: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", expires: 1_800_000_000_123, acl: acl.String(), value: sum(text)}
			if l.encode("agent-a:memory:key") != stored {
				b.Fatal("another label")
			}
		}
	})
}
