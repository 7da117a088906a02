package engine

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// Journal records what the component calls of a run answered. With it the run can be played again without a clock, a
// network or a disk, and comes to the same state byte for byte. It is safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	entries map[string]record
}

// record is the answer of one call.
type record struct {
	output value.Value
	err    string
	failed bool
	loop   value.Value // the loop after the call
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{entries: map[string]record{}} }

// Len returns how many calls the journal holds.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// key names a call within its run: superstep, lane, component, and which of its calls in that superstep it is.
func (inv *Invocation) key() string {
	k := strconv.Itoa(inv.Step) + inv.Lane + " " + inv.Node.ID
	if inv.Loop != nil {
		k += " " + strconv.Itoa(inv.Loop.Index) + "/" + strconv.FormatBool(inv.Loop.Started)
	}
	return k
}

// Record is the middleware that writes the journal.
func (j *Journal) Record(next Handler) Handler {
	return func(ctx context.Context, inv *Invocation) (value.Value, error) {
		key := inv.key()
		out, err := next(ctx, inv)
		rec := record{output: out}
		if err != nil {
			rec.failed, rec.err = true, err.Error()
		}
		if inv.Loop != nil {
			rec.loop = workflow.SaveLoop(inv.Loop)
		}
		j.mu.Lock()
		j.entries[key] = rec
		j.mu.Unlock()
		return out, err
	}
}

// Replay is the middleware that answers every call from the journal and calls nothing.
func (j *Journal) Replay(Handler) Handler {
	return func(_ context.Context, inv *Invocation) (value.Value, error) {
		j.mu.Lock()
		rec, ok := j.entries[inv.key()]
		j.mu.Unlock()
		if !ok {
			return value.Value{}, fault.Newf(fault.Internal, "replay: the journal has no answer for %s", inv.key())
		}
		if !rec.loop.IsAbsent() && inv.Loop != nil {
			*inv.Loop = *workflow.LoadLoop(rec.loop)
		}
		if rec.failed {
			return value.Value{}, errors.New(rec.err)
		}
		return rec.output, nil
	}
}
