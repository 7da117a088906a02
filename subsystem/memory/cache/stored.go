package cache

import "github.com/sre-go/sre/value"

// MaxStoredBytes is the most that a value may take as JSON in connectors that keep it as text.
const MaxStoredBytes = 64 << 20

// StoredLimits bound values in connectors that keep them as text; for [value.Encode] and [value.Decode].
func StoredLimits() value.Limits {
	return value.Limits{Bytes: MaxStoredBytes, Depth: 1000, Values: 8_000_000}
}
