package functions

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// clock is a source whose time stands still.
type clock struct {
	effect.System
	now time.Time
}

func (c clock) Now() time.Time { return c.now }

func TestTimestamp(t *testing.T) {
	t.Parallel()
	early := time.Date(2024, time.February, 3, 4, 5, 6, 78_900_000, time.FixedZone("far", 3600)) // 03:05:06 in UTC
	noon := time.Date(2031, time.December, 31, 12, 0, 59, 999_999_999, time.UTC)
	night := time.Date(2031, time.December, 31, 0, 30, 0, 0, time.UTC)
	tests := []struct {
		name, settings string
		now            time.Time
		want           string
	}{
		{"nothing said", `{}`, early, `1706929506078`},
		{"null", `{"format":null}`, early, `1706929506078`},
		{"empty", `{"format":""}`, early, `1706929506078`},
		{"unix", `{"format":"unix"}`, early, `1706929506078`},
		{"timestamp", `{"format":"timestamp"}`, early, `1706929506078`},
		{"iso", `{"format":"iso"}`, early, `"2024-02-03T03:05:06.078Z"`},
		{"year", `{"format":"YYYY"}`, early, `"2024"`},
		{"date", `{"format":"YYYY-MM-DD"}`, early, `"2024-02-03"`},
		{"short", `{"format":"D/M/YY H:m:s"}`, early, `"3/2/24 3:5:6"`},
		{"long", `{"format":"DD MMM YYYY, HH:mm:ss.SSS"}`, early, `"03 Feb 2024, 03:05:06.078"`},
		{"month by name", `{"format":"MMMM"}`, noon, `"December"`},
		{"noon", `{"format":"hh:mm A h a"}`, noon, `"12:00 PM 12 pm"`},
		{"after midnight", `{"format":"hh:mm A h a"}`, night, `"12:30 AM 12 am"`},
		{"zone", `{"format":"Z ZZ"}`, early, `"+00:00 +0000"`},
		{"letters that are no part", `{"format":"z S SS"}`, early, `"z S SS"`},
		{"marks", `{"format":"- / : , ."}`, early, `"- / : , ."`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, "FTimestamp", parse(t, test.settings), value.Obj(), &component.Call{Effects: clock{now: test.now}})
			if err != nil || got.Get("Timestamp").JSON() != test.want {
				t.Errorf("Run() = %s, %v; want the timestamp %s", got.JSON(), err, test.want)
			}
		})
	}
}

func TestTimestampViolations(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"bad_format!": "Invalid format string: bad_format!",
		"dddd":        "Invalid format string: dddd",
		"YYYY[at]":    "Invalid format string: YYYY[at]",
		"YYYY\n":      "Invalid format string: YYYY\n",
		"iso":         "",
		"unix":        "",
		"HH:mm":       "",
	}
	for format, want := range tests {
		got := ""
		if found := definition(t, "FTimestamp").Violations(value.Obj(value.M("format", value.Of(format)))); len(found) > 0 {
			got = found[0].Message
		}
		if got != want {
			t.Errorf("Violations of the format %q = %q, want %q", format, got, want)
		}
	}
}

func TestSleep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings string
		want           time.Duration
	}{
		{"nothing said", `{}`, time.Second},
		{"null", `{"delay":null}`, time.Second},
		{"number", `{"delay":3}`, 3 * time.Second},
		{"text", `{"delay":"10"}`, 10 * time.Second},
		{"whole seconds only", `{"delay":"1.9"}`, time.Second},
		{"text after the number", `{"delay":" 2s"}`, 2 * time.Second},
		{"zero", `{"delay":0}`, 0},
		{"before now", `{"delay":-5}`, 0},
		{"no number", `{"delay":"abc"}`, 0},
		{"empty", `{"delay":""}`, 0},
		{"list", `{"delay":[]}`, 0},
		{"a day", `{"delay":86400}`, 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := parse(t, test.settings)
			synctest.Test(t, func(t *testing.T) {
				call := &component.Call{Effects: effect.System{}, Debug: true}
				start := call.Effects.Now()
				got, err := run(t, "FSleep", settings, value.Obj(value.M("Input", value.OfInt(7))), call)
				took := call.Effects.Now().Sub(start)
				if err != nil || got.Get("Output").JSON() != "7" || took != test.want {
					t.Errorf("Run() = %s, %v after %v; want the input after %v", got.JSON(), err, took, test.want)
				}
				if ms, _ := got.Get(component.KeyDebugTime).Num(); ms != float64(test.want.Milliseconds()) {
					t.Errorf("%s = %v, want %v", component.KeyDebugTime, ms, test.want.Milliseconds())
				}
			})
		})
	}
}

func TestSleepTooLong(t *testing.T) {
	t.Parallel()
	for _, delay := range []string{"86401", "99999999999999999999999", strings.Repeat("9", 400)} {
		_, err := run(t, "FSleep", value.Obj(value.M("delay", value.Of(delay))), value.Obj(), &component.Call{})
		if !fault.Is(err, fault.Limit) || fault.CodeOf(err) != "LIMIT_EXCEEDED(delay)" {
			t.Errorf("a delay of %s gives %v, want LIMIT_EXCEEDED(delay)", delay, err)
		}
	}
}

func TestSleepIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		killed := errors.New("killed")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(killed)
		inst := definition(t, "FSleep").Compile(value.Obj(value.M("delay", value.OfInt(3600))))
		if got, err := inst.Run(ctx, &component.Call{Effects: effect.System{}}, component.Input{}); !errors.Is(err, killed) {
			t.Errorf("Run() = %s, %v; want the cause of the context", got.JSON(), err)
		}
	})
}
