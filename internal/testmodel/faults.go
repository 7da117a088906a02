package testmodel

import (
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Faults are what goes wrong with every answer, whatever its rule says. The zero Faults are none.
type Faults struct {
	Latency time.Duration // before every answer, besides that of the rule
	Cut     int           // bytes of the body after which the connection is closed, 0 for never
	Stall   bool          // stand still instead, before the first byte when Cut is 0
	Status  int           // of HTTP to refuse every request with, 0 for none
}

// Check reports faults that no server could have, with the kind fault.Invalid.
func (f Faults) Check() error {
	switch {
	case f.Latency < 0, f.Cut < 0:
		return fault.Newf(fault.Invalid, "times and sizes cannot be negative")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fault.Newf(fault.Invalid, "%d is no status of a refusal: use 400 to 599", f.Status)
	}
	return nil
}

// With returns the script with faults in every answer.
func (s Script) With(f Faults) Script {
	s.always = f
	return s
}

// changed applies the faults of every answer to one.
func (s Script) changed(r reply) reply {
	f := s.always
	r.delay += f.Latency
	if f.Cut > 0 {
		r.cutBytes = f.Cut
	}
	r.stall = r.stall || f.Stall
	if f.Status != 0 {
		r.status = f.Status
		r.failure = value.Obj(value.M("status", value.OfInt(f.Status)), value.M("message", value.Of("the test model refuses every request")))
	}
	return r
}

// placeholder stands in a scripted text or argument for the number of the request.
const placeholder = "${count}"

// Bounds of what a script may ask for.
const (
	maxArguments = 128 << 20 // bytes, of all tool calls of an answer
	maxRepeat    = 10_000
	maxWords     = 1_000_000
)

// counted writes the tool calls of the n-th answer.
func (r reply) counted(n int) reply {
	number := value.FormatNumber(float64(n))
	var tools []tool
	room := maxArguments
	for _, t := range r.tools {
		t.arguments = strings.ReplaceAll(t.arguments, placeholder, number)
		if t.size > 0 {
			const begin, end = `{"text":"`, `"}`
			t.arguments = begin + strings.Repeat("x", max(min(t.size, room)-len(begin)-len(end), 0)) + end
		}
		for range min(t.repeat, maxRepeat) {
			one := t
			if one.id == "" {
				one.id = "call_fake_" + value.FormatNumber(float64(len(tools)+1))
			}
			if room -= len(one.arguments); room < 0 {
				break
			}
			tools = append(tools, one)
		}
	}
	r.tools = tools
	return r
}
