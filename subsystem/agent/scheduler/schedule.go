package scheduler

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

// ParseSchedule reads {interval, cron, startDate, endDate}. What cannot be one is [fault.Invalid], in the words of the
// reference. A cron expression is taken as it is: [Schedule.Check] tells whether it makes sense.
func ParseSchedule(v value.Value) (Schedule, error) {
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

// Value returns the form that [ParseSchedule] reads.
func (s Schedule) Value() value.Value {
	v := value.NewBuilder(3)
	if s.Every != 0 {
		v.Set("interval", value.Of(interval(s.Every)))
	}
	if s.Cron != "" {
		v.Set("cron", value.Of(s.Cron))
	}
	if !s.Start.IsZero() {
		v.Set("startDate", stamp(s.Start))
	}
	if !s.End.IsZero() {
		v.Set("endDate", stamp(s.End))
	}
	return v.Build()
}

// String returns the schedule in a few words, such as "every 10m" or "cron 0 8 * * 1-5".
func (s Schedule) String() string {
	if s.Cron != "" {
		return "cron " + s.Cron
	}
	return "every " + interval(s.Every)
}

// Check refuses a schedule that has no times: a cron expression that is none, an interval out of bounds, both or neither,
// an end before its start.
func (s Schedule) Check() error {
	if _, err := ParseSchedule(s.Value()); err != nil {
		return err
	}
	if s.Cron == "" {
		return nil
	}
	_, err := ParseCron(s.Cron)
	return err
}

// First returns the first time of a job that is scheduled at now, the zero time when it is never due.
func (s Schedule) First(now time.Time) time.Time {
	waits := s.Start.After(now)
	switch {
	case s.Cron != "" && waits:
		return s.within(s.cronNext(s.Start.Add(-time.Nanosecond))) // the start itself counts
	case s.Cron != "":
		return s.within(s.cronNext(now))
	case waits:
		return s.within(s.Start)
	case s.Every <= 0:
		return time.Time{}
	}
	return s.within(now.Add(s.Every))
}

// Next returns the time after now of a job that was due at due, the zero time when there is none any more. Times that
// passed meanwhile are left out. Those of an interval keep their distance from due, however long a run takes.
func (s Schedule) Next(due, now time.Time) time.Time {
	if s.Cron != "" {
		return s.within(s.cronNext(now))
	}
	if s.Every <= 0 {
		return time.Time{}
	}
	missed := time.Duration(0)
	if late := now.Sub(due); late > 0 {
		missed = late / s.Every
	}
	return s.within(due.Add((missed + 1) * s.Every))
}

// cronNext returns the next time of the cron expression; none of one that makes no sense, as files of the reference may
// hold.
func (s Schedule) cronNext(after time.Time) time.Time {
	c, err := ParseCron(s.Cron)
	if err != nil {
		return time.Time{}
	}
	return c.Next(after)
}

// within returns t, or none when it is after the end.
func (s Schedule) within(t time.Time) time.Time {
	if !s.End.IsZero() && t.After(s.End) {
		return time.Time{}
	}
	return t
}

// interval writes what [ParseInterval] reads, in the largest unit that it is a multiple of.
func interval(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{7 * 24 * time.Hour, "w"}, {24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= unit.d && d%unit.d == 0 {
			return strconv.FormatInt(int64(d/unit.d), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// stamp writes a time as JavaScript does.
func stamp(t time.Time) value.Value {
	return value.Of(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}
