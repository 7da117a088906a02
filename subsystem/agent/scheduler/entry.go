package scheduler

import (
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Entry is a job that is scheduled.
type Entry struct {
	ID       string
	Owner    access.Candidate
	Job      Job
	Schedule Schedule
	Paused   bool
	ACL      *access.ACL
	Progress Progress
}

// Address returns where the entry lies.
func (e Entry) Address() Address { return Address{Owner: e.Owner, ID: e.ID} }

// Progress is what became of a job so far.
type Progress struct {
	Last    time.Time // beginning of the last run, zero for none
	Next    time.Time // when it is due, zero when nobody has reckoned it or it is never due again
	History []Outcome // newest first
}

// Outcome is how one run ended.
type Outcome struct {
	At      time.Time // its beginning
	Success bool
	Error   string        // "" for success
	Took    time.Duration // of all attempts, without the waits between them
	Retries int           // attempts after the first
	Result  value.Value   // what it came to; it is told, not kept
}

// Value returns {executionHistory, lastRun, nextRun}, with times as texts and durations in milliseconds.
func (p Progress) Value() value.Value {
	history := make([]value.Value, len(p.History))
	for i, o := range p.History {
		history[i] = o.Value()
	}
	v := value.NewBuilder(3).Set("executionHistory", value.OfItems(history))
	if !p.Last.IsZero() {
		v.Set("lastRun", stamp(p.Last))
	}
	if !p.Next.IsZero() {
		v.Set("nextRun", stamp(p.Next))
	}
	return v.Build()
}

// Value returns {timestamp, success, error, executionTime, retries}.
func (o Outcome) Value() value.Value {
	v := value.NewBuilder(5).Set("timestamp", stamp(o.At)).Set("success", value.OfBool(o.Success))
	if o.Error != "" {
		v.Set("error", value.Of(o.Error))
	}
	return v.Set("executionTime", value.OfInt(int(o.Took.Milliseconds()))).Set("retries", value.OfInt(o.Retries)).Build()
}

// ParseProgress reads the form of [Progress.Value]. Times may also be numbers, milliseconds since 1970.
func ParseProgress(v value.Value) (Progress, error) {
	if !v.IsObject() {
		return Progress{}, fault.Newf(fault.Invalid, "the progress of a job is an object")
	}
	p := Progress{Last: moment(v.Get("lastRun")), Next: moment(v.Get("nextRun"))}
	for _, h := range v.Get("executionHistory").Items() {
		took, _ := h.Get("executionTime").Num()
		retries, _ := h.Get("retries").Num()
		p.History = append(p.History, Outcome{
			At: moment(h.Get("timestamp")), Success: h.Get("success").Truthy(), Error: h.GetString("error"),
			Took: time.Duration(bounded(took, MaxTimeout.Milliseconds()*MaxRetries)) * time.Millisecond, Retries: int(bounded(retries, MaxRetries)),
		})
	}
	return p, nil
}

// bounded keeps a number of a file within what it can be.
func bounded(n float64, most int64) int64 {
	if !(n > 0) { // neither is what is no number
		return 0
	}
	return int64(min(n, float64(most)))
}

// moment reads a time, zero for what is none.
func moment(v value.Value) time.Time {
	if ms, ok := v.Num(); ok {
		return time.UnixMilli(bounded(ms, 1<<43)).UTC()
	}
	text, _ := v.Str()
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
