package engine

import (
	"context"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// run is the working memory of one run. It is pooled.
type run struct {
	program *Program
	state   *workflow.State
	job     *Job
	handler Handler
	lane    string
	calls   []Invocation // one for each activation of a superstep, used again in the next

	large int64 // bytes of the large outputs of the last superstep, for the meter

	mu   sync.Mutex
	fail error // the first panic of a component
}

// loop steps the run until nothing is left to do.
func (r *run) loop(ctx context.Context) error {
	for {
		activations := r.program.Ready(r.state, r.job.Variables)
		if len(activations) == 0 {
			return nil
		}
		if err := r.step(ctx, activations); err != nil {
			return err
		}
	}
}

// step calls the components of one superstep and applies their outputs.
func (r *run) step(ctx context.Context, activations []workflow.Activation) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.job.Gate != nil {
		if err := r.job.Gate.Pass(ctx); err != nil {
			return err
		}
	}
	if b := r.job.Budget; b != nil && b.Add(-int64(len(activations))) < 0 {
		return fault.Limitf("calls", "LIMIT_EXCEEDED(calls): the run and those it started made too many component calls")
	}
	r.callAll(ctx, activations)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.fail != nil {
		return r.fail
	}
	if m := r.job.Meter; m != nil {
		r.large = m.measure(activations, r.large)
	}
	r.program.Complete(r.state, activations)
	if r.job.Checkpoint != nil {
		r.job.Checkpoint(r.state)
	}
	return nil
}

// callAll calls the components of a superstep. A run that does one thing at a time needs no goroutine but its own.
func (r *run) callAll(ctx context.Context, activations []workflow.Activation) {
	r.grow(len(activations))
	slow := 0
	if len(activations) > 1 {
		for i := range activations {
			if r.slow(&activations[i]) {
				slow++
			}
		}
	}
	if slow > 1 {
		r.callSideBySide(ctx, activations, slow)
		return
	}
	for i := range activations {
		r.call(ctx, &activations[i], &r.calls[i])
	}
}

// callSideBySide gives each slow call a goroutine, except the last, which runs on this one after the cheap calls.
func (r *run) callSideBySide(ctx context.Context, activations []workflow.Activation, slow int) {
	var others sync.WaitGroup
	last := -1
	for i := range activations {
		if !r.slow(&activations[i]) {
			continue
		}
		if slow--; slow == 0 {
			last = i
			break
		}
		others.Go(func() { r.call(ctx, &activations[i], &r.calls[i]) })
	}
	for i := range activations {
		if !r.slow(&activations[i]) {
			r.call(ctx, &activations[i], &r.calls[i])
		}
	}
	r.call(ctx, &activations[last], &r.calls[last])
	others.Wait()
}

// slow reports whether a call may take its time.
func (r *run) slow(a *workflow.Activation) bool {
	return a.Given.IsAbsent() && r.program.slow[a.Node]
}

func (r *run) grow(n int) {
	for len(r.calls) < n {
		r.calls = append(r.calls, Invocation{})
	}
}

// result shapes the answer of a run that came to its end.
func (r *run) result() (value.Value, error) {
	if limit := r.state.Limit; limit != "" {
		return value.Value{}, fault.Limitf(r.state.LimitName, "%s", limit)
	}
	return r.program.Result(r.state), nil
}

// release gives the working memory back.
func (r *run) release() {
	if r.job.Meter != nil {
		r.job.Meter.leave(r.large)
	}
	r.program.Clear(r.state)
	clear(r.calls)
	r.job, r.handler, r.fail, r.lane, r.large = nil, nil, nil, "", 0
	r.program.runs.Put(r)
}
