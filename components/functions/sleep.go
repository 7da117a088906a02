package functions

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// maxDelay is the longest sleep, in seconds.
const maxDelay = 24 * 60 * 60

type sleepSettings struct {
	Delay value.Value `json:"delay" label:"Delay" default:"1" doc:"Whole seconds to sleep, up to 86400. What is no number does not sleep."`
}

func sleepType() component.Definition {
	return component.Define(component.Spec{
		Name:     "FSleep",
		Summary:  "Waits, then passes its input on.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Input", Doc: "Passed on as it is."}},
		Outputs:  []component.Port{{Name: "Output", Doc: "The input."}},
	}, runSleep)
}

func runSleep(ctx context.Context, call *component.Call, s *sleepSettings, in component.Input) (value.Value, error) {
	seconds := leadingInt(s.Delay)
	if call.Logs() {
		call.LogDebug("Sleeping for " + value.FormatNumber(seconds) + " seconds")
	}
	if seconds > maxDelay {
		return value.Value{}, fault.Limitf("delay", "LIMIT_EXCEEDED(delay): a sleep of %s seconds is over the limit of %d", value.FormatNumber(seconds), maxDelay)
	}
	watch := startTimer(call)
	if seconds > 0 {
		if err := call.Effects.Sleep(ctx, time.Duration(seconds)*time.Second); err != nil {
			return value.Value{}, err
		}
	}
	return watch.stop(value.NewBuilder(2).Set("Output", in.Lookup("Input"))), nil
}

// leadingInt reads the whole number that the text of a value starts with, as JavaScript's parseInt does; NaN for none.
func leadingInt(v value.Value) float64 {
	s := strings.TrimSpace(v.Text())
	end := 0
	if end < len(s) && (s[0] == '-' || s[0] == '+') {
		end++
	}
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	n, err := strconv.ParseFloat(s[:end], 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// timer measures a call in debug sessions, where its duration is part of the output.
type timer struct {
	call  *component.Call
	start time.Time
}

func startTimer(call *component.Call) timer {
	if !call.Debug {
		return timer{}
	}
	return timer{call, call.Effects.Now()}
}

// stop builds the output, with the duration when there is a debug session.
func (t timer) stop(out *value.Builder) value.Value {
	if t.call != nil {
		out.Set(component.KeyDebugTime, value.OfNumber(float64(t.call.Effects.Now().Sub(t.start).Milliseconds())))
	}
	return out.Build()
}
