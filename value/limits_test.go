package value

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestT47_Limits(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name, text string
		limits     Limits
		code       string // "" when the text is accepted
	}{
		{"depth at the limit", deep(100), Limits{}, ""},
		{"depth over the limit", deep(101), Limits{}, "LIMIT_EXCEEDED(json_depth)"},
		{"a million open arrays", strings.Repeat("[", 1_000_000), Limits{}, "LIMIT_EXCEEDED(json_depth)"},
		{"a million open objects", strings.Repeat(`{"a":`, 1_000_000), Limits{}, "LIMIT_EXCEEDED(json_depth)"},
		{"own depth", `[{"a":[]}]`, Limits{Depth: 2}, "LIMIT_EXCEEDED(json_depth)"},
		{"siblings are not depth", "[" + strings.TrimSuffix(strings.Repeat("[[]],", 300), ",") + "]", Limits{Depth: 3}, ""},
		{"bytes at the limit", `"abc"`, Limits{Bytes: 5}, ""},
		{"bytes over the limit", `"abcd"`, Limits{Bytes: 5}, "LIMIT_EXCEEDED(json_bytes)"},
		{"one string over 10 MiB", `"` + strings.Repeat("x", 10<<20) + `"`, Limits{}, "LIMIT_EXCEEDED(json_bytes)"},
		{"values at the limit", "[1,2,3]", Limits{Values: 4}, ""},
		{"values over the limit", "[1,2,3,4]", Limits{Values: 4}, "LIMIT_EXCEEDED(json_values)"},
		{"members count as values", `{"a":1,"b":2,"c":3}`, Limits{Values: 3}, "LIMIT_EXCEEDED(json_values)"},
		{"a million numbers and one", "[" + strings.Repeat("1,", 1_000_000) + "1]", Limits{}, "LIMIT_EXCEEDED(json_values)"},
		{"a huge exponent", "1e" + strings.Repeat("9", 1<<20), Limits{}, ""},
		{"many digits", strings.Repeat("9", 1<<20), Limits{}, ""},
		{"many open braces", strings.Repeat("{", 10<<20), Limits{}, "INVALID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(tt.text), tt.limits)
			switch {
			case tt.code == "" && err != nil:
				t.Errorf("Decode: got %v, want no error", err)
			case tt.code != "" && err == nil:
				t.Errorf("Decode: got a %s, want %s", got.Kind(), tt.code)
			case tt.code != "" && fault.CodeOf(err) != tt.code:
				t.Errorf("Decode: got code %s (%v), want %s", fault.CodeOf(err), err, tt.code)
			}
		})
	}
}

// A text over the byte limit is refused before it is copied.
func TestT47_NoCopyOfOversizedText(t *testing.T) {
	text := make([]byte, 1<<20)
	allocated := testing.AllocsPerRun(10, func() {
		if _, err := Decode(text, Limits{Bytes: 16}); err == nil {
			t.Error("Decode accepted a text over the limit")
		}
	})
	perRun := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			_, _ = Decode(text, Limits{Bytes: 16})
		}
	}).AllocedBytesPerOp()
	if perRun > 4096 {
		t.Errorf("Decode of 1 MiB over the limit allocates %d bytes in %v allocations, want at most 4096", perRun, allocated)
	}
}
