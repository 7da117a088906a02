package cli

import (
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
)

// FuzzParseExpiry: a token ends within a hundred years or so, at a date that was written out, or never because that was
// said; nothing else is taken.
func FuzzParseExpiry(f *testing.F) {
	for _, s := range []string{"never", "30d", "12h", "8w", "90m", "2027-01-31", "2027-01-31T10:00:00Z", "0d", "-1d", "d", "", "36600d", "0001-01-01", "99999999999w", "1e3d", "٣d"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseExpiry(text, now)
		switch {
		case err != nil:
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("parseExpiry(%q) = %v, want kind %v", text, err, fault.Invalid)
			}
		case at.IsZero() && text != "never":
			t.Fatalf("parseExpiry(%q) is for ever", text)
		case !at.After(now) && len(text) < len(time.DateOnly) && text != "never", len(text) < len(time.DateOnly) && at.Sub(now) > 101*366*24*time.Hour:
			t.Fatalf("parseExpiry(%q) = %v", text, at)
		}
	})
}
