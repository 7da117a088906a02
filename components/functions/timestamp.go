package functions

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

type timestampSettings struct {
	Format string `json:"format" label:"Format" sre:"allowEmpty,null,default=unix" doc:"unix or timestamp for milliseconds since 1970, iso for ISO 8601, or a pattern of YYYY, YY, MMMM, MMM, MM, M, DD, D, HH, H, hh, h, mm, m, ss, s, SSS, A, a, Z and ZZ with spaces and - / : , . between them. The time zone is UTC."`
}

func timestampType() component.Definition {
	return component.Define(component.Spec{
		Name:     "FTimestamp",
		Summary:  "Tells the time.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Trigger", Optional: true, Doc: "Anything; it only says when to look at the clock."}},
		Outputs:  []component.Port{{Name: "Timestamp", Doc: "Milliseconds as a number, or a text in the chosen format."}},
		Traits:   component.Traits{Cheap: true},
	}, runTimestamp).WithCheck(checkFormat)
}

// checkFormat refuses a pattern with letters that mean nothing.
func checkFormat(settings value.Value) []schema.Violation {
	format := settings.GetString("format")
	switch format {
	case "", "unix", "timestamp", "iso":
		return nil
	}
	if strings.Trim(format, "YMDHhmsSZzAa -/:,.") == "" {
		return nil
	}
	return []schema.Violation{{Name: "format", Message: "Invalid format string: " + format}}
}

func runTimestamp(_ context.Context, call *component.Call, s *timestampSettings, _ component.Input) (value.Value, error) {
	watch := startTimer(call)
	now := call.Effects.Now().UTC()
	var stamp value.Value
	switch s.Format {
	case "", "unix", "timestamp":
		stamp = value.OfNumber(float64(now.UnixMilli()))
	case "iso":
		stamp = value.Of(now.Format("2006-01-02T15:04:05.000Z"))
	default:
		stamp = value.Of(formatTime(now, s.Format))
	}
	if call.Logs() {
		call.LogDebug("Timestamp : " + stamp.Text())
	}
	return watch.stop(value.NewBuilder(2).Set("Timestamp", stamp)), nil
}

// formatTime replaces the letters of a pattern with parts of a time. A run of a letter that is no part stays.
func formatTime(t time.Time, pattern string) string {
	out := make([]byte, 0, len(pattern)+16)
	for i := 0; i < len(pattern); {
		n := 1
		for i+n < len(pattern) && pattern[i+n] == pattern[i] && n < longest(pattern[i]) {
			n++
		}
		out = appendPart(out, t, pattern[i:i+n])
		i += n
	}
	return string(out)
}

// longest returns how many of a letter can make one part of a pattern.
func longest(letter byte) int {
	switch letter {
	case 'Y', 'M':
		return 4
	case 'S':
		return 3
	case 'D', 'H', 'h', 'm', 's', 'Z':
		return 2
	}
	return 1
}

func appendPart(out []byte, t time.Time, part string) []byte {
	switch part {
	case "YYYY", "YYY", "Y":
		return appendPadded(out, t.Year(), 4)
	case "YY":
		return appendPadded(out, t.Year()%100, 2)
	case "MMMM":
		return append(out, t.Month().String()...)
	case "MMM":
		return append(out, t.Month().String()[:3]...)
	case "MM", "M":
		return appendPadded(out, int(t.Month()), len(part))
	case "DD", "D":
		return appendPadded(out, t.Day(), len(part))
	case "HH", "H":
		return appendPadded(out, t.Hour(), len(part))
	case "hh", "h":
		return appendPadded(out, (t.Hour()+11)%12+1, len(part))
	case "mm", "m":
		return appendPadded(out, t.Minute(), len(part))
	case "ss", "s":
		return appendPadded(out, t.Second(), len(part))
	case "SSS":
		return appendPadded(out, t.Nanosecond()/int(time.Millisecond), 3)
	case "A":
		return t.AppendFormat(out, "PM")
	case "a":
		return t.AppendFormat(out, "pm")
	case "Z":
		return t.AppendFormat(out, "-07:00")
	case "ZZ":
		return t.AppendFormat(out, "-0700")
	}
	return append(out, part...)
}

func appendPadded(out []byte, n, width int) []byte {
	digits := strconv.Itoa(n)
	for range width - len(digits) {
		out = append(out, '0')
	}
	return append(out, digits...)
}
