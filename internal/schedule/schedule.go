// Package schedule reads when a job is to run: at an interval, or by a cron expression, within a window of time.
//
// It is the text form of the scheduler's files: {interval, cron, startDate, endDate}.
package schedule

import (
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Schedule says when a job runs. One of Every and Cron is set.
type Schedule struct {
	Every time.Duration // between two runs
	Cron  string        // five fields: minute, hour, day of the month, month, day of the week
	Start time.Time     // no run before it; zero for none
	End   time.Time     // no run after it; zero for none
}

// Parse reads a schedule. What cannot be one is [fault.Invalid], in the words of the reference. Whether a cron
// expression makes sense is decided by who computes its times.
func Parse(v value.Value) (Schedule, error) {
	interval, cron := v.GetString("interval"), v.GetString("cron")
	switch {
	case interval == "" && cron == "":
		return Schedule{}, fault.Newf(fault.Invalid, "Schedule must have either interval or cron expression")
	case interval != "" && cron != "":
		return Schedule{}, fault.Newf(fault.Invalid, "Schedule cannot have both interval and cron expression")
	}
	s := Schedule{Cron: cron}
	var err error
	if interval != "" {
		if s.Every, err = ParseInterval(interval); err != nil {
			return Schedule{}, err
		}
	}
	if s.Start, err = date(v, "startDate"); err != nil {
		return Schedule{}, err
	}
	if s.End, err = date(v, "endDate"); err != nil {
		return Schedule{}, err
	}
	if !s.Start.IsZero() && !s.End.IsZero() && !s.Start.Before(s.End) {
		return Schedule{}, fault.Newf(fault.Invalid, "Start date must be before end date")
	}
	return s, nil
}

// MaxInterval bounds an interval, so that no arithmetic on it overflows.
const MaxInterval = 100 * 365 * 24 * time.Hour

// ParseInterval reads "30s", "10m", "2h", "1d" or "1w".
func ParseInterval(text string) (time.Duration, error) {
	wrong := fault.Newf(fault.Invalid, `Invalid interval format. Use format like "10m", "30s", "2h"`)
	if text == "" {
		return 0, wrong
	}
	unit, ok := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	}[text[len(text)-1]]
	digits := text[:len(text)-1]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || strings.Trim(digits, "0123456789") != "" || n < 1 || n > int64(MaxInterval/unit) {
		return 0, wrong
	}
	return time.Duration(n) * unit, nil
}

func date(v value.Value, name string) (time.Time, error) {
	text := v.GetString(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fault.Newf(fault.Invalid, "%s is no date such as 2026-01-31T08:00:00Z", name)
	}
	return t, nil
}
