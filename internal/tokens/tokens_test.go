package tokens

import (
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestCount(t *testing.T) {
	t.Parallel()
	var c Counter
	for text, want := range map[string]int{"": 0, "hello": 1, "hello world": 2, "The quick brown fox jumps over the lazy dog.": 10} {
		if got := c.Count(text); got != want {
			t.Errorf("Count(%q) = %d, want %d", text, got, want)
		}
	}
	short := c.Count(strings.Repeat("hello world ", 1000))
	long := c.Count(strings.Repeat("hello world ", 100_000))
	if long < 90*short || long > 110*short {
		t.Errorf("a text of a hundred times the length has %d tokens, the short one %d", long, short)
	}
	if got := c.Count("\xff\xfe broken"); got < 1 {
		t.Errorf("a text that is no UTF-8 has %d tokens", got)
	}
}

func BenchmarkCount(b *testing.B) {
	var c Counter
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	c.Count(text)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.Count(text)
	}
}
