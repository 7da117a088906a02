package llm_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

func TestF07_RetryAfterDate(t *testing.T) {
	t.Parallel()
	const noon, later = "Mon, 23 Nov 2026 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:07 GMT"
	tests := []struct {
		name, after, date string
		now               string // of our clock, RFC 3339, "" for no clock
		want              time.Duration
	}{
		{"seconds", "7", noon, "", 7 * time.Second},
		{"half a second", "0.5", "", "", 500 * time.Millisecond},
		{"as long as can be", "1000000000", "", "", 1e9 * time.Second},
		{"more than that", "1000000001", "", "", 0},
		{"negative", "-7", "", "", 0},
		{"no number", "NaN", "", "", 0},
		{"nothing", "", noon, "2026-11-23T12:00:00Z", 0},
		{"a word", "soon", noon, "2026-11-23T12:00:00Z", 0},
		{"a date by the provider's clock", later, noon, "", 7 * time.Second},
		{"our clock is wrong", later, noon, "2031-01-01T00:00:00Z", 7 * time.Second},
		{"a date by our clock", later, "", "2026-11-23T12:00:02Z", 5 * time.Second},
		{"its own clock cannot be read", later, "now", "2026-11-23T12:00:02Z", 5 * time.Second},
		{"a date by no clock", later, "", "", 0},
		{"a date that is over", noon, later, "", 0},
		{"a date far away", "Fri, 31 Dec 9999 23:59:59 GMT", noon, "", 1<<63 - 1},
		{"an old form", "Monday, 23-Nov-26 12:00:07 GMT", noon, "", 7 * time.Second},
		{"the oldest form", "Mon Nov 23 12:00:07 2026", noon, "", 7 * time.Second},
		{"a date that is none", "Mon, 31 Feb 2026 12:00:07 GMT", noon, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for name, text := range map[string]string{"Retry-After": tt.after, "Date": tt.date} {
				if text != "" {
					h.Set(name, text)
				}
			}
			var clock effect.Source
			if tt.now != "" {
				now, err := time.Parse(time.RFC3339, tt.now)
				if err != nil {
					t.Fatal(err)
				}
				clock = stopped{now: now}
			}
			if got := llm.AskedFor(h, clock); got != tt.want {
				t.Errorf("AskedFor(%v) = %s, want %s", h, got, tt.want)
			}
		})
	}
}

// stopped is a clock that stands still.
type stopped struct {
	effect.System
	now time.Time
}

func (s stopped) Now() time.Time { return s.now }

// A date is waited for like seconds, and bounded like them.
func TestF07_WaitsForDate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		until          time.Duration // from now
		least, longest time.Duration
	}{
		{"seven seconds", 7 * time.Second, 7 * time.Second, 8 * time.Second},
		{"an hour", time.Hour, 2 * time.Minute, 2*time.Minute + 2*time.Second},
		{"over", -time.Hour, 0, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				h := http.Header{"Retry-After": {begin.Add(tt.until).UTC().Format(http.TimeFormat)}}
				w, _ := world(t, llmtest.Setup{}, parts(llm.RefusedFor(429, "slow down", llm.AskedFor(h, effect.System{}))), parts(nil, text("b"), done()))
				if _, err := w.As(t, "agent:helper").Generate(t.Context(), ask("plain")); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took < tt.least || took > tt.longest {
					t.Errorf("the answer took %s, want %s to %s", took, tt.least, tt.longest)
				}
			})
		})
	}
}

func FuzzAskedFor(f *testing.F) {
	for _, seed := range [][2]string{{"7", ""}, {"1e300", ""}, {"0x1p-2", ""}, {"Mon, 23 Nov 2026 12:00:07 GMT", "Mon, 23 Nov 2026 12:00:00 GMT"}, {"Mon Nov 23 12:00:07 2026", "soon"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, after, date string) {
		h := http.Header{"Retry-After": {after}, "Date": {date}}
		if got := llm.AskedFor(h, effect.System{}); got < 0 {
			t.Errorf("AskedFor(%q, %q) = %s, want no negative time", after, date, got)
		}
	})
}
