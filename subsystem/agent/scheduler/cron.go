package scheduler

import (
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
)

// Cron is a cron expression that was read: sets of minutes, hours, days and months, as bits. Its times are UTC.
type Cron struct {
	minute, hour, day, month, weekday uint64
	anyDay, anyWeekday                bool
}

// horizon is how many years ahead a time is looked for: 29 February is at most eight years away.
const horizon = 9

// ParseCron reads five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). A field is a
// list of "*", "n" or "n-m", each with "/step" if wanted. What cannot be read, or is never due, is [fault.Invalid].
func ParseCron(text string) (Cron, error) {
	wrong := fault.Newf(fault.Invalid, `cron expression needs five fields such as "0 8 * * 1-5", and a time that it is due`)
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return Cron{}, wrong
	}
	var sets [5]uint64
	for i, bounds := range [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}} {
		for part := range strings.SplitSeq(fields[i], ",") {
			set, ok := cronPart(part, bounds[0], bounds[1])
			if !ok {
				return Cron{}, wrong
			}
			sets[i] |= set
		}
	}
	sets[4] |= sets[4] >> 7 & 1
	c := Cron{sets[0], sets[1], sets[2], sets[3], sets[4], fields[2][0] == '*', fields[4][0] == '*'}
	if c.Next(time.Unix(0, 0)).IsZero() {
		return Cron{}, wrong
	}
	return c, nil
}

// cronPart reads one part of a list.
func cronPart(part string, low, high int) (uint64, bool) {
	span, by, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		var ok bool
		if step, ok = cronNumber(by); !ok || step < 1 {
			return 0, false
		}
	}
	from, to := low, high
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		var ok bool
		if from, ok = cronNumber(first); !ok {
			return 0, false
		}
		switch {
		case ranged:
			if to, ok = cronNumber(last); !ok {
				return 0, false
			}
		case !stepped:
			to = from
		}
	}
	if from < low || to > high || from > to {
		return 0, false
	}
	var set uint64
	for n := from; n <= to; n += step {
		set |= 1 << n
	}
	return set, true
}

func cronNumber(text string) (int, bool) {
	if text == "" || len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// Next returns the first time after one that is due, in UTC, or the zero time when there is none within some years. With
// both days restricted, either is enough.
func (c Cron) Next(after time.Time) time.Time {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	for end := t.AddDate(horizon, 0, 0); t.Before(end); {
		switch {
		case c.month>>int(t.Month())&1 == 0:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.onDay(t):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case c.hour>>t.Hour()&1 == 0:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case c.minute>>t.Minute()&1 == 0:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

func (c Cron) onDay(t time.Time) bool {
	day, weekday := c.day>>t.Day()&1 == 1, c.weekday>>int(t.Weekday())&1 == 1
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
