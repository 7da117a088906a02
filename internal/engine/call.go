package engine

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// call answers one activation. Whatever goes wrong becomes an output that the workflow understands.
func (r *run) call(ctx context.Context, a *workflow.Activation, inv *Invocation) {
	r.fill(a, inv)
	var started event
	if r.job.Watcher != nil {
		started = r.watchStart(a, inv)
	}
	a.Output = r.answer(ctx, a, inv)
	if r.job.Watcher != nil {
		r.watchStop(started, a.Output)
	}
}

func (r *run) answer(ctx context.Context, a *workflow.Activation, inv *Invocation) value.Value {
	if !a.Given.IsAbsent() {
		return a.Given
	}
	if inv.inst == nil {
		return softError("Component "+inv.Node.Type+" not found", value.Value{})
	}
	if bad := inv.inst.Violations; len(bad) > 0 {
		return violation(inv.Node, bad[0].Message, inv.Debug)
	}
	if err := r.infer(a.Node, inv); err != nil {
		return softError(err.Error(), debugText(inv, err.Error()))
	}
	out, err := r.guarded(ctx, inv)
	if err != nil {
		return softError(err.Error(), debugText(inv, inv.LogText()))
	}
	if inv.Debug && !inv.inst.Traits.Quiet {
		out = out.With(component.KeyDebug, value.Of(inv.LogText()))
	}
	if r.program.Parallel(a.Node) > 1 && inv.Loop != nil && out.Get(component.KeyInProgress).Truthy() && r.program.LanesReady(r.state, a.Node) {
		return r.lanes(ctx, a, inv, out)
	}
	return out
}

// fill prepares the call. The struct is used again for later calls of the run: what is the same for all of them is
// set once.
func (r *run) fill(a *workflow.Activation, inv *Invocation) {
	if j := r.job; inv.Agent == nil || j.KeepLog || j.Watcher != nil {
		*inv = Invocation{Lane: r.lane, Call: component.Call{
			Scope: j.Scope, Agent: j.Agent, Request: j.Request, Effects: j.Effects, Host: j.Host, HTTP: j.HTTP,
			Debug: r.state.Debug, KeepLog: j.KeepLog,
		}}
	}
	inv.Node, inv.inst, inv.Index, inv.Step = r.program.Node(a.Node), r.program.Instance(a.Node), a.Node, r.state.Step
	inv.Loop, inv.Input = a.Loop, a.Input
}

// infer converts the inputs to their declared types, in place: they are a copy of what the state holds.
func (r *run) infer(node int, inv *Invocation) error {
	types := r.program.convert[node]
	if types == nil {
		return nil
	}
	for i, v := range inv.Input.Values {
		if !v.Truthy() {
			continue
		}
		converted, err := types[i].Convert(v)
		if err != nil {
			return err
		}
		inv.Input.Values[i] = converted
	}
	return nil
}

// guarded calls the component and turns a panic into the failure of this run.
func (r *run) guarded(ctx context.Context, inv *Invocation) (out value.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "component %s (%s) failed: internal error", inv.Node.ID, inv.Node.Type)
			r.failed(&PanicError{Component: inv.Node.ID, Type: inv.Node.Type, Cause: fmt.Sprintf("%T", p), Stack: debug.Stack(), err: err})
		}
	}()
	return r.handler(ctx, inv)
}

func (r *run) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail == nil {
		r.fail = err
	}
}

// PanicError is a bug in a component. It fails the run it happened in and nothing else. What was thrown is not part of
// it, because it may hold data of the agent.
type PanicError struct {
	Component, Type string
	Cause           string // type of the value thrown
	Stack           []byte
	err             error
}

func (e *PanicError) Error() string { return e.err.Error() }

// Unwrap returns the classified error.
func (e *PanicError) Unwrap() error { return e.err }

// softError is the output of a call that failed.
func softError(text string, debug value.Value) value.Value {
	b := value.NewBuilder(2).Set(component.KeyError, value.Of(text))
	if !debug.IsAbsent() {
		b.Set(component.KeyDebug, debug)
	}
	return b.Build()
}

func debugText(inv *Invocation, text string) value.Value {
	if !inv.Debug {
		return value.Value{}
	}
	return value.Of(text)
}

// violation is the output of a component whose settings break a rule.
func violation(n *component.Node, rule string, debug bool) value.Value {
	text := value.Of("Schema Validation error: " + rule + " on component " + n.DisplayName + ":" + n.Title)
	b := value.NewBuilder(4)
	b.Set("id", value.Of(n.ID)).Set("name", value.Of(n.DisplayName)).Set(component.KeyError, text)
	if debug {
		b.Set(component.KeyDebug, text)
	}
	return b.Build()
}
