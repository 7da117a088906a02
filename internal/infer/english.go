package infer

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var dateWords = regexp.MustCompile(`[A-Za-z]+\.?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|[+-]\d{1,2}:?\d{2}\b|\d+|[/,-]|\([^)]*\)|\s+|.`)

// englishDate reads the free forms of English dates: month names or month/day/year, an optional time, AM or PM, and an
// optional zone. Words of days are ignored.
func englishDate(s string) (time.Time, bool) {
	d := english{zone: time.UTC}
	for _, w := range dateWords.FindAllString(s, -1) {
		if !d.word(w) {
			return time.Time{}, false
		}
	}
	return d.time()
}

// english collects the parts of a date.
type english struct {
	numbers []int
	month   int // from a name
	clock   []int
	pm, am  bool
	zone    *time.Location
}

func (d *english) word(w string) bool {
	switch c := w[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == ',' || c == '/' || c == '(':
		return true
	case c == '-' && len(w) == 1:
		return true
	case (c == '+' || c == '-') && d.clock != nil:
		zone, ok := zoneOf(w)
		d.zone = zone
		return ok
	case c == '+' || c == '-':
		n, err := strconv.Atoi(w[1:])
		d.numbers = append(d.numbers, n)
		return err == nil
	case strings.Contains(w, ":"):
		return d.time24(w)
	case c >= '0' && c <= '9':
		n, err := strconv.Atoi(w)
		d.numbers = append(d.numbers, n)
		return err == nil
	}
	return d.name(strings.ToLower(strings.TrimSuffix(w, ".")))
}

func (d *english) time24(w string) bool {
	whole, _, _ := strings.Cut(w, ".")
	for _, p := range strings.Split(whole, ":") {
		n, err := strconv.Atoi(p)
		if err != nil || n > 59 {
			return false
		}
		d.clock = append(d.clock, n)
	}
	return d.clock[0] <= 24
}

func (d *english) name(w string) bool {
	switch w {
	case "am":
		d.am = true
		return d.clock != nil
	case "pm":
		d.pm = true
		return d.clock != nil
	case "z", "gmt", "ut", "utc", "t", "at":
		return len(d.numbers) > 0
	}
	if len(w) < 3 {
		return false
	}
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), w[:3]) {
			d.month = int(m)
			return true
		}
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.HasPrefix(strings.ToLower(day.String()), w[:3]) {
			return true
		}
	}
	return false
}

func (d *english) time() (time.Time, bool) {
	var year, month, day int
	n := d.numbers
	switch {
	case d.month != 0 && len(n) == 2:
		month, day, year = d.month, n[0], n[1]
		if day > 31 {
			day, year = year, day
		}
	case d.month != 0 && len(n) == 1:
		month, day, year = d.month, n[0], 2001 // the year JavaScript takes when there is none
		if day > 31 {
			day, year = 1, day
		}
	case d.month == 0 && len(n) == 3 && n[0] > 31:
		year, month, day = n[0], n[1], n[2]
	case d.month == 0 && len(n) == 3:
		month, day, year = n[0], n[1], n[2]
	default:
		return time.Time{}, false
	}
	if year < 50 {
		year += 2000
	} else if year < 100 {
		year += 1900
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	clock := append(d.clock, 0, 0, 0)
	hour := clock[0]
	switch {
	case (d.am || d.pm) && (hour < 1 || hour > 12):
		return time.Time{}, false
	case d.pm && hour < 12:
		hour += 12
	case d.am && hour == 12:
		hour = 0
	}
	return time.Date(year, time.Month(month), day, hour, clock[1], clock[2], 0, d.zone), true
}
