package engine

import (
	"context"

	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// Step is what a debugger asks of one superstep.
type Step struct {
	Inject value.Value // calls to make instead of the next ones: a list of {id, ctx}
	Mock   value.Value // outputs that replace calls: a list of {id, ctx: {output}}
}

// RunStep does one superstep on a state that the caller keeps, and reports whether there was one to do.
func RunStep(ctx context.Context, job *Job, state *workflow.State, step Step) (bool, error) {
	p := job.Program
	r := &run{program: p, state: state, job: job, handler: chain(job.Use)}
	var activations []workflow.Activation
	if step.Inject.IsArray() {
		activations = p.Inject(state, step.Inject, job.Variables)
	} else {
		activations = p.Ready(state, job.Variables)
	}
	if len(activations) == 0 {
		return false, nil
	}
	for i := range activations {
		if out := workflow.Mocked(step.Mock, p.Node(activations[i].Node).ID); !out.IsAbsent() {
			activations[i].Given = out
		}
	}
	return true, r.step(ctx, activations)
}
