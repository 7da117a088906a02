package engine

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// lanes runs all iterations of a loop within one superstep, several at once, and returns what the loop answers when
// they are over. Results keep the order of the items, whichever iteration ends first.
func (r *run) lanes(ctx context.Context, a *workflow.Activation, inv *Invocation, first value.Value) value.Value {
	states := make([]*workflow.State, 0, len(inv.Loop.Items))
	for out := first; out.Get(component.KeyInProgress).Truthy(); {
		states = append(states, r.program.NewLane(r.state, a.Node, out))
		next, err := r.guarded(ctx, inv)
		if err != nil {
			return softError(err.Error(), value.Value{})
		}
		out = next
	}
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for range min(r.program.Parallel(a.Node), len(states)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(states); i = int(next.Add(1)) - 1 {
				r.runLane(ctx, a.Node, i, states[i])
			}
		})
	}
	workers.Wait()
	for _, lane := range states {
		r.program.JoinLane(r.state, lane)
		inv.Loop.Results = append(inv.Loop.Results, lane.LaneResults(a.Node)...)
	}
	inv.Loop.Index = len(inv.Loop.Items)
	out, err := r.guarded(ctx, inv)
	if err != nil {
		return softError(err.Error(), value.Value{})
	}
	return out
}

// runLane steps one iteration until it has come to rest.
func (r *run) runLane(ctx context.Context, loop, index int, state *workflow.State) {
	lane := &run{program: r.program, state: state, job: r.job, handler: r.handler, lane: r.lane + "/" + strconv.Itoa(loop) + ":" + strconv.Itoa(index)}
	for !state.LaneDone(loop) {
		activations := r.program.Ready(state, r.job.Variables)
		if len(activations) == 0 || lane.step(ctx, activations) != nil {
			break
		}
	}
	if r.job.Meter != nil {
		r.job.Meter.leave(lane.large)
	}
	if lane.fail != nil {
		r.failed(lane.fail)
	}
}
