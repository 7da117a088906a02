package infer

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/value"
)

const badDate = "Invalid Date value\nThe date string is expected to be in a format commonly used in English-speaking countries."

// isoMillis is how JavaScript prints a moment.
const isoMillis = "2006-01-02T15:04:05.000Z"

// date converts milliseconds since 1970, or a text that names a day and perhaps a time, to an ISO text in UTC. Texts
// without a zone are taken as UTC.
func date(v value.Value) (value.Value, error) {
	var t time.Time
	ok := false
	switch s, isText := v.Str(); {
	case isText:
		if ms, numeric := wholeNumber(s); numeric {
			t, ok = fromMillis(ms)
		} else {
			t, ok = ParseDate(s)
		}
	case v.Kind() == value.Number:
		ms, _ := v.Num()
		t, ok = fromMillis(ms)
	}
	if !ok || t.UnixMilli() > maxMillis || t.UnixMilli() < -maxMillis {
		return invalid(badDate)
	}
	return value.Of(formatISO(t.UTC())), nil
}

// formatISO prints a moment in UTC as JavaScript does: years that do not have four digits get a sign and six.
func formatISO(t time.Time) string {
	s := t.Format(isoMillis)
	if y := t.Year(); y < 0 || y > 9999 {
		_, rest, _ := strings.Cut(s[1:], "-") // behind the year, whose own sign may come first
		return fmt.Sprintf("%+07d-%s", y, rest)
	}
	return s
}

// wholeNumber reads a text as JavaScript's Number does: all of it, blank text being 0.
func wholeNumber(s string) (float64, bool) {
	s = strings.TrimFunc(s, isSpace)
	if s == "" {
		return 0, true
	}
	if len(s) > 2 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 {
		n, err := strconv.ParseUint(s, 0, 64)
		return float64(n), err == nil && !strings.Contains(s, "_")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	return f, true
}

// maxMillis is the largest moment JavaScript knows, in ms from 1970.
const maxMillis = 8.64e15

func fromMillis(ms float64) (time.Time, bool) {
	if math.IsNaN(ms) || math.Abs(ms) > maxMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Trunc(ms))), true
}

// plainDate is the form in which the parts of a date may overflow: month 13 is January of the next year.
var plainDate = regexp.MustCompile(`^(\d{4})[-/]?(\d{1,2})?[-/]?(\d{0,2})[Tt\s]*(\d{1,2})?:?(\d{1,2})?:?(\d{1,2})?[.:]?(\d+)?$`)

// ParseDate reads a date as agents expect: plain year-month-day forms whose parts may overflow, ISO 8601, and the
// English forms that JavaScript reads, such as "Dec 25, 1995" and "12/25/2024". ok is false for any other text.
func ParseDate(s string) (t time.Time, ok bool) {
	if m := plainDate.FindStringSubmatch(s); m != nil && !strings.HasSuffix(strings.ToLower(s), "z") {
		part := func(i, missing int) int {
			if n, err := strconv.Atoi(m[i]); err == nil {
				return n
			}
			return missing
		}
		year := part(1, 0)
		if year < 100 {
			year += 1900
		}
		millis, _ := strconv.Atoi(m[7][:min(3, len(m[7]))]) // a count, not a fraction: ".5" is 5 ms
		return time.Date(year, time.Month(part(2, 1)), part(3, 1), part(4, 0), part(5, 0), part(6, 0), millis*int(time.Millisecond), time.UTC), true
	}
	if t, ok := isoDate(s); ok {
		return t, true
	}
	return englishDate(s)
}

var isoForm = regexp.MustCompile(`^([+-]\d{6}|\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?([Zz]|[+-]\d\d:?\d\d)?$`)

// isoDate reads ISO 8601. Days up to 31 are accepted in every month and roll over.
func isoDate(s string) (time.Time, bool) {
	m := isoForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return time.Time{}, false
	}
	part := func(i, missing int) int {
		if n, err := strconv.Atoi(m[i]); err == nil {
			return n
		}
		return missing
	}
	year, month, day := part(1, 0), part(2, 1), part(3, 1)
	hour, minute, second := part(4, 0), part(5, 0), part(6, 0)
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 59 || hour == 24 && minute+second > 0 {
		return time.Time{}, false
	}
	millis, _ := strconv.Atoi((m[7] + "000")[:3])
	zone, ok := zoneOf(m[8])
	return time.Date(year, time.Month(month), day, hour, minute, second, millis*int(time.Millisecond), zone), ok
}

// zoneOf reads "Z", "+02:00" or "-0530"; nothing is UTC.
func zoneOf(s string) (*time.Location, bool) {
	if s == "" || s == "Z" || s == "z" {
		return time.UTC, true
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits) <= 2 {
		digits += "00"
	}
	if len(digits) == 3 {
		digits = "0" + digits
	}
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) != 4 || n%100 > 59 {
		return nil, false
	}
	offset := n/100*3600 + n%100*60
	if s[0] == '-' {
		offset = -offset
	}
	return time.FixedZone(s, offset), true
}
