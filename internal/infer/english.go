package infer

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateWords splits a free date into names, times of day, signed and plain numbers, remarks in parentheses and signs.
var dateWords = regexp.MustCompile(`[A-Za-z]+|\d+:\d+(?::\d+(?:\.\d+)?)?|[+-]\d+(?::\d+)?|\d+|\([^)]*\)?|\s+|.`)

// englishDate reads the free forms of English dates: month names or month/day/year, an optional time, AM or PM, and an
// optional zone. Words of days are ignored, and so is any word before the first number.
func englishDate(s string) (time.Time, bool) {
	d := english{zone: time.UTC}
	for _, w := range dateWords.FindAllString(s, -1) {
		if !d.word(w) {
			return time.Time{}, false
		}
		d.last = w[len(w)-1]
	}
	return d.time()
}

// english collects the parts of a date.
type english struct {
	numbers []int
	month   int   // from a name
	clock   []int // hour, minute, second, milliseconds
	pm, am  bool
	zone    *time.Location
	zoned   bool // a zone was named; an offset may follow
	last    byte // of the word before
}

func (d *english) word(w string) bool {
	switch c := w[0]; {
	case strings.IndexByte(" \t\n\r,/(.", c) >= 0, w == "-":
		return true
	case c == '+' || c == '-':
		return d.signed(w)
	case c >= '0' && c <= '9' && strings.Contains(w, ":"):
		return d.timeOfDay(w)
	case c >= '0' && c <= '9':
		return d.number(w)
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return d.name(strings.ToLower(w))
	}
	return len(d.numbers) == 0
}

// signed reads an offset once there is a time or a zone; before that a minus only separates numbers.
func (d *english) signed(w string) bool {
	if d.clock != nil || d.zoned {
		zone, ok := zoneOf(w)
		d.zone = zone
		return ok
	}
	d.last = w[0]
	return w[0] == '-' && d.number(w[1:])
}

// number reads a part of the day. One that is glued to a word belongs to the word, unless that names a month.
func (d *english) number(w string) bool {
	if c := d.last | 0x20; c >= 'a' && c <= 'z' && d.month == 0 {
		return false
	}
	n, err := strconv.Atoi(w)
	d.numbers = append(d.numbers, n)
	return err == nil && len(d.numbers) <= 3
}

func (d *english) timeOfDay(w string) bool {
	whole, fraction, _ := strings.Cut(w, ".")
	for p := range strings.SplitSeq(whole, ":") {
		n, err := strconv.Atoi(p)
		if err != nil || n > 59 {
			return false
		}
		d.clock = append(d.clock, n)
	}
	for len(d.clock) < 3 {
		d.clock = append(d.clock, 0)
	}
	millis, _ := strconv.Atoi((fraction + "000")[:3])
	d.clock = append(d.clock, millis)
	return d.clock[0] <= 24 && len(d.clock) == 4
}

func (d *english) name(w string) bool {
	switch w {
	case "am", "pm":
		d.am, d.pm = w == "am", w == "pm"
		return d.clock != nil && (d.last < '0' || d.last > '9')
	case "z", "gmt", "ut", "utc":
		d.zoned = true
		return true
	case "t":
		return d.clock == nil && len(d.numbers) == 0
	}
	if offset, ok := americanZone(w); ok {
		d.zone = time.FixedZone(w, offset)
		return true
	}
	if len(w) >= 3 {
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
	}
	return len(d.numbers) == 0
}

// americanZone returns the offset in seconds of the zones of North America, the only ones with names of their own.
func americanZone(w string) (offset int, ok bool) {
	if len(w) != 3 || w[2] != 't' || w[1] != 's' && w[1] != 'd' {
		return 0, false
	}
	i := strings.IndexByte("ecmp", w[0])
	hours := -5 - i // from the east to the Pacific coast
	if w[1] == 'd' {
		hours++
	}
	return hours * 3600, i >= 0
}

// time puts the parts together. Parts that are missing count as 1, and years before 100 are near ours.
func (d *english) time() (time.Time, bool) {
	if len(d.numbers) == 0 {
		return time.Time{}, false
	}
	n := append(d.numbers, 1, 1)
	isDay := n[0] >= 1 && n[0] <= 31
	var year, month, day int
	switch {
	case d.month != 0 && isDay:
		year, month, day = n[1], d.month, n[0]
	case d.month != 0:
		year, month, day = n[0], d.month, n[1]
	case isDay:
		year, month, day = n[2], n[0], n[1]
	default:
		year, month, day = n[0], n[1], n[2]
	}
	if year < 50 {
		year += 2000
	} else if year < 100 {
		year += 1900
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	clock := append(d.clock, 0, 0, 0, 0)
	hour := clock[0]
	switch {
	case (d.am || d.pm) && hour > 12:
		return time.Time{}, false
	case d.pm && hour < 12:
		hour += 12
	case d.am && hour == 12:
		hour = 0
	}
	return time.Date(year, time.Month(month), day, hour, clock[1], clock[2], clock[3]*int(time.Millisecond), d.zone), true
}
