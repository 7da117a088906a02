package scheduler

import (
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
)

func TestCron_Next(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][3]string{
		"every minute":     {"* * * * *", "2026-01-31T23:59:30Z", "2026-02-01T00:00:00Z"},
		"is after":         {"0 8 * * *", "2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z"},
		"steps":            {"5/20 * * * *", "2026-01-01T08:26:00Z", "2026-01-01T08:45:00Z"},
		"work days":        {"0 8 * * 1-5", "2026-01-02T09:00:00Z", "2026-01-05T08:00:00Z"},
		"Sunday is 7":      {"0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
		"either day":       {"0 0 13 * 5", "2026-01-10T00:00:00Z", "2026-01-13T00:00:00Z"},
		"leap day":         {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		"leap day in 2100": {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		"list":             {"0,30 6,18 * * *", "2026-01-01T06:30:00Z", "2026-01-01T18:00:00Z"},
		"other zone":       {"0 8 * * *", "2026-01-01T09:30:00+02:00", "2026-01-01T08:00:00Z"},
	} {
		after, err := time.Parse(time.RFC3339, c[1])
		if err != nil {
			t.Fatal(err)
		}
		cron, err := ParseCron(c[0])
		if got := cron.Next(after).Format(time.RFC3339); err != nil || got != c[2] {
			t.Errorf("%s: next of %q after %s = %s, %v, want %s", name, c[0], c[1], got, err, c[2])
		}
	}
}

func TestParseCron_Refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "0 0 30 2 *", "a * * * *", "+1 * * * *", ", * * * *", "1- * * * *", "@daily"} {
		if c, err := ParseCron(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseCron(%q) = %+v, %v, want INVALID", text, c, err)
		}
	}
}

func FuzzParseCron(f *testing.F) {
	for _, seed := range []string{"* * * * *", "*/15 0-6 1,15 * 1-5", "0 0 29 2 *", "0 0 31 2 *", ",,,,", "9/9 * * * 7"} {
		f.Add(seed)
	}
	from := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCron(text)
		if err != nil {
			return
		}
		next := c.Next(from)
		if !next.After(from) || next.Second() != 0 || next.After(from.AddDate(horizon, 0, 1)) {
			t.Errorf("next of %q after %s = %s", text, from, next)
		}
	})
}
