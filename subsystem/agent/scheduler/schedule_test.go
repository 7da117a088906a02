package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestParseSchedule(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want, fails string }{
		{`{"interval": "10m"}`, "10m0s", ""},
		{`{"interval": "1d"}`, "24h0m0s", ""},
		{`{"cron": "0 0 * * *"}`, "0 0 * * *", ""},
		{`{}`, "", "either interval or cron"},
		{`{"interval": "1h", "cron": "* * * * *"}`, "", "cannot have both"},
		{`{"interval": "10x"}`, "", "Invalid interval"},
		{`{"interval": "-1m"}`, "", "Invalid interval"},
		{`{"interval": "0s"}`, "", "Invalid interval"},
		{`{"interval": "m"}`, "", "Invalid interval"},
		{`{"interval": "99999999999999999w"}`, "", "Invalid interval"},
		{`{"interval": "1h", "startDate": "2025-01-02T00:00:00.000Z", "endDate": "2025-01-01T00:00:00.000Z"}`, "", "before end date"},
		{`{"interval": "1h", "startDate": "2025-01-01T00:00:00.000Z", "endDate": "2025-01-02T00:00:00.000Z"}`, "1h0m0s", ""},
		{`{"interval": "1h", "startDate": "soon"}`, "", "startDate"},
	}
	for _, tt := range tests {
		v, err := value.Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseSchedule(v)
		if tt.fails != "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("ParseSchedule(%s) = %v, %v, want an error with %q", tt.text, s, err, tt.fails)
			}
			continue
		}
		got := s.Cron
		if s.Every != 0 {
			got = s.Every.String()
		}
		if err != nil || got != tt.want {
			t.Errorf("ParseSchedule(%s) = %s, %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseInterval(f *testing.F) {
	for _, seed := range []string{"10m", "1w", "", "s", "９m", "1e3s", "+5m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseInterval(text)
		if err == nil && (d < time.Second || d > MaxInterval) {
			t.Errorf("ParseInterval(%q) = %s, out of bounds", text, d)
		}
	})
}
