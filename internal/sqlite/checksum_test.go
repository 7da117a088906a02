package sqlite

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

// Texts that are changed, moved or cut elsewhere have another sum.
func TestChecksum(t *testing.T) {
	t.Parallel()
	want := Checksum("key", "value")
	for _, texts := range [][]string{{"key", "valuf"}, {"value", "key"}, {"keyv", "alue"}, {"keyvalue"}, {"key", "value", ""}, {}} {
		if got := Checksum(texts...); got == want {
			t.Errorf("Checksum(%q) = %d, that of another row", texts, got)
		}
	}
	if got := Checksum("key", "value"); got != want {
		t.Errorf("Checksum = %d, want %d again", got, want)
	}
}

// However long the texts are, the sum is that of their lengths and bytes in a row.
func TestChecksum_Long(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, 8, sumStep - 9, sumStep - 8, sumStep - 7, sumStep, sumStep + 1, 3*sumStep + 5} {
		for _, m := range []int{0, 1, sumStep} {
			texts := []string{strings.Repeat("a", n), strings.Repeat("b", m), strings.Repeat("c", n)}
			var all []byte
			for _, text := range texts {
				all = append(binary.BigEndian.AppendUint64(all, uint64(len(text))), text...)
			}
			if got, want := Checksum(texts...), int64(crc32.Checksum(all, crc32.MakeTable(crc32.Castagnoli))); got != want {
				t.Errorf("Checksum of %d, %d and %d bytes = %d, want %d", n, m, n, got, want)
			}
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	text := strings.Repeat("x", 1000)
	b.ReportAllocs()
	for b.Loop() {
		if Checksum("agent-a:memory:key", "1795419410000000000", "", text) == 0 {
			b.Fatal("no sum")
		}
	}
}
