// Package engine runs the plans of package workflow: it is where supersteps meet the world.
//
// The engine calls the components that a plan names, the cheap ones in place and
// the others side by side, waits for all of them and hands their outputs back to
// the plan in a fixed order. It owns cancellation, panics and the middleware that
// sits around each component call: monitors, debuggers, record and replay. It
// holds no state between runs and takes no lock that two runs share.
package engine

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

// Invocation is one component call on its way through the middleware. It is valid until the handler returns.
type Invocation struct {
	component.Call
	Input component.Input
	Step  int    // superstep of the run
	Index int    // of the component in the plan
	Lane  string // which iterations of parallel loops the call belongs to, "" for none

	inst *component.Instance
}

// Handler answers a component call.
type Handler func(ctx context.Context, inv *Invocation) (value.Value, error)

// Middleware puts something around every component call.
type Middleware func(Handler) Handler

// Program is a plan that is ready to run. It may run any number of times at once.
type Program struct {
	*workflow.Plan
	convert [][]infer.Type // by component and input; nil where nothing is converted
	slow    []bool         // components that may take their time
	runs    sync.Pool
}

// NewProgram prepares a plan.
func NewProgram(plan *workflow.Plan) *Program {
	p := &Program{Plan: plan, convert: make([][]infer.Type, plan.Len()), slow: make([]bool, plan.Len())}
	for i := range p.convert {
		inst := plan.Instance(i)
		p.slow[i] = inst != nil && !inst.Traits.Cheap || plan.Parallel(i) > 1
		inputs := plan.Node(i).Inputs
		types, any := make([]infer.Type, len(inputs)), true
		for k := range inputs {
			types[k] = infer.TypeOf(inputs[k].Type)
			p.slow[i] = p.slow[i] || inst != nil && (types[k].IsBinary() || inputs[k].IsFile) // files are read and kept
			any = any && types[k] == infer.Any
		}
		if !any {
			p.convert[i] = types
		}
	}
	p.runs.New = func() any { return &run{program: p, state: plan.NewState()} }
	return p
}

// Job is one run of a program.
type Job struct {
	Program *Program
	// Begin activates what the run starts with.
	Begin func(*workflow.State)

	Scope     scope.Scope
	Agent     *component.Agent
	Request   *component.Request
	Effects   effect.Source
	Host      component.Host
	HTTP      *http.Client
	Variables value.Value

	Use     []Middleware // innermost last
	Watcher Watcher      // receives monitor events; nil when nobody watches
	KeepLog bool         // components keep their log lines for debuggers
	// Checkpoint is called after every superstep, on the goroutine of the run.
	Checkpoint func(*workflow.State)
	// Ended is called when nothing is left to do, before the answer is taken out of the state.
	Ended func(*workflow.State)
	Gate  Gate // holds the run between supersteps; nil when it never waits
	// Budget is how many component calls are left to this run and all those that share it; nil for no bound
	// but that of the plan.
	Budget *atomic.Int64
	Meter  *Meter // measures what the run uses; nil when nobody asks
}

// Gate holds runs between supersteps, to pause them.
type Gate interface {
	// Pass returns when the run may go on. The error ends the run.
	Pass(context.Context) error
}

// KilledError is the cause of the cancellation of a run that was killed.
type KilledError struct{ Reason string }

func (e *KilledError) Error() string { return "agent killed: " + e.Reason }

// Run runs a job to its end and returns the answer. The error is [fault.Limit] when a limit ended the run,
// [fault.Internal] when a component panicked, and the cause of ctx when it was cancelled.
func Run(ctx context.Context, job *Job) (value.Value, error) {
	r := job.Program.runs.Get().(*run)
	r.job = job
	r.handler = chain(job.Use)
	job.Begin(r.state)
	err := r.loop(ctx)
	var result value.Value
	if err == nil {
		if job.Ended != nil {
			job.Ended(r.state)
		}
		result, err = r.result()
	}
	r.release()
	return result, err
}

// chain wraps the call of a component in middleware.
func chain(use []Middleware) Handler {
	h := Handler(invoke)
	for i := len(use) - 1; i >= 0; i-- {
		h = use[i](h)
	}
	return h
}

func invoke(ctx context.Context, inv *Invocation) (value.Value, error) {
	return inv.inst.Run(ctx, &inv.Call, inv.Input)
}
