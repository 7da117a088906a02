package httpserver

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/hop"
)

// TestT09_Hops: a request that comes back is as deep as the header says, if this runtime has signed it. Other headers
// change nothing, and agents see none of them.
func TestT09_Hops(t *testing.T) {
	t.Parallel()
	key := hop.NewKey(effect.System{})
	sign := func(k *hop.Key, depth int) string {
		text, err := k.Sign(hop.Hop{Depth: depth, Run: "rt-1"})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tests := []struct {
		name, header string
		status       int
		want         string
	}{
		{"none", "", 200, "depth-is-fine"},
		{"the deepest that may be", sign(key, 7), 200, "depth-is-fine"},
		{"too deep", sign(key, 8), 413, "LIMIT_EXCEEDED(depth)"},
		{"far too deep", sign(key, 1<<30), 413, "LIMIT_EXCEEDED(depth)"},
		{"of another runtime", sign(hop.NewKey(effect.System{}), 8), 200, "depth-is-fine"},
		{"changed", strings.Replace(sign(key, 7), "7", "8", 1), 200, "depth-is-fine"},
		{"made up", "8.x.y", 200, "depth-is-fine"},
	}
	w := serve(t, func(c *Config) { c.Hops = key })
	w.load("a", "", part{endpoint: "e", method: "POST"})
	for _, tt := range tests {
		headers := []string{asJSON}
		if tt.header != "" {
			headers = append(headers, hop.Header+": "+tt.header)
		}
		got := w.do("POST", "/api/e", `{"name":"depth-is-fine"}`, headers...)
		if got.status != tt.status || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, got.status, got.body, tt.status, tt.want)
		}
		if strings.Contains(strings.ToLower(got.body), "x-sre-hop") || tt.header != "" && strings.Contains(got.body, strconv.Quote(tt.header)) {
			t.Errorf("%s: the agent sees the header: %s", tt.name, got.body)
		}
	}
}
